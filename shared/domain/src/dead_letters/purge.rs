//! Purge: a person decides that nothing more is done about what is parked. The step stays as it is, with its failures, and
//! whatever asks for it anew sets it going; it is only listed no more, and its letter is taken off.

use jiff::Timestamp;
use serde_json::Value;

use super::DeadLetterId;
use super::row::StepRow;
use crate::history::HistoryEvent;
use crate::jobs::Asked;
use crate::ports::{Ledger, LedgerError};
use crate::step::{Dismissed, Parked, Step};
use crate::task::Trigger;

/// Takes a dead letter off the list. Who and why stands in its row with what it had failed of, and goes into its order's
/// history in the same write. Does nothing where it is not parked any more, as it was then.
///
/// # Errors
/// The ledger cannot be read or written, or somebody else was first.
pub(crate) async fn dismiss(
    ledger: &impl Ledger,
    letter: &DeadLetterId,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let row = StepRow::of(letter);
    let known = row.read::<Value>(ledger).await?;
    let Some((mut step, version)) = known.filter(|(step, _)| is_that(step, letter)) else { return Ok(()) };
    if let Some(parked) = &mut step.parked {
        parked.dismissed = Some(Dismissed { at: now, by: asked.by.to_owned(), reason: asked.reason.to_owned() });
    }
    row.write(ledger, &step, version, event(&step, letter, asked, now)).await
}

fn is_that(step: &Step<Value>, letter: &DeadLetterId) -> bool {
    step.generation == letter.generation && step.parked.as_ref().is_some_and(Parked::is_listed)
}

fn event(step: &Step<Value>, letter: &DeadLetterId, asked: Asked<'_>, now: Timestamp) -> HistoryEvent {
    let failure = step.last_failure.as_ref();
    let had = failure.map(|failure| format!("; it had failed {} times, last: {}", step.attempts, failure.message));
    HistoryEvent {
        code: step.parked.as_ref().map(|parked| parked.code),
        request_id: failure.and_then(|failure| failure.request_id.clone()),
        detail: Some(format!("{}{}", asked.reason, had.unwrap_or_default())),
        ..asked.event(now, Trigger::Request, &letter.step, ("parked", "dismissed"))
    }
}
