//! Writeback: each number arrives once, and each customer is mailed at most once about it.

mod locations;
mod many_shipments;
mod overwrite;
mod replaced;
mod split;

use std::time::Duration;

use roundtrip_domain::Outcome;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{FulfillmentId, OrderId, OrderRef, ShipmentId};
use roundtrip_domain::ports::{Clock, Ledger};
use roundtrip_domain::push::push_order;
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::{Phase, TrackingInfo, write_back};
use roundtrip_kit::fake::{self, FakePorts, Fault};
use roundtrip_kit::order::{connection, moon, sun};

const ORDER: u64 = 42;
const NUMBER: &str = "9400111899223100001234";

fn at() -> OrderRef {
    OrderRef { shop: moon(), id: OrderId::new(ORDER) }
}

/// An order that was pushed.
async fn pushed() -> (FakePorts, OrderRef) {
    let ports = fake::placed(ORDER);
    push_order(&ports, &Task::new(Trigger::Webhook, "event-1", Subject::Order(at()))).await.unwrap();
    let source = ports.channel.shop(&sun(), |shop| shop.pushed[0].0.id);
    (ports, OrderRef { shop: sun(), id: source })
}

fn usps() -> Option<TrackingInfo> {
    TrackingInfo::new(Some("usps".into()), Some(NUMBER.into()), None)
}

fn task(source: &OrderRef, trigger: Trigger) -> Task {
    Task::new(trigger, "event-2", Subject::Order(source.clone()))
}

fn shown(ports: &FakePorts) -> Vec<roundtrip_domain::channel::ShownFulfillment> {
    ports.channel.shop(&moon(), |shop| shop.shown.get(&OrderId::new(ORDER)).cloned().unwrap_or_default())
}

fn mails(ports: &FakePorts) -> usize {
    ports.channel.shop(&moon(), |shop| shop.mails.len())
}

fn fail_next(ports: &FakePorts, faults: &[Fault]) {
    ports.channel.shop(&moon(), |shop| shop.mutation_faults.extend(faults));
}

async fn phase(ports: &FakePorts, source: &OrderRef, id: FulfillmentId) -> Phase {
    ports.ledger.load(&at()).await.unwrap().writebacks[&ShipmentId::Fulfillment { source: source.clone(), id }]
        .get()
        .state
        .phase
        .clone()
}

/// Lets due work wake the source order as often as something is due, for two hours.
async fn run_until_settled(ports: &FakePorts, source: &OrderRef) -> Outcome {
    let end = roundtrip_domain::ports::after(ports.clock.now(), Duration::from_secs(7200));
    let mut last = write_back(ports, &task(source, Trigger::Webhook)).await.unwrap();
    while ports.clock.now() < end {
        ports.clock.advance(Duration::from_secs(10));
        if !ports.ledger.due(ports.clock.now(), 10).await.unwrap().is_empty() {
            last = write_back(ports, &task(source, Trigger::DueWork)).await.unwrap();
        }
    }
    last
}

#[tokio::test]
async fn tracking_comes_home_as_shopify_spells_it() {
    let (ports, source) = pushed().await;
    let id = ports.channel.ship(&source, usps());

    let outcome = write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();

    assert!(matches!(outcome, Outcome::Done(_)), "{outcome}");
    let shown = shown(&ports);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].tracking, [TrackingInfo { company: Some("USPS".into()), number: NUMBER.into(), url: None }]);
    assert_eq!(shown[0].lines.len(), 1);
    assert!(matches!(phase(&ports, &source, id).await, Phase::Written { .. }));
    assert_eq!(mails(&ports), 1);
}

#[tokio::test]
async fn a_plain_writeback_takes_four_shopify_calls_and_six_ledger_calls() {
    let (ports, source) = pushed().await;
    ports.channel.ship(&source, usps());
    ports.ledger.take_calls();
    ports.channel.shop(&moon(), |shop| shop.calls.clear());
    ports.channel.shop(&sun(), |shop| shop.calls.clear());

    write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();

    assert_eq!(ports.ledger.take_calls(), 6);
    let calls = |shop| ports.channel.shop(&shop, |shop| shop.calls.clone());
    assert_eq!(calls(sun()), ["shipped"]);
    assert_eq!(calls(moon()), ["destination", "create_fulfillment", "shown"]);
}

#[tokio::test]
async fn what_is_there_already_is_not_written_again() {
    let (ports, source) = pushed().await;
    ports.channel.ship(&source, usps());
    write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();

    for trigger in [Trigger::Webhook, Trigger::DueWork, Trigger::Resync, Trigger::Redrive] {
        write_back(&ports, &task(&source, trigger)).await.unwrap();
    }

    assert_eq!((shown(&ports).len(), mails(&ports)), (1, 1));
}

#[tokio::test]
async fn what_the_merchant_entered_by_hand_with_the_same_number_is_accepted() {
    let (ports, source) = pushed().await;
    let id = ports.channel.ship(&source, usps());
    ports.channel.shop(&moon(), |shop| {
        let by_hand = roundtrip_domain::channel::ShownFulfillment {
            id: FulfillmentId::new(77),
            state: roundtrip_domain::order::FulfillmentState::Success,
            service: None,
            tracking: usps().into_iter().collect(),
            lines: vec![(roundtrip_domain::id::LineItemId::new(101), 1)],
        };
        shop.shown.insert(OrderId::new(ORDER), vec![by_hand]);
    });

    write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();

    assert_eq!((shown(&ports).len(), mails(&ports)), (1, 0));
    assert!(matches!(phase(&ports, &source, id).await, Phase::Written { .. }));
}

