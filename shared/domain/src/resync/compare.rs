//! Whether the ledger is behind an order, by what a page of orders says of it: a plain function.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::ShippedOrder;
use crate::fingerprint::fingerprint;
use crate::id::{FulfillmentId, OrderRef, ShopDomain};
use crate::order::{FinancialStatus, FulfillmentState, FulfillmentStatus};
use crate::push::Refusal;
use crate::record::{GroupRefusals, OrderRecord, Origin, Row, RowKey, Summary, SummaryLine, Tab};
use crate::registry::{ConnectedShop, Links};
use crate::shipments::is_tracked;
use crate::step::{Look, StepId};
use crate::task::Queue;
use crate::writeback::TrackingInfo;

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
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShipmentSight {
    pub id: FulfillmentId,
    pub state: FulfillmentState,
    /// The first ten.
    pub numbers: Vec<String>,
}

/// Of what the ledger is behind, and when it has caught up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "behind", rename_all = "kebab-case")]
pub enum Behind {
    /// The order, as it has been since then.
    Order { updated_at: Timestamp },
    /// What was shipped of it as a source order, as [`sight_of_shipments`] says.
    Shipments { sight: String },
    /// What was shipped of it as the shop's own order, whose tracking is synced: the first fulfillment that is kept
    /// otherwise than this. All are kept at once.
    Tracking { seen: ShipmentSight },
    /// Nothing, but a part of it was not pushed, and it has not heard yet that it is to go.
    Push,
}

impl Behind {
    /// Whose workers have to look.
    #[must_use]
    pub fn queue(&self) -> Queue {
        match self {
            Self::Order { .. } | Self::Tracking { .. } | Self::Push => Queue::OrderPush,
            Self::Shipments { .. } => Queue::TrackingWriteback,
        }
    }

    /// The row by which it shows.
    #[must_use]
    pub fn row(&self) -> RowKey {
        match self {
            Self::Order { .. } => RowKey::Summary,
            Self::Push => RowKey::Step(StepId::Look(Look::Order)),
            Self::Shipments { .. } => RowKey::Step(StepId::Look(Look::Shipments)),
            Self::Tracking { .. } => RowKey::Shipments,
        }
    }

    /// Whether the ledger has caught up.
    #[must_use]
    pub fn is_over(&self, record: &OrderRecord) -> bool {
        match self {
            Self::Order { updated_at } => {
                record.summary.as_ref().is_some_and(|row| row.get().updated_at >= *updated_at)
            }
            Self::Shipments { sight } => record.look_at_shipments.get().state.seen.as_ref() == Some(sight),
            Self::Tracking { seen } => is_kept(seen, record),
            Self::Push => record.look.get().state.goes,
        }
    }
}

/// What of a shop is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its own orders.
    pub orders: bool,
    /// What was shipped of them.
    pub tracking: bool,
}

/// What of `seen` the ledger is behind: of an order that was pushed to this shop, or of one of the shop's own.
#[must_use]
pub fn behind(seen: &OrderSight, known: &OrderRecord, kept: Kept) -> Option<Behind> {
    if let Some(Origin::Pushed { .. }) = known.origin.as_ref().map(Row::get) {
        let sight = sight_of_shipments(&seen.shipments, seen.updated_at);
        let known = known.look_at_shipments.get().state.seen.as_ref();
        let is_behind = !seen.shipments.is_empty() && known != Some(&sight);
        return is_behind.then_some(Behind::Shipments { sight });
    }
    let summary = known.summary.as_ref().map(Row::get);
    if kept.orders && !summary.is_some_and(|summary| is_up_to_date(summary, seen)) {
        return Some(Behind::Order { updated_at: seen.updated_at });
    }
    if !kept.tracking || !is_tracked(&seen.fulfillment_status) {
        return None;
    }
    let first = seen.shipments.iter().find(|shipment| !is_kept(shipment, known))?;
    Some(Behind::Tracking { seen: first.clone() })
}

/// Whether a part of an order that is listed was not pushed, could go by itself, and nothing speaks against it but settings
/// that may have changed. What was shipped by hand stays where it is.
#[must_use]
pub fn is_unpushed(summary: &Summary, shop: &ConnectedShop) -> bool {
    let is_open = matches!(summary.tab, Tab::NotPushed | Tab::PartiallyPushed)
        && summary.fulfillment_status != FulfillmentStatus::Fulfilled;
    let goes = |source: &ShopDomain| {
        let automatic = shop.connection(source).is_some_and(|connection| connection.settings.auto_push);
        automatic && refusals(summary, source).iter().all(|refusal| refusal.reason.is_by_settings())
    };
    let lines = summary.lines.iter().filter(|line| line.quantity > 0);
    summary.listed && is_open && lines.filter_map(|line| line.source.as_ref()).any(goes)
}

