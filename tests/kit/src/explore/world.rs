//! The world between two workers: all that is known when nobody is at work. Plain data, so it can be
//! copied and told from others.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::id::{OrderRef, ShopDomain};
use roundtrip_domain::ports::{Clock, Ledger};
use roundtrip_domain::push::OrderKey;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};

use super::choice::{INDEX_LAG, Script};
use super::scenario::Scenario;
use crate::fake::{self, FakePorts};

/// How long a message that was received is not seen by others. Source: `QueueVisibility` in template.yaml.
const VISIBILITY: Duration = Duration::from_secs(180);
/// How often due work runs. Source: its schedule in template.yaml.
const SCHEDULE: Duration = Duration::from_secs(60);

/// Tells this state of the order from others: two changes of one moment have one `updated_at`.
fn as_it_is(ports: &FakePorts, order: &OrderRef) -> Option<u64> {
    ports.channel.shop(&order.shop, |shop| shop.orders.get(&order.id).map(|order| digest(&format!("{order:?}"))))
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    Message { queue: Queue, task: Task, received: u32 },
    DueWork,
}

/// A message, and from when on it can be received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    visible_at: Timestamp,
    queue: Queue,
    task: Task,
    received: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct World {
    pub(super) ports: FakePorts,
    pub(super) messages: Vec<Message>,
    due_work_ran_at: Timestamp,
    /// The destination order's last change that its shop has told of.
    told_of: Option<u64>,
    pub(super) began_at: Timestamp,
    /// How many decisions were made so far, and which of them were not to proceed.
    pub(super) points: usize,
    pub(super) script: Script,
    pub(super) workers: usize,
}

impl World {
    /// The world as the scenario finds it.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let ports = fake::fork(&scenario.ports);
        let now = ports.clock.now();
        let mut world = Self {
            ports,
            messages: Vec::new(),
            due_work_ran_at: now,
            told_of: as_it_is(&scenario.ports, &scenario.order),
            began_at: now,
            points: 0,
            script: Script::new(),
            workers: 0,
        };
        scenario.tasks.iter().for_each(|(queue, task)| world.enqueue(*queue, task.clone()));
        world
    }

    /// A world of its own in which everything is the same.
    pub(super) fn fork(&self) -> Self {
        Self { ports: fake::fork(&self.ports), messages: self.messages.clone(), script: self.script.clone(), ..*self }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Tells this state from all others by which anything could go on differently.
    pub(super) fn digest(&self) -> u64 {
        let mut text = self.state();
        let _ = write!(text, "{} {:?} {} {:?}", self.now(), self.messages, self.due_work_ran_at, self.told_of);
        digest(&text)
    }

    /// All that lies in ledger, shops and queues.
    pub(super) fn state(&self) -> String {
        let mut text = String::with_capacity(16_384);
        let _ = fake::write_state(&self.ports, &mut text);
        text
    }

    /// A message comes to a queue.
    pub(super) fn enqueue(&mut self, queue: Queue, task: Task) {
        self.messages.push(Message { visible_at: self.now(), queue, task, received: 0 });
    }

    /// What was sent lies in its queue.
    pub(super) fn deliver_sent(&mut self) {
        while let Some((queue, task)) = self.ports.tasks.take() {
            self.enqueue(queue, task);
        }
    }

    /// The shop tells of a change of the destination order: a tag of ours is one.
    pub(super) fn tell_of_changes(&mut self, order: &OrderRef) {
        let as_it_is = as_it_is(&self.ports, order);
        if self.told_of != as_it_is {
            self.told_of = as_it_is;
            self.enqueue(Queue::OrderPush, Task::new(Trigger::Webhook, "updated", Subject::Order(order.clone())));
        }
    }

    /// Time is counted from now on.
    pub(super) fn begins_anew(&mut self) {
        self.began_at = self.now();
        self.due_work_ran_at = self.now();
    }

    /// What could be begun now. Of messages that are alike, one.
    pub(super) fn ready(&self) -> Vec<Work> {
        let now = self.now();
        let mut ready: Vec<Work> = Vec::new();
        for Message { queue, task, received, .. } in self.messages.iter().filter(|m| m.visible_at <= now) {
            let work = Work::Message { queue: *queue, task: task.clone(), received: *received };
            if !ready.contains(&work) {
                ready.push(work);
            }
        }
        if self.is_time_to_run() && self.next_run() == Some(now) {
            ready.push(Work::DueWork);
        }
        ready
    }

    /// Somebody begins with `work`.
    pub(super) fn begin(&mut self, work: &Work) {
        match work {
            Work::DueWork => self.due_work_ran_at = self.now(),
            Work::Message { queue, task, received } => {
                let now = self.now();
                let at = self.messages.iter().position(|message| {
                    message.visible_at <= now
                        && (message.queue, &message.task, message.received) == (*queue, task, *received)
                });
                self.messages.remove(at.expect("what is begun is ready"));
            }
        }
    }

    /// Its worker died or failed: the message is seen again when its time is over.
    pub(super) fn give_back(&mut self, work: Work, began_at: Timestamp) {
        if let Work::Message { queue, task, received } = work {
            self.messages.push(Message { visible_at: began_at + VISIBILITY, queue, task, received: received + 1 });
        }
    }

    /// The next moment at which something happens by itself.
    pub(super) fn next_moment(&self) -> Option<Timestamp> {
        let visible = self.messages.iter().map(|message| message.visible_at);
        visible.chain(self.next_run()).chain(self.ports.channel.next_landing()).min()
    }

    /// Whether due work runs at this moment, and has not yet.
    fn is_time_to_run(&self) -> bool {
        let since = self.now().duration_since(self.began_at).unsigned_abs();
        since.as_nanos().is_multiple_of(SCHEDULE.as_nanos()) && self.due_work_ran_at < self.now()
    }

    /// The next run of due work that finds something.
    fn next_run(&self) -> Option<Timestamp> {
        let due = ready(self.ports.ledger.due(Timestamp::MAX, 1)).expect("the fake ledger is up");
        let not_before = self.now().max(self.due_work_ran_at + Duration::from_nanos(1));
        let wanted = due.first()?.wake_up.at.max(not_before);
        let since = wanted.duration_since(self.began_at).unsigned_abs();
        let runs = since.as_nanos().div_ceil(SCHEDULE.as_nanos());
        Some(self.began_at + SCHEDULE * u32::try_from(runs).expect("no run takes so long"))
    }

    /// Whether an order with `key` is so new that the index may begin to lag behind it.
    pub(super) fn may_lag(&self, shop: &ShopDomain, key: &OrderKey) -> bool {
        let now = self.now();
        self.ports.channel.shop(shop, |shop| {
            let new = |id| shop.made_at.get(id).is_some_and(|at| *at + INDEX_LAG > now);
            let of_key = shop.pushed.iter().filter(|(_, draft)| draft.key == *key);
            of_key.into_iter().any(|(order, _)| new(&order.id) && !shop.not_indexed.contains_key(&order.id))
        })
    }
}

/// A text in 64 bits.
pub(super) fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The outcome of a future that never waits, as those of the fakes.
///
/// # Panics
/// If it waits.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the fakes never wait"),
    }
}
