//! Resync: what no webhook told of is found, once, and nothing else is asked for.

mod model;
mod wanted;

use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::Outcome;
use roundtrip_domain::code::Code;
use roundtrip_domain::event::EventKind;
use roundtrip_domain::id::{OrderId, OrderRef, ShopDomain};
use roundtrip_domain::order::{FulfillmentStatus, Order};
use roundtrip_domain::ports::{Clock, Ledger, after};
use roundtrip_domain::resync::{
    Asked, Occasion, Phase, Progress, ResyncState, Run, Window, ask_for_run, resync, resync_all,
};
use roundtrip_domain::step::{Step, StepId, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::{FakePorts, Fault};
use roundtrip_kit::order::{moon, paid_order, sun};

use crate::world::{DAY, HOUR, MINUTE, World};

const WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a schedule, or whoever asks, sends for a shop.
fn scheduled(shop: &ShopDomain, n: u32) -> Task {
    Task::new(Trigger::Resync, format!("run-{n}"), Subject::Shop { shop: shop.clone() })
}

fn wish(world: &World, occasion: Occasion, days: u16) -> Asked {
    Asked { id: format!("{occasion:?}"), at: world.now(), by: "ada".into(), occasion, days }
}

async fn state(world: &World, shop: &ShopDomain) -> Step<ResyncState> {
    world.ports.ledger.shop_step(shop, &StepId::Resync).await.unwrap().expect("it was asked for").0
}

async fn run(world: &World) -> Run {
    state(world, &moon()).await.state.run.expect("a run")
}

/// Found, fixed.
fn sums(run: &Run) -> (u32, u32) {
    (run.found, run.fixed)
}

/// The run of the moon's orders, to its end.
async fn resynced(world: &World, n: u32) -> Run {
    world.tell(Queue::Resync, scheduled(&moon(), n)).await;
    world.run(HOUR).await;
    run(world).await
}

/// An order that the ledger does not know, placed at that moment.
fn placed(world: &World, id: u64, at: Timestamp) {
    let order = paid_order(id, at);
    world.shop(&moon(), |shop| shop.orders.insert(OrderId::new(id), order));
}

fn change(world: &World, id: u64, change: impl FnOnce(&mut Order)) {
    let now = world.now();
    world.shop(&moon(), |shop| {
        let order = shop.orders.get_mut(&OrderId::new(id)).unwrap();
        order.updated_at = now;
        change(order);
    });
}

fn ago(world: &World, age: Duration) -> Timestamp {
    world.now() - jiff::SignedDuration::try_from(age).unwrap()
}

/// A world in which each order was read once, an hour ago.
async fn settled(orders: u64) -> World {
    let world = World::new();
    world.ports.clock.advance(30 * DAY);
    world.settings(|settings| settings.auto_push = false).await;
    for n in 0..orders {
        placed(&world, 1000 + n, ago(&world, DAY));
    }
    resynced(&world, 0).await;
    world.run(3 * DAY).await;
    world
}

#[tokio::test]
async fn four_orders_of_two_hundred_that_no_webhook_told_of_are_found_and_fixed_once() {
    let world = settled(196).await;
    for id in 2000..2004 {
        placed(&world, id, ago(&world, HOUR));
    }

    let first = resynced(&world, 1).await;
    world.run(3 * DAY).await;
    let second = resynced(&world, 2).await;

    assert_eq!((first.scanned, sums(&first)), (200, (4, 4)));
    assert_eq!(sums(&second), (0, 0));
    let missed = world.events("WebhooksMissed");
    assert_eq!(missed.len(), 1);
    assert!(matches!(missed[0].kind, EventKind::WebhooksMissed { found: 4, fixed: 4, .. }), "{missed:?}");
}

#[tokio::test]
async fn an_order_of_seven_days_is_read_and_one_a_second_older_is_not() {
    let world = World::new();
    world.ports.clock.advance(30 * DAY);
    placed(&world, 1000, ago(&world, WINDOW));
    placed(&world, 1001, ago(&world, WINDOW + Duration::from_secs(1)));

    let run = resynced(&world, 1).await;

    let known = async |id| {
        let at = OrderRef { shop: moon(), id: OrderId::new(id) };
        world.ports.ledger.load(&at).await.unwrap().summary.is_some()
    };
    assert!(known(1000).await && !known(1001).await);
    assert_eq!(run.window.created_from, run.started_at - jiff::SignedDuration::from_hours(7 * 24));
}

#[tokio::test]
async fn an_old_order_that_was_fulfilled_meanwhile_is_found_by_its_change() {
    let world = settled(0).await;
    placed(&world, 1000, ago(&world, 20 * DAY));
    change(&world, 1000, |order| order.fulfillment_status = FulfillmentStatus::Fulfilled);
    world.ports.clock.advance(HOUR);

    let run = resynced(&world, 1).await;

    assert_eq!((run.scanned, sums(&run)), (1, (1, 1)));
    let at = OrderRef { shop: moon(), id: OrderId::new(1000) };
    let known = world.ports.ledger.load(&at).await.unwrap().summary.unwrap().get().clone();
    assert_eq!(known.fulfillment_status, FulfillmentStatus::Fulfilled);
}

#[tokio::test]
async fn what_changed_a_moment_ago_is_left_to_its_webhook_and_found_by_the_next_run_if_that_was_lost() {
    let world = settled(0).await;
    placed(&world, 1000, ago(&world, 20 * DAY));
    change(&world, 1000, |_| {});
    world.ports.clock.advance(14 * MINUTE);

    let first = resynced(&world, 1).await;
    world.run(3 * DAY).await;
    let second = resynced(&world, 2).await;

    assert_eq!((sums(&first), sums(&second)), ((0, 0), (1, 1)));
}

#[tokio::test]
async fn a_shipment_of_which_no_webhook_told_comes_home() {
    let (world, source) = World::pushed(1).await;
    world.ports.channel.ship(&source, Some(crate::world::tracking("T1")));
    world.ports.clock.advance(HOUR);

    world.tell(Queue::Resync, scheduled(&sun(), 1)).await;
    world.run(HOUR).await;

    assert_eq!(world.shown(), [("T1".to_owned(), 1)]);
    let run = state(&world, &sun()).await.state.run.unwrap();
    assert_eq!((sums(&run), run.open), ((1, 1), vec![]));
    world.run(3 * DAY).await;
    world.tell(Queue::Resync, scheduled(&sun(), 2)).await;
    world.comes_to_rest().await;
    assert_eq!(sums(&state(&world, &sun()).await.state.run.unwrap()), (0, 0));
}

#[tokio::test]
async fn after_nine_days_without_success_the_window_reaches_back_ten() {
    let world = settled(0).await;
    let last = state(&world, &moon()).await.state.last_success.unwrap();
    world.ports.clock.advance_to(after(last, 9 * DAY));

    let run = resynced(&world, 1).await;

    assert_eq!(run.window.created_from, run.started_at - jiff::SignedDuration::from_hours(10 * 24));
    assert_eq!(run.window.updated_from, last - jiff::SignedDuration::from_mins(15));
}

#[tokio::test]
async fn two_schedules_that_fire_at_once_do_one_run() {
    let world = settled(3).await;

    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;
    world.tell(Queue::Resync, scheduled(&moon(), 2)).await;
    world.run(HOUR).await;
    world.tell(Queue::Resync, scheduled(&moon(), 3)).await;
    world.run(HOUR).await;

    assert_eq!(run(&world).await.id, "run-1");
    assert_eq!(world.calls(&moon(), "orders"), 2 + 2, "the first run and this one");
}

#[tokio::test]
async fn many_orders_are_read_page_by_page_as_fast_as_they_can_be_looked_at() {
    let world = settled(0).await;
    for id in 0..5000 {
        placed(&world, 10_000 + id, ago(&world, 2 * DAY));
    }

    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;
    world.run(HOUR).await;
    let after_an_hour = run(&world).await;
    world.run(HOUR).await;

    // 45 points each, at half of 100 points a second: one in 0.9 s, and some minutes ahead.
    assert!((4000..4600).contains(&after_an_hour.found), "{after_an_hour:?}");
    let run = run(&world).await;
    assert_eq!((run.scanned, run.found, run.calls), (5000, 5000, 20 + 1));
    assert!(run.open.len() <= 1000);
}

#[tokio::test]
async fn half_of_the_budget_is_left_to_those_who_push() {
    let world = settled(0).await;
    for id in 0..600 {
        placed(&world, 10_000 + id, ago(&world, 2 * DAY));
    }
    world.shop(&moon(), |shop| shop.points_left = Some(400));

    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;

    let step = state(&world, &moon()).await;
    assert_eq!(step.wait.as_ref().map(|wait| wait.why), Some(WaitReason::Throttled));
    assert_eq!(step.wait.unwrap().until, after(world.now(), Duration::from_secs(6)));
    world.shop(&moon(), |shop| shop.points_left = None);
    world.run(HOUR).await;
    assert_eq!(run(&world).await.scanned, 600);
}

#[tokio::test]
async fn a_shop_that_fails_is_asked_again_where_it_stopped_and_no_page_counts_twice() {
    let world = settled(0).await;
    for id in 0..600 {
        placed(&world, 10_000 + id, ago(&world, 2 * DAY));
    }
    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;
    world.fail_questions(&moon(), &[Fault::Unreachable]);

    world.run(HOUR).await;

    let run = run(&world).await;
    assert_eq!(run.scanned, 600);
    assert!(matches!(run.phase, Phase::Done { .. }), "{run:?}");
}

#[tokio::test]
async fn a_run_that_fails_five_times_is_parked_and_the_next_schedule_begins_anew() {
    let world = settled(3).await;
    world.fail_questions(&moon(), &[Fault::Unreachable; 5]);

    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;
    world.run(HOUR).await;

    assert_eq!(world.letters(), [("resync", Code::ChannelUnavailable)]);
    world.run(3 * DAY).await;
    let next = resynced(&world, 2).await;
    assert!(matches!(next.phase, Phase::Done { .. }));
    assert_eq!(next.id, "run-2");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn the_letter_of_a_parked_run_begins_one_once() {
    let world = settled(3).await;
    world.fail_questions(&moon(), &[Fault::Unreachable; 5]);
    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;
    world.run(HOUR).await;
    let letter = world.ports.tasks.sent().parked[0].1.task.clone();

    world.tell(Queue::Resync, letter.clone()).await;
    world.run(HOUR).await;
    let redriven = run(&world).await;
    world.tell(Queue::Resync, letter).await;
    world.run(HOUR).await;

    assert!(matches!(redriven.phase, Phase::Done { .. }), "{redriven:?}");
    assert_eq!(run(&world).await, redriven);
}

#[tokio::test]
async fn a_paused_shop_is_read_when_it_is_back() {
    let world = settled(0).await;
    world.ask_to_connect(&moon()).await;
    placed(&world, 1000, ago(&world, HOUR));
    world.shop(&moon(), |shop| shop.revoked = true);

    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;
    world.run(HOUR).await;
    assert_eq!(state(&world, &moon()).await.wait.map(|wait| wait.why), Some(WaitReason::ShopPaused));

    world.shop(&moon(), |shop| shop.revoked = false);
    world.ask_to_connect(&moon()).await;
    world.run(HOUR).await;

    assert_eq!(sums(&run(&world).await), (1, 1));
    assert_eq!(state(&world, &moon()).await.attempts, 0);
}

/// Somebody asks for a run of the moon's orders, and nobody has begun it yet.
async fn asked(world: &World, occasion: Occasion, days: u16) -> String {
    let wish = wish(world, occasion, days);
    ask_for_run(&world.ports.ledger, &world.ports.tasks, &moon(), &wish).await.unwrap()
}

#[tokio::test]
async fn a_backfill_reads_as_far_back_as_was_asked_for_and_nobody_missed_what_it_finds() {
    let world = settled(0).await;
    placed(&world, 1000, ago(&world, 30 * DAY));
    placed(&world, 1001, ago(&world, 30 * DAY + Duration::from_secs(1)));

    let id = asked(&world, Occasion::Backfill, 30).await;
    world.drain().await;
    world.run(HOUR).await;

    let run = run(&world).await;
    assert_eq!((run.id.as_str(), run.scanned, sums(&run)), (id.as_str(), 1, (1, 1)));
    assert!(world.events("WebhooksMissed").is_empty());
    assert_eq!(state(&world, &moon()).await.state.past.len(), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn of_an_order_of_the_last_sixty_days_and_one_a_second_older_the_first_is_read() {
    let world = World::new();
    world.ports.clock.advance(90 * DAY);
    placed(&world, 1000, ago(&world, 60 * DAY));
    placed(&world, 1001, ago(&world, 60 * DAY + Duration::from_secs(1)));

    asked(&world, Occasion::Backfill, 60).await;
    world.drain().await;
    world.run(HOUR).await;

    assert_eq!(run(&world).await.scanned, 1);
}

#[tokio::test]
async fn a_shop_that_shows_orders_of_any_age_is_read_beyond_sixty_days() {
    let world = World::new();
    world.ports.clock.advance(90 * DAY);
    placed(&world, 1000, ago(&world, 80 * DAY));
    world.give_all_orders(&moon()).await;

    asked(&world, Occasion::Backfill, 89).await;
    world.drain().await;
    world.run(HOUR).await;

    assert_eq!(run(&world).await.scanned, 1);
}

#[tokio::test]
async fn the_seven_days_before_a_connection_are_counted_from_its_moment() {
    let world = World::new();
    world.ports.clock.advance(30 * DAY);
    for (id, age) in [(1000, WINDOW), (1001, WINDOW + Duration::from_secs(1)), (1002, WINDOW - Duration::from_secs(1))]
    {
        placed(&world, id, ago(&world, age));
    }

    asked(&world, Occasion::FirstConnection, 7).await;
    // The worker comes to it later.
    world.ports.clock.advance(MINUTE);
    world.drain().await;
    world.run(HOUR).await;

    let mut known = Vec::new();
    for id in [1000, 1001, 1002] {
        let at = OrderRef { shop: moon(), id: OrderId::new(id) };
        known.push(world.ports.ledger.load(&at).await.unwrap().summary.is_some());
    }
    assert_eq!(known, [true, false, true]);
}

#[tokio::test]
async fn nobody_is_mailed_about_what_a_backfill_finds_even_if_the_first_attempt_fails() {
    let faults = [Fault::Throttled, Fault::Unreachable];
    for fails in 0..5 {
        let (world, source) = World::pushed(1).await;
        world.ports.channel.ship(&source, Some(crate::world::tracking("T1")));
        world.ports.clock.advance(HOUR);
        match fails {
            1 => world.fail_next(&moon(), &faults),
            2 => world.fail_questions(&moon(), &faults),
            // Not the page of orders, but the look at what was shipped.
            3 => world.shop(&sun(), |shop| shop.fails_at = Some(("shipped", Fault::Unreachable))),
            4 => world.shop(&sun(), |shop| shop.fails_at = Some(("shipped", Fault::Throttled))),
            _ => {}
        }

        let wish = wish(&world, Occasion::Backfill, 30);
        ask_for_run(&world.ports.ledger, &world.ports.tasks, &sun(), &wish).await.unwrap();
        world.drain().await;
        world.comes_to_rest().await;

        assert_eq!((world.shown(), world.mails()), (vec![("T1".to_owned(), 1)], vec![]), "{fails}");
    }
}

#[tokio::test]
async fn after_a_backfill_customers_are_mailed_again_about_what_is_shipped() {
    let (world, source) = World::pushed(2).await;
    world.ports.clock.advance(HOUR);
    let wish = wish(&world, Occasion::Backfill, 30);
    ask_for_run(&world.ports.ledger, &world.ports.tasks, &sun(), &wish).await.unwrap();
    world.drain().await;
    world.run(HOUR).await;

    world.ship(&source, &["T1"]).await;

    assert_eq!(world.mails(), ["T1"]);
}

#[tokio::test]
async fn each_shop_is_told_of_the_schedule_and_read_once() {
    let world = settled(3).await;

    for _ in 0..2 {
        assert_eq!(resync_all(&world.ports, "2026-12-24T08:00:00Z").await.unwrap(), 2);
    }
    world.drain().await;
    world.run(HOUR).await;

    for shop in [moon(), sun()] {
        let run = state(&world, &shop).await.state.run.unwrap();
        assert_eq!((run.id.as_str(), run.occasion), ("2026-12-24T08:00:00Z", Occasion::Schedule));
        assert!(matches!(run.phase, Phase::Done { .. }), "{run:?}");
    }
}

#[tokio::test]
async fn what_is_asked_for_while_a_run_is_under_way_begins_when_that_has_ended() {
    let world = settled(0).await;
    for id in 0..600 {
        placed(&world, 10_000 + id, ago(&world, 2 * DAY));
    }
    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;
    assert!(!matches!(run(&world).await.phase, Phase::Done { .. }));

    let request = asked(&world, Occasion::Request, 7).await;
    let healing = asked(&world, Occasion::Healing, 7).await;
    world.drain().await;
    world.run(2 * HOUR).await;

    assert_eq!(request, "run-1", "what is under way will do");
    let step = state(&world, &moon()).await;
    assert_eq!((step.state.run.unwrap().id, step.state.asked), (healing, vec![]));
    assert_eq!(step.state.past[0].id, "run-1");
    world.comes_to_rest().await;
}

/// Somebody asks for what was missed, and for orders of the time before; and settings change.
async fn ask_for_all(ports: FakePorts) {
    let now = ports.clock.now();
    for occasion in [Occasion::Healing, Occasion::Backfill, Occasion::Settings] {
        let wish = Asked { id: format!("{occasion:?}"), at: now, by: "ada".into(), occasion, days: 7 };
        ask_for_run(&ports.ledger, &ports.tasks, &moon(), &wish).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_asked_for_at_any_moment_of_a_run_disturbs_no_worker_and_is_done_next() {
    // Before the run is claimed, so that another worker does all; behind its first page, behind its last, and when it is
    // about to end.
    let after_it = ["run-1", "Healing", "Backfill", "Settings"];
    for (write, done, ids) in [
        (0, "no run is under way", &after_it[1..]),
        (1, "the shop was read", &after_it),
        (2, "the shop was read", &after_it),
        (3, "the shop was read", &after_it),
    ] {
        let world = settled(3).await;
        world.before_shop_step(write, ask_for_all);

        let outcome = world.handle(Queue::Resync, &scheduled(&moon(), 1)).await.unwrap();
        assert_eq!(outcome, Outcome::Done(done), "write {write}");
        world.run(2 * HOUR).await;

        let step = state(&world, &moon()).await;
        let runs = step.state.past.iter().chain(&step.state.run).map(|run| (run.asked_at, run.id.clone()));
        let since: Vec<String> =
            runs.filter(|(asked_at, _)| *asked_at > ago(&world, 3 * HOUR)).map(|it| it.1).collect();
        let (last, before) = ids.split_last().unwrap();
        let expected = before.iter().rev().chain([last]);
        assert_eq!(since, expected.map(ToString::to_string).collect::<Vec<_>>(), "write {write}");
        assert_eq!(step.wait, None, "write {write}");
        world.comes_to_rest().await;
    }
}

#[tokio::test]
async fn a_worker_whose_run_another_has_ended_is_done() {
    let world = settled(3).await;
    // So slow an answer that the quarantine ended, and due work had somebody else go on.
    world.before_shop_step(1, |ports: FakePorts| async move {
        ports.clock.advance(ports.waits.quarantine);
        resync(&ports, &Task::new(Trigger::DueWork, "due", Subject::Shop { shop: moon() })).await.unwrap();
    });

    let outcome = world.handle(Queue::Resync, &scheduled(&moon(), 1)).await.unwrap();

    assert_eq!(outcome, Outcome::Done("no run is under way"));
    let run = run(&world).await;
    assert!(matches!(run.phase, Phase::Done { .. }) && run.id == "run-1", "{run:?}");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_wish_does_not_wait_for_a_person_to_see_to_a_run_that_failed() {
    let world = settled(3).await;
    world.fail_questions(&moon(), &[Fault::Unreachable; 5]);
    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;

    let id = asked(&world, Occasion::Backfill, 30).await;
    world.run(HOUR).await;

    assert_eq!(world.letters(), [("resync", Code::ChannelUnavailable)]);
    let ended = run(&world).await;
    assert_eq!(ended.id, id);
    assert!(matches!(ended.phase, Phase::Done { .. }), "{ended:?}");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_person_who_asks_for_what_was_missed_is_not_put_off_with_a_run_that_looks_for_something_else() {
    let world = settled(0).await;
    for id in 0..600 {
        placed(&world, 10_000 + id, ago(&world, 2 * DAY));
    }
    asked(&world, Occasion::Backfill, 7).await;
    world.drain().await;
    assert!(matches!(run(&world).await.phase, Phase::Reading { .. }));

    let id = asked(&world, Occasion::Request, 7).await;
    world.run(3 * HOUR).await;

    assert_eq!(run(&world).await.id, id);
}

#[tokio::test]
async fn a_long_run_is_not_parked_for_failures_that_it_got_over() {
    let world = settled(0).await;
    for id in 0..2500 {
        placed(&world, 10_000 + id, ago(&world, 2 * DAY));
    }
    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;

    for _ in 0..8 {
        world.shop(&moon(), |shop| shop.fails_at = Some(("orders", Fault::Unreachable)));
        world.run(10 * MINUTE).await;
    }
    world.run(HOUR).await;

    assert_eq!((world.letters(), run(&world).await.scanned), (vec![], 2500));
}

#[tokio::test]
async fn a_shop_that_does_not_answer_for_a_quarter_of_an_hour_is_told_of_once() {
    let world = settled(0).await;
    asked(&world, Occasion::Backfill, 30).await;
    world.fail_questions(&moon(), &[Fault::Throttled; 20]);

    world.run(14 * MINUTE).await;
    assert!(world.events("BackfillStalled").is_empty());
    assert_eq!(run(&world).await.progress(), Progress::Requested);
    world.run(HOUR).await;

    assert_eq!(world.events("BackfillStalled").len(), 1);
    assert_eq!(run(&world).await.progress(), Progress::Done);
}

#[tokio::test]
async fn a_worker_that_dies_is_made_up_for() {
    let world = settled(3).await;
    let task = scheduled(&moon(), 1);
    // It claimed, and that was all.
    let (mut step, version): (Step<ResyncState>, u64) =
        world.ports.ledger.shop_step(&moon(), &StepId::Resync).await.unwrap().unwrap();
    let asked = wish(&world, Occasion::Schedule, 7);
    let window = Window::of(&asked, world.now(), step.state.last_success, world.ports.waits.webhook_delay, false);
    step.state.run = Some(Run::begin(asked, world.now(), window));
    step.wait(world.now(), after(world.now(), world.ports.waits.quarantine), WaitReason::InFlight);
    world.ports.ledger.save_shop_step(&moon(), &StepId::Resync, &step, version).await.unwrap();

    let beside = world.handle(Queue::Resync, &task).await.unwrap();
    world.run(HOUR).await;

    assert!(matches!(beside, Outcome::Wait { why: WaitReason::InFlight, .. }), "{beside}");
    assert!(matches!(run(&world).await.phase, Phase::Done { .. }));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn more_orders_than_one_list_holds_are_read_by_several_lists() {
    let world = settled(0).await;
    let first = ago(&world, 6 * DAY);
    for id in 0..30_000 {
        placed(&world, 100_000 + id, after(first, Duration::from_secs(id)));
    }

    world.tell(Queue::Resync, scheduled(&moon(), 1)).await;
    let held = serde_json::to_string(&state(&world, &moon()).await).unwrap().len();
    world.run(12 * HOUR).await;

    let run = run(&world).await;
    // The order at which the second list begins is read twice.
    assert_eq!((run.scanned, run.found, run.calls), (30_001, 30_000, 121 + 1));
    assert!(held < 200_000, "{held} bytes in one row");
}
