use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::compare::{Behind, Kept, OrderSight, ShipmentSight, behind, sight_of_shipments};
use super::run::{Asked, Occasion, ResyncState, Run, Window};
use crate::id::{FulfillmentId, OrderId, OrderRef};
use crate::order::{FinancialStatus, FulfillmentState, FulfillmentStatus};
use crate::record::{OrderRecord, Origin, Row};
use crate::task::Queue;

const DELAY: Duration = Duration::from_secs(900);

fn now() -> Timestamp {
    "2026-11-22T08:00:00Z".parse().unwrap()
}

fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * n)
}

fn wish(occasion: Occasion, days: u16) -> Asked {
    Asked { id: format!("{occasion:?}-{days}"), at: now(), by: "ada".into(), occasion, days }
}

fn window(days: u16, last_success: Option<Timestamp>, reads_all: bool) -> Window {
    Window::of(&wish(Occasion::Schedule, days), now(), last_success, DELAY, reads_all)
}

#[test]
fn a_window_is_seven_days_or_what_was_missed_and_a_day_more_but_never_more_than_sixty() {
    let back = |since: Option<i64>| {
        let window = window(7, since.map(|n| now() - days(n)), false);
        now().duration_since(window.created_from).as_hours() / 24
    };

    assert_eq!([None, Some(0), Some(3), Some(7), Some(9), Some(59), Some(100)].map(back), [7, 7, 7, 7, 10, 60, 60]);
}

#[test]
fn a_backfill_reads_as_many_days_as_were_asked_for_and_more_than_sixty_where_the_shop_shows_them() {
    let back = |days: u16, reads_all: bool| {
        now().duration_since(window(days, Some(now()), reads_all).created_from).as_hours() / 24
    };

    assert_eq!([back(30, false), back(60, false), back(90, false), back(90, true)], [30, 60, 60, 90]);
}

#[test]
fn a_window_is_counted_from_the_moment_of_the_wish_and_ends_when_the_run_begins() {
    let begins = now() + SignedDuration::from_mins(3);

    let window = Window::of(&wish(Occasion::FirstConnection, 7), begins, None, DELAY, false);

    assert_eq!((window.created_from, window.until), (now() - days(7), begins));
}

#[test]
fn older_changes_are_read_since_the_last_successful_run_began_and_what_was_too_fresh_then() {
    let last = now() - days(3);

    let window = window(7, Some(last), false);

    assert_eq!((window.updated_from, window.until), (last - SignedDuration::from_mins(15), now()));
}

#[test]
fn wishes_that_no_run_has_begun_for_yet_become_one_of_the_longest_window() {
    let mut state = ResyncState::default();

    let ids = [7, 60, 30].map(|days| state.ask(wish(Occasion::Backfill, days)));

    assert_eq!(ids, ["Backfill-7"; 3]);
    assert_eq!(state.asked.unwrap().days, 60);
}

#[test]
fn while_a_run_is_under_way_only_a_wish_that_it_may_not_fulfil_asks_for_another() {
    let run = Run::begin(wish(Occasion::Schedule, 7), now(), window(7, None, false));
    let mut state = ResyncState { run: Some(run), ..ResyncState::default() };

    assert_eq!(state.ask(wish(Occasion::Request, 7)), "Schedule-7");
    assert_eq!(state.asked, None);
    assert_eq!(state.ask(wish(Occasion::Healing, 7)), "Healing-7");
}

#[test]
fn only_so_many_runs_are_remembered_and_none_with_its_orders() {
    let mut state = ResyncState::default();

    for n in 0..30 {
        let run = Run::begin(wish(Occasion::Schedule, n), now(), window(7, None, false));
        state.run = Some(run);
        state.put_by();
    }

    assert_eq!((state.past.len(), state.past[0].id.as_str()), (20, "Schedule-29"));
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

const NOTHING: Kept = Kept { orders: false, tracking: false };
const ORDERS: Kept = Kept { orders: true, tracking: false };

fn unknown() -> OrderRecord {
    OrderRecord::empty(OrderRef { shop: "sun.myshopify.com".parse().unwrap(), id: OrderId::new(1) })
}

fn pushed(look: Option<&[ShipmentSight]>) -> OrderRecord {
    let destination = OrderRef { shop: "moon.myshopify.com".parse().unwrap(), id: OrderId::new(42) };
    let mut record = unknown();
    record.origin = Some(Row::new(Origin::Pushed { destination, group: 1 }));
    record.look_at_shipments.change().state.seen = look.map(sight_of_shipments);
    record
}

#[test]
fn a_source_order_is_behind_as_soon_as_another_shipment_or_number_is_seen() {
    let queue = |known: &OrderRecord, shipments| behind(&seen(shipments), known, NOTHING).map(|it| it.queue());

    assert_eq!(queue(&pushed(None), vec![]), None);
    assert_eq!(queue(&pushed(None), shipped(&["T1"])), Some(Queue::TrackingWriteback));
    assert_eq!(queue(&pushed(Some(&shipped(&["T1"]))), shipped(&["T1"])), None);
    assert_eq!(queue(&pushed(Some(&shipped(&["T1"]))), shipped(&["T1", "T2"])), Some(Queue::TrackingWriteback));
    assert_eq!(queue(&pushed(Some(&shipped(&[]))), shipped(&["T1"])), Some(Queue::TrackingWriteback));
}

#[test]
fn an_order_that_nobody_pushed_is_the_shops_own_and_counts_only_where_the_shop_sells() {
    let seen = seen(vec![]);

    assert_eq!(behind(&seen, &unknown(), NOTHING), None);
    assert_eq!(behind(&seen, &unknown(), ORDERS), Some(Behind::Order { updated_at: now() }));
}
