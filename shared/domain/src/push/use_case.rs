//! One pass over one destination order: read, record, push what should be pushed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::PushState;
use super::asked::{ask_again, give_up, mark_asked, reopen_asked, reopen_look_for_requests};
use super::cancel;
use super::draft::{OrderDraft, draft};
use super::plan::{PushMode, PushPlan};
use super::ready::{against_requests, ready};
use super::record::{Against, answer_requests, is_ahead_of, is_other_than, record_order};
use super::refusal::{Refusal, RefusalReason};
use super::rest::{close_cancelled, end_rests, is_paused, note_rests, rest};
use super::rules::Case;
use super::settle::{Job, PushId, announce_parked, publish_due};
use crate::channel::{Channel, ChannelError};
use crate::fingerprint::fingerprint;
use crate::id::{OrderRef, ShopDomain, VariantId};
use crate::links;
use crate::look;
use crate::money::Money;
use crate::order::Order;
use crate::ports::{Clock, Ledger, LedgerError, Outbox, Ports, Registry, after};
use crate::record::{OrderRecord, Origin, Row};
use crate::registry::{ConnectedShop, Connection, Links, Shop};
use crate::settings::Waits;
use crate::shipments;
use crate::step::{Look, Step, WaitReason};
use crate::sync;
use crate::tags;
use crate::task::{Queue, Subject, Task, Trigger};
use crate::wall;
use crate::work::{MAX_PASSES, Outcome, Unfinished};
use crate::writeback::WritebackState;

