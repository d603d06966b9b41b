//! Push: exactly one source order, whatever happens. The use case over fakes that keep state.

mod cancel_source;
mod changed_after;
mod rests;
mod settings;
mod several_stores;

use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::Outcome;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::order::{Attribute, FinancialStatus, SourceOrder};
use roundtrip_domain::ports::{Clock, Ledger};
use roundtrip_domain::push::{LINE_PROPERTY, OrderDraft, PushState, RefusalReason, push_order};
use roundtrip_domain::record::{Origin, PushRequest, Received, ReceivedState, RequestState, Row, Tab};
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake;
use roundtrip_kit::fake::{FakePorts, Fault};
use roundtrip_kit::order::{connection, line, moon, paid_order, sun};

const ORDER: u64 = 42;

fn at() -> OrderRef {
    OrderRef { shop: moon(), id: OrderId::new(ORDER) }
}

fn webhook() -> Task {
    Task::new(Trigger::Webhook, "event-1", Subject::Order(at()))
}

/// A moon that sells what the sun holds, and one paid order.
fn shops(auto_push: bool) -> FakePorts {
    let ports = fake::placed(ORDER);
    ports.ledger.put_connection(connection(auto_push));
    ports
}

fn change_order(ports: &FakePorts, change: impl FnOnce(&mut roundtrip_domain::order::Order)) {
    let now = ports.clock.now();
    ports.channel.shop(&moon(), |shop| {
        let order = shop.orders.entry(OrderId::new(ORDER)).or_insert_with(|| paid_order(ORDER, now));
        order.updated_at = now;
        change(order);
    });
}

fn pushed(ports: &FakePorts) -> Vec<(SourceOrder, OrderDraft)> {
    ports.channel.shop(&sun(), |shop| shop.pushed.clone())
}

fn fail_next(ports: &FakePorts, faults: &[Fault]) {
    ports.channel.shop(&sun(), |shop| shop.mutation_faults.extend(faults));
}

async fn push_state(ports: &FakePorts) -> PushState {
    let record = ports.ledger.load(&at()).await.unwrap();
    record.pushes.get(&(sun(), 1)).map_or_else(PushState::not_pushed, |row| row.get().state.clone())
}

async fn tab(ports: &FakePorts) -> Tab {
    ports.ledger.load(&at()).await.unwrap().summary.unwrap().get().tab
}

/// Lets due work wake the order as often as something is due, up to a day.
async fn run_until_settled(ports: &FakePorts) -> Outcome {
    let end: Timestamp = roundtrip_domain::ports::after(ports.clock.now(), Duration::from_secs(24 * 3600));
    let mut last = push_order(ports, &webhook()).await.unwrap();
    while ports.clock.now() < end {
        ports.clock.advance(Duration::from_secs(10));
        if !ports.ledger.due(ports.clock.now(), 10).await.unwrap().is_empty() {
            let task = Task::new(Trigger::DueWork, "run-1", Subject::Order(at()));
            last = push_order(ports, &task).await.unwrap();
        }
    }
    last
}

async fn request(ports: &FakePorts, id: &str) {
    let now = ports.clock.now();
    let mut record = ports.ledger.load(&at()).await.unwrap();
    let request = PushRequest {
        source: sun(),
        group: 1,
        shipping_fee: None,
        requested_at: now,
        requested_by: "ada".into(),
        state: RequestState::Open { due: now },
    };
    record.requests.insert(id.into(), Row::new(request));
    ports.ledger.save(&mut [&mut record]).await.unwrap();
}

async fn request_state(ports: &FakePorts, id: &str) -> RequestState {
    ports.ledger.load(&at()).await.unwrap().requests[id].get().state.clone()
}

