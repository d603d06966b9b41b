//! Shipments of a source order, home to the destination order that it was pushed from.

use std::time::Duration;

use super::{open, reopen_asked, voided, write_all};
use crate::channel::{Channel, ShippedOrder};
use crate::id::OrderRef;
use crate::look;
use crate::ports::{Clock, Ledger, Outbox, Ports, Registry, after};
use crate::push::note_cancelled;
use crate::record::{OrderRecord, Origin, ReceivedState, Row};
use crate::registry::ConnectedShop;
use crate::resync::{ShipmentSight, sight_of_shipments};
use crate::step::{Look, Step, WaitReason};
use crate::tags;
use crate::task::{Queue, Task, Trigger};
use crate::wall;
use crate::work::{Outcome, Unfinished};
use crate::writeback::WritebackState;
use crate::writeback::job::{Job, publish_due};
use crate::writeback::plan::Terms;
use crate::writeback::shipment::{Lines, Shipment};

/// How long it is remembered that an order was shipped which no push is known to have made. A push that
/// is confirmed later than that wakes the writeback by itself.
const UNCLAIMED_TTL: Duration = Duration::from_secs(24 * 3600);

/// `None`: something was left alone or changed under us; start over.
pub(super) async fn pass<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    mut source: OrderRecord,
    destination: &OrderRef,
) -> Result<Option<Outcome>, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let source_at = &source.at.clone();
    let now = ports.clock.now();
    if task.trigger == Trigger::Redrive {
        // Before anything can fail: what is written down then, says that it was asked for.
        let mut record = ports.ledger.load(destination).await?;
        reopen_asked(&mut record, task, now);
        ports.ledger.save(&mut [&mut record]).await?;
    }
    if source.look_at_shipments.get().is_announcement_overdue(now) {
        look::announce_look(ports, &mut source, Look::Shipments).await?;
    }
    // Whoever comes to look in the end, after failures and waits, knows by this whether anybody is mailed. What a webhook
    // tells of is news.
    let quiet = match task.trigger {
        Trigger::Backfill => true,
        Trigger::Webhook => false,
        _ => source.look_at_shipments.get().state.quiet,
    };
    set_quiet(&mut source, quiet);
    let was_parked = source.look_at_shipments.get().parked.is_some();
    if let Some(outcome) = look::barred(&mut source, Look::Shipments, task, now) {
        if matches!(outcome, Outcome::Park { .. }) {
            give_up(ports, destination, &mut source, true, task).await?;
        }
        return Ok(Some(outcome));
    }
    // Asked only where the shop did not let us in before: a plain shipment costs no read for it.
    let was_paused =
        source.look_at_shipments.get().wait.as_ref().is_some_and(|wait| wait.why == WaitReason::ShopPaused);
    if was_paused && ports.ledger.shop(&source_at.shop).await?.is_some_and(|shop| shop.shop.paused.is_some()) {
        return rest_paused(ports, &mut source).await.map(Some);
    }
    let shipped = match ports.channel.shipped(source_at).await {
        Ok(Some(shipped)) => shipped,
        Ok(None) => return not_shown(ports, &mut source, destination, task, Missing::Source).await.map(Some),
        Err(error) => return failed(ports, &mut source, destination, task, &error).await.map(Some),
    };
    let mut record = ports.ledger.load(destination).await?;
    tags::note_unread(&mut record, source_at, false, now);
    if shipped.cancelled {
        note_cancelled(&mut record, source_at, task, now);
    }
    if was_parked {
        // Whoever parked the look may be about to say so there.
        record.tags.hold();
    }
    let shop = ports.ledger.shop(&destination.shop).await?;
    if shop.as_ref().is_some_and(|shop| shop.shop.paused.is_some()) {
        return rest_paused(ports, &mut source).await.map(Some);
    }
    let shipments: Vec<Shipment> =
        shipped.fulfillments.iter().map(|fulfillment| Shipment::of_fulfillment(source_at, fulfillment)).collect();
    let job = Job::new(ports, task, destination, terms(shop, source_at), voided(&shipments));
    job.announce(&mut record, |_, step| step.is_announcement_overdue(now)).await?;
    publish_due(ports, &mut record).await?;
    let open = open(&record, shipments);
    note_sight(&mut source, &shipped);
    note_received(&mut source, &shipped);
    if open.is_empty() {
        look::seen(&mut source, Look::Shipments);
        set_quiet(&mut source, false);
        ports.ledger.save(&mut [&mut source, &mut record]).await?;
        tags::set_due(ports, &mut record, task).await?;
        return Ok(Some(Outcome::Done("nothing new was shipped")));
    }
    let shown = match ports.channel.destination(destination).await {
        Ok(Some(shown)) => shown,
        Ok(None) => {
            return not_shown(ports, &mut source, destination, task, Missing::Destination).await.map(Some);
        }
        Err(error) => return failed(ports, &mut source, destination, task, &error).await.map(Some),
    };
    look::seen(&mut source, Look::Shipments);
    if source.look_at_shipments.get().state.quiet {
        set_quiet(&mut source, false);
        put_quietly(&mut record, &open);
    }
    let acted = write_all(&job, (Some(&mut source), &mut record), &open, shown).await?;
    if job.was_reloaded() {
        return Ok(None);
    }
    tags::set_due(ports, &mut record, task).await?;
    let of_source = record.writebacks.iter().filter(|(shipment, _)| shipment.is_of(source_at));
    let outcome = look::outcome(of_source.map(|(_, row)| row.get().into()), "the destination shows what was shipped");
    if !acted {
        return Ok(Some(outcome));
    }
    // A step settled: look once more, so that whatever was left alone meanwhile is seen.
    let source = ports.ledger.load(source_at).await?;
    let now = ports.clock.now();
    let wait = source.look_at_shipments.get().wait.as_ref().filter(|wait| wait.why == WaitReason::OtherStep);
    let in_flight = record.writebacks.values().any(|row| row.get().is_resting(now));
    let left_alone = wait.is_some() && !in_flight;
    Ok((!left_alone).then_some(outcome))
}