/// Brings one destination order up to date in the ledger, and pushes what should be pushed. Of a product, looks at the
/// links by which orders are pushed.
///
/// Two Shopify calls and six ledger calls for a plain order with one source shop: read the record, the
/// shop, the order, the links; claim; create; settle; look once more.
///
/// # Errors
/// Only if how it ended could not be written down; the message must then be delivered again.
pub async fn push_order<L, C, T, K>(ports: &Ports<L, C, T, K>, task: &Task) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let at = match &task.subject {
        Subject::Order(at) => at.clone(),
        Subject::FulfillmentOrder { shop, id } => match ports.ledger.shop(shop).await? {
            // Where a source store's work stands is told by its fulfillments.
            known if known.as_ref().is_none_or(|known| known.outbound.is_empty()) => {
                return Ok(Outcome::Done("not a destination shop"));
            }
            // What rests for a hold or for routing looks again by itself.
            Some(known) if known.shop.paused.is_some() => return Ok(Outcome::Done("the shop is paused")),
            Some(_) | None => match ports.channel.order_of(shop, *id).await {
                Ok(Some(order)) => OrderRef { shop: shop.clone(), id: order },
                Ok(None) => return Ok(Outcome::Done("the fulfillment order is gone")),
                Err(ChannelError::Throttled { retry_after, .. }) => {
                    ports.tasks.send_later(Queue::OrderPush, task, retry_after).await?;
                    let until = after(ports.clock.now(), retry_after);
                    return Ok(Outcome::Wait { until, why: WaitReason::Throttled });
                }
                Err(ChannelError::ShopUnavailable { shop, .. }) => {
                    look::report_unavailable(ports, &shop, &task.subject).await?;
                    return Ok(Outcome::Done("the shop does not let us in"));
                }
                Err(error) => return Err(error.into()),
            },
        },
        Subject::Product { shop, id } => return links::look_at_product(ports, task, (shop, *id)).await,
        Subject::Shop { .. } => return Ok(Outcome::Done("not about an order")),
    };
    let mut sync_asked = false;
    for n in 0..MAX_PASSES {
        // Whoever starts over does so because something has changed: the hint of the webhook says nothing any more.
        match pass(ports, task, &at, (&mut sync_asked, n == 0)).await {
            Ok(Some(outcome)) => {
                if sync_asked {
                    sync::answer(ports, &at, Look::Order, &outcome).await?;
                }
                return Ok(outcome);
            }
            Ok(None) | Err(Unfinished::Ledger(LedgerError::Conflict)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(LedgerError::Conflict.into())
}

/// What a pass has read, beside the record.
pub(super) struct View {
    pub(super) order: Order,
    pub(super) links: Links,
    pub(super) shop: ConnectedShop,
}

impl View {
    /// What would be sent for `plan`.
    pub(super) fn draft(&self, plan: &PushPlan) -> OrderDraft {
        draft(&self.order, plan, &self.shop.shop)
    }

    /// What of the order goes through `connection`, as the rules see it.
    pub(super) fn case<'a>(&'a self, connection: &'a Connection, shipping_fee: Option<Money>) -> Case<'a> {
        Case { order: &self.order, shop: &self.shop.shop, connection, links: &self.links, shipping_fee }
    }

    /// Whether its parts go to all of their source shops, or to none.
    pub(super) fn is_pushed_whole(&self) -> bool {
        !self.shop.shop.settings.allow_partial_push
    }

    /// By what a refusal is decided: just what is sent, whoever asked for it. Another draft may go where this one could
    /// not; a tag or anything else that is not sent changes nothing.
    pub(super) fn inputs(&self, plan: &PushPlan) -> String {
        let mut by_itself = plan.clone();
        by_itself.terms.mode = PushMode::Automatic;
        fingerprint(&self.draft(&by_itself))
    }
}

/// `None`: the order changed under us; start over. `sync_asked`: whether somebody waits for it.
async fn pass<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    at: &OrderRef,
    (sync_asked, is_first): (&mut bool, bool),
) -> Result<Option<Outcome>, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let mut record = ports.ledger.load(at).await?;
    *sync_asked = record.open_sync().is_some();
    cancel::go_on(ports, &mut record, task).await?;
    tags::set_due(ports, &mut record, task).await?;
    if record.summary.is_none() && matches!(record.origin.as_ref().map(Row::get), Some(Origin::Pushed { .. })) {
        return hand_on(ports, task, &mut record).await.map(Some);
    }
    if is_first && is_known(&record, task) {
        return Ok(Some(Outcome::Done("already known")));
    }
    let now = ports.clock.now();
    if record.look.get().is_announcement_overdue(now) {
        look::announce_look(ports, &mut record, Look::Order).await?;
    }
    announce_parked(ports, &mut record, |_, step| step.is_announcement_overdue(now)).await?;
    publish_due(ports, &mut record, now).await?;
    mark_asked(&mut record, task);
    reopen_asked(&mut record, task, now);
    reopen_look_for_requests(&mut record);
    let was_given_up = record.look.get().parked.is_some();
    if let Some(outcome) = look::barred(&mut record, Look::Order, task, now) {
        if let Outcome::Park { code } = outcome {
            give_up(&mut record, code);
        }
        ports.ledger.save(&mut [&mut record]).await?;
        return Ok(Some(outcome));
    }
    if was_given_up && task.trigger == Trigger::Redrive {
        ask_again(&mut record, now);
    }
    let Some(shop) = ports.ledger.shop(&at.shop).await? else {
        return Ok(Some(Outcome::Done("the shop is not registered")));
    };
    // What is under way comes to its end, whatever was switched off meanwhile.
    if !shop.keeps_orders() && record.requests.is_empty() && !record.is_pending() && !record.has_left() {
        return Ok(Some(Outcome::Done("not a destination shop")));
    }
    if shop.shop.paused.is_some() {
        let (until, why) = ports.waits.paused(now);
        record.look.change().wait(now, until, why);
        ports.ledger.save(&mut [&mut record]).await?;
        return Ok(Some(Outcome::Wait { until, why }));
    }
    let shown = ports.channel.order(at).await;
    let order = match wall::unless_hidden(shown, || hidden(&record, &shop.shop, now)) {
        Ok(Some(order)) => order,
        Ok(None) => return gone(ports, task, &mut record, &shop.shop).await.map(Some),
        Err(error) => {
            let outcome = look::failed(ports, &mut record, Look::Order, task, &error).await?;
            if let Outcome::Park { code } = outcome {
                give_up(&mut record, code);
                ports.ledger.save(&mut [&mut record]).await?;
            }
            return Ok(Some(outcome));
        }
    };
    if is_ahead_of(&record, &order) {
        let until = after(now, ports.waits.retry_base);
        record.look.change().wait(now, until, WaitReason::Backoff);
        ports.ledger.save(&mut [&mut record]).await?;
        return Ok(Some(Outcome::Wait { until, why: WaitReason::Backoff }));
    }
    let links = ports.ledger.links(&at.shop, &variants(&order), &sources(&shop, &record)).await?;
    let links = Links { left: record.left_lines(), ..links };
    let view = View { order, links, shop };
    look::seen(&mut record, Look::Order);
    record_order(&mut record, &view, task, ports.clock.now());

    while let Some((id, next)) = next_move(&record, &view, &ports.waits, ports.clock.now()) {
        match next {
            Move::Push(plan) => {
                let job = Job { ports, task, id: &id, inputs: Some(view.inputs(&plan)) };
                job.push(&mut record, &view, plan).await?;
            }
            Move::Verify => Job { ports, task, id: &id, inputs: None }.verify(&mut record).await?,
        }
        // A step settled: look once more, so that whatever was left alone meanwhile is seen.
        record = ports.ledger.load(at).await?;
        if is_other_than(&record, &view) {
            return Ok(None);
        }
    }

    if view.shop.shop.settings.tracking_sync
        && let Err(error) = shipments::note(ports, &mut record, &view.order, task).await
    {
        return look::failed(ports, &mut record, Look::Order, task, &error).await.map(Some);
    }
    let now = ports.clock.now();
    let later = after(now, ports.waits.quarantine);
    // What was confirmed just now may have been called off here before.
    record_order(&mut record, &view, task, now);
    close_cancelled(ports, &mut record, &view, task, now);
    note_rests(ports, task, &mut record, &view, now);
    let against = against_requests(&record, &view);
    // A part that waits for another is looked at with that.
    let waits = record.pushes.values().filter_map(|row| row.get().wait.as_ref()).map(|wait| wait.until);
    let later = waits.filter(|until| *until > now).min().unwrap_or(later);
    answer_requests(&mut record, |source| against.get(source).cloned().unwrap_or(Against::Nothing), later, now);
    ports.ledger.save(&mut [&mut record]).await?;
    cancel::go_on(ports, &mut record, task).await?;
    tags::set_due(ports, &mut record, task).await?;
    wake_writebacks(ports, &record, task).await?;
    let pushes = record.pushes.values().map(|row| row.get().into());
    let steps = pushes.chain(record.cancels.values().map(|row| row.get().into()));
    Ok(Some(look::outcome(steps, "up to date")))
}

