//! Labels that cannot be shown just now, and labels beside what a source store ships.

use roundtrip_domain::code::Code;
use roundtrip_domain::id::{LocationId, OrderRef};
use roundtrip_domain::order::{FulfillmentOrderStatus, FulfillmentState};
use roundtrip_domain::registry::{LocationMapping, Place};
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::task::Queue;
use roundtrip_domain::writeback::{Label, TrackingInfo};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::label;
use roundtrip_kit::order::{moon, sun};

use crate::world::{DAY, HOUR, MINUTE, World, at, label_id, line_of, tracking};

fn shown(units: &[(&str, u32)]) -> Vec<(String, u32)> {
    units.iter().map(|(number, units)| ((*number).to_owned(), *units)).collect()
}

#[tokio::test]
async fn a_warehouse_that_nobody_mapped_is_asked_about_and_heals_when_it_is() {
    for wake_up in ["redrive", "webhook of the order", "posted again"] {
        let world = World::known(4).await;
        let places = vec![(LocationId::new(1), 2), (LocationId::new(2), 2)];
        world.shop(&moon(), |shop| shop.split.insert(line_of(1), places));
        let bought = Label { warehouse: Some("WH2".into()), ..world.label_of_units("T1", 1) };
        world.post_label("L1", bought.clone()).await;
        assert_eq!(world.letters(), [("label", Code::LocationUnmapped)]);
        world.run(DAY).await;
        assert_eq!(world.letters().len(), 1);

        let from = Place::Warehouse { warehouse: "WH2".into() };
        world.ports.ledger.put_locations(&moon(), vec![LocationMapping { from, to: LocationId::new(2) }].into());
        match wake_up {
            "redrive" => world.redrive().await,
            "webhook of the order" => world.order_webhook().await,
            _ => world.post_label("L1", bought).await,
        }

        assert_eq!((world.shown(), world.order_tags()), (shown(&[("T1", 1)]), vec![]), "{wake_up}");
        assert!(world.shop(&moon(), |shop| shop.sent_from.values().all(|from| from.number() == 2)), "{wake_up}");
        world.comes_to_rest().await;
    }
}

