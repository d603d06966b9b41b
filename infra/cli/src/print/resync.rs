//! A resync.

use super::step::explained;
use super::{labelled, time};
use crate::answers::{ResyncAnswer, ResyncPhase, ResyncRun};

/// How a shop's resync goes, or went.
pub(crate) fn resync(answer: &ResyncAnswer) -> String {
    let state = match answer.state {
        ResyncPhase::Never => "was never read",
        ResyncPhase::Reading => "is being read",
        ResyncPhase::Settling => "was read; what was found is on its way",
        ResyncPhase::Done => "was read",
        ResyncPhase::Failed => "could not be read",
    };
    let mut text = vec![format!("{}  {state}", answer.shop)];
    if let Some(error) = &answer.error {
        text.extend(explained(error.code, Some(&error.message), None));
    }
    text.extend(answer.run.as_ref().map(run));
    text.join("\n")
}

fn run(run: &ResyncRun) -> String {
    let window = format!(
        "orders placed since {}, older ones changed since {}",
        time(run.window.created_from),
        time(run.window.updated_from)
    );
    labelled(&[
        ("run", run.id.clone()),
        ("began", time(run.started_at)),
        ("ended", run.ended_at.map_or_else(|| "not yet".to_owned(), time)),
        ("window", window),
        ("scanned", run.scanned.to_string()),
        ("found", run.found.to_string()),
        ("fixed", run.fixed.to_string()),
        ("calls", run.calls.to_string()),
    ])
}