/// Whether nothing but settings speaks against a part of the order.
#[must_use]
pub fn is_refused_by_settings(summary: &Summary) -> bool {
    let by_settings = |group: &GroupRefusals| group.reasons.iter().all(|refusal| refusal.reason.is_by_settings());
    summary.cancelled_at.is_none() && summary.refusals.iter().any(by_settings)
}

/// Whether the product links of an order that is listed and not shipped are others than when it was looked at: one came, went, is in
/// trouble, or is so no more.
#[must_use]
pub fn is_linked_otherwise(summary: &Summary, links: &Links) -> bool {
    if !waits_for_links(summary) {
        return false;
    }
    let lines = || summary.lines.iter().filter(|line| line.quantity > 0 && line.variant.is_some());
    let link = |line: &SummaryLine| line.variant.and_then(|variant| links.by_variant.get(&variant));
    let is_open = summary.tab != Tab::Pushed;
    let is_tied_otherwise = lines().any(|line| {
        let (link, known) = (link(line), line.source_variant);
        // Whatever was sent already was sent as the variant that it was linked to.
        let is_another = is_open && known.is_some() && link.is_some_and(|link| known != Some(link.source_variant));
        is_another || link.map(|link| &link.source) != line.source.as_ref()
    });
    let known: BTreeSet<&ShopDomain> = summary
        .refusals
        .iter()
        .filter(|group| group.reasons.iter().any(|refusal| refusal.reason.is_by_links()))
        .map(|group| &group.source)
        .collect();
    let troubled: BTreeSet<&ShopDomain> =
        lines().filter_map(link).filter(|link| link.trouble.is_some()).map(|link| &link.source).collect();
    is_tied_otherwise || (is_open && known != troubled)
}

/// Whether another product link could change what becomes of the order.
#[must_use]
pub(super) fn waits_for_links(summary: &Summary) -> bool {
    summary.listed && summary.cancelled_at.is_none() && summary.fulfillment_status != FulfillmentStatus::Fulfilled
}

fn refusals<'a>(summary: &'a Summary, source: &ShopDomain) -> &'a [Refusal] {
    let of_source = summary.refusals.iter().find(|group| group.source == *source);
    of_source.map(|group| group.reasons.as_slice()).unwrap_or_default()
}

/// Whether the ledger has just this of a fulfillment: a shipment, if it has a number and is not called off.
fn is_kept(seen: &ShipmentSight, record: &OrderRecord) -> bool {
    let sent = record.shipments.as_ref().map(|row| row.get().sent.as_slice()).unwrap_or_default();
    let kept = sent.iter().find(|sent| sent.fulfillment == seen.id);
    let numbers = kept.map(|sent| ShipmentSight::of(sent.fulfillment, &seen.state, &sent.tracking).numbers);
    let is_shipment = seen.state.is_live() && !seen.numbers.is_empty();
    if is_shipment { numbers.as_ref() == Some(&seen.numbers) } else { kept.is_none() }
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

/// What was shipped of an order, in a word that a page of orders and a look at the order agree on. Of an order with more
/// than a page shows, any change counts.
#[must_use]
pub fn sight_of_shipments(shipments: &[ShipmentSight], updated_at: Timestamp) -> String {
    let is_full = shipments.len() >= SHOWN || shipments.iter().any(|shipment| shipment.numbers.len() >= SHOWN);
    let changed_at = is_full.then_some(updated_at);
    fingerprint(&(shipments.iter().take(SHOWN).collect::<Vec<_>>(), changed_at))
}

impl ShipmentSight {
    /// What a page says of a fulfillment with these numbers.
    #[must_use]
    pub fn of(id: FulfillmentId, state: &FulfillmentState, tracking: &[TrackingInfo]) -> Self {
        let numbers = tracking.iter().take(SHOWN).map(|info| info.number.clone());
        Self { id, state: state.clone(), numbers: numbers.collect() }
    }

    /// What a page would say of the fulfillments of `shipped`.
    #[must_use]
    pub fn all_of(shipped: &ShippedOrder) -> Vec<Self> {
        let all = shipped.fulfillments.iter().take(SHOWN);
        all.map(|fulfillment| Self::of(fulfillment.id, &fulfillment.state, &fulfillment.tracking)).collect()
    }
}
