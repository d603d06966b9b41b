//! Codes in words, for those who have to act: docs/API.md, the help that the API links, and the command line.

use super::Code;

impl Code {
    /// What it means, in half a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::LocationUnmapped => {
                "several of the destination's locations wait for the line, and the place that it came from is mapped to none"
            }
            Self::ProductNotAtLocation => {
                "the location that the place is mapped to does not wait for the line, or not for so many, though others do"
            }
            Self::AlreadyShipped => "the destination order is fulfilled already, with other tracking",
            Self::ProductsMismatch => "what was shipped is not what the destination order still has to fulfill",
            Self::ChannelUnavailable => {
                "the store's API failed or was out of reach, or does not show what it took; tried again, parked after 5 attempts"
            }
            Self::IncompleteTracking => "a number without a URL, of a carrier that Shopify does not know",
            Self::AwaitingTracking => {
                "shipped without a number so far, and the connection says `wait`; parked after 24 hours"
            }
            Self::OnHold => "a fulfillment order is on hold or scheduled; waits as long as that lasts",
            Self::OrderCancelled => "the destination order was cancelled before all that was shipped was shown on it",
            Self::ShipmentCancelled => {
                "the fulfillment was cancelled or the label voided, the customer still sees it, and nothing took its place for 24 hours"
            }
            Self::OverwriteRejected => {
                "the tracking changed after it was written, and the connection forbids to replace it, or the store goes on showing the old"
            }
            Self::AccessDenied => {
                "the app lacks a scope; tried again, parked after 5 attempts. Also: no fulfillment orders to be seen for an hour. Of a store, also: it does not let us in, and is `paused` at once"
            }
            Self::OutcomeUnknown => "a call had no answer, and its effect could not be found out",
            Self::Rejected => "Shopify refused, in the words of `message`",
            Self::TooManyLines => "more than 250 lines for one store: Shopify takes no more in one call",
            Self::CurrencyMismatch => "the two stores have different currencies; so far only a reason of a refusal",
            Self::DuplicateOrder => "two source orders carry one key",
            Self::OrderChanged => {
                "the destination order changed between reading and writing; read and planned anew, parked after 5 attempts"
            }
            Self::Crashed => {
                "a task was delivered ten times and never finished: its function crashed, ran out of time, or lacks a right"
            }
            Self::Unknown => "a newer release wrote it",
        }
    }

    /// What a person does about it, in one line.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::LocationUnmapped => {
                "say which location of the destination store stands for the place: `roundtrip shop locations`; then redrive"
            }
            Self::ProductNotAtLocation => {
                "move the fulfillment order to that location, or map the place to another: `roundtrip shop locations`; \
                 then redrive"
            }
            Self::AlreadyShipped => {
                "see which tracking the destination store shows; if it is wrong, cancel that fulfillment, then redrive"
            }
            Self::ProductsMismatch => {
                "compare what was shipped with what the destination order still has to fulfill, mend the order, then redrive"
            }
            Self::ChannelUnavailable => "nothing, while it is tried again; once parked, redrive when the store answers",
            Self::IncompleteTracking => {
                "add the tracking URL, or a carrier that Shopify knows, to the source fulfillment or the label"
            }
            Self::AwaitingTracking => "add the tracking number to the source fulfillment; until then this waits",
            Self::OnHold => "release the hold in the destination store, or wait for the scheduled date",
            Self::OrderCancelled => {
                "nothing, if the goods stay; if they are on their way, tell the customer or recall them"
            }
            Self::ShipmentCancelled => {
                "cancel the fulfillment in the destination store, or ship again: the new shipment takes its place"
            }
            Self::OverwriteRejected => "replace the tracking by hand in the destination store",
            Self::AccessDenied => {
                "give the app back its access or scope, then `roundtrip shop add <domain>`; redrive if parked"
            }
            Self::OutcomeUnknown => "look in the store whether the call had an effect, then redrive",
            Self::Rejected => "mend what the message names, then redrive",
            Self::TooManyLines => "split the order: a store takes at most 250 lines",
            Self::CurrencyMismatch => "use the source store's prices: `roundtrip connect … --unit-price source`",
            Self::DuplicateOrder => "cancel all but one of these orders in the source store, then redrive",
            Self::OrderChanged => {
                "nothing, while it is tried again; once parked, see what keeps changing the order, then redrive"
            }
            Self::Crashed => "read the log of the function of that queue, mend what it names, then redrive",
            Self::Unknown => "update this command: the code is of a newer release",
        }
    }
}
