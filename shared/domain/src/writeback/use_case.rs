//! One pass over one source order: read what was shipped, read what the customer sees, write the rest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::plan::TrackingInfo;
use super::protocol::Sight;
use super::{Phase, WritebackState, protocol};
use crate::channel::{Channel, DestinationOrder, ShippedFulfillment};
use crate::history::HistoryEvent;
use crate::id::{FulfillmentId, OrderRef};
use crate::look;
use crate::ports::{Clock, Ledger, LedgerError, Ports, Registry, Tasks, after};
use crate::record::{LookState, OrderRecord, Origin, Row};
use crate::step::{Step, WaitReason};
use crate::task::{Queue, Subject, Task};
use crate::work::{Outcome, Unfinished};

/// How often a pass starts over because somebody else wrote first, before the message goes back.
const MAX_PASSES: usize = 8;
/// How long it is remembered that an order was shipped which no push is known to have made. A push
/// settles within minutes.
const UNCLAIMED_TTL: Duration = Duration::from_secs(24 * 3600);

/// Brings the fulfillments of a destination order up to date with what its source order shipped.
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
    T: Tasks,
    K: Clock,
{
    let Subject::Order(source) = &task.subject else {
        return Ok(Outcome::Done("not about an order"));
    };
    for _ in 0..MAX_PASSES {
        match pass(ports, task, source).await {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) | Err(Unfinished::Ledger(LedgerError::Conflict)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(LedgerError::Conflict.into())
}

/// `None`: something was left alone or changed under us; start over.
async fn pass<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    source_at: &OrderRef,
) -> Result<Option<Outcome>, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Tasks,
    K: Clock,
{
    let mut source = ports.ledger.load(source_at).await?;
    let Some(Origin::Pushed { destination, .. }) = source.origin.as_ref().map(Row::get).cloned() else {
        return unclaimed(ports, task, &mut source).await.map(Some);
    };
    let now = ports.clock.now();
    if source.look.get().is_announcement_overdue(now) {
        look::announce_look(ports, &mut source).await?;
    }
    if let Some(outcome) = look::barred(&mut source, task, now) {
        return Ok(Some(outcome));
    }
    let shipped = match ports.channel.shipped(source_at).await {
        Ok(Some(shipped)) => shipped,
        Ok(None) => return Ok(Some(Outcome::Done("the source order is gone"))),
        Err(error) => return look::failed(ports, &mut source, Queue::TrackingWriteback, task, &error).await.map(Some),
    };
    let mut record = ports.ledger.load(&destination).await?;
    protocol::announce_parked(ports, &mut record, |_, step| step.is_announcement_overdue(now)).await?;
    let open: Vec<&ShippedFulfillment> =
        shipped.fulfillments.iter().filter(|f| !is_settled(&record, source_at, f)).collect();
    if open.is_empty() {
        look::seen(&mut source);
        ports.ledger.save(&mut [&mut source]).await?;
        return Ok(Some(Outcome::Done("nothing new was shipped")));
    }
    let shown = match ports.channel.destination(&destination).await {
        Ok(Some(shown)) => shown,
        Ok(None) => return Ok(Some(Outcome::Done("the destination order is gone"))),
        Err(error) => return look::failed(ports, &mut source, Queue::TrackingWriteback, task, &error).await.map(Some),
    };
    look::seen(&mut source);
    let notify = notifies(ports, &destination, source_at).await?;
    let reloaded = AtomicBool::new(false);
    let job = protocol::Job { ports, task, source_at, destination_at: &destination, notify, reloaded };
    let acted = write_all(&job, &mut source, &mut record, &open, shown).await?;
    let outcome = look::outcome(
        record.writebacks.iter().filter(|((order, _), _)| order == source_at).map(|(_, row)| row.get().into()),
        "the destination shows what was shipped",
    );
    if job.reloaded.load(Ordering::Relaxed) {
        return Ok(None);
    }
    if !acted {
        return Ok(Some(outcome));
    }
    // A step settled: look once more, so that whatever was left alone meanwhile is seen.
    let source = ports.ledger.load(source_at).await?;
    let now = ports.clock.now();
    let wait = source.look.get().wait.as_ref().filter(|wait| wait.why == WaitReason::OtherStep);
    let in_flight = record.writebacks.values().any(|row| row.get().is_resting(now));
    let left_alone = wait.is_some() && !in_flight;
    Ok((!left_alone).then_some(outcome))
}

/// Writes each open fulfillment. Says whether any call was made.
async fn write_all<L, C, T, K>(
    job: &protocol::Job<'_, L, C, T, K>,
    source: &mut OrderRecord,
    record: &mut OrderRecord,
    open: &[&ShippedFulfillment],
    mut shown: DestinationOrder,
) -> Result<bool, Unfinished>
where
    L: Ledger,
    C: Channel,
    T: Tasks,
    K: Clock,
{
    let mut acted = false;
    for (n, fulfillment) in open.iter().enumerate() {
        let id = (job.source_at.clone(), fulfillment.id);
        let now = job.ports.clock.now();
        let step =
            record.writebacks.entry(id.clone()).or_insert_with(|| Row::new(Step::new(WritebackState::pending())));
        if step.get().is_resting(now) {
            leave_alone(source, step, now, job.task);
            continue;
        }
        let step = step.get();
        if !step.is_open_to(&inputs(fulfillment, &shown)) {
            continue;
        }
        let inputs = inputs(fulfillment, &shown);
        match protocol::carry_out(job, source, record, &id, fulfillment, &shown, inputs).await? {
            Sight::Same => {}
            Sight::Fresh(fresh) => {
                shown = fresh;
                acted = true;
            }
            Sight::Lost => {
                acted = true;
                if n + 1 < open.len() {
                    come_back(source, record, &id, now);
                }
                break;
            }
        }
    }
    job.ports.ledger.save(&mut [record, source]).await?;
    Ok(acted)
}

/// By what a writeback is decided: another shipment or another state of the destination order may go
/// through where this one could not.
fn inputs(shipped: &ShippedFulfillment, shown: &DestinationOrder) -> String {
    let tracking = shipped.tracking.iter().map(|info| {
        let field = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{}|{}|{}", field(&info.company), info.number, field(&info.url))
    });
    format!("{};{}", shown.updated_at, tracking.collect::<Vec<_>>().join(";"))
}

/// The other fulfillments are looked at when it is known what became of this one.
fn come_back(source: &mut OrderRecord, record: &OrderRecord, id: &(OrderRef, FulfillmentId), now: Timestamp) {
    let until = record.writebacks.get(id).and_then(|row| row.get().wait.as_ref()).map_or(now, |wait| wait.until);
    let look = source.look.change();
    look.state = LookState { queue: Queue::TrackingWriteback };
    look.wait_until(until, WaitReason::OtherStep);
}

/// The step is somebody else's, or rests: valid only while it is as we saw it. Whoever settles it looks
/// at the source order again; if nobody does, due work does.
fn leave_alone(source: &mut OrderRecord, step: &mut Row<Step<WritebackState>>, now: Timestamp, task: &Task) {
    let Some(wait) = step.get().wait.clone() else { return };
    let in_flight = matches!(step.get().state.phase, Phase::Sent { .. });
    let already = source.look.get().wait.as_ref().is_some_and(|look| look.until >= wait.until);
    if in_flight && !already {
        step.hold();
        let look = source.look.change();
        look.state = LookState { queue: Queue::TrackingWriteback };
        look.wait_until(wait.until, WaitReason::OtherStep);
        source.log(HistoryEvent::moved(now, task, "look", "looking", "left to the step in flight"));
    }
}

/// Whether the ledger says that the destination shows exactly this.
fn is_settled(record: &OrderRecord, source_at: &OrderRef, shipped: &ShippedFulfillment) -> bool {
    let step = record.writebacks.get(&(source_at.clone(), shipped.id)).map(Row::get);
    step.is_some_and(|step| match &step.state.phase {
        Phase::Written { tracking, .. } => numbers(tracking) == numbers(&shipped.tracking),
        Phase::Pending | Phase::Sent { .. } | Phase::Verifying { .. } => false,
    })
}

fn numbers(tracking: &[TrackingInfo]) -> Vec<&str> {
    tracking.iter().map(|info| info.number.as_str()).collect()
}

/// Something was shipped of an order that no push is known to have made. If this shop is a source, a
/// push may be about to say that it made it: leave word. If it is a destination, the shipment is its own.
async fn unclaimed<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    source: &mut OrderRecord,
) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    T: Tasks,
    K: Clock,
{
    let Some(shop) = ports.ledger.shop(&source.at.shop).await? else {
        return Ok(Outcome::Done("the shop is not registered"));
    };
    if !shop.inbound.is_empty() && source.origin.is_none() && source.summary.is_none() {
        let now = ports.clock.now();
        source.origin = Some(Row::new(Origin::Unclaimed { seen_at: now, expires_at: after(now, UNCLAIMED_TTL) }));
        ports.ledger.save(&mut [&mut *source]).await?;
    }
    if shop.outbound.is_empty() {
        return Ok(Outcome::Done("not pushed by us, so far"));
    }
    match task.handed_on() {
        Some(task) => {
            ports.tasks.send(Queue::OrderPush, &task).await?;
            Ok(Outcome::Done("a destination order: handed on"))
        }
        None => Ok(Outcome::Done("handed on before: nobody's")),
    }
}

/// Whether the connection lets the destination shop mail its customers about tracking.
async fn notifies<L: Registry, C, T, K>(
    ports: &Ports<L, C, T, K>,
    destination: &OrderRef,
    source: &OrderRef,
) -> Result<bool, Unfinished> {
    let shop = ports.ledger.shop(&destination.shop).await?;
    let connection = shop.iter().flat_map(|shop| &shop.outbound).find(|connection| connection.source == source.shop);
    Ok(connection.is_some_and(|connection| connection.settings.notify_customer))
}
