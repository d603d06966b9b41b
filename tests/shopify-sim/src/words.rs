//! Shopify's enums, as far as the simulator speaks them: one definition for state, GraphQL and the
//! control API.
//!
//! Source: Admin GraphQL schema 2026-10. Values that we never produce and nobody may send are left out.

use async_graphql::Enum;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Declares enums whose GraphQL, JSON and Rust names all come from one list.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($value:ident)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $name { $($value),* }
    )*};
}

words! {
    /// Where an order's money stands.
    OrderDisplayFinancialStatus { Authorized Expired Paid PartiallyPaid PartiallyRefunded Pending Refunded Voided }
    /// Where an order's goods stand. Derived, never stored.
    OrderDisplayFulfillmentStatus { Fulfilled FulfillmentNotRequired InProgress OnHold PartiallyFulfilled Scheduled Unfulfilled }
    /// Why an order was cancelled.
    OrderCancelReason { Customer Declined Fraud Inventory Other Staff }
    /// Life of a fulfillment order.
    FulfillmentOrderStatus { Cancelled Closed Incomplete InProgress OnHold Open Scheduled }
    /// What was asked of a fulfillment service.
    FulfillmentOrderRequestStatus { Unsubmitted Submitted Accepted Rejected Closed }
    /// What may be done with a fulfillment order now.
    FulfillmentOrderAction { CreateFulfillment ReportProgress Move Hold ReleaseHold Split }
    /// Life of a fulfillment.
    FulfillmentStatus { Cancelled Error Failure Success }
    /// What the customer sees of a fulfillment.
    FulfillmentDisplayStatus { Canceled Confirmed Delivered Failure Fulfilled InTransit OutForDelivery }
    /// Whose goods a fulfillment service sends.
    FulfillmentServiceType { Manual ThirdParty }
    /// How goods reach the customer.
    DeliveryMethodType { Local None PickupPoint PickUp Retail Shipping }
    /// Why a fulfillment order is on hold.
    FulfillmentHoldReason { AwaitingPayment AwaitingReturnItems HighRiskOfFraud IncorrectAddress InventoryOutOfStock OnlineStorePostPurchaseCrossSell Other UnknownDeliveryDate }
    /// What a metafield hangs on. Only `ORDER` has behaviour here.
    MetafieldOwnerType { Customer Order Product Shop }
    /// How webhook bodies are written. The simulator sends JSON only.
    WebhookSubscriptionFormat { Json Xml }
    /// What `orders` can be sorted by. Shopify's default is `PROCESSED_AT`.
    OrderSortKeys { CreatedAt Id OrderNumber ProcessedAt UpdatedAt }
    /// What variants can be sorted by. The simulator knows their ids alone.
    ProductVariantSortKeys { Id }
    /// How a new order says it was paid.
    OrderCreateFinancialStatus { Authorized Expired Paid PartiallyPaid PartiallyRefunded Pending Refunded Voided }
    /// How a new order says it was fulfilled.
    OrderCreateFulfillmentStatus { Fulfilled Partial Restocked }
    /// What a new order does to stock. Accepted and recorded nowhere: the simulator keeps no stock.
    OrderCreateInputsInventoryBehavior { Bypass DecrementIgnoringPolicy DecrementObeyingPolicy }
    /// Why `orderCreate` refused.
    OrderCreateUserErrorCode { FulfillmentServiceInvalid Invalid InventoryClaimFailed ProcessedAtInvalid RedundantCustomerFields ShopDormant TaxLineRateMissing }
    /// Why `orderCancel` refused.
    OrderCancelUserErrorCode { InternalError Invalid NotFound NoRefundPermission }
    /// Why `metafieldDefinitionCreate` refused.
    MetafieldDefinitionCreateUserErrorCode { Blank Inclusion Invalid LimitExceeded ReservedNamespaceKey Taken TooLong TooShort UnstructuredAlreadyExists }
    /// Why `fulfillmentOrderHold` refused.
    FulfillmentOrderHoldUserErrorCode { DuplicateFulfillmentHoldHandle FulfillmentOrderHoldLimitReached FulfillmentOrderNotFound FulfillmentOrderNotSplittable GreaterThanZero InvalidLineItemQuantity Taken }
    /// Why `fulfillmentOrderReleaseHold` refused.
    FulfillmentOrderReleaseHoldUserErrorCode { FulfillmentOrderNotFound }
    /// What a transaction does.
    OrderTransactionKind { Authorization Capture Refund Sale Void }
    /// How a transaction went.
    OrderTransactionStatus { Error Failure Pending Success }
}

/// The JSON (and GraphQL) name of a word: `ON_HOLD`.
pub fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// Reads a word from its name, in any case: `on_hold`, `ON_HOLD`.
pub fn parse_word<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.trim().to_uppercase().replace('-', "_"))).ok()
}
