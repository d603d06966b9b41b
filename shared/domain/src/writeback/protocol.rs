//! At most one fulfillment per shipment, location and method, and at most one mail per number: claim,
//! call, re-read, settle. See docs/adr/0003-writeback-protocol.md.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::plan::{FulfillmentDraft, WritebackPlan, plan_writeback, spelt_for_shopify};
use super::{Phase, WritebackState};
use crate::channel::{Channel, ChannelError, DestinationOrder, Effect, ShippedFulfillment};
use crate::code::Code;
use crate::history::HistoryEvent;
use crate::id::{FulfillmentId, OrderRef};
use crate::look::{failure, parked_message, throttled_until};
use crate::ports::{Clock, Ledger, LedgerError, Ports, Tasks, after};
use crate::record::{OrderRecord, Row};
use crate::step::{AfterFailure, Failure, Step, StepId, WaitReason};
use crate::task::{Queue, Task};
use crate::work::Unfinished;

/// How often a settlement is tried against other writers of the same order.
const MAX_SETTLES: usize = 8;

/// Source order and fulfillment: which writeback of an order.
pub(super) type WritebackId = (OrderRef, FulfillmentId);

/// One task's work on one pair of orders.
pub(super) struct Job<'a, L, C, T, K> {
    pub(super) ports: &'a Ports<L, C, T, K>,
    pub(super) task: &'a Task,
    pub(super) source_at: &'a OrderRef,
    pub(super) destination_at: &'a OrderRef,
    /// Whether a first call may mail the customer.
    pub(super) notify: bool,
    /// Somebody else wrote the order meanwhile, and what was changed in memory only is gone.
    pub(super) reloaded: AtomicBool,
}

/// What is known of the destination after a plan was carried out.
pub(super) enum Sight {
    /// No call had an effect: what was read still holds.
    Same,
    /// A fulfillment was written, and seen.
    Fresh(DestinationOrder),
    /// A call may have had an effect that was not seen: nothing more can be planned now.
    Lost,
}

fn step_id(id: &WritebackId) -> StepId {
    StepId::Writeback { source: id.0.clone(), fulfillment: id.1 }
}

/// Does what `plan` says, with what was read of the destination before.
pub(super) async fn carry_out<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    source: &mut OrderRecord,
    record: &mut OrderRecord,
    id: &WritebackId,
    shipped: &ShippedFulfillment,
    before: &DestinationOrder,
    inputs: String,
) -> Result<Sight, Unfinished> {
    let known = record.writebacks.get(id).map(|row| row.get().state.written.clone()).unwrap_or_default();
    let plan = plan_writeback(shipped, before, &known);
    let now = job.ports.clock.now();
    let waits = &job.ports.waits;
    match plan {
        WritebackPlan::Nothing(why) => {
            forget(record, id, why, now, job.task);
            Ok(Sight::Same)
        }
        WritebackPlan::AlreadyThere(there) => {
            written(record, id, shipped, &there, now, job.task);
            Ok(Sight::Same)
        }
        WritebackPlan::NotYet(code) => {
            let why = if code == Code::OnHold { WaitReason::OnHold } else { WaitReason::AwaitingTracking };
            wait(record, id, after(now, waits.awaiting_tracking), why, code, now, job.task);
            Ok(Sight::Same)
        }
        WritebackPlan::Routing => {
            wait(record, id, after(now, waits.retry_base), WaitReason::Routing, Code::OnHold, now, job.task);
            Ok(Sight::Same)
        }
        WritebackPlan::Impossible { code, detail } => {
            let failure = Failure { at: now, code, message: detail, request_id: None };
            fail(job, record, id, failure, Some(inputs)).await?;
            Ok(Sight::Same)
        }
        WritebackPlan::Create(drafts) => {
            // An earlier call that was in doubt is not to be seen after the quarantine: it had no effect.
            if let Some(row) = record.writebacks.get_mut(id).filter(|row| row.get().state.is_in_doubt()) {
                settle_absent(row.change());
            }
            create(job, source, record, id, shipped, (before, drafts)).await
        }
    }
}

