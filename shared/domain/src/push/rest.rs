//! What keeps a push from going just now, though nothing speaks against it: a hold, a schedule, the grace
//! of a young order, a source shop that does not let us in.

use jiff::Timestamp;

use super::settle::{Job, PushId};
use super::use_case::{View, connection, ready};
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
    if view.links.sources.get(&id.0).is_some_and(|shop| shop.paused.is_some()) {
        return Some((after(now, waits.paused_recheck()), WaitReason::ShopPaused));
    }
    let with = |status: FulfillmentOrderStatus| {
        view.order.fulfillment_orders.iter().filter(move |order| order.status == status)
    };
    if with(FulfillmentOrderStatus::OnHold).next().is_some() {
        // It lasts as long as its merchant wants; a webhook tells of its end.
        return Some((after(now, waits.awaiting_tracking), WaitReason::OnHold));
    }
    if let Some(last) = with(FulfillmentOrderStatus::Scheduled).map(|order| order.fulfill_at).max() {
        // Shopify opens it at its time; until it shows that, one looks again.
        let soon = after(now, waits.retry_base);
        let day = last.unwrap_or_else(|| after(now, waits.awaiting_tracking));
        return Some((day.max(soon), WaitReason::Scheduled));
    }
    let grace = connection(view, &id.0).map_or(0, |connection| connection.settings.grace_secs);
    let end = after(view.order.created_at, std::time::Duration::from_secs(grace.into()));
    (!asked && end > now).then_some((end, WaitReason::Grace))
}

/// Writes down, in memory, what each push that could go rests for.
pub(super) fn note_rests<L: Ledger, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    view: &View,
    now: Timestamp,
) {
    for (id, _, asked) in ready(record, view, now) {
        let Some((until, why)) = rest(view, &id, asked, &ports.waits, now) else { continue };
        let row = record.pushes.entry(id.clone()).or_insert_with(|| Row::new(Step::new(PushState::not_pushed())));
        let rests = row.get().wait.as_ref().is_some_and(|wait| wait.why == why && wait.until > now);
        if !rests {
            Job { ports, task, id: &id, inputs: None }
                .change(record, now, why.name(), None, |step| step.wait(now, until, why));
        }
    }
}