/// The destination order has moved: a writeback that waits for it (a hold, routing), or that it could not
/// take before, is looked at now. Its own wait stays, should this message be lost.
async fn wake_writebacks<L, C, T: Outbox, K>(
    ports: &Ports<L, C, T, K>,
    record: &OrderRecord,
    task: &Task,
) -> Result<(), Unfinished> {
    let waits_for_us = |step: &Step<WritebackState>| {
        let for_us = [WaitReason::OnHold, WaitReason::Routing, WaitReason::Replacement];
        let waits = step.wait.as_ref().is_some_and(|wait| for_us.contains(&wait.why));
        waits || step.parked.as_ref().is_some_and(|parked| parked.inputs.is_some())
    };
    let waiting = record.writebacks.iter().filter(|(_, row)| waits_for_us(row.get()));
    let orders: BTreeSet<&OrderRef> = waiting.map(|(shipment, _)| shipment.looked_at_from(&record.at)).collect();
    for order in orders {
        let wake = Task::new(Trigger::Settled, task.cause_id.clone(), Subject::Order(order.clone()));
        ports.tasks.send(Queue::TrackingWriteback, &wake).await?;
    }
    Ok(())
}

/// Why the order, which the shop does not show, cannot be read, if anything is still to be pushed of it.
fn hidden(record: &OrderRecord, shop: &Shop, now: Timestamp) -> Option<ChannelError> {
    let summary = record.summary.as_ref()?.get();
    // What was tried, or rested, and is not there: also what a redrive has just set going again.
    let is_open = |step: &Step<PushState>| matches!(step.state, PushState::NotPushed { .. }) && step.parked.is_none();
    let is_waited_for = summary.cancelled_at.is_none() && record.pushes.values().any(|row| is_open(row.get()));
    let is_asked_for = record.open_requests().next().is_some();
    wall::hidden(shop, &record.at, summary.created_at, now).filter(|_| is_waited_for || is_asked_for)
}

