//! Stores: registering them, what is known of them, their locations.

use roundtrip_domain::id::{LocationId, ShopDomain};
use roundtrip_domain::registry::{Connection, LocationMapping, Paused, SettingsChange, ShopFacts, ShopSettings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::step::ShopError;

/// `POST /v1/shops`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterShop {
    /// The permanent domain, not a custom one.
    pub domain: ShopDomain,
    /// An Admin API token given by hand; without it the app's client-credentials grant is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
}

/// A store that is being connected.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ShopAsked {
    pub request_id: String,
    pub shop: ShopDomain,
    pub state: ShopState,
}

/// `GET /v1/shops/{shop}`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ShopAnswer {
    pub shop: ShopDomain,
    pub state: ShopState,
    /// The latest failure, also while the next attempt is waited for.
    pub error: Option<ShopError>,
    /// What it said of itself when it was last connected.
    pub facts: Option<ShopFacts>,
    #[serde(default)]
    pub paused: Option<Paused>,
    #[serde(default)]
    pub settings: ShopSettings,
    #[serde(default)]
    pub settings_change: SettingsChange,
    /// Which of its locations stand for the places that goods are sent from.
    #[serde(default)]
    pub locations: Vec<LocationMapping>,
    /// Where it is the destination.
    pub connections: Vec<Connection>,
    /// The destinations that it serves.
    pub source_for: Vec<ShopDomain>,
}

/// How far connecting a store has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ShopState {
    /// Nobody asked to connect it.
    Registered,
    /// Under way, or waiting for the next attempt.
    Connecting,
    /// Its orders go through.
    Connected,
    /// It does not let us in any more.
    Paused,
    /// Connecting is parked for another reason.
    Failed,
}

/// `PUT /v1/shops/{shop}/locations`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutLocations {
    /// All of them anew.
    #[schema(max_items = 250)]
    pub locations: Vec<PutLocation>,
}

/// Which location of the store stands for a place that goods are sent from.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutLocation {
    pub from: PutPlace,
    pub to: LocationId,
}

/// Either a source store's location, `shop` and `location`, or a `warehouse` in a label tool's words.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutPlace {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopDomain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub warehouse: Option<String>,
}

/// The map as it is kept.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LocationsAnswer {
    pub shop: ShopDomain,
    pub locations: Vec<LocationMapping>,
}
