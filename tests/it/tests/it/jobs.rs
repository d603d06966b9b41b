//! Redrives: many parked steps set going at once, each of them once, whatever happens meanwhile.

use std::time::Duration;

use roundtrip_domain::Unfinished;
use roundtrip_domain::code::Code;
use roundtrip_domain::dead_letters::{DeadLetterId, Filter, find, list};
use roundtrip_domain::id::{OrderId, OrderRef, ProductId};
use roundtrip_domain::jobs::{CHUNK, Fate, Job, JobState, MAX_ITEMS, Work, advance, begin, fates, progress, that_fit};
use roundtrip_domain::ports::{Clock, Jobs, Ledger};
use roundtrip_domain::step::{Aside, Step, StepId};
use roundtrip_domain::task::Queue;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{connected, moon, paid_order, sun};

use crate::world::{HOUR, MINUTE, World, mars};

/// A world in which the sun refused the first push of each of so many orders.
struct Troubled {
    world: World,
    letters: Vec<DeadLetterId>,
}

impl Troubled {
    async fn with(orders: u64) -> Self {
        let world = World::new();
        let now = world.now();
        world.fail_next(&sun(), &vec![Fault::Refused; usize::try_from(orders).unwrap()]);
        for n in 0..orders {
            let order = paid_order(8000 + n, now);
            let at = order.at.clone();
            world.shop(&moon(), |shop| shop.orders.insert(at.id, order));
            world.tell(Queue::OrderPush, world.webhook(&at)).await;
            world.ports.clock.advance(Duration::from_secs(1));
        }
        let page = list(&world.ports.ledger, &Filter::default(), None, 1000).await.unwrap();
        let letters: Vec<DeadLetterId> = page.letters.into_iter().map(|letter| letter.id).collect();
        assert_eq!((letters.len() as u64, world.made_at(&sun()).len()), (orders, 0));
        Self { world, letters }
    }

    /// A world in which an order could not be read until it was given up, and can be now.
    async fn unread() -> Self {
        let world = World::new();
        world.fail_questions(&moon(), &[Fault::RequestLost; 20]);
        world.order_webhook().await;
        world.run(HOUR).await;
        world.shop(&moon(), |shop| shop.query_faults.clear());
        let parked = list(&world.ports.ledger, &Filter::default(), None, 10).await.unwrap().letters;
        let letters: Vec<DeadLetterId> = parked.into_iter().map(|letter| letter.id).collect();
        assert_eq!(letters.iter().map(DeadLetterId::kind).collect::<Vec<_>>(), ["read"]);
        Self { world, letters }
    }

    fn job(&self, id: &str) -> Job {
        let asked = (self.world.now(), "ada".into());
        Job::new(id.into(), asked, "the sun takes orders again".into(), Work::Redrive(self.letters.clone()))
    }

    async fn write(&self, job: Job) -> Result<Job, Unfinished> {
        let ports = &self.world.ports;
        begin(&ports.ledger, &ports.tasks, job, ports.clock.now()).await
    }

    async fn goes_on(&self, id: &str) -> Result<Option<Job>, Unfinished> {
        let ports = &self.world.ports;
        Ok(advance(&ports.ledger, &ports.tasks, (id, 600), ports.clock.now()).await?.map(|(job, _)| job))
    }

    async fn begin(&self, job: Job) -> Job {
        let job = self.write(job).await.unwrap();
        self.world.drain().await;
        job
    }

    /// A minute later the job goes on.
    async fn minute(&self, id: &str) -> Job {
        self.world.ports.clock.advance(MINUTE);
        let job = self.goes_on(id).await.unwrap().unwrap();
        self.world.drain().await;
        job
    }

    async fn fates(&self) -> Vec<Fate> {
        fates(&self.world.ports.ledger, &self.letters).await.unwrap()
    }

    fn made(&self) -> usize {
        self.world.made_at(&sun()).len()
    }
}

fn order(id: u64) -> OrderRef {
    OrderRef { shop: moon(), id: OrderId::new(id) }
}

