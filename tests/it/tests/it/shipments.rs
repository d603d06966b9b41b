//! Tracking sync: what was shipped of an order is kept as shipments, whoever shipped it, also in a shop that syncs nothing
//! else.

use roundtrip_domain::id::{FulfillmentId, LineItemId};
use roundtrip_domain::order::{FulfillmentState, FulfillmentStatus};
use roundtrip_domain::ports::{Ledger, Registry};
use roundtrip_domain::registry::{Shop, ShopSettings};
use roundtrip_domain::resync::{ResyncState, Run};
use roundtrip_domain::shipments::{Sent, Shipments};
use roundtrip_domain::step::StepId;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::{self, Fault, MANUAL};
use roundtrip_kit::order::{connected, line, moon, paid_order};

use crate::world::{DAY, HOUR, World, at, line_of, tracking};

/// A moon that is connected with no other shop and syncs its tracking, and its order of so many lines.
fn alone(lines: u64) -> World {
    let ports = fake::ports();
    let now = roundtrip_domain::ports::Clock::now(&ports.clock);
    let settings = ShopSettings { tracking_sync: true, ..ShopSettings::default() };
    ports.ledger.put_shop(Shop { settings, ..connected(moon(), now) });
    let mut order = paid_order(at().id.number(), now);
    order.lines = (1..=lines).map(line).collect();
    ports.channel.shop(&moon(), |shop| shop.orders.insert(at().id, order));
    World::over(&ports)
}

async fn shipments(world: &World) -> Shipments {
    world.record().await.shipments.map(|row| row.get().clone()).unwrap_or_default()
}

fn sent(id: FulfillmentId, numbers: &[&str], lines: &[(u64, u32)]) -> Sent {
    Sent {
        fulfillment: id,
        service: Some(MANUAL.to_owned()),
        tracking: numbers.iter().map(|number| tracking(number)).collect(),
        lines: lines.iter().map(|(line, n)| (line_of(*line), *n)).collect::<Vec<(LineItemId, u32)>>(),
    }
}

