//! The sweep: dead-letter queues hold what is parked, and nothing else; a task that crashed is parked like a step.

use std::time::Duration;

use roundtrip_domain::code::Code;
use roundtrip_domain::dead_letters::{CrashState, DeadLetter, DeadLetterId, Filter, Swept, list, sweep};
use roundtrip_domain::id::ProductId;
use roundtrip_domain::jobs::{Fate, Job, JobState, Work, begin, fates, fates_of};
use roundtrip_domain::ports::{Ledger, Letter};
use roundtrip_domain::record::{Commit, RowKey, Write};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use crate::world::{MINUTE, ORDER, World, at};

impl World {
    async fn sweep(&self) -> Swept {
        sweep(&self.ports.ledger, &self.ports.tasks, self.now()).await.unwrap()
    }

    async fn parked(&self) -> Vec<DeadLetter> {
        list(&self.ports.ledger, &Filter::default(), None, 100).await.unwrap().letters
    }

    /// A person wants this of all that is parked.
    async fn begin_with_all(&self, work: impl FnOnce(Vec<DeadLetterId>) -> Work) -> Job {
        let all = self.parked().await.into_iter().map(|letter| letter.id).collect();
        let job = Job::new("job-1".into(), (self.now(), "ada".into()), "it is mended".into(), work(all));
        begin(&self.ports.ledger, &self.ports.tasks, job, self.now()).await.unwrap()
    }

    /// All that is parked is set going again, and what follows from it at once.
    async fn redrive_all(&self) -> Job {
        let job = self.begin_with_all(Work::Redrive).await;
        self.drain().await;
        job
    }

    /// The crash of a task that was sent a while ago.
    async fn crashes(&self, queue: Queue, task: &Task) {
        self.crash(queue, task);
        self.ports.clock.advance(HALF_AN_HOUR);
    }

    async fn fate(&self, job: &Job) -> Vec<Fate> {
        fates_of(&self.ports.ledger, job).await.unwrap()
    }

    fn letters_of(&self, queue: Queue) -> usize {
        self.ports.tasks.sent().letters(queue).len()
    }
}

/// So long it takes ten deliveries to fail.
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

fn about_the_order(trigger: Trigger) -> Task {
    Task::new(trigger, "e-1", Subject::Order(at()))
}

fn seen(seen: usize) -> Swept {
    Swept { seen, ..Swept::default() }
}

#[tokio::test]
async fn a_letter_stays_as_long_as_its_step_is_parked_and_no_longer() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    assert_eq!(world.parked().await.len(), 1);

    assert_eq!(world.sweep().await, seen(1));
    assert_eq!(world.letters_of(Queue::OrderPush), 1);
    world.redrive_all().await;
    let swept = world.sweep().await;

    assert_eq!(swept, Swept { removed: 1, ..seen(1) });
    assert_eq!(world.letters_of(Queue::OrderPush), 0);
    assert_eq!(world.sweep().await, seen(0));
}

#[tokio::test]
async fn of_a_step_that_was_parked_again_only_the_new_letter_stays() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused, Fault::Refused]);
    world.order_webhook().await;
    world.redrive_all().await;
    assert_eq!(world.letters_of(Queue::OrderPush), 2);

    let swept = world.sweep().await;

    assert_eq!(swept, Swept { removed: 1, ..seen(2) });
    let left = world.ports.tasks.sent().parked.clone();
    assert_eq!((left.len(), left[0].1.generation), (1, 1));
}

#[tokio::test]
async fn a_task_that_crashed_is_listed_goes_again_and_is_over_once_a_worker_finished_it() {
    let world = World::new();
    world.crashes(Queue::OrderPush, &about_the_order(Trigger::Webhook)).await;

    assert_eq!(world.sweep().await, Swept { crashed: 1, ..seen(1) });
    let [letter] = world.parked().await.try_into().unwrap();
    assert_eq!(letter.id.to_string(), format!("{}/{ORDER}/crash/order-push@0", moon()));
    assert_eq!(letter.code, Code::Crashed);
    assert!(letter.last_failure.unwrap().message.contains("order-push"));
    assert_eq!(world.sweep().await, seen(1), "the letter stays, and there is one row");

    let job = world.redrive_all().await;

    assert_eq!(world.fate(&job).await, [Fate::Done]);
    assert_eq!((world.parked().await.len(), world.made_at(&sun()).len()), (0, 1), "the order was pushed");
    assert_eq!(world.sweep().await, Swept { removed: 1, ..seen(1) });
    let told: Vec<String> = world.ports.ledger.history(&at()).into_iter().map(|event| event.after).collect();
    for word in ["crashed", "redriven", "finished"] {
        assert_eq!(told.iter().filter(|after| *after == word).count(), 1, "{word}: {told:?}");
    }
}