fn set_quiet(source: &mut OrderRecord, quiet: bool) {
    if source.look_at_shipments.get().state.quiet != quiet {
        source.look_at_shipments.change().state.quiet = quiet;
    }
}

/// Shipments that a backfill came upon: nobody is mailed about them, whoever shows them.
fn put_quietly(record: &mut OrderRecord, open: &[Shipment]) {
    // What concerns none of our lines needs no row.
    for shipment in open.iter().filter(|shipment| shipment.lines != Lines::These(Vec::new())) {
        let unheard_of = || Row::new(Step::new(WritebackState { quiet: true, ..WritebackState::pending() }));
        record.writebacks.entry(shipment.id.clone()).or_insert_with(unheard_of);
    }
}

/// What was seen is what a resync need not find: each shipment of it is done, or has a step of its own.
fn note_sight(source: &mut OrderRecord, shipped: &ShippedOrder) {
    let seen = &source.look_at_shipments.get().state.seen;
    if seen.is_none() && shipped.fulfillments.is_empty() {
        return;
    }
    let sight = Some(sight_of_shipments(&ShipmentSight::all_of(shipped), shipped.updated_at));
    if *seen != sight {
        source.look_at_shipments.change().state.seen = sight;
    }
}

/// How far the source shop has come with it, for the list of what it received.
fn note_received(source: &mut OrderRecord, shipped: &ShippedOrder) {
    let Some(row) = &mut source.origin else { return };
    let Origin::Pushed { received: Some(known), .. } = row.get() else { return };
    let live = shipped.fulfillments.iter().filter(|fulfillment| fulfillment.state.is_live());
    let sent = live.flat_map(|fulfillment| &fulfillment.lines).map(|(_, quantity)| quantity).sum();
    let state = ReceivedState::of(shipped.cancelled, sent, known.units);
    if state != known.state
        && let Origin::Pushed { received: Some(known), .. } = row.change()
    {
        known.state = state;
    }
}

/// One of the two shops does not let us in.
async fn rest_paused<L: Ledger, C, T, K: Clock>(
    ports: &Ports<L, C, T, K>,
    source: &mut OrderRecord,
) -> Result<Outcome, Unfinished> {
    let now = ports.clock.now();
    let (until, why) = ports.waits.paused(now);
    source.look_at_shipments.change().wait(now, until, why);
    ports.ledger.save(&mut [source]).await?;
    Ok(Outcome::Wait { until, why })
}

