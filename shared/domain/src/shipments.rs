//! Tracking sync: what was shipped of an order, as its own shop shows it.
//!
//! One shipment for each tracking number of each fulfillment. A fulfillment without a number waits for it: the next
//! webhook about the order, or the next resync, brings it. Which lines were sent is asked for only when something was
//! shipped that the ledger does not know.

use serde::{Deserialize, Serialize};

use crate::channel::{Channel, ChannelError, ShownFulfillment};
use crate::history::HistoryEvent;
use crate::id::{FulfillmentId, LineItemId};
use crate::order::{FulfillmentStatus, Order};
use crate::ports::{Clock, Ports};
use crate::record::{OrderRecord, Row};
use crate::task::Task;
use crate::writeback::TrackingInfo;

/// What was shipped of an order. Holds no personal data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipments {
    /// Fulfillments that the customer can follow.
    #[serde(default)]
    pub sent: Vec<Sent>,
    /// Those without a tracking number so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untracked: Vec<FulfillmentId>,
}

/// A fulfillment with its numbers: each is a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub fulfillment: FulfillmentId,
    /// Who sent it, as far as the shop shows it: evidence, by which nothing is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub tracking: Vec<TrackingInfo>,
    /// Which lines of the order, and how many of each.
    pub lines: Vec<(LineItemId, u32)>,
}

/// Brings the record up to date with what `order` says was shipped.
///
/// # Errors
/// The shop was asked for the lines, and did not answer.
pub(crate) async fn note<L, C: Channel, T, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    order: &Order,
    task: &Task,
) -> Result<(), ChannelError> {
    let known = record.shipments.as_ref().map(|row| row.get().clone()).unwrap_or_default();
    let (numbers, untracked) = tracked(order);
    let is_known = known.untracked == untracked
        && known.sent.iter().map(|sent| (sent.fulfillment, sent.tracking.as_slice())).eq(numbers.iter().copied());
    if is_known {
        return Ok(());
    }
    let now_known = if numbers.is_empty() {
        Shipments { sent: Vec::new(), untracked }
    } else {
        // Told apart by id from what the order said: it may have changed again.
        let shown = ports.channel.shown(&order.at).await?.unwrap_or_default();
        Shipments { sent: sent(shown), untracked }
    };
    let count = |shipments: &Shipments| shipments.sent.iter().map(|sent| sent.tracking.len()).sum::<usize>();
    let (before, after) = (count(&known).to_string(), count(&now_known).to_string());
    let mut event = HistoryEvent::moved(ports.clock.now(), task, "shipments", before, after);
    let all: Vec<&str> =
        now_known.sent.iter().flat_map(|sent| &sent.tracking).map(|info| info.number.as_str()).collect();
    if !all.is_empty() {
        event = event.with_detail(all.join(", "));
    }
    record.log(event);
    match &mut record.shipments {
        Some(row) => *row.change() = now_known,
        None => record.shipments = Some(Row::new(now_known)),
    }
    Ok(())
}

type Numbers<'a> = Vec<(FulfillmentId, &'a [TrackingInfo])>;

/// The live fulfillments of an order that the shop shows as shipped: those with numbers, and those without.
fn tracked(order: &Order) -> (Numbers<'_>, Vec<FulfillmentId>) {
    if !is_tracked(&order.fulfillment_status) {
        return (Vec::new(), Vec::new());
    }
    let live = order.fulfillments.iter().filter(|fulfillment| fulfillment.state.is_live());
    let (with, without): (Vec<_>, Vec<_>) = live.partition(|fulfillment| !fulfillment.tracking.is_empty());
    let numbers = with.into_iter().map(|fulfillment| (fulfillment.id, fulfillment.tracking.as_slice()));
    (numbers.collect(), without.into_iter().map(|fulfillment| fulfillment.id).collect())
}

/// Whether orders of this status have shipments. Source: the brief, "only Fulfilled and Partially fulfilled".
pub(crate) fn is_tracked(status: &FulfillmentStatus) -> bool {
    matches!(status, FulfillmentStatus::Fulfilled | FulfillmentStatus::PartiallyFulfilled)
}

fn sent(shown: Vec<ShownFulfillment>) -> Vec<Sent> {
    let live = shown.into_iter().filter(|shown| shown.state.is_live() && !shown.tracking.is_empty());
    live.map(|ShownFulfillment { id, service, tracking, lines, .. }| Sent { fulfillment: id, service, tracking, lines })
        .collect()
}
