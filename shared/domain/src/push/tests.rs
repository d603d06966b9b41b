//! The push plan over every combination of what may be wrong.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Case, PushMode, PushPlan, RULES, Refusal, RefusalReason, draft, groups, plan_push, tab, verdicts};
use crate::id::{LineItemId, OrderId, OrderRef, ShopDomain, VariantId};
use crate::money::Money;
use crate::order::{Address, FinancialStatus, FulfillmentStatus, Line, Order, PersonName};
use crate::record::Tab;
use crate::registry::{
    Connection, ConnectionSettings, LinkTrouble, LinkTroubleCode, Links, ProductLink, SettingsChange, Shop, ShopFacts,
    ShopSettings, UnitPrice,
};

fn shop(name: &str) -> ShopDomain {
    format!("{name}.myshopify.com").parse().unwrap()
}

fn money(amount: &str) -> Money {
    Money { amount: amount.parse().unwrap(), currency: "EUR".parse().unwrap() }
}

fn line(id: u64, quantity: u32) -> Line {
    Line {
        id: LineItemId::new(id),
        title: format!("Product {id}"),
        sku: None,
        variant: Some(VariantId::new(id)),
        quantity,
        requires_shipping: true,
        unit_price: money("10.00"),
        attributes: Vec::new(),
    }
}

