//! What went wrong, as `application/problem+json`. Source: RFC 9457.

use roundtrip_domain::code::Code;
use roundtrip_domain::id::OrderId;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Where the code is explained: a path of this API.
    #[serde(rename = "type")]
    #[schema(example = "/v1/help/INVALID_FIELD")]
    pub kind: String,
    /// What the code means, the same each time.
    pub title: String,
    /// As the answer's own.
    #[schema(example = 400)]
    pub status: u16,
    pub code: ProblemCode,
    /// The field that is to blame, as a path into the body, or the name of a parameter or header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "links[3].source_variant")]
    pub field: Option<String>,
    /// What is wrong this time.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// When to repeat the request, as in the header `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_secs: Option<u64>,
    /// The orders that it is about, where somebody has to see them first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<ProblemOrder>,
    /// As in the header `X-Request-Id`, and in the function's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// An order of a list that somebody has to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemOrder {
    pub id: OrderId,
    /// As its merchant sees it.
    #[schema(example = "#1042")]
    pub name: String,
    /// What its tracking failed of; none: it has not failed.
    #[serde(default)]
    pub failed: Vec<Code>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $title:literal;)+) => {
        /// What a program tells problems apart by. Each is stable, and of one HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
            /// Of a newer release.
            #[serde(other, rename = "UNKNOWN")]
            Unknown,
        }

        // The derive does not see names that a macro gives.
        impl PartialSchema for ProblemCode {
            fn schema() -> RefOr<Schema> {
                let names = [$($text,)+ "UNKNOWN"];
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
            }
        }

        impl ToSchema for ProblemCode {}

        impl ProblemCode {
            /// All but the unknown.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As programs read it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ Self::Unknown => "UNKNOWN" }
            }

            /// The status that it comes with.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ Self::Unknown => 500 }
            }

            /// What it means, in half a sentence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ Self::Unknown => "a newer release knows" }
            }
        }
    };
}

codes! {
    InvalidBody = "INVALID_BODY", 400, "the body is not JSON, or not of the shape that is asked for";
    InvalidField = "INVALID_FIELD", 400, "a field or a parameter does not parse";
    Unauthorized = "UNAUTHORIZED", 401, "there is no valid token";
    PlanRequired = "PLAN_REQUIRED", 403, "the store's plan does not reach so far";
    ReadOnly = "READ_ONLY", 403, "the token may only look";
    NotFound = "NOT_FOUND", 404, "there is no such thing";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, "the path does not take the method";
    AccessDenied = "ACCESS_DENIED", 409, "a store does not let us in, or not see what was asked for";
    AckRequired = "ACK_REQUIRED", 409, "some of the orders have not failed";
    AutoPushOff = "AUTO_PUSH_OFF", 409, "the store pushes nothing by itself";
    ConfirmRequired = "CONFIRM_REQUIRED", 409, "somebody has to see first what that would be";
    IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS", 409, "a request with this key is under way";
    LabelShown = "LABEL_SHOWN", 409, "the label is shown with other lines";
    LabelVoided = "LABEL_VOIDED", 409, "the label was voided";
    LinksChanged = "LINKS_CHANGED", 409, "somebody else changed the links at the same time";
    NotConnected = "NOT_CONNECTED", 409, "the stores are not connected";
    NothingToPush = "NOTHING_TO_PUSH", 409, "no part of the order is left to push";
    OrderSyncOff = "ORDER_SYNC_OFF", 409, "the store's orders are not offered for push";
    PartialPushDisabled = "PARTIAL_PUSH_DISABLED", 409, "the store pushes orders whole";
    Rejected = "REJECTED", 409, "Shopify refused what was asked of it";
    SettingsChanged = "SETTINGS_CHANGED", 409, "somebody else changed the settings at the same time";
    TooManyLabels = "TOO_MANY_LABELS", 409, "the order has more labels than an order can have";
    BodyTooLarge = "BODY_TOO_LARGE", 413, "the body is larger than any request needs";
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", 422, "the key came with another request before";
    InvalidValue = "INVALID_VALUE", 422, "a value is understood and cannot be";
    MaxLookback60Days = "MAX_LOOKBACK_60_DAYS", 422, "the store shows no orders that old";
    Outside60Days = "OUTSIDE_60_DAYS", 422, "the store does not show an order that old";
    ChannelUnavailable = "CHANNEL_UNAVAILABLE", 503, "a store did not answer";
    Throttled = "THROTTLED", 503, "a store's rate limit is reached";
    Unavailable = "UNAVAILABLE", 503, "a part of Roundtrip did not answer";
}

impl std::fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
