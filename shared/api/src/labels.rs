//! Labels, as a label tool tells of them.

use roundtrip_domain::id::{LabelId, LineItemId, OrderId, ShopDomain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/labels`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostLabel {
    /// The store where the order was placed.
    pub shop: ShopDomain,
    pub order: OrderId,
    /// The label tool's own name for it: a label that is posted twice is one label.
    pub label: LabelId,
    #[schema(min_items = 1, max_items = 100)]
    pub tracking: Vec<PostTracking>,
    /// Without them: all that the order still waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 250)]
    pub lines: Option<Vec<PostLine>>,
    /// From where, in the tool's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub warehouse: Option<String>,
    /// Whether the store may mail the customer: once for each number.
    #[serde(default = "yes")]
    pub notify_customer: bool,
}

fn yes() -> bool {
    true
}

/// One tracking number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostTracking {
    #[schema(min_length = 1, max_length = 100)]
    pub number: String,
    /// The carrier: the same for each number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// For each number, or for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How many of a line were sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostLine {
    pub line_item: LineItemId,
    #[schema(minimum = 1)]
    pub quantity: u32,
}

/// What was written down, and a worker sees to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LabelAsked {
    pub request_id: String,
    pub order: OrderId,
    pub label: LabelId,
}
