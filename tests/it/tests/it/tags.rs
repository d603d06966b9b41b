//! The tags that say in the store's own list that something failed: there while it does, and no longer.

use roundtrip_domain::code::Code;
use roundtrip_domain::id::{FulfillmentId, OrderRef};
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::writeback::TrackingInfo;
use roundtrip_domain::{FAILED_PUSH_TAG, FAILED_SHIPMENT_TAG};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use crate::world::{DAY, HOUR, MINUTE, World, at, mars, tracking};

/// A carrier that nobody can follow: the shipment cannot be shown until it has a link.
fn incomplete(number: &str) -> Vec<TrackingInfo> {
    vec![TrackingInfo { company: Some("Wind & Wave".into()), ..tracking(number) }]
}

/// A pushed order, tagged by its merchant; what was shipped of it cannot be shown.
async fn failed_shipment(tag_faults: &[Fault]) -> (World, OrderRef, FulfillmentId) {
    let (world, source) = World::pushed(1).await;
    world.change_order(|order| order.tags = vec!["vip".into()]);
    world.fail_next(&moon(), tag_faults);
    let id = world.ship(&source, &[]).await;
    spoil(&world, &source, id, "T1").await;
    (world, source, id)
}

async fn mend(world: &World, source: &OrderRef, id: FulfillmentId) {
    world.relabel(source, id, &["T1"]).await;
}

async fn spoil(world: &World, source: &OrderRef, id: FulfillmentId, number: &str) {
    world.change_shipment(source, id, |shipped| shipped.tracking = incomplete(number)).await;
}

fn tag_calls(world: &World) -> usize {
    world.calls(&moon(), "add_tags") + world.calls(&moon(), "remove_tags")
}