#[tokio::test]
async fn an_answer_that_was_lost_makes_no_second_fulfillment_and_no_second_mail() {
    for fault in [Fault::AnswerLost, Fault::LandsLate(Duration::from_secs(100))] {
        let (ports, source) = pushed().await;
        ports.channel.ship(&source, usps());
        fail_next(&ports, &[fault]);

        run_until_settled(&ports, &source).await;

        assert_eq!((shown(&ports).len(), mails(&ports)), (1, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn a_call_that_had_no_effect_mails_when_it_is_made_again() {
    for fault in [Fault::RequestLost, Fault::Unreachable, Fault::Throttled] {
        let (ports, source) = pushed().await;
        ports.channel.ship(&source, usps());
        fail_next(&ports, &[fault]);

        run_until_settled(&ports, &source).await;

        assert_eq!((shown(&ports).len(), mails(&ports)), (1, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn five_failures_park_the_writeback() {
    let (ports, source) = pushed().await;
    ports.channel.ship(&source, usps());
    fail_next(&ports, &[Fault::Unreachable; 9]);

    let outcome = run_until_settled(&ports, &source).await;

    assert_eq!(outcome, Outcome::Park { code: Code::ChannelUnavailable });
    let sent = ports.tasks.sent();
    assert_eq!(sent.parked.len(), 1);
    assert_eq!((sent.parked[0].0, sent.parked[0].1.attempts), (Queue::TrackingWriteback, 5));
}

#[tokio::test]
async fn shipped_without_a_number_waits_for_it() {
    let (ports, source) = pushed().await;
    let id = ports.channel.ship(&source, None);

    let outcome = write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();
    assert!(matches!(outcome, Outcome::Wait { why: WaitReason::AwaitingTracking, .. }), "{outcome}");
    assert!(shown(&ports).is_empty());

    ports.channel.shop(&sun(), |shop| {
        let shipped = shop.shipped.get_mut(&source.id).unwrap();
        assert_eq!(shipped[0].id, id);
        shipped[0].tracking.extend(usps());
    });
    write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();

    assert_eq!((shown(&ports).len(), mails(&ports)), (1, 1));
}

#[tokio::test]
async fn an_order_on_hold_is_written_when_it_is_released() {
    let (ports, source) = pushed().await;
    ports.channel.ship(&source, usps());
    ports.channel.shop(&moon(), |shop| shop.held.push(OrderId::new(ORDER)));

    let outcome = write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();
    assert!(matches!(outcome, Outcome::Wait { why: WaitReason::OnHold, .. }), "{outcome}");
    ports.channel.shop(&moon(), |shop| shop.held.clear());
    // The release is the destination's webhook, so it comes to the push queue.
    push_order(&ports, &Task::new(Trigger::Webhook, "event-3", Subject::Order(at()))).await.unwrap();
    let (queue, woken) = ports.tasks.take().expect("a task");
    assert_eq!(queue, Queue::TrackingWriteback);
    write_back(&ports, &woken).await.unwrap();

    assert_eq!(shown(&ports).len(), 1);
}

#[tokio::test]
async fn a_second_worker_leaves_a_writeback_in_flight_alone_and_is_made_up_for() {
    let (ports, source) = pushed().await;
    ports.channel.ship(&source, usps());
    fail_next(&ports, &[Fault::LandsLate(Duration::from_secs(100))]);
    write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();
    let calls = ports.channel.shop(&moon(), |shop| shop.calls.iter().filter(|c| **c == "create_fulfillment").count());

    for _ in 0..5 {
        write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();
    }

    let after = ports.channel.shop(&moon(), |shop| shop.calls.iter().filter(|c| **c == "create_fulfillment").count());
    assert_eq!((calls, after), (1, 1));
    run_until_settled(&ports, &source).await;
    assert_eq!((shown(&ports).len(), mails(&ports)), (1, 1));
}

#[tokio::test]
async fn a_customer_is_not_mailed_where_the_connection_says_so() {
    let (ports, source) = pushed().await;
    let mut quiet = connection(true);
    quiet.settings.notify_customer = false;
    ports.ledger.put_connection(quiet);
    ports.channel.ship(&source, usps());

    write_back(&ports, &task(&source, Trigger::Webhook)).await.unwrap();

    assert_eq!((shown(&ports).len(), mails(&ports)), (1, 0));
}

#[tokio::test]
async fn a_shipment_of_an_order_that_nobody_pushed_is_nobodys() {
    let (ports, _) = pushed().await;
    let foreign = OrderRef { shop: sun(), id: OrderId::new(77_777) };

    let outcome = write_back(&ports, &task(&foreign, Trigger::Webhook)).await.unwrap();

    assert_eq!(outcome, Outcome::Done("not pushed by us, so far"));
    assert!(shown(&ports).is_empty());
}

#[tokio::test]
async fn a_destinations_own_fulfillment_is_handed_to_the_push_queue() {
    let (ports, _) = pushed().await;

    write_back(&ports, &task(&at(), Trigger::Webhook)).await.unwrap();

    let (queue, task) = ports.tasks.take().expect("a task");
    assert_eq!((queue, task.hop, task.subject), (Queue::OrderPush, 1, Subject::Order(at())));
}

#[tokio::test]
async fn a_shop_that_cannot_be_read_is_looked_at_again_later() {
    let (ports, source) = pushed().await;
    ports.channel.ship(&source, usps());
    ports.channel.shop(&sun(), |shop| shop.query_faults.push_back(Fault::Unreachable));
    ports.channel.shop(&moon(), |shop| shop.query_faults.push_back(Fault::Throttled));

    run_until_settled(&ports, &source).await;

    assert_eq!((shown(&ports).len(), mails(&ports)), (1, 1));
}
