//! A job goes on: the next of what it has to do, as much as its rate and its canary let go.

use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;

use super::progress::{Fate, fates_of};
use super::{Job, JobState, Work};
use crate::dead_letters::{DeadLetterId, crashed_task, dismiss};
use crate::ports::{Jobs, Ledger, LedgerError, Registry, Tasks, after};
use crate::step::StepId;
use crate::task::Trigger;
use crate::work::Unfinished;
use crate::writeback::resend;

/// So many go with one write of the job's row: their history is written with it, and a transaction takes a hundred items.
pub const CHUNK: usize = 25;
/// A task that was not heeded for so long is lost, or was never sent.
const AGAIN_AFTER: Duration = Duration::from_secs(300);
/// Seconds until the next call.
const PACE: usize = 60;
/// What is not done after so long waits for the world.
const LONG_ENOUGH: Duration = Duration::from_secs(15 * 60);

/// Writes a job down and lets its first steps go.
///
/// # Errors
/// The ledger or a queue failed. What is written goes on by itself.
pub async fn begin(
    ledger: &(impl Ledger + Registry + Jobs),
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
    /// Steps, or orders, that went.
    pub sent: usize,
    /// Jobs that could not go on, and why: they kept no other back.
    pub stuck: Vec<(String, Unfinished)>,
}

