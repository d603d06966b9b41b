//! Holds, schedules and grace: a push that rests goes once, when its time has come, or not at all.

use std::time::Duration;

use roundtrip_domain::id::FulfillmentOrderId;
use roundtrip_domain::order::FulfillmentOrderStatus::{OnHold, Open, Scheduled};
use roundtrip_domain::ports::after;
use roundtrip_domain::push::RefusalReason;
use roundtrip_domain::record::{RequestState, Tab};
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use crate::world::{DAY, HOUR, MINUTE, ORDER, World};

/// `fulfillment_orders/hold_released` names no order.
fn hold_released() -> Task {
    let id = FulfillmentOrderId::new(ORDER * 100 + 1);
    Task::new(Trigger::Webhook, "released", Subject::FulfillmentOrder { shop: moon(), id })
}

async fn on_hold() -> World {
    let world = World::new();
    world.set_work(OnHold, None);
    world.order_webhook().await;
    world
}

async fn scheduled(for_days: u32) -> World {
    let world = World::new();
    world.set_work(Scheduled, Some(after(world.now(), DAY * for_days)));
    world.order_webhook().await;
    world
}

async fn young(grace: Duration) -> World {
    let world = World::new();
    let grace_secs = u32::try_from(grace.as_secs()).unwrap();
    world.settings(|settings| settings.grace_secs = grace_secs).await;
    world.order_webhook().await;
    world
}

fn made(world: &World) -> usize {
    world.made_at(&sun()).len()
}

