//! Runs over a store's orders.

use jiff::Timestamp;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::resync::{Occasion, Window};
use roundtrip_domain::step::Wait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::step::ShopError;

/// `POST /v1/shops/{shop}/backfills`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostBackfill {
    /// More than 7 need the plan `paid`, more than 60 the app's scope `read_all_orders`.
    #[schema(minimum = 1)]
    pub days: u16,
}

/// The run that fulfils a wish: a new one, or one that was asked for already.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RunAsked {
    pub shop: ShopDomain,
    pub run_id: String,
    /// As they were asked for; of a backfill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
}

/// `GET /v1/shops/{shop}/resync`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ResyncAnswer {
    pub shop: ShopDomain,
    pub state: ResyncPhase,
    pub last_success: Option<Timestamp>,
    /// The one that is under way, or was the last.
    pub run: Option<RunView>,
    /// Those that were asked for already.
    pub next: Vec<RunView>,
    /// The 20 before, newest first.
    pub past: Vec<RunView>,
    #[serde(default)]
    pub wait: Option<Wait>,
    pub error: Option<ShopError>,
}

/// `GET /v1/shops/{shop}/runs/{id}`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RunAnswer {
    pub shop: ShopDomain,
    pub run: RunView,
    pub error: Option<ShopError>,
}

/// How the resync of a store stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResyncPhase {
    /// There was no run yet.
    Never,
    Requested,
    Received,
    Done,
    Failed,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// The store has not answered yet.
    Requested,
    /// Orders have come, and are looked at.
    Received,
    Done,
    /// Parked: the next schedule, a request or its dead letter begins anew.
    Failed,
}

impl From<RunState> for ResyncPhase {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Requested => Self::Requested,
            RunState::Received => Self::Received,
            RunState::Done => Self::Done,
            RunState::Failed => Self::Failed,
        }
    }
}

/// One run.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    pub id: String,
    pub occasion: Occasion,
    pub state: RunState,
    pub requested_at: Timestamp,
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// From the request to the end, or until now.
    #[serde(default)]
    pub age_secs: i64,
    pub window: Option<Window>,
    /// Orders that were read.
    pub scanned: u32,
    /// Those that the ledger was behind.
    pub found: u32,
    /// Those of them that were looked at since.
    pub fixed: u32,
    /// Calls of Shopify.
    pub calls: u32,
}
