//! Why an order is not pushed, and what a merchant does about it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One reason why an order is not pushed, with what was seen and what would be needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    pub reason: RefusalReason,
    pub observed: String,
    pub required: String,
}

/// Why an order is not pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalReason {
    /// The shop's orders are not offered for push.
    OrderSyncOff,
    NotPaid,
    /// There is a customer, but nothing of them is shown: the app has no access, or they were redacted.
    ProtectedDataHidden,
    InvalidCustomerName,
    InvalidCustomerAddress,
    InvalidCustomerEmail,
    /// The address that is to stand for the customer's is not known.
    ContactEmailMissing,
    ZeroValue,
    NoSyncedProduct,
    /// A product link leads to a source variant that is gone, or does not carry the SKU or barcode any more.
    SkuNotFound,
    /// A product link goes by a SKU or barcode that several source variants carry.
    DuplicateSku,
    TestOrder,
    OrderCancelled,
    /// The order is itself one that was pushed here.
    AlreadyAPush,
    /// No connection to the source shop that was asked for.
    NotConnected,
    TooManyLines,
    CurrencyMismatch,
    /// Another part of the order may not go, and the shop pushes orders whole.
    PartialPushDisabled,
    /// The shop has no such order (any more).
    OrderGone,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

impl RefusalReason {
    /// Whether another setting could take it away, with the order as it is.
    #[must_use]
    pub fn is_by_settings(self) -> bool {
        match self {
            Self::OrderSyncOff
            | Self::NotPaid
            | Self::InvalidCustomerEmail
            | Self::ContactEmailMissing
            | Self::TestOrder
            | Self::NotConnected
            | Self::CurrencyMismatch
            | Self::PartialPushDisabled => true,
            Self::ProtectedDataHidden
            | Self::InvalidCustomerName
            | Self::InvalidCustomerAddress
            | Self::ZeroValue
            | Self::NoSyncedProduct
            | Self::SkuNotFound
            | Self::DuplicateSku
            | Self::OrderCancelled
            | Self::AlreadyAPush
            | Self::TooManyLines
            | Self::OrderGone
            | Self::Unknown => false,
        }
    }

    /// Whether another product link could take it away.
    #[must_use]
    pub fn is_by_links(self) -> bool {
        matches!(self, Self::SkuNotFound | Self::DuplicateSku)
    }

    /// What a merchant does about it, in half a sentence.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::OrderSyncOff => "switch the store's order sync on",
            Self::NotPaid => "capture the payment in the destination store; it is looked at again by itself",
            Self::ProtectedDataHidden => {
                "give the app access to protected customer data (name, e-mail, address); a redacted order cannot be pushed"
            }
            Self::InvalidCustomerName | Self::InvalidCustomerAddress | Self::InvalidCustomerEmail => {
                "complete the customer's details in the destination store; it is looked at again by itself"
            }
            Self::ContactEmailMissing => "set the store's contact e-mail in Shopify, or choose another e-mail contact",
            Self::ZeroValue => "nothing: free orders are not pushed",
            Self::NoSyncedProduct => "link a product of the order to the source store's",
            Self::SkuNotFound => "link the product again, or give the source variant its SKU or barcode back",
            Self::DuplicateSku => {
                "give each source variant a SKU or barcode of its own, or link the product to the one that is meant"
            }
            Self::TestOrder => "nothing, or allow test orders in the store's settings",
            Self::OrderCancelled => "nothing: place the order again if it was cancelled by mistake",
            Self::AlreadyAPush => "nothing: push the order that it was made for",
            Self::NotConnected => "connect the source store",
            Self::TooManyLines => "split the order: Shopify takes 250 lines in one call",
            Self::CurrencyMismatch => {
                "give the connection an exchange rate, or let it use the source store's prices without a shipping rate"
            }
            Self::PartialPushDisabled => "push the order to all of its source stores, or allow partial push",
            Self::OrderGone => "nothing: the store has no such order",
            Self::Unknown => "update this program: a newer release wrote the reason",
        }
    }
}
