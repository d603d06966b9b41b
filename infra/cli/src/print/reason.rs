//! Codes and waits in words.

use roundtrip_domain::code::Code;
use roundtrip_domain::step::WaitReason;

/// What a person does about `code`, in one line.
pub(super) fn remedy(code: Code) -> &'static str {
    match code {
        Code::LocationUnmapped => {
            "say which location of the destination store stands for the place: `roundtrip shop locations`; then redrive"
        }
        Code::ProductNotAtLocation => {
            "move the fulfillment order to that location, or map the place to another: `roundtrip shop locations`; \
             then redrive"
        }
        Code::AlreadyShipped => {
            "see which tracking the destination store shows; if it is wrong, cancel that fulfillment, then redrive"
        }
        Code::ProductsMismatch => {
            "compare what was shipped with what the destination order still has to fulfill, mend the order, then redrive"
        }
        Code::ChannelUnavailable => "nothing, while it is tried again; once parked, redrive when the store answers",
        Code::IncompleteTracking => {
            "add the tracking URL, or a carrier that Shopify knows, to the source fulfillment or the label"
        }
        Code::AwaitingTracking => "add the tracking number to the source fulfillment; until then this waits",
        Code::OnHold => "release the hold in the destination store, or wait for the scheduled date",
        Code::OrderCancelled => {
            "nothing, if the goods stay; if they are on their way, tell the customer or recall them"
        }
        Code::ShipmentCancelled => {
            "cancel the fulfillment in the destination store, or ship again: the new shipment takes its place"
        }
        Code::OverwriteRejected => "replace the tracking by hand in the destination store",
        Code::AccessDenied => {
            "give the app back its access or scope, then `roundtrip shop add <domain>`; redrive if parked"
        }
        Code::OutcomeUnknown => "look in the store whether the call had an effect, then redrive",
        Code::Rejected => "mend what the message names, then redrive",
        Code::TooManyLines => "split the order: a store takes at most 250 lines",
        Code::CurrencyMismatch => "use the source store's prices: `roundtrip connect … --unit-price source`",
        Code::DuplicateOrder => "cancel all but one of these orders in the source store, then redrive",
        Code::OrderChanged => {
            "nothing, while it is tried again; once parked, see what keeps changing the order, then redrive"
        }
        Code::Unknown => "update this command: the code is of a newer release",
    }
}

/// What is waited for, to stand after "waits until … for".
pub(super) fn awaited(why: WaitReason) -> &'static str {
    match why {
        WaitReason::Requested => "a worker to look at it",
        WaitReason::InFlight => "the answer to a call",
        WaitReason::Verifying => "the effect of a call that had no answer",
        WaitReason::Backoff => "the next attempt",
        WaitReason::Throttled => "the store's rate limit",
        WaitReason::OtherStep => "another step of this order",
        WaitReason::Routing => "Shopify to decide from where the order ships",
        WaitReason::AwaitingTracking => "a tracking number",
        WaitReason::OnHold => "a hold to end",
        WaitReason::Scheduled => "the day that it is scheduled for",
        WaitReason::Grace => "the grace of a young order to end",
        WaitReason::Replacement => "a shipment in the place of one that was called off",
        WaitReason::ShopPaused => "a store that does not let us in",
        WaitReason::Announcing => "its dead-letter message to go out",
        WaitReason::Publishing => "the event bus to take its event",
        WaitReason::Unknown => "something that a newer release knows",
    }
}
