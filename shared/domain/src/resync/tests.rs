use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::compare::{Behind, Kept, OrderSight, ShipmentSight, behind, sight_of_shipments};
use super::run::{Asked, Occasion, ResyncState, Run, Window};
use crate::id::{FulfillmentId, OrderId, OrderRef};
use crate::money::Money;
use crate::order::{FinancialStatus, FulfillmentState, FulfillmentStatus};
use crate::record::{OrderRecord, Origin, Row, Summary, Tab};
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
    assert_eq!(state.asked.iter().map(|asked| asked.days).collect::<Vec<_>>(), [60]);
}

#[test]
fn a_wish_for_what_was_missed_and_one_for_what_was_there_before_are_two_runs() {
    let mut state = ResyncState::default();

    let healing = state.ask(wish(Occasion::Healing, 7));
    let backfill = state.ask(wish(Occasion::Backfill, 30));
    let request = state.ask(wish(Occasion::Request, 7));

    assert_eq!((healing.as_str(), backfill.as_str()), ("Healing-7", "Backfill-30"));
    assert_eq!(request, healing);
    assert_eq!(state.next_asked().map(|asked| asked.occasion), Some(Occasion::Healing));
}

#[test]
fn while_a_run_is_under_way_only_a_wish_that_it_may_not_fulfil_asks_for_another() {
    let run = Run::begin(wish(Occasion::Schedule, 7), now(), window(7, None, false));
    let mut state = ResyncState { run: Some(run), ..ResyncState::default() };

    assert_eq!(state.ask(wish(Occasion::Request, 7)), "Schedule-7");
    assert!(state.asked.is_empty());
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
    record.origin = Some(Row::new(Origin::Pushed { destination, group: 1, received: None }));
    record.look_at_shipments.change().state.seen = look.map(|shipments| sight_of_shipments(shipments, now()));
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

#[test]
fn of_a_source_order_with_more_shipments_than_a_page_shows_any_change_counts() {
    let shipments = |n: u64| -> Vec<ShipmentSight> {
        let shipment = |n| ShipmentSight { id: FulfillmentId::new(n), ..shipped(&["T1"]).remove(0) };
        (1..=n).map(shipment).collect()
    };
    let later = |n: u64| OrderSight { updated_at: now() + SignedDuration::from_secs(1), ..seen(shipments(n)) };

    assert_eq!(behind(&later(9), &pushed(Some(&shipments(9))), NOTHING), None);
    assert!(behind(&later(10), &pushed(Some(&shipments(10))), NOTHING).is_some());
    assert_eq!(behind(&seen(shipments(10)), &pushed(Some(&shipments(10))), NOTHING), None);
}

#[test]
fn an_order_of_the_same_second_counts_by_what_else_it_says() {
    let known = |change: fn(&mut Summary)| {
        let mut summary = Summary {
            name: "#1".into(),
            created_at: now(),
            updated_at: now(),
            cancelled_at: None,
            test: false,
            financial_status: FinancialStatus::Paid,
            fulfillment_status: FulfillmentStatus::Unfulfilled,
            total: "0".parse().map(|amount| Money { amount, currency: "EUR".parse().unwrap() }).unwrap(),
            shipping_method: None,
            tags: vec![],
            lines: vec![],
            tracking_numbers: vec!["T1".into()],
            tab: Tab::NotPushed,
            listed: true,
            shipped: false,
            badges: vec![],
            own_tags: BTreeSet::new(),
            system_tags: BTreeSet::new(),
            warnings: vec![],
            refusals: vec![],
        };
        change(&mut summary);
        let mut record = unknown();
        record.summary = Some(Row::new(summary));
        behind(&seen(shipped(&["T1"])), &record, ORDERS).is_some()
    };

    assert!(!known(|_| {}));
    assert!(!known(|summary| summary.updated_at = now() + SignedDuration::from_secs(1)));
    assert!(known(|summary| summary.updated_at = now() - SignedDuration::from_secs(1)));
    assert!(known(|summary| summary.cancelled_at = Some(now())));
    assert!(known(|summary| summary.financial_status = FinancialStatus::Pending));
    assert!(known(|summary| summary.fulfillment_status = FulfillmentStatus::Fulfilled));
    assert!(known(|summary| summary.tracking_numbers.clear()));
}
