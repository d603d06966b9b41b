//! A shop that lets us in no more: its work waits, nobody calls it, and nothing of it is lost.

use roundtrip_domain::FAILED_SHIPMENT_TAG;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{FulfillmentOrderId, ShopDomain};
use roundtrip_domain::ports::Registry;
use roundtrip_domain::record::{RequestState, Tab};
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::label;
use roundtrip_kit::order::{moon, sun};

use crate::world::{DAY, HOUR, MINUTE, ORDER, World, at, mars};

/// Shops that were connected as an operator connects them.
async fn connected() -> World {
    let world = World::new();
    world.were_read().await;
    world.ask_to_connect(&moon()).await;
    world.ask_to_connect(&sun()).await;
    world
}

fn revoke(world: &World, shop: &ShopDomain) {
    world.shop(shop, |shop| shop.revoked = true);
}

async fn let_in_again(world: &World, shop: &ShopDomain) {
    world.shop(shop, |shop| shop.revoked = false);
    world.ask_to_connect(shop).await;
}

async fn is_paused(world: &World, shop: &ShopDomain) -> bool {
    world.ports.ledger.shop(shop).await.unwrap().unwrap().shop.paused.is_some()
}

/// The shop was paused, and said so once; for a day nobody calls it.
async fn rests_paused(world: &World, shop: &ShopDomain) {
    assert!(is_paused(world, shop).await);
    assert_eq!(world.letters(), [("connect", Code::AccessDenied)]);
    assert_eq!(world.events("ShopPaused").len(), 1);
    let calls = world.all_calls(shop);
    world.run(DAY).await;
    world.order_webhook().await;
    world.run(HOUR).await;
    assert_eq!(world.all_calls(shop), calls, "calls to {shop} while it is paused");
    assert_eq!((world.letters().len(), world.events("ShopPaused").len()), (1, 1));
}

#[tokio::test]
async fn a_destination_that_cannot_be_read_pauses_and_its_orders_go_when_it_is_back() {
    let world = connected().await;
    revoke(&world, &moon());

    world.order_webhook().await;

    let look = world.record().await.look.get().clone();
    assert_eq!((look.attempts, look.wait.map(|wait| wait.why)), (0, Some(WaitReason::ShopPaused)));
    rests_paused(&world, &moon()).await;
    let_in_again(&world, &moon()).await;
    world.comes_to_rest().await;
    assert_eq!((world.made_at(&sun()).len(), world.tab().await), (1, Tab::Pushed));
}

#[tokio::test]
async fn a_source_that_takes_no_order_pauses_and_gets_it_when_it_is_back() {
    let world = connected().await;
    revoke(&world, &sun());

    world.order_webhook().await;

    let push = world.push(&sun()).await;
    assert_eq!((push.attempts, push.wait.map(|wait| wait.why)), (0, Some(WaitReason::ShopPaused)));
    assert_eq!(world.made_at(&sun()).len(), 0);
    rests_paused(&world, &sun()).await;
    let_in_again(&world, &sun()).await;
    world.comes_to_rest().await;
    assert_eq!((world.made_at(&sun()).len(), world.tab().await), (1, Tab::Pushed));
}

#[tokio::test]
async fn what_is_in_doubt_at_a_paused_source_is_looked_into_when_it_is_back() {
    let world = connected().await;
    world.fail_next(&sun(), &[Fault::AnswerLost]);
    world.order_webhook().await;
    revoke(&world, &sun());
    world.run(HOUR).await;

    rests_paused(&world, &sun()).await;
    let_in_again(&world, &sun()).await;
    world.comes_to_rest().await;

    assert_eq!((world.made_at(&sun()).len(), world.tab().await), (1, Tab::Pushed));
}

#[tokio::test]
async fn a_paused_source_does_not_keep_the_order_from_another() {
    let world = connected().await;
    world.add_source(&mars(), 2);
    revoke(&world, &sun());

    world.order_webhook().await;

    assert_eq!((world.made_at(&mars()).len(), world.tab().await), (1, Tab::PartiallyPushed));
    let_in_again(&world, &sun()).await;
    world.comes_to_rest().await;
    assert_eq!((world.made_at(&sun()).len(), world.made_at(&mars()).len()), (1, 1));
    assert_eq!(world.tab().await, Tab::Pushed);
}

#[tokio::test]
async fn what_a_paused_source_shipped_is_shown_when_it_is_back() {
    let world = connected().await;
    world.order_webhook().await;
    let source = world.source_order(&sun());
    revoke(&world, &sun());

    // Its webhook was on its way.
    world.ship(&source, &["T1"]).await;
    rests_paused(&world, &sun()).await;
    let_in_again(&world, &sun()).await;
    world.comes_to_rest().await;

    assert_eq!((world.shown(), world.mails()), (vec![("T1".into(), 1)], vec!["T1".into()]));
}

#[tokio::test]
async fn a_shipment_waits_for_a_paused_destination_whichever_call_was_refused() {
    for (query, mutation) in [(Some(Fault::Revoked), None), (None, Some(Fault::Revoked))] {
        let world = connected().await;
        world.order_webhook().await;
        let source = world.source_order(&sun());
        world.shop(&moon(), |shop| {
            shop.query_faults.extend(query);
            shop.mutation_faults.extend(mutation);
        });

        world.ship(&source, &["T1"]).await;

        assert!(world.record().await.writebacks.values().all(|row| row.get().attempts == 0));
        rests_paused(&world, &moon()).await;
        let_in_again(&world, &moon()).await;
        world.comes_to_rest().await;
        assert_eq!((world.shown(), world.mails()), (vec![("T1".into(), 1)], vec!["T1".into()]));
    }
}

