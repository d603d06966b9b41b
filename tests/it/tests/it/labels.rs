//! Labels that a label tool bought for an order, shown on it: as ops-api writes them down.

mod changes;
mod troubles;

use roundtrip_domain::FAILED_SHIPMENT_TAG;
use roundtrip_domain::code::Code;
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::writeback::{Label, TrackingInfo};
use roundtrip_kit::label;
use roundtrip_kit::order::{line, moon};

use crate::world::{DAY, HOUR, MINUTE, World, at, label_id, tracking};

fn shown(units: &[(&str, u32)]) -> Vec<(String, u32)> {
    units.iter().map(|(number, units)| ((*number).to_owned(), *units)).collect()
}

#[tokio::test]
async fn a_label_is_shown_with_its_tracking_and_mailed_about_once() {
    let world = World::known(2).await;

    world.post("L1", &["T1"]).await;
    world.post("L1", &["T1"]).await;
    world.order_webhook().await;

    assert_eq!((world.shown(), world.mails()), (shown(&[("T1", 2)]), vec!["T1".to_owned()]));
    assert_eq!((world.writebacks().await, world.events("TrackingWrittenBack").len()), (vec![("written", None)], 1));
    world.comes_to_rest().await;
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
}

#[tokio::test]
async fn a_label_whose_message_was_lost_is_found_by_due_work() {
    let world = World::known(1).await;
    world.ports.tasks.sent().down = true;
    label::post(&world.ports, &at(), &label_id("L1"), label::label(&world.ports, &["T1"])).await;
    world.ports.tasks.sent().down = false;

    world.run(MINUTE).await;

    assert_eq!(world.shown(), shown(&[("T1", 1)]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_may_be_bought_without_a_mail() {
    let world = World::known(1).await;

    world.post_label("L1", Label { notify_customer: false, ..label::label(&world.ports, &["T1"]) }).await;

    assert_eq!((world.shown(), world.mails()), (shown(&[("T1", 1)]), vec![]));
}

#[tokio::test]
async fn the_same_label_with_another_number_replaces_it() {
    let world = World::known(1).await;
    world.post("L1", &["T1"]).await;

    world.post("L1", &["T2"]).await;

    assert_eq!((world.shown(), world.mails().len()), (shown(&[("T2", 1)]), 2));
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_that_was_voided_and_another_made_shows_only_the_new_one() {
    let world = World::known(2).await;
    world.post("L1", &["T1"]).await;

    world.void("L1").await;
    assert_eq!(world.writeback().await.wait.map(|wait| wait.why), Some(WaitReason::Replacement));
    world.post("L2", &["T2"]).await;

    assert_eq!((world.shown(), world.mails()), (shown(&[("T2", 2)]), vec!["T1".to_owned(), "T2".to_owned()]));
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
    assert_eq!(world.writebacks().await, [("called-off", None), ("written", None)]);
    world.comes_to_rest().await;
    assert_eq!((world.letters(), world.order_tags()), (vec![], vec![]));
}

#[tokio::test]
async fn another_label_that_comes_before_the_first_is_voided_waits_for_that() {
    let world = World::known(1).await;
    world.post("L1", &["T1"]).await;

    world.post("L2", &["T2"]).await;
    assert_eq!(world.letters(), [("label", Code::AlreadyShipped)]);
    world.void("L1").await;

    assert_eq!((world.shown(), world.order_tags()), (shown(&[("T2", 1)]), vec![]));
    assert_eq!(world.writebacks().await, [("called-off", None), ("written", None)]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_voided_label_that_nothing_replaces_is_raised_after_a_day() {
    let world = World::known(1).await;
    world.post("L1", &["T1"]).await;
    world.void("L1").await;

    world.run(DAY + HOUR).await;
    assert_eq!((world.letters(), world.order_tags().len()), (vec![("label", Code::ShipmentCancelled)], 1));
    world.post("L2", &["T2"]).await;

    assert_eq!((world.shown(), world.order_tags()), (shown(&[("T2", 1)]), vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_of_some_units_leaves_the_rest_to_the_next() {
    let world = World::known(3).await;

    world.post_label("L1", world.label_of_units("T1", 1)).await;
    assert_eq!(world.shown(), shown(&[("T1", 1)]));
    world.post("L2", &["T2"]).await;

    assert_eq!(world.shown(), shown(&[("T1", 1), ("T2", 2)]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn which_lines_a_label_of_the_whole_order_is_about_is_decided_once() {
    let world = World::known(1).await;
    world.post("L1", &["T1"]).await;
    world.change_order(|order| order.lines.push(line(2)));

    world.post("L1", &["T2"]).await;

    assert_eq!(world.shown(), shown(&[("T2", 1)]), "the new line is in no parcel yet");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_of_more_than_was_ordered_is_raised() {
    let world = World::known(1).await;

    world.post_label("L1", world.label_of_units("T1", 2)).await;

    assert_eq!(world.letters(), [("label", Code::ProductsMismatch)]);
    assert_eq!((world.shown(), world.order_tags()), (vec![], vec![FAILED_SHIPMENT_TAG.to_owned()]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn another_carrier_for_the_same_number_replaces_what_is_shown_without_a_mail() {
    let world = World::known(1).await;
    world.post("L1", &["T1"]).await;

    let corrected = TrackingInfo { company: Some("UPS".into()), ..tracking("T1") };
    world.post_label("L1", Label { tracking: vec![corrected], ..label::label(&world.ports, &[]) }).await;

    let carriers: Vec<Option<String>> = world.shop(&moon(), |shop| {
        shop.shown.values().flatten().flat_map(|shown| &shown.tracking).map(|info| info.company.clone()).collect()
    });
    assert_eq!((carriers, world.mails()), (vec![Some("UPS".into())], vec!["T1".to_owned()]));
    assert_eq!(world.calls(&moon(), "update_tracking"), 1);
    world.comes_to_rest().await;
    assert_eq!(world.calls(&moon(), "update_tracking"), 1);
}

#[tokio::test]
async fn a_label_that_the_order_showed_before_it_was_told_of_is_replaced_like_any_other() {
    let world = World::known(1).await;
    world.ship_by_hand("T1");
    world.post("L1", &["T1"]).await;

    world.post("L1", &["T2"]).await;

    assert_eq!((world.shown(), world.letters()), (shown(&[("T2", 1)]), vec![]));
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 0);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_that_is_voided_leaves_its_parcel_to_the_store_that_ships_it() {
    let (world, source) = World::pushed(1).await;
    world.post("L1", &["T1"]).await;
    let parcel = world.ship(&source, &["T1"]).await;
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);

    world.void("L1").await;
    world.comes_to_rest().await;

    assert_eq!((world.shown(), world.letters()), (shown(&[("T1", 1)]), vec![]));
    world.relabel(&source, parcel, &["T2"]).await;
    assert_eq!(world.shown(), shown(&[("T2", 1)]));
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
}

#[tokio::test]
async fn a_parcel_takes_over_what_a_voided_label_showed() {
    let (world, source) = World::pushed(1).await;
    world.post("L1", &["T1"]).await;

    world.void("L1").await;
    world.ship(&source, &["T2"]).await;

    assert_eq!((world.shown(), world.letters()), (shown(&[("T2", 1)]), vec![]));
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
    world.comes_to_rest().await;
}