fn order(lines: Vec<Line>) -> Order {
    let named = |name: &str| Some(name.to_owned());
    Order {
        at: OrderRef { shop: shop("moon"), id: OrderId::new(42) },
        name: "#1042".into(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        cancelled_at: None,
        cancel_reason: None,
        test: false,
        financial_status: FinancialStatus::Paid,
        fulfillment_status: FulfillmentStatus::Unfulfilled,
        tags: Vec::new(),
        note: None,
        attributes: Vec::new(),
        email: named("ada@example.com"),
        phone: None,
        customer: Some(PersonName { first: named("Ada"), last: None }),
        shipping_address: Some(Address {
            address1: named("1 Engine Road"),
            city: named("London"),
            country_code: named("GB"),
            ..Address::default()
        }),
        billing_address: None,
        shipping_method: named("DHL Express"),
        total: money("10.00"),
        lines,
        order_key: None,
        fulfillments: Vec::new(),
        fulfillment_orders: Vec::new(),
    }
}

/// The variants 1..=9 are linked to `sun`, 11..=19 to `mars`.
fn links() -> Links {
    let facts = ShopFacts {
        name: "Sun".into(),
        currency: "EUR".parse().unwrap(),
        time_zone: "UTC".into(),
        contact_email: None,
        development: false,
        points_per_second: 100,
        scopes: Vec::new(),
        locations: Vec::new(),
        connected_at: Timestamp::UNIX_EPOCH,
    };
    let mut links = Links::default();
    for (source, range) in [(shop("sun"), 1..=9), (shop("mars"), 11..=19)] {
        for n in range {
            let (sold, held) = (VariantId::new(n), VariantId::new(n + 1000));
            let link = ProductLink::given((shop("moon"), sold), (source.clone(), held));
            links.by_variant.insert(link.destination_variant, link);
        }
        let known = Shop { facts: Some(facts.clone()), ..Shop::registered(source.clone(), Timestamp::UNIX_EPOCH) };
        links.sources.insert(source, known);
    }
    links
}

fn connection() -> Connection {
    Connection {
        destination: shop("moon"),
        source: shop("sun"),
        settings: ConnectionSettings::default(),
        settings_change: SettingsChange { version: 3, ..SettingsChange::default() },
    }
}

/// The moon, whose orders are offered.
fn destination() -> Shop {
    let settings = ShopSettings { order_sync: true, ..ShopSettings::default() };
    Shop { settings, ..Shop::registered(shop("moon"), Timestamp::UNIX_EPOCH) }
}

fn planned(order: &Order, connection: &Connection, links: &Links) -> Result<PushPlan, Vec<Refusal>> {
    plan_push(&Case { order, shop: &destination(), connection, links, shipping_fee: None }, 1, PushMode::Automatic)
}

fn reasons(order: &Order) -> BTreeSet<RefusalReason> {
    planned(order, &connection(), &links()).err().unwrap_or_default().iter().map(|r| r.reason).collect()
}

proptest! {
    /// Eligible if and only if all six conditions hold; the reasons are exactly the false ones.
    #[test]
    fn the_reasons_are_exactly_the_conditions_that_do_not_hold(
        paid: bool, named: bool, addressed: bool, mailed: bool, worth: bool, synced: bool,
    ) {
        let mut order = order(vec![line(if synced { 1 } else { 99 }, 1)]);
        let mut expected = BTreeSet::new();
        let mut unless = |holds: bool, reason| { if !holds { expected.insert(reason); } };
        unless(paid, RefusalReason::NotPaid);
        unless(named, RefusalReason::InvalidCustomerName);
        unless(addressed, RefusalReason::InvalidCustomerAddress);
        unless(mailed, RefusalReason::InvalidCustomerEmail);
        unless(worth, RefusalReason::ZeroValue);
        unless(synced, RefusalReason::NoSyncedProduct);
        if !paid { order.financial_status = FinancialStatus::PartiallyPaid; }
        if !named { order.customer = Some(PersonName { first: Some("  ".into()), last: None }); }
        if !addressed { order.shipping_address = Some(Address { city: Some("London".into()), ..Address::default() }); }
        if !mailed { order.email = Some("not an address".into()); }
        if !worth { order.total = money("0.00"); }

        prop_assert_eq!(reasons(&order), expected);
    }

    /// Each unit goes to the one source store that holds it, and no other line goes anywhere.
    #[test]
    fn every_linked_unit_goes_once_and_no_other(quantities in prop::collection::vec((1_u64..25, 0_u32..5), 1..30)) {
        let mut seen = BTreeMap::new();
        for (id, quantity) in quantities { seen.insert(id, quantity); }
        let order = order(seen.iter().map(|(id, quantity)| line(*id, *quantity)).collect());
        let links = links();

        let mut sent: BTreeMap<LineItemId, u32> = BTreeMap::new();
        for source in groups(&order, &links).into_keys() {
            let connection = Connection { source, ..connection() };
            for planned in planned(&order, &connection, &links).unwrap().lines {
                prop_assert!(sent.insert(planned.destination_line, planned.quantity).is_none());
            }
        }

        let expected: BTreeMap<LineItemId, u32> = order.lines.iter()
            .filter(|line| line.quantity > 0 && links.by_variant.contains_key(&line.variant.unwrap()))
            .map(|line| (line.id, line.quantity))
            .collect();
        prop_assert_eq!(sent, expected);
    }

    /// An order stands in exactly one tab, whatever was wanted and confirmed.
    #[test]
    fn an_order_stands_in_one_tab(cancelled: bool, wanted in 0_u8..8, confirmed in 0_u8..8) {
        let set = |bits: u8| -> BTreeSet<ShopDomain> {
            ["a", "b", "c"].iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, name)| shop(name)).collect()
        };
        let expected = match (cancelled, confirmed, wanted & !confirmed) {
            (true, _, _) => Tab::Cancelled,
            (false, 0, _) => Tab::NotPushed,
            (false, _, 0) => Tab::Pushed,
            (false, _, _) => Tab::PartiallyPushed,
        };

        prop_assert_eq!(tab(cancelled, &set(wanted), &set(confirmed)), expected);
    }

    /// Tags and note fit Shopify's limits whatever stores and orders are called.
    #[test]
    fn tags_and_note_fit_whatever_the_names(shop_name in ".{0,80}", order_name in ".{1,60}", note in ".{0,200}") {
        let mut order = order(vec![line(1, 1)]);
        order.name = order_name;
        order.note = Some(note.repeat(40));
        let plan = planned(&order, &connection(), &links()).unwrap();

        let facts = ShopFacts { name: shop_name, ..links().sources[&shop("sun")].facts.clone().unwrap() };
        let draft = draft(&order, &plan, &Shop { facts: Some(facts), ..destination() });

        for tag in &draft.tags {
            prop_assert!(tag.chars().count() <= 40 && !tag.contains(','), "{tag:?}");
        }
        prop_assert!(draft.note.chars().count() <= 5000);
        prop_assert!(draft.note.contains(&order.name));
    }
}

