//! Pushing an order.

use roundtrip_domain::id::{OrderId, ShopDomain};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/shops/{shop}/orders/{id}/pushes`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PostPush {
    /// Left out: each source store whose part has not left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ShopDomain>,
    /// What shipping costs, in the source store's currency; left out: what the store's rates say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_fee: Option<Decimal>,
}

/// The outcomes stand in the order's `requests` under these ids.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PushAsked {
    pub order: OrderId,
    pub requests: Vec<AskedPush>,
}

/// A push that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedPush {
    pub id: String,
    pub source: ShopDomain,
}

/// `GET /v1/push/forwarded-fields`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ForwardedFields {
    pub fields: Vec<ForwardedField>,
    /// What never goes, in words.
    pub withheld: Vec<String>,
}

/// A field that may be sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ForwardedField {
    /// Its path in the variables of `orderCreate`; `[]` stands for each element of a list.
    pub field: String,
    pub holds: String,
}
