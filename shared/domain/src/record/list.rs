//! Lists of orders: which there are, and which orders of them somebody wants to see.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::parts::{Summary, Tab};
use crate::code::Code;
use crate::id::ShopDomain;
use crate::order::FulfillmentStatus;
use crate::step::{Parked, Step, WaitReason};

/// A list of a shop's orders. An order stands in one at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    /// Its own.
    Tab(Tab),
    /// Those that were pushed to it.
    Received,
    /// Not its orders but what is parked of them, and of itself.
    Parked,
    /// Not its orders but their warnings that somebody has to own.
    Warned,
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tab(tab) => tab.fmt(f),
            Self::Received => f.write_str("received"),
            Self::Parked => f.write_str("parked"),
            Self::Warned => f.write_str("warned"),
        }
    }
}

/// Where in which list an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub list: List,
    /// Lists are sorted by it.
    pub at: Timestamp,
    /// As the shop's merchant sees the order; `None`: nobody looks for it by a number.
    pub name: Option<String>,
}

impl Listing {
    /// Among what is parked, as long as a person is to see to it.
    #[must_use]
    pub fn of_parked(parked: &Parked) -> Option<Self> {
        parked.is_listed().then_some(Self { list: List::Parked, at: parked.at, name: None })
    }
}

/// What of a shop's own orders somebody wants to see: all that is given has to be true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    pub fulfillment_status: Option<FulfillmentStatus>,
    /// Whether something was sent that was not called off.
    pub shipped: Option<bool>,
    /// Any tag: the shop's, the user's own, or ours.
    pub tag: Option<String>,
    /// A source shop that holds some of it.
    pub source: Option<ShopDomain>,
}

impl OrderFilter {
    /// Whether everything gets through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether somebody wants to see it.
    #[must_use]
    pub fn lets_through(&self, order: &Summary) -> bool {
        let Self { fulfillment_status, shipped, tag, source } = self;
        fulfillment_status.as_ref().is_none_or(|status| order.fulfillment_status == *status)
            && shipped.is_none_or(|shipped| order.shipped == shipped)
            && tag.as_ref().is_none_or(|tag| {
                order.tags.contains(tag) || order.own_tags.contains(tag) || order.system_tags.contains(tag)
            })
            && source.as_ref().is_none_or(|source| order.lines.iter().any(|line| line.source.as_ref() == Some(source)))
    }
}

/// What a list shows beside an order: that something of it failed, or waits for the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Badge {
    /// Parked: a person has to see to it.
    Failed {
        what: BadgeOf,
        code: Code,
    },
    Waiting {
        what: BadgeOf,
        why: WaitReason,
    },
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

/// What a [`Badge`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BadgeOf {
    /// Reading the order.
    Order,
    Push,
    Shipment,
    /// Cancelling a source order.
    Cancellation,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

impl Badge {
    /// The badge of a step, if it needs one. What passes by itself in a moment (a call on its way, a backoff, a rate limit)
    /// needs none.
    pub(super) fn of<S>(what: BadgeOf, step: &Step<S>) -> Option<Self> {
        if let Some(parked) = &step.parked {
            return Some(Self::Failed { what, code: parked.code });
        }
        let why = step.wait.as_ref()?.why;
        let lasts = match why {
            WaitReason::Routing
            | WaitReason::AwaitingTracking
            | WaitReason::OnHold
            | WaitReason::Scheduled
            | WaitReason::Grace
            | WaitReason::Replacement
            | WaitReason::ShopPaused => true,
            WaitReason::Requested
            | WaitReason::Resend
            | WaitReason::InFlight
            | WaitReason::Verifying
            | WaitReason::Backoff
            | WaitReason::Throttled
            | WaitReason::OtherStep
            | WaitReason::SubscriptionCheck
            | WaitReason::Announcing
            | WaitReason::Publishing
            | WaitReason::Unknown => false,
        };
        lasts.then_some(Self::Waiting { what, why })
    }
}

/// What a source shop's list shows of an order that was pushed to it. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Received {
    /// When the push was confirmed.
    pub at: Timestamp,
    /// As the source shop's merchant sees it, e.g. `#5001`.
    pub name: String,
    /// The order that was placed, as its own merchant sees it.
    pub order_name: String,
    /// How many were pushed.
    pub units: u32,
    pub state: ReceivedState,
}

/// How far the source shop has come with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReceivedState {
    Unfulfilled,
    PartiallyFulfilled,
    Fulfilled,
    /// Cancelled there.
    Cancelled,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

impl ReceivedState {
    /// By how many of the units that were pushed were sent.
    #[must_use]
    pub fn of(cancelled: bool, sent: u32, units: u32) -> Self {
        match (cancelled, sent) {
            (true, _) => Self::Cancelled,
            (false, 0) => Self::Unfulfilled,
            (false, sent) if sent < units => Self::PartiallyFulfilled,
            (false, _) => Self::Fulfilled,
        }
    }
}
