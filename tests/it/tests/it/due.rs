//! Due work: nothing that waits is forgotten, and no shop is flooded.

use std::time::Duration;

use roundtrip_domain::due::{Release, release_due};
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::ports::{Clock, Ledger};
use roundtrip_domain::push::PushState;
use roundtrip_domain::record::{OrderRecord, Row};
use roundtrip_domain::step::{Step, WaitReason};
use roundtrip_domain::task::Trigger;
use roundtrip_kit::fake::{self, FakePorts};
use roundtrip_kit::order::{moon, shop, sun};

async fn waiting(ports: &FakePorts, id: u64) {
    let mut record = OrderRecord::empty(OrderRef { shop: moon(), id: OrderId::new(id) });
    for source in [sun(), shop("mars")] {
        let mut step = Step::new(PushState::not_pushed());
        step.wait(ports.clock.now(), ports.clock.now(), WaitReason::Backoff);
        record.pushes.insert((source, 1), Row::new(step));
    }
    ports.ledger.save(&mut [&mut record]).await.unwrap();
}

#[tokio::test]
async fn two_steps_of_one_order_are_one_task() {
    let ports = fake::ports();
    waiting(&ports, 1).await;

    let released = release_due(&ports, Release::default(), "run-1").await.unwrap();

    assert_eq!((released.due, released.sent), (2, 1));
    assert_eq!(ports.tasks.sent().work[0].1.trigger, Trigger::DueWork);
}

#[tokio::test]
async fn what_was_released_comes_again_only_if_nobody_did_it() {
    let ports = fake::ports();
    waiting(&ports, 1).await;
    release_due(&ports, Release::default(), "run-1").await.unwrap();

    let soon = release_due(&ports, Release::default(), "run-2").await.unwrap();
    ports.clock.advance(Duration::from_secs(301));
    let later = release_due(&ports, Release::default(), "run-3").await.unwrap();

    assert_eq!((soon.sent, later.sent), (0, 1));
}

#[tokio::test]
async fn a_shop_gets_no_more_than_its_share_and_the_rest_stays_due() {
    let ports = fake::ports();
    for id in 1..=30 {
        waiting(&ports, id).await;
    }
    // 100 points a second, a minute long, are 20 tasks of 300.
    let release = Release { points_per_task: 300, ..Release::default() };

    let first = release_due(&ports, release, "run-1").await.unwrap();
    ports.clock.advance(Duration::from_secs(60));
    let second = release_due(&ports, release, "run-2").await.unwrap();

    assert_eq!((first.sent, second.sent), (20, 10));
}

#[tokio::test]
async fn a_queue_that_is_down_leaves_everything_due() {
    let ports = fake::ports();
    waiting(&ports, 1).await;
    ports.tasks.sent().down = true;

    assert!(release_due(&ports, Release::default(), "run-1").await.is_err());
    ports.tasks.sent().down = false;

    assert_eq!(release_due(&ports, Release::default(), "run-2").await.unwrap().sent, 1);
}
