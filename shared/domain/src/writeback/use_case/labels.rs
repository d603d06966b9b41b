//! Labels that a label tool bought for an order, shown on that order.
//!
//! Each label's own step wakes it and counts its failures: the order is its own source, and its look
//! belongs to the push.

use super::{MAX_AT_ONCE, open, reopen_asked, voided, write_all};
use jiff::Timestamp;

use crate::channel::{Channel, ChannelError};
use crate::id::{OrderRef, ShipmentId};
use crate::look;
use crate::ports::{Clock, Ledger, Outbox, Ports, Registry, after};
use crate::record::{OrderRecord, Row};
use crate::step::WaitReason;
use crate::tags;
use crate::task::Task;
use crate::work::{Outcome, Unfinished};
use crate::writeback::Phase;
use crate::writeback::job::Job;
use crate::writeback::plan::Terms;
use crate::writeback::shipment::Shipment;

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
    let shipments: Vec<Shipment> = record.labels.iter().map(|(id, row)| Shipment::of_label(id, row.get())).collect();
    let Some(shop) = ports.ledger.shop(&at.shop).await? else {
        return Ok(Some(Outcome::Done("the shop is not registered")));
    };
    // A label says itself whether the customer may be mailed.
    let terms = Terms::default_for(shop.locations);
    let job = Job::new(ports, task, at, terms, voided(&shipments));
    job.announce(&mut record, |_, step| step.is_announcement_overdue(now)).await?;
    job.publish_due(&mut record).await?;
    reopen_asked(&mut record, task);
    let mut open = open(&record, shipments);
    open.retain(|shipment| !record.writebacks.get(&shipment.id).is_some_and(|row| row.get().is_resting(now)));
    if open.is_empty() {
        end_requests(&mut record, &[], now);
        ports.ledger.save(&mut [&mut record]).await?;
        tags::set_due(ports, &mut record, task).await?;
        return Ok(Some(outcome(&record)));
    }
    if shop.shop.paused.is_some() {
        rest(&mut record, &open, |step| {
            step.wait(now, after(now, ports.waits.paused_recheck()), WaitReason::ShopPaused)
        });
        ports.ledger.save(&mut [&mut record]).await?;
        return Ok(Some(outcome(&record)));
    }
    let shown = match ports.channel.destination(at).await {
        Ok(Some(shown)) => shown,
        Ok(None) => {
            rest(&mut record, &open, |step| step.wait = None);
            ports.ledger.save(&mut [&mut record]).await?;
            return Ok(Some(Outcome::Done("the order is gone")));
        }
        Err(error) => return unread(&job, &mut record, &open, &error).await.map(Some),
    };
    let now_open = &open[..open.len().min(MAX_AT_ONCE)];
    let acted = write_all(&job, (None, &mut record), now_open, shown).await?;
    if job.was_reloaded() || now_open.len() < open.len() {
        return Ok(None);
    }
    if acted {
        record = ports.ledger.load(at).await?;
    }
    end_requests(&mut record, now_open, now);
    ports.ledger.save(&mut [&mut record]).await?;
    tags::set_due(ports, &mut record, task).await?;
    Ok(Some(outcome(&record)))
}

/// Who asked for a label was heard: where that left nothing to be done, or only for a person, nothing is due.
fn end_requests(record: &mut OrderRecord, seen: &[Shipment], now: Timestamp) {
    for (shipment, row) in &mut record.writebacks {
        let step = row.get();
        let asked = step.wait.as_ref().is_some_and(|wait| wait.why == WaitReason::Requested && wait.until <= now);
        let idle = step.parked.is_some() || !matches!(step.state.phase, Phase::Pending);
        let heard = matches!(shipment, ShipmentId::Label(_)) && (idle || seen.iter().any(|it| it.id == *shipment));
        if asked && heard {
            row.change().wait = None;
        }
    }
}

fn outcome(record: &OrderRecord) -> Outcome {
    let labels = record.writebacks.iter().filter(|(shipment, _)| shipment.looked_at_from(&record.at) == &record.at);
    look::outcome(labels.map(|(_, row)| row.get().into()), "the order shows its labels")
}

fn rest(
    record: &mut OrderRecord,
    open: &[Shipment],
    change: impl Fn(&mut crate::step::Step<crate::writeback::WritebackState>),
) {
    for shipment in open {
        record.writebacks.get_mut(&shipment.id).map(Row::change).into_iter().for_each(&change);
    }
}

/// The order could not be read: each label waits, or fails.
async fn unread<L: Ledger, C: Channel, T: Outbox, K: Clock>(
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
    for shipment in open {
        job.fail(record, &shipment.id, look::failure(error, now), None, |_| {}).await?;
    }
    tags::set_due(job.ports, record, job.task).await?;
    Ok(outcome(record))
}
