//! At most one fulfillment per shipment, location and method, and at most one mail per number: claim,
//! call, re-read, settle. See docs/adr/0003-writeback-protocol.md.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::job::{Job, WritebackId};
use super::plan::{FulfillmentDraft, WritebackPlan, Written, plan_writeback, shows, spelt_for_shopify};
use super::{Phase, WritebackState};
use crate::channel::{Channel, ChannelError, DestinationOrder, Effect, ShippedFulfillment};
use crate::code::Code;
use crate::id::FulfillmentId;
use crate::look::{failure, throttled_until};
use crate::ports::{Clock, Ledger, Tasks, after};
use crate::record::OrderRecord;
use crate::step::{Failure, Step, WaitReason};
use crate::work::Unfinished;

/// After so many calls without an answer, each found to have done nothing, a person looks.
const MAX_UNKNOWN_ROUNDS: u32 = 3;
/// An order without fulfillment orders for so long was not just placed: the app may not see them.
const ROUTING_TAKES: SignedDuration = SignedDuration::from_hours(1);

/// What is known of the destination after a plan was carried out.
pub(super) enum Sight {
    /// No call had an effect: what was read still holds.
    Same,
    /// A fulfillment was written, and seen.
    Fresh(DestinationOrder),
    /// A call may have had an effect that was not seen: nothing more can be planned now.
    Lost,
}

/// Plans the writeback of `shipped` by what was read of the destination, and does it. `inputs` is what
/// the plan was made from.
pub(super) async fn carry_out<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    (source, record): (&mut OrderRecord, &mut OrderRecord),
    id: &WritebackId,
    shipped: &ShippedFulfillment,
    before: &DestinationOrder,
    inputs: String,
) -> Result<Sight, Unfinished> {
    let now = job.now();
    let plan = plan_writeback(shipped, before, &written_by(record, id));
    if let WritebackPlan::AlreadyThere(there) = &plan {
        written(job, record, id, shipped, there, now);
        return Ok(Sight::Same);
    }
    // Read after the quarantine and not to be seen: a call that was in doubt had no effect.
    if let Some(rounds) = settle_absent(record, id, before).filter(|rounds| *rounds >= MAX_UNKNOWN_ROUNDS) {
        let message = format!("{rounds} calls had no answer and left no fulfillment");
        let failure = Failure { at: now, code: Code::OutcomeUnknown, message, request_id: None };
        let settled = record.writebacks.get(id).map_or_else(WritebackState::pending, |row| row.get().state.clone());
        job.fail(record, id, failure, Some(inputs), |step| step.state = settled.clone()).await?;
        return Ok(Sight::Same);
    }
    match plan {
        WritebackPlan::AlreadyThere(_) => {}
        WritebackPlan::Nothing(why) => forget(job, record, id, why, now),
        WritebackPlan::NotYet(Code::AwaitingTracking) => {
            let patience = job.ports.waits.awaiting_tracking;
            wait(job, record, id, WaitReason::AwaitingTracking, patience, patience, inputs).await?;
        }
        WritebackPlan::NotYet(_) => {
            // A hold lasts as long as its merchant wants; a webhook tells of its end.
            let interval = job.ports.waits.awaiting_tracking;
            wait(job, record, id, WaitReason::OnHold, interval, Duration::MAX, inputs).await?;
        }
        WritebackPlan::Routing => {
            let patience = ROUTING_TAKES.unsigned_abs();
            wait(job, record, id, WaitReason::Routing, job.ports.waits.retry_base, patience, inputs).await?;
        }
        WritebackPlan::Impossible { code, detail } => {
            let failure = Failure { at: now, code, message: detail, request_id: None };
            job.fail(record, id, failure, Some(inputs), |_| {}).await?;
        }
        WritebackPlan::Create(drafts) => {
            return create(job, (source, record), id, shipped, (before, drafts), inputs).await;
        }
    }
    Ok(Sight::Same)
}

/// Which destination fulfillments were written for this step, and which for others.
fn written_by(record: &OrderRecord, id: &WritebackId) -> Written {
    let mut written = Written::default();
    for (other, row) in &record.writebacks {
        let list = if other == id { &mut written.here } else { &mut written.elsewhere };
        list.extend(&row.get().state.written);
    }
    written
}

