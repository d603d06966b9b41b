//! A job goes on: the next of its steps are set going, as many as its rate and its canary let go.

use std::time::Duration;

use jiff::Timestamp;

use super::progress::{Fate, fates};
use super::{Job, JobState};
use crate::dead_letters::{DeadLetterId, crashed_task};
use crate::history::HistoryEvent;
use crate::id::OrderRef;
use crate::ports::{Jobs, Ledger, LedgerError, Tasks, after};
use crate::step::StepId;
use crate::task::Trigger;
use crate::work::Unfinished;

/// So many go with one write of the job's row: their history is written with it, and a transaction takes a hundred items.
pub const CHUNK: usize = 25;
/// A task that was not heeded for so long is lost, or was never sent.
const AGAIN_AFTER: Duration = Duration::from_secs(300);
/// Seconds until the next call.
const PACE: usize = 60;
/// A step that is not done after so long waits for the world.
const LONG_ENOUGH: Duration = Duration::from_secs(15 * 60);

/// Writes a job down and lets its first steps go.
///
/// # Errors
/// The ledger or a queue failed. What is written goes on by itself.
pub async fn begin(
    ledger: &(impl Ledger + Jobs),
    tasks: &impl Tasks,
    job: Job,
    now: Timestamp,
) -> Result<Job, Unfinished> {
    match ledger.save_job(&job, 0, &[]).await {
        // The same request, repeated.
        Ok(()) | Err(LedgerError::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(advance(ledger, tasks, (&job.id, CHUNK), now).await?.map_or(job, |(job, _)| job))
}

/// What one run over all open jobs did.
#[derive(Debug, Default)]
pub struct Advanced {
    /// Jobs that were open.
    pub jobs: usize,
    /// Steps that went.
    pub sent: usize,
    /// Jobs that could not go on, and why: they kept no other back.
    pub stuck: Vec<(String, Unfinished)>,
}

/// Lets every open job go on, the oldest first, with up to `most` steps in all.
///
/// # Errors
/// The ledger does not say which jobs are open.
pub async fn advance_all(
    ledger: &(impl Ledger + Jobs),
    tasks: &impl Tasks,
    most: usize,
    now: Timestamp,
) -> Result<Advanced, LedgerError> {
    let mut advanced = Advanced::default();
    for id in ledger.open_jobs().await? {
        advanced.jobs += 1;
        match advance(ledger, tasks, (&id, most - advanced.sent), now).await {
            Ok(went) => advanced.sent += went.map_or(0, |(_, sent)| sent),
            Err(error) => advanced.stuck.push((id, error)),
        }
    }
    Ok(advanced)
}

/// Lets the next of a job's steps go: up to `most`, spread by its rate over the time until the next call. Returns how it
/// stands then, and how many went; `None`: there is no such job.
///
/// Each step's history is written before its task is sent. Whoever dies in between leaves it parked: it is sent again
/// later.
///
/// # Errors
/// The ledger or a queue failed; another call goes on. `Conflict`: somebody else goes on with it.
pub async fn advance(
    ledger: &(impl Ledger + Jobs),
    tasks: &impl Tasks,
    (id, most): (&str, usize),
    now: Timestamp,
) -> Result<Option<(Job, usize)>, Unfinished> {
    let Some((mut job, mut version)) = ledger.job(id).await? else { return Ok(None) };
    if !job.is_open() {
        return Ok(Some((job, 0)));
    }
    let fates = fates(ledger, &job.items[..job.sent]).await?;
    let is_long_ago = job.sent_again_at.or(job.sent_at).is_some_and(|at| after(at, AGAIN_AFTER) <= now);
    let are_lost = fates.contains(&Fate::Parked) && is_long_ago && !is_given_up(&job, now);
    let limit = match canary(&job, &fates, now) {
        Canary::Wait => job.canary.min(job.items.len()),
        Canary::Go => job.items.len(),
        Canary::Stop(why) => {
            job.state = JobState::Stopped { at: now, why };
            ledger.save_job(&job, version, &[]).await?;
            return Ok(Some((job, 0)));
        }
    };
    if are_lost {
        job.sent_again_at = Some(now);
        ledger.save_job(&job, version, &[]).await?;
        version += 1;
        let lost = job.items[..job.sent].iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Parked);
        for (n, (letter, _)) in lost.enumerate() {
            send((ledger, tasks), &job, letter, n).await?;
        }
    }
    let last = limit.min(job.sent + most.min(usize::from(job.rate) * PACE));
    let first = job.sent;
    while job.sent < last {
        let until = last.min(job.sent + CHUNK);
        let chunk = job.sent..until;
        let history: Vec<(OrderRef, HistoryEvent)> = job.items[chunk.clone()]
            .iter()
            .filter_map(|letter| Some((letter.order()?, event(&job, letter, now))))
            .collect();
        job.sent = until;
        job.sent_at = Some(now);
        ledger.save_job(&job, version, &history).await?;
        version += 1;
        for n in chunk {
            send((ledger, tasks), &job, &job.items[n], n - first).await?;
        }
    }
    let is_settled = first == job.items.len() && fates.iter().all(|fate| fate.is_final());
    if is_settled || (job.sent == job.items.len() && is_given_up(&job, now)) {
        job.state = JobState::Done { at: now };
        ledger.save_job(&job, version, &[]).await?;
    }
    let sent = job.sent - first;
    Ok(Some((job, sent)))
}

enum Canary {
    /// Nothing but the first goes.
    Wait,
    Go,
    Stop(String),
}

fn canary(job: &Job, fates: &[Fate], now: Timestamp) -> Canary {
    let first = &fates[..fates.len().min(job.canary)];
    if job.canary == 0 {
        return Canary::Go;
    }
    let (count, rest) = (job.canary.min(job.items.len()), job.items.len().saturating_sub(job.canary));
    for (fate, letter) in first.iter().zip(&job.items) {
        let why = match fate {
            Fate::Failed(code) => format!("{letter} failed again: {code}"),
            Fate::Dropped => format!("{letter} may not go any more, which proves nothing of the others"),
            Fate::Parked | Fate::Running if is_given_up(job, now) => format!("{letter} was not done after 15 minutes"),
            Fate::Parked | Fate::Running | Fate::Done => continue,
        };
        return Canary::Stop(format!("{why}; {rest} were not set going"));
    }
    match first.len() == count && first.iter().all(|fate| *fate == Fate::Done) {
        true => Canary::Go,
        false => Canary::Wait,
    }
}

/// Whether nobody waits any more for what is not done.
fn is_given_up(job: &Job, now: Timestamp) -> bool {
    after(job.sent_at.unwrap_or(job.asked_at), LONG_ENOUGH) <= now
}

/// Sends the task of a step, so late that no more than `rate` begin in a second.
async fn send(
    (ledger, tasks): (&impl Ledger, &impl Tasks),
    job: &Job,
    letter: &DeadLetterId,
    before: usize,
) -> Result<(), Unfinished> {
    let task = match letter.step {
        StepId::Crash { .. } => crashed_task(ledger, letter).await?,
        _ => Some(letter.redrive()),
    };
    let Some(task) = task else { return Ok(()) };
    let delay = u64::try_from(before).unwrap_or(u64::MAX) / u64::from(job.rate.max(1));
    tasks.send_later(letter.step.queue(), &task, Duration::from_secs(delay)).await?;
    Ok(())
}

/// Who set it going, and why.
fn event(job: &Job, letter: &DeadLetterId, now: Timestamp) -> HistoryEvent {
    HistoryEvent {
        at: now,
        what: letter.step.to_string(),
        before: "parked".into(),
        after: "redriven".into(),
        trigger: Trigger::Redrive,
        cause_id: job.id.clone(),
        actor: job.asked_by.clone(),
        code: None,
        request_id: None,
        detail: Some(job.reason.clone()),
    }
}
