//! How stores and connections are treated. In a request, a field that is left out stays as it is.

use roundtrip_domain::exceptions::Owner;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::registry::{
    Connection, EmailContact, Inventory, Plan, SettingsChange, SettingsVersion, ShippingRate, ShopSettings, UnitPrice,
    WithoutTracking,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// `PUT /v1/shops/{shop}/settings`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PutSettings {
    /// Offer its orders for push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_sync: Option<bool>,
    /// Push paid orders without being asked, to each source store whose connection does not say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_push: Option<bool>,
    /// With `auto_push`: orders that were placed before go as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_existing: Option<bool>,
    /// With `include_existing`: only say how many orders that are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_contact: Option<EmailContact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub shipping_rates: Option<Vec<ShippingRate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_partial_push: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_email: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_partially_refunded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_test: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_sync: Option<bool>,
    /// Who sees to what needs somebody, by its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub owners: Option<Vec<GivenOwner>>,
}

/// Whom what needs somebody belongs to, as it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenOwner {
    /// Of this kind; left out: all that no other rule names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "LOCATION_UNMAPPED")]
    pub code: Option<String>,
    pub owner: Owner,
}

/// How a store is treated now, or what a dry run found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SettingsAnswer {
    Tried(SettingsTried),
    Written(SettingsWritten),
}

/// How a store is treated now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SettingsWritten {
    pub shop: ShopDomain,
    pub settings: ShopSettings,
    #[serde(default)]
    pub settings_change: SettingsChange,
    /// The run that sees to what was spoken against before, or has existing orders pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
}

/// What a dry run found; nothing was changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SettingsTried {
    pub shop: ShopDomain,
    pub dry_run: bool,
    pub existing: Existing,
}

/// Orders that would go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Existing {
    pub orders: usize,
    /// Whether there are more than were counted.
    pub or_more: bool,
}

/// `GET /v1/shops/{shop}/settings/versions`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct VersionsAnswer {
    pub shop: ShopDomain,
    /// Of the store's settings and of those of its connections, newest first.
    pub versions: Vec<SettingsVersion>,
}

/// `POST /v1/connections`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutConnection {
    /// The store that sells.
    pub destination: ShopDomain,
    /// The store that holds the goods.
    pub source: ShopDomain,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_push: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_customer: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<UnitPrice>,
    /// So much of the source store's currency for one of the destination's; `null` takes it away.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub exchange_rate: Option<Option<Decimal>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_secs: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_tracking: Option<WithoutTracking>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overwrite_tracking: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_ok: Option<bool>,
    /// Cancel the source order, too, of an order that is cancelled after it was pushed, if nothing of it was shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_source: Option<bool>,
}

/// Tells `null` from a field that is left out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// How two stores are connected now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ConnectionAnswer {
    pub connection: Connection,
}