#[tokio::test]
async fn a_shipment_that_cannot_be_shown_is_tagged_until_it_is() {
    let (world, source, id) = failed_shipment(&[]).await;
    assert_eq!(world.order_tags(), ["vip", FAILED_SHIPMENT_TAG]);
    assert_eq!(world.summary().await.system_tags, [FAILED_SHIPMENT_TAG.to_owned()].into());
    assert_eq!(world.moves("tags"), [FAILED_SHIPMENT_TAG]);

    mend(&world, &source, id).await;

    assert_eq!(world.order_tags(), ["vip"]);
    assert!(world.summary().await.system_tags.is_empty());
    assert_eq!(world.moves("tags"), [FAILED_SHIPMENT_TAG, "none"]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_push_that_failed_is_tagged_until_it_went() {
    let world = World::new();
    world.change_order(|order| order.tags = vec!["vip".into()]);
    world.fail_next(&sun(), &[Fault::Refused]);

    world.order_webhook().await;
    assert_eq!(world.order_tags(), ["vip", FAILED_PUSH_TAG]);
    world.redrive().await;

    assert_eq!(world.order_tags(), ["vip"]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_goes_again_is_tagged_until_it_is_there() {
    let (world, source) = World::pushed(1).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    world.ship(&source, &["T1"]).await;
    assert_eq!((world.order_tags(), tag_calls(&world)), (vec![FAILED_SHIPMENT_TAG.to_owned()], 1));

    // It goes again, and the store is out of reach for a while.
    world.fail_next(&moon(), &[Fault::Unreachable; 3]);
    world.redrive().await;
    assert_eq!(world.writebacks().await, [("pending", None)]);
    assert_eq!(world.summary().await.system_tags, [FAILED_SHIPMENT_TAG.to_owned()].into());
    assert_eq!((world.order_tags(), tag_calls(&world)), (vec![FAILED_SHIPMENT_TAG.to_owned()], 1));

    world.comes_to_rest().await;
    assert_eq!((world.order_tags(), world.mails()), (vec![], vec!["T1".to_owned()]));
    assert_eq!(tag_calls(&world), 2, "set and taken away, once each");
}

#[tokio::test]
async fn what_goes_again_and_fails_again_keeps_its_tag_without_a_call() {
    let (world, source) = World::pushed(1).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    world.ship(&source, &["T1"]).await;

    world.fail_next(&moon(), &[Fault::Refused]);
    world.redrive().await;
    world.comes_to_rest().await;

    assert_eq!((world.order_tags(), tag_calls(&world)), (vec![FAILED_SHIPMENT_TAG.to_owned()], 1));
}

#[tokio::test]
async fn what_goes_again_and_is_not_wanted_any_more_loses_its_tag() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    assert_eq!(world.order_tags(), [FAILED_PUSH_TAG]);

    world.cancel_order();
    world.redrive().await;
    world.comes_to_rest().await;

    assert_eq!(world.order_tags(), Vec::<String>::new());
}

#[tokio::test]
async fn a_failure_that_is_tried_again_is_not_tagged_yet() {
    let (world, source) = World::pushed(1).await;
    world.fail_next(&moon(), &[Fault::Unreachable; 4]);

    world.ship(&source, &["T1"]).await;
    assert_eq!(tag_calls(&world), 0);
    world.comes_to_rest().await;

    assert_eq!((tag_calls(&world), world.mails()), (0, vec!["T1".into()]));
}

#[tokio::test]
async fn each_kind_of_failure_has_its_own_tag() {
    let world = World::new();
    world.add_source(&mars(), 2);
    world.fail_next(&mars(), &[Fault::Refused]);
    world.order_webhook().await;
    let source = world.source_order(&sun());
    let id = world.ship(&source, &[]).await;

    spoil(&world, &source, id, "T1").await;
    assert_eq!(world.order_tags(), [FAILED_PUSH_TAG, FAILED_SHIPMENT_TAG]);
    mend(&world, &source, id).await;

    assert_eq!(world.order_tags(), [FAILED_PUSH_TAG]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn the_tag_stays_until_the_last_failed_shipment_is_shown() {
    let (world, source) = World::pushed(2).await;
    let mut shipments = Vec::new();
    for _ in 0..2 {
        let id = world.ship_units(&source, &[], Some(1)).await;
        spoil(&world, &source, id, "T1").await;
        shipments.push(id);
    }
    let mut tags = Vec::new();

    for id in shipments {
        mend(&world, &source, id).await;
        tags.push(world.order_tags().len());
    }

    assert_eq!((tags, tag_calls(&world)), (vec![1, 0], 2));
}

#[tokio::test]
async fn a_changed_tag_or_note_does_not_set_a_parked_step_going() {
    let (world, source) = World::pushed(1).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    world.ship(&source, &["T1"]).await;
    let push_failed = World::new();
    push_failed.fail_next(&sun(), &[Fault::Refused]);
    push_failed.order_webhook().await;

    for world in [&world, &push_failed] {
        for n in 0..5 {
            world.change_order(|order| order.tags.push(format!("tag {n}")));
            world.order_webhook().await;
        }
        world.comes_to_rest().await;
        assert_eq!(world.letters().len(), 1);
    }
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
    assert_eq!(push_failed.calls(&sun(), "create_order"), 1);
}

#[tokio::test]
async fn a_tag_that_cannot_be_set_has_a_dead_letter_of_its_own_and_is_not_tried_for_ever() {
    let (world, _, _) = failed_shipment(&[Fault::Unreachable; 5]).await;

    world.comes_to_rest().await;

    assert_eq!(world.letters(), [("writeback", Code::IncompleteTracking), ("tags", Code::ChannelUnavailable)]);
    assert_eq!((tag_calls(&world), world.order_tags()), (5, vec!["vip".to_owned()]));
    world.redrive().await;
    assert_eq!(world.order_tags(), ["vip", FAILED_SHIPMENT_TAG]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_tag_that_could_not_be_set_is_forgotten_when_it_is_not_wanted_and_tried_anew_when_it_is() {
    let (world, source, id) = failed_shipment(&[Fault::Unreachable; 5]).await;
    world.run(HOUR).await;

    mend(&world, &source, id).await;
    assert_eq!(world.record().await.tags.get().parked, None);
    spoil(&world, &source, id, "T2").await;

    assert_eq!(world.order_tags(), ["vip", FAILED_SHIPMENT_TAG]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn throttled_tagging_waits_and_counts_nothing() {
    let (world, _, _) = failed_shipment(&[Fault::Throttled; 7]).await;
    let tags = world.record().await.tags.get().clone();
    assert_eq!((tags.attempts, tags.wait.map(|wait| wait.why)), (0, Some(WaitReason::Throttled)));

    world.comes_to_rest().await;

    assert_eq!(world.order_tags(), ["vip", FAILED_SHIPMENT_TAG]);
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test]
async fn a_tag_that_was_set_without_an_answer_goes_away_with_its_reason() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::LandsLate(MINUTE / 2)] {
        let (world, source, id) = failed_shipment(&[fault]).await;

        mend(&world, &source, id).await;
        world.comes_to_rest().await;

        assert_eq!(world.order_tags(), ["vip"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_tag_that_was_taken_away_without_an_answer_comes_back_with_its_reason() {
    for fault in [Fault::AnswerLost, Fault::RequestLost] {
        let (world, source, id) = failed_shipment(&[]).await;
        world.fail_next(&moon(), &[fault]);
        world.call_off(&source, id).await;

        let another = world.ship(&source, &[]).await;
        spoil(&world, &source, another, "T2").await;
        world.comes_to_rest().await;

        assert_eq!(world.order_tags(), ["vip", FAILED_SHIPMENT_TAG], "{fault:?}");
    }
}

#[tokio::test]
async fn a_source_order_that_cannot_be_read_tags_the_order_until_it_can() {
    let (world, source) = World::pushed(1).await;
    world.fail_questions(&sun(), &[Fault::Unreachable; 5]);

    world.ship(&source, &["T1"]).await;
    world.run(DAY).await;
    assert_eq!(world.letters(), [("look", Code::ChannelUnavailable)]);
    assert_eq!(world.order_tags(), [FAILED_SHIPMENT_TAG]);
    world.source_webhook(&source).await;

    assert_eq!((world.order_tags(), world.mails()), (vec![], vec!["T1".to_owned()]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_source_order_that_is_gone_is_not_waited_for_with_a_tag() {
    let (world, source) = World::pushed(1).await;
    world.fail_questions(&sun(), &[Fault::Unreachable; 5]);
    world.ship(&source, &["T1"]).await;
    world.run(DAY).await;

    world.shop(&sun(), |shop| shop.pushed.clear());
    world.redrive().await;

    assert_eq!(world.order_tags(), Vec::<String>::new());
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_went_wrong_stands_in_the_history_with_its_code_shopifys_words_and_their_request() {
    let (world, source) = World::pushed(1).await;
    world.fail_next(&moon(), &[Fault::Refused]);

    world.ship(&source, &["T1"]).await;

    let history = world.ports.ledger.history(&at());
    let failed = history.iter().find(|event| event.what.starts_with("writeback/") && event.after == "failed");
    let failed = failed.expect("the timeline tells of it");
    assert_eq!((failed.code, failed.request_id.as_deref()), (Some(Code::Rejected), Some("request-1")));
    assert!(failed.detail.as_deref().is_some_and(|detail| detail.contains("is odd")), "{failed:?}");
}
