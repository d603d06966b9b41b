//! Tracking that is to be shown again: of orders where that failed, or of any.

use roundtrip_domain::id::{OrderId, ShopDomain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/writebacks/retry`: `orders`, or those that have in common what else is given.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostRetry {
    /// The store whose orders these are.
    pub shop: ShopDomain,
    /// Just these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 250)]
    pub orders: Vec<OrderId>,
    /// Those with this tag: the store's, your own, or ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Failed Shipment Notification")]
    pub tag: Option<String>,
    /// Those of which something was sent that was not called off; or those of which nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped: Option<bool>,
    /// Whether somebody has seen the list. Without it nothing is done, and the answer is the list.
    #[serde(default)]
    pub confirm: bool,
    /// Whether somebody knows that some of them have not failed.
    #[serde(default)]
    pub acknowledge_not_failed: bool,
    /// Why: stands in the history of each order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// What is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetryAnswer {
    /// By which its progress is asked for: `GET /v1/jobs/{id}`.
    pub job_id: String,
    /// Orders of the job.
    pub matched: usize,
    /// Of these, so many had failed.
    pub failed: usize,
    /// Whether more orders are of that kind than one job takes: ask again for them.
    #[serde(default)]
    pub more: bool,
}