/// The shop has no such order: nothing waits for it any more, but what is in doubt at a source store is
/// still found out.
async fn gone<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    shop: &Shop,
) -> Result<Outcome, Unfinished> {
    look::seen(record, Look::Order);
    while let Some(id) = in_doubt(record, |_| false, ports.clock.now()) {
        Job { ports, task, id: &id, inputs: None }.verify(record).await?;
        *record = ports.ledger.load(&record.at).await?;
    }
    let now = ports.clock.now();
    end_rests(record, &BTreeSet::new(), now);
    let gone = || Refusal {
        reason: RefusalReason::OrderGone,
        observed: "the shop has no such order".into(),
        required: "an order that the shop still has".into(),
    };
    answer_requests(record, |_| Against::Rules(vec![gone()]), now, now);
    ports.ledger.save(&mut [&mut *record]).await?;
    let may_be_hidden = match record.placed_at() {
        Some(placed_at) => wall::is_outside_60_days(shop, placed_at, now),
        None => !shop.reads_all_orders(),
    };
    let words = if may_be_hidden { "the shop shows no such order of the last 60 days" } else { "the order is gone" };
    Ok(look::outcome(record.pushes.values().map(|row| row.get().into()), words))
}

/// A push whose effect is not known, and may be looked into now.
fn in_doubt(record: &OrderRecord, is_paused: impl Fn(&ShopDomain) -> bool, now: Timestamp) -> Option<PushId> {
    let mut doubtful = record.pushes.iter().filter(|(id, row)| is_doubtful(row.get(), now) && !is_paused(&id.0));
    doubtful.next().map(|(id, _)| id.clone())
}

/// Whether the effect of a push is not known, and its time to be looked into has come.
pub(super) fn is_doubtful(step: &Step<PushState>, now: Timestamp) -> bool {
    let unknown = matches!(step.state, PushState::Sent { .. } | PushState::Verifying { .. });
    unknown && step.parked.is_none() && !step.is_resting(now)
}

/// Whether the webhook tells nothing new: the ledger is strictly past it and nothing is pending.
fn is_known(record: &OrderRecord, task: &Task) -> bool {
    let Some(seen) = task.seen_updated_at else { return false };
    record.summary.as_ref().is_some_and(|row| row.get().updated_at > seen) && !record.is_pending()
}

/// The order was pushed to this shop: what is shipped of it is the writeback's matter.
async fn hand_on<L: Ledger, C, T: Outbox, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
) -> Result<Outcome, Unfinished> {
    let outcome = match task.handed_on() {
        Some(task) => {
            // Whatever named it: that queue knows orders alone.
            let task = Task { subject: Subject::Order(record.at.clone()), ..task };
            ports.tasks.send(Queue::TrackingWriteback, &task).await?;
            Outcome::Done("a source order: handed on")
        }
        None => Outcome::Done("handed on before: nobody's"),
    };
    // It may have been looked at before it was known where it comes from.
    look::seen(record, Look::Order);
    ports.ledger.save(&mut [record]).await?;
    Ok(outcome)
}

fn variants(order: &Order) -> Vec<VariantId> {
    let distinct: BTreeSet<VariantId> = order.lines.iter().filter_map(|line| line.variant).collect();
    distinct.into_iter().collect()
}

fn sources(shop: &ConnectedShop, record: &OrderRecord) -> Vec<ShopDomain> {
    let connected = shop.outbound.iter().map(|connection| connection.source.clone());
    let pushed = record.pushes.keys().map(|(source, _)| source.clone());
    let distinct: BTreeSet<ShopDomain> = connected.chain(pushed).collect();
    distinct.into_iter().collect()
}

enum Move {
    Push(PushPlan),
    Verify,
}

/// The next group that something can be done for now, and what.
fn next_move(record: &OrderRecord, view: &View, waits: &Waits, now: Timestamp) -> Option<(PushId, Move)> {
    if let Some(id) = in_doubt(record, |source| is_paused(view, source), now) {
        return Some((id, Move::Verify));
    }
    let ready = ready(record, view, now);
    let rests = |(id, _, asked): &(PushId, PushPlan, bool)| rest(view, id, *asked, waits, now).is_some();
    if view.is_pushed_whole() && ready.iter().any(rests) {
        return None;
    }
    let (id, plan, _) = ready.into_iter().find(|candidate| !rests(candidate))?;
    Some((id, Move::Push(plan)))
}
