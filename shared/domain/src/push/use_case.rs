//! One pass over one destination order: read, record, push what should be pushed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::plan::{PushPlan, Refusal, RefusalReason, groups, plan_push};
use super::record::{answer_requests, end_rests, record_order};
use super::{PushState, protocol};
use crate::channel::Channel;
use crate::id::{OrderRef, ShopDomain, VariantId};
use crate::look;
use crate::order::Order;
use crate::ports::{Clock, Ledger, LedgerError, Ports, Registry, Tasks, after};
use crate::record::{OrderRecord, Origin, Row};
use crate::registry::{ConnectedShop, Links};
use crate::step::WaitReason;
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::{Outcome, Unfinished};

/// How often a pass starts over because somebody else wrote first, before the message goes back.
const MAX_PASSES: usize = 8;

/// Brings one destination order up to date in the ledger, and pushes what should be pushed.
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
    T: Tasks,
    K: Clock,
{
    let at = match &task.subject {
        Subject::Order(at) => at.clone(),
        Subject::FulfillmentOrder { shop, id } => match ports.channel.order_of(shop, *id).await? {
            Some(order) => OrderRef { shop: shop.clone(), id: order },
            None => return Ok(Outcome::Done("the fulfillment order is gone")),
        },
        Subject::Shop { .. } => return Ok(Outcome::Done("not about an order")),
    };
    for _ in 0..MAX_PASSES {
        match pass(ports, task, &at).await {
            Ok(Some(outcome)) => return Ok(outcome),
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
    /// By what a push is decided: a later state of the order may be pushed where this one could not.
    pub(super) fn inputs(&self) -> String {
        self.order.updated_at.to_string()
    }
}

/// `None`: the order changed under us; start over.
async fn pass<L, C, T, K>(ports: &Ports<L, C, T, K>, task: &Task, at: &OrderRef) -> Result<Option<Outcome>, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Tasks,
    K: Clock,
{
    let mut record = ports.ledger.load(at).await?;
    if record.summary.is_none() && matches!(record.origin.as_ref().map(Row::get), Some(Origin::Pushed { .. })) {
        return hand_on(ports, task, "a source order: handed on").await.map(Some);
    }
    if is_known(&record, task) {
        return Ok(Some(Outcome::Done("already known")));
    }
    let now = ports.clock.now();
    if record.look.get().is_announcement_overdue(now) {
        look::announce_look(ports, &mut record).await?;
    }
    protocol::announce_parked(ports, &mut record, |_, step| step.is_announcement_overdue(now)).await?;
    if let Some(outcome) = look::barred(&mut record, task, now) {
        return Ok(Some(outcome));
    }
    let Some(shop) = ports.ledger.shop(&at.shop).await? else {
        return Ok(Some(Outcome::Done("the shop is not registered")));
    };
    if shop.outbound.is_empty() && record.requests.is_empty() {
        return Ok(Some(Outcome::Done("not a destination shop")));
    }
    let order = match ports.channel.order(at).await {
        Ok(Some(order)) => order,
        Ok(None) => return gone(ports, &mut record).await.map(Some),
        Err(error) => return look::failed(ports, &mut record, Queue::OrderPush, task, &error).await.map(Some),
    };
    let links = ports.ledger.links(&at.shop, &variants(&order), &sources(&shop, &record)).await?;
    let view = View { order, links, shop };
    look::seen(&mut record);
    record_order(&mut record, &view.order, &view.links, task, ports.clock.now());

    while let Some((source, group, next)) = next_move(&record, &view, ports.clock.now()) {
        let step = (source, group);
        match next {
            Move::Push(plan) => protocol::push_group(ports, task, &mut record, &view, step, plan).await?,
            Move::Verify => protocol::verify(ports, task, &mut record, &view, step).await?,
        }
        // A step settled: look once more, so that whatever was left alone meanwhile is seen.
        record = ports.ledger.load(at).await?;
        if record.summary.as_ref().is_some_and(|row| row.get().updated_at != view.order.updated_at) {
            return Ok(None);
        }
    }

    let now = ports.clock.now();
    let later = after(now, ports.waits.quarantine);
    end_rests(&mut record, now);
    answer_requests(&mut record, |source, group| refusals(&view, source, group), later, now);
    ports.ledger.save(&mut [&mut record]).await?;
    wake_writebacks(ports, &record, task).await?;
    Ok(Some(look::outcome(record.pushes.values().map(|row| row.get().into()), "up to date")))
}

/// The destination order has moved: a writeback that waits for it (a hold, routing) is looked at now. Its
/// own wait stays, should this message be lost.
async fn wake_writebacks<L, C, T: Tasks, K>(
    ports: &Ports<L, C, T, K>,
    record: &OrderRecord,
    task: &Task,
) -> Result<(), Unfinished> {
    let waits_for_us = |why: WaitReason| matches!(why, WaitReason::OnHold | WaitReason::Routing);
    let waiting =
        record.writebacks.iter().filter(|(_, row)| row.get().wait.as_ref().is_some_and(|w| waits_for_us(w.why)));
    let sources: BTreeSet<&OrderRef> = waiting.map(|((source, _), _)| source).collect();
    for source in sources.into_iter().filter(|_| task.trigger == Trigger::Webhook) {
        let wake = Task::new(Trigger::Settled, task.cause_id.clone(), Subject::Order(source.clone()));
        ports.tasks.send(Queue::TrackingWriteback, &wake).await?;
    }
    Ok(())
}

/// The shop has no such order: nothing waits for it any more, but what is in doubt at a source store.
async fn gone<L: Ledger, C, T, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
) -> Result<Outcome, Unfinished> {
    let now = ports.clock.now();
    look::seen(record);
    end_rests(record, now);
    let gone = || Refusal {
        reason: RefusalReason::OrderGone,
        observed: "the shop has no such order".into(),
        required: "an order that the shop still has".into(),
    };
    answer_requests(record, |_, _| vec![gone()], now, now);
    ports.ledger.save(&mut [record]).await?;
    Ok(Outcome::Done("the order is gone"))
}

/// Whether the webhook tells nothing new: the ledger is strictly past it and nothing is pending.
fn is_known(record: &OrderRecord, task: &Task) -> bool {
    let Some(seen) = task.seen_updated_at else { return false };
    record.summary.as_ref().is_some_and(|row| row.get().updated_at > seen) && !record.is_pending()
}

async fn hand_on<L, C, T: Tasks, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    done: &'static str,
) -> Result<Outcome, Unfinished> {
    match task.handed_on() {
        Some(task) => {
            ports.tasks.send(Queue::TrackingWriteback, &task).await?;
            Ok(Outcome::Done(done))
        }
        None => Ok(Outcome::Done("handed on before: nobody's")),
    }
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
fn next_move(record: &OrderRecord, view: &View, now: Timestamp) -> Option<(ShopDomain, u32, Move)> {
    let requested: BTreeSet<(ShopDomain, u32)> =
        record.open_requests().map(|(_, request)| (request.source.clone(), request.group)).collect();
    let mut candidates: BTreeSet<(ShopDomain, u32)> =
        groups(&view.order, &view.links).into_keys().map(|source| (source, 1)).collect();
    candidates.extend(record.pushes.keys().cloned());
    candidates.extend(requested.iter().cloned());

    candidates.into_iter().find_map(|(source, group)| {
        let step = record.pushes.get(&(source.clone(), group)).map(Row::get);
        if step.is_some_and(|step| step.is_resting(now)) {
            return None;
        }
        let open = step.is_none_or(|step| step.is_open_to(&view.inputs()));
        match step.map(|step| &step.state) {
            Some(PushState::Confirmed { .. }) => None,
            Some(PushState::Sent { .. } | PushState::Verifying { .. }) => {
                step.is_some_and(|step| step.parked.is_none()).then_some((source, group, Move::Verify))
            }
            None | Some(PushState::NotPushed { .. }) => {
                let connection = connection(view, &source)?;
                let wanted =
                    requested.contains(&(source.clone(), group)) || (connection.settings.auto_push && group == 1);
                let plan =
                    (wanted && open).then(|| plan_push(&view.order, connection, &view.links, group).ok()).flatten()?;
                Some((source, group, Move::Push(plan)))
            }
        }
    })
}

fn connection<'a>(view: &'a View, source: &ShopDomain) -> Option<&'a crate::registry::Connection> {
    view.shop.outbound.iter().find(|connection| connection.source == *source)
}

/// Why `group` of `source` is not pushed; empty if it could be.
fn refusals(view: &View, source: &ShopDomain, group: u32) -> Vec<Refusal> {
    match connection(view, source) {
        Some(connection) => plan_push(&view.order, connection, &view.links, group).err().unwrap_or_default(),
        None => vec![Refusal {
            reason: RefusalReason::NotConnected,
            observed: format!("no connection from {} to {source}", view.order.at.shop),
            required: "a connection: POST /v1/connections".into(),
        }],
    }
}

/// How long a step may rest when nothing better is known.
pub(super) fn verify_at(now: Timestamp, waits: &crate::Waits) -> (Timestamp, WaitReason) {
    (after(now, waits.verify_interval), WaitReason::Verifying)
}