#[tokio::test]
async fn a_crash_that_crashes_again_stays_parked_and_one_that_crashes_later_is_a_new_one() {
    let world = World::new();
    world.crash(Queue::OrderPush, &about_the_order(Trigger::Webhook));
    world.sweep().await;
    let items: Vec<_> = world.parked().await.into_iter().map(|letter| letter.id).collect();
    let redrive = Task { trigger: Trigger::Webhook, ..items[0].redrive() };

    // The redriven task crashes as well.
    world.crashes(Queue::OrderPush, &redrive).await;
    assert_eq!(world.sweep().await, seen(2));
    assert_eq!(fates(&world.ports.ledger, &items).await.unwrap(), [Fate::Parked]);
    // Once a worker gets through, both letters are done with.
    world.ports.clock.advance(MINUTE);
    world.tell(Queue::OrderPush, redrive).await;
    assert_eq!(world.sweep().await, Swept { removed: 2, ..seen(2) });

    world.ports.clock.advance(MINUTE);
    world.crash(Queue::OrderPush, &about_the_order(Trigger::Webhook));
    assert_eq!(world.sweep().await, Swept { crashed: 1, ..seen(1) });
    let [letter] = world.parked().await.try_into().unwrap();
    assert_eq!(letter.id.generation, 1);
    assert_eq!(fates(&world.ports.ledger, &items).await.unwrap(), [Fate::Failed(Code::Crashed)]);
}

#[tokio::test]
async fn a_backfill_that_crashed_goes_again_as_a_backfill() {
    let world = World::new();
    world.crash(Queue::TrackingWriteback, &about_the_order(Trigger::Backfill));
    world.sweep().await;

    world.begin_with_all(Work::Redrive).await;

    let (queue, task) = world.ports.tasks.take().unwrap();
    assert_eq!((queue, task.trigger), (Queue::TrackingWriteback, Trigger::Backfill));
}

#[tokio::test]
async fn a_crash_about_something_of_a_shop_goes_again_too() {
    let world = World::new();
    let product = Subject::Product { shop: moon(), id: ProductId::new(9) };
    world.crash(Queue::OrderPush, &Task::new(Trigger::Webhook, "e-9", product));
    let shop = Subject::Shop { shop: sun() };
    world.crashes(Queue::Resync, &Task::new(Trigger::Resync, "run", shop)).await;

    assert_eq!(world.sweep().await, Swept { crashed: 2, ..seen(2) });
    let named: Vec<String> = world.parked().await.iter().map(|letter| letter.id.to_string()).collect();
    let expected = [format!("{}/crash/order-push/product/9@0", moon()), format!("{}/crash/resync@0", sun())];
    assert!(expected.iter().all(|name| named.contains(name)), "{named:?}");

    let job = world.redrive_all().await;

    assert_eq!(world.fate(&job).await, [Fate::Done, Fate::Done]);
    assert_eq!(world.sweep().await, Swept { removed: 2, ..seen(2) });
}

#[tokio::test]
async fn what_is_no_letter_stays_for_a_person_to_see() {
    let world = World::new();
    let rubbish = Letter { receipt: "r".into(), sent_at: world.now(), body: "{\"v\":1}".into() };
    world.ports.tasks.sent().crashed.push((Queue::OrderPush, rubbish));

    assert_eq!(world.sweep().await, Swept { unreadable: 1, ..seen(1) });
    assert_eq!(world.letters_of(Queue::OrderPush), 1);
    assert!(world.parked().await.is_empty());
}

#[tokio::test]
async fn a_worker_that_never_finishes_a_task_leaves_a_crash_behind() {
    let world = World::new();
    world.ports.tasks.sent().bus_down = true;
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    world.run(Duration::from_secs(3600)).await;
    world.ports.tasks.sent().bus_down = false;

    let swept = world.sweep().await;

    assert!(swept.crashed == 1, "{swept:?}");
    let job = world.redrive_all().await;
    assert!(world.fate(&job).await.iter().all(|fate| *fate != Fate::Parked), "{:?}", world.fate(&job).await);
    assert!(matches!(job.state, JobState::Open));
}

#[tokio::test]
async fn a_crash_that_was_purged_is_over_and_a_later_one_is_a_new_one() {
    let world = World::new();
    world.crashes(Queue::OrderPush, &about_the_order(Trigger::Webhook)).await;
    world.sweep().await;
    world.begin_with_all(Work::Purge).await;

    assert_eq!((world.parked().await.len(), world.sweep().await), (0, Swept { removed: 1, ..seen(1) }));
    world.ports.clock.advance(MINUTE);
    world.crashes(Queue::OrderPush, &about_the_order(Trigger::Webhook)).await;

    assert_eq!(world.sweep().await, Swept { crashed: 1, ..seen(1) });
    let [letter] = world.parked().await.try_into().unwrap();
    assert_eq!(letter.id.generation, 2, "the purge and the new crash");
}

