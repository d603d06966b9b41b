//! The API's answers, as far as they are shown. docs/API.md describes them whole.

mod links;

use std::collections::BTreeMap;

use jiff::Timestamp;
use roundtrip_domain::code::Code;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{FulfillmentId, LabelId, OrderId, OrderRef, ShopDomain};
use roundtrip_domain::money::Money;
use roundtrip_domain::order::SourceOrder;
use roundtrip_domain::push::PushTerms;
use roundtrip_domain::record::{RequestState, Summary, Tab, Warning};
use roundtrip_domain::registry::{
    Connection, LocationMapping, Paused, SettingsChange, SettingsVersion, ShopFacts, ShopSettings,
};
use roundtrip_domain::resync::{Occasion, Window};
use roundtrip_domain::step::{Failure, Wait};
use roundtrip_domain::writeback::TrackingInfo;
use serde::Deserialize;

pub(crate) use links::{LinkAnswer, LinksAnswer, ListedLink, MatchAnswer, UnresolvedRow};

/// `GET /v1/shops/{shop}`.
#[derive(Debug, Deserialize)]
pub(crate) struct ShopAnswer {
    pub(crate) shop: ShopDomain,
    pub(crate) state: ShopState,
    pub(crate) error: Option<ShopError>,
    pub(crate) facts: Option<ShopFacts>,
    #[serde(default)]
    pub(crate) settings: ShopSettings,
    #[serde(default)]
    pub(crate) paused: Option<Paused>,
    /// Which of its locations stand for the places that goods are sent from.
    #[serde(default)]
    pub(crate) locations: Vec<LocationMapping>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) source_for: Vec<ShopDomain>,
}

/// How far connecting a shop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ShopState {
    Registered,
    Connecting,
    Connected,
    /// It does not let us in any more.
    Paused,
    Failed,
}

/// Why connecting failed, at its latest attempt.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ShopError {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// Shopify's, for their support.
    #[serde(default)]
    pub(crate) request_id: Option<String>,
}

/// `PUT /v1/shops/{shop}/settings`.
#[derive(Debug, Deserialize)]
pub(crate) struct SettingsAnswer {
    pub(crate) shop: ShopDomain,
    pub(crate) settings: ShopSettings,
    #[serde(default)]
    pub(crate) settings_change: SettingsChange,
    /// The run that has existing orders pushed.
    #[serde(default)]
    pub(crate) run_id: Option<String>,
}

/// The same with `dry_run`.
#[derive(Debug, Deserialize)]
pub(crate) struct SettingsTried {
    pub(crate) existing: Existing,
}

/// Orders that would go.
#[derive(Debug, Deserialize)]
pub(crate) struct Existing {
    pub(crate) orders: u32,
    pub(crate) or_more: bool,
}

/// `GET /v1/shops/{shop}/settings/versions`.
#[derive(Debug, Deserialize)]
pub(crate) struct VersionsAnswer {
    pub(crate) versions: Vec<SettingsVersion>,
}

/// `POST /v1/shops/{shop}/resync` and `…/backfills`.
#[derive(Debug, Deserialize)]
pub(crate) struct RunBegun {
    pub(crate) run_id: String,
}

/// `GET /v1/shops/{shop}/resync`.
#[derive(Debug, Deserialize)]
pub(crate) struct ResyncAnswer {
    pub(crate) shop: ShopDomain,
    pub(crate) run: Option<RunView>,
    pub(crate) next: Vec<RunView>,
    pub(crate) past: Vec<RunView>,
    pub(crate) error: Option<ShopError>,
}

/// `GET /v1/shops/{shop}/runs/{id}`.
#[derive(Debug, Deserialize)]
pub(crate) struct RunAnswer {
    pub(crate) shop: ShopDomain,
    pub(crate) run: RunView,
    pub(crate) error: Option<ShopError>,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RunState {
    /// The store has not answered yet.
    Requested,
    /// Orders have come, and are looked at.
    Received,
    Done,
    Failed,
}

/// One run.
#[derive(Debug, Deserialize)]
pub(crate) struct RunView {
    pub(crate) id: String,
    pub(crate) occasion: Occasion,
    pub(crate) state: RunState,
    pub(crate) requested_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) window: Option<Window>,
    pub(crate) scanned: u32,
    pub(crate) found: u32,
    pub(crate) fixed: u32,
    pub(crate) calls: u32,
}

/// `POST /v1/shops/{shop}/orders/{id}/sync`.
#[derive(Debug, Deserialize)]
pub(crate) struct SyncAsked {
    pub(crate) job_id: String,
}

/// `GET /v1/shops/{shop}/orders/{id}/sync`.
#[derive(Debug, Deserialize)]
pub(crate) struct SyncAnswer {
    pub(crate) shop: ShopDomain,
    pub(crate) order: OrderId,
    pub(crate) job_id: String,
    pub(crate) state: SyncPhase,
    pub(crate) looks: Vec<SyncLook>,
}

/// How far a sync has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SyncPhase {
    Open,
    Done,
    Failed,
    /// Still open after two minutes.
    Timeout,
}

/// One order that is looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct SyncLook {
    pub(crate) shop: ShopDomain,
    pub(crate) id: OrderId,
    pub(crate) state: SyncPhase,
    pub(crate) when: Timestamp,
    pub(crate) outcome: Option<String>,
}