#[tokio::test]
async fn a_paid_order_with_a_linked_product_is_pushed_once() {
    let ports = shops(true);

    let outcome = push_order(&ports, &webhook()).await.unwrap();

    assert!(matches!(outcome, Outcome::Done(_)), "{outcome}");
    let orders = pushed(&ports);
    assert_eq!(orders.len(), 1);
    assert!(matches!(push_state(&ports).await, PushState::Confirmed { order, .. } if order == orders[0].0));
    assert_eq!(tab(&ports).await, Tab::Pushed);
    let source = OrderRef { shop: sun(), id: orders[0].0.id };
    let origin = ports.ledger.load(&source).await.unwrap().origin.unwrap();
    let received = Received {
        at: ports.clock.now(),
        name: orders[0].0.name.clone(),
        order_name: "#42".into(),
        units: 1,
        state: ReceivedState::Unfulfilled,
    };
    assert_eq!(*origin.get(), Origin::Pushed { destination: at(), group: 1, received: Some(received) });
}

#[tokio::test]
async fn a_plain_push_takes_two_shopify_calls_and_six_ledger_calls() {
    let ports = shops(true);
    ports.ledger.take_calls();

    push_order(&ports, &webhook()).await.unwrap();

    assert_eq!(ports.ledger.take_calls(), 6);
    let calls = |shop| ports.channel.shop(&shop, |shop| shop.calls.clone());
    assert_eq!((calls(moon()), calls(sun())), (vec!["order"], vec!["create_order"]));
}

#[tokio::test]
async fn every_trigger_after_the_first_changes_nothing() {
    let ports = shops(true);
    push_order(&ports, &webhook()).await.unwrap();
    let before = ports.ledger.load(&at()).await.unwrap();

    for trigger in [Trigger::Webhook, Trigger::DueWork, Trigger::Resync, Trigger::Redrive] {
        push_order(&ports, &Task::new(trigger, "again", Subject::Order(at()))).await.unwrap();
    }

    assert_eq!(pushed(&ports).len(), 1);
    assert_eq!(ports.ledger.load(&at()).await.unwrap(), before);
}

#[tokio::test]
async fn without_automatic_push_an_order_waits_to_be_asked_for() {
    let ports = shops(false);
    run_until_settled(&ports).await;
    assert_eq!((pushed(&ports).len(), tab(&ports).await), (0, Tab::NotPushed));

    request(&ports, "request-1").await;
    push_order(&ports, &Task::new(Trigger::Request, "request-1", Subject::Order(at()))).await.unwrap();

    assert_eq!((pushed(&ports).len(), tab(&ports).await), (1, Tab::Pushed));
    let done = RequestState::Done { order: pushed(&ports)[0].0.clone() };
    assert_eq!(request_state(&ports, "request-1").await, done);
}

#[tokio::test]
async fn a_request_whose_message_was_lost_is_found_by_due_work() {
    let ports = shops(false);
    push_order(&ports, &webhook()).await.unwrap();
    request(&ports, "request-1").await;

    let due = ports.ledger.due(ports.clock.now(), 10).await.unwrap();

    assert_eq!(due.len(), 1);
    assert_eq!(due[0].wake_up.subject, Subject::Order(at()));
}

#[tokio::test]
async fn a_request_for_an_order_that_may_not_go_says_every_reason() {
    let ports = shops(false);
    change_order(&ports, |order| {
        order.financial_status = FinancialStatus::Pending;
        order.test = true;
        order.email = None;
        order.shipping_address = None;
        order.customer = None;
    });
    push_order(&ports, &webhook()).await.unwrap();
    request(&ports, "request-1").await;

    push_order(&ports, &Task::new(Trigger::Request, "request-1", Subject::Order(at()))).await.unwrap();

    let RequestState::Refused { reasons } = request_state(&ports, "request-1").await else { panic!("not refused") };
    let names: Vec<RefusalReason> = reasons.iter().map(|refusal| refusal.reason).collect();
    assert_eq!(
        names,
        [
            RefusalReason::NotPaid,
            RefusalReason::TestOrder,
            RefusalReason::InvalidCustomerName,
            RefusalReason::InvalidCustomerAddress,
            RefusalReason::InvalidCustomerEmail,
        ]
    );
    assert!(pushed(&ports).is_empty());
}

