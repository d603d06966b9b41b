//! Looking at one order now.

use jiff::Timestamp;
use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::step::Look;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was asked for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncAsked {
    pub shop: ShopDomain,
    pub order: OrderId,
    pub job_id: String,
}

/// `GET /v1/shops/{shop}/orders/{id}/sync`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncAnswer {
    pub shop: ShopDomain,
    pub order: OrderId,
    pub job_id: String,
    /// Of all looks: a failed one counts before an open one.
    pub state: SyncPhase,
    pub requested_at: Timestamp,
    pub requested_by: String,
    pub age_secs: i64,
    pub looks: Vec<SyncLook>,
}

/// How far a sync has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SyncPhase {
    Open,
    Done,
    Failed,
    /// Still open after two minutes; it is answered all the same.
    Timeout,
}

/// One order that is looked at.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncLook {
    pub shop: ShopDomain,
    pub id: OrderId,
    pub look: Look,
    pub state: SyncPhase,
    /// When it was answered; of an open one, when it is looked at again.
    pub when: Timestamp,
    /// In the words of the log, or a code.
    pub outcome: Option<String>,
    #[serde(default)]
    pub help: Option<String>,
}
