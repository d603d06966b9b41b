//! Purge: a person decides that nothing more is done about what is parked. The step stays as it is, with its failures, and
//! whatever asks for it anew sets it going; it is only listed no more, and its letter is taken off.

use jiff::Timestamp;
use serde_json::Value;

use super::DeadLetterId;
use crate::history::HistoryEvent;
use crate::jobs::Asked;
use crate::ports::{Ledger, LedgerError};
use crate::record::{Commit, Listing, RowKey, StoredRow, WakeUp, Write};
use crate::step::{Dismissed, Step, Wait};
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
    let dismissed = || Dismissed { at: now, by: asked.by.to_owned(), reason: asked.reason.to_owned() };
    let Some(order) = letter.order() else {
        let known = ledger.shop_step::<Value>(&letter.shop, &letter.step).await?;
        let Some((mut step, version)) = known.filter(|(step, _)| is_that(step, letter)) else { return Ok(()) };
        step.parked.iter_mut().for_each(|parked| parked.dismissed = Some(dismissed()));
        return ledger.save_shop_step(&letter.shop, &letter.step, &step, version).await;
    };
    let key = RowKey::Step(letter.step.clone());
    let Some((_, row)) = ledger.some_rows(&[(order.clone(), key.clone())]).await?.pop() else { return Ok(()) };
    let StoredRow { version, body, .. } = row;
    let mut step: Step<Value> = serde_json::from_value(body)
        .map_err(|error| LedgerError::Unavailable { doing: "understand a parked step", source: error.into() })?;
    if !is_that(&step, letter) {
        return Ok(());
    }
    step.parked.iter_mut().for_each(|parked| parked.dismissed = Some(dismissed()));
    let event = event(&step, letter, asked, now);
    let wake_up =
        |wait: &Wait| WakeUp { at: wait.until, queue: letter.step.queue(), subject: letter.subject(), why: wait.why };
    let write = Write {
        order: order.clone(),
        key,
        expected: version,
        due: step.wait.as_ref().map(wake_up),
        listed: step.parked.as_ref().and_then(Listing::of_parked),
        expires_at: None,
        body: Some(serde_json::to_value(&step).expect("a step is plain data")),
    };
    ledger.commit(Commit { writes: vec![write], history: vec![(order, event)] }).await
}

fn is_that(step: &Step<Value>, letter: &DeadLetterId) -> bool {
    step.generation == letter.generation && step.parked.as_ref().is_some_and(|parked| parked.is_listed())
}

fn event(step: &Step<Value>, letter: &DeadLetterId, asked: Asked<'_>, now: Timestamp) -> HistoryEvent {
    let failure = step.last_failure.as_ref();
    let had = failure.map(|failure| format!("; it had failed {} times, last: {}", step.attempts, failure.message));
    HistoryEvent {
        at: now,
        what: letter.step.to_string(),
        before: "parked".into(),
        after: "dismissed".into(),
        trigger: Trigger::Request,
        cause_id: asked.job.to_owned(),
        actor: asked.by.to_owned(),
        code: step.parked.as_ref().map(|parked| parked.code),
        request_id: failure.and_then(|failure| failure.request_id.clone()),
        detail: Some(format!("{}{}", asked.reason, had.unwrap_or_default())),
    }
}