#[tokio::test]
async fn an_order_that_is_paid_later_goes_then() {
    let ports = shops(true);
    change_order(&ports, |order| order.financial_status = FinancialStatus::Pending);
    push_order(&ports, &webhook()).await.unwrap();
    assert!(pushed(&ports).is_empty());
    let why = ports.ledger.load(&at()).await.unwrap().summary.unwrap().get().refusals.clone();
    assert_eq!((&why[0].source, why[0].reasons[0].reason), (&sun(), RefusalReason::NotPaid), "and it says why");

    ports.clock.advance(Duration::from_secs(60));
    change_order(&ports, |order| order.financial_status = FinancialStatus::Paid);
    push_order(&ports, &webhook()).await.unwrap();

    assert_eq!(pushed(&ports).len(), 1);
    assert!(ports.ledger.load(&at()).await.unwrap().summary.unwrap().get().refusals.is_empty());
}

#[tokio::test]
async fn test_orders_cancelled_orders_and_our_own_pushes_never_go() {
    type Change = fn(&mut roundtrip_domain::order::Order);
    let changes: [Change; 3] = [
        |order| order.test = true,
        |order| order.cancelled_at = Some(order.created_at),
        |order| order.order_key = Some("rt1-0123456789012345678901234567890123456789".into()),
    ];
    for change in changes {
        let ports = shops(true);
        change_order(&ports, change);

        run_until_settled(&ports).await;

        assert!(pushed(&ports).is_empty());
    }
}

#[tokio::test]
async fn only_linked_lines_go_and_nothing_of_shipping_discounts_or_tax() {
    let ports = shops(true);
    change_order(&ports, |order| {
        order.lines.push(line(2));
        order.lines[0].attributes.push(Attribute { key: "Engraving".into(), value: "Ada".into() });
        order.note = Some("Ring twice".into());
        order.name = "#1042, gift".into();
    });

    push_order(&ports, &webhook()).await.unwrap();

    let (_, draft) = pushed(&ports).remove(0);
    assert_eq!(draft.lines.len(), 1);
    let properties = &draft.lines[0].properties;
    assert_eq!(properties[0], Attribute { key: "Engraving".into(), value: "Ada".into() });
    assert_eq!(properties[1], Attribute { key: LINE_PROPERTY.into(), value: "101".into() });
    assert_eq!(draft.tags, ["Moon Shop", "#1042 gift"]);
    assert_eq!(draft.note, "Moon Shop, order #1042, gift\n\nRing twice");
    assert_eq!(draft.shipping_fee.to_string(), "0 EUR");
    assert!(!format!("{draft:?}").contains("DHL Express"), "the delivery that the customer chose stays here");
}

#[tokio::test]
async fn an_answer_that_was_lost_leads_to_the_order_that_was_made() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::AnswerLost]);

    run_until_settled(&ports).await;

    assert_eq!(pushed(&ports).len(), 1);
    assert!(matches!(push_state(&ports).await, PushState::Confirmed { .. }));
}

#[tokio::test]
async fn a_request_that_was_lost_is_made_again_after_two_looks() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::RequestLost]);

    run_until_settled(&ports).await;

    assert_eq!(pushed(&ports).len(), 1);
    let looks = ports.channel.shop(&sun(), |shop| shop.calls.iter().filter(|c| **c == "find_order").count());
    assert!(looks >= 3, "one early look, and two that count: {looks}");
}

#[tokio::test]
async fn a_call_that_lands_within_the_quarantine_is_found() {
    for seconds in [1, 29, 31, 60, 119] {
        let ports = shops(true);
        fail_next(&ports, &[Fault::LandsLate(Duration::from_secs(seconds))]);

        run_until_settled(&ports).await;

        assert_eq!(pushed(&ports).len(), 1, "landed after {seconds} s");
    }
}