/// Lets every open job go on, the oldest first, with up to `most` in all.
///
/// # Errors
/// The ledger does not say which jobs are open.
pub async fn advance_all(
    ledger: &(impl Ledger + Registry + Jobs),
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

/// Lets the next of a job go: up to `most`, spread by its rate over the time until the next call. Returns how it stands
/// then, and how many went; `None`: there is no such job.
///
/// # Errors
/// The ledger or a queue failed; another call goes on. `Conflict`: somebody else goes on with it.
pub async fn advance(
    ledger: &(impl Ledger + Registry + Jobs),
    tasks: &impl Tasks,
    (id, most): (&str, usize),
    now: Timestamp,
) -> Result<Option<(Job, usize)>, Unfinished> {
    let Some((mut job, mut version)) = ledger.job(id).await? else { return Ok(None) };
    if !job.is_open() {
        return Ok(Some((job, 0)));
    }
    let (total, first) = (job.work.len(), job.sent);
    // Of what has not gone there is nothing to ask.
    let fates = if first == 0 { Vec::new() } else { fates_of(ledger, &job).await? };
    let limit = match canary(&job, &fates[..first], now) {
        Canary::Wait => job.canary.min(total),
        Canary::Go => total,
        Canary::Stop(why) => {
            job.state = JobState::Stopped { at: now, why };
            ledger.save_job(&job, version, &[]).await?;
            return Ok(Some((job, 0)));
        }
    };
    let (most, mut again) = (most.min(usize::from(job.rate) * PACE), 0);
    if first == limit && most > 0 && !is_given_up(&job, &fates[..first], now) {
        (version, again) = send_lost((ledger, tasks), (&mut job, version), (&fates[..first], most), now).await?;
    }
    let last = limit.min(first + most);
    while job.sent < last {
        let chunk = job.sent..last.min(job.sent + CHUNK);
        version = go((ledger, tasks), (&mut job, version), (chunk, first), now).await?;
    }
    let is_settled = first == total && fates.iter().all(|fate| fate.is_final());
    if is_settled || (job.sent == total && is_given_up(&job, &fates[..first], now)) {
        job.state = JobState::Done { at: now };
        ledger.save_job(&job, version, &[]).await?;
    }
    let sent = job.sent - first + again;
    Ok(Some((job, sent)))
}

/// One chunk of a job. `first` is the first that went in this call. Returns the version of the job's row.
///
/// What is repeated without harm is done before it is written that it was. A redrive's history must not be: it is written
/// first, and whoever dies before the tasks are sent leaves steps that are parked still, and are sent again later.
async fn go(
    (ledger, tasks): (&(impl Ledger + Registry + Jobs), &impl Tasks),
    (job, version): (&mut Job, u64),
    (chunk, first): (Range<usize>, usize),
    now: Timestamp,
) -> Result<u64, Unfinished> {
    let (mut history, mut purged) = (Vec::new(), 0);
    match &job.work {
        Work::Redrive(letters) => {
            let told =
                |letter: &DeadLetterId| job.asked().event(now, Trigger::Redrive, &letter.step, ("parked", "redriven"));
            let events = letters[chunk.clone()].iter().map(|letter| Some((letter.order()?, told(letter))));
            history.extend(events.flatten());
        }
        Work::Resend(orders) => {
            for n in chunk.clone() {
                match resend(ledger, tasks, &orders[n], job.asked(), (now, delay(job, n - first))).await {
                    // An order that this release cannot read keeps no other back; its fate says so.
                    Ok(()) | Err(Unfinished::Ledger(LedgerError::Unreadable(_))) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Work::Purge(letters) => {
            for letter in &letters[chunk.clone()] {
                purged += usize::from(dismiss(ledger, letter, job.asked(), now).await?);
            }
        }
    }
    job.sent = chunk.end;
    job.sent_at = Some(now);
    job.purged += purged;
    ledger.save_job(job, version, &history).await?;
    if let Work::Redrive(letters) = &job.work {
        for n in chunk {
            send((ledger, tasks), &letters[n], delay(job, n - first)).await?;
        }
    }
    Ok(version + 1)
}

enum Canary {
    /// Nothing but the first goes.
    Wait,
    Go,
    Stop(String),
}

fn canary(job: &Job, went: &[Fate], now: Timestamp) -> Canary {
    let Work::Redrive(letters) = &job.work else { return Canary::Go };
    // Once the others go, it has spoken.
    if went.len() > job.canary || job.canary == 0 {
        return Canary::Go;
    }
    let first = &went[..went.len().min(job.canary)];
    let (count, rest) = (job.canary.min(letters.len()), letters.len() - went.len());
    for (fate, letter) in first.iter().zip(letters) {
        let why = match fate {
            Fate::Failed(code) => format!("{letter} failed again: {code}"),
            Fate::Dropped => format!("{letter} may not go any more, which proves nothing of the others"),
            Fate::Parked | Fate::Running if is_given_up(job, went, now) => {
                format!("{letter} was not done after 15 minutes")
            }
            Fate::Parked | Fate::Running | Fate::Done => continue,
        };
        return Canary::Stop(format!("{why}; {rest} were not set going"));
    }
    match first.len() == count && first.iter().all(|fate| *fate == Fate::Done) {
        true => Canary::Go,
        false => Canary::Wait,
    }
}

/// Sends the tasks again of steps that are parked still after a while: they did not arrive, or were never sent. Up to `most`,
/// the others with the next calls. Returns the version of the job's row, and how many went.
///
/// They are sent before it is written that they were: one that is sent twice does no harm, and what cannot be sent is not
/// given up.
async fn send_lost(
    (ledger, tasks): (&(impl Ledger + Jobs), &impl Tasks),
    (job, version): (&mut Job, u64),
    (went, most): (&[Fate], usize),
    now: Timestamp,
) -> Result<(u64, usize), Unfinished> {
    let Work::Redrive(letters) = &job.work else { return Ok((version, 0)) };
    let is_under_way = job.sent_again_at >= job.sent_at && job.sent_again < went.len();
    let last = job.sent_at.max(job.sent_again_at);
    let is_long_ago = last.is_some_and(|at| after(at, AGAIN_AFTER) <= now);
    if !went.contains(&Fate::Parked) || !(is_under_way || is_long_ago) {
        return Ok((version, 0));
    }
    let from = if is_under_way { job.sent_again } else { 0 };
    let lost: Vec<usize> = (from..went.len()).filter(|n| went[*n] == Fate::Parked).take(most).collect();
    for (before, n) in lost.iter().enumerate() {
        send((ledger, tasks), &letters[*n], delay(job, before)).await?;
    }
    let is_cut = lost.len() == most;
    job.sent_again = lost.last().filter(|_| is_cut).map_or(went.len(), |last| last + 1);
    job.sent_again_at = Some(now);
    ledger.save_job(job, version, &[]).await?;
    Ok((version + 1, lost.len()))
}

/// Whether nobody waits any more for what is not done. What is parked still has gone a second time before.
fn is_given_up(job: &Job, went: &[Fate], now: Timestamp) -> bool {
    let is_long_ago = after(job.sent_at.unwrap_or(job.asked_at), LONG_ENOUGH) <= now;
    let went_again = job.sent_again_at >= job.sent_at && job.sent_again >= went.len();
    let had_time = job.sent_again_at.is_some_and(|at| after(at, AGAIN_AFTER) <= now);
    is_long_ago && (!went.contains(&Fate::Parked) || (went_again && had_time))
}

/// So late that no more than the job's rate begin in a second.
fn delay(job: &Job, before: usize) -> Duration {
    Duration::from_secs(u64::try_from(before).unwrap_or(u64::MAX) / u64::from(job.rate.max(1)))
}

/// Sends the task of a step.
async fn send(
    (ledger, tasks): (&impl Ledger, &impl Tasks),
    letter: &DeadLetterId,
    delay: Duration,
) -> Result<(), Unfinished> {
    let task = match letter.step {
        StepId::Crash { .. } => crashed_task(ledger, letter).await?,
        _ => Some(letter.redrive()),
    };
    if let Some(task) = task {
        tasks.send_later(letter.step.queue(), &task, delay).await?;
    }
    Ok(())
}
