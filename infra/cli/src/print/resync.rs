//! Runs over a store's orders.

use roundtrip_api::runs::{ResyncAnswer, RunAnswer, RunState, RunView};
use roundtrip_api::step::ShopError;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::resync::Occasion;

use super::step::{explained, waits};
use super::{labelled, lay_out, table, time};

/// The run that is under way or the last one, the next, and those before.
pub(crate) fn resync(answer: &ResyncAnswer) -> String {
    let mut text = match &answer.run {
        Some(current) => {
            let mut text = run(&answer.shop, current, answer.error.as_ref());
            text.extend(answer.wait.as_ref().map(waits));
            text
        }
        None => vec![format!("{}  was never read", answer.shop)],
    };
    if !answer.next.is_empty() {
        text.push("\nNext".to_owned());
        text.push(short(answer.next.iter()));
    }
    if !answer.past.is_empty() {
        text.push("\nBefore".to_owned());
        text.push(short(answer.past.iter()));
    }
    text.join("\n")
}

/// One run.
pub(crate) fn one_run(answer: &RunAnswer) -> String {
    run(&answer.shop, &answer.run, answer.error.as_ref()).join("\n")
}

fn run(shop: &ShopDomain, run: &RunView, error: Option<&ShopError>) -> Vec<String> {
    let state = match run.state {
        RunState::Requested => "is to be read; it has not answered yet",
        RunState::Received => "is being read",
        RunState::Done => "was read",
        RunState::Failed => "could not be read",
    };
    let mut text = vec![format!("{shop}  {state}")];
    if let Some(error) = error {
        text.extend(explained(error.code, Some(&error.message), error.request_id.as_deref()));
    }
    let mut pairs = vec![
        ("run", run.id.clone()),
        ("why", occasion(run.occasion).to_owned()),
        ("asked for", time(run.requested_at)),
        ("ended", run.ended_at.map_or_else(|| "not yet".to_owned(), time)),
    ];
    if let Some(window) = run.window {
        let (placed, changed) = (time(window.created_from), time(window.updated_from));
        pairs.push(("window", format!("orders placed since {placed}, older ones changed since {changed}")));
    }
    let counts = [("scanned", run.scanned), ("found", run.found), ("fixed", run.fixed), ("calls", run.calls)];
    pairs.extend(counts.map(|(label, count)| (label, count.to_string())));
    text.push(labelled(&pairs));
    text
}

fn short<'a>(runs: impl Iterator<Item = &'a RunView>) -> String {
    let mut table = table();
    for run in runs {
        let state = match run.state {
            RunState::Requested => "requested",
            RunState::Received => "received",
            RunState::Done => "done",
            RunState::Failed => "failed",
        };
        let counts = format!("{} scanned, {} found, {} fixed", run.scanned, run.found, run.fixed);
        table.add_row([&time(run.requested_at), occasion(run.occasion), state, &counts]);
    }
    lay_out(table, &[], 2)
}

fn occasion(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Schedule => "schedule",
        Occasion::Request => "asked for",
        Occasion::Healing => "a subscription was missing",
        Occasion::FirstConnection => "first connection",
        Occasion::Backfill => "backfill",
        Occasion::Settings => "settings have changed",
        Occasion::Unpushed => "orders of before automatic push",
        Occasion::Links => "changed product links",
        Occasion::Unknown => "something that a newer release knows",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_that_does_not_go_on_says_what_it_waits_for() {
        let answer = json!({
            "shop": "moon.myshopify.com", "state": "requested", "last_success": null, "next": [], "past": [], "error": null,
            "run": {
                "id": "r-1", "occasion": "schedule", "state": "requested", "requested_at": "2026-11-23T03:00:00Z",
                "scanned": 0, "found": 0, "fixed": 0, "calls": 0,
            },
            "wait": { "until": "2026-11-23T03:05:00Z", "why": "throttled" },
        });

        let text = resync(&serde_json::from_value(answer).unwrap());

        assert!(text.contains("is to be read; it has not answered yet"), "{text}");
        assert!(text.ends_with("\nwaits until 2026-11-23 03:05:00Z for the store's rate limit"), "{text}");
    }
}