#[tokio::test]
async fn what_a_store_throttles_just_then_goes_all_the_same_and_stops_no_canary() {
    let troubled = Troubled::with(2).await;
    troubled.world.shop(&moon(), |shop| shop.query_faults.push_back(Fault::Throttled));

    troubled.begin(Job { canary: 1, ..troubled.job("job-1") }).await;
    assert_eq!(troubled.fates().await, [Fate::Running, Fate::Parked], "its order is looked at later");

    let mut job = troubled.minute("job-1").await;
    for _ in 0..5 {
        assert!(!matches!(job.state, JobState::Stopped { .. }), "{job:?}");
        troubled.world.run(MINUTE).await;
        job = troubled.minute("job-1").await;
    }
    assert_eq!((troubled.fates().await, troubled.made()), (vec![Fate::Done, Fate::Done], 2));
    assert!(matches!(job.state, JobState::Done { .. }), "{job:?}");
}

#[tokio::test]
async fn all_of_it_goes_once_and_each_history_says_who_and_why() {
    let troubled = Troubled::with(60).await;

    let begun = troubled.begin(troubled.job("job-1")).await;
    assert_eq!((begun.sent, troubled.made()), (CHUNK, CHUNK));
    let next = troubled.minute("job-1").await;
    assert_eq!((next.sent, &next.state, troubled.made()), (60, &JobState::Open, 60));
    let done = troubled.minute("job-1").await;
    assert!(matches!(done.state, JobState::Done { .. }), "{done:?}");

    assert_eq!(progress(&troubled.fates().await).done, 60);
    for n in 0..60 {
        let history = troubled.world.ports.ledger.history(&order(8000 + n));
        let told: Vec<_> = history.iter().filter(|event| event.after == "redriven").collect();
        let [event] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((event.actor.as_str(), event.cause_id.as_str()), ("ada", "job-1"));
        assert_eq!(event.detail.as_deref(), Some("the sun takes orders again"));
    }
    assert!(troubled.world.ports.ledger.open_jobs().await.unwrap().is_empty());
}

#[tokio::test]
async fn no_more_go_in_a_second_than_its_rate() {
    let troubled = Troubled::with(60).await;
    let job = Job { rate: 2, ..troubled.job("job-1") };

    troubled.write(job).await.unwrap();
    troubled.world.ports.clock.advance(MINUTE);
    troubled.goes_on("job-1").await.unwrap();

    let delays: Vec<u64> = {
        let sent = troubled.world.ports.tasks.sent();
        sent.later.iter().map(|(delay, ..)| delay.as_secs()).collect()
    };
    for second in 1..12 {
        assert_eq!(delays[..23].iter().filter(|delay| **delay == second).count(), 2, "{delays:?}");
    }
    assert_eq!(delays[23..].iter().max(), Some(&17), "the other 35, from the first second on: {delays:?}");
}

#[tokio::test]
async fn the_rest_goes_only_once_the_canary_is_through() {
    let troubled = Troubled::with(5).await;

    let begun = troubled.begin(Job { canary: 2, ..troubled.job("job-1") }).await;
    assert_eq!((begun.sent, troubled.made()), (2, 2));
    let next = troubled.minute("job-1").await;

    assert_eq!((next.sent, troubled.made()), (5, 5));
}

#[tokio::test]
async fn a_canary_that_fails_again_keeps_the_rest_where_it_is() {
    let troubled = Troubled::with(5).await;
    troubled.world.fail_next(&sun(), &[Fault::Refused]);

    troubled.begin(Job { canary: 1, ..troubled.job("job-1") }).await;
    let stopped = troubled.minute("job-1").await;
    let after = troubled.minute("job-1").await;

    let JobState::Stopped { why, .. } = &stopped.state else { panic!("{stopped:?}") };
    assert_eq!(why, &format!("{} failed again: REJECTED; 4 were not set going", troubled.letters[0]));
    assert_eq!((after.sent, troubled.made()), (1, 0));
    let expected = [Fate::Failed(Code::Rejected), Fate::Parked, Fate::Parked, Fate::Parked, Fate::Parked];
    assert_eq!(troubled.fates().await, expected);
}

