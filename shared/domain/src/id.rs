//! Identities: which shop, which order, which line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A store's permanent domain, e.g. `moon-shop.myshopify.com`; lower case.
///
/// Only `*.myshopify.com` is taken: the value ends up in the host of the requests that carry our tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(pattern = r"^[a-z0-9][a-z0-9-]{0,59}\.myshopify\.com$", example = "moon-shop.myshopify.com")]
pub struct ShopDomain(String);

/// Why a text is not a [`ShopDomain`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a shop domain: give the store's permanent domain, e.g. moon-shop.myshopify.com")]
pub struct InvalidShopDomain(String);

impl FromStr for ShopDomain {
    type Err = InvalidShopDomain;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let domain = text.trim().to_ascii_lowercase();
        let valid = domain.strip_suffix(".myshopify.com").is_some_and(|name| {
            (1..=60).contains(&name.len())
                && !name.starts_with('-')
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
        if valid { Ok(Self(domain)) } else { Err(InvalidShopDomain(text.chars().take(80).collect())) }
    }
}

impl ShopDomain {
    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShopDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ShopDomain {
    type Error = InvalidShopDomain;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ShopDomain> for String {
    fn from(shop: ShopDomain) -> Self {
        shop.0
    }
}

/// Why a text is not one of Shopify's ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a Shopify {kind} id: give the number, e.g. 5512345678901, or gid://shopify/{kind}/5512345678901"
)]
pub struct InvalidId {
    kind: &'static str,
    text: String,
}

macro_rules! shopify_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        ///
        /// Shown and stored as the plain number (as text: it may outgrow what a JSON number carries safely).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = "^[1-9][0-9]{0,18}$", example = "5512345678901")]
        pub struct $name(u64);

        impl $name {
            /// The id that Shopify writes as this number.
            #[must_use]
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number alone, as in a REST body or an admin address.
            #[must_use]
            pub const fn number(self) -> u64 {
                self.0
            }

            /// The global id that the GraphQL API takes.
            #[must_use]
            pub fn gid(self) -> String {
                format!(concat!("gid://shopify/", $kind, "/{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let number = text.strip_prefix(concat!("gid://shopify/", $kind, "/")).unwrap_or(text);
                // A gid may carry a query (`?id=true` on events); the number stands before it.
                let number = number.split('?').next().unwrap_or(number);
                match number.parse() {
                    Ok(n) if n > 0 => Ok(Self(n)),
                    _ => Err(InvalidId { kind: $kind, text: text.chars().take(80).collect() }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.to_string()
            }
        }
    };
}

shopify_id!(/// An order.
    OrderId, "Order");
shopify_id!(/// A line of an order.
    LineItemId, "LineItem");
shopify_id!(/// A product: one or more variants.
    ProductId, "Product");
shopify_id!(/// A product variant: what a product link ties together.
    VariantId, "ProductVariant");
shopify_id!(/// Goods that were sent.
    FulfillmentId, "Fulfillment");
shopify_id!(/// Work that a location must do.
    FulfillmentOrderId, "FulfillmentOrder");
shopify_id!(/// A line of a fulfillment order.
    FulfillmentOrderLineItemId, "FulfillmentOrderLineItem");
shopify_id!(/// A place that goods are sent from.
    LocationId, "Location");

/// One order of one shop: the subject of most tasks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct OrderRef {
    pub shop: ShopDomain,
    pub id: OrderId,
}

impl fmt::Display for OrderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.shop, self.id)
    }
}

/// A label that a label tool bought, by the tool's own name for it.
///
/// Stands in keys of the ledger and in step ids: letters, digits, `.`, `_` and `-`, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(pattern = "^[A-Za-z0-9._-]{1,64}$", example = "se-1")]
pub struct LabelId(String);

/// Why a text is not a [`LabelId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a label id: give 1 to 64 letters, digits, dots, dashes or underscores")]
pub struct InvalidLabelId(String);

impl FromStr for LabelId {
    type Err = InvalidLabelId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let valid = (1..=64).contains(&text.len()) && text.bytes().all(plain);
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidLabelId(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for LabelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for LabelId {
    type Error = InvalidLabelId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LabelId> for String {
    fn from(label: LabelId) -> Self {
        label.0
    }
}

/// What is to be shown on a destination order: a fulfillment of a source order that was pushed from it,
/// or a label that was bought for the order itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ShipmentId {
    Fulfillment { source: OrderRef, id: FulfillmentId },
    Label(LabelId),
}

impl ShipmentId {
    /// Whether it was shipped of `order`.
    #[must_use]
    pub fn is_of(&self, order: &OrderRef) -> bool {
        match self {
            Self::Fulfillment { source, .. } => source == order,
            Self::Label(_) => false,
        }
    }

    /// Whether a label tool told of it.
    #[must_use]
    pub fn is_label(&self) -> bool {
        matches!(self, Self::Label(_))
    }

    /// The order whose task sees to it; `destination` is the one that is to show it.
    #[must_use]
    pub fn looked_at_from<'a>(&'a self, destination: &'a OrderRef) -> &'a OrderRef {
        match self {
            Self::Fulfillment { source, .. } => source,
            Self::Label(_) => destination,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_domain_is_a_permanent_domain_and_nothing_else() {
        for good in ["moon-shop.myshopify.com", " Moon-Shop.myshopify.com ", "1.myshopify.com"] {
            assert!(good.parse::<ShopDomain>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "moon-shop",
            "moon.example.com",
            ".myshopify.com",
            "-a.myshopify.com",
            "a.b.myshopify.com",
            "a/../b.myshopify.com",
            "evil.com#.myshopify.com",
            "evil.com/.myshopify.com",
            "a@b.myshopify.com",
        ] {
            assert!(bad.parse::<ShopDomain>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_label_id_is_safe_in_a_key() {
        assert_eq!("se-12.3_A".parse::<LabelId>().unwrap().to_string(), "se-12.3_A");
        for bad in ["", "a/b", "a#b", "a b", "é", &"x".repeat(65)] {
            assert!(bad.parse::<LabelId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_is_a_number_or_a_gid_of_its_own_kind() {
        assert_eq!("gid://shopify/Order/42".parse(), Ok(OrderId::new(42)));
        assert_eq!("42".parse(), Ok(OrderId::new(42)));
        assert_eq!(OrderId::new(42).gid(), "gid://shopify/Order/42");
        for bad in ["gid://shopify/LineItem/42", "0", "-1", "abc", "", "42 "] {
            assert!(bad.parse::<OrderId>().is_err(), "{bad}");
        }
    }
}
