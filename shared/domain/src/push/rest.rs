//! What keeps a push from going just now, though nothing speaks against it: a hold, a schedule, the grace
//! of a young order, a source shop that does not let us in.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::ready::ready;
use super::settle::{Job, PushId};
use super::use_case::{View, is_doubtful};
use crate::id::ShopDomain;
use crate::order::FulfillmentOrderStatus;
use crate::ports::{Clock, Ledger, Outbox, Ports, after};
use crate::record::{OrderRecord, Row};
use crate::settings::Waits;
use crate::step::{Step, WaitReason};
use crate::task::Task;

use super::PushState;

/// Until when the push `id` rests, and why; `None` if it may go now. `asked`: by a person, who does not wait
/// for the grace of automatic pushes.
pub(super) fn rest(
    view: &View,
    id: &PushId,
    asked: bool,
    waits: &Waits,
    now: Timestamp,
) -> Option<(Timestamp, WaitReason)> {
    if is_paused(view, &id.0) {
        return Some(waits.paused(now));
    }
    let with = |status: FulfillmentOrderStatus| {
        view.order.fulfillment_orders.iter().filter(move |order| order.status == status)
    };
    if with(FulfillmentOrderStatus::OnHold).next().is_some() {
        // It lasts as long as its merchant wants; a webhook tells of its end.
        return Some((after(now, waits.awaiting_tracking), WaitReason::OnHold));
    }
    if let Some(last) = with(FulfillmentOrderStatus::Scheduled).map(|order| order.fulfill_at).max() {
        return Some((look_again(last, waits, now), WaitReason::Scheduled));
    }
    let grace = view.shop.connection(&id.0).map_or(0, |connection| connection.settings.grace_secs);
    let end = after(view.order.created_at, std::time::Duration::from_secs(grace.into()));
    (!asked && end > now).then_some((end, WaitReason::Grace))
}

/// Whether `source` does not let us in.
pub(super) fn is_paused(view: &View, source: &ShopDomain) -> bool {
    view.links.sources.get(source).is_some_and(|shop| shop.paused.is_some())
}

/// When a scheduled order is looked at: on its day. Shopify opens it then; until it shows that, one looks
/// ever more seldom.
fn look_again(day: Option<Timestamp>, waits: &Waits, now: Timestamp) -> Timestamp {
    let Some(day) = day else { return after(now, waits.awaiting_tracking) };
    let overdue = std::time::Duration::try_from(now.duration_since(day)).unwrap_or_default();
    day.max(after(now, overdue.clamp(waits.retry_base, waits.awaiting_tracking)))
}

/// Writes down, in memory, what each push that could go rests for; what rests for its time but could not go
/// any more is due no longer.
pub(super) fn note_rests<L: Ledger, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    view: &View,
    now: Timestamp,
) {
    let could_go = ready(record, view, now).into_iter();
    let mut rests: Vec<(PushId, (Timestamp, WaitReason))> =
        could_go.filter_map(|(id, _, asked)| Some((id.clone(), rest(view, &id, asked, &ports.waits, now)?))).collect();
    let doubtful = record.pushes.iter().filter(|(id, row)| is_doubtful(row.get(), now) && is_paused(view, &id.0));
    let paused = ports.waits.paused(now);
    rests.extend(doubtful.map(|(id, _)| (id.clone(), paused)));
    let resting: BTreeSet<PushId> = rests.iter().map(|(id, _)| id.clone()).collect();
    for (id, (until, why)) in rests {
        let row = record.pushes.entry(id.clone()).or_insert_with(|| Row::new(Step::new(PushState::not_pushed())));
        match row.get().wait.as_ref().filter(|wait| wait.why == why) {
            Some(wait) if wait.until > now && wait.until <= until => {}
            // The history need not hear the same thing twice.
            Some(_) => row.change().wait(now, until, why),
            None => Job { ports, task, id: &id, inputs: None }
                .change(record, now, why.name(), None, |step| step.wait(now, until, why)),
        }
    }
    end_rests(record, &resting, now);
}

/// Of a cancelled order nothing goes: about a push of it that failed nobody has to decide any more.
pub(super) fn close_cancelled<L: Ledger, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    view: &View,
    task: &Task,
    now: Timestamp,
) {
    let failed = |step: &Step<PushState>| matches!(step.state, PushState::NotPushed { .. }) && step.parked.is_some();
    if view.order.cancelled_at.is_some() {
        let pushes = record.pushes.iter().filter(|(_, row)| failed(row.get()));
        for id in pushes.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            Job { ports, task, id: &id, inputs: None }.change(
                record,
                now,
                "not-pushed",
                Some("the order is cancelled"),
                Step::reopen,
            );
        }
    }
}

/// Ends the waits of groups that could be pushed again but are not wanted any more (cancelled, push switched
/// off): nothing is due there. All but `resting`.
pub(super) fn end_rests(record: &mut OrderRecord, resting: &BTreeSet<PushId>, now: Timestamp) {
    for (_, row) in record.pushes.iter_mut().filter(|(id, _)| !resting.contains(id)) {
        let step = row.get();
        let told = step.parked.as_ref().is_none_or(|parked| parked.announced);
        let idle = matches!(step.state, PushState::NotPushed { .. }) && told;
        let for_its_time = [WaitReason::OnHold, WaitReason::Scheduled, WaitReason::Grace];
        if idle && step.wait.as_ref().is_some_and(|wait| wait.until <= now || for_its_time.contains(&wait.why)) {
            row.change().wait = None;
        }
    }
}
