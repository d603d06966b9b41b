use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::compare::{Known, OrderSight, ShipmentSight, stale};
use super::run::Window;
use crate::id::{FulfillmentId, OrderId, OrderRef};
use crate::order::{FinancialStatus, FulfillmentState, FulfillmentStatus};
use crate::record::{LookState, Origin};
use crate::resync::sight_of_shipments;
use crate::task::Queue;

const DELAY: Duration = Duration::from_secs(900);

fn now() -> Timestamp {
    "2026-11-22T08:00:00Z".parse().unwrap()
}

fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * n)
}

#[test]
fn a_window_is_seven_days_or_what_was_missed_and_a_day_more_but_never_more_than_sixty() {
    let back = |since: Option<i64>| {
        let window = Window::of(now(), since.map(|n| now() - days(n)), DELAY);
        now().duration_since(window.created_from).as_hours() / 24
    };

    assert_eq!([None, Some(0), Some(3), Some(7), Some(9), Some(59), Some(100)].map(back), [7, 7, 7, 7, 10, 60, 60]);
}

#[test]
fn older_changes_are_read_since_the_last_successful_run_began_and_what_was_too_fresh_then() {
    let last = now() - days(3);

    let window = Window::of(now(), Some(last), DELAY);

    assert_eq!((window.updated_from, window.until), (last - SignedDuration::from_mins(15), now()));
}

fn shipped(numbers: &[&str]) -> Vec<ShipmentSight> {
    let numbers = numbers.iter().map(|number| (*number).to_owned()).collect();
    vec![ShipmentSight { id: FulfillmentId::new(1), state: FulfillmentState::Success, numbers }]
}

fn seen(shipments: Vec<ShipmentSight>) -> OrderSight {
    OrderSight {
        at: OrderRef { shop: "sun.myshopify.com".parse().unwrap(), id: OrderId::new(1) },
        created_at: now(),
        updated_at: now(),
        cancelled_at: None,
        financial_status: FinancialStatus::Paid,
        fulfillment_status: FulfillmentStatus::Unfulfilled,
        shipments,
    }
}

fn pushed(look: Option<&[ShipmentSight]>) -> Known {
    let destination = OrderRef { shop: "moon.myshopify.com".parse().unwrap(), id: OrderId::new(42) };
    Known {
        summary: None,
        origin: Some(Origin::Pushed { destination, group: 1 }),
        look_at_shipments: look.map(|shipments| LookState { seen: Some(sight_of_shipments(shipments)) }),
    }
}

#[test]
fn a_source_order_is_behind_as_soon_as_another_shipment_or_number_is_seen() {
    let queue = |known: &Known, shipments| stale(&seen(shipments), known, false).map(|stale| stale.queue);

    assert_eq!(queue(&pushed(None), vec![]), None);
    assert_eq!(queue(&pushed(None), shipped(&["T1"])), Some(Queue::TrackingWriteback));
    assert_eq!(queue(&pushed(Some(&shipped(&["T1"]))), shipped(&["T1"])), None);
    assert_eq!(queue(&pushed(Some(&shipped(&["T1"]))), shipped(&["T1", "T2"])), Some(Queue::TrackingWriteback));
    assert_eq!(queue(&pushed(Some(&shipped(&[]))), shipped(&["T1"])), Some(Queue::TrackingWriteback));
}

#[test]
fn an_order_that_nobody_pushed_is_the_shops_own_and_counts_only_where_the_shop_sells() {
    let nothing = Known::default();

    assert_eq!(stale(&seen(vec![]), &nothing, false), None);
    assert_eq!(stale(&seen(vec![]), &nothing, true).map(|stale| stale.queue), Some(Queue::OrderPush));
}
