//! Waits in words.

use roundtrip_domain::step::WaitReason;

/// What is waited for, to stand after "waits until … for".
pub(super) fn awaited(why: WaitReason) -> &'static str {
    match why {
        WaitReason::Requested => "a worker to look at it",
        WaitReason::InFlight => "the answer to a call",
        WaitReason::Verifying => "the effect of a call to show",
        WaitReason::Backoff => "the next attempt",
        WaitReason::Throttled => "the store's rate limit",
        WaitReason::Resend => "being looked for again",
        WaitReason::OtherStep => "another step of this order",
        WaitReason::Routing => "Shopify to decide from where the order ships",
        WaitReason::AwaitingTracking => "a tracking number",
        WaitReason::OnHold => "a hold to end",
        WaitReason::Scheduled => "the day that it is scheduled for",
        WaitReason::Grace => "the grace of a young order to end",
        WaitReason::Replacement => "a shipment in the place of one that was called off",
        WaitReason::SubscriptionCheck => "the next look at its webhook subscriptions",
        WaitReason::ShopPaused => "a store that does not let us in",
        WaitReason::Announcing => "its dead-letter message to go out",
        WaitReason::Publishing => "the event bus to take its event",
        WaitReason::Unknown => "something that a newer release knows",
    }
}
