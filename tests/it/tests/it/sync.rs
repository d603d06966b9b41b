//! Sync now: one order is looked at because a person asks, once however often they click.

use std::time::Duration;

use roundtrip_domain::code::Code;
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::ports::{Ledger, Registry};
use roundtrip_domain::record::{Row, SyncRequest, SyncState};
use roundtrip_domain::step::Look;
use roundtrip_domain::sync::ask_for_sync;
use roundtrip_domain::task::Queue;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use crate::world::{DAY, HOUR, MINUTE, World, at, tracking};

const SECOND: Duration = Duration::from_secs(1);

/// A person clicks; nobody has looked yet. Returns the job's id.
pub(crate) async fn click(world: &World, order: &OrderRef, id: &str) -> String {
    let shop = world.ports.ledger.shop(&order.shop).await.unwrap().unwrap();
    let ports = &world.ports;
    let asked = ask_for_sync(&ports.ledger, &ports.tasks, (&shop, order), (id, "ada"), world.now()).await;
    asked.unwrap().id
}

async fn request(world: &World, order: &OrderRef) -> SyncRequest {
    world.ports.ledger.load(order).await.unwrap().sync.as_ref().map(Row::get).cloned().expect("it was asked for")
}

/// The words in which a job that is done was answered.
pub(crate) async fn outcome(world: &World, order: &OrderRef) -> String {
    match request(world, order).await.state {
        SyncState::Done { outcome, .. } => outcome,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_order_of_which_no_webhook_told_is_known_pushed_and_its_job_done() {
    let world = World::new();

    click(&world, &at(), "job-1").await;
    world.drain().await;

    assert_eq!(outcome(&world, &at()).await, "done: up to date");
    assert_eq!(world.made_at(&sun()).len(), 1);
    assert!(world.moves("sync").contains(&"sync requested".to_owned()));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn five_clicks_in_ten_seconds_are_one_look() {
    let world = World::new();
    let mut ids = Vec::new();

    for n in 0..5 {
        ids.push(click(&world, &at(), &format!("job-{n}")).await);
        if n == 2 {
            world.drain().await;
        }
        world.ports.clock.advance(2 * SECOND);
    }
    world.drain().await;

    assert_eq!(ids, ["job-0"; 5]);
    assert_eq!(world.calls(&moon(), "order"), 1);
    world.ports.clock.advance(SECOND);
    assert_eq!(click(&world, &at(), "job-9").await, "job-9", "ten seconds later it is another");
}

#[tokio::test]
async fn a_click_while_the_first_is_not_answered_joins_it_for_two_minutes() {
    let world = World::new();
    click(&world, &at(), "job-1").await;
    world.ports.tasks.take();

    world.ports.clock.advance(2 * MINUTE - SECOND);
    assert_eq!(click(&world, &at(), "job-2").await, "job-1");
    world.ports.clock.advance(2 * SECOND);
    assert_eq!(click(&world, &at(), "job-3").await, "job-3");
}

#[tokio::test]
async fn what_was_shipped_of_an_order_is_looked_at_as_well() {
    let (world, source) = World::pushed(1).await;
    world.ports.channel.ship(&source, Some(tracking("T1")));

    click(&world, &at(), "job-1").await;
    world.drain().await;

    assert_eq!(world.shown(), [("T1".to_owned(), 1)]);
    assert_eq!(request(&world, &at()).await.also, std::slice::from_ref(&source));
    assert_eq!(request(&world, &source).await.look, Look::Shipments);
    assert_eq!(outcome(&world, &source).await, "done: the destination shows what was shipped");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_source_order_can_be_asked_for_by_itself() {
    let (world, source) = World::pushed(1).await;
    world.ports.channel.ship(&source, Some(tracking("T1")));

    click(&world, &source, "job-1").await;
    world.drain().await;

    assert_eq!(world.shown(), [("T1".to_owned(), 1)]);
    assert_eq!(outcome(&world, &source).await, "done: the destination shows what was shipped");
    assert_eq!(world.calls(&moon(), "order"), 1, "only when it was pushed");
}

#[tokio::test]
async fn a_job_whose_message_is_lost_is_done_within_two_minutes() {
    let world = World::new();
    click(&world, &at(), "job-1").await;
    world.ports.tasks.take();

    world.run(2 * MINUTE).await;

    assert_eq!(outcome(&world, &at()).await, "done: up to date");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_job_waits_for_a_shop_that_is_throttled_and_is_answered_then() {
    let world = World::new();
    world.fail_questions(&moon(), &[Fault::Throttled]);

    click(&world, &at(), "job-1").await;
    world.drain().await;

    assert!(matches!(request(&world, &at()).await.state, SyncState::Open { due } if due > world.now()));
    world.run(MINUTE).await;
    assert_eq!(outcome(&world, &at()).await, "done: up to date");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_job_of_an_order_that_cannot_be_read_fails_with_its_code_and_can_be_asked_for_again() {
    let world = World::new();
    world.fail_questions(&moon(), &[Fault::Unreachable; 5]);

    click(&world, &at(), "job-1").await;
    world.drain().await;
    world.run(HOUR).await;

    let failed = request(&world, &at()).await.state;
    assert!(matches!(failed, SyncState::Failed { code: Code::ChannelUnavailable, .. }), "{failed:?}");
    click(&world, &at(), "job-2").await;
    world.drain().await;
    assert_eq!(outcome(&world, &at()).await, "done: up to date");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_job_says_that_what_it_looked_at_waits_for_a_person() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);

    click(&world, &at(), "job-1").await;
    world.drain().await;

    assert_eq!(outcome(&world, &at()).await, "park: REJECTED");
}

#[tokio::test]
async fn a_webhook_that_comes_first_answers_the_job() {
    let world = World::new();
    world.order_webhook().await;
    click(&world, &at(), "job-1").await;
    world.ports.tasks.take();
    let mut known = world.webhook(&at());
    known.seen_updated_at = Some(world.now() - DAY);

    world.tell(Queue::OrderPush, known).await;

    assert_eq!(outcome(&world, &at()).await, "done: up to date");
}