#[tokio::test]
async fn an_order_on_hold_waits_and_its_release_pushes_it_once() {
    let world = on_hold().await;
    world.run(3 * DAY).await;
    assert_eq!((made(&world), world.push_waits_for(&sun()).await), (0, Some(WaitReason::OnHold)));

    world.set_work(Open, None);
    world.tell(Queue::OrderPush, hold_released()).await;
    world.tell(Queue::OrderPush, hold_released()).await;

    assert_eq!(made(&world), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_release_of_which_nobody_told_is_found_within_a_day() {
    let world = on_hold().await;
    world.set_work(Open, None);

    world.run(DAY + MINUTE).await;

    assert_eq!(made(&world), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_hold_that_lasts_costs_a_look_a_day_and_no_history() {
    let world = on_hold().await;
    let history = world.moves("push").len();

    let handled = world.run(30 * DAY).await;

    assert!(handled <= 31, "{handled} tasks in 30 days");
    assert_eq!(world.moves("push").len(), history);
}

#[tokio::test]
async fn a_scheduled_order_goes_when_its_day_has_come() {
    let world = scheduled(10).await;
    world.run(9 * DAY).await;
    assert_eq!((made(&world), world.push_waits_for(&sun()).await), (0, Some(WaitReason::Scheduled)));

    // Shopify opens it at its time, and tells nobody.
    world.run(DAY - MINUTE).await;
    world.set_work(Open, None);
    world.run(2 * MINUTE).await;

    assert_eq!(made(&world), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_schedule_that_is_moved_forward_is_heeded_at_once() {
    let world = scheduled(10).await;

    world.set_work(Scheduled, Some(after(world.now(), DAY)));
    world.order_webhook().await;
    world.run(DAY - MINUTE).await;
    world.set_work(Open, None);
    world.run(2 * MINUTE).await;

    assert_eq!(made(&world), 1);
}

#[tokio::test]
async fn a_schedule_that_shopify_does_not_end_is_looked_at_ever_more_seldom() {
    let world = scheduled(1).await;
    world.run(DAY).await;
    let history = world.moves("push").len();

    let handled = world.run(30 * DAY).await;

    assert!(handled <= 45, "{handled} tasks in 30 days");
    assert_eq!(world.moves("push").len(), history);
    world.set_work(Open, None);
    world.run(DAY + MINUTE).await;
    assert_eq!(made(&world), 1);
}

#[tokio::test]
async fn an_order_goes_only_when_none_of_its_parts_rests() {
    let later = |world: &World| Some(after(world.now(), HOUR));
    let world = World::new();
    let mut waited_for = Vec::new();

    for step in 0..3 {
        match step {
            0 => world.set_works(&[(Open, None), (Scheduled, later(&world)), (OnHold, None)]),
            1 => world.set_works(&[(Open, None), (Scheduled, later(&world))]),
            _ => world.set_works(&[(Open, None), (Open, None)]),
        }
        world.order_webhook().await;
        waited_for.push(world.push_waits_for(&sun()).await);
    }

    assert_eq!(waited_for, [Some(WaitReason::OnHold), Some(WaitReason::Scheduled), None]);
    assert_eq!(made(&world), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_person_who_asks_for_an_order_on_hold_is_answered_when_it_is_released() {
    let world = World::new();
    world.settings(|settings| settings.auto_push = false).await;
    world.set_work(OnHold, None);
    world.order_webhook().await;

    world.request(&sun(), "request-1").await;
    world.run(2 * DAY).await;
    assert!(matches!(world.request_state("request-1").await, RequestState::Open { .. }));
    assert_eq!((made(&world), world.push_waits_for(&sun()).await), (0, Some(WaitReason::OnHold)));
    world.set_work(Open, None);
    world.tell(Queue::OrderPush, hold_released()).await;

    assert!(matches!(world.request_state("request-1").await, RequestState::Done { .. }));
    assert_eq!(made(&world), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_young_order_waits_out_its_grace_and_goes_by_itself() {
    let world = young(2 * HOUR).await;
    world.run(HOUR).await;
    assert_eq!((made(&world), world.push_waits_for(&sun()).await), (0, Some(WaitReason::Grace)));

    world.run(HOUR + MINUTE).await;

    assert_eq!((made(&world), world.tab().await), (1, Tab::Pushed));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_is_changed_during_the_grace_is_what_goes() {
    let world = young(2 * HOUR).await;

    world.change_order(|order| order.lines[0].quantity = 3);
    world.order_webhook().await;
    world.run(3 * HOUR).await;

    assert_eq!(world.made_at(&sun())[0].lines[0].quantity, 3);
}

#[tokio::test]
async fn a_person_need_not_wait_for_the_grace() {
    let world = young(2 * HOUR).await;

    world.request(&sun(), "request-1").await;
    world.drain().await;

    assert!(matches!(world.request_state("request-1").await, RequestState::Done { .. }));
    assert_eq!(made(&world), 1);
    world.comes_to_rest().await;
    assert_eq!(made(&world), 1);
}

#[tokio::test]
async fn an_order_that_is_cancelled_while_it_rests_is_never_pushed() {
    for world in [on_hold().await, scheduled(90).await, young(DAY).await] {
        let why = world.push_waits_for(&sun()).await;

        world.cancel_order();
        world.order_webhook().await;

        assert_eq!(world.push_waits_for(&sun()).await, None, "{why:?}");
        world.set_work(Open, None);
        world.comes_to_rest().await;
        assert_eq!((made(&world), world.tab().await), (0, Tab::Cancelled), "{why:?}");
    }
}

#[tokio::test]
async fn who_asked_for_an_order_that_is_cancelled_while_it_rests_is_told_so_at_once() {
    for world in [on_hold().await, scheduled(90).await] {
        world.request(&sun(), "request-1").await;
        world.drain().await;

        world.cancel_order();
        world.order_webhook().await;

        let RequestState::Refused { reasons } = world.request_state("request-1").await else { panic!("not refused") };
        assert_eq!(reasons[0].reason, RefusalReason::OrderCancelled);
        world.comes_to_rest().await;
        assert_eq!(made(&world), 0);
    }
}

#[tokio::test]
async fn automatic_push_that_is_switched_off_lets_what_rests_stay() {
    let world = scheduled(90).await;

    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;
    world.set_work(Open, None);
    world.comes_to_rest().await;

    assert_eq!((made(&world), world.tab().await), (0, Tab::NotPushed));
}

#[tokio::test]
async fn a_hold_that_comes_while_a_lost_call_is_looked_into_is_heeded() {
    let world = World::new();
    world.fail_next(&sun(), &[roundtrip_kit::fake::Fault::RequestLost]);
    world.order_webhook().await;
    world.set_work(OnHold, None);
    world.run(HOUR).await;
    assert_eq!((made(&world), world.push_waits_for(&sun()).await), (0, Some(WaitReason::OnHold)));

    world.set_work(Open, None);
    world.run(2 * DAY).await;

    assert_eq!(made(&world), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_release_that_meets_the_rate_limit_is_heard_a_little_later() {
    let world = on_hold().await;
    world.set_work(Open, None);
    world.fail_questions(&moon(), &[Fault::Throttled]);

    world.tell(Queue::OrderPush, hold_released()).await;

    assert_eq!((world.calls(&moon(), "order_of"), made(&world)), (2, 1));
}
