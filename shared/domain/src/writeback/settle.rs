//! How a writeback ends, for now: written, called off, waiting, failed, or in doubt.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::job::{Job, stays_parked, written_event};
use super::plan::{WritebackCall, plain, same_numbers, shows};
use super::shipment::{Lines, Shipment};
use super::{Phase, WritebackState};
use crate::channel::{Channel, ChannelError, DestinationOrder, ShownFulfillment};
use crate::code::Code;
use crate::id::{FulfillmentId, ShipmentId};
use crate::look::{failure, hold_back};
use crate::ports::{Clock, Ledger, Outbox, after};
use crate::record::OrderRecord;
use crate::settings::Waits;
use crate::step::{Failure, Step, WaitReason};
use crate::work::Unfinished;

/// The destination shows it, in memory. Published before that is final: should the worker die in between, it
/// is published again.
pub(super) async fn written<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    shipment: &Shipment,
    there: &[FulfillmentId],
    now: Timestamp,
) {
    let published = publish(job, record, shipment, there, now).await;
    show(job, record, shipment, (there, published), now);
}

/// The same, settled against other writers.
pub(super) async fn written_durably<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    shipment: &Shipment,
    there: &[FulfillmentId],
    now: Timestamp,
) -> Result<(), Unfinished> {
    let published = publish(job, record, shipment, there, now).await;
    job.settle(record, &shipment.id, |record| show(job, record, shipment, (there, published), now)).await
}

async fn publish<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &OrderRecord,
    shipment: &Shipment,
    there: &[FulfillmentId],
    now: Timestamp,
) -> bool {
    let mut state = WritebackState::pending();
    state.phase = shown_phase(shipment, now);
    state.written = there.to_vec();
    match written_event(record, &shipment.id, &state) {
        Some(event) => job.ports.tasks.publish(&event).await.is_ok(),
        None => true,
    }
}

fn shown_phase(shipment: &Shipment, now: Timestamp) -> Phase {
    Phase::Written { tracking: shipment.tracking_for_shopify(), at: now }
}

fn show<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    shipment: &Shipment,
    (there, published): (&[FulfillmentId], bool),
    now: Timestamp,
) {
    job.change(record, &shipment.id, now, "written", |step| {
        let phase = shown_phase(shipment, now);
        step.succeed(step.state.found(phase, there.to_vec()));
        step.published(published, now, after(now, job.ports.waits.retry_base));
    });
    // What it took over is no more another's.
    let taken = |state: &WritebackState| state.written.iter().any(|fulfillment| there.contains(fulfillment));
    let others = record.writebacks.iter().filter(|(id, row)| **id != shipment.id && taken(&row.get().state));
    let others: Vec<ShipmentId> = others.map(|(id, _)| id.clone()).collect();
    for id in others {
        if let Some(row) = record.writebacks.get_mut(&id) {
            row.change().state.written.retain(|fulfillment| !there.contains(fulfillment));
            match row.get().state.written.is_empty() {
                true if job.is_voided(record, &id) => called_off(job, record, &id, now),
                // It stands, and is shown no more: it is looked at anew.
                true => job.change(record, &id, now, "pending", |step| {
                    step.state.phase = Phase::Pending;
                    step.wait(now, now, WaitReason::OtherStep);
                }),
                false => {}
            }
        }
    }
}

/// The shipment was called off, and nothing of it is shown. A row that was never saved is not kept either.
pub(super) fn called_off<L: Ledger, C, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &ShipmentId,
    now: Timestamp,
) {
    let Some(row) = record.writebacks.get(id) else { return };
    if row.version() == 0 {
        record.writebacks.remove(id);
        return;
    }
    if matches!(row.get().state.phase, Phase::CalledOff { .. }) && row.get().wait.is_none() {
        // Its replacement said so just now.
        return;
    }
    job.change(record, id, now, "called-off", |step| {
        let phase = Phase::CalledOff { at: now };
        step.succeed(step.state.found(phase, Vec::new()));
    });
}

/// What is shown of a shipment that was called off is known as its own, so that another can take it over.
pub(super) fn keep_standing(record: &mut OrderRecord, id: &ShipmentId, standing: &[FulfillmentId]) {
    if let Some(row) = record.writebacks.get_mut(id)
        && row.get().state.written != standing
    {
        row.change().state.written = standing.to_vec();
    }
}

/// There is nothing to write. A row that was never saved is not kept either.
pub(super) fn forget<L: Ledger, C, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &ShipmentId,
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

/// A source store and a label tool both told of the parcel, and one of them took it back: what the customer sees is
/// the other's. Whether there is another.
pub(super) fn leave_to_its_other_half(
    record: &mut OrderRecord,
    shipment: &Shipment,
    standing: &[FulfillmentId],
) -> bool {
    let other_half = record.writebacks.iter_mut().find(|(id, row)| {
        let state = &row.get().state;
        let shows_it =
            matches!(&state.phase, Phase::Written { tracking, .. } if same_numbers(tracking, &shipment.tracking));
        id.is_label() != shipment.id.is_label() && shows_it && state.written.is_empty()
    });
    match other_half {
        Some((_, row)) => {
            row.change().state.written = standing.to_vec();
            true
        }
        None => false,
    }
}