#[tokio::test]
async fn a_label_waits_for_a_paused_destination() {
    let world = connected().await;
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;
    revoke(&world, &moon());

    label::post(&world.ports, &at(), &"L1".parse().unwrap(), label::label(&world.ports, &["T1"])).await;
    world.drain().await;

    assert_eq!(world.writeback().await.attempts, 0);
    rests_paused(&world, &moon()).await;
    let_in_again(&world, &moon()).await;
    world.comes_to_rest().await;
    assert_eq!((world.shown(), world.mails()), (vec![("T1".into(), 1)], vec!["T1".into()]));
}

#[tokio::test]
async fn tags_wait_for_a_paused_destination() {
    let world = connected().await;
    world.order_webhook().await;
    let source = world.source_order(&sun());
    world.fail_next(&moon(), &[Fault::Refused, Fault::Revoked]);

    world.ship(&source, &["T1"]).await;

    let calls = world.all_calls(&moon());
    world.run(DAY).await;
    assert_eq!(world.all_calls(&moon()), calls);
    assert_eq!(world.letters(), [("writeback", Code::Rejected), ("connect", Code::AccessDenied)]);
    let_in_again(&world, &moon()).await;
    world.comes_to_rest().await;
    assert_eq!(world.order_tags(), [FAILED_SHIPMENT_TAG]);
}

#[tokio::test]
async fn a_shop_pauses_once_however_many_say_so() {
    let world = connected().await;
    revoke(&world, &moon());
    let facts = world.calls(&moon(), "facts");

    for n in 0..20 {
        let told = Task::new(Trigger::Settled, format!("{n}"), Subject::Shop { shop: moon() });
        world.tell(Queue::AppLifecycle, told).await;
    }
    world.run(DAY).await;

    assert_eq!(world.calls(&moon(), "facts") - facts, 1);
    assert_eq!(world.letters(), [("connect", Code::AccessDenied)]);
    assert_eq!(world.events("ShopPaused").len(), 1);
}

#[tokio::test]
async fn a_shop_that_refused_us_only_once_is_not_paused() {
    let world = connected().await;
    world.fail_questions(&moon(), &[Fault::Revoked]);
    world.ports.tasks.sent().work.push((Queue::OrderPush, world.webhook(&at())));
    let (queue, webhook) = world.ports.tasks.take().unwrap();
    world.handle(queue, &webhook).await.unwrap();
    world.shop(&moon(), |shop| shop.revoked = false);

    world.comes_to_rest().await;

    assert!(!is_paused(&world, &moon()).await);
    assert_eq!((world.letters(), world.made_at(&sun()).len()), (vec![], 1));
}

#[tokio::test]
async fn connecting_in_vain_leaves_it_paused_and_says_so_again() {
    let world = connected().await;
    revoke(&world, &moon());
    world.order_webhook().await;

    world.ask_to_connect(&moon()).await;

    assert!(is_paused(&world, &moon()).await);
    let ids: Vec<String> = world.events("ShopPaused").into_iter().map(|event| event.id).collect();
    assert_eq!(ids, ["ShopPaused/moon.myshopify.com/connect@1", "ShopPaused/moon.myshopify.com/connect@2"]);
    assert_eq!(world.letters().len(), 2);
}

#[tokio::test]
async fn who_asks_for_a_push_to_a_paused_source_is_answered_when_it_is_back() {
    let world = connected().await;
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;
    revoke(&world, &sun());

    world.request(&sun(), "request-1").await;
    world.run(DAY).await;
    assert!(matches!(world.request_state("request-1").await, RequestState::Open { .. }));
    let_in_again(&world, &sun()).await;
    world.comes_to_rest().await;

    assert!(matches!(world.request_state("request-1").await, RequestState::Done { .. }));
    assert_eq!(world.made_at(&sun()).len(), 1);
}

#[tokio::test]
async fn a_webhook_that_names_no_order_does_not_call_a_paused_shop() {
    let world = connected().await;
    revoke(&world, &moon());
    world.order_webhook().await;
    let calls = world.all_calls(&moon());

    let id = FulfillmentOrderId::new(ORDER * 100 + 1);
    let released = Task::new(Trigger::Webhook, "released", Subject::FulfillmentOrder { shop: moon(), id });
    world.tell(Queue::OrderPush, released).await;
    world.run(30 * MINUTE).await;

    assert_eq!(world.all_calls(&moon()), calls);
}

#[tokio::test]
async fn a_webhook_that_names_no_order_pauses_a_shop_that_does_not_let_us_in() {
    let world = connected().await;
    world.order_webhook().await;
    revoke(&world, &moon());

    let id = FulfillmentOrderId::new(ORDER * 100 + 1);
    let released = Task::new(Trigger::Webhook, "released", Subject::FulfillmentOrder { shop: moon(), id });
    world.tell(Queue::OrderPush, released).await;

    assert!(is_paused(&world, &moon()).await);
}

#[tokio::test]
async fn who_asks_again_once_the_order_can_be_read_is_not_answered_by_the_old_failure() {
    let world = connected().await;
    world.settings(|settings| settings.auto_push = false).await;
    world.fail_questions(&moon(), &[Fault::Refused]);
    world.order_webhook().await;
    assert_eq!(world.letters(), [("look", Code::Rejected)]);

    // Due work finds the request before its own message is delivered.
    world.ports.clock.advance(MINUTE);
    world.request(&sun(), "request-1").await;
    world.ports.tasks.sent().work.clear();
    world.comes_to_rest().await;

    assert!(matches!(world.request_state("request-1").await, RequestState::Done { .. }));
    assert_eq!(world.made_at(&sun()).len(), 1);
}
