//! What an answer that is no success means, by the one [`table`]. Most payloads carry no code, so the words
//! decide; words that we do not know are `REJECTED`, and kept as they came.

mod table;

use std::time::Duration;

use reqwest::StatusCode;
use roundtrip_domain::channel::ChannelError;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::ShopDomain;
use serde::Deserialize;

use super::answer::short;
use super::wire::UserError;
pub(super) use table::Meaning;
use table::{ALREADY_SO, ANY_USER_ERROR, ERROR_CODES, NO_DEFINITION, STATUSES, USER_ERRORS};

/// A mutation, by its root field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Operation {
    OrderCreate,
    OrderCancel,
    FulfillmentCreate,
    FulfillmentTrackingInfoUpdate,
    FulfillmentCancel,
    FulfillmentOrderMove,
    FulfillmentOrderHold,
    TagsAdd,
    TagsRemove,
    MetafieldDefinitionCreate,
    WebhookSubscriptionCreate,
    WebhookSubscriptionUpdate,
    WebhookSubscriptionDelete,
    BulkOperationRunQuery,
}

impl Operation {
    /// What a refusal means that the table does not know.
    fn otherwise(self) -> Meaning {
        match self {
            // Whatever the reason: what the shop shows was not replaced.
            Self::FulfillmentTrackingInfoUpdate => Meaning::Refused(Code::OverwriteRejected),
            Self::OrderCreate
            | Self::OrderCancel
            | Self::FulfillmentCreate
            | Self::FulfillmentCancel
            | Self::FulfillmentOrderMove
            | Self::FulfillmentOrderHold
            | Self::TagsAdd
            | Self::TagsRemove
            | Self::MetafieldDefinitionCreate
            | Self::WebhookSubscriptionCreate
            | Self::WebhookSubscriptionUpdate
            | Self::WebhookSubscriptionDelete
            | Self::BulkOperationRunQuery => Meaning::Refused(Code::Rejected),
        }
    }
}

impl Meaning {
    /// Which of several errors decides: the one that leaves most in doubt, then the one that concerns most.
    fn rank(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Unavailable => 1,
            Self::Denied => 2,
            Self::Later(_) => 3,
            Self::Refused(_) => 4,
        }
    }

    /// The meaning of several errors; of none, nothing is known.
    pub(super) fn of_all(meanings: impl Iterator<Item = Self>) -> Self {
        meanings.min_by_key(|meaning| meaning.rank()).unwrap_or(Self::Unknown)
    }

    /// What a userError means.
    fn of_user_error(operation: Operation, error: &UserError) -> Self {
        let by_operation = USER_ERRORS.iter().find(|(on, says, _)| *on == operation && says.is_said_by(error));
        let anywhere = || ANY_USER_ERROR.iter().find(|(says, _)| says.is_said_by(error)).map(|(_, meaning)| *meaning);
        by_operation.map(|(_, _, meaning)| *meaning).or_else(anywhere).unwrap_or_else(|| operation.otherwise())
    }

    /// What an `extensions.code` means, if it is known.
    pub(super) fn of_error_code(code: &str) -> Option<Self> {
        ERROR_CODES.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
    }

    /// What an HTTP status other than 200 means. `text` is what the answer says.
    pub(super) fn of_status(status: StatusCode, text: &str) -> Self {
        let known = STATUSES.iter().find(|(code, part, _)| *code == status.as_u16() && text.contains(part));
        match known {
            Some((_, _, meaning)) => *meaning,
            None if status.is_client_error() => Self::Refused(Code::Rejected),
            None => Self::Unknown,
        }
    }

    /// The error that it is.
    pub(super) fn error(self, shop: &ShopDomain, message: &str, request_id: Option<String>) -> ChannelError {
        let (shop, message) = (shop.clone(), short(message));
        match self {
            Self::Refused(code) => ChannelError::Refused { shop, code, message, request_id },
            Self::Later(seconds) => {
                ChannelError::Throttled { shop, retry_after: Duration::from_secs(seconds), request_id }
            }
            Self::Denied => ChannelError::AccessDenied { shop, message, request_id },
            Self::Unavailable => ChannelError::ShopUnavailable { shop, message, request_id },
            Self::Unknown => ChannelError::NoAnswer { shop, message, request_id, source: None },
        }
    }
}

/// How a mutation went that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Now,
    /// What was asked for was so before.
    Before,
}

/// The error that `errors` are, if they are one.
pub(super) fn check(
    shop: &ShopDomain,
    operation: Operation,
    errors: &[UserError],
    request_id: Option<String>,
) -> Result<Done, ChannelError> {
    if errors.is_empty() {
        return Ok(Done::Now);
    }
    let is_so = |error: &UserError| ALREADY_SO.iter().any(|(on, says)| *on == operation && says.is_said_by(error));
    if errors.iter().all(is_so) {
        return Ok(Done::Before);
    }
    let meaning = Meaning::of_all(errors.iter().map(|error| Meaning::of_user_error(operation, error)));
    let texts: Vec<String> = errors.iter().map(UserError::text).collect();
    Err(meaning.error(shop, &texts.join("; "), request_id))
}

/// Whether a question failed because the shop lacks our metafield definition.
pub(super) fn lacks_definition(error: &ChannelError) -> bool {
    match error {
        ChannelError::Refused { message, .. } | ChannelError::NoAnswer { message, .. } => {
            message.contains(NO_DEFINITION)
        }
        ChannelError::Throttled { .. }
        | ChannelError::Unreachable { .. }
        | ChannelError::AccessDenied { .. }
        | ChannelError::ShopUnavailable { .. } => false,
    }
}

#[cfg(test)]
mod tests;