#[tokio::test]
async fn three_calls_without_an_effect_are_parked_for_a_person() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::RequestLost; 9]);

    let outcome = run_until_settled(&ports).await;

    assert_eq!(outcome, Outcome::Park { code: Code::OutcomeUnknown });
    let calls = ports.channel.shop(&sun(), |shop| shop.calls.iter().filter(|c| **c == "create_order").count());
    assert_eq!(calls, 3);
    let sent = ports.tasks.sent();
    assert_eq!(sent.parked.len(), 1);
    assert_eq!((sent.parked[0].0, sent.parked[0].1.code), (Queue::OrderPush, Code::OutcomeUnknown));
}

#[tokio::test]
async fn a_worker_that_dies_after_the_call_leaves_no_double() {
    let ports = shops(true);
    // Its last trace: the claim. The order is there, and nobody says so.
    fail_next(&ports, &[Fault::AnswerLost]);
    let dying = {
        let ports = ports.clone();
        async move { push_order(&ports, &webhook()).await }
    };
    let state = {
        // Runs until the claim is written and the call is made, and is dropped before it is settled.
        let unsettled = fake::ports();
        drop(unsettled);
        dying.await.unwrap();
        push_state(&ports).await
    };
    assert!(matches!(state, PushState::Verifying { .. }));

    run_until_settled(&ports).await;

    assert_eq!(pushed(&ports).len(), 1);
}

#[tokio::test]
async fn a_young_claim_is_left_alone_and_an_old_one_is_looked_into() {
    let ports = shops(true);
    push_order(&ports, &webhook()).await.unwrap();
    // As a worker that died between the call and the ledger leaves it.
    let mut record = ports.ledger.load(&at()).await.unwrap();
    let now = ports.clock.now();
    let row = record.pushes.get_mut(&(sun(), 1)).unwrap();
    let plan = roundtrip_domain::push::PushPlan {
        key: pushed(&ports)[0].1.key.clone(),
        lines: Vec::new(),
        terms: roundtrip_domain::push::PushTerms {
            mode: roundtrip_domain::push::PushMode::Automatic,
            shipping_fee: roundtrip_kit::order::euros("0"),
            fee_rule: roundtrip_domain::push::FeeRule::None,
            settings_version: 1,
            shop_settings_version: 0,
        },
        inventory: roundtrip_domain::registry::Inventory::Bypass,
        order_updated_at: now,
    };
    row.change().state = PushState::Sent { plan, at: now, round: 1 };
    row.change().wait(now, roundtrip_domain::ports::after(now, Duration::from_secs(120)), WaitReason::InFlight);
    ports.ledger.save(&mut [&mut record]).await.unwrap();
    ports.channel.shop(&sun(), |shop| shop.calls.clear());

    let young = push_order(&ports, &webhook()).await.unwrap();
    assert!(matches!(young, Outcome::Wait { why: WaitReason::InFlight, .. }), "{young}");
    assert!(ports.channel.shop(&sun(), |shop| shop.calls.is_empty()), "nothing is called");

    ports.clock.advance(Duration::from_secs(121));
    // The source order's origin is known already: the settlement accepts that.
    push_order(&ports, &webhook()).await.unwrap();

    assert!(matches!(push_state(&ports).await, PushState::Confirmed { .. }));
    assert_eq!(pushed(&ports).len(), 1);
}

#[tokio::test]
async fn throttling_waits_and_counts_no_attempt() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::Throttled; 8]);

    let first = push_order(&ports, &webhook()).await.unwrap();
    assert!(matches!(first, Outcome::Wait { why: WaitReason::Throttled, .. }), "{first}");
    run_until_settled(&ports).await;

    assert_eq!(pushed(&ports).len(), 1);
    assert!(ports.tasks.sent().parked.is_empty());
}