#[tokio::test]
async fn a_canary_without_an_outcome_stops_the_job_after_a_while() {
    let troubled = Troubled::with(3).await;
    // Its call has no answer, and is looked into for some minutes.
    troubled.world.fail_next(&sun(), &[Fault::AnswerLost]);

    troubled.begin(Job { canary: 1, ..troubled.job("job-1") }).await;
    let waiting = troubled.minute("job-1").await;
    assert_eq!((waiting.sent, &waiting.state), (1, &JobState::Open));
    troubled.world.ports.clock.advance(HOUR);
    let stopped = troubled.minute("job-1").await;

    let JobState::Stopped { why, .. } = &stopped.state else { panic!("{stopped:?}") };
    assert!(why.contains("was not done after 15 minutes; 2 were not set going"), "{why}");
}

#[tokio::test]
async fn a_redrive_of_what_goes_already_does_nothing() {
    let troubled = Troubled::with(4).await;
    troubled.begin(troubled.job("job-1")).await;
    assert_eq!(troubled.made(), 4);

    troubled.begin(troubled.job("job-2")).await;
    troubled.minute("job-2").await;

    assert_eq!((troubled.made(), progress(&troubled.fates().await).done), (4, 4));
}

#[tokio::test]
async fn a_redrive_that_dies_halfway_loses_nothing_and_goes_on_by_itself() {
    let troubled = Troubled::with(40).await;
    // The first chunk's history is written; no task is sent.
    troubled.world.ports.tasks.sent().down = true;
    troubled.write(troubled.job("job-1")).await.unwrap_err();
    troubled.world.ports.tasks.sent().down = false;
    assert_eq!(progress(&troubled.fates().await).parked, 40);

    let mut minutes = 0;
    while troubled.world.ports.ledger.open_jobs().await.unwrap() == ["job-1"] {
        troubled.minute("job-1").await;
        minutes += 1;
        assert!(minutes < 10, "{:?}", troubled.fates().await);
    }

    assert_eq!((troubled.made(), progress(&troubled.fates().await).done), (40, 40));
    let redriven = |n: u64| {
        let history = troubled.world.ports.ledger.history(&order(8000 + n));
        history.iter().filter(|event| event.after == "redriven").count()
    };
    assert!((0..40).all(|n| redriven(n) == 1), "told once, though sent twice");
}

#[tokio::test]
async fn two_who_go_on_with_one_job_send_each_step_once() {
    let troubled = Troubled::with(60).await;
    troubled.begin(troubled.job("job-1")).await;
    let ports = &troubled.world.ports;
    ports.clock.advance(MINUTE);

    let (one, other) = tokio::join!(troubled.goes_on("job-1"), troubled.goes_on("job-1"));

    assert!(one.is_ok() || other.is_ok());
    let sent = {
        let sent = ports.tasks.sent();
        sent.later.len() + sent.work.len()
    };
    assert_eq!(sent, 60 - CHUNK);
    troubled.world.drain().await;
    assert_eq!(troubled.made(), 60);
}

#[tokio::test]
async fn a_job_ends_though_one_of_its_steps_waits_for_the_world() {
    let troubled = Troubled::with(2).await;
    troubled.world.shop(&sun(), |shop| shop.mutation_faults.extend([Fault::RequestLost; 40]));

    troubled.begin(troubled.job("job-1")).await;
    for _ in 0..20 {
        troubled.minute("job-1").await;
    }

    let (job, _) = troubled.world.ports.ledger.job("job-1").await.unwrap().unwrap();
    assert!(matches!(job.state, JobState::Done { .. }), "{job:?}");
    assert_eq!(progress(&troubled.fates().await).running, 2);
}

