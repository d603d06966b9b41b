//! What once went wrong between two orders, and must not again: told as push and writeback together, with
//! due work and the queues running by themselves.

use crate::world::{MINUTE, World};
use roundtrip_domain::Outcome;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{LineItemId, LocationId, OrderId, OrderRef};
use roundtrip_domain::ports::{Clock, Ledger};
use roundtrip_domain::push::{PushState, push_order};
use roundtrip_domain::record::RequestState;
use roundtrip_domain::step::StepId;
use roundtrip_domain::task::{Subject, Task, Trigger};
use roundtrip_domain::writeback::{TrackingInfo, write_back};
use roundtrip_kit::fake::{self, FakePorts, FakeShop, Fault};
use roundtrip_kit::order::{connected, connection, moon, paid_order, shop, sun};

const ORDER: u64 = 42;

fn at() -> OrderRef {
    OrderRef { shop: moon(), id: OrderId::new(ORDER) }
}

fn about(order: &OrderRef, trigger: Trigger) -> Task {
    Task::new(trigger, "event", Subject::Order(order.clone()))
}

/// One paid order of one linked line.
fn placed(quantity: u32) -> FakePorts {
    let ports = fake::placed(ORDER);
    let order = |shop: &mut FakeShop| shop.orders.get_mut(&OrderId::new(ORDER)).unwrap().lines[0].quantity = quantity;
    ports.channel.shop(&moon(), order);
    ports
}

async fn pushed(quantity: u32) -> (FakePorts, OrderRef) {
    let ports = placed(quantity);
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();
    let source = source_of(&ports);
    (ports, source)
}

fn source_of(ports: &FakePorts) -> OrderRef {
    OrderRef { shop: sun(), id: ports.channel.shop(&sun(), |shop| shop.pushed[0].0.id) }
}

fn tracking(number: &str) -> Option<TrackingInfo> {
    TrackingInfo::new(Some("usps".into()), Some(number.into()), None)
}

/// The source ships `units` of its first line.
fn ship(ports: &FakePorts, source: &OrderRef, number: &str, units: u32) {
    ports.channel.ship(source, tracking(number));
    ports.channel.shop(&sun(), |shop| {
        let shipped = shop.shipped.get_mut(&source.id).unwrap().last_mut().unwrap();
        shipped.lines.iter_mut().for_each(|line| line.1 = units);
    });
}

fn shown(ports: &FakePorts) -> Vec<(String, u32)> {
    World::over(ports).shown()
}

fn mails(ports: &FakePorts) -> Vec<String> {
    World::over(ports).mails()
}

/// Lets due work and the queues run; returns how many tasks they handled.
async fn run(ports: &FakePorts, minutes: u32) -> usize {
    World::over(ports).run(minutes * MINUTE).await
}

const A_DAY: u32 = 24 * 60;

#[tokio::test]
async fn a_changed_label_of_a_partial_shipment_ships_nothing_more() {
    let (ports, source) = pushed(2).await;
    ship(&ports, &source, "T1", 1);
    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();
    ports.channel.shop(&sun(), |shop| {
        shop.shipped.get_mut(&source.id).unwrap()[0].tracking = tracking("T2").into_iter().collect();
    });

    let outcome = write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();

    assert!(matches!(outcome, Outcome::Done(_)), "{outcome}");
    assert_eq!((shown(&ports), mails(&ports)), (vec![("T2".into(), 1)], vec!["T1".into(), "T2".into()]));
}

#[tokio::test]
async fn a_label_that_changes_while_its_call_is_in_doubt_ships_nothing_more() {
    let (ports, source) = pushed(2).await;
    ship(&ports, &source, "T1", 1);
    ports.channel.shop(&moon(), |shop| shop.mutation_faults.push_back(Fault::AnswerLost));
    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();
    ports.channel.shop(&sun(), |shop| {
        shop.shipped.get_mut(&source.id).unwrap()[0].tracking = tracking("T2").into_iter().collect();
    });

    run(&ports, 60).await;

    assert_eq!((shown(&ports), mails(&ports)), (vec![("T2".into(), 1)], vec!["T1".into(), "T2".into()]));
}

#[tokio::test]
async fn two_parcels_under_one_number_are_both_written_and_mailed_about_once() {
    let (ports, source) = pushed(2).await;
    ship(&ports, &source, "T1", 1);
    ship(&ports, &source, "T1", 1);

    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();

    assert_eq!((shown(&ports), mails(&ports)), (vec![("T1".into(), 1), ("T1".into(), 1)], vec!["T1".into()]));
}

