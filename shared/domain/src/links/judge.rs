//! What a product, as it is now, says of a link: a plain function.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Variant;
use crate::id::ProductId;
use crate::registry::{LinkTrouble, LinkTroubleCode, MatchBy, ProductLink};

/// Of very many doubles the first are named: when these are gone, a look finds the next.
const MAX_NAMED: usize = 4;

/// A product of the source as it is now.
#[derive(Debug, Clone, Copy)]
pub struct ProductSight<'a> {
    pub product: ProductId,
    /// None: the product is gone.
    pub variants: &'a [Variant],
    /// What a search finds elsewhere in the shop for the values that its links go by. It may be a moment behind, so that
    /// it proves that a variant is there, never that none is.
    pub elsewhere: &'a [Variant],
}

/// What is wrong with a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: LinkTroubleCode,
    pub detail: String,
    /// Other products that have to do with it.
    pub products: Vec<ProductId>,
}

impl Finding {
    pub(super) fn not_found(detail: String) -> Self {
        Self { code: LinkTroubleCode::SkuNotFound, detail, products: Vec::new() }
    }

    /// Several source variants carry the value.
    pub(super) fn duplicate(by: MatchBy, value: &str, others: &[&Variant]) -> Self {
        let ids: Vec<String> = others.iter().take(MAX_NAMED).map(|variant| variant.id.to_string()).collect();
        let more = if others.len() > MAX_NAMED { " and others" } else { "" };
        let products: BTreeSet<ProductId> = others.iter().map(|variant| variant.product).collect();
        Self {
            code: LinkTroubleCode::DuplicateSku,
            detail: format!("the source has the {by} `{value}` on variant {}{more} as well", ids.join(", ")),
            products: products.into_iter().take(MAX_NAMED).collect(),
        }
    }

    /// No source variant carries the value.
    pub(super) fn nobody_carries(by: MatchBy, value: &str) -> Self {
        Self::not_found(format!("no variant of the source has the {by} `{value}`"))
    }

    /// As it is kept with a link that has `known`: what is said again stands since it was said first.
    pub(super) fn since(self, known: Option<&LinkTrouble>, now: Timestamp) -> LinkTrouble {
        let Self { code, detail, products } = self;
        let is_same = |known: &&LinkTrouble| known.code == code && known.detail == detail && known.products == products;
        let at = known.filter(is_same).map_or(now, |known| known.at);
        LinkTrouble { code, at, detail, products }
    }
}

/// What is wrong with `link`, now that a product of its source is as `seen`; `None`: nothing.
///
/// A product tells for sure of its own variants. Another one can only add a variant that carries the link's value, or take
/// that away again.
#[must_use]
pub fn judge(link: &ProductLink, seen: &ProductSight<'_>) -> Option<Finding> {
    let source_variant = seen.variants.iter().find(|variant| variant.id == link.source_variant);
    let is_of_the_product = source_variant.is_some() || link.source_product == Some(seen.product);
    let kept = || {
        let known = link.trouble.as_ref()?;
        Some(Finding { code: known.code, detail: known.detail.clone(), products: known.products.clone() })
    };
    if !is_of_the_product && (link.by.value().is_none() || is_unfound(link)) {
        return kept();
    }
    if is_of_the_product && source_variant.is_none() {
        return Some(gone(link));
    }
    let elsewhere = seen.elsewhere.iter().filter(|variant| variant.product != seen.product);
    by_value(link, source_variant, seen.variants.iter().chain(elsewhere))
}

/// What is wrong with `link`, of whose source `variants` hold its own variant, if that is there, and all that carry its value;
/// `None`: nothing.
pub(super) fn judge_among(link: &ProductLink, variants: &[Variant]) -> Option<Finding> {
    match variants.iter().find(|variant| variant.id == link.source_variant) {
        Some(own) => by_value(link, Some(own), variants.iter()),
        None => Some(gone(link)),
    }
}

fn gone(link: &ProductLink) -> Finding {
    Finding::not_found(format!("the source has no variant {} any more", link.source_variant))
}

/// What the value that a link goes by says of it. `own`: its source variant, if that was looked at.
fn by_value<'a>(
    link: &ProductLink,
    own: Option<&Variant>,
    others: impl Iterator<Item = &'a Variant>,
) -> Option<Finding> {
    let (by, value) = link.by.value()?;
    if let Some(variant) = own
        && variant.value(by) != Some(value)
    {
        let now = variant.value(by).map_or_else(|| format!("no {by}"), |now| format!("the {by} `{now}`"));
        return Some(Finding::not_found(format!("variant {} has {now} now, and had `{value}`", variant.id)));
    }
    let others = others.filter(|variant| variant.id != link.source_variant && variant.value(by) == Some(value));
    let others: Vec<&Variant> = others.collect();
    (!others.is_empty()).then(|| Finding::duplicate(by, value, &others))
}