#[tokio::test]
async fn a_read_that_a_store_throttles_is_not_done_before_it_was_made() {
    let troubled = Troubled::unread().await;
    troubled.world.fail_questions(&moon(), &[Fault::Throttled]);

    troubled.begin(Job { canary: 1, ..troubled.job("job-1") }).await;

    assert_eq!((troubled.fates().await, troubled.made()), (vec![Fate::Running], 0));
    troubled.world.run(MINUTE).await;
    assert_eq!((troubled.fates().await, troubled.made()), (vec![Fate::Done], 1));
}

#[tokio::test]
async fn what_is_purged_is_not_set_going_by_a_redrive_that_was_asked_for_before() {
    let troubled = Troubled::with(3).await;
    // Their tasks are on their way.
    troubled.write(troubled.job("job-1")).await.unwrap();
    let purge = Job { work: Work::Purge(troubled.letters.clone()), ..troubled.job("job-2") };

    troubled.begin(purge).await;
    let letter = troubled.world.ports.tasks.sent().parked[0].1.clone();
    // Nor by a letter that somebody moves back.
    troubled.world.tell(Queue::OrderPush, letter.task).await;
    troubled.world.run(HOUR).await;

    assert_eq!((troubled.fates().await, troubled.made()), (vec![Fate::Dropped; 3], 0));
    for job in ["job-1", "job-2"] {
        let ended = troubled.minute(job).await;
        assert!(matches!(ended.state, JobState::Done { .. }), "{ended:?}");
    }
    let (purge, _) = troubled.world.ports.ledger.job("job-2").await.unwrap().unwrap();
    assert_eq!(purge.purged, 3);
}

#[tokio::test]
async fn a_canary_has_spoken_once_the_others_go() {
    let troubled = Troubled::with(70).await;
    troubled.begin(Job { canary: 1, rate: 1, ..troubled.job("job-1") }).await;
    let next = troubled.minute("job-1").await;
    assert_eq!((next.sent, troubled.made()), (61, 61));

    // It is parked anew, for another reason.
    let mut record = troubled.world.ports.ledger.load(&order(8000)).await.unwrap();
    let now = troubled.world.now();
    for row in record.pushes.values_mut() {
        row.change().park(Code::OrderChanged, now, now, None);
    }
    troubled.world.ports.ledger.save(&mut [&mut record]).await.unwrap();
    let last = troubled.minute("job-1").await;

    assert_eq!((last.sent, troubled.made()), (70, 70), "{last:?}");
}

#[tokio::test]
async fn what_could_not_be_sent_for_long_is_sent_before_anybody_gives_up() {
    let troubled = Troubled::with(3).await;
    troubled.world.ports.tasks.sent().down = true;
    troubled.write(Job { canary: 1, ..troubled.job("job-1") }).await.unwrap_err();
    for _ in 0..60 {
        troubled.world.ports.clock.advance(MINUTE);
        let _ = troubled.goes_on("job-1").await;
    }
    troubled.world.ports.tasks.sent().down = false;

    let mut job = troubled.minute("job-1").await;
    for _ in 0..3 {
        assert!(!matches!(job.state, JobState::Stopped { .. }), "{job:?}");
        job = troubled.minute("job-1").await;
    }

    assert_eq!((troubled.fates().await, troubled.made()), (vec![Fate::Done; 3], 3));
    assert!(matches!(job.state, JobState::Done { .. }), "{job:?}");
}

