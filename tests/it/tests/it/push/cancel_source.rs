//! Orders that are cancelled after their push, where the connection has their source orders cancelled as well.

mod troubles;

use roundtrip_domain::id::{FulfillmentId, OrderId, OrderRef, ShopDomain};
use roundtrip_domain::order::CancelReason;
use roundtrip_domain::ports::Clock;
use roundtrip_domain::push::{CancelPhase, CancelState, Cancellation, PushState, push_order};
use roundtrip_domain::record::{Tab, WarningCode};
use roundtrip_domain::registry::Inventory;
use roundtrip_domain::step::{Step, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::{FakePorts, Fault};
use roundtrip_kit::order::{moon, sun};

use crate::sync::click;
use crate::world::{DAY, HOUR, MINUTE, ORDER, World, at, mars};

/// A pushed order whose connection wants its source order cancelled with it.
async fn pushed() -> (World, OrderRef) {
    let (world, source) = World::pushed(1).await;
    world.settings(|settings| settings.cancel_source = true).await;
    (world, source)
}

/// Its customer cancels it, and the webhook comes.
async fn cancel(world: &World) {
    world.cancel_order();
    world.change_order(|order| order.cancel_reason = Some(CancelReason::Customer));
    world.order_webhook().await;
}

/// What a source store was told with each order that is cancelled there; `None`: its merchant did it.
fn cancelled(world: &World, source: &ShopDomain) -> Vec<Option<Cancellation>> {
    world.shop(source, |shop| shop.cancelled.values().map(|(_, told)| told.clone()).collect())
}

fn calls(world: &World) -> usize {
    world.calls(&sun(), "cancel_order")
}

async fn step(world: &World, source: &ShopDomain) -> Step<CancelState> {
    world.record().await.cancels[&(source.clone(), 1)].get().clone()
}

async fn waits_for(world: &World) -> Option<WaitReason> {
    step(world, &sun()).await.wait.map(|wait| wait.why)
}

async fn is_cancelled(world: &World, source: &ShopDomain) -> bool {
    matches!(step(world, source).await.state.phase, CancelPhase::Cancelled { .. })
}

/// What the order warns of, in words.
async fn warned(world: &World) -> Vec<String> {
    world.summary().await.warnings.into_iter().map(|warning| warning.detail).collect()
}

/// The source store's merchant cancels the order, and its webhook comes: it names an order, and nothing else.
async fn cancel_by_hand(world: &World, source: &OrderRef) {
    let now = world.now();
    world.shop(&source.shop, |shop| shop.cancel(source.id, None, now));
    world.tell(Queue::OrderPush, world.webhook(source)).await;
}

/// Its source order is cancelled, the ledger knows it, and nobody has to see to anything.
async fn ends_cancelled(world: &World) {
    world.comes_to_rest().await;
    assert_eq!(cancelled(world, &sun()).len(), 1);
    assert!(is_cancelled(world, &sun()).await);
    assert_eq!((world.tab().await, warned(world).await), (Tab::Cancelled, vec![]));
    assert_eq!(world.order_tags(), Vec::<String>::new());
}

/// Its source order stands, and the warning says why.
async fn ends_standing(world: &World, warning: &str) {
    world.comes_to_rest().await;
    assert_eq!((cancelled(world, &sun()), world.tab().await), (vec![], Tab::Cancelled));
    assert_eq!(warned(world).await, [warning]);
}

#[tokio::test]
async fn an_order_that_is_cancelled_is_cancelled_at_its_source_store_once() {
    let (world, _) = pushed().await;

    cancel(&world).await;
    assert_eq!(warned(&world).await, ["cancelled here: it is being cancelled there too"]);
    for _ in 0..3 {
        world.order_webhook().await;
        world.run(MINUTE).await;
        world.change_order(|order| order.tags.push("seen".into()));
    }
    world.change_order(|order| order.tags.clear());

    ends_cancelled(&world).await;
    assert_eq!((calls(&world), world.letters(), world.mails()), (1, vec![], vec![]));
    assert_eq!(world.moves("cancel/"), ["sent", "cancelled"]);
}

#[tokio::test]
async fn the_source_store_is_told_why_and_whose_order_it_is_and_keeps_its_stock_as_it_is() {
    let (world, _) = pushed().await;

    cancel(&world).await;
    world.comes_to_rest().await;

    let told = cancelled(&world, &sun()).remove(0).expect("we had it cancelled");
    assert_eq!((told.reason, told.restock), (CancelReason::Customer, false));
    assert_eq!(told.staff_note, "Moon Shop, order #42: cancelled there");
}

#[tokio::test]
async fn goods_that_the_push_took_from_stock_go_back_to_it_whatever_the_connection_says_by_then() {
    for (then, now, restock) in [
        (Inventory::DecrementObeyingPolicy, Inventory::Bypass, true),
        (Inventory::DecrementIgnoringPolicy, Inventory::DecrementIgnoringPolicy, true),
        (Inventory::Bypass, Inventory::DecrementObeyingPolicy, false),
    ] {
        let world = World::new();
        world.settings(|settings| (settings.inventory, settings.cancel_source) = (then, true)).await;
        world.order_webhook().await;
        world.settings(|settings| settings.inventory = now).await;

        cancel(&world).await;
        world.comes_to_rest().await;

        let told = cancelled(&world, &sun()).remove(0).expect("we had it cancelled");
        assert_eq!(told.restock, restock, "{then:?}");
    }
}

#[tokio::test]
async fn without_the_setting_a_person_cancels_and_the_warning_goes_when_that_is_seen() {
    let (world, source) = World::pushed(1).await;

    cancel(&world).await;
    world.run(DAY).await;
    assert_eq!((calls(&world), world.all_calls(&sun())), (0, 1));
    assert_eq!(world.warnings().await, [(WarningCode::CancelledAfterPush, sun())]);
    cancel_by_hand(&world, &source).await;

    ends_cancelled(&world).await;
    assert_eq!((calls(&world), world.moves("cancel/")), (0, vec!["cancelled".to_owned()]));
}

#[tokio::test]
async fn a_source_order_that_was_cancelled_there_first_is_not_cancelled_again() {
    let (world, source) = pushed().await;
    let now = world.now();
    world.shop(&sun(), |shop| shop.cancel(source.id, None, now));

    cancel(&world).await;

    ends_cancelled(&world).await;
    assert_eq!(calls(&world), 0);
}

#[tokio::test]
async fn a_source_order_that_was_seen_cancelled_there_first_leaves_nothing_to_warn_of() {
    let (world, source) = pushed().await;
    cancel_by_hand(&world, &source).await;
    assert_eq!((world.tab().await, warned(&world).await), (Tab::Pushed, vec![]));

    cancel(&world).await;

    ends_cancelled(&world).await;
    assert_eq!((calls(&world), world.moves("cancel/").len()), (0, 1));
}

#[tokio::test]
async fn a_source_order_of_which_something_was_shipped_is_left_to_a_person() {
    let (world, source) = pushed().await;
    world.ship_units(&source, &["T1"], Some(1)).await;

    cancel(&world).await;
    world.order_webhook().await;

    ends_standing(&world, "cancelled here, but something of it was shipped there: call it back if you can").await;
    assert_eq!((calls(&world), world.letters()), (0, vec![]));
    assert_eq!(world.moves("cancel/"), ["shipped"]);
}

#[tokio::test]
async fn a_parcel_that_was_called_back_keeps_nothing_from_being_cancelled() {
    let (world, source) = pushed().await;
    let id: FulfillmentId = world.ports.channel.ship(&source, None);
    world.call_off(&source, id).await;

    cancel(&world).await;

    world.run(HOUR).await;
    assert!(is_cancelled(&world, &sun()).await);
}

#[tokio::test]
async fn a_source_order_that_is_shipped_while_it_is_cancelled_is_left_to_a_person() {
    let (world, source) = pushed().await;
    world.meanwhile(|ports: FakePorts| async move {
        ports.channel.ship(&source, None);
    });

    cancel(&world).await;

    ends_standing(&world, "cancelled here, but something of it was shipped there: call it back if you can").await;
    assert_eq!((calls(&world), world.letters()), (1, vec![]));
}

/// Another worker handles a webhook about the order.
async fn another_webhook(ports: FakePorts) {
    let webhook = Task::new(Trigger::Webhook, "meanwhile", Subject::Order(at()));
    push_order(&ports, &webhook).await.unwrap();
}

#[tokio::test]
async fn two_workers_at_once_cancel_once() {
    for fault in [None, Some(Fault::AnswerLost), Some(Fault::Throttled)] {
        let (world, _) = pushed().await;
        world.shop(&sun(), |shop| shop.mutation_faults.extend(fault));
        world.meanwhile(another_webhook);

        cancel(&world).await;

        ends_cancelled(&world).await;
        let expected = if fault == Some(Fault::Throttled) { 2 } else { 1 };
        assert_eq!((calls(&world), world.letters()), (expected, vec![]), "{fault:?}");
    }
}

#[tokio::test]
async fn a_source_store_that_tells_of_the_cancellation_before_the_call_is_answered_is_believed() {
    let (world, source) = pushed().await;
    world.meanwhile(|ports: FakePorts| async move {
        ports.clock.advance(MINUTE / 30);
        let webhook = Task::new(Trigger::Webhook, "cancelled", Subject::Order(source));
        ports.tasks.sent().work.push((Queue::OrderPush, webhook));
    });

    cancel(&world).await;

    assert!(is_cancelled(&world, &sun()).await);
    assert_eq!(step(&world, &sun()).await.wait, None);
    ends_cancelled(&world).await;
    assert_eq!(calls(&world), 1);
}

/// In the same second as the change before it.
async fn cancel_meanwhile(ports: FakePorts) {
    let now = ports.clock.now();
    ports.channel.shop(&moon(), |shop| {
        let order = shop.orders.get_mut(&OrderId::new(ORDER)).unwrap();
        (order.cancelled_at, order.updated_at) = (Some(now), now);
    });
    another_webhook(ports).await;
}

/// A second later, and told by a webhook that says so.
async fn cancel_later(ports: FakePorts) {
    let later = ports.clock.now() + std::time::Duration::from_secs(1);
    ports.channel.shop(&moon(), |shop| {
        let order = shop.orders.get_mut(&OrderId::new(ORDER)).unwrap();
        (order.cancelled_at, order.updated_at) = (Some(later), later);
    });
    let mut told = Task::new(Trigger::Webhook, "event-cancelled", Subject::Order(at()));
    told.seen_updated_at = Some(later);
    push_order(&ports, &told).await.unwrap();
}

#[tokio::test]
async fn an_order_that_is_cancelled_during_its_push_is_seen_so_though_no_webhook_is_left_to_tell() {
    let world = World::new();
    world.settings(|settings| settings.cancel_source = true).await;
    world.meanwhile(cancel_later);
    let mut paid = world.webhook(&at());
    paid.seen_updated_at = Some(world.now());

    world.tell(Queue::OrderPush, paid).await;
    world.comes_to_rest().await;

    assert!(is_cancelled(&world, &sun()).await);
}

#[tokio::test]
async fn a_pushed_order_is_cancelled_at_its_source_though_order_sync_was_switched_off_meanwhile() {
    let world = World::new();
    world.settings(|settings| settings.cancel_source = true).await;
    world.order_webhook().await;
    world
        .shop_settings(|settings| {
            settings.order_sync = false;
            settings.auto_push = false;
        })
        .await;

    cancel(&world).await;
    world.comes_to_rest().await;

    assert!(is_cancelled(&world, &sun()).await);
}

#[tokio::test]
async fn an_order_for_which_a_label_was_bought_is_not_cancelled_at_its_source() {
    let world = World::new();
    world.settings(|settings| settings.cancel_source = true).await;
    world.order_webhook().await;
    // Not written yet: neither store shows anything of it.
    let bought = roundtrip_kit::label::label(&world.ports, &["T1"]);
    roundtrip_kit::label::post(&world.ports, &at(), &"se-1".parse().unwrap(), bought).await;

    cancel(&world).await;

    assert!(!is_cancelled(&world, &sun()).await);
    assert_eq!(calls(&world), 0);
}

#[tokio::test]
async fn an_order_that_is_cancelled_during_its_push_is_confirmed_and_then_cancelled() {
    for fault in [None, Some(Fault::AnswerLost), Some(Fault::LandsLate(MINUTE))] {
        let world = World::new();
        world.settings(|settings| settings.cancel_source = true).await;
        world.shop(&sun(), |shop| shop.mutation_faults.extend(fault));
        world.meanwhile(cancel_meanwhile);

        world.order_webhook().await;

        ends_cancelled(&world).await;
        assert!(matches!(world.push(&sun()).await.state, PushState::Confirmed { .. }), "{fault:?}");
        assert_eq!((world.made_at(&sun()).len(), calls(&world)), (1, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn a_push_that_never_landed_leaves_nothing_to_cancel() {
    let world = World::new();
    world.settings(|settings| settings.cancel_source = true).await;
    world.fail_next(&sun(), &[Fault::RequestLost]);
    world.order_webhook().await;

    cancel(&world).await;
    world.comes_to_rest().await;

    assert_eq!((world.made_at(&sun()).len(), calls(&world), warned(&world).await), (0, 0, vec![]));
    assert!(world.record().await.cancels.is_empty());
}

#[tokio::test]
async fn the_setting_switched_on_later_counts_when_the_order_is_looked_at_again() {
    let (world, _) = World::pushed(1).await;
    cancel(&world).await;
    world.comes_to_rest().await;
    world.settings(|settings| settings.cancel_source = true).await;
    world.run(HOUR).await;
    assert_eq!(calls(&world), 0);

    click(&world, &at(), "job-1").await;
    world.drain().await;

    ends_cancelled(&world).await;
    assert_eq!(calls(&world), 1);
}

#[tokio::test]
async fn the_setting_switched_off_holds_what_was_not_asked_for_yet_and_switched_on_again_lets_it_go() {
    let (world, _) = pushed().await;
    world.fail_next(&sun(), &[Fault::Throttled]);
    cancel(&world).await;

    world.settings(|settings| settings.cancel_source = false).await;
    ends_standing(&world, "cancelled here: cancel it there too").await;
    world.settings(|settings| settings.cancel_source = true).await;
    world.order_webhook().await;

    ends_cancelled(&world).await;
    assert_eq!(world.moves("cancel/"), ["sent", "pending", "not-wanted", "sent", "cancelled"]);
}

#[tokio::test]
async fn each_source_store_is_treated_as_its_own_connection_says() {
    let world = World::new();
    world.add_source(&mars(), 2);
    world.order_webhook().await;
    for mut connection in world.outbound().await {
        connection.settings.cancel_source = connection.source == mars();
        world.ports.ledger.put_connection(connection);
    }

    cancel(&world).await;
    world.comes_to_rest().await;

    assert_eq!((cancelled(&world, &sun()).len(), cancelled(&world, &mars()).len()), (0, 1));
    assert_eq!(world.warnings().await, [(WarningCode::CancelledAfterPush, sun())]);
}
