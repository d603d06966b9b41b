//! Orders: lists, and one order whole.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{FulfillmentId, LabelId, LineItemId, OrderId, OrderRef, ShopDomain};
use roundtrip_domain::money::Money;
use roundtrip_domain::order::{FinancialStatus, FulfillmentStatus, SourceOrder};
use roundtrip_domain::push::PushTerms;
use roundtrip_domain::record::{Badge, Received, RequestState, Summary, Tab, Warning};
use roundtrip_domain::writeback::TrackingInfo;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::step::Progress;

/// `GET /v1/shops/{shop}/orders`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ListAnswer {
    /// Newest first.
    pub orders: Vec<ListedOrder>,
    /// Where the next page starts: its `after`. `null`: this was the last.
    pub next: Option<String>,
}

/// `POST /v1/shops/{shop}/orders/{id}/warnings/dismiss`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostDismissal {
    /// Those of this cause alone; all that somebody has to own, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "5f3a91c2")]
    pub cause: Option<String>,
    /// What was done about them: stands in the history of the order.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// The warnings of an order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WarningsAnswer {
    pub order: OrderId,
    /// How many were dismissed just now.
    pub dismissed: usize,
    /// All of them.
    pub warnings: Vec<Warning>,
}

/// An order in a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ListedOrder {
    pub id: OrderId,
    /// As the merchant sees it, e.g. `#1042`.
    pub name: String,
    pub created_at: Timestamp,
    #[serde(default)]
    pub customer_name: Option<String>,
    pub tab: Tab,
    pub payment_status: FinancialStatus,
    pub fulfillment_status: FulfillmentStatus,
    /// Units of linked products.
    pub synced_items: u32,
    /// As the store shows them.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What failed, and what waits.
    #[serde(default)]
    pub badges: Vec<Badge>,
    /// The user's own.
    #[serde(default)]
    pub own_tags: BTreeSet<String>,
    /// Ours, which say that something failed.
    #[serde(default)]
    pub system_tags: BTreeSet<String>,
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Whether something was sent that was not called off, whatever the store shows of that yet.
    #[serde(default)]
    pub shipped: bool,
    /// What the customer chose.
    #[serde(default)]
    pub shipment_method: Option<String>,
    pub amount_paid: Money,
    pub tracking_numbers: Vec<String>,
}

/// `POST /v1/shops/{shop}/orders/{id}/tags`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PostTags {
    #[schema(max_items = 20)]
    pub add: Vec<String>,
    /// One that is not there is no error.
    #[schema(max_items = 20)]
    pub remove: Vec<String>,
}

/// The tags of an order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TagsAnswer {
    pub order: OrderId,
    /// As the store shows them.
    pub tags: Vec<String>,
    /// The user's own: no store shows them.
    pub own_tags: BTreeSet<String>,
    /// Ours, which say that something failed.
    pub system_tags: BTreeSet<String>,
}

/// `GET /v1/shops/{shop}/received-orders`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReceivedAnswer {
    /// Newest first.
    pub orders: Vec<ReceivedOrder>,
    /// Where the next page starts: its `after`. `null`: this was the last.
    pub next: Option<String>,
}

/// An order that was pushed to a store.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReceivedOrder {
    /// In the store that received it.
    pub id: OrderId,
    #[serde(flatten)]
    pub received: Received,
    /// The order that was placed.
    pub origin: OrderRef,
}

/// `GET /v1/shops/{shop}/order-counts`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CountsAnswer {
    pub shop: ShopDomain,
    /// By tab.
    pub counts: BTreeMap<String, usize>,
    pub sum: usize,
}

/// `GET /v1/shops/{shop}/orders/{id}`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OrderAnswer {
    pub id: OrderId,
    pub shop: ShopDomain,
    pub order: Summary,
    pub customer_name: Option<String>,
    pub pushes: Vec<PushView>,
    /// Of source orders that are to be cancelled as well.
    #[serde(default)]
    pub cancellations: Vec<CancelView>,
    pub writebacks: Vec<WritebackView>,
    pub requests: Vec<RequestView>,
    /// What was shipped of it, where tracking is synced.
    #[serde(default)]
    pub shipments: Vec<ShipmentView>,
    /// Fulfillments without a tracking number.
    #[serde(default)]
    pub awaiting_tracking: Vec<FulfillmentId>,
    /// The latest 100, newest first.
    pub history: Vec<HistoryEvent>,
}

impl OrderAnswer {
    /// The request `id`, if it stands there.
    #[must_use]
    pub fn request(&self, id: &str) -> Option<&RequestView> {
        self.requests.iter().find(|request| request.id == id)
    }
}

/// The push of an order's lines to one source store.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PushView {
    pub source: ShopDomain,
    /// 1, unless a person asked for another.
    pub group: u32,
    pub state: String,
    pub source_order: Option<SourceOrder>,
    #[serde(default)]
    pub terms: Option<PushTerms>,
    #[serde(flatten)]
    pub progress: Progress,
}

/// The cancellation of a source order: that of the push of the same source and group.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CancelView {
    pub source: ShopDomain,
    pub group: u32,
    pub state: String,
    #[serde(flatten)]
    pub progress: Progress,
}

/// The writeback of one shipment: of a source order, or by a label.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WritebackView {
    pub source: Option<OrderRef>,
    #[serde(default)]
    pub label: Option<LabelId>,
    pub state: String,
    pub fulfillments: Vec<FulfillmentId>,
    pub tracking: Vec<TrackingInfo>,
    #[serde(flatten)]
    pub progress: Progress,
}

/// One tracking number of one fulfillment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ShipmentView {
    pub fulfillment: FulfillmentId,
    pub service: Option<String>,
    #[serde(flatten)]
    pub tracking: TrackingInfo,
    pub lines: Vec<SentLine>,
}

/// How many of a line were sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SentLine {
    pub line_item: LineItemId,
    pub quantity: u32,
}

/// What somebody asked for, and what became of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RequestView {
    pub id: String,
    pub source: ShopDomain,
    pub requested_at: Timestamp,
    pub requested_by: String,
    pub outcome: RequestState,
}
