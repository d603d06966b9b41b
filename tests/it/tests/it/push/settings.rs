//! What a merchant decides: which orders are offered and go by themselves, whole or in part, with whose e-mail address and
//! at which price.

use roundtrip_domain::code::Code;
use roundtrip_domain::push::{FeeRule, OrderDraft, PushMode, PushState, PushTerms, RefusalReason};
use roundtrip_domain::record::{RequestState, Tab};
use roundtrip_domain::registry::{EmailContact, Inventory, SettingsChange, ShippingRate, ShopFacts, UnitPrice};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{euros, facts, moon, sun};
use rust_decimal::Decimal;

use crate::world::{DAY, HOUR, World, at, mars};

/// One line of the sun's and one of the mars'.
fn two_stores() -> World {
    let world = World::new();
    world.add_source(&mars(), 2);
    world
}

fn made(world: &World) -> [usize; 2] {
    [sun(), mars()].map(|source| world.made_at(&source).len())
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// What the sun gets of an order that is pushed by hand.
async fn pushed_by_hand(world: &World) -> OrderDraft {
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;
    world.request(&sun(), "request-1").await;
    world.drain().await;
    world.made_at(&sun()).pop().expect("it was pushed")
}

async fn terms(world: &World) -> PushTerms {
    match world.push(&sun()).await.state {
        PushState::Confirmed { terms, .. } => terms.expect("it says on what terms"),
        other => panic!("{other:?}"),
    }
}

/// The rules that speak against a request that was answered.
async fn refused(world: &World, id: &str) -> Vec<RefusalReason> {
    match world.request_state(id).await {
        RequestState::Refused { reasons } => reasons.into_iter().map(|refusal| refusal.reason).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn orders_are_not_kept_until_order_sync_is_switched_on() {
    let world = World::new();
    world.shop_settings(|settings| settings.order_sync = false).await;

    world.order_webhook().await;

    assert!(world.record().await.summary.is_none());
    assert_eq!(made(&world), [0, 0]);
    world.shop_settings(|settings| settings.order_sync = true).await;
    world.order_webhook().await;
    assert_eq!((made(&world), world.tab().await), ([1, 0], Tab::Pushed));
}

#[tokio::test]
async fn an_order_of_before_is_tracked_and_listed_only_when_somebody_asks_for_it() {
    let world = World::new();
    let placed = world.now();
    world
        .shop_settings(|settings| {
            settings.order_sync = false;
            settings.tracking_sync = true;
        })
        .await;
    world.order_webhook().await;
    let tracked = world.summary().await;
    assert!(!tracked.listed);
    assert_eq!(tracked.refusals[0].reasons[0].reason, RefusalReason::OrderSyncOff);

    let since = roundtrip_domain::ports::after(placed, HOUR);
    world
        .shop_settings(|settings| {
            settings.order_sync = true;
            settings.order_sync_since = Some(since);
            settings.auto_push_since = Some(since);
        })
        .await;
    world.change_order(|order| order.tags.push("gift".into()));
    world.order_webhook().await;
    assert!(!world.summary().await.listed);

    world.tell(Queue::OrderPush, Task::new(Trigger::Request, "sync", Subject::Order(at()))).await;

    assert!(world.summary().await.listed);
    assert_eq!(made(&world), [0, 0], "what is older than the switch waits for a person");
    world.request(&sun(), "request-1").await;
    world.comes_to_rest().await;
    assert_eq!(made(&world), [1, 0]);
}

#[tokio::test]
async fn an_order_goes_by_itself_only_where_both_switches_are_on() {
    for (shop, connection, expected) in [(true, true, 1), (true, false, 0), (false, true, 0), (false, false, 0)] {
        let world = World::new();
        world.shop_settings(|settings| settings.auto_push = shop).await;
        world.settings(|settings| settings.auto_push = connection).await;

        world.order_webhook().await;
        world.run(DAY).await;

        assert_eq!(world.made_at(&sun()).len(), expected, "shop {shop}, connection {connection}");
        if expected == 0 {
            assert_eq!(world.tab().await, Tab::NotPushed);
            world.request(&sun(), "request-1").await;
            world.drain().await;
            assert_eq!(terms(&world).await.mode, PushMode::Manual);
        }
    }
}

#[tokio::test]
async fn one_store_of_two_gets_its_part_by_itself() {
    let world = two_stores();
    let mut connection = world.outbound().await.into_iter().find(|it| it.source == mars()).unwrap();
    connection.settings.auto_push = false;
    world.ports.ledger.put_connection(connection);

    world.order_webhook().await;
    world.comes_to_rest().await;

    assert_eq!((made(&world), world.tab().await), ([1, 0], Tab::PartiallyPushed));
}

#[tokio::test]
async fn orders_of_before_either_switch_stay_and_those_of_after_go() {
    for of_shop in [true, false] {
        let world = World::new();
        let since = roundtrip_domain::ports::after(world.now(), HOUR);
        if of_shop {
            world.shop_settings(|settings| settings.auto_push_since = Some(since)).await;
        } else {
            world.settings(|settings| settings.auto_push_since = Some(since)).await;
        }

        world.order_webhook().await;
        assert_eq!(made(&world), [0, 0], "of the shop: {of_shop}");

        world.ports.clock.advance(HOUR);
        world.change_order(|order| order.created_at = since);
        world.order_webhook().await;
        assert_eq!(made(&world), [1, 0], "of the shop: {of_shop}");
    }
}

#[tokio::test]
async fn the_chosen_e_mail_address_goes_and_no_other() {
    let admin = ShopFacts { contact_email: Some("a@shop.com".into()), ..facts(World::new().now()) };
    for (contact, expected) in [
        (EmailContact::Customer, "ada@example.com"),
        (EmailContact::Admin, "a@shop.com"),
        (EmailContact::Custom { email: "ops@x.com".into() }, "ops@x.com"),
    ] {
        let world = World::new();
        roundtrip_domain::ports::Registry::record_facts(&world.ports.ledger, &moon(), &admin).await.unwrap();
        world.shop_settings(|settings| settings.email_contact = contact.clone()).await;

        world.order_webhook().await;

        let draft = world.made_at(&sun()).remove(0);
        assert_eq!(draft.email.as_deref(), Some(expected));
        assert_eq!(format!("{draft:?}").contains("ada@example.com"), contact == EmailContact::Customer, "{contact:?}");
        assert_eq!(draft.customer.is_some(), contact == EmailContact::Customer, "{contact:?}");
    }
}

#[tokio::test]
async fn a_store_without_an_address_of_its_own_cannot_stand_for_the_customer() {
    let world = World::new();
    world.shop_settings(|settings| settings.email_contact = EmailContact::Admin).await;

    world.order_webhook().await;

    let reasons: Vec<_> = world.summary().await.refusals.remove(0).reasons.iter().map(|it| it.reason).collect();
    assert_eq!((made(&world), reasons), ([0, 0], vec![RefusalReason::ContactEmailMissing]));
}

#[tokio::test]
async fn an_order_without_an_e_mail_address_goes_where_none_is_required() {
    let world = World::new();
    world.change_order(|order| order.email = None);
    world.order_webhook().await;
    assert_eq!(made(&world), [0, 0]);

    world.shop_settings(|settings| settings.require_email = false).await;
    world.order_webhook().await;

    assert_eq!(world.made_at(&sun())[0].email, None);
}

#[tokio::test]
async fn the_flat_rate_of_what_goes_to_the_store_is_charged_once() {
    let rate = |from: &str, fee: &str| ShippingRate { from: decimal(from), fee: decimal(fee) };
    for (units, rates, fee, rule) in [
        (1, vec![], "0", FeeRule::None),
        (9, vec![rate("100.00", "10.00")], "0", FeeRule::None),
        (10, vec![rate("100.00", "10.00")], "10.00", FeeRule::Rate { from: decimal("100.00") }),
        (25, vec![rate("100.00", "10.00"), rate("200", "0.00")], "0", FeeRule::Rate { from: decimal("200") }),
    ] {
        let world = World::with_units(units);
        // What another store holds does not count.
        world.add_source(&mars(), 2);
        world.shop_settings(|settings| settings.shipping_rates.clone_from(&rates)).await;

        world.order_webhook().await;

        let terms = terms(&world).await;
        assert_eq!((terms.shipping_fee, terms.fee_rule), (euros(fee), rule), "{units} units, {rates:?}");
        assert_eq!(world.made_at(&sun())[0].shipping_fee, euros(fee));
    }
}

#[tokio::test]
async fn what_a_person_says_that_shipping_costs_counts_instead_of_the_rates() {
    let world = World::new();
    world.settings(|settings| settings.auto_push = false).await;
    world
        .shop_settings(|settings| {
            settings.shipping_rates = vec![ShippingRate { from: decimal("0"), fee: decimal("5") }]
        })
        .await;
    world.order_webhook().await;
    world.request(&sun(), "request-1").await;
    let mut record = world.record().await;
    record.requests.get_mut("request-1").unwrap().change().shipping_fee = Some(euros("7.35"));
    roundtrip_domain::ports::Ledger::save(&world.ports.ledger, &mut [&mut record]).await.unwrap();

    world.drain().await;

    assert_eq!(world.made_at(&sun())[0].shipping_fee, euros("7.35"));
    let terms = terms(&world).await;
    assert_eq!((terms.mode, terms.fee_rule), (PushMode::Manual, FeeRule::Manual));
}

#[tokio::test]
async fn a_push_says_where_it_comes_from_and_under_which_settings_it_was_made() {
    let world = World::new();
    let mut shop = roundtrip_domain::ports::Registry::shop(&world.ports.ledger, &moon()).await.unwrap().unwrap().shop;
    shop.settings_change = SettingsChange { version: 7, at: None, by: None };
    world.ports.ledger.put_shop(shop);
    world.change_order(|order| order.phone = Some("+441234567890".into()));

    let draft = pushed_by_hand(&world).await;

    let said: Vec<(&str, &str)> = draft.attributes.iter().map(|it| (it.key.as_str(), it.value.as_str())).collect();
    let expected = [
        ("App", "Roundtrip"),
        ("Destination store", "Moon Shop"),
        ("Order number", "#42"),
        ("Order id", "42"),
        ("Customer phone", "+441234567890"),
        ("Push mode", "manual"),
    ];
    assert_eq!(said, expected);
    assert_eq!(draft.tags, ["Moon Shop", "#42"]);
    assert_eq!(draft.note, "Moon Shop, order #42");
    let terms = terms(&world).await;
    assert_eq!((terms.settings_version, terms.shop_settings_version), (1, 7));
}

#[tokio::test]
async fn prices_are_the_stores_own_the_destinations_or_a_part_of_them_in_its_currency() {
    let dollars = |amount: &str| roundtrip_domain::money::Money { currency: "USD".parse().unwrap(), ..euros(amount) };
    for (price, rate, expected) in [
        (UnitPrice::Source, None, Ok(None)),
        (UnitPrice::Destination, Some("1.5"), Ok(Some(dollars("15.00")))),
        (UnitPrice::Percentage(decimal("33.333")), Some("1"), Ok(Some(dollars("3.33")))),
        (UnitPrice::Destination, None, Err(RefusalReason::CurrencyMismatch)),
    ] {
        let world = World::new();
        let american = ShopFacts { currency: "USD".parse().unwrap(), ..facts(world.now()) };
        roundtrip_domain::ports::Registry::record_facts(&world.ports.ledger, &sun(), &american).await.unwrap();
        world
            .settings(|settings| {
                settings.unit_price = price;
                settings.exchange_rate = rate.map(decimal);
            })
            .await;

        world.order_webhook().await;

        match expected {
            Ok(unit_price) => {
                let draft = world.made_at(&sun()).remove(0);
                assert_eq!(draft.lines[0].unit_price, unit_price, "{price:?}");
                assert_eq!(draft.shipping_fee, dollars("0"), "{price:?}");
            }
            Err(reason) => {
                assert_eq!(made(&world), [0, 0]);
                assert_eq!(world.summary().await.refusals[0].reasons[0].reason, reason);
            }
        }
    }
}

#[tokio::test]
async fn what_a_push_does_to_stock_is_a_setting() {
    let world = World::new();
    assert_eq!(pushed_by_hand(&world).await.inventory, Inventory::Bypass);

    let world = World::new();
    world.settings(|settings| settings.inventory = Inventory::DecrementObeyingPolicy).await;
    assert_eq!(pushed_by_hand(&world).await.inventory, Inventory::DecrementObeyingPolicy);
}

/// A shop that pushes its orders whole.
async fn whole() -> World {
    let world = two_stores();
    world.shop_settings(|settings| settings.allow_partial_push = false).await;
    world
}

#[tokio::test]
async fn a_shop_that_pushes_orders_whole_is_not_asked_for_a_part() {
    let world = whole().await;
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;

    world.request(&sun(), "request-1").await;
    world.drain().await;
    assert_eq!((made(&world), refused(&world, "request-1").await), ([0, 0], vec![RefusalReason::PartialPushDisabled]));

    world.request(&sun(), "request-2").await;
    world.request(&mars(), "request-3").await;
    world.comes_to_rest().await;
    assert_eq!((made(&world), world.tab().await), ([1, 1], Tab::Pushed));
}

#[tokio::test]
async fn a_shop_that_pushes_orders_whole_pushes_by_itself_only_what_goes_as_a_whole() {
    let world = whole().await;
    let mut connection = world.outbound().await.into_iter().find(|it| it.source == mars()).unwrap();
    connection.settings.auto_push = false;
    world.ports.ledger.put_connection(connection);
    world.order_webhook().await;
    world.comes_to_rest().await;
    assert_eq!(made(&world), [0, 0]);
}

#[tokio::test]
async fn of_an_order_that_is_pushed_whole_no_part_goes_while_another_rests() {
    let world = whole().await;
    let mut connection = world.outbound().await.into_iter().find(|it| it.source == mars()).unwrap();
    connection.settings.grace_secs = 3600;
    world.ports.ledger.put_connection(connection);

    world.order_webhook().await;
    assert_eq!(made(&world), [0, 0]);
    world.run(2 * HOUR).await;

    assert_eq!((made(&world), world.tab().await), ([1, 1], Tab::Pushed));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn of_an_order_that_is_pushed_whole_the_rest_goes_once_the_part_that_failed_was_mended() {
    let world = whole().await;
    world.fail_next(&mars(), &[Fault::Refused]);
    world.order_webhook().await;
    assert_eq!(made(&world), [0, 0]);

    world.redrive().await;
    world.comes_to_rest().await;

    assert_eq!((made(&world), world.tab().await), ([1, 1], Tab::Pushed));
}

#[tokio::test]
async fn a_test_order_goes_only_where_that_is_allowed() {
    let world = World::new();
    world.change_order(|order| order.test = true);
    world.order_webhook().await;
    assert_eq!(made(&world), [0, 0]);

    world.shop_settings(|settings| settings.allow_test = true).await;
    world.order_webhook().await;

    assert_eq!(made(&world), [1, 0]);
}

#[tokio::test]
async fn an_order_whose_customer_is_hidden_says_that_and_what_is_missing() {
    let world = World::new();
    world.change_order(|order| {
        order.customer = Some(roundtrip_domain::order::PersonName { first: None, last: None });
        (order.email, order.shipping_address) = (None, None);
    });

    world.order_webhook().await;

    let reasons: Vec<_> = world.summary().await.refusals.remove(0).reasons.iter().map(|it| it.reason).collect();
    let expected = [
        RefusalReason::ProtectedDataHidden,
        RefusalReason::InvalidCustomerName,
        RefusalReason::InvalidCustomerAddress,
        RefusalReason::InvalidCustomerEmail,
    ];
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn of_an_order_that_is_pushed_whole_by_hand_all_is_asked_for_again_when_the_part_that_failed_is_redriven() {
    let world = whole().await;
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;
    world.fail_next(&mars(), &[Fault::Refused]);
    world.request(&sun(), "request-1").await;
    world.request(&mars(), "request-2").await;
    world.drain().await;
    assert_eq!(made(&world), [0, 0]);
    for id in ["request-1", "request-2"] {
        let failed = world.request_state(id).await;
        assert!(matches!(failed, RequestState::Failed { code: Code::Rejected }), "{id}: {failed:?}");
    }

    world.redrive().await;
    world.comes_to_rest().await;

    assert_eq!((made(&world), world.tab().await), ([1, 1], Tab::Pushed));
    for id in ["request-1", "request-2"] {
        assert!(matches!(world.request_state(id).await, RequestState::Done { .. }), "{id}");
    }
}

#[tokio::test]
async fn a_fee_by_hand_needs_no_exchange_rate() {
    let world = World::new();
    let american = ShopFacts { currency: "USD".parse().unwrap(), ..facts(world.now()) };
    roundtrip_domain::ports::Registry::record_facts(&world.ports.ledger, &sun(), &american).await.unwrap();
    world.settings(|settings| settings.auto_push = false).await;
    let rate = ShippingRate { from: decimal("0"), fee: decimal("5") };
    world.shop_settings(|settings| settings.shipping_rates = vec![rate]).await;
    world.order_webhook().await;
    world.request(&sun(), "request-1").await;
    world.drain().await;
    assert_eq!(refused(&world, "request-1").await, [RefusalReason::CurrencyMismatch]);

    world.request(&sun(), "request-2").await;
    let mut record = world.record().await;
    let fee = roundtrip_domain::money::Money { currency: "USD".parse().unwrap(), ..euros("7.35") };
    record.requests.get_mut("request-2").unwrap().change().shipping_fee = Some(fee.clone());
    roundtrip_domain::ports::Ledger::save(&world.ports.ledger, &mut [&mut record]).await.unwrap();
    world.drain().await;

    assert_eq!(world.made_at(&sun())[0].shipping_fee, fee);
}

#[tokio::test]
async fn what_is_under_way_when_order_sync_is_switched_off_comes_to_its_end() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::AnswerLost]);
    world.order_webhook().await;
    assert_eq!(world.push(&sun()).await.state.name(), "verifying");

    world
        .shop_settings(|settings| {
            settings.order_sync = false;
            settings.auto_push = false;
        })
        .await;
    world.comes_to_rest().await;

    assert_eq!((made(&world), world.push(&sun()).await.state.name()), ([1, 0], "confirmed"));
}

#[tokio::test]
async fn what_rests_when_order_sync_is_switched_off_is_due_no_more() {
    let world = World::new();
    world.settings(|settings| settings.grace_secs = 3600).await;
    world.order_webhook().await;
    assert!(world.push(&sun()).await.wait.is_some());

    world.shop_settings(|settings| settings.order_sync = false).await;
    world.comes_to_rest().await;

    assert_eq!(made(&world), [0, 0]);
}
