//! Exceptions: what somebody must own. What is parked, and what of an order differs between the stores since it was pushed.
//!
//! An exception is read from what shows it, a dead letter or a warning, and ends with it. Only who owns it is written down.

mod code;
mod incident;
mod list;
mod owner;

use jiff::Timestamp;

use crate::dead_letters::DeadLetter;
use crate::id::{OrderRef, ShopDomain};
use crate::record::Warning;

pub use code::ExceptionCode;
pub use incident::{Incident, Incidents, incidents};
pub use list::{Filter, Found, OWNERLESS, Ownership, exceptions, unowned};
pub use owner::{Assignment, InvalidOwner, Owned, Owner, OwnerRule, Owners};

/// What somebody must own, and who does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    pub what: What,
    /// `None`: nobody.
    pub owned: Option<Owned>,
}

/// What shows an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A step was given up.
    Parked(DeadLetter),
    /// The order was changed after it was pushed, and its source order was not.
    Warned {
        order: OrderRef,
        /// As its merchant sees it.
        name: String,
        warning: Warning,
    },
}

impl What {
    /// What is wrong.
    #[must_use]
    pub fn code(&self) -> ExceptionCode {
        match self {
            Self::Parked(letter) => ExceptionCode::Parked(letter.code),
            Self::Warned { warning, .. } => ExceptionCode::Warned(warning.code),
        }
    }

    /// What it is about, as [`DeadLetterId::kind`](crate::dead_letters::DeadLetterId::kind) says it; of a warning, an `order`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Parked(letter) => letter.id.kind(),
            Self::Warned { .. } => "order",
        }
    }

    /// Since when.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        match self {
            Self::Parked(letter) => letter.parked_at,
            Self::Warned { warning, .. } => warning.since.unwrap_or_default(),
        }
    }

    /// The shop whose order it is, or that it is about itself.
    #[must_use]
    pub fn shop(&self) -> &ShopDomain {
        match self {
            Self::Parked(letter) => &letter.id.shop,
            Self::Warned { order, .. } => &order.shop,
        }
    }

    /// The order, where it is about one.
    #[must_use]
    pub fn order(&self) -> Option<OrderRef> {
        match self {
            Self::Parked(letter) => letter.order(),
            Self::Warned { order, .. } => Some(order.clone()),
        }
    }

    /// The shop that did not take, or not give, what was asked of it; or whose order is not as it should be.
    #[must_use]
    pub fn failed_at(&self) -> &ShopDomain {
        match self {
            Self::Parked(letter) => letter.id.failed_at(),
            Self::Warned { warning, .. } => &warning.source,
        }
    }

    /// Whether it has to do with `shop`: as its own, or as the one that its goods come from.
    #[must_use]
    pub fn concerns(&self, shop: &ShopDomain) -> bool {
        match self {
            Self::Parked(letter) => letter.id.concerns(shop),
            Self::Warned { order, warning, .. } => order.shop == *shop || warning.source == *shop,
        }
    }

    /// A short name that all exceptions of one cause share.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::Parked(letter) => letter.cause(),
            Self::Warned { warning, .. } => warning.cause(),
        }
    }
}
