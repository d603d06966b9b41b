//! Orders that are cancelled, refunded or edited, before they are pushed and after.

use roundtrip_domain::FAILED_PUSH_TAG;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::VariantId;
use roundtrip_domain::order::FinancialStatus;
use roundtrip_domain::push::{PushState, RefusalReason};
use roundtrip_domain::record::{RequestState, Tab, WarningCode};
use roundtrip_domain::registry::ProductLink;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{line, moon, sun};

use crate::world::{HOUR, MINUTE, World, mars};

fn made(world: &World) -> usize {
    world.made_at(&sun()).len()
}

/// So many units are refunded.
fn refund(world: &World, units: u32) {
    world.change_order(|order| {
        order.lines[0].quantity -= units;
        let left = order.lines.iter().any(|line| line.quantity > 0);
        order.financial_status = if left { FinancialStatus::PartiallyRefunded } else { FinancialStatus::Refunded };
    });
}

#[tokio::test]
async fn an_order_that_is_cancelled_first_is_never_pushed() {
    let world = World::new();
    world.cancel_order();

    world.order_webhook().await;
    world.request(&sun(), "request-1").await;
    world.comes_to_rest().await;

    assert_eq!((made(&world), world.tab().await), (0, Tab::Cancelled));
    let answer = world.request_state("request-1").await;
    assert!(matches!(&answer, RequestState::Refused { reasons } if reasons[0].reason == RefusalReason::OrderCancelled));
    assert_eq!(world.warnings().await, []);
}

#[tokio::test]
async fn an_order_that_is_cancelled_after_its_push_warns_once() {
    let (world, _) = World::pushed(1).await;

    world.cancel_order();
    for _ in 0..3 {
        world.order_webhook().await;
        world.change_order(|order| order.tags.push("seen".into()));
    }
    world.comes_to_rest().await;

    assert_eq!((made(&world), world.tab().await), (1, Tab::Cancelled));
    assert_eq!(world.warnings().await, [(WarningCode::CancelledAfterPush, sun())]);
    let told: Vec<String> = world.told().into_iter().filter(|detail| detail.contains("cancel it there")).collect();
    assert_eq!(told, ["#5001 at sun.myshopify.com: cancelled here: cancel it there too"]);
}

#[tokio::test]
async fn a_cancelled_order_is_not_pushed_again_by_who_asks() {
    let (world, _) = World::pushed(1).await;
    world.cancel_order();
    world.order_webhook().await;

    world.request(&sun(), "request-1").await;
    world.comes_to_rest().await;

    assert_eq!(made(&world), 1);
}

#[tokio::test]
async fn an_order_that_is_cancelled_while_its_push_is_in_doubt_warns_if_it_was_made() {
    for (fault, orders, warnings) in [(Fault::AnswerLost, 1, 1), (Fault::RequestLost, 0, 0)] {
        let world = World::new();
        world.fail_next(&sun(), &[fault]);
        world.order_webhook().await;

        world.cancel_order();
        world.order_webhook().await;
        world.comes_to_rest().await;

        assert_eq!((made(&world), world.tab().await), (orders, Tab::Cancelled), "{fault:?}");
        assert_eq!(world.warnings().await.len(), warnings, "{fault:?}");
    }
}

#[tokio::test]
async fn a_push_that_lands_after_the_cancellation_is_found_and_warned_of() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::LandsLate(MINUTE)]);
    world.order_webhook().await;

    world.cancel_order();
    world.order_webhook().await;
    world.run(HOUR).await;

    assert!(matches!(world.push(&sun()).await.state, PushState::Confirmed { .. }));
    assert_eq!(world.warnings().await, [(WarningCode::CancelledAfterPush, sun())]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn only_the_stores_that_have_their_part_are_warned_of() {
    let world = World::new();
    world.add_source(&mars(), 2);
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;
    world.request(&mars(), "request-1").await;
    world.drain().await;

    world.cancel_order();
    world.order_webhook().await;
    world.comes_to_rest().await;

    assert_eq!((made(&world), world.made_at(&mars()).len()), (0, 1));
    assert_eq!(world.warnings().await, [(WarningCode::CancelledAfterPush, mars())]);
}

#[tokio::test]
async fn a_push_that_failed_is_no_more_asked_about_once_the_order_is_cancelled() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    assert_eq!(world.order_tags(), [FAILED_PUSH_TAG]);

    world.cancel_order();
    world.order_webhook().await;

    assert_eq!(world.order_tags(), Vec::<String>::new());
    assert_eq!(world.push(&sun()).await.parked, None);
    world.redrive().await;
    world.comes_to_rest().await;
    assert_eq!(made(&world), 0);
}

#[tokio::test]
async fn the_redrive_of_a_push_that_may_not_go_any_more_leaves_no_tag() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    world.change_order(|order| order.financial_status = FinancialStatus::Refunded);

    world.redrive().await;
    world.comes_to_rest().await;

    assert_eq!((made(&world), world.order_tags()), (0, Vec::<String>::new()));
    assert_eq!(world.summary().await.refusals[0].reasons[0].reason, RefusalReason::NotPaid);
}