/// Creates the fulfillments one after the other, re-reads, and settles by what is seen.
async fn create<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    source: &mut OrderRecord,
    record: &mut OrderRecord,
    id: &WritebackId,
    shipped: &ShippedFulfillment,
    (before, drafts): (&DestinationOrder, Vec<FulfillmentDraft>),
) -> Result<Sight, Unfinished> {
    let mut after_them = before.clone();
    let mut created = Vec::new();
    for mut draft in drafts {
        let sent_at = job.ports.clock.now();
        let until = after(sent_at, job.ports.waits.quarantine);
        let numbers = claim(record, id, &mut draft, job, sent_at, until);
        job.ports.ledger.save(&mut [&mut *record, &mut *source]).await?;
        match job.ports.channel.create_fulfillment(&job.destination_at.shop, &draft).await {
            Ok(fulfillment) => {
                created.push(fulfillment);
                after_them.fulfill(&draft);
            }
            Err(error) => {
                match error.effect() {
                    Effect::None => not_sent(job, record, id, &numbers, &error).await?,
                    Effect::Unknown => unanswered(job, record, id, &draft, sent_at, &error).await?,
                }
                let nothing_happened = created.is_empty() && error.effect() == Effect::None;
                return Ok(if nothing_happened { Sight::Same } else { Sight::Lost });
            }
        }
    }
    match job.ports.channel.shown(job.destination_at).await {
        Ok(Some(fulfillments)) => {
            after_them.fulfillments = fulfillments;
            let mut known = record.writebacks.get(id).map(|row| row.get().state.written.clone()).unwrap_or_default();
            known.extend(&created);
            settle_by_sight(job, record, id, shipped, &after_them, &known).await?;
            Ok(Sight::Fresh(after_them))
        }
        // Written, but not seen: the claim stands, and its worker after the quarantine looks again.
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
    known: &[FulfillmentId],
) -> Result<(), Unfinished> {
    let now = job.ports.clock.now();
    if let WritebackPlan::AlreadyThere(there) = plan_writeback(shipped, shown, known) {
        return settled(job, record, id, |record| written(record, id, shipped, &there, now, job.task)).await;
    }
    let message = "the shop took the fulfillment, but does not show it".to_owned();
    let failure = Failure { at: now, code: Code::ChannelUnavailable, message, request_id: None };
    fail(job, record, id, failure, None).await
}

/// Marks the draft as sent, in memory; decides whether this call may mail. Returns the numbers whose
/// mail this call stands for.
fn claim<L, C, T, K>(
    record: &mut OrderRecord,
    id: &WritebackId,
    draft: &mut FulfillmentDraft,
    job: &Job<'_, L, C, T, K>,
    now: Timestamp,
    until: Timestamp,
) -> Vec<String> {
    let mailed_before = mailed(record);
    let numbers: Vec<String> = draft.tracking.iter().map(|info| info.number.clone()).collect();
    let news = numbers.iter().all(|number| !mailed_before.contains(number));
    draft.notify_customer = job.notify && news;
    let mut marked = Vec::new();
    change(record, id, job.task, now, "sent", |step| {
        if step.parked.is_some() {
            step.reopen();
        }
        if draft.notify_customer {
            marked.clone_from(&numbers);
            step.state.mailed.extend(numbers.iter().cloned());
        }
        step.state.phase = Phase::Sent { draft: draft.clone(), at: now };
        step.wait_until(until, WaitReason::InFlight);
    });
    marked
}

/// Every number of this order that the customer was mailed about, whichever fulfillment brought it.
fn mailed(record: &OrderRecord) -> std::collections::BTreeSet<String> {
    record.writebacks.values().flat_map(|row| row.get().state.mailed.iter().cloned()).collect()
}

/// The destination shows it.
fn written(
    record: &mut OrderRecord,
    id: &WritebackId,
    shipped: &ShippedFulfillment,
    there: &[FulfillmentId],
    now: Timestamp,
    task: &Task,
) {
    change(record, id, task, now, "written", |step| {
        let tracking = shipped.tracking.iter().map(spelt_for_shopify).collect();
        let phase = Phase::Written { tracking, at: now };
        let mailed = std::mem::take(&mut step.state.mailed);
        step.succeed(WritebackState { phase, written: there.to_vec(), mailed });
    });
}

/// There is nothing to write. A row that was never saved is not kept either.
fn forget(record: &mut OrderRecord, id: &WritebackId, why: &'static str, now: Timestamp, task: &Task) {
    if record.writebacks.get(id).is_some_and(|row| row.version() == 0) {
        record.writebacks.remove(id);
        return;
    }
    let waiting = record.writebacks.get(id).is_some_and(|row| row.get().wait.is_some());
    if waiting {
        change(record, id, task, now, why, |step| step.wait = None);
    }
}

/// The world has to change first. Renews the wait without telling the history the same thing twice.
fn wait(
    record: &mut OrderRecord,
    id: &WritebackId,
    until: Timestamp,
    why: WaitReason,
    code: Code,
    now: Timestamp,
    task: &Task,
) {
    let Some(row) = record.writebacks.get_mut(id) else { return };
    let waited_for = row.get().wait.as_ref().map(|wait| (wait.why, wait.until));
    if waited_for.is_some_and(|(before, end)| before == why && end > now) {
        return;
    }
    let step = row.change();
    // Whatever was in doubt is settled by the look that brought us here: it is not there.
    settle_absent(step);
    step.wait_until(until, why);
    if waited_for.map(|(before, _)| before) != Some(why) {
        record.log(HistoryEvent::moved(now, task, step_id(id), "pending", why.name()).with_code(code));
    }
}

/// A call that was in doubt had no effect: the customer was not mailed by it.
fn settle_absent(step: &mut Step<WritebackState>) {
    if let Phase::Sent { draft, .. } | Phase::Verifying { draft, .. } = &step.state.phase {
        if draft.notify_customer {
            for info in draft.tracking.clone() {
                step.state.mailed.remove(&info.number);
            }
        }
        step.state.phase = Phase::Pending;
    }
}

/// The call did nothing, for sure: nobody was mailed by it.
async fn not_sent<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    marked: &[String],
    error: &ChannelError,
) -> Result<(), Unfinished> {
    let now = job.ports.clock.now();
    if let Some(until) = throttled_until(error, now) {
        return settled(job, record, id, |record| {
            change(record, id, job.task, now, "throttled", |step| {
                unmark(step, marked);
                step.wait_until(until, WaitReason::Throttled);
            });
        })
        .await;
    }
    if let Some(row) = record.writebacks.get_mut(id) {
        unmark(row.change(), marked);
    }
    fail(job, record, id, failure(error, now), None).await
}