#[tokio::test]
async fn all_that_was_lost_goes_again_though_no_more_go_in_a_minute_than_the_rate_lets() {
    let troubled = Troubled::with(130).await;
    troubled.write(Job { rate: 1, ..troubled.job("job-1") }).await.unwrap();
    while troubled.world.ports.ledger.job("job-1").await.unwrap().unwrap().0.sent < 130 {
        troubled.world.ports.clock.advance(MINUTE);
        troubled.goes_on("job-1").await.unwrap();
    }
    let lose = || {
        let mut sent = troubled.world.ports.tasks.sent();
        sent.work.clear();
        sent.later.clear();
    };
    lose();
    troubled.world.ports.clock.advance(5 * MINUTE);
    // For a run that has other things to do, they wait.
    let ports = &troubled.world.ports;
    let (job, sent) = advance(&ports.ledger, &ports.tasks, ("job-1", 0), ports.clock.now()).await.unwrap().unwrap();
    assert_eq!((job.sent_again_at, sent), (None, 0));
    // Those that go first again are lost again, and keep no other back.
    troubled.goes_on("job-1").await.unwrap();
    lose();
    troubled.minute("job-1").await;
    troubled.world.run(MINUTE).await;
    let fates = troubled.fates().await;
    assert_eq!((fates[..60].to_vec(), fates[60..120].to_vec()), (vec![Fate::Parked; 60], vec![Fate::Done; 60]));

    let mut job = troubled.minute("job-1").await;
    for _ in 0..20 {
        troubled.world.run(MINUTE).await;
        job = troubled.minute("job-1").await;
    }

    assert_eq!((progress(&troubled.fates().await).done, troubled.made()), (130, 130));
    assert!(matches!(job.state, JobState::Done { .. }), "{job:?}");
}

#[tokio::test]
async fn a_purged_read_is_not_set_going_by_a_redrive_that_was_asked_for_before() {
    let troubled = Troubled::unread().await;
    troubled.write(troubled.job("job-1")).await.unwrap();

    troubled.begin(Job { work: Work::Purge(troubled.letters.clone()), ..troubled.job("job-2") }).await;

    assert_eq!((troubled.fates().await, troubled.made()), (vec![Fate::Dropped], 0));
    troubled.world.order_webhook().await;
    assert_eq!(troubled.made(), 1, "news of it is another matter");
}

#[tokio::test]
async fn however_much_one_store_holds_what_is_parked_at_another_is_found() {
    let troubled = Troubled::with(1).await;
    let (ledger, now) = (&troubled.world.ports.ledger, troubled.world.now());
    let old = now - jiff::SignedDuration::from_hours(48);
    ledger.put_shop(connected(mars(), now));
    // More than one question reads.
    for n in 0..5_001 {
        let at = old + jiff::SignedDuration::from_secs(n);
        let mut step = Step::new(());
        step.park(Code::Crashed, at, at, None);
        let id = StepId::Crash {
            queue: Queue::OrderPush,
            about: Some(Aside::Product(ProductId::new(n.unsigned_abs() + 1))),
        };
        ledger.save_shop_step(&mars(), &id, &step, 0).await.unwrap();
    }

    let refused = Filter { code: Some(Code::Rejected), ..Filter::default() };
    let (found, more) = find(ledger, &refused).await.unwrap();
    assert_eq!((found.len(), more), (1, true));
    assert_eq!(found[0].id, troubled.letters[0]);
    // A time leads past what is older.
    let since = old + jiff::SignedDuration::from_secs(5_000);
    let (found, more) =
        find(ledger, &Filter { from: Some(since), shop: Some(mars()), ..Filter::default() }).await.unwrap();
    assert_eq!((found.len(), found[0].parked_at, more), (1, since, false));
}

#[test]
fn a_job_takes_as_many_as_its_row_has_room_for() {
    let shop = format!("{}.myshopify.com", "m".repeat(46));
    let named = |name: &str| -> DeadLetterId { name.parse().unwrap() };
    let short = named("moon.myshopify.com/7001/look@0");
    let long = named(&format!(
        "{shop}/5512345678901234567/writeback/{shop}/5512345678901234567/5512345678901234567@4294967295"
    ));

    assert_eq!(that_fit([&short; 3]), 3);
    assert_eq!(that_fit(&vec![short; MAX_ITEMS + 1]), MAX_ITEMS);
    let room = 380_000 / (long.to_string().len() + 3);
    assert!(room < MAX_ITEMS);
    assert_eq!(that_fit(&vec![long; MAX_ITEMS]), room);
}