#[tokio::test]
async fn a_purge_is_of_what_was_seen_not_of_a_task_that_is_in_its_deliveries_still() {
    let world = World::new();
    world.crashes(Queue::OrderPush, &about_the_order(Trigger::Webhook)).await;
    world.sweep().await;
    let sent_before = world.now();
    world.ports.clock.advance(MINUTE);
    world.begin_with_all(Work::Purge).await;
    world.ports.clock.advance(HALF_AN_HOUR);
    let body = serde_json::to_string(&about_the_order(Trigger::Webhook)).unwrap();
    let late = Letter { receipt: "late".into(), sent_at: sent_before, body };
    world.ports.tasks.sent().crashed.push((Queue::OrderPush, late));

    assert_eq!(world.sweep().await, Swept { removed: 1, crashed: 1, ..seen(2) });
    assert_eq!(world.sweep().await, seen(1), "it stays");
}

#[tokio::test]
async fn all_letters_that_were_seen_go_with_a_purge() {
    let world = World::new();
    for _ in 0..2 {
        world.crashes(Queue::OrderPush, &about_the_order(Trigger::Webhook)).await;
        world.sweep().await;
    }
    assert_eq!(world.parked().await.len(), 1);
    world.begin_with_all(Work::Purge).await;

    assert_eq!((world.sweep().await, world.parked().await.len()), (Swept { removed: 2, ..seen(2) }, 0));
}

#[tokio::test]
async fn what_was_sent_while_a_redrive_worked_is_no_part_of_it() {
    let world = World::new();
    world.crashes(Queue::OrderPush, &about_the_order(Trigger::Webhook)).await;
    world.sweep().await;
    // The redrive begins, another task is sent, and both are over only later.
    world.redrive_all().await;
    world.ports.clock.advance(Duration::from_secs(1));
    world.crashes(Queue::OrderPush, &about_the_order(Trigger::Webhook)).await;

    assert_eq!(world.sweep().await, Swept { removed: 1, crashed: 1, ..seen(2) });
    assert_eq!(world.parked().await.len(), 1, "nobody has seen what it told of");
}

#[tokio::test]
async fn a_webhook_that_crashed_over_a_backfilled_order_goes_as_a_webhook() {
    let world = World::new();
    world.crash(Queue::TrackingWriteback, &about_the_order(Trigger::Backfill));
    world.sweep().await;
    world.crash(Queue::TrackingWriteback, &Task { cause_id: "e-2".into(), ..about_the_order(Trigger::Webhook) });
    world.sweep().await;

    world.begin_with_all(Work::Redrive).await;

    let (_, task) = world.ports.tasks.take().unwrap();
    assert_eq!(task.trigger, Trigger::Webhook, "the customer is mailed");
}

#[tokio::test]
async fn an_order_that_somebody_wants_to_be_pushed_is_although_a_webhook_crashed_first() {
    let world = World::new();
    for trigger in [Trigger::Webhook, Trigger::Unpushed, Trigger::Webhook] {
        world.crash(Queue::OrderPush, &about_the_order(trigger));
        world.sweep().await;
    }

    world.begin_with_all(Work::Redrive).await;

    let (_, task) = world.ports.tasks.take().unwrap();
    assert_eq!(task.trigger, Trigger::Unpushed);
}

#[tokio::test]
async fn trouble_with_one_queue_keeps_no_other_from_being_looked_through() {
    let world = World::new();
    world.crash(Queue::OrderPush, &about_the_order(Trigger::Webhook));
    let shop = Subject::Shop { shop: sun() };
    world.crash(Queue::Resync, &Task::new(Trigger::Resync, "run", shop));
    // A row that no release of ours wrote.
    let key = RowKey::Step("crash/order-push".parse().unwrap());
    let (order, body) = (at(), Some(serde_json::json!({ "odd": true })));
    let write = Write { order, key, expected: 0, body, due: None, listed: None, expires_at: None };
    world.ports.ledger.commit(Commit { writes: vec![write], history: vec![] }).await.unwrap();

    sweep(&world.ports.ledger, &world.ports.tasks, world.now()).await.unwrap_err();

    let step = world.ports.ledger.shop_step::<CrashState>(&sun(), &"crash/resync".parse().unwrap()).await.unwrap();
    assert!(step.unwrap().0.parked.is_some());
    let shown: usize = Queue::ALL.into_iter().map(|queue| world.letters_of(queue)).sum();
    assert_eq!((shown, world.ports.tasks.sent().hidden.len()), (2, 0), "and each letter can be seen again");
}
