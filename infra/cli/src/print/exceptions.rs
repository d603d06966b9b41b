//! Exceptions of a cause, one by one, and who owns them.

use jiff::Timestamp;
use roundtrip_api::exceptions::{Evidence, ExceptionsAnswer, ListedException, OwnerAnswer};

use super::incidents::age;
use super::{lay_out, table, time};

/// As many as one answer lists.
const MOST: usize = 250;

/// One a line, oldest first, and what they have in common below.
pub(crate) fn exceptions(found: &ExceptionsAnswer, now: Timestamp) -> String {
    let ExceptionsAnswer { exceptions, count, more } = found;
    let Some(first) = exceptions.first() else {
        return "nothing of this cause needs anybody".to_owned();
    };
    let mut table = table();
    table.set_header(["SINCE", "AGE", "ORDER", "STORE", "OWNER", "WHAT"]);
    for exception in exceptions {
        table.add_row([
            time(exception.since),
            age(now.duration_since(exception.since)),
            order(exception),
            exception.shop.to_string(),
            exception.owned.as_ref().map_or_else(|| "nobody".to_owned(), |owned| owned.owner.to_string()),
            evidence(exception),
        ]);
    }
    let mut text = vec![lay_out(table, &[], 0)];
    // One answer has no more; the list of dead letters has pages.
    let how = match &first.evidence {
        Evidence::DeadLetter { .. } if exceptions.len() >= MOST => {
            format!("roundtrip dlq list --cause {}", first.cause)
        }
        _ if exceptions.len() >= MOST => "once these are seen to".to_owned(),
        _ => "--limit".to_owned(),
    };
    match (count - exceptions.len(), more) {
        (0, false) => {}
        (0, true) => text.push("and more than was looked through".to_owned()),
        (rest, false) => text.push(format!("and {rest} more: {how}")),
        (rest, true) => text.push(format!("and {rest} more at least: {how}")),
    }
    text.push(format!("remedy: {}", first.remedy));
    text.join("\n")
}

fn order(ListedException { order, order_name, .. }: &ListedException) -> String {
    match (order_name, order) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (None, Some(id)) => id.to_string(),
        (_, None) => String::new(),
    }
}

/// The name of the dead letter, to be copied; or what differs.
fn evidence(exception: &ListedException) -> String {
    match &exception.evidence {
        Evidence::DeadLetter { id, .. } => id.to_string(),
        Evidence::Warning { source_order, detail } => {
            format!("{} at {}: {detail}", source_order.name, exception.failed_at)
        }
        Evidence::Unknown => "update this command: it is of a newer release".to_owned(),
    }
}

/// Who sees to a cause now.
pub(crate) fn owner(OwnerAnswer { cause, count, owned }: &OwnerAnswer) -> String {
    let exceptions = if *count == 1 { "1 exception".to_owned() } else { format!("{count} exceptions") };
    match owned.as_ref().map(|owned| (&owned.owner, owned.until)) {
        Some((owner, Some(until))) => format!("{cause}: {owner} sees to {exceptions} until {}", time(until)),
        Some((owner, None)) => format!("{cause}: {owner} sees to {exceptions}"),
        None => format!("{cause}: nobody has taken it now; {exceptions}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_one_answer_has_no_room_for_is_found_elsewhere() {
        let letter = json!({
            "cause": "5f3a91c2", "code": "REJECTED", "kind": "push", "shop": "moon.myshopify.com",
            "order": "7001", "failed_at": "sun.myshopify.com", "since": "2026-11-23T01:00:00Z",
            "evidence": { "type": "dead-letter", "id": "moon.myshopify.com/7001/push/sun.myshopify.com/1@0", "attempts": 1 },
            "remedy": "mend what the message names, then redrive", "help": "/v1/help/REJECTED",
        });
        let shown = |listed: usize| {
            let found = json!({ "exceptions": vec![letter.clone(); listed], "count": 300, "more": false });
            exceptions(&serde_json::from_value(found).unwrap(), "2026-11-23T03:00:00Z".parse().unwrap())
        };

        assert!(shown(50).contains("\nand 250 more: --limit\n"));
        assert!(shown(250).contains("\nand 50 more: roundtrip dlq list --cause 5f3a91c2\n"));
    }

    #[test]
    fn each_exception_says_since_when_whose_it_is_and_what_shows_it() {
        let of = |extra: serde_json::Value| {
            let mut exception = json!({
                "cause": "5f3a91c2", "code": "CANCELLED_AFTER_PUSH", "kind": "order", "shop": "moon.myshopify.com",
                "order": "7001", "order_name": "#1001", "failed_at": "sun.myshopify.com", "since": "2026-11-23T01:00:00Z",
                "evidence": { "type": "warning", "source_order": { "id": "9", "name": "#9" }, "detail": "cancel it there too" },
                "remedy": "cancel the source order", "help": "/v1/help/CANCELLED_AFTER_PUSH",
            });
            exception.as_object_mut().unwrap().extend(extra.as_object().cloned().unwrap());
            exception
        };
        let letter = json!({ "type": "dead-letter", "id": "moon.myshopify.com/7002/tags@0", "attempts": 5 });
        let found = json!({ "count": 5, "more": false, "exceptions": [
            of(json!({})),
            of(json!({ "order": "7002", "order_name": null, "evidence": letter, "owned": { "owner": "ada" } })),
        ] });

        let text = exceptions(&serde_json::from_value(found).unwrap(), "2026-11-23T03:03:10Z".parse().unwrap());

        let expected = "\
SINCE                 AGE    ORDER         STORE               OWNER   WHAT
2026-11-23 01:00:00Z  2h 3m  #1001 (7001)  moon.myshopify.com  nobody  #9 at sun.myshopify.com: cancel it there too
2026-11-23 01:00:00Z  2h 3m  7002          moon.myshopify.com  ada     moon.myshopify.com/7002/tags@0
and 3 more: --limit
remedy: cancel the source order";
        assert_eq!(text, expected, "\n{text}");
    }
}