#[tokio::test]
async fn a_fulfilled_order_with_a_number_is_one_shipment_with_its_lines() {
    let world = alone(1);
    let id = world.ship_here(1, 1, &["9400111899223100001234"], FulfillmentStatus::Fulfilled);

    world.order_webhook().await;

    let kept = shipments(&world).await;
    assert_eq!(kept.sent, [sent(id, &["9400111899223100001234"], &[(1, 1)])]);
    assert_eq!(kept.sent[0].tracking[0].company.as_deref(), Some("USPS"));
    assert_eq!(world.tab().await, roundtrip_domain::record::Tab::NotPushed);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_a_person_and_what_a_fulfillment_service_sent_are_both_kept_with_who_sent_them() {
    let world = alone(2);
    let by_hand = world.ship_here(1, 1, &["A"], FulfillmentStatus::PartiallyFulfilled);
    let by_app = world.ship_here(2, 1, &["B"], FulfillmentStatus::Fulfilled);
    world.shop(&moon(), |shop| {
        let shown = shop.shown.values_mut().flatten().find(|shown| shown.id == by_app);
        shown.expect("it was shipped").service = Some("acme-3pl".to_owned());
    });

    world.order_webhook().await;

    let service = Some("acme-3pl".to_owned());
    let expected = [sent(by_hand, &["A"], &[(1, 1)]), Sent { service, ..sent(by_app, &["B"], &[(2, 1)]) }];
    assert_eq!(shipments(&world).await.sent, expected);
}

#[tokio::test]
async fn what_is_shipped_later_is_another_shipment_and_the_first_stays_as_it_is() {
    let world = alone(3);
    let a = world.ship_lines_here(&[(1, 1), (2, 1)], &["A"], FulfillmentStatus::PartiallyFulfilled);
    world.order_webhook().await;
    assert_eq!(world.summary().await.fulfillment_status, FulfillmentStatus::PartiallyFulfilled);
    let first = serde_json::to_string(&shipments(&world).await.sent[0]).unwrap();

    let b = world.ship_here(3, 1, &["B"], FulfillmentStatus::Fulfilled);
    world.order_webhook().await;

    let kept = shipments(&world).await;
    assert_eq!(kept.sent, [sent(a, &["A"], &[(1, 1), (2, 1)]), sent(b, &["B"], &[(3, 1)])]);
    assert_eq!(serde_json::to_string(&kept.sent[0]).unwrap(), first);
    assert_eq!(world.summary().await.fulfillment_status, FulfillmentStatus::Fulfilled);
}

#[tokio::test]
async fn orders_of_any_other_status_have_no_shipment() {
    for status in [
        "UNFULFILLED",
        "IN_PROGRESS",
        "ON_HOLD",
        "SCHEDULED",
        "OPEN",
        "PENDING_FULFILLMENT",
        "REQUEST_DECLINED",
        "RESTOCKED",
        "FULFILLMENT_NOT_REQUIRED",
    ] {
        let world = alone(1);
        world.ship_here(1, 1, &["T1"], FulfillmentStatus::from(status.to_owned()));

        world.order_webhook().await;

        assert_eq!(shipments(&world).await, Shipments::default(), "{status}");
        assert_eq!(world.summary().await.fulfillment_status.as_str(), status);
    }
}

#[tokio::test]
async fn a_fulfillment_without_a_number_waits_for_it_and_is_a_shipment_when_it_comes() {
    let world = alone(1);
    let id = world.ship_here(1, 1, &[], FulfillmentStatus::Fulfilled);
    world.order_webhook().await;
    assert_eq!(shipments(&world).await, Shipments { sent: vec![], untracked: vec![id] });
    assert_eq!(world.calls(&moon(), "shown"), 0, "nothing is to be asked yet");

    world.renumber_here(id, &FulfillmentState::Success, &["T1"]);
    // Of the order or of its fulfillment: either tells.
    world.tell(Queue::TrackingWriteback, world.webhook(&at())).await;

    assert_eq!(shipments(&world).await, Shipments { sent: vec![sent(id, &["T1"], &[(1, 1)])], untracked: vec![] });
    world.comes_to_rest().await;
}

#[tokio::test]
async fn three_numbers_of_one_fulfillment_are_kept_in_their_order() {
    let world = alone(1);
    let id = world.ship_here(1, 1, &["C", "A", "B"], FulfillmentStatus::Fulfilled);

    world.order_webhook().await;

    assert_eq!(shipments(&world).await.sent, [sent(id, &["C", "A", "B"], &[(1, 1)])]);
}

#[tokio::test]
async fn a_shipment_that_gets_another_number_or_is_called_off_is_kept_as_it_is_now() {
    let world = alone(2);
    let a = world.ship_here(1, 1, &["A"], FulfillmentStatus::PartiallyFulfilled);
    let b = world.ship_here(2, 1, &["B"], FulfillmentStatus::Fulfilled);
    world.order_webhook().await;

    world.renumber_here(a, &FulfillmentState::Success, &["A2"]);
    world.renumber_here(b, &FulfillmentState::Cancelled, &["B"]);
    world.order_webhook().await;

    assert_eq!(shipments(&world).await.sent, [sent(a, &["A2"], &[(1, 1)])]);
    assert_eq!(world.moves("shipments"), ["2", "1"]);
}

#[tokio::test]
async fn a_shipment_that_is_known_costs_no_call() {
    let world = alone(1);
    world.ship_here(1, 1, &["A"], FulfillmentStatus::Fulfilled);
    world.order_webhook().await;
    world.change_order(|order| order.note = Some("Ring twice".into()));

    world.order_webhook().await;

    assert_eq!((world.calls(&moon(), "order"), world.calls(&moon(), "shown")), (2, 1));
}

#[tokio::test]
async fn a_shop_that_does_not_say_which_lines_were_sent_is_asked_again() {
    let world = alone(1);
    let id = world.ship_here(1, 1, &["A"], FulfillmentStatus::Fulfilled);
    world.shop(&moon(), |shop| shop.fails_at = Some(("shown", Fault::Unreachable)));

    world.order_webhook().await;
    assert_eq!(shipments(&world).await, Shipments::default());
    world.run(HOUR).await;

    assert_eq!(shipments(&world).await.sent, [sent(id, &["A"], &[(1, 1)])]);
    world.comes_to_rest().await;
}

/// Switches it on or off.
async fn tracking_sync(world: &World, on: bool) {
    let mut shop = world.ports.ledger.shop(&moon()).await.unwrap().unwrap().shop;
    shop.settings.tracking_sync = on;
    world.ports.ledger.put_shop(shop);
}

async fn resynced(world: &World, n: u32) -> Run {
    let run = Task::new(Trigger::Resync, format!("run-{n}"), Subject::Shop { shop: moon() });
    world.tell(Queue::Resync, run).await;
    world.run(2 * DAY).await;
    let (step, _) = world.ports.ledger.shop_step::<ResyncState>(&moon(), &StepId::Resync).await.unwrap().unwrap();
    step.state.run.unwrap()
}

#[tokio::test]
async fn between_connected_shops_shipments_are_kept_only_where_that_is_switched_on() {
    let (world, _) = World::pushed(1).await;
    let id = world.ship_here(1, 1, &["A"], FulfillmentStatus::Fulfilled);
    world.order_webhook().await;
    assert_eq!(shipments(&world).await, Shipments::default());

    tracking_sync(&world, true).await;
    world.ports.clock.advance(HOUR);
    let first = resynced(&world, 1).await;
    let second = resynced(&world, 2).await;

    assert_eq!(shipments(&world).await.sent, [sent(id, &["A"], &[(1, 1)])]);
    assert_eq!([(first.found, first.fixed), (second.found, second.fixed)], [(1, 1), (0, 0)]);
    world.renumber_here(id, &FulfillmentState::Cancelled, &["A"]);
    world.ports.clock.advance(HOUR);
    assert_eq!((resynced(&world, 3).await.found, shipments(&world).await.sent.len()), (1, 0));
}

#[tokio::test]
async fn of_a_shop_that_syncs_nothing_nothing_is_read_or_kept() {
    let world = alone(1);
    tracking_sync(&world, false).await;
    world.ship_here(1, 1, &["A"], FulfillmentStatus::Fulfilled);

    world.order_webhook().await;

    assert!(world.record().await.summary.is_none());
    assert_eq!(world.all_calls(&moon()), 0);
}

#[tokio::test]
async fn a_shipment_of_which_no_webhook_told_is_found_by_the_resync() {
    let world = alone(1);
    world.ports.clock.advance(30 * DAY);
    world.order_webhook().await;
    let id = world.ship_here(1, 1, &["A"], FulfillmentStatus::Fulfilled);
    world.ports.clock.advance(HOUR);

    let run = resynced(&world, 1).await;

    assert_eq!(shipments(&world).await.sent, [sent(id, &["A"], &[(1, 1)])]);
    assert_eq!((run.found, run.fixed), (1, 1));
}

#[tokio::test]
async fn a_shop_that_syncs_only_its_tracking_is_read_when_it_is_connected() {
    let world = alone(1);
    let id = world.ship_here(1, 1, &["A"], FulfillmentStatus::Fulfilled);
    world.ports.clock.advance(HOUR);

    world.ask_to_connect(&moon()).await;
    world.run(HOUR).await;

    assert_eq!(shipments(&world).await.sent, [sent(id, &["A"], &[(1, 1)])]);
    world.comes_to_rest().await;
}