#[test]
fn only_paid_counts_as_paid() {
    for status in
        ["AUTHORIZED", "PENDING", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED", "VOIDED", "EXPIRED", "NEW"]
    {
        let mut order = order(vec![line(1, 1)]);
        order.financial_status = FinancialStatus::from(status.to_owned());

        let refusals = planned(&order, &connection(), &links()).unwrap_err();

        assert_eq!(refusals[0].reason, RefusalReason::NotPaid);
        assert_eq!(refusals[0].observed, status);
    }
}

#[test]
fn value_is_decimal() {
    for (amount, worth) in [("0.00", false), ("0.01", true), ("-1.00", false), ("0", false), ("1", true)] {
        let mut order = order(vec![line(1, 1)]);
        order.total.amount = amount.parse::<Decimal>().unwrap();

        assert_eq!(reasons(&order).is_empty(), worth, "{amount}");
    }
}

#[test]
fn value_counts_in_currencies_without_decimals_too() {
    for (amount, worth) in [("0", false), ("1", true)] {
        let mut order = order(vec![line(1, 1)]);
        order.total = Money { amount: amount.parse().unwrap(), currency: "JPY".parse().unwrap() };

        assert_eq!(reasons(&order).is_empty(), worth, "{amount} JPY");
    }
}

#[test]
fn each_rule_is_told_once_whether_it_holds_or_not() {
    let mut cancelled = order(vec![line(99, 1)]);
    cancelled.cancelled_at = Some(Timestamp::UNIX_EPOCH);
    let (shop, connection, links) = (destination(), connection(), links());

    let told =
        verdicts(&Case { order: &cancelled, shop: &shop, connection: &connection, links: &links, shipping_fee: None });

    let rules: BTreeSet<RefusalReason> = told.iter().map(|verdict| verdict.rule).collect();
    assert_eq!((told.len(), rules.len()), (RULES.len(), RULES.len()));
    let failed: Vec<RefusalReason> = told.iter().filter(|it| !it.passed).map(|it| it.rule).collect();
    assert_eq!(failed, [RefusalReason::OrderCancelled, RefusalReason::NoSyncedProduct]);
    assert!(told.iter().all(|it| !it.observed.is_empty() && !it.required.is_empty() && !it.rule.remedy().is_empty()));
}

#[test]
fn more_lines_than_shopify_takes_are_refused() {
    let lines = (0..251).map(|n| Line { variant: Some(VariantId::new(1)), ..line(n + 1, 1) }).collect();

    assert_eq!(reasons(&order(lines)), BTreeSet::from([RefusalReason::TooManyLines]));
}

#[test]
fn prices_of_another_currency_are_refused() {
    let mut order = order(vec![line(1, 1)]);
    order.lines[0].unit_price.currency = "USD".parse().unwrap();
    let settings = ConnectionSettings { unit_price: UnitPrice::Destination, ..ConnectionSettings::default() };
    let connection = Connection { settings, ..connection() };

    let refusals = planned(&order, &connection, &links()).unwrap_err();

    assert_eq!(refusals[0].reason, RefusalReason::CurrencyMismatch);
}

#[test]
fn a_source_store_that_was_never_connected_is_refused() {
    let mut links = links();
    links.sources.clear();

    let refusals = planned(&order(vec![line(1, 1)]), &connection(), &links).unwrap_err();

    assert_eq!(refusals[0].reason, RefusalReason::NotConnected);
}

#[test]
fn a_plan_holds_no_personal_data() {
    let plan = planned(&order(vec![line(1, 1)]), &connection(), &links()).unwrap();

    let stored = serde_json::to_string(&plan).unwrap();

    for personal in ["Ada", "ada@example.com", "Engine Road", "London"] {
        assert!(!stored.contains(personal), "{personal}");
    }
}

/// As the first release wrote it; a later one adds fields.
const STORED_STEP: &str =
    r##"{"state":{"type":"confirmed","order":{"id":"7","name":"#7","new":1},"at":"2026-11-22T08:00:00Z"},"new":{}}"##;

#[test]
fn a_step_of_an_earlier_and_of_a_later_release_parses() {
    let step: crate::step::Step<super::PushState> = serde_json::from_str(STORED_STEP).unwrap();

    assert_eq!(step.state.name(), "confirmed");
    assert_eq!((step.attempts, step.generation), (0, 0));
}

/// The links, with that of variant 1 in trouble.
fn troubled(code: LinkTroubleCode) -> Links {
    let mut links = links();
    let link = links.by_variant.get_mut(&VariantId::new(1)).unwrap();
    let trouble = LinkTrouble { code, at: Timestamp::UNIX_EPOCH, detail: "as it is".into(), products: Vec::new() };
    link.trouble = Some(trouble);
    links
}

#[test]
fn a_line_whose_link_is_in_trouble_keeps_back_what_its_source_store_holds_and_nothing_else() {
    let order = order(vec![line(1, 1), line(2, 1), line(11, 1)]);
    let cases = [
        (LinkTroubleCode::SkuNotFound, RefusalReason::SkuNotFound),
        (LinkTroubleCode::DuplicateSku, RefusalReason::DuplicateSku),
        (LinkTroubleCode::Unknown, RefusalReason::SkuNotFound),
    ];
    for (code, reason) in cases {
        let links = troubled(code);
        let refusals = planned(&order, &connection(), &links).unwrap_err();

        assert_eq!(refusals.iter().map(|it| it.reason).collect::<Vec<_>>(), [reason]);
        assert_eq!(refusals[0].observed, "Product 1: as it is");
        let mars = Connection { source: shop("mars"), ..connection() };
        assert!(planned(&order, &mars, &links).is_ok());
    }
}

#[test]
fn a_line_of_which_nothing_is_left_minds_no_trouble() {
    let order = order(vec![line(1, 0), line(2, 1)]);

    assert!(planned(&order, &connection(), &troubled(LinkTroubleCode::DuplicateSku)).is_ok());
}