/// Whether its own product has said that it leads nowhere.
fn is_unfound(link: &ProductLink) -> bool {
    link.trouble.as_ref().is_some_and(|trouble| trouble.code != LinkTroubleCode::DuplicateSku)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::VariantId;
    use crate::registry::LinkedBy;

    fn variant(id: u64, product: u64, sku: &str) -> Variant {
        Variant {
            id: VariantId::new(id),
            product: ProductId::new(product),
            title: format!("Product {product}"),
            sku: (!sku.is_empty()).then(|| sku.to_owned()),
            barcode: None,
        }
    }

    fn link(by: LinkedBy) -> ProductLink {
        let at = |name: &str, variant| (format!("{name}.myshopify.com").parse().unwrap(), VariantId::new(variant));
        ProductLink { by, source_product: Some(ProductId::new(1)), ..ProductLink::given(at("moon", 1), at("sun", 10)) }
    }

    fn by_sku() -> ProductLink {
        link(LinkedBy::Matched { by: MatchBy::Sku, value: "A".into() })
    }

    fn code(link: &ProductLink, product: u64, variants: &[Variant], elsewhere: &[Variant]) -> Option<LinkTroubleCode> {
        judge(link, &ProductSight { product: ProductId::new(product), variants, elsewhere }).map(|it| it.code)
    }

    fn troubled(code: LinkTroubleCode) -> ProductLink {
        let at = Timestamp::UNIX_EPOCH;
        let trouble = LinkTrouble { code, at, detail: "before".into(), products: vec![ProductId::new(2)] };
        ProductLink { trouble: Some(trouble), ..by_sku() }
    }

    use LinkTroubleCode::{DuplicateSku, SkuNotFound};

    #[test]
    fn a_link_holds_while_its_variant_alone_carries_the_value() {
        assert_eq!(code(&by_sku(), 1, &[variant(10, 1, " A "), variant(11, 1, "B")], &[variant(10, 1, "A")]), None);
        assert_eq!(code(&by_sku(), 1, &[variant(10, 1, "a")], &[]), Some(SkuNotFound), "compared as it is written");
        assert_eq!(code(&by_sku(), 1, &[variant(10, 1, "")], &[]), Some(SkuNotFound));
        assert_eq!(code(&by_sku(), 1, &[variant(11, 1, "A")], &[]), Some(SkuNotFound), "gone: never the next best");
        assert_eq!(code(&by_sku(), 1, &[], &[]), Some(SkuNotFound));
        assert_eq!(code(&by_sku(), 1, &[variant(10, 1, "A"), variant(11, 1, "A")], &[]), Some(DuplicateSku));
        assert_eq!(code(&by_sku(), 1, &[variant(10, 1, "A")], &[variant(20, 2, "A")]), Some(DuplicateSku));
    }

    #[test]
    fn a_link_by_ids_minds_only_whether_its_variant_is_there() {
        let given = link(LinkedBy::Given);

        assert_eq!(code(&given, 1, &[variant(10, 1, "other"), variant(11, 1, "other")], &[]), None);
        assert_eq!(code(&given, 1, &[variant(11, 1, "A")], &[]), Some(SkuNotFound));
        assert_eq!(code(&given, 2, &[variant(20, 2, "A")], &[]), None, "another product's matter");
    }

    #[test]
    fn another_product_adds_a_double_and_takes_it_away() {
        assert_eq!(code(&by_sku(), 2, &[variant(20, 2, "A")], &[]), Some(DuplicateSku));
        assert_eq!(code(&troubled(DuplicateSku), 2, &[variant(20, 2, "B")], &[variant(10, 1, "A")]), None);
        assert_eq!(code(&troubled(DuplicateSku), 2, &[], &[variant(30, 3, "A")]), Some(DuplicateSku), "a third one");
        assert_eq!(code(&troubled(SkuNotFound), 2, &[variant(20, 2, "A")], &[]), Some(SkuNotFound), "it stays lost");
        assert_eq!(code(&troubled(SkuNotFound), 1, &[variant(10, 1, "A")], &[]), None, "its own product has it again");
    }

    #[test]
    fn what_the_search_says_of_the_product_itself_is_old() {
        assert_eq!(code(&by_sku(), 1, &[variant(10, 1, "A")], &[variant(11, 1, "A")]), None);
    }

    #[test]
    fn what_is_found_again_stands_since_it_was_found_first() {
        let early = Timestamp::UNIX_EPOCH;
        let later: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let seen = ProductSight { product: ProductId::new(1), variants: &[], elsewhere: &[] };

        let first = judge(&by_sku(), &seen).unwrap().since(None, early);

        assert_eq!(judge(&by_sku(), &seen).unwrap().since(Some(&first), later), first);
        assert_eq!(judge(&by_sku(), &seen).unwrap().since(None, later).at, later);
    }

    proptest! {
        /// However a shop's variants carry two values: a link by SKU is without trouble if and only if its variant, and
        /// no other, carries the value, whichever product is looked at last.
        #[test]
        fn no_trouble_means_one_variant(skus in prop::collection::vec(0_u8..3, 1..7), last in 1_u64..4) {
            let shop: Vec<Variant> = skus.iter().enumerate()
                .map(|(n, sku)| variant(10 + n as u64, 1 + n as u64 / 2, ["", "A", "B"][usize::from(*sku)]))
                .collect();
            let mut link = by_sku();

            // Each product in turn, the last one of them twice.
            for product in (1..4).chain([last]) {
                let own: Vec<Variant> = shop.iter().filter(|it| it.product.number() == product).cloned().collect();
                let seen = ProductSight { product: ProductId::new(product), variants: &own, elsewhere: &shop };
                link.trouble = judge(&link, &seen).map(|it| it.since(None, Timestamp::UNIX_EPOCH));
            }

            let carry: Vec<u64> = shop.iter().filter(|it| it.sku.as_deref() == Some("A")).map(|it| it.id.number()).collect();
            prop_assert_eq!(link.trouble.is_none(), carry == [10], "{:?}", link.trouble);
        }
    }
}
