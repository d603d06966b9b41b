//! Exceptions: what somebody must own, and who does.

use jiff::Timestamp;
use roundtrip_domain::dead_letters::DeadLetterId;
use roundtrip_domain::exceptions::{Exception, ExceptionCode, Found, Owned, Owner, What};
use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::order::SourceOrder;
use roundtrip_domain::step::Failure;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::step::help_link;

/// `GET /v1/exceptions`: oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ExceptionsAnswer {
    pub exceptions: Vec<ListedException>,
    /// How many there are, also of those that are not shown.
    pub count: usize,
    /// Whether there are more than were looked through: the count is at least this.
    #[serde(default)]
    pub more: bool,
}

/// What somebody must own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedException {
    /// The same for all of one cause.
    #[schema(example = "5f3a91c2")]
    pub cause: String,
    #[schema(value_type = String, example = "CANCELLED_AFTER_PUSH")]
    pub code: ExceptionCode,
    /// What it is about: what a step was to do, or an `order` that was changed after it was pushed.
    #[schema(example = "order")]
    pub kind: String,
    /// Whose order it is; or the store that it is about itself.
    pub shop: ShopDomain,
    #[serde(default)]
    pub order: Option<OrderId>,
    /// As its merchant sees it, if that is known.
    #[serde(default)]
    pub order_name: Option<String>,
    /// The store that did not take, or not give, what was asked of it; or whose order is not as it should be.
    pub failed_at: ShopDomain,
    pub since: Timestamp,
    /// `null`: nobody.
    #[serde(default)]
    pub owned: Option<Owned>,
    /// What shows it.
    pub evidence: Evidence,
    /// What to do.
    pub remedy: String,
    pub help: String,
}

/// What shows an exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Evidence {
    /// A step was given up.
    DeadLetter {
        #[schema(value_type = String, example = "moon-shop.myshopify.com/5512345678901/push/sun-shop.myshopify.com/1@0")]
        id: DeadLetterId,
        attempts: u32,
        #[serde(default)]
        last_failure: Option<Failure>,
    },
    /// The order was changed, and its source order was not.
    Warning {
        source_order: SourceOrder,
        /// What differs, in words.
        detail: String,
    },
    /// Of a newer release.
    #[serde(other)]
    Unknown,
}

impl ExceptionsAnswer {
    /// The oldest `limit` of what was found.
    #[must_use]
    pub fn new(Found { exceptions, more }: Found, limit: usize) -> Self {
        let count = exceptions.len();
        Self { exceptions: exceptions.into_iter().take(limit).map(Into::into).collect(), count, more }
    }
}

impl From<Exception> for ListedException {
    fn from(Exception { what, owned }: Exception) -> Self {
        let code = what.code();
        Self {
            cause: what.cause(),
            code,
            kind: what.kind().to_owned(),
            shop: what.shop().clone(),
            order: what.order().map(|order| order.id),
            failed_at: what.failed_at().clone(),
            since: what.since(),
            owned,
            remedy: code.remedy().to_owned(),
            help: help_link(code),
            order_name: match &what {
                What::Parked(_) => None,
                What::Warned { name, .. } => Some(name.clone()),
            },
            evidence: match what {
                What::Parked(letter) => {
                    let (attempts, last_failure) = (letter.attempts, letter.last_failure);
                    Evidence::DeadLetter { id: letter.id, attempts, last_failure }
                }
                What::Warned { warning, .. } => {
                    Evidence::Warning { source_order: warning.source_order, detail: warning.detail }
                }
            },
        }
    }
}

/// `PUT /v1/incidents/{cause}/owner`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutOwner {
    /// Who sees to it; whoever asks, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// For how many days, 7 at first. What is there still belongs to nobody again then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 90, default = 7)]
    pub days: Option<u16>,
}

/// Who sees to a cause now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OwnerAnswer {
    #[schema(example = "5f3a91c2")]
    pub cause: String,
    /// How many exceptions of this cause there are.
    pub count: usize,
    /// Who took it; `null`: nobody. A store's rule may still name somebody.
    pub owned: Option<Owned>,
}
