//! Connect: what a shop needs before the first order.

use roundtrip_domain::Outcome;
use roundtrip_domain::code::Code;
use roundtrip_domain::connect::{ConnectState, connect, is_connecting};
use roundtrip_domain::event::EventKind;
use roundtrip_domain::id::OrderId;
use roundtrip_domain::ports::{Clock, Ledger, Registry};
use roundtrip_domain::registry::Shop;
use roundtrip_domain::resync::{Occasion, Phase, ResyncState, Run};
use roundtrip_domain::step::StepId;
use roundtrip_domain::step::{Step, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::{self, FakePorts, Fault};
use roundtrip_kit::order::{moon, paid_order, sun};

use crate::world::{DAY, HOUR, MINUTE, World};

fn requested() -> (FakePorts, Task) {
    let ports = fake::ports();
    let now = ports.clock.now();
    ports.ledger.put_shop(Shop::registered(moon(), now));
    let mut step = Step::new(None);
    step.wait(now, now, WaitReason::Requested);
    ports.ledger.put_connect_step(&moon(), step);
    ports.channel.shop(&moon(), |shop| {
        shop.lacks_definition = true;
        shop.unsubscribed = vec!["orders/create", "orders/paid"];
    });
    (ports, Task::new(Trigger::Request, "request-1", Subject::Shop { shop: moon() }))
}

#[tokio::test]
async fn a_shop_is_connected_with_facts_definition_and_subscriptions() {
    let (ports, task) = requested();

    let outcome = connect(&ports, &task).await.unwrap();

    assert_eq!(outcome, Outcome::Done("connected"));
    assert!(ports.ledger.shop(&moon()).await.unwrap().unwrap().shop.facts.is_some());
    let calls = ports.channel.shop(&moon(), |shop| shop.calls.clone());
    assert_eq!(calls, ["facts", "define_order_key", "subscription_gaps", "subscribe", "subscribe"]);
    let (step, _) = ports.ledger.shop_step::<ConnectState>(&moon(), &StepId::Connect).await.unwrap().unwrap();
    assert!(!is_connecting(&step));
    assert!(ports.tasks.sent().events.is_empty(), "nothing was healed that was not there before");
}

#[tokio::test]
async fn connecting_again_defines_nothing_twice() {
    let (ports, task) = requested();
    connect(&ports, &task).await.unwrap();

    connect(&ports, &task).await.unwrap();

    let calls = ports.channel.shop(&moon(), |shop| shop.calls.clone());
    assert_eq!(calls.iter().filter(|call| **call == "define_order_key").count(), 1);
}

#[tokio::test]
async fn two_workers_that_connect_a_shop_at_once_are_both_done() {
    let world = World::new();
    let task = Task::new(Trigger::Request, "again", Subject::Shop { shop: moon() });
    let mut step = Step::new(None);
    step.wait(world.now(), world.now(), WaitReason::Requested);
    world.ports.ledger.put_connect_step(&moon(), step);
    let other = task.clone();
    world.before_shop_step(0, |ports: FakePorts| async move {
        connect(&ports, &other).await.unwrap();
    });

    let outcome = world.handle(Queue::AppLifecycle, &task).await.unwrap();

    assert!(matches!(outcome, Outcome::Done("connected")), "{outcome}");
    world.run(HOUR).await;
    assert_eq!(world.events("SubscriptionsHealed").len(), 0);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_shop_that_fails_is_tried_again_and_parked_after_five() {
    let (ports, task) = requested();
    ports.channel.shop(&moon(), |shop| shop.query_faults.extend([Fault::Unreachable; 9]));

    let mut outcome = connect(&ports, &task).await.unwrap();
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome}");
    for _ in 0..10 {
        ports.clock.advance(std::time::Duration::from_secs(3600));
        outcome = connect(&ports, &task).await.unwrap();
    }

    assert_eq!(outcome, Outcome::Park { code: Code::ChannelUnavailable });
    let sent = ports.tasks.sent();
    assert_eq!(sent.parked.len(), 1);
    assert_eq!((sent.parked[0].0, &sent.parked[0].1.order), (Queue::AppLifecycle, &None));
}

/// A moon and a sun, connected with themselves and each other, and read once.
async fn connected() -> World {
    let world = World::new();
    world.ports.clock.advance(30 * DAY);
    world.ask_to_connect(&moon()).await;
    world.ask_to_connect(&sun()).await;
    world.run(DAY).await;
    world
}

async fn run_of(world: &World, shop: &roundtrip_domain::id::ShopDomain) -> Option<Run> {
    let step = world.ports.ledger.shop_step::<ResyncState>(shop, &StepId::Resync).await.unwrap();
    step.and_then(|(step, _)| step.state.run)
}

#[tokio::test]
async fn a_shop_that_is_connected_with_another_is_read_at_once_and_only_once() {
    let world = connected().await;

    for shop in [moon(), sun()] {
        let run = run_of(&world, &shop).await.expect("a run");
        assert_eq!(run.occasion, Occasion::FirstConnection);
        assert!(matches!(run.phase, Phase::Done { .. }), "{run:?}");
    }
    assert!(world.events("WebhooksMissed").is_empty());
    assert_eq!(world.calls(&moon(), "orders"), 2);
}

#[tokio::test]
async fn a_shop_that_stands_alone_is_not_read() {
    let (ports, task) = requested();

    connect(&ports, &task).await.unwrap();

    assert!(ports.ledger.shop_step::<ResyncState>(&moon(), &StepId::Resync).await.unwrap().is_none());
}

#[tokio::test]
async fn a_subscription_that_is_gone_is_made_again_within_the_hour_and_what_it_missed_is_found() {
    let world = connected().await;
    world.shop(&moon(), |shop| shop.unsubscribed = vec!["orders/create", "orders/paid"]);
    let (step, _) = world.ports.ledger.shop_step::<ConnectState>(&moon(), &StepId::Connect).await.unwrap().unwrap();
    let next_check = step.wait.unwrap().until.duration_since(world.now());
    assert!(next_check <= jiff::SignedDuration::from_mins(55));
    world.run(next_check.unsigned_abs() - 5 * MINUTE).await;
    // So young that its webhook could still be on its way, if there was any.
    let placed = paid_order(1000, world.now());
    world.shop(&moon(), |shop| shop.orders.insert(OrderId::new(1000), placed.clone()));
    world.run(10 * MINUTE).await;

    world.shop(&moon(), |shop| assert!(shop.unsubscribed.is_empty()));
    let healed = world.events("SubscriptionsHealed");
    assert_eq!(healed.len(), 1);
    assert!(matches!(&healed[0].kind, EventKind::SubscriptionsHealed { topics } if topics.len() == 2), "{healed:?}");
    world.run(HOUR).await;
    assert!(world.ports.ledger.load(&placed.at).await.unwrap().summary.is_some());
    let run = run_of(&world, &moon()).await.unwrap();
    assert_eq!((run.occasion, run.found, run.fixed), (Occasion::Healing, 1, 1));
    assert_eq!(world.events("WebhooksMissed").len(), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_worker_that_dies_after_it_subscribed_again_is_made_up_for() {
    let world = connected().await;
    world.shop(&moon(), |shop| shop.unsubscribed = vec!["orders/paid"]);
    world.ports.tasks.sent().bus_down = true;

    // Subscribed, and nobody could be told.
    world.run(HOUR).await;
    world.shop(&moon(), |shop| assert!(shop.unsubscribed.is_empty()));
    world.ports.tasks.sent().bus_down = false;
    world.run(HOUR).await;

    assert_eq!(world.events("SubscriptionsHealed").len(), 1);
    assert_eq!(run_of(&world, &moon()).await.unwrap().occasion, Occasion::Healing);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_look_at_subscriptions_that_fails_hour_after_hour_is_parked() {
    let world = connected().await;
    world.fail_questions(&moon(), &[Fault::Unreachable; 5]);

    world.run(4 * HOUR - MINUTE).await;
    assert_eq!(world.letters(), []);
    world.run(2 * HOUR).await;

    assert_eq!(world.letters(), [("connect", Code::ChannelUnavailable)]);
}

#[tokio::test]
async fn a_look_at_subscriptions_that_gets_no_answer_is_made_up_for_by_the_next() {
    let world = connected().await;
    world.fail_questions(&moon(), &[Fault::Unreachable; 4]);

    world.run(6 * HOUR).await;

    let (step, _) = world.ports.ledger.shop_step::<ConnectState>(&moon(), &StepId::Connect).await.unwrap().unwrap();
    assert!(!is_connecting(&step) && step.parked.is_none() && step.attempts == 0, "{step:?}");
    assert_eq!(world.letters(), []);
}
