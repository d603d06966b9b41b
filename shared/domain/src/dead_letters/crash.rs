//! Crashes: tasks that no worker finished. SQS puts such a task on the dead-letter queue by itself, where nobody can
//! look for it; so it gets a row like any step that is parked, is listed with them, and goes again as they do.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::DeadLetterId;
use super::row::StepRow;
use crate::code::Code;
use crate::history::HistoryEvent;
use crate::look::redriven;
use crate::ports::{Ledger, LedgerError, after};
use crate::step::{Failure, Parked, Step};
use crate::task::{Queue, Task, Trigger};

/// SQS's clock and a function's may differ by so much. A task is given up half an hour after it was sent.
const SKEW: Duration = Duration::from_secs(10);

/// The task, as it was last given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashState {
    /// Goes again as what it was: a backfill mails nobody, a resync does.
    pub trigger: Trigger,
    /// What had set it off.
    pub cause_id: String,
    /// When the latest of those tasks was sent whose letters were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_until: Option<Timestamp>,
    /// When a worker began that finished it after all. Whatever was sent before then is done with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// What became of a task that a dead-letter queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    /// It has a row now.
    New,
    /// It waits for a person already.
    Parked,
    /// A later task about the same subject was finished.
    Over,
}

/// Writes down that `task` of `queue`, sent at `sent_at`, was never finished.
///
/// # Errors
/// The ledger cannot be read or written, or somebody else was first.
pub(super) async fn note(
    ledger: &impl Ledger,
    queue: Queue,
    task: &Task,
    sent_at: Timestamp,
    now: Timestamp,
) -> Result<Crash, LedgerError> {
    let row = StepRow::of_crash(queue, &task.subject);
    let seen_until = Some(sent_at);
    let state = CrashState { trigger: task.trigger, cause_id: task.cause_id.clone(), seen_until, finished_at: None };
    let (mut step, version) = match row.read::<CrashState>(ledger).await? {
        None => (Step::new(state), 0),
        Some((step, _)) if is_over(&step, sent_at) => return Ok(Crash::Over),
        Some((step, version)) if is_parked(&step) => {
            let known = &step.state;
            let seen_until = known.seen_until.max(seen_until);
            if does_more(state.trigger, known.trigger) {
                (Step { state: CrashState { seen_until, ..state }, ..step }, version)
            } else if seen_until == known.seen_until {
                return Ok(Crash::Parked);
            } else {
                let state = CrashState { seen_until, ..step.state.clone() };
                let event = HistoryEvent::moved(now, task, &row.step, "crashed", "crashed");
                row.write(ledger, &Step { state, ..step }, version, event).await?;
                return Ok(Crash::Parked);
            }
        }
        Some((mut step, version)) => {
            if step.parked.is_some() {
                step.reopen();
            }
            (Step { state, ..step }, version)
        }
    };
    let message = format!("{queue} was given the task ten times and never finished it; its log says why");
    let failure = Failure { at: now, code: Code::Crashed, message, request_id: None };
    step.attempts = 10;
    step.first_failure = Some(Failure { at: sent_at, ..failure.clone() });
    step.last_failure = Some(failure.clone());
    // Its letter is the one that was found.
    step.parked = Some(Parked { code: Code::Crashed, at: now, inputs: None, announced: true, dismissed: None });
    let event = HistoryEvent::moved(now, task, &row.step, "waiting", "crashed").with_failure(&failure);
    row.write(ledger, &step, version, event).await?;
    Ok(Crash::New)
}

fn is_parked(step: &Step<CrashState>) -> bool {
    step.parked.as_ref().is_some_and(Parked::is_listed)
}

/// Whether a task that crashed over the same subject does what `known` does, and more: a backfill mails nobody, and what
/// somebody wants to be pushed goes though it is of before automatic push.
fn does_more(crashed: Trigger, known: Trigger) -> bool {
    let rank = |trigger| match trigger {
        Trigger::Backfill => 0,
        Trigger::Unpushed => 2,
        _ => 1,
    };
    rank(crashed) > rank(known)
}

/// Whether a letter of that time had been seen when the crash was purged, or was there before a worker that finished the
/// task had begun to look: whatever that letter told of was seen to.
fn is_over(step: &Step<CrashState>, sent_at: Timestamp) -> bool {
    match &step.parked {
        Some(parked) => !parked.is_listed() && step.state.seen_until.is_some_and(|until| sent_at <= until),
        None => step.state.finished_at.is_some_and(|begun| after(sent_at, SKEW) <= begun),
    }
}

/// A worker of `queue` that began at `begun` has finished `task`: if it is the redrive of a crash, that is over.
///
/// # Errors
/// The ledger cannot be read or written.
pub async fn finished(ledger: &impl Ledger, queue: Queue, task: &Task, begun: Timestamp) -> Result<(), LedgerError> {
    let row = StepRow::of_crash(queue, &task.subject);
    let Some(generation) = redriven(task, &row.step) else { return Ok(()) };
    let Some((mut step, version)) = row.read::<CrashState>(ledger).await? else { return Ok(()) };
    if step.parked.is_none() || generation != step.generation.to_string() {
        return Ok(());
    }
    step.reopen();
    step.state.finished_at = Some(begun);
    let event = HistoryEvent::moved(begun, task, &row.step, "crashed", "finished");
    row.write(ledger, &step, version, event).await
}

/// The task that goes again; `None`: it is not parked any more, as it was then.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) async fn task(ledger: &impl Ledger, letter: &DeadLetterId) -> Result<Option<Task>, LedgerError> {
    let is_that = |step: &Step<CrashState>| step.parked.is_some() && step.generation == letter.generation;
    let step = StepRow::of(letter).read(ledger).await?.map(|(step, _)| step).filter(is_that);
    Ok(step.map(|step| Task { trigger: step.state.trigger, ..letter.redrive() }))
}