/// Creates the fulfillments one after the other, re-reads, and settles by what is seen.
async fn create<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    (source, record): (&mut OrderRecord, &mut OrderRecord),
    id: &WritebackId,
    shipped: &ShippedFulfillment,
    (before, drafts): (&DestinationOrder, Vec<FulfillmentDraft>),
    inputs: String,
) -> Result<Sight, Unfinished> {
    let mut after_them = before.clone();
    let mut created = written_by(record, id);
    let known = created.here.len();
    for mut draft in drafts {
        let sent_at = job.now();
        let marked = claim(job, record, id, &mut draft, &created.here, sent_at);
        job.ports.ledger.save(&mut [&mut *record, &mut *source]).await?;
        match job.ports.channel.create_fulfillment(&job.destination_at.shop, &draft).await {
            Ok(fulfillment) => {
                created.here.push(fulfillment);
                after_them.fulfill(&draft);
            }
            Err(error) => {
                match error.effect() {
                    Effect::None => {
                        not_sent(job, record, id, (&created.here, &marked), &error, inputs).await?;
                    }
                    Effect::Unknown => unanswered(job, record, id, (&draft, sent_at), &error).await?,
                }
                let nothing_happened = created.here.len() == known && error.effect() == Effect::None;
                return Ok(if nothing_happened { Sight::Same } else { Sight::Lost });
            }
        }
    }
    match job.ports.channel.shown(job.destination_at).await {
        Ok(Some(fulfillments)) => {
            after_them.fulfillments = fulfillments;
            settle_by_sight(job, record, id, shipped, &after_them, &created).await?;
            Ok(Sight::Fresh(after_them))
        }
        // Written, but not seen: the claim stands, and whoever comes after the quarantine looks.
        Ok(None) | Err(_) => Ok(Sight::Lost),
    }
}

/// Success is what Shopify shows, not a 200.
async fn settle_by_sight<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    shipped: &ShippedFulfillment,
    shown: &DestinationOrder,
    created: &Written,
) -> Result<(), Unfinished> {
    let now = job.now();
    if let WritebackPlan::AlreadyThere(there) = plan_writeback(shipped, shown, created) {
        return job.settle(record, id, |record| written(job, record, id, shipped, &there, now)).await;
    }
    let message = "the shop took the fulfillment, but does not show it as it was sent".to_owned();
    let failure = Failure { at: now, code: Code::ChannelUnavailable, message, request_id: None };
    // What was created stays known: it is never created again.
    job.fail(record, id, failure, None, |step| {
        step.state.phase = Phase::Pending;
        step.state.written.clone_from(&created.here);
    })
    .await
}

/// Marks the draft as sent, in memory; decides whether this call may mail. Returns the numbers whose
/// mail this call stands for.
fn claim<L: Ledger, C, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    draft: &mut FulfillmentDraft,
    created: &[FulfillmentId],
    now: Timestamp,
) -> Vec<String> {
    let mailed: BTreeSet<String> =
        record.writebacks.values().flat_map(|row| row.get().state.mailed.iter().cloned()).collect();
    let numbers: Vec<String> = draft.tracking.iter().map(|info| info.number.clone()).collect();
    draft.notify_customer = job.notify && numbers.iter().all(|number| !mailed.contains(number));
    let until = after(now, job.ports.waits.quarantine);
    job.change(record, id, now, "sent", |step| {
        if step.parked.is_some() {
            step.reopen();
        }
        if draft.notify_customer {
            step.state.mailed.extend(numbers.iter().cloned());
        }
        step.state.written = created.to_vec();
        step.state.phase = Phase::Sent { draft: draft.clone(), at: now };
        step.wait(now, until, WaitReason::InFlight);
    });
    if draft.notify_customer { numbers } else { Vec::new() }
}

/// The destination shows it.
fn written<L: Ledger, C, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    shipped: &ShippedFulfillment,
    there: &[FulfillmentId],
    now: Timestamp,
) {
    job.change(record, id, now, "written", |step| {
        let tracking = shipped.tracking.iter().map(spelt_for_shopify).collect();
        let mailed = std::mem::take(&mut step.state.mailed);
        let phase = Phase::Written { tracking, at: now };
        step.succeed(WritebackState { phase, written: there.to_vec(), mailed, unknown_rounds: 0 });
    });
}

