//! Labels that a label tool bought for an order, shown on that order.
//!
//! Each label's own step wakes it and counts its failures: the order is its own source, and its look
//! belongs to the push.

use super::{open, reopen_asked, voided, write_all};
use jiff::Timestamp;

use crate::channel::{Channel, ChannelError};
use crate::id::{OrderRef, ShipmentId};
use crate::look;
use crate::ports::{Clock, Ledger, Outbox, Ports, Registry};
use crate::record::{OrderRecord, Row};
use crate::step::{Step, WaitReason};
use crate::tags;
use crate::task::Task;
use crate::wall;
use crate::work::{Outcome, Unfinished};
use crate::writeback::job::{Job, publish_due};
use crate::writeback::plan::Terms;
use crate::writeback::shipment::Shipment;
use crate::writeback::{Phase, TrackingInfo, WritebackState};

/// `None`: something changed under us; start over.
pub(super) async fn pass<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    at: &OrderRef,
) -> Result<Option<Outcome>, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let now = ports.clock.now();
    let mut record = ports.ledger.load(at).await?;
    let shipments = of_labels(&record);
    let told = said(&shipments);
    let Some(shop) = ports.ledger.shop(&at.shop).await? else {
        return Ok(Some(Outcome::Done("the shop is not registered")));
    };
    // A label says itself whether the customer may be mailed.
    let terms = Terms::default_for(shop.locations);
    let job = Job::new(ports, task, at, terms, voided(&shipments));
    job.announce(&mut record, |_, step| step.is_announcement_overdue(now)).await?;
    publish_due(ports, &mut record).await?;
    reopen_asked(&mut record, task, now);
    let mut open = open(&record, shipments);
    open.retain(|shipment| !record.writebacks.get(&shipment.id).is_some_and(|row| row.get().is_resting(now)));
    if open.is_empty() {
        end_waits(&mut record, &[], now);
        ports.ledger.save(&mut [&mut record]).await?;
        tags::set_due(ports, &mut record, task).await?;
        return Ok(Some(outcome(&record)));
    }
    if shop.shop.paused.is_some() {
        let (until, why) = ports.waits.paused(now);
        rest(&mut record, &open, |step| step.wait(now, until, why));
        ports.ledger.save(&mut [&mut record]).await?;
        return Ok(Some(outcome(&record)));
    }
    let hidden = || wall::hidden(&shop.shop, at, record.placed_at()?, now);
    let shown = ports.channel.destination(at).await;
    let shown = match wall::unless_hidden(shown, hidden) {
        Ok(Some(shown)) => shown,
        Ok(None) => {
            rest(&mut record, &open, Step::give_up);
            ports.ledger.save(&mut [&mut record]).await?;
            return Ok(Some(Outcome::Done("the order is gone")));
        }
        Err(error) => return unread(&job, &mut record, &open, &error).await.map(Some),
    };
    write_all(&job, (None, &mut record), &open, shown).await?;
    if job.was_reloaded() {
        return Ok(None);
    }
    record = ports.ledger.load(at).await?;
    if said(&of_labels(&record)) != told {
        // A label tool said something else meanwhile, and left the call that was on its way alone.
        return Ok(None);
    }
    end_waits(&mut record, &open, now);
    ports.ledger.save(&mut [&mut record]).await?;
    tags::set_due(ports, &mut record, task).await?;
    Ok(Some(outcome(&record)))
}

fn of_labels(record: &OrderRecord) -> Vec<Shipment> {
    record.labels.iter().map(|(id, row)| Shipment::of_label(id, row.get())).collect()
}

/// What the label tools said, but for the lines, which are ours to decide.
fn said(shipments: &[Shipment]) -> Vec<(ShipmentId, bool, Vec<TrackingInfo>)> {
    shipments.iter().map(|it| (it.id.clone(), it.voided, it.tracking.clone())).collect()
}

/// What a label waited for is over, and it was looked at (`seen`) or leaves nothing to be done, or only for a
/// person: nothing is due.
fn end_waits(record: &mut OrderRecord, seen: &[Shipment], now: Timestamp) {
    let told_later = [WaitReason::Announcing, WaitReason::Publishing];
    for (shipment, row) in &mut record.writebacks {
        let step = row.get();
        let is_over = step.wait.as_ref().is_some_and(|wait| wait.until <= now && !told_later.contains(&wait.why));
        let idle = step.parked.is_some() || matches!(step.state.phase, Phase::Written { .. } | Phase::CalledOff { .. });
        let heard = shipment.is_label() && (idle || seen.iter().any(|it| it.id == *shipment));
        if is_over && heard {
            row.change().wait = None;
        }
    }
}

fn outcome(record: &OrderRecord) -> Outcome {
    let labels = record.writebacks.iter().filter(|(shipment, _)| shipment.looked_at_from(&record.at) == &record.at);
    look::outcome(labels.map(|(_, row)| row.get().into()), "the order shows its labels")
}

/// Those of `open` that the order is read for.
fn wanted<'a>(record: &OrderRecord, open: &'a [Shipment]) -> Vec<&'a Shipment> {
    let is_parked = |it: &Shipment| record.writebacks.get(&it.id).is_some_and(|row| row.get().parked.is_some());
    open.iter().filter(|it| !is_parked(it)).collect()
}

fn rest(record: &mut OrderRecord, open: &[Shipment], change: impl Fn(&mut Step<WritebackState>)) {
    for shipment in wanted(record, open) {
        record.writebacks.get_mut(&shipment.id).map(Row::change).into_iter().for_each(&change);
    }
}

/// The order could not be read: each label waits, or fails.
async fn unread<L: Ledger + Registry, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    open: &[Shipment],
    error: &ChannelError,
) -> Result<Outcome, Unfinished> {
    let now = job.now();
    if let Some((until, why)) = look::hold_back(job.ports, &record.at, error, now).await? {
        rest(record, open, |step| step.wait(now, until, why));
        job.ports.ledger.save(&mut [&mut *record]).await?;
        return Ok(outcome(record));
    }
    for shipment in wanted(record, open) {
        job.fail(record, &shipment.id, look::failure(error, now), None, |_| {}).await?;
    }
    tags::set_due(job.ports, record, job.task).await?;
    Ok(outcome(record))
}
