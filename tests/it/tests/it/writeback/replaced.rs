//! Shipments that are called off and made again, at the source or by hand at the destination.

use roundtrip_domain::FAILED_SHIPMENT_TAG;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{FulfillmentId, OrderRef};
use roundtrip_domain::order::{FulfillmentOrderStatus, FulfillmentState};
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::task::Queue;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::moon;

use crate::world::{DAY, HOUR, MINUTE, World, at};

/// An order of so many units that the customer sees as sent under T1.
async fn written(units: u32) -> (World, OrderRef, FulfillmentId) {
    let (world, source) = World::pushed(units).await;
    let id = world.ship(&source, &["T1"]).await;
    (world, source, id)
}

/// The destination's merchant cancels all that the customer sees; the webhook names the order.
async fn cancel_shown(world: &World) {
    world.shop(&moon(), |shop| {
        shop.shown.values_mut().flatten().for_each(|shown| shown.state = FulfillmentState::Cancelled);
    });
    world.tell(Queue::TrackingWriteback, world.webhook(&at())).await;
}

fn ones(numbers: &[&str]) -> Vec<(String, u32)> {
    numbers.iter().map(|number| ((*number).to_owned(), 1)).collect()
}

const SHOWN_BY_ITS_REPLACEMENT: [(&str, Option<Code>); 2] = [("called-off", None), ("written", None)];

#[tokio::test]
async fn a_new_shipment_takes_over_the_fulfillment_of_one_that_was_called_off() {
    let (world, source, first) = written(1).await;

    world.call_off(&source, first).await;
    assert_eq!(world.writeback().await.wait.map(|wait| wait.why), Some(WaitReason::Replacement));
    world.ship(&source, &["T2"]).await;

    assert_eq!((world.shown(), world.mails()), (ones(&["T2"]), vec!["T1".to_owned(), "T2".to_owned()]));
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
    assert_eq!(world.writebacks().await, SHOWN_BY_ITS_REPLACEMENT);
    world.comes_to_rest().await;
    assert_eq!((world.letters(), world.order_tags()), (vec![], vec![]));
    let called_off = world.moves("writeback").into_iter().filter(|state| state == "called-off").count();
    assert_eq!(called_off, 1);
}

#[tokio::test]
async fn a_new_shipment_of_the_same_number_is_not_mailed_about_again() {
    let (world, source, first) = written(1).await;

    world.call_off(&source, first).await;
    world.ship(&source, &["T1"]).await;

    assert_eq!((world.shown(), world.mails()), (ones(&["T1"]), vec!["T1".to_owned()]));
    assert_eq!(world.writebacks().await, SHOWN_BY_ITS_REPLACEMENT);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_new_shipment_that_comes_before_the_cancellation_waits_for_it() {
    let (world, source, first) = written(1).await;

    world.ship(&source, &["T2"]).await;
    assert_eq!(world.letters(), [("writeback", Code::AlreadyShipped)]);
    assert_eq!(world.order_tags(), [FAILED_SHIPMENT_TAG]);
    world.call_off(&source, first).await;

    assert_eq!((world.shown(), world.order_tags()), (ones(&["T2"]), vec![]));
    assert_eq!(world.writebacks().await, SHOWN_BY_ITS_REPLACEMENT);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_take_over_without_an_answer_mails_once() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Throttled, Fault::LandsLate(MINUTE)] {
        let (world, source, first) = written(1).await;
        world.call_off(&source, first).await;
        world.fail_next(&moon(), &[fault]);

        world.ship(&source, &["T2"]).await;
        world.run(HOUR).await;

        assert_eq!((world.shown(), world.mails().len()), (ones(&["T2"]), 2), "{fault:?}");
        assert_eq!(world.writebacks().await, SHOWN_BY_ITS_REPLACEMENT, "{fault:?}");
        world.comes_to_rest().await;
    }
}

