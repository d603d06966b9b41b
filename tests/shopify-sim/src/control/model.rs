//! What commands say and what they answer.

mod shop;

pub use shop::*;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::codes::CurrencyCode;
use crate::state::{Attribute, MailingAddress};
use crate::webhooks::Topic;
use crate::words::{FulfillmentHoldReason, OrderCancelReason, OrderDisplayFinancialStatus};

/// An order that a customer places. What is not said is made up sensibly.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PlaceOrder {
    /// What is bought; at least one.
    pub lines: Vec<PlaceLine>,
    /// `None`: paid.
    pub financial_status: Option<OrderDisplayFinancialStatus>,
    /// Whether the customer only tries the shop out.
    pub test: bool,
    /// `None`: customer@example.com
    pub email: Option<String>,
    /// The customer's phone.
    pub phone: Option<String>,
    /// The customer's note.
    pub note: Option<String>,
    /// Tags on the order.
    pub tags: Vec<String>,
    /// `None`: Ada Lovelace's.
    pub shipping_address: Option<MailingAddress>,
    /// `None`: the shipping address.
    pub billing_address: Option<MailingAddress>,
    /// Title and price; `None`: Standard, 5.00.
    pub shipping: Option<(String, Decimal)>,
    /// Code and amount.
    pub discount: Option<(String, Decimal)>,
    /// Rate, e.g. 0.08, over the goods.
    pub tax_rate: Option<Decimal>,
    /// When it was placed; `None`: now. Its `updatedAt` starts there too.
    pub at: Option<Timestamp>,
    /// Notes on the order.
    pub custom_attributes: Vec<Attribute>,
    /// The customer's currency, if it is another. Amounts are taken over unchanged.
    pub presentment_currency: Option<CurrencyCode>,
}

/// A line of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlaceLine {
    /// SKU, gid or number of a variant; anything else is the title of a custom item.
    pub variant: String,
    /// Units.
    #[serde(default = "one")]
    pub quantity: u32,
    /// `None`: the variant's.
    #[serde(default)]
    pub price: Option<Decimal>,
    /// Hidden or visible notes on the line.
    #[serde(default)]
    pub properties: Vec<Attribute>,
}

fn one() -> u32 {
    1
}

impl PlaceOrder {
    /// An order of some SKUs with their quantities.
    pub fn of(lines: &[(&str, u32)]) -> Self {
        let lines = lines.iter().map(|(sku, quantity)| PlaceLine {
            variant: (*sku).to_owned(),
            quantity: *quantity,
            price: None,
            properties: Vec::new(),
        });
        Self { lines: lines.collect(), ..Self::default() }
    }

    /// Not paid yet.
    pub fn unpaid(mut self) -> Self {
        self.financial_status = Some(OrderDisplayFinancialStatus::Pending);
        self
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    pub id: u64,
    /// `gid://shopify/Order/…`
    pub gid: String,
    /// `#1001`
    pub name: String,
}

/// Goods that a merchant sends, from any app's sight by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ship {
    /// SKU or line item id, and quantity. Empty: all that is left at the location.
    pub lines: Vec<(String, u32)>,
    /// Name of the location; `None`: the first one with work left.
    pub location: Option<String>,
    /// The carrier.
    pub company: Option<String>,
    /// Tracking numbers.
    pub numbers: Vec<String>,
    /// Tracking URLs, by position.
    pub urls: Vec<String>,
    /// Whether the customer is written to.
    pub notify_customer: bool,
    /// The handle of the fulfillment service that sends them; `None`: the shop itself.
    pub service: Option<String>,
}

impl Ship {
    /// All that is left, in one parcel.
    pub fn all(company: &str, number: &str) -> Self {
        Self { company: Some(company.to_owned()), numbers: vec![number.to_owned()], ..Self::default() }
    }

    /// Only so many of a SKU.
    pub fn line(mut self, sku: &str, quantity: u32) -> Self {
        self.lines.push((sku.to_owned(), quantity));
        self
    }
}

/// A fulfillment that came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipped {
    pub fulfillment_id: u64,
    pub gid: String,
}

/// Another tracking for a fulfillment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeTracking {
    pub company: Option<String>,
    pub numbers: Vec<String>,
    pub urls: Vec<String>,
    pub notify_customer: bool,
}

/// A new quantity for a line; 0 removes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditLine {
    /// SKU or line item id.
    pub line: String,
    /// Units from now on.
    pub quantity: u32,
}

/// Units whose money is given back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLines {
    /// SKU or line item id, and quantity.
    pub lines: Vec<(String, u32)>,
}

/// Why an order is called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelOrder {
    pub reason: OrderCancelReason,
    pub refund: bool,
    pub notify_customer: bool,
}

/// Puts all open work of an order on hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldOrder {
    pub reason: FulfillmentHoldReason,
    #[serde(default)]
    pub notes: Option<String>,
}

/// Gives all open work of an order to a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveWork {
    /// Its name.
    pub location: String,
}

/// Tags that a merchant sets or takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TagOrder {
    pub add: Vec<String>,
    pub remove: Vec<String>,
}

/// A number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub count: usize,
}

/// Which webhook subscriptions are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// `None`: all.
    #[serde(default)]
    pub topic: Option<Topic>,
}
