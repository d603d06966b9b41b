//! What happens by itself in a world: queues are served, and due work comes every minute.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::connect::connect;
use roundtrip_domain::dead_letters::finished;
use roundtrip_domain::due::{Release, release_due};
use roundtrip_domain::ports::{Clock, DueRow, Ledger, Letter, after};
use roundtrip_domain::push::push_order;
use roundtrip_domain::resync::resync;
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::task::{Queue, Task};
use roundtrip_domain::writeback::write_back;
use roundtrip_domain::{Outcome, Unfinished};
use roundtrip_kit::fake::FakePorts;

use super::{DAY, MINUTE, World};

/// How often a queue delivers a message that is not finished. Source: `maxReceiveCount` in template.yaml.
const DELIVERIES: u32 = 10;

/// What the function of `queue` does with a task.
async fn handle(ports: &FakePorts, queue: Queue, task: &Task) -> Result<Outcome, Unfinished> {
    let begun = ports.clock.now();
    let outcome = match queue {
        Queue::OrderPush => push_order(ports, task).await?,
        Queue::TrackingWriteback => write_back(ports, task).await?,
        Queue::AppLifecycle => connect(ports, task).await?,
        Queue::Resync => resync(ports, task).await?,
    };
    finished(&ports.ledger, queue, task, begun).await?;
    Ok(outcome)
}

/// Runs what never waits, as nothing does that has only fakes to talk to.
fn at_once(future: impl Future<Output = ()>) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(future).poll(&mut context).is_ready(), "a fake waits");
}

impl World {
    /// Handles what lies in the queues. Returns how many tasks that were.
    pub(crate) async fn drain(&self) -> usize {
        let mut handled = 0;
        while let Some((queue, task)) = self.ports.tasks.take() {
            // Each hour a shop's subscriptions are looked after.
            handled += usize::from(queue != Queue::AppLifecycle);
            self.deliver(queue, task, 1).await;
        }
        handled
    }

    async fn deliver(&self, queue: Queue, task: Task, delivery: u32) {
        if self.handle(queue, &task).await.is_ok() {
            return;
        }
        match delivery < DELIVERIES {
            true => self.unfinished.borrow_mut().push((queue, task, delivery)),
            false => self.crash(queue, &task),
        }
    }

    /// SQS gives a task up: no worker finished it.
    pub(crate) fn crash(&self, queue: Queue, task: &Task) {
        let sent_at = self.now();
        let receipt = format!("{} {sent_at}", task.cause_id);
        let letter = Letter { receipt, sent_at, body: serde_json::to_string(task).unwrap() };
        self.ports.tasks.sent().crashed.push((queue, letter));
    }

    pub(crate) async fn handle(&self, queue: Queue, task: &Task) -> Result<Outcome, Unfinished> {
        handle(&self.ports, queue, task).await
    }

    /// While the next change of a shop is on its way, all this is done, and another worker serves the queues.
    pub(crate) fn meanwhile<F: Future<Output = ()>>(&self, what: impl FnOnce(FakePorts) -> F + Send + 'static) {
        self.ports.channel.meanwhile(self.beside(what));
    }

    /// The same just before a shop's step is written for the `skip + 1`st time.
    pub(crate) fn before_shop_step<F: Future<Output = ()>>(
        &self,
        skip: u32,
        what: impl FnOnce(FakePorts) -> F + Send + 'static,
    ) {
        self.ports.ledger.before_shop_step(skip, self.beside(what));
    }

    /// What another worker does, and what follows from it.
    fn beside<F: Future<Output = ()>>(
        &self,
        what: impl FnOnce(FakePorts) -> F + Send + 'static,
    ) -> impl FnOnce() + Send + 'static {
        let ports = self.ports.clone();
        move || {
            at_once(async {
                what(ports.clone()).await;
                while let Some((queue, task)) = ports.tasks.take() {
                    if handle(&ports, queue, &task).await.is_err() {
                        ports.tasks.sent().work.push((queue, task));
                        break;
                    }
                }
            });
        }
    }

    /// Lets time pass: due work comes every minute, and the queues are served. Returns how many tasks were
    /// handled.
    pub(crate) async fn run(&self, time: Duration) -> usize {
        let end = after(self.now(), time);
        let mut handled = 0;
        loop {
            let unfinished = self.unfinished.take();
            handled += unfinished.len();
            for (queue, task, delivery) in unfinished {
                self.deliver(queue, task, delivery + 1).await;
            }
            release_due(&self.ports, Release::default(), "run").await.unwrap();
            handled += self.drain().await;
            if self.now() >= end {
                return handled;
            }
            self.ports.clock.advance(self.until_next_run(end).await);
        }
    }

    /// A minute; where nothing happens before, a whole number of them.
    async fn until_next_run(&self, end: Timestamp) -> Duration {
        let rows = self.ports.ledger.due(Timestamp::MAX, 1).await.unwrap();
        let next = rows.first().map_or(end, |row| row.wake_up.at.min(end));
        let idle = Duration::try_from(next.duration_since(self.now())).unwrap_or_default();
        let minutes = if self.unfinished.borrow().is_empty() { idle.as_secs().div_ceil(60).max(1) } else { 1 };
        MINUTE * u32::try_from(minutes).unwrap()
    }

    /// What is due, now or later; but not that a shop's subscriptions are looked after.
    async fn due(&self) -> Vec<DueRow> {
        let mut due = self.ports.ledger.due(Timestamp::MAX, 100).await.unwrap();
        due.retain(|row| row.wake_up.why != WaitReason::SubscriptionCheck);
        due
    }

    /// Lets three days pass; then nothing is due, now or ever, and nothing lies in a queue.
    pub(crate) async fn comes_to_rest(&self) {
        let handled = self.run(3 * DAY).await;
        let due = self.due().await;
        assert!(due.is_empty(), "still due after three days and {handled} tasks: {due:#?}");
        assert!(self.unfinished.borrow().is_empty(), "unfinished: {:#?}", self.unfinished);
        assert!(handled <= 60, "{handled} tasks in three days");
    }
}