/// The world has to change first: looks again after a while, and parks once that took too long.
pub(super) async fn wait<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &ShipmentId,
    why: WaitReason,
    inputs: String,
) -> Result<(), Unfinished> {
    let now = job.now();
    let Patience { interval, patience, code, message } = Patience::of(why, &job.ports.waits);
    let failure = Failure { at: now, code, message: message.into(), request_id: None };
    if stays_parked(record, id, &failure, Some(&inputs)) {
        return Ok(());
    }
    if record.writebacks.get(id).is_some_and(|row| row.get().parked.is_some()) {
        // Parked over something else before.
        job.change(record, id, now, "reopened", Step::reopen);
    }
    let Some(row) = record.writebacks.get(id) else { return Ok(()) };
    let since = row.get().waiting_since(why, now);
    if now >= after(since, patience) {
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

/// How long a shipment waits for the world.
struct Patience {
    /// Between two looks: a webhook mostly comes first.
    interval: Duration,
    /// After that a person is told.
    patience: Duration,
    code: Code,
    message: &'static str,
}

impl Patience {
    fn of(why: WaitReason, waits: &Waits) -> Self {
        let a_day = waits.awaiting_tracking;
        let (interval, patience, code, message) = match why {
            WaitReason::AwaitingTracking => {
                (a_day, a_day, Code::AwaitingTracking, "shipped, but still without a tracking number")
            }
            // An order without fulfillment orders for so long was not just placed: the app may not see them.
            WaitReason::Routing => (
                waits.retry_base,
                Duration::from_secs(3600),
                Code::AccessDenied,
                "the order shows no fulfillment orders: does the app have their scopes?",
            ),
            WaitReason::Replacement => (
                a_day,
                a_day,
                Code::ShipmentCancelled,
                "called off where it was shipped, but still shown to the customer: cancel the fulfillment, or ship again",
            ),
            // A hold lasts as long as its merchant wants.
            _ => (a_day, Duration::MAX, Code::OnHold, "on hold for too long"),
        };
        Self { interval, patience, code, message }
    }
}

/// What a call in doubt left to be seen is the step's own, even if the shipment has another number by now.
pub(super) fn recognise(record: &mut OrderRecord, shipment: &Shipment, shown: &DestinationOrder) {
    let doubt = record.writebacks.get(&shipment.id).and_then(|row| row.get().state.in_doubt().cloned());
    let (Some(WritebackCall::Create(draft)), Lines::These(lines)) = (doubt, &shipment.lines) else { return };
    let known: BTreeSet<FulfillmentId> =
        record.writebacks.values().flat_map(|row| row.get().state.written.iter().copied()).collect();
    let is_its_own = |shown: &&ShownFulfillment| {
        let fits = shown.lines.iter().all(|(line, n)| lines.iter().any(|(own, most)| own == line && most >= n));
        let free = shown.state.is_live() && !known.contains(&shown.id);
        free && fits && same_numbers(&shown.tracking, &draft.tracking)
    };
    let landed: Vec<FulfillmentId> = shown.fulfillments.iter().filter(is_its_own).map(|shown| shown.id).collect();
    if let Some(row) = record.writebacks.get_mut(&shipment.id).filter(|_| !landed.is_empty()) {
        let state = &mut row.change().state;
        state.phase = Phase::Pending;
        state.written.extend(landed);
    }
}

/// A call that was in doubt had no effect: it is not to be seen. Returns how many such rounds there were,
/// if there was a doubt. The mail of a number that the customer sees by another part stays counted.
pub(super) fn absent(record: &mut OrderRecord, id: &ShipmentId, shown: &DestinationOrder) -> Option<u32> {
    let row = record.writebacks.get_mut(id)?;
    let call = row.get().state.in_doubt()?.clone();
    let state = &mut row.change().state;
    if call.notifies() {
        let of_call = |number: &String| call.tracking().iter().any(|info| plain(&info.number) == *number);
        state.mailed.retain(|number| shows(shown, number) || !of_call(number));
    }
    state.phase = Phase::Pending;
    state.unknown_rounds += 1;
    Some(state.unknown_rounds)
}

/// The call did nothing, for sure: nobody was mailed by it.
pub(super) async fn not_sent<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &ShipmentId,
    (done, marked): (&[FulfillmentId], &[String]),
    error: &ChannelError,
    inputs: String,
) -> Result<(), Unfinished> {
    let now = job.now();
    let unmark = |step: &mut Step<WritebackState>| {
        step.state.phase = Phase::Pending;
        step.state.written = done.to_vec();
        step.state.mailed.retain(|number| !marked.contains(number));
    };
    if let Some((until, why)) = hold_back(job.ports, job.destination_at, error, now).await? {
        return job
            .settle(record, id, |record| {
                job.change(record, id, now, why.name(), |step| {
                    unmark(step);
                    step.wait(now, until, why);
                });
            })
            .await;
    }
    job.fail(record, id, failure(error, now), Some(inputs), unmark).await
}

/// The call may have done something: what, shows after the quarantine.
pub(super) async fn unanswered<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    id: &ShipmentId,
    (call, sent_at): (&WritebackCall, Timestamp),
    error: &ChannelError,
) -> Result<(), Unfinished> {
    let now = job.now();
    let until = after(sent_at, job.ports.waits.quarantine);
    let failure = failure(error, now);
    job.settle(record, id, |record| {
        job.change(record, id, now, "verifying", |step| {
            step.state.phase = Phase::Verifying { call: call.clone(), sent_at };
            step.first_failure.get_or_insert_with(|| failure.clone());
            step.last_failure = Some(failure.clone());
            step.wait(now, until, WaitReason::Verifying);
        });
    })
    .await
}