#[tokio::test]
async fn a_label_that_nobody_can_follow_heals_when_it_is_posted_with_its_link() {
    let world = World::known(1).await;
    let unlinked = TrackingInfo { company: Some("Wind & Wave".into()), ..tracking("T1") };
    let bought = Label { tracking: vec![unlinked.clone()], ..label::label(&world.ports, &[]) };
    world.post_label("L1", bought.clone()).await;
    assert_eq!(world.letters(), [("label", Code::IncompleteTracking)]);

    let linked = TrackingInfo { url: Some("https://wind.example/T1".into()), ..unlinked };
    world.post_label("L1", Label { tracking: vec![linked], ..bought }).await;

    assert_eq!((world.shown(), world.order_tags()), (shown(&[("T1", 1)]), vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_for_an_order_on_hold_is_shown_when_it_is_released() {
    let world = World::known(1).await;
    world.set_work(FulfillmentOrderStatus::OnHold, None);

    world.post("L1", &["T1"]).await;
    world.run(3 * DAY).await;
    assert_eq!((world.shown(), world.letters()), (vec![], vec![]));
    world.set_work(FulfillmentOrderStatus::Open, None);
    world.order_webhook().await;

    assert_eq!(world.shown(), shown(&[("T1", 1)]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_of_an_order_that_cannot_be_read_is_counted_and_parked() {
    let world = World::known(1).await;
    world.fail_questions(&moon(), &[Fault::Unreachable; 5]);

    world.post("L1", &["T1"]).await;
    world.comes_to_rest().await;

    assert_eq!(world.letters(), [("label", Code::ChannelUnavailable)]);
    assert_eq!((world.writeback().await.attempts, world.order_tags().len()), (5, 1));
    world.redrive().await;
    assert_eq!((world.shown(), world.order_tags()), (shown(&[("T1", 1)]), vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_parked_label_that_is_posted_again_is_tried_again() {
    for (question, change) in [(Some(Fault::Unreachable), None), (None, Some(Fault::Refused))] {
        let world = World::known(1).await;
        world.shop(&moon(), |shop| {
            shop.query_faults.extend(question.into_iter().cycle().take(7));
            shop.mutation_faults.extend(change);
        });
        world.post("L1", &["T1"]).await;
        world.run(HOUR).await;
        assert_eq!(world.letters().len(), 1);

        world.post("L1", &["T1"]).await;
        world.comes_to_rest().await;

        assert_eq!((world.shown(), world.order_tags()), (shown(&[("T1", 1)]), vec![]), "{question:?} {change:?}");
        assert_eq!(world.letters().len(), 1);
    }
}

#[tokio::test]
async fn a_parked_label_is_left_alone_when_the_order_cannot_be_read_for_another() {
    for fault in [Fault::Unreachable, Fault::Throttled, Fault::Revoked] {
        let world = World::known(1).await;
        world.post_label("L1", world.label_of_units("T1", 2)).await;
        world.fail_questions(&moon(), &[fault]);
        world.post("L2", &["T2"]).await;
        world.shop(&moon(), |shop| shop.revoked = false);

        world.void("L2").await;
        world.comes_to_rest().await;

        let states = [("pending", Some(Code::ProductsMismatch)), ("called-off", None)];
        assert_eq!(world.writebacks().await, states, "{fault:?}");
        assert_eq!(world.letters(), [("label", Code::ProductsMismatch)], "{fault:?}");
    }
}

#[tokio::test]
async fn a_label_of_an_order_that_is_gone_leaves_nothing_due() {
    let world = World::known(1).await;
    world.shop(&moon(), |shop| shop.orders.clear());

    world.post("L1", &["T1"]).await;

    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_without_an_answer_mails_once() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::LandsLate(MINUTE)] {
        let world = World::known(1).await;
        world.fail_next(&moon(), &[fault]);

        world.post("L1", &["T1"]).await;
        world.comes_to_rest().await;

        assert_eq!((world.shown(), world.mails()), (shown(&[("T1", 1)]), vec!["T1".to_owned()]), "{fault:?}");
    }
}

#[tokio::test]
async fn a_label_that_changes_while_its_call_is_in_doubt_shows_its_last_number() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::LandsLate(MINUTE)] {
        let world = World::known(1).await;
        world.fail_next(&moon(), &[fault]);
        world.post("L1", &["T1"]).await;

        world.post("L1", &["T2"]).await;
        world.comes_to_rest().await;

        assert_eq!((world.shown(), world.letters()), (shown(&[("T2", 1)]), vec![]), "{fault:?}");
    }
}

#[tokio::test]
async fn labels_beside_a_source_store_show_each_their_own() {
    let (world, source) = pushed_and_labelled(2).await;

    world.post_label("L1", world.label_of_units("L", 1)).await;
    world.ship_units(&source, &["S"], Some(1)).await;

    assert_eq!((world.shown(), world.mails()), (shown(&[("L", 1), ("S", 1)]), vec!["L".to_owned(), "S".to_owned()]));
    world.comes_to_rest().await;
}

/// An order of so many units that was pushed because a person asked, and is shipped by label as well.
async fn pushed_and_labelled(units: u32) -> (World, OrderRef) {
    let world = World::known(units).await;
    world.request(&sun(), "request-1").await;
    world.drain().await;
    let source = world.source_order(&sun());
    (world, source)
}

#[tokio::test]
async fn a_label_that_changes_while_its_call_is_on_its_way_shows_its_last_number() {
    let world = World::known(1).await;
    world.meanwhile(|ports| async move {
        label::post(&ports, &at(), &label_id("L1"), label::label(&ports, &["T2"])).await;
    });

    world.post("L1", &["T1"]).await;

    assert_eq!((world.shown(), world.mails()), (shown(&[("T2", 1)]), vec!["T1".to_owned(), "T2".to_owned()]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_that_is_voided_while_its_call_is_on_its_way_waits_to_be_replaced() {
    let world = World::known(1).await;
    world.meanwhile(|ports| async move { label::void(&ports, &at(), &label_id("L1")).await });

    world.post("L1", &["T1"]).await;
    assert_eq!(world.writeback().await.wait.map(|wait| wait.why), Some(WaitReason::Replacement));
    world.post("L2", &["T2"]).await;

    assert_eq!(world.shown(), shown(&[("T2", 1)]));
    assert_eq!(world.writebacks().await, [("called-off", None), ("written", None)]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_label_that_is_mended_while_its_call_is_refused_is_tried_again() {
    let world = World::known(1).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    world.meanwhile(|ports| async move {
        label::post(&ports, &at(), &label_id("L1"), label::label(&ports, &["T2"])).await;
    });

    world.post("L1", &["T1"]).await;

    assert_eq!((world.shown(), world.order_tags()), (shown(&[("T2", 1)]), vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn one_parcel_that_both_the_label_tool_and_the_source_tell_of_is_shown_once() {
    for label_first in [true, false] {
        for label in ["whole order", "given lines"] {
            let (world, source) = pushed_and_labelled(2).await;
            let mut bought = world.label_of_units("T", 2);
            bought.lines = bought.lines.filter(|_| label == "given lines");

            if label_first {
                world.post_label("L1", bought).await;
                world.ship(&source, &["T"]).await;
            } else {
                world.ship(&source, &["T"]).await;
                world.post_label("L1", bought).await;
            }
            world.source_webhook(&source).await;
            world.order_webhook().await;

            assert_eq!((world.shown(), world.mails()), (shown(&[("T", 2)]), vec!["T".to_owned()]), "{label}");
            assert_eq!(world.writebacks().await, [("written", None), ("written", None)], "{label_first}, {label}");
            assert_eq!((world.letters(), world.order_tags()), (vec![], vec![]));
            world.comes_to_rest().await;
        }
    }
}

#[tokio::test]
async fn a_label_for_what_the_source_shipped_under_another_number_is_raised() {
    let (world, source) = pushed_and_labelled(1).await;
    world.ship(&source, &["S"]).await;

    world.post("L1", &["L"]).await;

    assert_eq!((world.shown(), world.letters()), (shown(&[("S", 1)]), vec![("label", Code::AlreadyShipped)]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_happens_to_an_order_with_a_label_still_reaches_its_other_shipments() {
    let (world, source) = pushed_and_labelled(2).await;
    world.post_label("L1", world.label_of_units("L", 1)).await;
    let shipped = world.ship_units(&source, &["S"], Some(1)).await;
    world.call_off(&source, shipped).await;
    world.run(DAY + HOUR).await;
    assert_eq!(world.letters(), [("writeback", Code::ShipmentCancelled)]);

    world.shop(&moon(), |shop| {
        let cancelled = shop.shown.values_mut().flatten().filter(|shown| shown.tracking[0].number == "S");
        cancelled.for_each(|shown| shown.state = FulfillmentState::Cancelled);
    });
    world.tell(Queue::TrackingWriteback, world.webhook(&at())).await;

    assert_eq!((world.shown(), world.order_tags()), (shown(&[("L", 1)]), vec![]));
    world.comes_to_rest().await;
}
