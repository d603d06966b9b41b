//! Matching over any two shops: every variant is told of once, and nothing is ever guessed.

use proptest::prelude::*;

use super::*;
use crate::id::ProductId;
use crate::registry::{LinkTrouble, LinkTroubleCode};

fn variant(id: u64, sku: Option<&str>) -> Variant {
    Variant {
        id: VariantId::new(id),
        product: ProductId::new(id * 100),
        title: format!("Product {id}"),
        sku: sku.map(ToOwned::to_owned),
        barcode: None,
    }
}

fn shop(name: &str) -> ShopDomain {
    format!("{name}.myshopify.com").parse().unwrap()
}

fn asked() -> MatchRequest {
    MatchRequest { destination: shop("moon"), source: shop("sun"), by: MatchBy::Sku, after: None }
}

fn link(destination: u64, source: u64, by: LinkedBy) -> ProductLink {
    let at = |name, variant| (shop(name), VariantId::new(variant));
    ProductLink {
        destination_product: Some(ProductId::new(destination * 100)),
        source_product: Some(ProductId::new(source * 100)),
        by,
        ..ProductLink::given(at("moon", destination), at("sun", source))
    }
}

fn matched(destination: u64, source: u64, sku: &str) -> ProductLink {
    link(destination, source, LinkedBy::Matched { by: MatchBy::Sku, value: sku.into() })
}

fn plan(destination: &[Variant], source: &[Variant], known: &[ProductLink]) -> MatchPlan {
    let known = known.iter().map(|link| (link.destination_variant, link.clone())).collect();
    plan_match(&asked(), destination, source, &known, Timestamp::UNIX_EPOCH)
}

fn troubles(plan: &MatchPlan) -> Vec<(u64, LinkTroubleCode)> {
    let changed = plan.changes.iter().filter_map(|change| change.after.as_ref());
    changed.filter_map(|link| Some((link.destination_variant.number(), link.trouble.as_ref()?.code))).collect()
}

const SKUS: [Option<&str>; 6] = [None, Some("A"), Some(" A "), Some("a"), Some("B"), Some("  ")];

proptest! {
    #[test]
    fn each_variant_is_told_of_once_and_linked_only_where_one_carries_the_same(
        destination in prop::collection::vec(0_usize..6, 0..8), source in prop::collection::vec(0_usize..6, 0..8),
    ) {
        let variants = |from: u64, picks: &[usize]| -> Vec<Variant> {
            picks.iter().enumerate().map(|(n, pick)| variant(from + n as u64, SKUS[*pick])).collect()
        };
        let (destination, source) = (variants(1, &destination), variants(100, &source));
        let carry = |value: &str| source.iter().filter(|it| it.value(MatchBy::Sku) == Some(value)).count();

        let report = match_variants(&destination, &source, MatchBy::Sku);

        prop_assert_eq!(report.linked.len() + report.ambiguous.len() + report.missing.len(), destination.len());
        for Matched { destination, source, value } in &report.linked {
            prop_assert_eq!(destination.value(MatchBy::Sku), Some(value.as_str()));
            prop_assert_eq!(source.value(MatchBy::Sku), Some(value.as_str()));
            prop_assert_eq!(carry(value), 1);
        }
        for Ambiguous { value, sources, .. } in &report.ambiguous {
            prop_assert!(sources.len() > 1 && sources.len() == carry(value));
        }
        for Missing { destination, why } in &report.missing {
            match why {
                WhyMissing::NoValue => prop_assert_eq!(destination.value(MatchBy::Sku), None),
                WhyMissing::NotAtSource { value } => prop_assert_eq!(carry(value), 0),
            }
        }
    }
}

#[test]
fn a_variant_that_the_search_shows_twice_is_one() {
    let source = [variant(10, Some("A")), variant(10, Some("A"))];

    assert_eq!(match_variants(&[variant(1, Some("A"))], &source, MatchBy::Sku).linked.len(), 1);
}

#[test]
fn a_barcode_is_not_a_sku() {
    let by_code = |id, code: &str| Variant { barcode: Some(code.into()), ..variant(id, Some("S")) };
    let (destination, source) = ([by_code(1, "4006381333931")], [by_code(10, "4006381333931"), by_code(11, "B")]);

    assert_eq!(match_variants(&destination, &source, MatchBy::Barcode).linked[0].source.id, VariantId::new(10));
    assert_eq!(match_variants(&destination, &source, MatchBy::Sku).ambiguous.len(), 1);
}

