use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::{OrderRef, ShopDomain};

/// What makes a source order *the* one for a group of lines: the same inputs give the same key, in every
/// worker and for ever. Carried to Shopify as `sourceIdentifier` and as a unique `id` metafield.
///
/// Says nothing about the order to who reads it: a hash, `rt1-` and 40 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderKey(String);

const PREFIX: &str = "rt1-";
const HEX_DIGITS: usize = 40;

/// Why a text is not an [`OrderKey`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Roundtrip order key")]
pub struct NotOurKey;

impl OrderKey {
    /// The key of `group` of `order`'s lines at `source`.
    #[must_use]
    pub fn new(order: &OrderRef, source: &ShopDomain, group: u32) -> Self {
        // A zero byte parts the fields: no domain or number holds one.
        let input = format!("{}\0{}\0{source}\0{group}", order.shop, order.id);
        let digest = hex::encode(Sha256::digest(input.as_bytes()));
        Self(format!("{PREFIX}{}", &digest[..HEX_DIGITS]))
    }

    /// The key as Shopify carries it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrderKey {
    type Err = NotOurKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(PREFIX).ok_or(NotOurKey)?;
        let ours = digits.len() == HEX_DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if ours { Ok(Self(text.to_owned())) } else { Err(NotOurKey) }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for OrderKey {
    type Error = NotOurKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OrderKey> for String {
    fn from(key: OrderKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::OrderId;

    fn order(id: u64) -> OrderRef {
        OrderRef { shop: "moon.myshopify.com".parse().unwrap(), id: OrderId::new(id) }
    }

    #[test]
    fn a_key_never_changes() {
        // Keys stand in merchants' orders: another value here would make doubles of everything in flight.
        let key = OrderKey::new(&order(42), &"sun.myshopify.com".parse().unwrap(), 1);

        assert_eq!(key.as_str(), GOLDEN);
    }
    const GOLDEN: &str = "rt1-7d57a44d680db5019fe9925c2e5bacd4336b8ae6";

    #[test]
    fn each_order_source_and_group_has_its_own_key() {
        let sun: ShopDomain = "sun.myshopify.com".parse().unwrap();
        let mars: ShopDomain = "mars.myshopify.com".parse().unwrap();
        let keys = [
            OrderKey::new(&order(42), &sun, 1),
            OrderKey::new(&order(42), &sun, 2),
            OrderKey::new(&order(42), &mars, 1),
            OrderKey::new(&order(43), &sun, 1),
        ];

        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();

        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn only_our_own_keys_parse() {
        let key = OrderKey::new(&order(42), &"sun.myshopify.com".parse().unwrap(), 1);

        assert_eq!(key.as_str().parse(), Ok(key.clone()));
        for other in ["", "rt1-", "580111", "rt1-xyz", &key.as_str().to_uppercase()] {
            assert!(other.parse::<OrderKey>().is_err(), "{other}");
        }
    }
}