fn unmark(step: &mut Step<WritebackState>, marked: &[String]) {
    step.state.phase = Phase::Pending;
    step.state.mailed.retain(|number| !marked.contains(number));
}

/// The call may have done something: what, shows after the quarantine.
async fn unanswered<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    draft: &FulfillmentDraft,
    sent_at: Timestamp,
    error: &ChannelError,
) -> Result<(), Unfinished> {
    let now = job.ports.clock.now();
    let until = after(sent_at, job.ports.waits.quarantine);
    let failure = failure(error, now);
    settled(job, record, id, |record| {
        change(record, id, job.task, now, "verifying", |step| {
            step.state.phase = Phase::Verifying { draft: draft.clone(), sent_at };
            step.first_failure.get_or_insert_with(|| failure.clone());
            step.last_failure = Some(failure.clone());
            step.wait_until(until, WaitReason::Verifying);
        });
    })
    .await
}

/// Counts a failure, and parks when it was the last one or a person has to decide.
async fn fail<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    failure: Failure,
    inputs: Option<String>,
) -> Result<(), Unfinished> {
    let now = failure.at;
    settled(job, record, id, |record| {
        let Some(row) = record.writebacks.get_mut(id) else { return };
        let step = row.change();
        let before = step.state.name();
        if inputs.is_some() {
            settle_absent(step);
        }
        match step.fail(failure.clone(), |failed| job.ports.waits.backoff(failed)) {
            AfterFailure::Retry => {}
            AfterFailure::Park => {
                step.park(failure.code, now, after(now, job.ports.waits.quarantine), inputs.clone());
            }
        }
        record.log(HistoryEvent::moved(now, job.task, step_id(id), before, "failed").with_failure(&failure));
    })
    .await?;
    announce_parked(job.ports, record, |row_id, _| row_id == id).await
}

/// Sends the dead-letter messages of parked steps: of the one that its worker just parked, or of those
/// whose worker must have died before it did.
pub(super) async fn announce_parked<L: Ledger, C, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    whose: impl Fn(&WritebackId, &Step<WritebackState>) -> bool,
) -> Result<(), Unfinished> {
    let at = record.at.clone();
    let mut announced = false;
    for (id, row) in &mut record.writebacks {
        if !whose(id, row.get()) {
            continue;
        }
        if let Some(message) = parked_message(row.get(), &at, step_id(id), id.0.clone()) {
            ports.tasks.park(Queue::TrackingWriteback, &message).await?;
            row.change().announced();
            announced = true;
        }
    }
    if announced {
        ports.ledger.save(&mut [record]).await?;
    }
    Ok(())
}

/// Changes the step and logs the move, in memory.
fn change(
    record: &mut OrderRecord,
    id: &WritebackId,
    task: &Task,
    now: Timestamp,
    after: &str,
    apply: impl FnOnce(&mut Step<WritebackState>),
) {
    let Some(row) = record.writebacks.get_mut(id) else { return };
    let step = row.change();
    let before = step.state.name();
    apply(step);
    let numbers = match &step.state.phase {
        Phase::Written { tracking, .. } => numbers(tracking),
        Phase::Sent { draft, .. } | Phase::Verifying { draft, .. } => numbers(&draft.tracking),
        Phase::Pending => String::new(),
    };
    let mut event = HistoryEvent::moved(now, task, step_id(id), before, after);
    if !numbers.is_empty() {
        event = event.with_detail(numbers);
    }
    if let Some(failure) = step.last_failure.as_ref().filter(|failure| failure.at == now) {
        event = event.with_failure(failure);
    }
    record.log(event);
}

fn numbers(tracking: &[super::TrackingInfo]) -> String {
    tracking.iter().map(|info| info.number.as_str()).collect::<Vec<_>>().join(", ")
}

/// Settles a step that this worker owns, against all who write other rows of the same order.
async fn settled<L: Ledger, C, T, K>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &WritebackId,
    apply: impl Fn(&mut OrderRecord),
) -> Result<(), Unfinished> {
    let version = record.writebacks.get(id).map_or(0, Row::version);
    for _ in 0..MAX_SETTLES {
        apply(record);
        match job.ports.ledger.save(&mut [&mut *record]).await {
            Err(LedgerError::Conflict) => {
                let fresh = job.ports.ledger.load(&record.at).await?;
                if fresh.writebacks.get(id).map_or(0, Row::version) != version {
                    return Err(LedgerError::Conflict.into());
                }
                *record = fresh;
                job.reloaded.store(true, Ordering::Relaxed);
            }
            other => return Ok(other?),
        }
    }
    Err(LedgerError::Conflict.into())
}
