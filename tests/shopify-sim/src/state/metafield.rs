//! Metafields: an app's own data on Shopify's objects.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::words::MetafieldOwnerType;

/// The simulated app's id, which its reserved namespace carries.
pub const APP_ID: u64 = 347_082_227_713;

/// A value on an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metafield {
    /// Its number.
    pub id: u64,
    /// With the app's reserved prefix resolved.
    pub namespace: String,
    /// Its key within the namespace.
    pub key: String,
    /// Its type's name, e.g. `id`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its value, as text.
    pub value: String,
}

/// What a metafield of one namespace and key must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetafieldDefinition {
    pub id: u64,
    pub owner_type: MetafieldOwnerType,
    pub namespace: String,
    pub key: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub created_at: Timestamp,
}

impl MetafieldDefinition {
    /// Whether no two owners may have the same value: built into the type `id`.
    ///
    /// Source: <https://shopify.dev/docs/apps/build/custom-data/metafields/working-with-custom-ids>
    pub fn is_unique(&self) -> bool {
        self.kind == "id"
    }
}

/// The full namespace behind what a call says: none means the app's own, `$app:x` a part of it.
///
/// Source: Admin GraphQL schema 2026-10, `MetafieldInput.namespace`.
pub fn full_namespace(said: Option<&str>) -> String {
    match said {
        None | Some("" | "$app") => format!("app--{APP_ID}"),
        Some(said) => match said.strip_prefix("$app:") {
            Some(rest) => format!("app--{APP_ID}--{rest}"),
            None => said.to_owned(),
        },
    }
}
