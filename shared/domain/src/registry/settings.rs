//! How shops and their connections behave. Each change is a version, and each push records the versions it was made
//! under.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::exceptions::OwnerRule;
use crate::id::ShopDomain;

/// Which version some settings are, and who made it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingsChange {
    /// 0: as they were at first.
    pub version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl SettingsChange {
    /// The change after this one.
    #[must_use]
    pub fn next(&self, at: Timestamp, by: &str) -> Self {
        Self { version: self.version + 1, at: Some(at), by: Some(by.to_owned()) }
    }
}

/// Settings as they were at some time: each version is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SettingsVersion {
    /// Those of the connection to this source shop; `None`: the shop's own.
    pub source: Option<ShopDomain>,
    pub change: SettingsChange,
    /// As the release of that time wrote them.
    pub settings: Value,
}

/// How a shop is treated, whoever it is connected with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ShopSettings {
    /// Whether its orders are offered for push: an add-on. Off by default; a row that was written before there was such a
    /// switch means on.
    #[serde(default = "on")]
    pub order_sync: bool,
    /// When that was switched on: older orders are listed only if somebody asks for them. `None`: all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_sync_since: Option<Timestamp>,
    /// Push paid orders without being asked, to each connection that does not say otherwise. Off by default: a
    /// merchant pushes by hand. In a row of before, each connection decided for itself.
    #[serde(default = "on")]
    pub auto_push: bool,
    /// When that was switched on: older orders wait for a person. `None`: all go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_push_since: Option<Timestamp>,
    /// Whose e-mail address goes with an order.
    pub email_contact: EmailContact,
    /// Flat shipping fees by the value of what one source store gets. None by default: nothing is charged.
    pub shipping_rates: Vec<ShippingRate>,
    /// Push what one source store holds while the rest of the order stays. On by default.
    pub allow_partial_push: bool,
    /// Push only orders with a valid e-mail address of the customer. On by default.
    pub require_email: bool,
    /// Push what is left of an order of which a part was refunded. Off by default.
    pub allow_partially_refunded: bool,
    /// Push test orders. Off by default.
    pub allow_test: bool,
    /// How far back a backfill may reach.
    pub plan: Plan,
    /// Whether what was shipped of its own orders is kept as shipments. Off by default: between connected shops it
    /// costs a call for each shipment that the writeback has shown already.
    pub tracking_sync: bool,
    /// Who sees to what needs somebody. Nobody by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<OwnerRule>,
}

fn on() -> bool {
    true
}

impl Default for ShopSettings {
    fn default() -> Self {
        Self {
            order_sync: false,
            order_sync_since: None,
            auto_push: false,
            auto_push_since: None,
            email_contact: EmailContact::Customer,
            shipping_rates: Vec::new(),
            allow_partial_push: true,
            require_email: true,
            allow_partially_refunded: false,
            allow_test: false,
            plan: Plan::Free,
            tracking_sync: false,
            owners: Vec::new(),
        }
    }
}

/// Whose e-mail address a source order carries: whoever has it is written to by the source store. Source: the brief,
/// "Email Contact Method".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "method", rename_all = "kebab-case")]
pub enum EmailContact {
    /// The customer's.
    #[default]
    Customer,
    /// The destination store's own.
    Admin,
    /// Another one.
    Custom { email: String },
}

impl EmailContact {
    /// Without the blanks that were typed around it.
    #[must_use]
    pub fn trimmed(self) -> Self {
        match self {
            Self::Custom { email } => Self::Custom { email: email.trim().to_owned() },
            other => other,
        }
    }
}

/// What is charged for shipping from a value on. Both in the destination shop's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShippingRate {
    /// The least value of the lines that go to one source store, before discounts.
    pub from: Decimal,
    /// Once for each pushed order.
    pub fee: Decimal,
}

/// A label of a shop. It decides nothing but how far back a backfill may reach. Source: the brief.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// The last seven days.
    #[default]
    Free,
    /// As far back as the shop shows its orders.
    Paid,
}

/// How a connection behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ConnectionSettings {
    /// Whether this source store gets its part of orders without being asked, where the destination shop pushes
    /// automatically at all. On by default.
    pub auto_push: bool,
    /// When that was switched on last: older orders wait for a person. `None`: all that the shop's own switch lets go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_push_since: Option<Timestamp>,
    /// Let the destination shop mail the customer when tracking is first written. On by default.
    pub notify_customer: bool,
    /// The price a source line gets.
    pub unit_price: UnitPrice,
    /// How much of the source shop's currency one unit of the destination's is worth. Without it prices and fees of
    /// another currency are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange_rate: Option<Decimal>,
    /// What a pushed order does to the source shop's stock.
    pub inventory: Inventory,
    /// How long an order rests before it is pushed without being asked for, in seconds. 0 by default.
    pub grace_secs: u32,
    /// What becomes of a shipment that has no tracking number yet.
    pub without_tracking: WithoutTracking,
    /// Replace a number that the destination shows when the label was made again. On by default; off for
    /// a destination whose own rules forbid it.
    pub overwrite_tracking: bool,
    /// Of a shipment that no longer fits its order, show the part that does; the rest stays parked. Off by
    /// default: nothing is written in part.
    pub split_ok: bool,
    /// Cancel the source order when its destination order is cancelled, as long as nothing of it was shipped. Off by
    /// default: a cancellation cannot be taken back.
    pub cancel_source: bool,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            auto_push: true,
            auto_push_since: None,
            notify_customer: true,
            unit_price: UnitPrice::Source,
            exchange_rate: None,
            inventory: Inventory::Bypass,
            grace_secs: 0,
            without_tracking: WithoutTracking::Wait,
            overwrite_tracking: true,
            split_ok: false,
            cancel_source: false,
        }
    }
}

/// Which unit price the source order's lines carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnitPrice {
    /// The source variant's own.
    Source,
    /// The destination line's, before discounts.
    Destination,
    /// So many percent of the destination line's, before discounts.
    Percentage(Decimal),
}

/// What an order does to stock. Source: `OrderCreateInputsInventoryBehavior`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Inventory {
    /// Nothing: another app may keep the two stores' stock in step already.
    Bypass,
    /// It is taken from stock, and refused where there is none to sell.
    DecrementObeyingPolicy,
    /// It is taken from stock, below nothing if need be.
    DecrementIgnoringPolicy,
}

/// What becomes of a shipment without a tracking number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutTracking {
    /// It waits for its number, a day at most; then a person is called.
    Wait,
    /// It is shown at once, without a mail; the number follows when it is known.
    FulfilNow,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_before_there_was_a_switch_goes_on_as_it_did() {
        let settings: ShopSettings = serde_json::from_str(r#"{"plan":"paid","tracking_sync":false}"#).unwrap();

        assert!(settings.order_sync && settings.auto_push && settings.plan == Plan::Paid);
        assert!(!ShopSettings::default().order_sync);
    }
}
