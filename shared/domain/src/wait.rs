//! What a step waits for, and until when.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A wait: until when, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Wait {
    pub until: Timestamp,
    pub why: WaitReason,
    /// Since when it has waited for this; renewing a wait keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What it waited for before, and since when, if this is but an interruption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<(WaitReason, Timestamp)>,
}

impl Wait {
    /// Since when it has waited for `why`.
    pub(crate) fn since(&self, why: WaitReason) -> Option<Timestamp> {
        let interrupted = self.interrupted.filter(|(before, _)| *before == why).map(|(_, since)| since);
        self.since.filter(|_| self.why == why).or(interrupted)
    }

    /// What it waits for in the world, and since when.
    pub(crate) fn for_the_world(self) -> Option<(WaitReason, Timestamp)> {
        if self.why.forbids_calls() { self.interrupted } else { Some((self.why, self.since?)) }
    }
}

/// What a step waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaitReason {
    /// Somebody asked, and nobody has looked yet.
    Requested,
    /// Somebody wants it to be looked for again, though it was shown.
    Resend,
    /// A call is on its way; its worker settles it, or the quarantine ends.
    InFlight,
    /// A call had no answer, or is carried out later; its effect is being looked for.
    Verifying,
    /// A failure; the next attempt comes later.
    Backoff,
    /// The shop's rate limit.
    Throttled,
    /// Another step of this order is in flight.
    OtherStep,
    /// Shopify has not decided yet from where the order ships.
    Routing,
    /// Shipped without a number so far.
    AwaitingTracking,
    /// A fulfillment order is on hold.
    OnHold,
    /// The order is too young to be pushed without being asked for.
    Grace,
    /// A fulfillment order is scheduled for later.
    Scheduled,
    /// What was written was called off at the source; another shipment may take its place.
    Replacement,
    /// A shop does not let us in.
    ShopPaused,
    /// Connected; each hour it is looked whether the shop still tells us of everything.
    SubscriptionCheck,
    /// Parked, but its dead-letter message is not known to be out.
    Announcing,
    /// Done, but the event bus has not taken the event.
    Publishing,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

impl WaitReason {
    /// Whether nothing may be called before the wait is over. The other waits end as soon as the world
    /// changes, so any look may end them.
    #[must_use]
    pub fn forbids_calls(self) -> bool {
        match self {
            Self::InFlight | Self::Verifying | Self::Backoff | Self::Throttled | Self::ShopPaused => true,
            Self::Requested
            | Self::Resend
            | Self::OtherStep
            | Self::Routing
            | Self::AwaitingTracking
            | Self::OnHold
            | Self::Scheduled
            | Self::Grace
            | Self::Replacement
            | Self::SubscriptionCheck
            | Self::Announcing
            | Self::Publishing
            | Self::Unknown => false,
        }
    }

    /// Whether it ends with what somebody does in a shop, and nothing is wrong meanwhile.
    #[must_use]
    pub(crate) fn is_for_the_world(self) -> bool {
        match self {
            Self::Routing
            | Self::AwaitingTracking
            | Self::OnHold
            | Self::Grace
            | Self::Scheduled
            | Self::Replacement => true,
            Self::Requested
            | Self::Resend
            | Self::InFlight
            | Self::Verifying
            | Self::Backoff
            | Self::Throttled
            | Self::OtherStep
            | Self::ShopPaused
            | Self::SubscriptionCheck
            | Self::Announcing
            | Self::Publishing
            | Self::Unknown => false,
        }
    }

    /// Whether it says nothing of the world: the step is as it should be, and somebody is only still to hear of it.
    #[must_use]
    pub(crate) fn is_heard_later(self) -> bool {
        matches!(self, Self::Publishing | Self::Requested)
    }

    /// As stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Resend => "resend",
            Self::InFlight => "in-flight",
            Self::Verifying => "verifying",
            Self::Backoff => "backoff",
            Self::Throttled => "throttled",
            Self::OtherStep => "other-step",
            Self::Routing => "routing",
            Self::AwaitingTracking => "awaiting-tracking",
            Self::OnHold => "on-hold",
            Self::Scheduled => "scheduled",
            Self::Grace => "grace",
            Self::Replacement => "replacement",
            Self::ShopPaused => "shop-paused",
            Self::SubscriptionCheck => "subscription-check",
            Self::Announcing => "announcing",
            Self::Publishing => "publishing",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
