//! Two workers at one order: what comes while a call is on its way is neither done twice nor lost.

use std::time::Duration;

use roundtrip_domain::code::Code;
use roundtrip_domain::id::{FulfillmentId, OrderId, OrderRef};
use roundtrip_domain::order::FulfillmentOrderStatus;
use roundtrip_domain::ports::{Clock, Tasks};
use roundtrip_domain::push::push_order;
use roundtrip_domain::record::{RequestState, Tab, WarningCode};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::write_back;
use roundtrip_kit::fake::{FakePorts, Fault};
use roundtrip_kit::order::{moon, sun};

use crate::world::{DAY, MINUTE, ORDER, World, at, mars, tracking};

fn webhook(order: &OrderRef) -> Task {
    Task::new(Trigger::Webhook, "meanwhile", Subject::Order(order.clone()))
}

/// Another worker handles a webhook about the order.
async fn order_webhook(ports: FakePorts) {
    push_order(&ports, &webhook(&at())).await.unwrap();
}

/// In the same second as the change before it.
async fn cancel(ports: FakePorts) {
    let now = ports.clock.now();
    ports.channel.shop(&moon(), |shop| {
        let order = shop.orders.get_mut(&OrderId::new(ORDER)).unwrap();
        (order.cancelled_at, order.updated_at) = (Some(now), now);
    });
    order_webhook(ports).await;
}

/// The source store changes the label, and another worker handles its webhook.
async fn relabel(ports: FakePorts, source: OrderRef, number: &'static str) {
    ports.channel.shop(&sun(), |shop| {
        shop.shipped.get_mut(&source.id).unwrap()[0].tracking = vec![tracking(number)];
    });
    write_back(&ports, &webhook(&source)).await.unwrap();
}