/// `PUT /v1/shops/{shop}/locations`.
#[derive(Debug, Deserialize)]
pub(crate) struct LocationsAnswer {
    pub(crate) locations: Vec<LocationMapping>,
}

/// `POST /v1/connections`.
#[derive(Debug, Deserialize)]
pub(crate) struct ConnectionAnswer {
    pub(crate) connection: Connection,
}

/// `GET /v1/shops/{shop}/orders`.
#[derive(Debug, Deserialize)]
pub(crate) struct ListAnswer {
    pub(crate) orders: Vec<ListedOrder>,
    pub(crate) next: Option<String>,
}

/// `GET /v1/shops/{shop}/order-counts`.
#[derive(Debug, Deserialize)]
pub(crate) struct CountsAnswer {
    pub(crate) counts: BTreeMap<String, u64>,
    pub(crate) sum: u64,
}

/// An order in a list.
#[derive(Debug, Deserialize)]
pub(crate) struct ListedOrder {
    pub(crate) id: OrderId,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) tab: Tab,
    pub(crate) payment_status: String,
    pub(crate) fulfillment_status: String,
    pub(crate) synced_items: u32,
    pub(crate) amount_paid: Money,
    #[serde(default)]
    pub(crate) customer_name: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) shipment_method: Option<String>,
    pub(crate) tracking_numbers: Vec<String>,
    #[serde(default)]
    pub(crate) system_tags: Vec<String>,
    #[serde(default)]
    pub(crate) warnings: Vec<Warning>,
}

/// `GET /v1/shops/{shop}/orders/{id}`.
#[derive(Debug, Deserialize)]
pub(crate) struct OrderAnswer {
    pub(crate) id: OrderId,
    pub(crate) shop: ShopDomain,
    pub(crate) order: Summary,
    pub(crate) customer_name: Option<String>,
    pub(crate) pushes: Vec<PushView>,
    pub(crate) writebacks: Vec<WritebackView>,
    pub(crate) requests: Vec<RequestView>,
    /// What was shipped of it, where tracking is synced.
    #[serde(default)]
    pub(crate) shipments: Vec<ShipmentView>,
    /// Fulfillments without a tracking number.
    #[serde(default)]
    pub(crate) awaiting_tracking: Vec<FulfillmentId>,
    /// Newest first.
    pub(crate) history: Vec<HistoryEvent>,
}

/// One tracking number of one fulfillment.
#[derive(Debug, Deserialize)]
pub(crate) struct ShipmentView {
    pub(crate) fulfillment: FulfillmentId,
    pub(crate) service: Option<String>,
    #[serde(flatten)]
    pub(crate) tracking: TrackingInfo,
    pub(crate) lines: Vec<SentLine>,
}

/// How many of a line were sent.
#[derive(Debug, Deserialize)]
pub(crate) struct SentLine {
    pub(crate) quantity: u32,
}

/// The push of an order's lines to one source shop.
#[derive(Debug, Deserialize)]
pub(crate) struct PushView {
    pub(crate) source: ShopDomain,
    /// 1, unless a person asked for another.
    pub(crate) group: u32,
    pub(crate) state: String,
    pub(crate) source_order: Option<SourceOrder>,
    #[serde(default)]
    pub(crate) terms: Option<PushTerms>,
    #[serde(flatten)]
    pub(crate) progress: Progress,
}

/// The writeback of one shipment: of a source order, or by a label.
#[derive(Debug, Deserialize)]
pub(crate) struct WritebackView {
    pub(crate) source: Option<OrderRef>,
    #[serde(default)]
    pub(crate) label: Option<LabelId>,
    pub(crate) state: String,
    pub(crate) fulfillments: Vec<FulfillmentId>,
    pub(crate) tracking: Vec<TrackingInfo>,
    #[serde(flatten)]
    pub(crate) progress: Progress,
}

/// How far a step has come.
#[derive(Debug, Deserialize)]
pub(crate) struct Progress {
    pub(crate) wait: Option<Wait>,
    pub(crate) attempts: u32,
    pub(crate) failure: Option<Failure>,
    pub(crate) parked: Option<Code>,
}

/// What somebody asked for, and what became of it.
#[derive(Debug, Deserialize)]
pub(crate) struct RequestView {
    pub(crate) id: String,
    pub(crate) source: ShopDomain,
    pub(crate) requested_at: Timestamp,
    pub(crate) requested_by: String,
    pub(crate) outcome: RequestState,
}

/// What was taken in, and is done by a worker: a push, a label.
#[derive(Debug, Deserialize)]
pub(crate) struct RequestAnswer {
    pub(crate) request_id: String,
}

/// `POST …/orders/{id}/pushes`.
#[derive(Debug, Deserialize)]
pub(crate) struct PushAsked {
    pub(crate) requests: Vec<AskedPush>,
}

/// A push that was asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct AskedPush {
    pub(crate) id: String,
    pub(crate) source: ShopDomain,
}

impl OrderAnswer {
    /// The request `id`, if it stands there.
    pub(crate) fn request(&self, id: &str) -> Option<&RequestView> {
        self.requests.iter().find(|request| request.id == id)
    }
}