#[test]
fn what_a_person_chose_and_what_another_store_ships_is_kept() {
    let destination = [1, 2, 3].map(|id| variant(id, Some("A")));
    let of_mars = ProductLink { source: shop("mars"), ..matched(3, 30, "A") };
    let known = [link(1, 99, LinkedBy::Given), link(2, 98, LinkedBy::Named { sku: "Z".into() }), of_mars];

    let source = [variant(10, Some("A")), variant(99, Some("A")), variant(98, Some("Z"))];
    let plan = plan(&destination, &source, &known);

    assert_eq!((plan.kept, plan.report, plan.changes), (3, Report::default(), vec![]));
}

#[test]
fn what_a_person_chose_is_judged_but_never_led_elsewhere() {
    let named = || link(1, 10, LinkedBy::Named { sku: "Z".into() });
    let after = |known: ProductLink, source: &[Variant], by: MatchBy| {
        let known = BTreeMap::from([(VariantId::new(1), known)]);
        let asked = MatchRequest { by, ..asked() };
        let plan = plan_match(&asked, &[variant(1, Some("A"))], source, &known, Timestamp::UNIX_EPOCH);
        let changed: Vec<ProductLink> = plan.changes.into_iter().filter_map(|change| change.after).collect();
        assert!(changed.iter().all(|link| link.source_variant == VariantId::new(10)), "{changed:?}");
        changed.first().map(|link| link.trouble.as_ref().map(|trouble| trouble.code))
    };
    let (own, other) = (variant(10, Some("Z")), variant(20, Some("Z")));
    let (duplicate, not_found) = (LinkTroubleCode::DuplicateSku, LinkTroubleCode::SkuNotFound);
    let troubled = |code| ProductLink {
        trouble: Some(LinkTrouble { code, at: Timestamp::UNIX_EPOCH, detail: "before".into(), products: vec![] }),
        ..named()
    };

    let sku = MatchBy::Sku;
    assert_eq!(after(named(), &[own.clone(), other.clone()], sku), Some(Some(duplicate)));
    assert_eq!(after(named(), &[variant(10, Some("Y")), other], sku), Some(Some(not_found)));
    assert_eq!(after(named(), &[], sku), Some(Some(not_found)));
    assert_eq!(after(link(1, 10, LinkedBy::Given), &[], sku), Some(Some(not_found)));
    for code in [duplicate, not_found] {
        assert_eq!(after(troubled(code), std::slice::from_ref(&own), sku), Some(None), "mended");
        assert_eq!(
            after(troubled(code), std::slice::from_ref(&own), MatchBy::Barcode),
            None,
            "SKUs were not searched for"
        );
    }
}

#[test]
fn a_match_that_is_made_again_writes_nothing() {
    let (destination, source) = ([variant(1, Some("A"))], [variant(10, Some("A"))]);
    let first = plan(&destination, &source, &[]);
    let [LinkChange { before: None, after: Some(link) }] = &first.changes[..] else { panic!("{first:?}") };

    let again = plan(&destination, &source, &[ProductLink { version: 4, ..link.clone() }]);

    assert_eq!((again.report, again.changes), (first.report, vec![]));
}

#[test]
fn a_match_finds_a_link_that_went_wrong_and_one_that_is_right_again() {
    let destination = [variant(1, Some("A")), variant(2, Some("B")), variant(3, Some("C")), variant(4, Some("D"))];
    let source = [variant(10, Some("A")), variant(11, Some("A")), variant(33, Some("C"))];
    let trouble = LinkTrouble {
        code: LinkTroubleCode::SkuNotFound,
        at: Timestamp::UNIX_EPOCH,
        detail: "gone".into(),
        products: vec![],
    };
    let mended = ProductLink { trouble: Some(trouble), ..matched(3, 30, "C") };
    // The fourth goes by a SKU that the destination's variant carries no more: its source is as it was.
    let known = [matched(1, 10, "A"), matched(2, 20, "B"), mended, matched(4, 40, "OLD")];

    let plan = plan(&destination, &source, &known);

    assert_eq!(troubles(&plan), [(1, LinkTroubleCode::DuplicateSku), (2, LinkTroubleCode::SkuNotFound)]);
    let mended = plan.changes[0].after.as_ref().unwrap();
    assert_eq!((mended.source_variant, &mended.trouble), (VariantId::new(33), &None));
    assert_eq!(plan.changes.len(), 3);
}

#[test]
fn a_link_whose_own_variant_lost_the_value_does_not_come_back_when_the_others_lose_it() {
    let known = matched(1, 10, "A");
    let source = [variant(10, Some("B")), variant(20, Some("A")), variant(30, Some("A"))];

    let plan = plan(&[variant(1, Some("A"))], &source, &[known]);

    assert_eq!(troubles(&plan), [(1, LinkTroubleCode::SkuNotFound)]);
}
