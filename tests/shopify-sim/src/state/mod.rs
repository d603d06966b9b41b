//! What the simulated shops hold. Plain data, the same for the Admin API and the control API.

mod fulfillment;
mod fulfillment_order;
mod metafield;
mod money;
mod order;
mod people;
mod shop;

use std::collections::BTreeMap;

pub use fulfillment::{Fulfillment, FulfillmentLine, Mail, MailKind, TrackingInfo};
pub use fulfillment_order::{FulfillmentHold, FulfillmentOrder, FulfillmentOrderLine};
pub use metafield::{APP_ID, Metafield, MetafieldDefinition, full_namespace};
pub use money::{Money, MoneyBag};
pub use order::{Attribute, CancelRequest, LineItem, Order, Refund, ShippingLine, TaxLine};
pub use people::{Customer, MailingAddress};
pub use shop::{Location, Shop, ShopSettings, TakenKey, Variant, WebhookSubscription};

/// Every shop of this process.
#[derive(Default)]
pub struct World {
    /// By domain.
    pub shops: BTreeMap<String, Shop>,
    /// Where new ids come from.
    pub ids: Ids,
}

/// Hands out numeric ids: unique over all shops, and the same for the same sequence of commands.
pub struct Ids(u64);

impl Default for Ids {
    fn default() -> Self {
        Self(7_000_000_000_000) // beyond 32 bits, as Shopify's are
    }
}

impl Ids {
    /// The next unused id.
    pub fn take(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// `gid://shopify/<kind>/<id>`
pub fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

/// The number of a gid of this `kind`, or of a bare number. `None` is what Shopify calls `invalid id`.
pub fn parse_gid(kind: &str, gid: &str) -> Option<u64> {
    let rest = gid
        .strip_prefix("gid://shopify/")
        .and_then(|rest| rest.strip_prefix(kind))
        .and_then(|rest| rest.strip_prefix('/'));
    rest.unwrap_or(gid).split('?').next()?.parse().ok()
}