#[tokio::test]
async fn a_cancelled_shipment_that_nothing_replaces_is_raised_after_a_day() {
    let (world, source, first) = written(1).await;
    world.call_off(&source, first).await;
    world.run(DAY - HOUR).await;
    assert_eq!(world.letters(), []);

    world.run(2 * HOUR).await;
    assert_eq!(world.letters(), [("writeback", Code::ShipmentCancelled)]);
    assert_eq!(world.order_tags(), [FAILED_SHIPMENT_TAG]);
    cancel_shown(&world).await;

    assert_eq!((world.writebacks().await, world.order_tags()), (vec![("called-off", None)], vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_cancelled_shipment_that_was_raised_is_still_replaced() {
    let (world, source, first) = written(1).await;
    world.call_off(&source, first).await;
    world.run(DAY + HOUR).await;

    world.ship(&source, &["T2"]).await;

    assert_eq!((world.shown(), world.order_tags()), (ones(&["T2"]), vec![]));
    assert_eq!(world.writebacks().await, SHOWN_BY_ITS_REPLACEMENT);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_the_merchant_cancelled_as_well_is_shown_anew() {
    let (world, source, first) = written(1).await;
    world.call_off(&source, first).await;
    cancel_shown(&world).await;

    world.ship(&source, &["T2"]).await;

    assert_eq!((world.shown(), world.mails().len()), (ones(&["T2"]), 2));
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 2);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_shipment_that_is_called_off_before_it_was_shown_is_never_shown() {
    let (world, source) = World::pushed(1).await;
    let waiting = world.ship(&source, &[]).await;

    world.call_off(&source, waiting).await;
    world.comes_to_rest().await;

    assert_eq!((world.shown(), world.writebacks().await), (vec![], vec![("called-off", None)]));
}

#[tokio::test]
async fn a_shipment_that_is_called_off_while_its_call_is_in_doubt_is_seen_to() {
    for (fault, shown) in [(Fault::AnswerLost, 1), (Fault::RequestLost, 0), (Fault::LandsLate(MINUTE), 1)] {
        let (world, source) = World::pushed(1).await;
        world.fail_next(&moon(), &[fault]);
        let first = world.ship(&source, &["T1"]).await;

        world.call_off(&source, first).await;
        world.run(HOUR).await;
        assert_eq!(world.shown().len(), shown, "{fault:?}");
        world.ship(&source, &["T2"]).await;

        assert_eq!((world.shown(), world.writebacks().await), (ones(&["T2"]), SHOWN_BY_ITS_REPLACEMENT.to_vec()));
        world.comes_to_rest().await;
    }
}

#[tokio::test]
async fn two_parcels_become_one() {
    let (world, source) = World::pushed(2).await;
    let first = world.ship_units(&source, &["A"], Some(1)).await;
    let second = world.ship_units(&source, &["B"], Some(1)).await;
    world.call_off(&source, first).await;
    world.call_off(&source, second).await;

    world.ship(&source, &["C"]).await;

    assert_eq!((world.shown(), world.mails()), (ones(&["C", "C"]), ["A", "B", "C"].map(String::from).to_vec()));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn one_parcel_becomes_two_once_the_merchant_cancelled_it() {
    let (world, source, first) = written(2).await;
    world.call_off(&source, first).await;
    world.ship_units(&source, &["A"], Some(1)).await;
    world.ship_units(&source, &["B"], Some(1)).await;
    assert_eq!(world.shown(), [("T1".into(), 2)], "no part of it can be taken over");

    cancel_shown(&world).await;
    world.run(HOUR).await;

    assert_eq!((world.shown(), world.order_tags()), (ones(&["A", "B"]), vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_was_shipped_by_hand_under_the_same_number_is_left_as_it_is() {
    let (world, source) = World::pushed(1).await;
    world.ship_by_hand("t-1");

    world.ship(&source, &["T1"]).await;

    assert_eq!((world.shown(), world.mails()), (ones(&["t-1"]), vec![]));
    assert_eq!(world.writebacks().await, [("written", None)]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_was_shipped_by_hand_under_another_number_is_raised_until_it_is_cancelled() {
    let (world, source) = World::pushed(1).await;
    world.ship_by_hand("H");

    world.ship(&source, &["T1"]).await;
    assert_eq!(world.letters(), [("writeback", Code::AlreadyShipped)]);
    assert_eq!((world.shown(), world.order_tags().len()), (ones(&["H"]), 1));
    cancel_shown(&world).await;

    assert_eq!((world.shown(), world.mails(), world.order_tags()), (ones(&["T1"]), vec!["T1".to_owned()], vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_quantity_that_was_edited_down_is_raised_until_it_is_edited_back() {
    let (world, source) = World::pushed(3).await;
    world.change_order(|order| order.lines[0].quantity = 2);

    world.ship(&source, &["T1"]).await;
    assert_eq!(world.letters(), [("writeback", Code::ProductsMismatch)]);
    let detail = world.writeback().await.last_failure.unwrap().message;
    assert_eq!(detail, "line 101: 3 shipped, 2 left to fulfill, 0 fulfilled otherwise");
    world.change_order(|order| order.lines[0].quantity = 3);
    world.order_webhook().await;

    assert_eq!((world.shown(), world.order_tags()), (vec![("T1".into(), 3)], vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_mismatch_that_is_put_on_hold_and_released_is_raised_again_and_rests() {
    let (world, source) = World::pushed(3).await;
    world.change_order(|order| order.lines[0].quantity = 2);
    world.ship(&source, &["T1"]).await;

    for status in [FulfillmentOrderStatus::OnHold, FulfillmentOrderStatus::Open] {
        world.set_work(status, None);
        world.order_webhook().await;
    }

    world.comes_to_rest().await;
    assert_eq!(world.writebacks().await, [("pending", Some(Code::ProductsMismatch))]);
    assert_eq!(world.order_tags(), [FAILED_SHIPMENT_TAG]);
    // What was decided anew is told anew, under a name of its own.
    let told: std::collections::BTreeSet<String> =
        world.events("WritebackFailed").into_iter().map(|event| event.id).collect();
    assert_eq!(told.len(), world.letters().len());
}

#[tokio::test]
async fn a_missing_number_that_was_raised_is_not_woken_for_ever_by_a_hold() {
    let (world, source) = World::pushed(1).await;
    let id = world.ship(&source, &[]).await;
    world.run(DAY + HOUR).await;
    assert_eq!(world.letters(), [("writeback", Code::AwaitingTracking)]);

    for status in [FulfillmentOrderStatus::OnHold, FulfillmentOrderStatus::Open] {
        world.set_work(status, None);
        world.order_webhook().await;
    }
    world.comes_to_rest().await;
    world.relabel(&source, id, &["T1"]).await;

    assert_eq!((world.shown(), world.order_tags()), (ones(&["T1"]), vec![]));
}

#[tokio::test]
async fn a_cancelled_order_takes_no_new_shipment_but_a_new_number() {
    let (world, source) = World::pushed(2).await;
    let id = world.ship_units(&source, &["T1"], Some(1)).await;
    world.cancel_order();
    world.order_webhook().await;

    world.relabel(&source, id, &["T2"]).await;
    world.ship_units(&source, &["T3"], Some(1)).await;

    assert_eq!(world.shown(), ones(&["T2"]));
    assert_eq!(world.letters(), [("writeback", Code::OrderCancelled)]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_a_lost_call_showed_is_known_before_another_takes_its_place() {
    let (world, source) = World::pushed(2).await;
    world.fail_next(&moon(), &[Fault::AnswerLost]);
    let first = world.ship_units(&source, &["T1"], Some(1)).await;

    world.call_off(&source, first).await;
    world.ship_units(&source, &["T2"], Some(1)).await;
    world.run(HOUR).await;

    assert_eq!((world.shown(), world.letters()), (ones(&["T2"]), vec![]));
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
    world.comes_to_rest().await;
}
