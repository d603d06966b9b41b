//! Shipments of which a part no longer fits their order.

use roundtrip_domain::code::Code;
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::order::FulfillmentOrderStatus::{OnHold, Open};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::moon;

use crate::world::{DAY, World, mars};

/// Three units were pushed; then the merchant took one off the order.
async fn reduced(split_ok: bool) -> (World, OrderRef) {
    let (world, source) = World::pushed(3).await;
    world.settings(|settings| settings.split_ok = split_ok).await;
    world.change_order(|order| order.lines[0].quantity = 2);
    world.order_webhook().await;
    (world, source)
}

const MISMATCH: (&str, Option<Code>) = ("pending", Some(Code::ProductsMismatch));

#[tokio::test]
async fn a_shipment_that_does_not_fit_is_not_shown_in_part() {
    let (world, source) = reduced(false).await;

    world.ship(&source, &["T1"]).await;

    assert!(world.shown().is_empty());
    assert_eq!(world.writebacks().await, [MISMATCH]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn where_it_may_be_split_the_part_that_fits_is_shown_and_the_rest_says_why_it_is_not() {
    let (world, source) = reduced(true).await;

    world.ship(&source, &["T1"]).await;

    assert_eq!(world.shown(), [("T1".into(), 2)]);
    assert_eq!(world.mails(), ["T1"]);
    assert_eq!(world.writebacks().await, [MISMATCH]);
    let why = world.writeback().await.last_failure.expect("a failure").message;
    assert_eq!(why, "line 101: 1 shipped, 0 left to fulfill, 0 fulfilled otherwise");
    world.run(DAY).await;
    assert_eq!(world.order_tags(), ["Failed Shipment Notification"]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn the_part_that_is_shown_is_not_shown_again_by_a_redrive() {
    let (world, source) = reduced(true).await;
    world.ship(&source, &["T1"]).await;

    world.redrive().await;
    world.source_webhook(&source).await;

    assert_eq!(world.shown(), [("T1".into(), 2)]);
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
    assert_eq!(world.mails(), ["T1"]);
}

#[tokio::test]
async fn the_rest_follows_without_a_mail_once_it_fits() {
    let (world, source) = reduced(true).await;
    world.ship(&source, &["T1"]).await;

    world.change_order(|order| order.lines[0].quantity = 3);
    world.order_webhook().await;

    assert_eq!(world.shown(), [("T1".into(), 2), ("T1".into(), 1)]);
    assert_eq!(world.mails(), ["T1"]);
    assert_eq!(world.writebacks().await, [("written", None)]);
    world.comes_to_rest().await;
    assert!(world.order_tags().is_empty());
}

#[tokio::test]
async fn the_part_that_is_shown_gets_another_number_while_the_rest_is_parked() {
    let (world, source) = reduced(true).await;
    let id = world.ship(&source, &["T1"]).await;

    world.relabel(&source, id, &["T2"]).await;

    assert_eq!(world.shown(), [("T2".into(), 2)]);
    assert_eq!(world.writebacks().await, [MISMATCH]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_part_whose_answer_was_lost_is_found_and_not_shown_twice() {
    let (world, source) = reduced(true).await;
    world.fail_next(&moon(), &[Fault::AnswerLost]);

    world.ship(&source, &["T1"]).await;
    world.comes_to_rest().await;

    assert_eq!(world.shown(), [("T1".into(), 2)]);
    assert_eq!(world.mails(), ["T1"]);
    assert_eq!(world.writebacks().await, [MISMATCH]);
}

#[tokio::test]
async fn of_what_is_on_hold_nothing_is_split_off() {
    let (world, source) = World::pushed(3).await;
    world.settings(|settings| settings.split_ok = true).await;
    world.set_work(OnHold, None);

    world.ship(&source, &["T1"]).await;
    assert!(world.shown().is_empty());
    world.set_work(Open, None);
    world.order_webhook().await;

    assert_eq!(world.shown(), [("T1".into(), 3)]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_was_shipped_by_hand_already_does_not_keep_the_rest_from_being_shown() {
    let (world, source) = World::pushed(2).await;
    world.settings(|settings| settings.split_ok = true).await;
    world.ship_by_hand("BY-HAND");

    world.ship(&source, &["T1"]).await;

    assert_eq!(world.shown(), [("BY-HAND".into(), 1), ("T1".into(), 1)]);
    assert_eq!(world.writebacks().await, [("pending", Some(Code::AlreadyShipped))]);
}

#[tokio::test]
async fn each_connection_decides_for_itself_whether_a_shipment_may_be_split() {
    let world = World::new();
    world.add_source(&mars(), 2);
    world.change_order(|order| order.lines.iter_mut().for_each(|line| line.quantity = 2));
    world.order_webhook().await;
    for mut connection in world.outbound().await {
        connection.settings.split_ok = connection.source == mars();
        world.ports.ledger.put_connection(connection);
    }
    world.change_order(|order| order.lines.iter_mut().for_each(|line| line.quantity = 1));
    world.order_webhook().await;

    world.ship(&world.source_order(&mars()), &["T-MARS"]).await;
    world.ship(&world.source_order(&roundtrip_kit::order::sun()), &["T-SUN"]).await;

    assert_eq!(world.shown(), [("T-MARS".into(), 1)]);
}