#[tokio::test]
async fn five_failures_park_with_the_code_and_a_burst_of_webhooks_spends_none_of_them() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::Unreachable; 9]);

    for _ in 0..20 {
        push_order(&ports, &webhook()).await.unwrap();
    }
    let after_burst = ports.ledger.load(&at()).await.unwrap().pushes[&(sun(), 1)].get().attempts;
    let outcome = run_until_settled(&ports).await;

    assert_eq!(after_burst, 1);
    assert_eq!(outcome, Outcome::Park { code: Code::ChannelUnavailable });
    let sent = ports.tasks.sent();
    let parked = &sent.parked[0].1;
    assert_eq!((parked.attempts, parked.generation, parked.code), (5, 0, Code::ChannelUnavailable));
    assert!(!format!("{parked:?}").contains("ada@example.com"));
}

#[tokio::test]
async fn a_refusal_is_parked_at_once_and_tried_again_when_the_order_changed() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::Refused]);

    let outcome = push_order(&ports, &webhook()).await.unwrap();
    assert_eq!(outcome, Outcome::Park { code: Code::Rejected });
    push_order(&ports, &webhook()).await.unwrap();
    assert!(pushed(&ports).is_empty(), "the same order would be refused again");

    ports.clock.advance(Duration::from_secs(60));
    change_order(&ports, |order| order.phone = Some("+49 30 1234".into()));
    push_order(&ports, &webhook()).await.unwrap();

    assert_eq!(pushed(&ports).len(), 1);
}

#[tokio::test]
async fn a_parked_step_is_announced_even_if_the_queue_was_down() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::Refused]);
    ports.tasks.sent().down = true;

    assert!(push_order(&ports, &webhook()).await.is_err(), "the message goes back");
    ports.tasks.sent().down = false;
    push_order(&ports, &webhook()).await.unwrap();
    assert!(ports.tasks.sent().parked.is_empty(), "its worker may be at it");
    ports.clock.advance(Duration::from_secs(121));
    assert_eq!(ports.ledger.due(ports.clock.now(), 10).await.unwrap().len(), 1, "due, should the message be lost");
    push_order(&ports, &webhook()).await.unwrap();
    push_order(&ports, &webhook()).await.unwrap();

    assert_eq!(ports.tasks.sent().parked.len(), 1);
    assert!(ports.ledger.due(ports.clock.now(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_looked_at_again_later() {
    let ports = shops(true);
    ports.channel.shop(&moon(), |shop| shop.query_faults.extend([Fault::Unreachable, Fault::Throttled]));

    let first = push_order(&ports, &webhook()).await.unwrap();
    assert!(matches!(first, Outcome::Retry { .. }), "{first}");
    run_until_settled(&ports).await;

    assert_eq!(pushed(&ports).len(), 1);
    assert!(ports.ledger.due(Timestamp::MAX, 10).await.unwrap().is_empty(), "nothing is left to wake");
}

#[tokio::test]
async fn two_orders_with_one_key_are_raised() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::AnswerLost]);
    push_order(&ports, &webhook()).await.unwrap();
    ports.channel.shop(&sun(), |shop| {
        let (order, draft) = shop.pushed[0].clone();
        shop.pushed.push((SourceOrder { id: OrderId::new(9), name: format!("{}-copy", order.name) }, draft));
    });

    let outcome = run_until_settled(&ports).await;

    assert_eq!(outcome, Outcome::Park { code: Code::DuplicateOrder });
}

#[tokio::test]
async fn absence_proves_nothing_without_the_metafield_definition() {
    let ports = shops(true);
    ports.channel.shop(&sun(), |shop| shop.lacks_definition = true);
    fail_next(&ports, &[Fault::RequestLost]);

    let outcome = run_until_settled(&ports).await;

    assert_eq!(outcome, Outcome::Park { code: Code::OutcomeUnknown });
    assert!(pushed(&ports).is_empty());
}