#[tokio::test]
async fn a_webhook_during_the_push_makes_no_second_order() {
    let world = World::new();
    world.meanwhile(order_webhook);

    world.order_webhook().await;

    assert_eq!((world.made_at(&sun()).len(), world.tab().await), (1, Tab::Pushed));
    assert_eq!(world.calls(&sun(), "create_order"), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_push_that_is_asked_for_while_it_is_made_is_answered_with_that_order() {
    let world = World::new();
    world.request(&sun(), "request-1").await;
    world.ports.tasks.take();
    world.meanwhile(|ports| async move {
        push_order(&ports, &Task::new(Trigger::Request, "request-1", Subject::Order(at()))).await.unwrap();
    });

    world.order_webhook().await;

    let made = world.source_order(&sun()).id;
    let answer = world.request_state("request-1").await;
    assert!(matches!(&answer, RequestState::Done { order } if order.id == made), "{answer:?}");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn twenty_requests_during_a_push_that_nobody_asked_for_are_answered_with_its_order() {
    for fault in [None, Some(Fault::AnswerLost)] {
        let world = World::new();
        for n in 0..20 {
            world.request(&sun(), &format!("request-{n}")).await;
        }
        let requests: Vec<Task> = std::iter::from_fn(|| world.ports.tasks.take()).map(|(_, task)| task).collect();
        world.fail_next(&sun(), fault.as_slice());
        world.meanwhile(|ports| async move {
            for request in requests {
                push_order(&ports, &request).await.unwrap();
            }
        });

        world.order_webhook().await;
        world.comes_to_rest().await;

        let made = world.source_order(&sun()).id;
        for n in 0..20 {
            let answer = world.request_state(&format!("request-{n}")).await;
            assert!(matches!(&answer, RequestState::Done { order } if order.id == made), "{n}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn an_order_that_is_cancelled_during_its_push_warns_of_it() {
    for fault in [None, Some(Fault::AnswerLost)] {
        let world = World::new();
        world.shop(&sun(), |shop| shop.mutation_faults.extend(fault));
        world.meanwhile(cancel);

        world.order_webhook().await;
        world.comes_to_rest().await;

        assert_eq!((world.made_at(&sun()).len(), world.tab().await), (1, Tab::Cancelled), "{fault:?}");
        assert_eq!(world.warnings().await, [(WarningCode::CancelledAfterPush, sun())], "{fault:?}");
    }
}

#[tokio::test]
async fn an_order_that_is_cancelled_during_a_push_that_is_refused_asks_nobody() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.meanwhile(cancel);

    world.order_webhook().await;
    world.run(DAY).await;

    assert_eq!((world.made_at(&sun()).len(), world.tab().await), (0, Tab::Cancelled));
    assert_eq!((world.push(&sun()).await.parked, world.order_tags()), (None, vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn two_webhooks_about_one_shipment_at_once_show_it_once() {
    let (world, source) = World::pushed(1).await;
    let again = webhook(&source);
    world.meanwhile(|ports| async move {
        write_back(&ports, &again).await.unwrap();
    });

    world.ship(&source, &["T1"]).await;

    assert_eq!((world.shown(), world.mails()), (vec![("T1".into(), 1)], vec!["T1".into()]));
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_number_that_changes_while_the_shipment_is_being_shown_is_replaced() {
    for fault in [None, Some(Fault::AnswerLost), Some(Fault::LandsLate(MINUTE)), Some(Fault::Throttled)] {
        let (world, source) = World::pushed(1).await;
        world.shop(&moon(), |shop| shop.mutation_faults.extend(fault));
        let order = source.clone();
        world.meanwhile(|ports| relabel(ports, order, "T2"));

        world.ship(&source, &["T1"]).await;
        world.comes_to_rest().await;

        assert_eq!(world.shown(), [("T2".into(), 1)], "{fault:?}");
        assert_eq!((world.writebacks().await, world.letters()), (vec![("written", None)], vec![]), "{fault:?}");
    }
}

#[tokio::test]
async fn a_shipment_that_is_mended_while_it_is_refused_is_tried_again() {
    let (world, source) = World::pushed(1).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    let order = source.clone();
    world.meanwhile(|ports| relabel(ports, order, "T2"));

    world.ship(&source, &["T1"]).await;
    world.comes_to_rest().await;

    assert_eq!((world.shown(), world.order_tags()), (vec![("T2".into(), 1)], vec![]));
}

/// The source store ships one more unit, and another worker handles its webhook.
async fn ship_another(ports: FakePorts, source: OrderRef, number: &'static str) {
    let id: FulfillmentId = ports.channel.ship(&source, Some(tracking(number)));
    ports.channel.shop(&source.shop, |shop| {
        let shipped = shop.shipped.get_mut(&source.id).unwrap().iter_mut().find(|it| it.id == id).unwrap();
        shipped.lines[0].1 = 1;
    });
    write_back(&ports, &webhook(&source)).await.unwrap();
}

#[tokio::test]
async fn a_second_shipment_that_comes_while_the_first_is_being_shown_is_shown_as_well() {
    for (number, fault) in
        [("T2", None), ("T1", None), ("T2", Some(Fault::AnswerLost)), ("T1", Some(Fault::AnswerLost))]
    {
        let (world, source) = World::pushed(2).await;
        world.shop(&moon(), |shop| shop.mutation_faults.extend(fault));
        let order = source.clone();
        world.meanwhile(move |ports| ship_another(ports, order, number));

        world.ship_units(&source, &["T1"], Some(1)).await;
        world.comes_to_rest().await;

        let mut shown = world.shown();
        shown.sort();
        assert_eq!(shown, [("T1".into(), 1), (number.into(), 1)], "{fault:?}");
        assert_eq!(world.mails().iter().filter(|mailed| *mailed == number).count(), 1, "{number} {fault:?}");
        assert_eq!(world.letters(), []);
    }
}

#[tokio::test]
async fn two_stores_that_ship_under_one_number_at_once_are_both_shown() {
    let world = World::new();
    world.add_source(&mars(), 2);
    world.order_webhook().await;
    let of_mars = world.source_order(&mars());
    world.meanwhile(move |ports| ship_another(ports, of_mars, "T1"));

    world.ship(&world.source_order(&sun()), &["T1"]).await;
    world.comes_to_rest().await;

    assert_eq!((world.shown(), world.mails()), (vec![("T1".into(), 1), ("T1".into(), 1)], vec!["T1".into()]));
}

#[tokio::test]
async fn a_shipment_that_is_called_off_while_another_of_its_number_is_being_shown_leaves_that_alone() {
    let (world, source) = World::pushed(1).await;
    world.set_work(FulfillmentOrderStatus::OnHold, None);
    let first = world.ship(&source, &["T1"]).await;
    world.ship(&source, &["T1"]).await;
    world.ship(&source, &["T2"]).await;
    world.call_off(&source, first).await;
    world.set_work(FulfillmentOrderStatus::Open, None);
    let order = source.clone();
    world.meanwhile(|ports| async move {
        write_back(&ports, &webhook(&order)).await.unwrap();
    });

    world.order_webhook().await;
    world.comes_to_rest().await;

    assert_eq!(world.shown(), [("T1".into(), 1)]);
    let states = [("called-off", None), ("written", None), ("pending", Some(Code::AlreadyShipped))];
    assert_eq!(world.writebacks().await, states);
}

#[tokio::test]
async fn a_push_that_is_mended_while_it_is_refused_is_tried_again() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.meanwhile(|ports| async move {
        ports.clock.advance(Duration::from_secs(1));
        let now = ports.clock.now();
        ports.channel.shop(&moon(), |shop| {
            let order = shop.orders.get_mut(&OrderId::new(ORDER)).unwrap();
            (order.phone, order.updated_at) = (Some("+49 30 1234".into()), now);
        });
        order_webhook(ports).await;
    });

    world.order_webhook().await;
    world.comes_to_rest().await;

    assert_eq!((world.made_at(&sun()).len(), world.order_tags()), (1, vec![]));
}

#[tokio::test]
async fn a_failure_that_heals_while_it_is_being_tagged_leaves_no_tag() {
    let (world, source) = World::pushed(1).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    world.ports.tasks.sent().down = true;
    // The letter cannot be sent, so the worker stops before the tag; due work sets it later.
    world.ship(&source, &["T1"]).await;
    world.ports.tasks.sent().down = false;
    let order = source.clone();
    world.meanwhile(|ports| relabel(ports, order, "T2"));

    world.comes_to_rest().await;

    assert_eq!((world.shown(), world.order_tags()), (vec![("T2".into(), 1)], vec![]));
}

#[tokio::test]
async fn a_letter_that_is_moved_back_twice_at_once_acts_once() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    let letter = world.ports.tasks.sent().parked[0].1.task.clone();
    let twin = letter.clone();
    world.meanwhile(|ports| async move { ports.tasks.send(Queue::OrderPush, &twin).await.unwrap() });

    world.tell(Queue::OrderPush, letter).await;

    assert_eq!(world.made_at(&sun()).len(), 1);
    assert_eq!(world.letters(), [("push", Code::Rejected)]);
    world.comes_to_rest().await;
}
