//! Tracking that changes after it was shown: replaced on the same fulfillment, and mailed about once.

use roundtrip_domain::FAILED_SHIPMENT_TAG;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{FulfillmentId, OrderRef};
use roundtrip_domain::registry::WithoutTracking;
use roundtrip_domain::writeback::TrackingInfo;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use crate::world::{DAY, HOUR, MINUTE, World, tracking};

/// An order of one unit that the customer sees as sent under T1.
async fn written() -> (World, OrderRef, FulfillmentId) {
    let (world, source) = World::pushed(1).await;
    let id = world.ship(&source, &["T1"]).await;
    assert_eq!(world.mails(), ["T1"]);
    (world, source, id)
}

fn one(number: &str) -> Vec<(String, u32)> {
    vec![(number.to_owned(), 1)]
}

async fn parked(world: &World) -> Option<Code> {
    world.writeback().await.parked.map(|parked| parked.code)
}

#[tokio::test]
async fn a_label_that_was_made_again_replaces_the_number_on_the_same_fulfillment() {
    let (world, source, id) = written().await;

    world.relabel(&source, id, &["T2"]).await;
    world.source_webhook(&source).await;

    assert_eq!((world.shown(), world.mails()), (one("T2"), vec!["T1".to_owned(), "T2".to_owned()]));
    assert_eq!((world.calls(&moon(), "create_fulfillment"), world.calls(&moon(), "update_tracking")), (1, 1));
    assert_eq!(world.writebacks().await, [("written", None)]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_number_that_comes_back_is_shown_and_not_mailed_about_again() {
    let (world, source, id) = written().await;

    for number in ["T2", "T1", "T2"] {
        world.relabel(&source, id, &[number]).await;
    }

    assert_eq!((world.shown(), world.mails()), (one("T2"), vec!["T1".to_owned(), "T2".to_owned()]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn several_numbers_keep_their_order() {
    let (world, source) = World::pushed(1).await;
    let id = world.ship(&source, &["T3", "T1", "T2"]).await;
    assert_eq!((world.shown(), world.mails().len()), (one("T3+T1+T2"), 3));

    world.relabel(&source, id, &["T3", "T4"]).await;

    assert_eq!(world.shown(), one("T3+T4"));
    assert_eq!(world.mails().iter().filter(|number| *number == "T3").count(), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn one_of_two_partial_shipments_is_replaced_and_the_other_untouched() {
    let (world, source) = World::pushed(2).await;
    let first = world.ship_units(&source, &["A"], Some(1)).await;
    let sent_first = || world.shop(&moon(), |shop| shop.shown.values().flatten().next().cloned());
    let before = sent_first();
    world.ship_units(&source, &["B"], Some(1)).await;
    assert_eq!(world.shown(), [("A".into(), 1), ("B".into(), 1)]);
    assert_eq!(sent_first(), before);

    world.relabel(&source, first, &["A2"]).await;

    assert_eq!(world.shown(), [("A2".into(), 1), ("B".into(), 1)]);
    assert_eq!(world.mails(), ["A", "B", "A2"]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_replacement_that_is_refused_is_parked_and_tagged_until_the_merchant_corrects_it() {
    let (world, source, id) = written().await;
    world.shop(&moon(), |shop| shop.rejects_overwrite = true);

    world.relabel(&source, id, &["T2"]).await;
    world.source_webhook(&source).await;
    assert_eq!((parked(&world).await, world.letters().len()), (Some(Code::OverwriteRejected), 1));
    assert_eq!((world.shown(), world.order_tags()), (one("T1"), vec![FAILED_SHIPMENT_TAG.to_owned()]));
    world.shop(&moon(), |shop| shop.shown.values_mut().flatten().for_each(|it| it.tracking = vec![tracking("T2")]));
    world.order_webhook().await;

    assert_eq!((parked(&world).await, world.order_tags()), (None, vec![]));
    assert_eq!(world.mails(), ["T1"], "nobody mails for a number that the merchant wrote");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_replacement_that_is_taken_but_not_shown_is_no_success() {
    let (world, source, id) = written().await;
    world.shop(&moon(), |shop| shop.ignores_overwrite = true);

    world.relabel(&source, id, &["T2"]).await;
    for _ in 0..3 {
        world.source_webhook(&source).await;
        world.order_webhook().await;
    }

    assert_eq!((parked(&world).await, world.order_tags().len()), (Some(Code::OverwriteRejected), 1));
    assert_eq!(world.letters(), [("writeback", Code::OverwriteRejected)]);
    assert_eq!(world.calls(&moon(), "update_tracking"), 1, "asking again would change nothing");
    world.shop(&moon(), |shop| shop.ignores_overwrite = false);
    world.redrive().await;
    assert_eq!((world.shown(), world.order_tags()), (one("T2"), vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_replacement_without_an_answer_mails_once() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Unreachable, Fault::LandsLate(MINUTE)] {
        let (world, source, id) = written().await;
        world.fail_next(&moon(), &[fault]);

        world.relabel(&source, id, &["T2"]).await;
        world.run(HOUR).await;

        assert_eq!((world.shown(), world.mails()), (one("T2"), vec!["T1".to_owned(), "T2".to_owned()]), "{fault:?}");
        assert_eq!(world.writebacks().await, [("written", None)], "{fault:?}");
        world.comes_to_rest().await;
    }
}

#[tokio::test]
async fn a_number_that_changes_while_its_first_call_is_in_doubt_is_replaced() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::LandsLate(MINUTE)] {
        let (world, source) = World::pushed(1).await;
        world.fail_next(&moon(), &[fault]);
        let id = world.ship(&source, &["T1"]).await;

        world.relabel(&source, id, &["T2"]).await;
        world.run(HOUR).await;

        assert_eq!((world.shown(), world.writebacks().await), (one("T2"), vec![("written", None)]), "{fault:?}");
        assert_eq!(world.mails().iter().filter(|number| *number == "T2").count(), 1, "{fault:?}");
        assert_eq!((world.letters(), world.order_tags()), (vec![], vec![]), "{fault:?}");
        world.comes_to_rest().await;
    }
}

#[tokio::test]
async fn a_number_that_changes_while_its_replacement_is_in_doubt_is_replaced() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::LandsLate(MINUTE)] {
        let (world, source, id) = written().await;
        world.fail_next(&moon(), &[fault]);
        world.relabel(&source, id, &["T2"]).await;

        world.relabel(&source, id, &["T3"]).await;
        world.run(HOUR).await;

        assert_eq!((world.shown(), world.writebacks().await), (one("T3"), vec![("written", None)]), "{fault:?}");
        assert_eq!(world.mails().last().unwrap(), "T3");
        world.comes_to_rest().await;
    }
}

#[tokio::test]
async fn a_destination_that_forbids_it_keeps_its_number_and_says_so() {
    let (world, source, id) = written().await;
    world.settings(|settings| settings.overwrite_tracking = false).await;

    world.relabel(&source, id, &["T2"]).await;
    assert_eq!((parked(&world).await, world.shown()), (Some(Code::OverwriteRejected), one("T1")));
    assert_eq!((world.calls(&moon(), "update_tracking"), world.order_tags().len()), (0, 1));
    // The label that the customer knows is the one that was used after all.
    world.relabel(&source, id, &["T1"]).await;

    assert_eq!((parked(&world).await, world.order_tags()), (None, vec![]));
    assert_eq!(world.mails(), ["T1"]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_is_shown_at_once_without_a_number_gets_its_number_later_with_one_mail() {
    for overwrite in [true, false] {
        let (world, source) = World::pushed(1).await;
        world
            .settings(|settings| {
                settings.without_tracking = WithoutTracking::FulfilNow;
                settings.overwrite_tracking = overwrite;
            })
            .await;
        let id = world.ship(&source, &[]).await;
        assert_eq!((world.shown(), world.mails()), (one(""), vec![]));
        world.run(3 * HOUR).await;

        world.relabel(&source, id, &["T1"]).await;

        assert_eq!((world.shown(), world.mails()), (one("T1"), vec!["T1".to_owned()]), "{overwrite}");
        assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
        world.comes_to_rest().await;
    }
}

#[tokio::test]
async fn a_number_that_follows_while_the_call_without_one_is_in_doubt_completes_it() {
    let (world, source) = World::pushed(1).await;
    world.settings(|settings| settings.without_tracking = WithoutTracking::FulfilNow).await;
    world.fail_next(&moon(), &[Fault::AnswerLost]);
    let id = world.ship(&source, &[]).await;

    world.relabel(&source, id, &["T1"]).await;
    world.comes_to_rest().await;

    assert_eq!((world.shown(), world.mails()), (one("T1"), vec!["T1".to_owned()]));
    assert_eq!(world.writebacks().await, [("written", None)]);
}

#[tokio::test]
async fn a_number_that_is_taken_off_for_a_while_leaves_nothing_due() {
    let (world, source, id) = written().await;

    world.relabel(&source, id, &[]).await;
    assert_eq!(world.shown(), one("T1"), "the customer still sees the last one");
    world.relabel(&source, id, &["T1"]).await;

    world.comes_to_rest().await;
    assert_eq!((world.writebacks().await, world.letters()), (vec![("written", None)], vec![]));
}

#[tokio::test]
async fn a_number_that_is_taken_off_for_good_is_raised_after_a_day_and_heals() {
    let (world, source, id) = written().await;
    world.relabel(&source, id, &[]).await;
    world.run(DAY + HOUR).await;
    assert_eq!(world.letters(), [("writeback", Code::AwaitingTracking)]);

    world.relabel(&source, id, &["T1"]).await;

    assert_eq!((world.writebacks().await, world.order_tags()), (vec![("written", None)], vec![]));
    assert_eq!(world.mails(), ["T1"]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_carrier_that_is_corrected_where_the_number_could_not_be_followed_heals() {
    let (world, source, id) = written().await;
    let unlinked = TrackingInfo { company: Some("Wind & Wave".into()), ..tracking("T2") };
    world.change_shipment(&source, id, |shipped| shipped.tracking = vec![unlinked.clone()]).await;
    assert_eq!(parked(&world).await, Some(Code::IncompleteTracking));

    let linked = TrackingInfo { url: Some("https://wind.example/T2".into()), ..unlinked };
    world.change_shipment(&source, id, |shipped| shipped.tracking = vec![linked]).await;

    assert_eq!((world.shown(), world.order_tags()), (one("T2"), vec![]));
    world.comes_to_rest().await;
    assert_eq!(world.made_at(&sun()).len(), 1);
}
