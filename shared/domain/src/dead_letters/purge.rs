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

/// How often it is written against workers that write the same step.
const MAX_WRITES: usize = 5;

/// Takes a dead letter off the list. Who and why stands in its row with what it had failed of, and goes into its order's
/// history in the same write. Says whether it is purged: it is not where it goes again, or was parked anew, meanwhile.
///
/// # Errors
/// The ledger cannot be read or written.
pub(crate) async fn dismiss(
    ledger: &impl Ledger,
    letter: &DeadLetterId,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let row = StepRow::of(letter);
    let mut tries = 0;
    loop {
        let Some((mut step, version)) = row.read::<Value>(ledger).await? else { return Ok(false) };
        if !is_that(&step, letter) {
            return Ok(is_purged(&step, letter));
        }
        // A task that is on its way to set it going, or a letter that somebody moves back, is void.
        step.generation += 1;
        if let Some(parked) = &mut step.parked {
            parked.dismissed = Some(Dismissed { at: now, by: asked.by.to_owned(), reason: asked.reason.to_owned() });
        }
        tries += 1;
        match row.write(ledger, &step, version, event(&step, letter, asked, now)).await {
            Err(LedgerError::Conflict) if tries < MAX_WRITES => {}
            Err(LedgerError::Conflict) => return Ok(false),
            written => return written.map(|()| true),
        }
    }
}

fn is_that(step: &Step<Value>, letter: &DeadLetterId) -> bool {
    step.generation == letter.generation && step.parked.as_ref().is_some_and(Parked::is_listed)
}

/// Whether somebody purged just this, be it this job before it died.
fn is_purged(step: &Step<Value>, letter: &DeadLetterId) -> bool {
    step.generation == letter.generation + 1 && step.parked.as_ref().is_some_and(|parked| !parked.is_listed())
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
