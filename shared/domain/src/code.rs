//! The one word for why something did not go through, and what follows from it.

mod words;

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a step waits, is tried again, or is parked. Stored and shown as its `SCREAMING_SNAKE` name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// Several destination locations wait for the goods, and the place they came from is mapped to none.
    LocationUnmapped,
    /// The destination location does not stock the product.
    ProductNotAtLocation,
    /// The destination order is fulfilled already, with other tracking.
    AlreadyShipped,
    /// What was shipped is not what the destination order still has to fulfill.
    ProductsMismatch,
    /// The shop's API failed, was out of reach, or throttled us for too long.
    ChannelUnavailable,
    /// A number without a carrier that Shopify knows and without a URL.
    IncompleteTracking,
    /// Shipped, but without a tracking number yet.
    AwaitingTracking,
    /// A fulfillment order is on hold or scheduled for later.
    OnHold,
    /// The order was cancelled.
    OrderCancelled,
    /// The source called off what was already shown to the customer, and nothing took its place.
    ShipmentCancelled,
    /// The tracking changed after it was written, and what the shop shows was not replaced.
    OverwriteRejected,
    /// The token is revoked, or lacks a scope.
    AccessDenied,
    /// A call had no answer and its effect could not be found out.
    OutcomeUnknown,
    /// Shopify refused in words that we do not know; they are kept raw.
    Rejected,
    /// More than 250 lines: Shopify takes no larger input array.
    TooManyLines,
    /// The two stores have different currencies and no rate is configured.
    CurrencyMismatch,
    /// Two source orders carry one key.
    DuplicateOrder,
    /// What was planned no longer fits the order: it changed between the read and the call. The next
    /// attempt reads it again.
    OrderChanged,
    /// A task was delivered ten times and never finished: the function crashed, ran out of time, or lacks a right.
    Crashed,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

/// What a [`Code`] leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The world has to change first: look again later, count nothing.
    Wait,
    /// Try again with backoff; park after [`crate::step::MAX_ATTEMPTS`].
    Retry,
    /// A person has to decide: park now.
    Park,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::LocationUnmapped,
        Self::ProductNotAtLocation,
        Self::AlreadyShipped,
        Self::ProductsMismatch,
        Self::ChannelUnavailable,
        Self::IncompleteTracking,
        Self::AwaitingTracking,
        Self::OnHold,
        Self::OrderCancelled,
        Self::ShipmentCancelled,
        Self::OverwriteRejected,
        Self::AccessDenied,
        Self::OutcomeUnknown,
        Self::Rejected,
        Self::TooManyLines,
        Self::CurrencyMismatch,
        Self::DuplicateOrder,
        Self::OrderChanged,
        Self::Crashed,
        Self::Unknown,
    ];

    /// Whether it is tried again by itself.
    #[must_use]
    pub fn disposition(self) -> Disposition {
        match self {
            Self::AwaitingTracking | Self::OnHold => Disposition::Wait,
            Self::ChannelUnavailable | Self::AccessDenied | Self::OrderChanged => Disposition::Retry,
            Self::LocationUnmapped
            | Self::ProductNotAtLocation
            | Self::AlreadyShipped
            | Self::ProductsMismatch
            | Self::IncompleteTracking
            | Self::OrderCancelled
            | Self::ShipmentCancelled
            | Self::OverwriteRejected
            | Self::OutcomeUnknown
            | Self::Rejected
            | Self::TooManyLines
            | Self::CurrencyMismatch
            | Self::DuplicateOrder
            | Self::Crashed
            | Self::Unknown => Disposition::Park,
        }
    }

    /// Whether a step that was parked with it can go once somebody did what the remedy says. What cannot is purged, unless
    /// its order changes.
    #[must_use]
    pub fn goes_once_mended(self) -> bool {
        match self {
            Self::OrderCancelled | Self::TooManyLines => false,
            Self::LocationUnmapped
            | Self::ProductNotAtLocation
            | Self::AlreadyShipped
            | Self::ProductsMismatch
            | Self::ChannelUnavailable
            | Self::IncompleteTracking
            | Self::AwaitingTracking
            | Self::OnHold
            | Self::ShipmentCancelled
            | Self::OverwriteRejected
            | Self::AccessDenied
            | Self::OutcomeUnknown
            | Self::Rejected
            | Self::CurrencyMismatch
            | Self::DuplicateOrder
            | Self::OrderChanged
            | Self::Crashed
            | Self::Unknown => true,
        }
    }

    /// The name under which it is stored, shown and filtered.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LocationUnmapped => "LOCATION_UNMAPPED",
            Self::ProductNotAtLocation => "PRODUCT_NOT_AT_LOCATION",
            Self::AlreadyShipped => "ALREADY_SHIPPED",
            Self::ProductsMismatch => "PRODUCTS_MISMATCH",
            Self::ChannelUnavailable => "CHANNEL_UNAVAILABLE",
            Self::IncompleteTracking => "INCOMPLETE_TRACKING",
            Self::AwaitingTracking => "AWAITING_TRACKING",
            Self::OnHold => "ON_HOLD",
            Self::OrderCancelled => "ORDER_CANCELLED",
            Self::ShipmentCancelled => "SHIPMENT_CANCELLED",
            Self::OverwriteRejected => "OVERWRITE_REJECTED",
            Self::AccessDenied => "ACCESS_DENIED",
            Self::OutcomeUnknown => "OUTCOME_UNKNOWN",
            Self::Rejected => "REJECTED",
            Self::TooManyLines => "TOO_MANY_LINES",
            Self::CurrencyMismatch => "CURRENCY_MISMATCH",
            Self::DuplicateOrder => "DUPLICATE_ORDER",
            Self::OrderChanged => "ORDER_CHANGED",
            Self::Crashed => "CRASHED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_stored_under_the_name_it_shows() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), serde_json::json!(code.name()));
        }
    }

    #[test]
    fn all_codes_are_listed_once() {
        let names: std::collections::BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();

        assert_eq!((names.len(), Code::ALL.len()), (Code::ALL.len(), Code::Unknown as usize + 1));
    }

    #[test]
    fn a_code_of_a_newer_release_still_parses() {
        let code: Code = serde_json::from_str("\"SOMETHING_NEW\"").unwrap();

        assert_eq!(code, Code::Unknown);
    }
}