#[tokio::test]
async fn a_writeback_that_is_never_answered_is_parked() {
    let (ports, source) = pushed(1).await;
    ship(&ports, &source, "T1", 1);
    ports.channel.shop(&moon(), |shop| shop.mutation_faults.extend([Fault::RequestLost; 99]));
    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();

    run(&ports, A_DAY).await;

    let calls = ports.channel.shop(&moon(), |shop| shop.calls.iter().filter(|c| **c == "create_fulfillment").count());
    assert_eq!(calls, 3);
    // The tag that should say so finds no answer either, and is parked by itself.
    let letters: Vec<_> =
        ports.tasks.sent().parked.iter().map(|(_, letter)| (letter.step.clone(), letter.code)).collect();
    assert!(matches!(letters[0], (StepId::Writeback(_), Code::OutcomeUnknown)), "{letters:?}");
    assert_eq!(letters[1..], [(StepId::Tags, Code::ChannelUnavailable)]);
}

#[tokio::test]
async fn a_shipment_from_two_locations_mails_once_even_if_the_first_answer_is_lost() {
    let ports = placed(1);
    ports.channel.shop(&moon(), |shop| {
        let order = shop.orders.get_mut(&OrderId::new(ORDER)).unwrap();
        let mut second = order.lines[0].clone();
        second.id = LineItemId::new(777);
        order.lines.push(second);
        shop.stocked_at.insert(LineItemId::new(777), LocationId::new(2));
    });
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();
    let source = source_of(&ports);
    ports.channel.ship(&source, tracking("T1"));
    ports.channel.shop(&moon(), |shop| shop.mutation_faults.push_back(Fault::AnswerLost));

    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();
    run(&ports, 60).await;

    assert_eq!((shown(&ports).len(), mails(&ports)), (2, vec!["T1".into()]));
}

#[tokio::test]
async fn a_shop_in_both_roles_does_not_lose_a_shipment_that_came_before_the_confirmation() {
    let ports = placed(1);
    let now = ports.clock.now();
    ports.ledger.put_shop(connected(shop("mars"), now));
    let mut onwards = connection(true);
    onwards.destination = sun();
    onwards.source = shop("mars");
    ports.ledger.put_connection(onwards);
    ports.channel.shop(&sun(), |shop| shop.mutation_faults.push_back(Fault::AnswerLost));
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();
    let source = source_of(&ports);
    ports.channel.shop(&sun(), |shop| {
        let mut order = paid_order(source.id.number(), now);
        order.at = source.clone();
        order.order_key = Some(shop.pushed[0].1.key.as_str().to_owned());
        shop.orders.insert(source.id, order);
    });
    push_order(&ports, &about(&source, Trigger::Webhook)).await.unwrap();
    ship(&ports, &source, "T1", 1);
    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();

    run(&ports, 60).await;

    assert_eq!(shown(&ports), [("T1".into(), 1)]);
}

