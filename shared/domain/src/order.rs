//! An order as a shop shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::id::{FulfillmentId, LineItemId, OrderId, OrderRef, VariantId};
use crate::money::Money;
use crate::writeback::TrackingInfo;

/// A destination order, read fresh. Carries personal data: it lives in memory and is never stored whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub at: OrderRef,
    /// As the merchant sees it, e.g. `#1042`.
    pub name: String,
    pub created_at: Timestamp,
    /// Whole seconds: two changes within one second carry the same time.
    pub updated_at: Timestamp,
    pub cancelled_at: Option<Timestamp>,
    /// `None`: it stands, or nobody said why.
    pub cancel_reason: Option<CancelReason>,
    pub test: bool,
    pub financial_status: FinancialStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub tags: Vec<String>,
    pub note: Option<String>,
    pub attributes: Vec<Attribute>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub customer: Option<PersonName>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    /// The delivery the customer chose. Shown in lists, never pushed.
    pub shipping_method: Option<String>,
    pub total: Money,
    pub lines: Vec<Line>,
    /// Our key, where this order is itself one that was pushed: by metafield or source identifier.
    pub order_key: Option<String>,
    /// What was shipped of it.
    pub fulfillments: Vec<OrderFulfillment>,
    /// The work that its locations have; empty until Shopify has routed the order.
    pub fulfillment_orders: Vec<FulfillmentOrderBrief>,
}

impl Order {
    /// Every tracking number that the customer sees.
    #[must_use]
    pub fn tracking_numbers(&self) -> Vec<String> {
        let live = self.fulfillments.iter().filter(|fulfillment| fulfillment.state.is_live());
        live.flat_map(|fulfillment| &fulfillment.tracking).map(|info| info.number.clone()).collect()
    }
}

/// Goods that were sent of an order; of which lines is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFulfillment {
    pub id: FulfillmentId,
    pub state: FulfillmentState,
    /// Those with a number.
    pub tracking: Vec<TrackingInfo>,
}

/// Whether a location may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FulfillmentOrderBrief {
    pub status: FulfillmentOrderStatus,
    /// When a scheduled one is to be sent, e.g. of a pre-order.
    pub fulfill_at: Option<Timestamp>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub id: LineItemId,
    pub title: String,
    pub sku: Option<String>,
    /// `None` for a custom line and for a product that was deleted.
    pub variant: Option<VariantId>,
    /// What is left of it after removals and refunds.
    pub quantity: u32,
    pub requires_shipping: bool,
    /// Before any discount.
    pub unit_price: Money,
    pub attributes: Vec<Attribute>,
}

/// A name and a value that a customer or an app put on an order or a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Attribute {
    pub key: String,
    pub value: String,
}

/// Who placed the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonName {
    pub first: Option<String>,
    pub last: Option<String>,
}

impl PersonName {
    /// First and last name in one text; `None` when both are blank.
    #[must_use]
    pub fn full(&self) -> Option<String> {
        let parts: Vec<&str> =
            [&self.first, &self.last].into_iter().flatten().map(|p| p.trim()).filter(|p| !p.is_empty()).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Address {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company: Option<String>,
    pub address1: Option<String>,
    pub address2: Option<String>,
    pub city: Option<String>,
    pub province_code: Option<String>,
    pub zip: Option<String>,
    pub country_code: Option<String>,
    pub phone: Option<String>,
}

/// An order in a source shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceOrder {
    pub id: OrderId,
    /// As that shop's merchant sees it, e.g. `#5001`.
    pub name: String,
}

/// A status in Shopify's words, with an arm for the words of a later API version.
macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name { $($variant,)+ Unknown(String) }

        impl $name {
            /// Shopify's word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self { $(Self::$variant => $text,)+ Self::Unknown(text) => text }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() { $($text => Self::$variant,)+ _ => Self::Unknown(text) }
            }
        }

        impl From<$name> for String {
            fn from(status: $name) -> Self { status.as_str().to_owned() }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> { String::schema() }
        }

        impl ToSchema for $name {}
    };
}

status!(/// `OrderDisplayFinancialStatus`.
FinancialStatus {
    Authorized = "AUTHORIZED", Expired = "EXPIRED", Paid = "PAID", PartiallyPaid = "PARTIALLY_PAID",
    PartiallyRefunded = "PARTIALLY_REFUNDED", Pending = "PENDING", Refunded = "REFUNDED", Voided = "VOIDED",
});

status!(/// `OrderDisplayFulfillmentStatus`.
FulfillmentStatus {
    Fulfilled = "FULFILLED", InProgress = "IN_PROGRESS", OnHold = "ON_HOLD", Open = "OPEN",
    PartiallyFulfilled = "PARTIALLY_FULFILLED", PendingFulfillment = "PENDING_FULFILLMENT",
    RequestDeclined = "REQUEST_DECLINED", Restocked = "RESTOCKED", Scheduled = "SCHEDULED",
    Unfulfilled = "UNFULFILLED", NotRequired = "FULFILLMENT_NOT_REQUIRED",
});

status!(/// `FulfillmentStatus` of one fulfillment.
FulfillmentState {
    Cancelled = "CANCELLED", Error = "ERROR", Failure = "FAILURE", Open = "OPEN", Pending = "PENDING",
    Success = "SUCCESS",
});

impl FulfillmentState {
    /// Whether the customer sees a fulfillment in this state as sent.
    #[must_use]
    pub fn is_live(&self) -> bool {
        match self {
            Self::Cancelled | Self::Error | Self::Failure => false,
            Self::Open | Self::Pending | Self::Success | Self::Unknown(_) => true,
        }
    }
}

status!(/// `OrderCancelReason`.
CancelReason {
    Customer = "CUSTOMER", Declined = "DECLINED", Fraud = "FRAUD", Inventory = "INVENTORY", Other = "OTHER",
    Staff = "STAFF",
});

status!(/// `FulfillmentOrderStatus`.
FulfillmentOrderStatus {
    Open = "OPEN", InProgress = "IN_PROGRESS", OnHold = "ON_HOLD", Scheduled = "SCHEDULED",
    Incomplete = "INCOMPLETE", Closed = "CLOSED", Cancelled = "CANCELLED",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_a_later_version_is_kept_as_it_came() {
        let status: FulfillmentStatus = serde_json::from_str("\"TELEPORTED\"").unwrap();

        assert_eq!(status, FulfillmentStatus::Unknown("TELEPORTED".into()));
        assert_eq!(serde_json::to_string(&status).unwrap(), "\"TELEPORTED\"");
    }

    #[test]
    fn a_name_is_joined_from_what_is_there() {
        let name = |f: Option<&str>, l: Option<&str>| PersonName { first: f.map(Into::into), last: l.map(Into::into) };

        assert_eq!(name(Some("Ada"), Some("Byron")).full().as_deref(), Some("Ada Byron"));
        assert_eq!(name(None, Some("Byron")).full().as_deref(), Some("Byron"));
        assert_eq!(name(Some(" "), None).full(), None);
    }
}
