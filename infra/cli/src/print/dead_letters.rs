//! Dead letters: what is parked and waits for a person.

use roundtrip_api::dead_letters::{CodeCount, DeadLettersAnswer, ListedDeadLetter, PurgeAnswer, RedriveAnswer};
use roundtrip_api::jobs::{JobAnswer, JobKind, JobPhase};

use super::{failure, labelled, lay_out, name, table, time, with_next};

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

/// What a redrive sets going, or would.
pub(crate) fn redrive(plan: &RedriveAnswer, dry_run: bool) -> String {
    let RedriveAnswer { job_id, matched, more, not_parked, codes, rate, canary, takes_secs, first } = plan;
    let mut text = vec![match (matched, dry_run) {
        (0, _) => "Nothing of that is parked: nothing was set going.".to_owned(),
        (_, true) => format!("{matched} would be set going, {rate} a second: {takes_secs} s."),
        (_, false) => format!("{matched} are set going, {rate} a second: {takes_secs} s."),
    }];
    if *not_parked > 0 {
        text.push(format!("{not_parked} of those that were named are not parked any more: nothing is done with them."));
    }
    if *more {
        text.push("More are parked than one job takes: ask again for the rest.".to_owned());
    }
    if *canary > 0 && matched > canary {
        text.push(format!("The {canary} oldest go first; the others only if these succeed."));
    }
    text.extend(codes.iter().map(|CodeCount { code, count }| format!("  {count} x {code}")));
    if dry_run {
        text.extend(first.iter().map(|id| format!("  {id}")));
        if *matched > first.len() {
            text.push(format!("  … and {} more", matched - first.len()));
        }
    }
    text.extend(job_id.as_ref().map(|id| format!("See how it goes: roundtrip job show {id}")));
    text.join("\n")
}

/// What is purged.
pub(crate) fn purge(plan: &PurgeAnswer) -> String {
    let PurgeAnswer { job_id, matched, more, codes } = plan;
    let letters = if *matched == 1 { "dead letter is" } else { "dead letters are" };
    let mut text = vec![format!("{matched} {letters} taken off the list.")];
    if *more {
        text.push("More are parked than one job takes: ask again for the rest.".to_owned());
    }
    text.extend(codes.iter().map(|CodeCount { code, count }| format!("  {count} x {code}")));
    text.push(format!("See how it goes: roundtrip job show {job_id}"));
    text.join("\n")
}

/// What came of a job so far.
pub(crate) fn job(job: &JobAnswer) -> String {
    let state = match (job.state, &job.why) {
        (JobPhase::Stopped, Some(why)) => format!("stopped: {why}"),
        (state, _) => name(&state),
    };
    let mut pairs = vec![
        ("state", state),
        ("asked", format!("{} by {}: {}", time(job.asked_at), job.asked_by, job.reason)),
        ("went", format!("{} of {}", job.sent, job.total)),
        ("done", job.done.to_string()),
    ];
    let mut push = |label, count: usize, what: &str| {
        if count > 0 {
            pairs.push((label, format!("{count}{what}")));
        }
    };
    push("running", job.running, ", or waiting for the world");
    push("parked", job.parked, ", as before");
    let why_dropped = match job.kind {
        JobKind::Resend => {
            ": nothing was shipped of them, as far as is known, or the store does not show them any more"
        }
        JobKind::Purge => ": these went again before",
        JobKind::Redrive | JobKind::Unknown => ": what they were for may not go any more, see the orders",
    };
    push("dropped", job.dropped, why_dropped);
    push("not parked", job.not_parked, " when it began");
    pairs.extend(job.failed.iter().map(|CodeCount { code, count }| ("failed", format!("{count} x {code}"))));
    format!("{}\n{}", job.verdict, labelled(&pairs))
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

    fn plan() -> RedriveAnswer {
        RedriveAnswer {
            job_id: Some("j-1".into()),
            matched: 12,
            more: true,
            not_parked: 3,
            codes: vec![CodeCount { code: roundtrip_domain::code::Code::Rejected, count: 12 }],
            rate: 5,
            canary: 1,
            takes_secs: 3,
            first: vec![letter().id],
        }
    }

    #[test]
    fn a_redrive_says_what_it_sets_going_and_a_dry_run_which() {
        let begun = "\
12 are set going, 5 a second: 3 s.
3 of those that were named are not parked any more: nothing is done with them.
More are parked than one job takes: ask again for the rest.
The 1 oldest go first; the others only if these succeed.
  12 x REJECTED
See how it goes: roundtrip job show j-1";
        assert_eq!(redrive(&plan(), false), begun);
        let dry = redrive(&RedriveAnswer { job_id: None, ..plan() }, true);
        assert!(dry.starts_with("12 would be set going, 5 a second: 3 s.\n"), "{dry}");
        assert!(dry.ends_with("  moon.myshopify.com/7001/push/sun.myshopify.com/1@2\n  … and 11 more"), "{dry}");
        let none = RedriveAnswer {
            matched: 0,
            job_id: None,
            more: false,
            not_parked: 0,
            codes: vec![],
            first: vec![],
            ..plan()
        };
        assert_eq!(redrive(&none, false), "Nothing of that is parked: nothing was set going.");
    }

    #[test]
    fn a_job_says_what_came_of_it() {
        let come = JobAnswer {
            id: "j-1".into(),
            kind: JobKind::Redrive,
            state: JobPhase::Stopped,
            why: Some("it failed again".into()),
            asked_at: "2026-11-23T03:00:00Z".parse().unwrap(),
            asked_by: "ada".into(),
            reason: "the sun is back".into(),
            rate: 10,
            canary: 1,
            total: 5,
            not_parked: 0,
            sent: 1,
            done: 0,
            running: 0,
            failed: vec![CodeCount { code: roundtrip_domain::code::Code::Rejected, count: 1 }],
            dropped: 0,
            parked: 4,
            verdict: "0 of 5 done".into(),
        };

        let expected = "\
0 of 5 done
  state   stopped: it failed again
  asked   2026-11-23 03:00:00Z by ada: the sun is back
  went    1 of 5
  done    0
  parked  4, as before
  failed  1 x REJECTED";
        assert_eq!(job(&come), expected);
    }
}