#[tokio::test]
async fn nothing_wakes_for_ever_when_an_order_is_gone() {
    let in_doubt = placed(1);
    in_doubt.channel.shop(&sun(), |shop| shop.mutation_faults.push_back(Fault::AnswerLost));
    push_order(&in_doubt, &about(&at(), Trigger::Webhook)).await.unwrap();
    in_doubt.channel.shop(&moon(), |shop| shop.orders.clear());

    let (destination_gone, source) = pushed(1).await;
    ship(&destination_gone, &source, "T1", 1);
    destination_gone.channel.shop(&moon(), |shop| shop.mutation_faults.push_back(Fault::RequestLost));
    write_back(&destination_gone, &about(&source, Trigger::Webhook)).await.unwrap();
    destination_gone.channel.shop(&moon(), |shop| shop.orders.clear());

    let (source_gone, source) = pushed(1).await;
    ship(&source_gone, &source, "T1", 1);
    source_gone.channel.shop(&sun(), |shop| shop.query_faults.push_back(Fault::Unreachable));
    write_back(&source_gone, &about(&source, Trigger::Webhook)).await.unwrap();
    source_gone.channel.shop(&sun(), |shop| shop.pushed.clear());

    for (what, ports) in [("push", in_doubt), ("destination", destination_gone), ("source", source_gone)] {
        let handled = run(&ports, A_DAY).await;
        assert!(handled <= 5, "{what}: {handled} tasks in a day");
        assert!(ports.ledger.due(jiff::Timestamp::MAX, 10).await.unwrap().is_empty(), "{what}: still due");
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_read_at_all_rests_until_somebody_comes() {
    let ports = placed(1);
    ports.channel.shop(&sun(), |shop| shop.mutation_faults.push_back(Fault::Throttled));
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();
    ports.channel.shop(&moon(), |shop| shop.query_faults.extend([Fault::Unreachable; 5]));

    let handled = run(&ports, A_DAY).await;
    assert!(handled <= 10, "{handled} tasks in a day");
    assert_eq!(ports.tasks.sent().parked.len(), 1);
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();

    assert_eq!(ports.channel.shop(&sun(), |shop| shop.pushed.len()), 1);
}

#[tokio::test]
async fn a_shipment_without_a_number_is_raised_after_a_day_and_heals_when_the_number_comes() {
    let (ports, source) = pushed(1).await;
    ports.channel.ship(&source, None);
    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();

    let handled = run(&ports, 3 * A_DAY).await;
    assert!(handled <= 3, "{handled} tasks in three days");
    assert_eq!(ports.tasks.sent().parked[0].1.code, Code::AwaitingTracking);
    ports.channel.shop(&sun(), |shop| {
        shop.shipped.get_mut(&source.id).unwrap()[0].tracking.extend(tracking("T1"));
    });
    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();

    assert_eq!(shown(&ports).len(), 1);
}

#[tokio::test]
async fn a_redrive_of_just_this_state_sets_a_parked_push_going_and_an_older_one_does_not() {
    let ports = placed(1);
    ports.channel.shop(&sun(), |shop| shop.mutation_faults.push_back(Fault::Refused));
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();
    let letter = ports.tasks.sent().parked[0].1.clone();
    let mut older = letter.task.clone();
    older.cause_id = older.cause_id.replace("@0", "@7");

    push_order(&ports, &older).await.unwrap();
    assert_eq!(ports.channel.shop(&sun(), |shop| shop.pushed.len()), 0);
    push_order(&ports, &letter.task).await.unwrap();
    push_order(&ports, &letter.task).await.unwrap();

    assert_eq!(ports.channel.shop(&sun(), |shop| shop.pushed.len()), 1);
}

#[tokio::test]
async fn a_push_parked_in_doubt_is_found_by_redrive() {
    let ports = placed(1);
    ports.channel.shop(&sun(), |shop| {
        shop.mutation_faults.push_back(Fault::AnswerLost);
        shop.query_faults.extend([Fault::Unreachable; 5]);
    });
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();
    run(&ports, A_DAY).await;
    let letter = ports.tasks.sent().parked[0].1.clone();

    push_order(&ports, &letter.task).await.unwrap();

    let record = ports.ledger.load(&at()).await.unwrap();
    assert!(matches!(record.pushes[&(sun(), 1)].get().state, PushState::Confirmed { .. }));
    assert_eq!(ports.channel.shop(&sun(), |shop| shop.pushed.len()), 1);
}

#[tokio::test]
async fn asking_again_for_a_parked_push_tries_it_again() {
    let ports = placed(1);
    ports.channel.shop(&sun(), |shop| shop.mutation_faults.push_back(Fault::Refused));
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();
    let mut record = ports.ledger.load(&at()).await.unwrap();
    let now = ports.clock.now();
    let request = roundtrip_domain::record::PushRequest {
        source: sun(),
        group: 1,
        shipping_fee: None,
        requested_at: now,
        requested_by: "ada".into(),
        state: RequestState::Open { due: now },
    };
    record.requests.insert("request-1".into(), roundtrip_domain::record::Row::new(request));
    ports.ledger.save(&mut [&mut record]).await.unwrap();

    push_order(&ports, &about(&at(), Trigger::Request)).await.unwrap();

    let record = ports.ledger.load(&at()).await.unwrap();
    assert!(matches!(record.requests["request-1"].get().state, RequestState::Done { .. }));
}

#[tokio::test]
async fn an_order_that_is_found_after_it_was_cancelled_has_no_reasons_against_its_push() {
    let ports = placed(1);
    ports.channel.shop(&sun(), |shop| shop.mutation_faults.push_back(Fault::AnswerLost));
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();
    ports.channel.shop(&moon(), |shop| {
        let order = shop.orders.get_mut(&OrderId::new(ORDER)).unwrap();
        order.cancelled_at = Some(order.created_at);
    });
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();

    run(&ports, 10).await;

    let record = ports.ledger.load(&at()).await.unwrap();
    assert!(matches!(record.pushes[&(sun(), 1)].get().state, PushState::Confirmed { .. }));
    assert_eq!(record.summary.unwrap().get().refusals, []);
}

/// A request by hand to push the order; nothing goes by itself.
async fn requested() -> FakePorts {
    let ports = placed(1);
    ports.ledger.put_connection(connection(false));
    let now = ports.clock.now();
    let request = roundtrip_domain::record::PushRequest {
        source: sun(),
        group: 1,
        shipping_fee: None,
        requested_at: now,
        requested_by: "ada".into(),
        state: RequestState::Open { due: now },
    };
    let mut record = ports.ledger.load(&at()).await.unwrap();
    record.requests.insert("request-1".into(), roundtrip_domain::record::Row::new(request));
    ports.ledger.save(&mut [&mut record]).await.unwrap();
    ports
}

fn letter(ports: &FakePorts) -> Task {
    ports.tasks.sent().parked[0].1.task.clone()
}

#[tokio::test]
async fn a_redrive_pushes_what_was_requested_by_hand() {
    let ports = requested().await;
    ports.channel.shop(&sun(), |shop| shop.mutation_faults.push_back(Fault::Refused));
    push_order(&ports, &about(&at(), Trigger::Request)).await.unwrap();

    push_order(&ports, &letter(&ports)).await.unwrap();

    let record = ports.ledger.load(&at()).await.unwrap();
    assert!(matches!(record.pushes[&(sun(), 1)].get().state, PushState::Confirmed { .. }));
    assert!(matches!(record.requests["request-1"].get().state, RequestState::Done { .. }));
}

#[tokio::test]
async fn a_redrive_is_not_forgotten_while_the_order_cannot_be_read() {
    let ports = placed(1);
    ports.channel.shop(&sun(), |shop| shop.mutation_faults.push_back(Fault::Refused));
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();
    ports.channel.shop(&moon(), |shop| shop.query_faults.push_back(Fault::Throttled));
    push_order(&ports, &letter(&ports)).await.unwrap();
    run(&ports, 10).await;
    assert_eq!(ports.channel.shop(&sun(), |shop| shop.pushed.len()), 1, "pushed");
    ports.tasks.sent().parked.clear();

    let source = source_of(&ports);
    ship(&ports, &source, "T1", 1);
    ports.channel.shop(&moon(), |shop| shop.mutation_faults.push_back(Fault::Refused));
    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();
    ports.channel.shop(&moon(), |shop| shop.query_faults.push_back(Fault::Throttled));
    write_back(&ports, &letter(&ports)).await.unwrap();
    run(&ports, 10).await;
    assert_eq!(shown(&ports), [("T1".into(), 1)], "written back");
}

#[tokio::test]
async fn a_redrive_of_the_look_pushes_what_was_requested_by_hand() {
    let ports = requested().await;
    ports.channel.shop(&moon(), |shop| shop.query_faults.extend([Fault::Unreachable; 5]));
    push_order(&ports, &about(&at(), Trigger::Request)).await.unwrap();
    run(&ports, A_DAY).await;
    let failed = ports.ledger.load(&at()).await.unwrap();
    assert!(matches!(failed.requests["request-1"].get().state, RequestState::Failed { .. }));

    push_order(&ports, &letter(&ports)).await.unwrap();

    let record = ports.ledger.load(&at()).await.unwrap();
    assert!(matches!(record.requests["request-1"].get().state, RequestState::Done { .. }));
}

#[tokio::test]
async fn the_end_of_a_hold_is_heard_even_if_the_order_can_only_be_read_later() {
    let (ports, source) = pushed(1).await;
    ship(&ports, &source, "T1", 1);
    ports.channel.shop(&moon(), |shop| shop.held.push(OrderId::new(ORDER)));
    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();
    ports.channel.shop(&moon(), |shop| {
        shop.held.clear();
        shop.query_faults.push_back(Fault::Unreachable);
    });
    push_order(&ports, &about(&at(), Trigger::Webhook)).await.unwrap();

    run(&ports, 10).await;

    assert_eq!(shown(&ports), [("T1".into(), 1)]);
}

#[tokio::test]
async fn what_another_worker_just_made_is_not_taken_for_the_second_parcel_of_its_number() {
    let (ports, source) = pushed(2).await;
    ship(&ports, &source, "T1", 1);
    ship(&ports, &source, "T1", 1);
    // Its answer and its second look are lost: the first parcel is shown, and its step is still in doubt.
    ports.channel.shop(&moon(), |shop| shop.mutation_faults.push_back(Fault::AnswerLost));
    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();

    write_back(&ports, &about(&source, Trigger::Webhook)).await.unwrap();

    let record = ports.ledger.load(&at()).await.unwrap();
    let written: Vec<_> = record.writebacks.values().filter(|row| row.get().state.name() == "written").collect();
    assert!(written.is_empty(), "whose it is, is not known yet: {written:?}");
    run(&ports, 10).await;
    assert_eq!((shown(&ports).len(), mails(&ports)), (2, vec!["T1".into()]));
}
