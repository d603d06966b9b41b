//! Orders of more than 60 days ago, which a shop shows only with the scope `read_all_orders`: what is still to be done for
//! them is parked, not forgotten.

use std::time::Duration;

use roundtrip_domain::code::Code;
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::is_outside_60_days;
use roundtrip_domain::order::{FulfillmentOrderStatus, FulfillmentStatus};
use roundtrip_domain::ports::{Ledger, Registry};
use roundtrip_domain::record::Tab;
use roundtrip_kit::order::{moon, paid_order, sun};

use crate::sync::{click, outcome};
use crate::world::{DAY, HOUR, World, at};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn an_order_of_sixty_days_ago_is_shown_and_one_a_second_older_only_with_the_scope() {
    let world = World::new();
    let placed = world.now();
    let shop = || async { world.ports.ledger.shop(&moon()).await.unwrap().unwrap().shop };
    world.ports.clock.advance(60 * DAY);
    assert!(!is_outside_60_days(&shop().await, placed, world.now()));
    world.ports.clock.advance(SECOND);
    assert!(is_outside_60_days(&shop().await, placed, world.now()));

    world.give_all_orders(&moon()).await;

    assert!(!is_outside_60_days(&shop().await, placed, world.now()));
}

#[tokio::test]
async fn an_order_that_nobody_knew_is_synced_if_it_is_of_the_last_sixty_days() {
    let world = World::new();
    let now = world.now();
    let ids = [1000, 1001, 4711].map(OrderId::new);
    world.shop(&moon(), |shop| {
        shop.orders.insert(ids[0], paid_order(1000, now - 60 * DAY));
        shop.orders.insert(ids[1], paid_order(1001, now - 60 * DAY - SECOND));
    });

    let mut outcomes = Vec::new();
    for id in ids {
        let order = OrderRef { id, ..at() };
        click(&world, &order, &format!("job-{id}")).await;
        world.drain().await;
        outcomes.push(outcome(&world, &order).await);
    }

    let hidden = "done: the shop shows no such order of the last 60 days";
    assert_eq!(outcomes, ["done: up to date", hidden, hidden]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn with_the_scope_an_order_of_any_age_is_synced_and_one_that_is_not_there_is_gone() {
    let world = World::new();
    world.give_all_orders(&moon()).await;
    let old = paid_order(1000, world.now() - 90 * DAY);
    world.shop(&moon(), |shop| shop.orders.insert(old.at.id, old.clone()));

    let mut outcomes = Vec::new();
    for id in [1000, 4711].map(OrderId::new) {
        let order = OrderRef { id, ..at() };
        click(&world, &order, &format!("job-{id}")).await;
        world.drain().await;
        outcomes.push(outcome(&world, &order).await);
    }

    assert_eq!(outcomes, ["done: up to date", "done: the order is gone"]);
}

#[tokio::test]
async fn an_order_on_hold_for_longer_is_parked_and_pushed_with_the_scope() {
    let world = World::new();
    world.set_work(FulfillmentOrderStatus::OnHold, None);
    world.order_webhook().await;
    world.ports.clock.advance(61 * DAY);
    world.set_work(FulfillmentOrderStatus::Open, None);

    world.order_webhook().await;
    world.run(HOUR).await;

    assert_eq!(world.letters(), [("look", Code::AccessDenied)]);
    let look = world.record().await.look.get().clone();
    let said = look.last_failure.map(|failure| failure.message).unwrap_or_default();
    assert!(said.ends_with("order 42 is of more than 60 days ago, which takes the scope read_all_orders"), "{said}");
    world.give_all_orders(&moon()).await;
    world.redrive().await;
    world.comes_to_rest().await;
    assert_eq!((world.made_at(&sun()).len(), world.tab().await), (1, Tab::Pushed));
}

#[tokio::test]
async fn a_source_order_that_is_shipped_later_is_parked_and_shown_with_the_scope() {
    let (world, source) = World::pushed(1).await;
    world.give_all_orders(&moon()).await;
    world.ports.clock.advance(61 * DAY);

    world.ship(&source, &["T1"]).await;
    world.run(HOUR).await;

    assert_eq!(world.letters(), [("look", Code::AccessDenied)]);
    assert_eq!(world.order_tags(), ["Failed Shipment Notification"]);
    world.give_all_orders(&sun()).await;
    world.redrive().await;
    world.comes_to_rest().await;
    assert_eq!((world.shown(), world.order_tags()), (vec![("T1".to_owned(), 1)], vec![]));
}

#[tokio::test]
async fn a_destination_order_that_is_shipped_later_is_parked_and_shown_with_the_scope() {
    let (world, source) = World::pushed(1).await;
    world.give_all_orders(&sun()).await;
    world.ports.clock.advance(61 * DAY);

    world.ship(&source, &["T1"]).await;
    world.run(HOUR).await;

    assert_eq!(world.letters(), [("look", Code::AccessDenied)]);
    world.give_all_orders(&moon()).await;
    world.redrive().await;
    world.comes_to_rest().await;
    assert_eq!(world.shown(), [("T1".to_owned(), 1)]);
}

#[tokio::test]
async fn a_label_for_an_order_of_long_ago_is_parked_and_shown_with_the_scope() {
    let world = World::known(1).await;
    world.ports.clock.advance(61 * DAY);

    world.post("L1", &["T1"]).await;
    world.run(HOUR).await;

    assert_eq!(world.letters(), [("label", Code::AccessDenied)]);
    world.give_all_orders(&moon()).await;
    world.redrive().await;
    world.comes_to_rest().await;
    assert_eq!(world.shown(), [("T1".to_owned(), 1)]);
}

#[tokio::test]
async fn what_happens_to_orders_of_long_ago_for_which_all_is_done_parks_nothing() {
    let (world, source) = World::pushed(1).await;
    world.ship(&source, &["T1"]).await;
    world.change_order(|order| order.fulfillment_status = FulfillmentStatus::Fulfilled);
    world.order_webhook().await;
    world.ports.clock.advance(61 * DAY);

    world.order_webhook().await;
    world.source_webhook(&source).await;
    world.run(HOUR).await;

    assert_eq!(world.letters(), []);
    assert!(world.ports.ledger.due(world.now() + DAY, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_push_that_is_redriven_behind_the_wall_is_parked_again() {
    let world = World::new();
    world.fail_next(&sun(), &[roundtrip_kit::fake::Fault::Refused]);
    world.order_webhook().await;
    world.ports.clock.advance(61 * DAY);

    world.redrive().await;
    world.run(HOUR).await;

    assert_eq!(world.letters(), [("push", Code::Rejected), ("look", Code::AccessDenied)]);
    world.give_all_orders(&moon()).await;
    world.redrive().await;
    world.comes_to_rest().await;
    assert_eq!((world.made_at(&sun()).len(), world.tab().await), (1, Tab::Pushed));
}
