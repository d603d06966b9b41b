//! What Shopify's refusals mean. First match counts, so that what is narrower stands first.
//!
//! Source: answers of a development store, recorded 2026-04 to 2026-07 under API versions 2025-01 to
//! 2026-04; shopify.dev, "GraphQL Admin API reference" (status and error codes); the schema's error codes;
//! reports in public issue trackers. `tests/fixtures/shopify/answers.json` names the source of each.

use roundtrip_domain::code::Code;

use super::super::wire::UserError;
use super::Operation::{self, *};

/// What an answer that is no success means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing was done, and a person or a new plan has to see to it.
    Refused(Code),
    /// Nothing was done; ask again after so many seconds, at least.
    Later(u64),
    /// Nothing was done: the app lacks a scope or a permission.
    Denied,
    /// Nothing was done: the shop does not know our token, is frozen, locked or gone.
    Unavailable,
    /// It may have been done, now or earlier: find out.
    Unknown,
}

use Meaning::{Denied, Later, Refused, Unavailable, Unknown};

/// How a userError is recognised. Texts count in any case.
#[derive(Debug)]
pub(super) enum Says {
    /// By its code, which most payloads do not have.
    Coded(&'static str),
    StartsWith(&'static str),
    Contains(&'static str),
    /// The text, in an error about an input field of that name.
    At(&'static str, &'static str),
}

use Says::{At, Coded, Contains, StartsWith};

/// userErrors, by operation: the same words need not mean the same in another.
pub(super) const USER_ERRORS: &[(Operation, Says, Meaning)] = &[
    // The order's e-mail or phone belongs to another customer of the shop: that says nothing of our key.
    (OrderCreate, At("customer", "already been taken"), Refused(Code::Rejected)),
    (OrderCreate, At("email", "already been taken"), Refused(Code::Rejected)),
    (OrderCreate, At("phone", "already been taken"), Refused(Code::Rejected)),
    // The value that must be unique is taken: an earlier call of ours may have made the order.
    (OrderCreate, Contains("already been taken"), Unknown),
    (OrderCreate, Contains("must be unique"), Unknown),
    (OrderCreate, Coded("SHOP_DORMANT"), Unavailable),
    // We ask for BYPASS, and send no tax lines, no date, no service and one customer: a person must see why.
    // INVALID is the code of all the rest; there the words decide.
    (OrderCreate, Coded("INVENTORY_CLAIM_FAILED"), Refused(Code::Rejected)),
    (OrderCreate, Coded("TAX_LINE_RATE_MISSING"), Refused(Code::Rejected)),
    (OrderCreate, Coded("PROCESSED_AT_INVALID"), Refused(Code::Rejected)),
    (OrderCreate, Coded("FULFILLMENT_SERVICE_INVALID"), Refused(Code::Rejected)),
    (OrderCreate, Coded("REDUNDANT_CUSTOMER_FIELDS"), Refused(Code::Rejected)),
    // A hold that came after the plan: the next look sees it, and waits.
    (FulfillmentCreate, Contains("has an unfulfillable status= on_hold"), Refused(Code::OnHold)),
    (FulfillmentCreate, Contains("has an unfulfillable status= scheduled"), Refused(Code::OnHold)),
    // `closed` alone says too little: fulfilled (by us, late?), moved, split, replaced, or the order was
    // cancelled. The order, read again, says which.
    (FulfillmentCreate, Contains("has an unfulfillable status="), Refused(Code::OrderChanged)),
    (FulfillmentCreate, StartsWith("Invalid fulfillment order line item quantity"), Refused(Code::OrderChanged)),
    (FulfillmentCreate, StartsWith("Fulfillment order line item does not exist"), Refused(Code::OrderChanged)),
    // Plans never mix these, so that one was moved or changed since.
    (FulfillmentCreate, StartsWith("All fulfillment orders must be assigned to a single"), Refused(Code::OrderChanged)),
    (FulfillmentCreate, StartsWith("All fulfillment orders must have the same delivery"), Refused(Code::OrderChanged)),
    // It was there when the order was read. If this comes again after the next read, the app may read such
    // fulfillment orders, but not write them.
    (FulfillmentCreate, StartsWith("Fulfillment order does not exist"), Refused(Code::AccessDenied)),
    // A plan of ours was wrong.
    (FulfillmentCreate, StartsWith("Quantity must be greater than 0"), Refused(Code::Rejected)),
    (FulfillmentCreate, StartsWith("All fulfillment orders must belong to the same order"), Refused(Code::Rejected)),
    (FulfillmentTrackingInfoUpdate, StartsWith("Fulfillment does not exist"), Refused(Code::OverwriteRejected)),
    (FulfillmentCancel, StartsWith("Fulfillment not found"), Refused(Code::Rejected)),
    (OrderCancel, Contains("has outstanding fulfillments"), Refused(Code::AlreadyShipped)),
    (OrderCancel, Contains("has returns"), Refused(Code::AlreadyShipped)),
    (OrderCancel, Coded("NO_REFUND_PERMISSION"), Denied),
    (OrderCancel, Coded("INTERNAL_ERROR"), Unknown),
    (FulfillmentOrderMove, StartsWith("Location not found"), Refused(Code::LocationUnmapped)),
    (FulfillmentOrderMove, StartsWith("Cannot change location"), Refused(Code::Rejected)),
];

/// Refusals that say that what was asked for is so.
pub(super) const ALREADY_SO: &[(Operation, Says)] = &[
    (OrderCancel, Contains("already been canceled")),
    (OrderCancel, StartsWith("Cancellation is already in progress")),
    // Another worker connected the shop at the same time.
    (WebhookSubscriptionCreate, Contains("already been taken")),
    (WebhookSubscriptionDelete, Contains("does not exist")),
    (MetafieldDefinitionCreate, Contains("in use")),
    (MetafieldDefinitionCreate, Contains("taken")),
];

/// userErrors of any operation.
pub(super) const ANY_USER_ERROR: &[(Says, Meaning)] = &[
    // Development and trial stores take five orders a minute, and say no more than this.
    (StartsWith("Too many attempts"), Later(60)),
    (StartsWith("Exceeded order API rate limit"), Later(60)),
];

/// Errors beside `data`, by `extensions.code`.
pub(super) const ERROR_CODES: &[(&str, Meaning)] = &[
    ("THROTTLED", Later(1)),
    ("ACCESS_DENIED", Denied),
    ("SHOP_INACTIVE", Unavailable),
    // One call asks for more than 1000 points: waiting does not help.
    ("MAX_COST_EXCEEDED", Refused(Code::Rejected)),
    // Only lines can be that many in what we send.
    ("MAX_INPUT_SIZE_EXCEEDED", Refused(Code::TooManyLines)),
    // `invalid id`: of another type, or malformed.
    ("RESOURCE_NOT_FOUND", Refused(Code::Rejected)),
    ("INTERNAL_SERVER_ERROR", Unknown),
];

/// HTTP statuses, and a word that the answer must hold.
pub(super) const STATUSES: &[(u16, &str, Meaning)] = &[
    (401, "", Unavailable),
    (402, "", Unavailable),
    // "This action requires merchant approval for write_orders scope."
    (403, "scope", Denied),
    // Marked as fraudulent.
    (403, "", Unavailable),
    (404, "", Unavailable),
    (408, "", Unknown),
    (423, "", Unavailable),
    (429, "Exceeded order API rate limit", Later(60)),
    // Without a better word from Shopify. Source: Shopify's own client waits 1 s.
    (429, "", Later(1)),
];

/// What holds the question back when the shop lacks our metafield definition.
pub(super) const NO_DEFINITION: &str = "Metafield definition";

impl Says {
    pub(super) fn is_said_by(&self, error: &UserError) -> bool {
        let message = error.message.to_ascii_lowercase();
        match self {
            Coded(code) => error.code.as_deref() == Some(code),
            StartsWith(start) => message.starts_with(&start.to_ascii_lowercase()),
            Contains(part) => message.contains(&part.to_ascii_lowercase()),
            At(field, part) => error.field.iter().any(|at| at == field) && message.contains(&part.to_ascii_lowercase()),
        }
    }
}