#[tokio::test]
async fn an_older_read_never_overwrites_a_newer_one() {
    let ports = shops(false);
    ports.clock.advance(Duration::from_secs(60));
    change_order(&ports, |order| order.tags = vec!["new".into()]);
    push_order(&ports, &webhook()).await.unwrap();
    ports.channel.shop(&moon(), |shop| {
        let order = shop.orders.get_mut(&OrderId::new(ORDER)).unwrap();
        order.updated_at = order.created_at;
        order.tags = vec!["old".into()];
    });

    push_order(&ports, &webhook()).await.unwrap();

    assert_eq!(ports.ledger.load(&at()).await.unwrap().summary.unwrap().get().tags, ["new"]);
}

#[tokio::test]
async fn a_webhook_that_tells_nothing_new_costs_no_shopify_call() {
    let ports = shops(true);
    ports.clock.advance(Duration::from_secs(60));
    change_order(&ports, |_| {});
    push_order(&ports, &webhook()).await.unwrap();
    ports.channel.shop(&moon(), |shop| shop.calls.clear());
    let mut stale = webhook();
    stale.seen_updated_at = Some(roundtrip_domain::ports::after(Timestamp::UNIX_EPOCH, Duration::from_secs(1)));

    push_order(&ports, &stale).await.unwrap();
    assert!(ports.channel.shop(&moon(), |shop| shop.calls.is_empty()));

    stale.seen_updated_at = Some(ports.clock.now());
    push_order(&ports, &stale).await.unwrap();
    assert_eq!(ports.channel.shop(&moon(), |shop| shop.calls.clone()), ["order"], "equal is not past it");
}

#[tokio::test]
async fn what_was_shipped_before_the_push_was_confirmed_wakes_its_writeback() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::AnswerLost]);
    push_order(&ports, &webhook()).await.unwrap();
    let source = OrderRef { shop: sun(), id: pushed(&ports)[0].0.id };
    let shipped = Task::new(Trigger::Webhook, "event-2", Subject::Order(source.clone()));
    roundtrip_domain::writeback::write_back(&ports, &shipped).await.unwrap();

    run_until_settled(&ports).await;

    let woken = ports.tasks.take().expect("a task");
    assert_eq!((woken.0, &woken.1.subject), (Queue::TrackingWriteback, &Subject::Order(source.clone())));
    let due = ports.ledger.due(Timestamp::MAX, 10).await.unwrap();
    assert_eq!(due[0].wake_up.subject, Subject::Order(source), "and it is due, should the task be lost");
}

#[tokio::test]
async fn a_source_orders_webhook_is_handed_on_once() {
    let ports = shops(true);
    push_order(&ports, &webhook()).await.unwrap();
    let source = OrderRef { shop: sun(), id: pushed(&ports)[0].0.id };
    let task = Task::new(Trigger::Webhook, "event-2", Subject::Order(source));

    push_order(&ports, &task).await.unwrap();
    let (queue, handed_on) = ports.tasks.take().expect("a task");
    assert_eq!((queue, handed_on.hop), (Queue::TrackingWriteback, 1));

    push_order(&ports, &handed_on).await.unwrap();
    assert!(ports.tasks.take().is_none());
}

#[tokio::test]
async fn personal_data_stands_in_its_own_item_and_nowhere_else() {
    let ports = shops(true);
    fail_next(&ports, &[Fault::Refused]);
    push_order(&ports, &webhook()).await.unwrap();

    let rows = ports.ledger.rows(&at()).await.unwrap();
    let history = format!("{:?}", ports.ledger.history(&at()));

    for personal in ["Ada", "Byron", "ada@example.com", "Engine Road", "SW1"] {
        for row in rows.iter().filter(|row| row.key != roundtrip_domain::record::RowKey::Personal) {
            assert!(!row.body.to_string().contains(personal), "{personal} in {:?}", row.key);
        }
        assert!(!history.contains(personal), "{personal} in the history");
    }
}
