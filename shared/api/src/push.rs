//! Pushing an order.

use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::push::{DryRunWarning, PushTerms, RefusalReason, WithheldLine};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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

/// `POST /v1/shops/{shop}/orders/{id}/pushes/dry-run`. Holds the customer's data: it is kept nowhere.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DryRunAnswer {
    pub shop: ShopDomain,
    pub order: OrderId,
    /// One for each source store.
    pub parts: Vec<DryRunPart>,
    /// What never goes, in words.
    pub withheld: Vec<String>,
}

/// The push of one source store's part, as it would be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DryRunPart {
    pub source: ShopDomain,
    /// Whether nothing speaks against it.
    pub may_go: bool,
    /// What every rule says.
    pub verdicts: Vec<VerdictView>,
    /// The fee with the rule it goes by, and the settings' versions. `null`: nothing may go.
    pub terms: Option<PushTerms>,
    /// What Shopify would be sent: the variables of `orderCreate`, to the letter. `null`: nothing may go.
    pub variables: Option<Value>,
    /// Lines that would not go with it.
    pub withheld_lines: Vec<WithheldLine>,
    pub warnings: Vec<DryRunWarning>,
}

/// What one rule says.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct VerdictView {
    pub rule: RefusalReason,
    pub passed: bool,
    pub observed: String,
    pub required: String,
    /// Where it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
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
