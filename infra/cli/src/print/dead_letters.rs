//! Dead letters: what is parked and waits for a person.

use roundtrip_api::dead_letters::{DeadLettersAnswer, ListedDeadLetter};
use roundtrip_domain::step::Failure;

use super::{labelled, lay_out, table, time, with_next};

/// One a line, oldest first.
pub(crate) fn dead_letters(page: &DeadLettersAnswer) -> String {
    let next = page.next.as_ref();
    if page.dead_letters.is_empty() {
        return match next {
            None => "nothing is parked".to_owned(),
            Some(_) => with_next("nothing so far, and there is more to look through".to_owned(), next),
        };
    }
    let mut table = table();
    table.set_header(["PARKED", "CODE", "CAUSE", "ORDER", "ID"]);
    for letter in &page.dead_letters {
        table.add_row([
            time(letter.parked_at),
            letter.code.to_string(),
            letter.cause.clone(),
            letter.order_name.clone().unwrap_or_default(),
            letter.id.to_string(),
        ]);
    }
    with_next(lay_out(table, &[], 0), next)
}

/// One of them, whole.
pub(crate) fn dead_letter(letter: &ListedDeadLetter) -> String {
    let failure = |it: &Failure| {
        let request = it.request_id.as_ref().map(|id| format!(" (Shopify's request {id})")).unwrap_or_default();
        format!("{}  {}: {}{request}", time(it.at), it.code, it.message)
    };
    let order = match (&letter.order_name, letter.order) {
        (Some(name), Some(id)) => Some(format!("{name} ({id}) of {}", letter.shop)),
        (None, Some(id)) => Some(format!("{id} of {}", letter.shop)),
        (_, None) => None,
    };
    let mut pairs = vec![
        ("code", letter.code.to_string()),
        ("cause", letter.cause.clone()),
        ("step", letter.step.to_string()),
        ("parked", time(letter.parked_at)),
        ("attempts", letter.attempts.to_string()),
        ("queue", format!("{}-dlq", letter.queue)),
    ];
    pairs.extend(order.map(|order| ("order", order)));
    let first = letter.first_failure.as_ref().filter(|first| letter.last_failure.as_ref() != Some(first));
    pairs.extend(first.map(|it| ("first", failure(it))));
    pairs.extend(letter.last_failure.as_ref().map(|it| ("last", failure(it))));
    pairs.push(("remedy", letter.remedy.clone()));
    pairs.extend(letter.order.map(|order| ("look", format!("roundtrip order show {} {order}", letter.shop))));
    format!("{}\n{}", letter.id, labelled(&pairs))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn letter() -> ListedDeadLetter {
        serde_json::from_value(json!({
            "id": "moon.myshopify.com/7001/push/sun.myshopify.com/1@2", "cause": "5f3a91c2", "queue": "order-push",
            "shop": "moon.myshopify.com", "order": "7001", "order_name": "#1042", "step": "push/sun.myshopify.com/1",
            "generation": 2, "code": "REJECTED", "remedy": "mend what it names", "help": "/v1/help/REJECTED",
            "parked_at": "2026-11-23T01:00:00Z", "attempts": 1,
            "first_failure": { "at": "2026-11-23T01:00:00Z", "code": "REJECTED", "message": "no", "request_id": "r-1" },
            "last_failure": { "at": "2026-11-23T01:00:00Z", "code": "REJECTED", "message": "no", "request_id": "r-1" },
        }))
        .unwrap()
    }

    #[test]
    fn each_has_a_line_whose_id_can_be_copied() {
        let page = DeadLettersAnswer { dead_letters: vec![letter()], next: Some("2026#7".into()) };

        let expected = "\
PARKED                CODE      CAUSE     ORDER  ID
2026-11-23 01:00:00Z  REJECTED  5f3a91c2  #1042  moon.myshopify.com/7001/push/sun.myshopify.com/1@2
more: --after '2026#7'";
        assert_eq!(dead_letters(&page), expected);
        assert_eq!(dead_letters(&DeadLettersAnswer { dead_letters: vec![], next: None }), "nothing is parked");
    }

    #[test]
    fn one_says_why_it_stopped_and_what_to_do() {
        let expected = "\
moon.myshopify.com/7001/push/sun.myshopify.com/1@2
  code      REJECTED
  cause     5f3a91c2
  step      push/sun.myshopify.com/1
  parked    2026-11-23 01:00:00Z
  attempts  1
  queue     order-push-dlq
  order     #1042 (7001) of moon.myshopify.com
  last      2026-11-23 01:00:00Z  REJECTED: no (Shopify's request r-1)
  remedy    mend what it names
  look      roundtrip order show moon.myshopify.com 7001";
        assert_eq!(dead_letter(&letter()), expected);
    }
}
