//! One pass over one source order: read what was shipped, read what the customer sees, write the rest.

use std::time::Duration;

use jiff::Timestamp;

use super::job::{Job, WritebackId, step_id};
use super::protocol::{self, Sight};
use super::{Phase, TrackingInfo, WritebackState};
use crate::channel::{Channel, DestinationOrder, ShippedFulfillment};
use crate::history::HistoryEvent;
use crate::id::OrderRef;
use crate::look::{self, is_redrive_of};
use crate::ports::{Clock, Ledger, LedgerError, Ports, Registry, Tasks, after};
use crate::record::{LookState, OrderRecord, Origin, Row};
use crate::step::{Step, WaitReason};
use crate::task::{Queue, Subject, Task};
use crate::work::{Outcome, Unfinished};

/// How often a pass starts over because somebody else wrote first, before the message goes back.
const MAX_PASSES: usize = 8;
/// Fulfillments written in one pass: their rows and history must fit one transaction of 100 items.
const MAX_AT_ONCE: usize = 20;
/// How long it is remembered that an order was shipped which no push is known to have made. A push that
/// is confirmed later than that wakes the writeback by itself.
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
        if matches!(outcome, Outcome::Park { .. }) {
            end_waits(ports, &destination, source_at).await?;
        }
        return Ok(Some(outcome));
    }
    let shipped = match ports.channel.shipped(source_at).await {
        Ok(Some(shipped)) => shipped,
        Ok(None) => return gone(ports, &mut source, &destination, "the source order is gone").await.map(Some),
        Err(error) => return look::failed(ports, &mut source, Queue::TrackingWriteback, task, &error).await.map(Some),
    };
    let mut record = ports.ledger.load(&destination).await?;
    let notify = notifies(ports, &destination, source_at).await?;
    let job = Job::new(ports, task, source_at, &destination, notify);
    job.announce(&mut record, |_, step| step.is_announcement_overdue(now)).await?;
    reopen_asked(&mut record, task);
    let open: Vec<&ShippedFulfillment> =
        shipped.fulfillments.iter().filter(|f| !is_settled(&record, source_at, f)).collect();
    if open.is_empty() {
        look::seen(&mut source);
        ports.ledger.save(&mut [&mut source, &mut record]).await?;
        return Ok(Some(Outcome::Done("nothing new was shipped")));
    }
    let shown = match ports.channel.destination(&destination).await {
        Ok(Some(shown)) => shown,
        Ok(None) => return gone(ports, &mut source, &destination, "the destination order is gone").await.map(Some),
        Err(error) => return look::failed(ports, &mut source, Queue::TrackingWriteback, task, &error).await.map(Some),
    };
    look::seen(&mut source);
    let now_open = &open[..open.len().min(MAX_AT_ONCE)];
    let acted = write_all(&job, (&mut source, &mut record), now_open, shown).await?;
    if job.was_reloaded() || now_open.len() < open.len() {
        return Ok(None);
    }
    let outcome = look::outcome(
        record.writebacks.iter().filter(|((order, _), _)| order == source_at).map(|(_, row)| row.get().into()),
        "the destination shows what was shipped",
    );
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
    job: &Job<'_, L, C, T, K>,
    (source, record): (&mut OrderRecord, &mut OrderRecord),
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
        let now = job.now();
        let step =
            record.writebacks.entry(id.clone()).or_insert_with(|| Row::new(Step::new(WritebackState::pending())));
        if step.get().is_resting(now) {
            leave_alone(source, step, now, job.task);
            continue;
        }
        let inputs = inputs(fulfillment, &shown);
        if !step.get().is_open_to(&inputs) {
            continue;
        }
        match protocol::carry_out(job, (source, record), &id, fulfillment, &shown, inputs).await? {
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

/// A person asked for a parked step to be tried again.
fn reopen_asked(record: &mut OrderRecord, task: &Task) {
    for (id, row) in &mut record.writebacks {
        let step = row.get();
        if step.parked.is_some() && is_redrive_of(task, &step_id(id), step.generation) {
            row.change().reopen();
        }
    }
}

/// The other fulfillments are looked at when it is known what became of this one.
fn come_back(source: &mut OrderRecord, record: &OrderRecord, id: &WritebackId, now: Timestamp) {
    let until = record.writebacks.get(id).and_then(|row| row.get().wait.as_ref()).map_or(now, |wait| wait.until);
    let look = source.look.change();
    look.state = LookState { queue: Queue::TrackingWriteback };
    look.wait(now, until, WaitReason::OtherStep);
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
        look.wait(now, wait.until, WaitReason::OtherStep);
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

/// One of the two orders is gone: nothing waits for it any more.
async fn gone<L: Ledger, C, T, K>(
    ports: &Ports<L, C, T, K>,
    source: &mut OrderRecord,
    destination: &OrderRef,
    which: &'static str,
) -> Result<Outcome, Unfinished> {
    look::seen(source);
    ports.ledger.save(&mut [&mut *source]).await?;
    end_waits(ports, destination, &source.at).await?;
    Ok(Outcome::Done(which))
}

/// Ends what waits for this source order. Where its look is parked, the redrive of the look sees to all.
async fn end_waits<L: Ledger, C, T, K>(
    ports: &Ports<L, C, T, K>,
    destination: &OrderRef,
    source_at: &OrderRef,
) -> Result<(), Unfinished> {
    let mut record = ports.ledger.load(destination).await?;
    for ((order, _), row) in &mut record.writebacks {
        if order == source_at && row.get().wait.is_some() && row.get().parked.is_none() {
            row.change().wait = None;
        }
    }
    Ok(ports.ledger.save(&mut [&mut record]).await?)
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
    if !shop.inbound.is_empty() && source.origin.is_none() {
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
