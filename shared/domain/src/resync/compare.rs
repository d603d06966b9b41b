//! Whether the ledger is behind an order, by what a page of orders says of it: a plain function.

use jiff::Timestamp;

use crate::channel::ShippedOrder;
use crate::fingerprint::fingerprint;
use crate::id::{FulfillmentId, OrderRef};
use crate::order::{FinancialStatus, FulfillmentState, FulfillmentStatus};
use crate::record::{LookState, Origin, Summary};
use crate::task::Queue;

/// How many fulfillments of an order, and numbers of each, a page shows. Both sides of the comparison look no
/// further.
const SHOWN: usize = 10;

/// What a page of orders says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSight {
    pub at: OrderRef,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub cancelled_at: Option<Timestamp>,
    pub financial_status: FinancialStatus,
    pub fulfillment_status: FulfillmentStatus,
    /// The first ten.
    pub shipments: Vec<ShipmentSight>,
}

/// What a page of orders says of one fulfillment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShipmentSight {
    pub id: FulfillmentId,
    pub state: FulfillmentState,
    /// The first ten.
    pub numbers: Vec<String>,
}

/// What the ledger knows of an order, as far as it is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    pub summary: Option<Summary>,
    pub origin: Option<Origin>,
    /// How the last look at what was shipped ended.
    pub look_at_shipments: Option<LookState>,
}

/// The ledger is behind: which queue's worker has to look, and when it has caught up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    pub queue: Queue,
    pub sight: String,
}

/// Whether the ledger is behind `seen`, as an order that was placed in this shop (`sells`) or that was pushed to it.
#[must_use]
pub fn stale(seen: &OrderSight, known: &Known, sells: bool) -> Option<Stale> {
    let sight = sight_of_shipments(&seen.shipments);
    if let Some(Origin::Pushed { .. }) = known.origin {
        let knows = known.look_at_shipments.as_ref().and_then(|look| look.seen.as_deref());
        let behind = !seen.shipments.is_empty() && knows != Some(&sight);
        return behind.then_some(Stale { queue: Queue::TrackingWriteback, sight });
    }
    let behind = sells && !known.summary.as_ref().is_some_and(|summary| is_up_to_date(summary, seen));
    behind.then_some(Stale { queue: Queue::OrderPush, sight })
}

fn is_up_to_date(known: &Summary, seen: &OrderSight) -> bool {
    if known.updated_at > seen.updated_at {
        return true;
    }
    let live = seen.shipments.iter().filter(|shipment| shipment.state.is_live());
    known.updated_at == seen.updated_at
        && known.cancelled_at == seen.cancelled_at
        && known.financial_status == seen.financial_status
        && known.fulfillment_status == seen.fulfillment_status
        && live.flat_map(|shipment| &shipment.numbers).all(|number| known.tracking_numbers.contains(number))
}

/// What was shipped of an order, in a word that a page of orders and a look at the order agree on.
#[must_use]
pub fn sight_of_shipments(shipments: &[ShipmentSight]) -> String {
    fingerprint(&shipments.iter().take(SHOWN).collect::<Vec<_>>())
}

impl ShipmentSight {
    /// What a page would say of the fulfillments of `shipped`.
    #[must_use]
    pub fn all_of(shipped: &ShippedOrder) -> Vec<Self> {
        let numbers = |tracking: &[crate::writeback::TrackingInfo]| {
            tracking.iter().take(SHOWN).map(|info| info.number.clone()).collect()
        };
        let all = shipped.fulfillments.iter().take(SHOWN);
        all.map(|it| Self { id: it.id, state: it.state.clone(), numbers: numbers(&it.tracking) }).collect()
    }
}