/// There is nothing to write. A row that was never saved is not kept either.
fn forget<L: Ledger, C, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    why: &'static str,
    now: Timestamp,
) {
    let Some(row) = record.writebacks.get(id) else { return };
    if row.version() == 0 {
        record.writebacks.remove(id);
    } else if row.get().wait.is_some() {
        job.change(record, id, now, why, |step| step.wait = None);
    }
}

/// The world has to change first. Looks again after `interval`, and parks once it waited for `patience`.
async fn wait<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    why: WaitReason,
    interval: Duration,
    patience: Duration,
    inputs: String,
) -> Result<(), Unfinished> {
    let now = job.now();
    let Some(row) = record.writebacks.get(id) else { return Ok(()) };
    let since = row.get().waiting_since(why, now);
    if now >= after(since, patience) {
        let (code, message) = given_up(why);
        let failure = Failure { at: now, code, message: message.into(), request_id: None };
        let waits = job.ports.waits;
        job.settle(record, id, |record| {
            job.change(record, id, now, "failed", |step| {
                step.first_failure.get_or_insert_with(|| failure.clone());
                step.last_failure = Some(failure.clone());
                step.park(code, now, after(now, waits.quarantine), Some(inputs.clone()));
            });
        })
        .await?;
        return job.announce(record, |row_id, _| row_id == id).await;
    }
    let waits_already = row.get().wait.as_ref().is_some_and(|wait| wait.why == why);
    if waits_already && row.get().wait.as_ref().is_some_and(|wait| wait.until > now) {
        return Ok(());
    }
    let until = after(now, interval);
    if waits_already {
        // The history need not hear the same thing twice.
        record.writebacks.get_mut(id).into_iter().for_each(|row| row.change().wait(now, until, why));
    } else {
        job.change(record, id, now, why.name(), |step| step.wait(now, until, why));
    }
    Ok(())
}

fn given_up(why: WaitReason) -> (Code, &'static str) {
    match why {
        WaitReason::AwaitingTracking => (Code::AwaitingTracking, "shipped, but still without a tracking number"),
        WaitReason::Routing => {
            (Code::AccessDenied, "the order shows no fulfillment orders: does the app have their scopes?")
        }
        _ => (Code::OnHold, "on hold for too long"),
    }
}

/// A call that was in doubt had no effect: it is not to be seen. Returns how many such rounds there were,
/// if there was a doubt. The mail of a number that the customer sees by another part stays counted.
fn settle_absent(record: &mut OrderRecord, id: &WritebackId, shown: &DestinationOrder) -> Option<u32> {
    let row = record.writebacks.get_mut(id)?;
    let draft = row.get().state.in_doubt()?.clone();
    let state = &mut row.change().state;
    if draft.notify_customer {
        state.mailed.retain(|number| shows(shown, number) || !draft.tracking.iter().any(|info| info.number == *number));
    }
    state.phase = Phase::Pending;
    state.unknown_rounds += 1;
    Some(state.unknown_rounds)
}

/// The call did nothing, for sure: nobody was mailed by it.
async fn not_sent<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    (created, marked): (&[FulfillmentId], &[String]),
    error: &ChannelError,
    inputs: String,
) -> Result<(), Unfinished> {
    let now = job.now();
    let unmark = |step: &mut Step<WritebackState>| {
        step.state.phase = Phase::Pending;
        step.state.written = created.to_vec();
        step.state.mailed.retain(|number| !marked.contains(number));
    };
    if let Some(until) = throttled_until(error, now) {
        return job
            .settle(record, id, |record| {
                job.change(record, id, now, "throttled", |step| {
                    unmark(step);
                    step.wait(now, until, WaitReason::Throttled);
                });
            })
            .await;
    }
    job.fail(record, id, failure(error, now), Some(inputs), unmark).await
}

/// The call may have done something: what, shows after the quarantine.
async fn unanswered<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    (draft, sent_at): (&FulfillmentDraft, Timestamp),
    error: &ChannelError,
) -> Result<(), Unfinished> {
    let now = job.now();
    let until = after(sent_at, job.ports.waits.quarantine);
    let failure = failure(error, now);
    job.settle(record, id, |record| {
        job.change(record, id, now, "verifying", |step| {
            step.state.phase = Phase::Verifying { draft: draft.clone(), sent_at };
            step.first_failure.get_or_insert_with(|| failure.clone());
            step.last_failure = Some(failure.clone());
            step.wait(now, until, WaitReason::Verifying);
        });
    })
    .await
}
