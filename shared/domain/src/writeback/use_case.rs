//! One pass over one order: read what was shipped, read what the customer sees, write the rest.
//!
//! What was shipped comes from a source store, if the order was pushed there ([`source`]), and from label
//! tools, if they named the order ([`labels`]). The two have the middle part in common.

mod labels;
mod source;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::job::{Job, step_id};
use super::plan::same_numbers;
use super::protocol::{self, Seen, Sight, inputs};
use super::shipment::Shipment;
use super::{Phase, WritebackState};
use crate::channel::{Channel, DestinationOrder};
use crate::history::HistoryEvent;
use crate::id::{OrderRef, ShipmentId};
use crate::look::is_redrive_of;
use crate::ports::{Clock, Ledger, LedgerError, Outbox, Ports, Registry};
use crate::record::{OrderRecord, Origin, Row};
use crate::step::{Look, Step, StepId, WaitReason};
use crate::sync;
use crate::tags;
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::{MAX_PASSES, Outcome, Unfinished};

/// Shipments saved at once: their rows and history must fit one transaction of 100 items.
const MAX_AT_ONCE: usize = 20;

/// Brings the fulfillments of a destination order up to date with what was shipped of it: the task names
/// the source order that was pushed from it, or, for labels, the destination order itself.
///
/// Four Shopify calls and six ledger calls for a plain shipment: read both records and the shop, both
/// orders; claim; create; re-read; settle; look once more.
///
/// # Errors
/// Only if how it ended could not be written down; the message must then be delivered again.
pub async fn write_back<L, C, T, K>(ports: &Ports<L, C, T, K>, task: &Task) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let Subject::Order(at) = &task.subject else {
        return Ok(Outcome::Done("not about an order"));
    };
    let mut sync_asked = false;
    for _ in 0..MAX_PASSES {
        match pass(ports, task, at, &mut sync_asked).await {
            Ok(Some(outcome)) => {
                if sync_asked {
                    sync::answer(ports, at, Look::Shipments, &outcome).await?;
                }
                return Ok(outcome);
            }
            Ok(None) | Err(Unfinished::Ledger(LedgerError::Conflict)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(LedgerError::Conflict.into())
}

/// `None`: something was left alone or changed under us; start over. `sync_asked`: whether somebody waits for it.
async fn pass<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    at: &OrderRef,
    sync_asked: &mut bool,
) -> Result<Option<Outcome>, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let record = ports.ledger.load(at).await?;
    *sync_asked = record.open_sync().is_some();
    let has_labels = !record.labels.is_empty();
    match record.origin.as_ref().map(Row::get).cloned() {
        Some(Origin::Pushed { destination, .. }) => {
            let of_source = source::pass(ports, task, record, &destination).await?;
            if !has_labels {
                return Ok(of_source);
            }
            let of_labels = labels::pass(ports, task, at).await?;
            Ok(of_source.zip(of_labels).map(|(one, other)| one.or_worse(other)))
        }
        _ if has_labels => {
            let of_labels = labels::pass(ports, task, at).await?;
            // The order's own fulfillments have changed: what else waits for that is woken there.
            if let (Some(_), Trigger::Webhook, Some(task)) = (&of_labels, task.trigger, task.handed_on()) {
                ports.tasks.send(Queue::OrderPush, &task).await?;
            }
            Ok(of_labels)
        }
        _ => source::unclaimed(ports, task, record).await.map(Some),
    }
}

/// Writes each open shipment. Says whether any call was made.
async fn write_all<L, C, T, K>(
    job: &Job<'_, L, C, T, K>,
    (mut source, record): (Option<&mut OrderRecord>, &mut OrderRecord),
    open: &[Shipment],
    mut shown: DestinationOrder,
) -> Result<bool, Unfinished>
where
    L: Ledger,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let mut acted = false;
    for (n, shipment) in open.iter().enumerate() {
        let now = job.now();
        if n > 0 && n % MAX_AT_ONCE == 0 {
            job.save(source.as_deref_mut(), record).await?;
        }
        if let Some(step) = record.writebacks.get_mut(&shipment.id).filter(|row| row.get().is_resting(now)) {
            if let Some(source) = source.as_deref_mut() {
                leave_alone(source, step, now, job.task);
            }
            continue;
        }
        if let Some(other) = in_flight_beside(record, job.destination_at, shipment, now) {
            stand_back(source.as_deref_mut(), record, (&shipment.id, &other), now, job.task);
            continue;
        }
        record.writebacks.entry(shipment.id.clone()).or_insert_with(|| Row::new(Step::new(WritebackState::pending())));
        let inputs = inputs(job, record, &Seen { shipment, shown: &shown });
        if !record.writebacks.get(&shipment.id).is_some_and(|row| row.get().is_open_to(&inputs)) {
            continue;
        }
        let seen = Seen { shipment, shown: &shown };
        match protocol::carry_out(job, (source.as_deref_mut(), record), seen, inputs).await? {
            Sight::Same => {}
            Sight::Fresh(fresh) => {
                shown = fresh;
                acted = true;
            }
            Sight::Lost => {
                acted = true;
                come_back((source.as_deref_mut(), record), &shipment.id, &open[n + 1..], now);
                break;
            }
        }
    }
    job.save(source, record).await?;
    Ok(acted)
}

