//! Which links have to be looked at when a product changes.

use std::collections::BTreeSet;

use super::Variant;
use crate::id::{ProductId, ShopDomain};
use crate::registry::{MatchBy, ProductLink};

/// Something of a shop whose change concerns a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Watch {
    Product(ProductId),
    /// A SKU or barcode that a variant carries.
    Value(MatchBy, String),
}

impl Watch {
    /// All that concerns `link`, with the shop whose it is.
    #[must_use]
    pub fn of_link(link: &ProductLink) -> BTreeSet<(ShopDomain, Self)> {
        let at_source = |watch| (link.source.clone(), watch);
        let destination = link.destination_product.map(|product| (link.destination.clone(), Self::Product(product)));
        let others = link.trouble.iter().flat_map(|trouble| trouble.products.iter().copied());
        let products = link.source_product.into_iter().chain(others).map(Self::Product);
        let value = link.by.value().map(|(by, value)| Self::Value(by, value.to_owned()));
        destination.into_iter().chain(products.chain(value).map(at_source)).collect()
    }

    /// What a change of `product` means, now that it has `variants`.
    #[must_use]
    pub fn of_product(product: ProductId, variants: &[Variant]) -> BTreeSet<Self> {
        let values = variants.iter().flat_map(|variant| {
            let value = |by| Some(Self::Value(by, variant.value(by)?.to_owned()));
            [MatchBy::Sku, MatchBy::Barcode].into_iter().filter_map(value)
        });
        values.chain([Self::Product(product)]).collect()
    }

    /// Whether a change of one of `watched` in `shop` concerns `link`.
    #[must_use]
    pub fn concerns(watched: &BTreeSet<Self>, shop: &ShopDomain, link: &ProductLink) -> bool {
        Self::of_link(link).iter().any(|(of, watch)| of == shop && watched.contains(watch))
    }
}