#[tokio::test]
async fn a_partly_refunded_order_waits_for_a_person_who_allows_it() {
    let world = World::with_units(2);
    refund(&world, 1);

    world.order_webhook().await;

    assert_eq!((made(&world), world.tab().await), (0, Tab::NotPushed));
    assert_eq!(world.summary().await.refusals[0].reasons[0].reason, RefusalReason::NotPaid);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_is_left_of_a_partly_refunded_order_goes_where_that_is_allowed() {
    let world = World::with_units(2);
    world.shop_settings(|settings| settings.allow_partially_refunded = true).await;
    refund(&world, 1);

    world.order_webhook().await;

    assert_eq!(world.made_at(&sun())[0].lines[0].quantity, 1);
    assert_eq!((world.tab().await, world.warnings().await), (Tab::Pushed, vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_fully_refunded_order_never_goes() {
    let world = World::with_units(2);
    world.shop_settings(|settings| settings.allow_partially_refunded = true).await;
    refund(&world, 2);

    world.order_webhook().await;
    world.comes_to_rest().await;

    assert_eq!(made(&world), 0);
}

#[tokio::test]
async fn a_refund_after_the_push_warns_of_the_lines_that_differ() {
    let (world, _) = World::pushed(3).await;

    refund(&world, 1);
    world.order_webhook().await;
    let first = world.summary().await.warnings;
    refund(&world, 2);
    world.order_webhook().await;
    world.order_webhook().await;

    assert_eq!(first[0].code, WarningCode::ReducedAfterPush);
    assert_eq!(first[0].detail, "Product 1: 3 pushed, 2 left");
    assert_eq!(world.summary().await.warnings[0].detail, "Product 1: 3 pushed, 0 left");
    let told: Vec<String> = world.told().into_iter().filter(|detail| detail.contains("left")).collect();
    assert_eq!(told.len(), 2, "each once: {told:?}");
    assert_eq!((made(&world), world.tab().await), (1, Tab::Pushed));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_comes_after_the_push_is_never_sent_and_told_once() {
    let (world, _) = World::pushed(2).await;

    // Nobody holds it, until somebody links it to the store that has its part of the order.
    world.change_order(|order| order.lines.push(line(2)));
    world.order_webhook().await;
    assert_eq!(world.warnings().await, []);
    let link = ProductLink::given((moon(), VariantId::new(2)), (sun(), VariantId::new(1002)));
    world.ports.ledger.put_link(link);
    world.change_order(|order| order.lines[0].quantity = 5);
    for _ in 0..2 {
        world.order_webhook().await;
        world.change_order(|order| order.tags.push("seen".into()));
    }

    let warnings = world.summary().await.warnings;
    let told: Vec<(WarningCode, &str)> = warnings.iter().map(|it| (it.code, it.detail.as_str())).collect();
    assert_eq!(told, [(WarningCode::AddedAfterPush, "Product 1: 2 pushed, 5 ordered; Product 2: 0 pushed, 1 ordered")]);
    assert_eq!(world.told().into_iter().filter(|detail| detail.contains("ordered")).count(), 1);
    assert_eq!((made(&world), world.tab().await), (1, Tab::Pushed));

    // Taken off again.
    world.change_order(|order| {
        order.lines.pop();
        order.lines[0].quantity = 2;
    });
    world.order_webhook().await;
    assert_eq!(world.warnings().await, []);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_line_that_was_removed_after_the_push_is_named() {
    let (world, _) = World::pushed(1).await;

    world.change_order(|order| order.lines.clear());
    world.order_webhook().await;

    assert_eq!(world.summary().await.warnings[0].detail, "line 101: 1 pushed, 0 left");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_reduction_that_is_taken_back_warns_no_more() {
    let (world, _) = World::pushed(2).await;
    world.change_order(|order| order.lines[0].quantity = 1);
    world.order_webhook().await;

    world.change_order(|order| order.lines[0].quantity = 2);
    world.order_webhook().await;

    assert_eq!(world.warnings().await, []);
}

#[tokio::test]
async fn a_parked_push_goes_when_the_reason_of_its_refusal_is_mended_and_rests_if_it_is_called_off_meanwhile() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    assert_eq!(world.letters(), [("push", Code::Rejected)]);

    // Mended while the order is on hold: it waits for the release, which never comes.
    world.set_work(roundtrip_domain::order::FulfillmentOrderStatus::OnHold, None);
    world.change_order(|order| order.phone = Some("+49 30 1234".into()));
    world.order_webhook().await;
    world.cancel_order();
    world.order_webhook().await;

    world.comes_to_rest().await;
    assert_eq!(made(&world), 0);
}

#[tokio::test]
async fn a_request_for_a_push_that_may_not_go_any_more_leaves_no_tag() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    world.change_order(|order| order.financial_status = FinancialStatus::Refunded);

    world.request(&sun(), "request-1").await;
    world.drain().await;

    assert!(matches!(world.request_state("request-1").await, RequestState::Refused { .. }));
    assert_eq!((made(&world), world.order_tags()), (0, Vec::<String>::new()));
    assert!(world.summary().await.system_tags.is_empty());
    world.comes_to_rest().await;
}