/// A person asked for a parked step to be tried again.
fn reopen_asked(record: &mut OrderRecord, task: &Task, now: Timestamp) {
    for (id, row) in &mut record.writebacks {
        let step = row.get();
        if step.parked.is_some() && is_redrive_of(task, &step_id(id), step.generation) {
            row.change().reopen();
        }
    }
    tags::note(record, now);
}

/// The other shipments are looked at when it is known what became of this one.
fn come_back(
    (source, record): (Option<&mut OrderRecord>, &mut OrderRecord),
    id: &ShipmentId,
    others: &[Shipment],
    now: Timestamp,
) {
    let until = record.writebacks.get(id).and_then(|row| row.get().wait.as_ref()).map_or(now, |wait| wait.until);
    if others.is_empty() {
        return;
    }
    match source {
        Some(source) => {
            source.look_at_shipments.change().wait(now, until, WaitReason::OtherStep);
        }
        // A label's own step wakes it.
        None => {
            for other in others {
                if let Some(row) = record.writebacks.get_mut(&other.id)
                    && row.get().parked.is_none()
                {
                    row.change().wait(now, until, WaitReason::OtherStep);
                }
            }
            tags::note(record, now);
        }
    }
}

/// Another shipment's call that may be on its way: what it shows cannot be told yet from what this one shows,
/// if both were sent under one number, or are looked at together.
fn in_flight_beside(
    record: &OrderRecord,
    destination_at: &OrderRef,
    shipment: &Shipment,
    now: Timestamp,
) -> Option<ShipmentId> {
    let looked_at_from = shipment.id.looked_at_from(destination_at);
    let mut others = record.writebacks.iter().filter(|(id, row)| {
        let call = row.get().state.in_doubt().filter(|_| **id != shipment.id && row.get().is_resting(now));
        let together = id.looked_at_from(destination_at) == looked_at_from;
        call.is_some_and(|call| together || same_numbers(call.tracking(), &shipment.tracking))
    });
    others.next().map(|(id, _)| id.clone())
}

/// A shipment is looked at when it is known what became of the `other` one.
fn stand_back(
    source: Option<&mut OrderRecord>,
    record: &mut OrderRecord,
    (id, other): (&ShipmentId, &ShipmentId),
    now: Timestamp,
    task: &Task,
) {
    let Some(row) = record.writebacks.get_mut(other) else { return };
    match source {
        Some(source) => leave_alone(source, row, now, task),
        None => {
            row.hold();
            let until = row.get().wait.as_ref().map_or(now, |wait| wait.until);
            if let Some(row) = record.writebacks.get_mut(id).filter(|row| row.get().parked.is_none()) {
                row.change().wait(now, until, WaitReason::OtherStep);
            }
        }
    }
}

/// The step is somebody else's, or rests: valid only while it is as we saw it. Whoever settles it looks
/// at the source order again; if nobody does, due work does.
fn leave_alone(source: &mut OrderRecord, step: &mut Row<Step<WritebackState>>, now: Timestamp, task: &Task) {
    let Some(wait) = step.get().wait.clone() else { return };
    let in_flight = step.get().state.in_doubt().is_some();
    let already = source.look_at_shipments.get().wait.as_ref().is_some_and(|look| look.until >= wait.until);
    if in_flight && !already {
        step.hold();
        source.look_at_shipments.change().wait(now, wait.until, WaitReason::OtherStep);
        source.log(HistoryEvent::moved(
            now,
            task,
            StepId::Look(Look::Shipments),
            "looking",
            "left to the step in flight",
        ));
    }
}

/// Those of `shipments` that the ledger does not know to be as they should. First those whose call is in doubt:
/// what it did under a number must be known before another is made under it. Last those that were called off:
/// others may take over what was written for them.
fn open(record: &OrderRecord, shipments: Vec<Shipment>) -> Vec<Shipment> {
    let in_doubt = |shipment: &Shipment| {
        record.writebacks.get(&shipment.id).is_some_and(|row| row.get().state.in_doubt().is_some())
    };
    let mut open: Vec<Shipment> = shipments.into_iter().filter(|shipment| !is_settled(record, shipment)).collect();
    open.sort_by_key(|shipment| (!in_doubt(shipment), shipment.voided));
    open
}

/// Whether the ledger says that the destination shows exactly this, and nothing else is open about it: what a
/// step is parked over or waits for may be gone when a change is taken back.
fn is_settled(record: &OrderRecord, shipment: &Shipment) -> bool {
    let Some(step) = record.writebacks.get(&shipment.id).map(Row::get) else { return shipment.voided };
    let waits = step.wait.as_ref().is_some_and(|wait| !wait.why.is_heard_later());
    let as_it_should = match &step.state.phase {
        Phase::CalledOff { .. } => shipment.voided,
        Phase::Written { tracking, .. } => !shipment.voided && *tracking == shipment.tracking_for_shopify(),
        Phase::Pending | Phase::Sent { .. } | Phase::Verifying { .. } => false,
    };
    as_it_should && step.parked.is_none() && !waits && !step.state.unseen
}

fn voided(shipments: &[Shipment]) -> BTreeSet<ShipmentId> {
    shipments.iter().filter(|shipment| shipment.voided).map(|shipment| shipment.id.clone()).collect()
}
