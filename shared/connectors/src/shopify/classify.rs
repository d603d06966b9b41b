//! The one table from Shopify's refusals to our codes. The payloads of fulfillmentCreate carry no
//! code, so the words decide; words that we do not know are `REJECTED`, and kept as they came.

use std::time::Duration;

use roundtrip_domain::channel::ChannelError;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::ShopDomain;

use super::answer::short;
use super::wire::UserError;

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Refused(Code),
    /// Nothing was done; ask again after so many seconds.
    Later(u64),
    /// The value that must be unique is taken: our own order may be there. Find out.
    MayBeThere,
}

/// How a message is recognised.
enum Words {
    StartsWith(&'static str),
    Contains(&'static str),
}

use Meaning::{Later, MayBeThere, Refused};
use Words::{Contains, StartsWith};

/// First match counts. Source: recorded answers of a development store (2025-01 to 2026-04).
const TABLE: &[(Words, Meaning)] = &[
    // orderCreate: five a minute in a development or trial store.
    (StartsWith("Too many attempts"), Later(60)),
    (Contains("has already been taken"), MayBeThere),
    (Contains("must be unique"), MayBeThere),
    // fulfillmentCreate
    (Contains("has an unfulfillable status= closed"), Refused(Code::AlreadyShipped)),
    (Contains("has an unfulfillable status= cancelled"), Refused(Code::OrderCancelled)),
    (Contains("has an unfulfillable status= on_hold"), Refused(Code::OnHold)),
    (Contains("has an unfulfillable status= scheduled"), Refused(Code::OnHold)),
    (StartsWith("Invalid fulfillment order line item quantity requested"), Refused(Code::ProductsMismatch)),
    (StartsWith("Fulfillment order line item does not exist"), Refused(Code::ProductsMismatch)),
    (StartsWith("Fulfillment order does not exist"), Refused(Code::ProductsMismatch)),
];

fn meaning(message: &str) -> Meaning {
    let recognised = TABLE.iter().find(|(words, _)| match words {
        StartsWith(start) => message.starts_with(start),
        Contains(part) => message.contains(part),
    });
    recognised.map_or(Refused(Code::Rejected), |(_, meaning)| *meaning)
}

/// The error that `errors` are; `Ok` if there are none.
pub(super) fn check(shop: &ShopDomain, errors: &[UserError], request_id: Option<String>) -> Result<(), ChannelError> {
    let Some(first) = errors.first() else { return Ok(()) };
    let shop = shop.clone();
    let texts: Vec<String> = errors.iter().map(UserError::text).collect();
    let message = short(&texts.join("; "));
    Err(match meaning(&first.message) {
        Refused(code) => ChannelError::Refused { shop, code, message, request_id },
        Later(seconds) => ChannelError::Throttled { shop, retry_after: Duration::from_secs(seconds), request_id },
        MayBeThere => ChannelError::NoAnswer { shop, message, request_id, source: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_recorded_refusal_has_its_meaning() {
        let cases = [
            ("Too many attempts. Please try again later.", Later(60)),
            ("Fulfillment order 9878523576626 has an unfulfillable status= closed.", Refused(Code::AlreadyShipped)),
            ("Invalid fulfillment order line item quantity requested.", Refused(Code::ProductsMismatch)),
            ("Fulfillment order line item does not exist.", Refused(Code::ProductsMismatch)),
            ("Fulfillment order does not exist.", Refused(Code::ProductsMismatch)),
            ("Line items must have at least one line item", Refused(Code::Rejected)),
            ("Value has already been taken", MayBeThere),
            ("something that nobody has seen yet", Refused(Code::Rejected)),
        ];
        for (message, expected) in cases {
            assert_eq!(meaning(message), expected, "{message}");
        }
    }

    #[test]
    fn what_is_not_known_is_kept_in_shopifys_words() {
        let errors = [UserError { field: Some(vec!["order".into(), "email".into()]), message: "is odd".into() }];

        let error = check(&"moon.myshopify.com".parse().unwrap(), &errors, Some("r-1".into())).unwrap_err();

        assert_eq!(error.to_string(), "moon.myshopify.com refused: order.email: is odd");
        assert_eq!((error.code(), error.request_id()), (Code::Rejected, Some("r-1")));
    }
}