/// How the connection wants it.
fn terms(shop: Option<ConnectedShop>, source: &OrderRef) -> Terms {
    let Some(shop) = shop else { return Terms::default_for(crate::registry::LocationMap::default()) };
    match shop.connection(&source.shop) {
        Some(connection) => Terms::of(&connection.settings, shop.locations.clone()),
        None => Terms::default_for(shop.locations),
    }
}

/// One of the two orders could not be read.
async fn failed<L: Ledger + Registry, C: Channel, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    source: &mut OrderRecord,
    destination: &OrderRef,
    task: &Task,
    error: &crate::channel::ChannelError,
) -> Result<Outcome, Unfinished> {
    let outcome = look::failed(ports, source, Look::Shipments, task, error).await?;
    if matches!(outcome, Outcome::Park { .. }) {
        give_up(ports, destination, source, true, task).await?;
    }
    Ok(outcome)
}

/// Which of the two orders its shop does not show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Source,
    Destination,
}

/// One of the two orders is gone, and nothing waits for it any more; or it is hidden from us, while the customer may
/// still wait for what was shipped.
async fn not_shown<L: Ledger + Registry, C: Channel, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    source: &mut OrderRecord,
    destination: &OrderRef,
    task: &Task,
    which: Missing,
) -> Result<Outcome, Unfinished> {
    let record = ports.ledger.load(destination).await?;
    let (order, placed_at, words) = match which {
        // It is as old as its push.
        Missing::Source => (&source.at, record.pushed_at(&source.at), "the source order is gone"),
        Missing::Destination => (destination, record.placed_at(), "the destination order is gone"),
    };
    let shop = ports.ledger.shop(&order.shop).await?;
    let hidden = shop.zip(placed_at).and_then(|(shop, at)| wall::hidden(&shop.shop, order, at, ports.clock.now()));
    if let Some(error) = hidden.filter(|_| record.is_to_be_fulfilled()) {
        return failed(ports, source, destination, task, &error).await;
    }
    look::seen(source, Look::Shipments);
    set_quiet(source, false);
    give_up(ports, destination, source, false, task).await?;
    Ok(Outcome::Done(words))
}

/// Ends what waits for this source order. Where its look is parked, the destination order says so, and the
/// redrive of the look sees to all.
async fn give_up<L: Ledger + Registry, C: Channel, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    destination: &OrderRef,
    source: &mut OrderRecord,
    unread: bool,
    task: &Task,
) -> Result<(), Unfinished> {
    let mut record = ports.ledger.load(destination).await?;
    publish_due(ports, &mut record).await?;
    let now = ports.clock.now();
    for (shipment, row) in &mut record.writebacks {
        let step = row.get();
        // A call that is on its way is still found out, and an event still told.
        let goes_on = step.unpublished || (step.state.in_doubt().is_some() && step.is_resting(now));
        if shipment.is_of(&source.at) && step.wait.is_some() && step.parked.is_none() && !goes_on {
            row.change().give_up();
        }
    }
    tags::note_unread(&mut record, &source.at, unread, now);
    // Valid only while nobody else has looked.
    source.look_at_shipments.hold();
    ports.ledger.save(&mut [source, &mut record]).await?;
    tags::set_due(ports, &mut record, task).await
}

/// Something was shipped of an order that no push is known to have made. If this shop is a source, a
/// push may be about to say that it made it: leave word. If it is a destination, the shipment is its own.
pub(super) async fn unclaimed<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    mut source: OrderRecord,
) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    T: Outbox,
    K: Clock,
{
    let Some(shop) = ports.ledger.shop(&source.at.shop).await? else {
        return Ok(Outcome::Done("the shop is not registered"));
    };
    if !shop.inbound.is_empty() && source.origin.is_none() {
        let now = ports.clock.now();
        source.origin = Some(Row::new(Origin::Unclaimed { seen_at: now, expires_at: after(now, UNCLAIMED_TTL) }));
        ports.ledger.save(&mut [&mut source]).await?;
    }
    if !shop.keeps_orders() {
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
