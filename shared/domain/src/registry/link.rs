//! A destination variant tied to the source variant that is shipped for it, and how that came about.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{ProductId, ShopDomain, VariantId};

/// A destination variant tied to the source variant that is shipped for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductLink {
    pub destination: ShopDomain,
    pub destination_variant: VariantId,
    pub source: ShopDomain,
    pub source_variant: VariantId,
    /// `None`: it was tied when products were not read yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_product: Option<ProductId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_product: Option<ProductId>,
    #[serde(default)]
    pub by: LinkedBy,
    /// Why nothing is pushed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<LinkTrouble>,
    /// Which writing of it this is; 0: it was not written since they are counted.
    #[serde(default)]
    pub version: u64,
}

impl ProductLink {
    /// A link that a person gave by both ids.
    #[must_use]
    pub fn given(
        (destination, destination_variant): (ShopDomain, VariantId),
        (source, source_variant): (ShopDomain, VariantId),
    ) -> Self {
        Self {
            destination,
            destination_variant,
            source,
            source_variant,
            destination_product: None,
            source_product: None,
            by: LinkedBy::Given,
            trouble: None,
            version: 0,
        }
    }

    /// Whether it says what `other` says, whichever of them was written when.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Self { version: other.version, ..self.clone() } == *other
    }
}

/// By which value variants are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MatchBy {
    Sku,
    Barcode,
}

impl fmt::Display for MatchBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sku => "SKU",
            Self::Barcode => "barcode",
        })
    }
}

/// How a link came about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LinkedBy {
    /// A person named both variants by their ids.
    #[default]
    Given,
    /// A person named the source variant by its SKU.
    Named { sku: String },
    /// Both variants carried the same value.
    Matched { by: MatchBy, value: String },
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

impl LinkedBy {
    /// Whether a person chose the source variant: no match puts another in its place.
    #[must_use]
    pub fn is_chosen(&self) -> bool {
        match self {
            Self::Given | Self::Named { .. } | Self::Unknown => true,
            Self::Matched { .. } => false,
        }
    }

    /// The value that the source variant, and no other, has to carry for the link to hold.
    #[must_use]
    pub fn value(&self) -> Option<(MatchBy, &str)> {
        match self {
            Self::Given | Self::Unknown => None,
            Self::Named { sku } => Some((MatchBy::Sku, sku)),
            Self::Matched { by, value } => Some((*by, value)),
        }
    }
}

/// What keeps a link from being used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkTrouble {
    pub code: LinkTroubleCode,
    /// Since when.
    pub at: Timestamp,
    pub detail: String,
    /// Other products whose change may end it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
}

/// Why a link is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LinkTroubleCode {
    /// The source variant is gone, or does not carry the value any more by which it was linked.
    SkuNotFound,
    /// Another variant of the source carries that value as well.
    DuplicateSku,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

/// A link as it was read, and as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkChange {
    /// `None`: there was none.
    pub before: Option<ProductLink>,
    /// `None`: it is taken away. Its version is the writer's matter.
    pub after: Option<ProductLink>,
}

impl LinkChange {
    /// A link where there was none.
    #[must_use]
    pub fn first(link: ProductLink) -> Self {
        Self { before: None, after: Some(link) }
    }

    /// The destination's variant that it is about; `None`: it is about nothing.
    #[must_use]
    pub fn at(&self) -> Option<(&ShopDomain, VariantId)> {
        let link = self.after.as_ref().or(self.before.as_ref())?;
        Some((&link.destination, link.destination_variant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_the_first_release_parses_as_one_that_was_given() {
        let stored = r#"{"destination":"moon.myshopify.com","destination_variant":"1","source":"sun.myshopify.com","source_variant":"2"}"#;

        let link: ProductLink = serde_json::from_str(stored).unwrap();

        assert_eq!((&link.by, &link.trouble, link.version), (&LinkedBy::Given, &None, 0));
        assert!(link.by.is_chosen() && link.by.value().is_none());
    }

    #[test]
    fn what_a_later_release_writes_of_a_link_parses_and_is_left_alone() {
        let stored = r#"{"destination":"moon.myshopify.com","destination_variant":"1","source":"sun.myshopify.com","source_variant":"2",
            "by":{"type":"guessed","how":"image"},"trouble":{"code":"OUT_OF_SEASON","at":"2026-11-22T08:00:00Z","detail":"?"},"version":7}"#;

        let link: ProductLink = serde_json::from_str(stored).unwrap();

        assert_eq!((&link.by, link.version), (&LinkedBy::Unknown, 7));
        assert_eq!(link.trouble.unwrap().code, LinkTroubleCode::Unknown);
        assert!(link.by.is_chosen());
    }
}
