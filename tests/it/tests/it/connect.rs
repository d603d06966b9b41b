//! Connect: what a shop needs before the first order.

use roundtrip_domain::Outcome;
use roundtrip_domain::code::Code;
use roundtrip_domain::connect::connect;
use roundtrip_domain::ports::{Clock, Ledger, Registry};
use roundtrip_domain::registry::Shop;
use roundtrip_domain::step::StepId;
use roundtrip_domain::step::{Step, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::{self, FakePorts, Fault};
use roundtrip_kit::order::moon;

fn requested() -> (FakePorts, Task) {
    let ports = fake::ports();
    let now = ports.clock.now();
    ports.ledger.put_shop(Shop::registered(moon(), now));
    let mut step = Step::new(());
    step.wait(now, now, WaitReason::Requested);
    ports.ledger.put_connect_step(&moon(), step);
    ports.channel.shop(&moon(), |shop| shop.lacks_definition = true);
    (ports, Task::new(Trigger::Request, "request-1", Subject::Shop { shop: moon() }))
}

#[tokio::test]
async fn a_shop_is_connected_with_facts_definition_and_subscriptions() {
    let (ports, task) = requested();

    let outcome = connect(&ports, &task).await.unwrap();

    assert_eq!(outcome, Outcome::Done("connected"));
    assert!(ports.ledger.shop(&moon()).await.unwrap().unwrap().shop.facts.is_some());
    let calls = ports.channel.shop(&moon(), |shop| shop.calls.clone());
    assert_eq!(calls, ["facts", "define_order_key", "subscribe"]);
    let (step, _) = ports.ledger.shop_step::<()>(&moon(), &StepId::Connect).await.unwrap().unwrap();
    assert_eq!(step.wait, None);
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
