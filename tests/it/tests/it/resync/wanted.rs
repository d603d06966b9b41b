//! Runs that a person sets off by what they want: orders of before automatic push, of before order sync, or of before a
//! change of settings.

use jiff::Timestamp;
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::order::{FulfillmentOrderStatus, FulfillmentStatus};
use roundtrip_domain::ports::after;
use roundtrip_domain::resync::Occasion;
use roundtrip_domain::task::Queue;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use super::{asked, change, placed, run, state, sums};
use crate::world::{DAY, HOUR, World};

/// Orders 42 and 1000, which is free, 1001, which was shipped by hand, and 1002, of which nobody told: all of before
/// automatic push.
async fn before_automatic_push() -> World {
    let world = World::new();
    let since = after(world.now(), HOUR);
    world.shop_settings(|settings| settings.auto_push_since = Some(since)).await;
    world.settings(|settings| settings.auto_push_since = Some(since)).await;
    for id in [1000, 1001, 1002] {
        placed(&world, id, world.now());
    }
    change(&world, 1000, |order| order.total.amount = 0.into());
    change(&world, 1001, |order| order.fulfillment_status = FulfillmentStatus::Fulfilled);
    for id in [42, 1000, 1001] {
        let order = OrderRef { shop: moon(), id: OrderId::new(id) };
        let task = world.webhook(&order);
        world.tell(Queue::OrderPush, task).await;
    }
    assert_eq!(world.made_at(&sun()).len(), 0);
    world
}

#[tokio::test]
async fn orders_of_before_automatic_push_go_when_somebody_wants_them_to() {
    let world = before_automatic_push().await;

    asked(&world, Occasion::Unpushed, 60).await;
    world.drain().await;
    world.run(HOUR).await;

    let run = run(&world).await;
    assert_eq!((run.scanned, sums(&run)), (4, (1, 1)), "others are free, shipped by hand, or not known");
    assert_eq!(world.made_at(&sun()).len(), 1);
    assert_eq!(state(&world, &moon()).await.state.last_success, None, "it looks for nothing that was missed");
    assert_eq!(world.events("WebhooksMissed").len(), 0);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn an_order_that_is_to_go_after_all_waits_for_its_hold_and_goes() {
    let world = before_automatic_push().await;
    world.set_work(FulfillmentOrderStatus::OnHold, None);
    asked(&world, Occasion::Unpushed, 60).await;
    world.drain().await;
    world.run(HOUR).await;
    assert_eq!(world.made_at(&sun()).len(), 0);

    world.set_work(FulfillmentOrderStatus::Open, None);
    world.order_webhook().await;

    assert_eq!(world.made_at(&sun()).len(), 1);
}

#[tokio::test]
async fn what_a_setting_spoke_against_is_looked_at_when_settings_change() {
    let world = World::new();
    world.change_order(|order| order.email = None);
    world.order_webhook().await;
    assert_eq!(world.made_at(&sun()).len(), 0);

    world.shop_settings(|settings| settings.require_email = false).await;
    asked(&world, Occasion::Settings, 60).await;
    world.drain().await;
    world.run(HOUR).await;

    assert_eq!(sums(&run(&world).await), (1, 1));
    assert_eq!(world.made_at(&sun()).len(), 1);
}

#[tokio::test]
async fn a_run_that_was_parked_and_is_redriven_begins_again_with_what_was_asked_for() {
    let world = before_automatic_push().await;
    world.fail_questions(&moon(), &[Fault::Unreachable; 5]);
    let id = asked(&world, Occasion::Unpushed, 60).await;
    world.drain().await;
    world.run(HOUR).await;
    assert!(state(&world, &moon()).await.parked.is_some());

    world.redrive().await;
    world.run(HOUR).await;

    let run = run(&world).await;
    assert_eq!((run.id, run.occasion, run.days, run.found), (id, Occasion::Unpushed, 60, 1));
    assert_eq!(world.made_at(&sun()).len(), 1);
}

#[tokio::test]
async fn a_backfill_lists_what_was_only_tracked_so_far() {
    let world = World::new();
    world
        .shop_settings(|settings| {
            settings.tracking_sync = true;
            settings.order_sync_since =
                Some(after(settings.auto_push_since.unwrap_or(Timestamp::UNIX_EPOCH), 365_000 * DAY));
        })
        .await;
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;
    assert!(!world.summary().await.listed);
    world.ports.clock.advance(HOUR);

    asked(&world, Occasion::Backfill, 7).await;
    world.drain().await;
    world.run(HOUR).await;

    assert!(world.summary().await.listed);
}
