//! A burst of orders on a virtual clock: the real push over fakes, with each shop's bucket of points, a fair queue,
//! a number of workers, and due work once a minute.
//!
//! A task is carried out at the moment at which a worker takes it, and keeps the worker busy for as long as its calls
//! would take: what concurrent workers do to each other is another test's matter.

mod meter;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::Waits;
use roundtrip_domain::due::{Release, release_due};
use roundtrip_domain::id::{OrderId, OrderRef, ShopDomain};
use roundtrip_domain::ports::{Clock, Ports, after};
use roundtrip_domain::push::push_order;
use roundtrip_domain::registry::{Connection, ProductLink};
use roundtrip_domain::task::{Subject, Task, Trigger};

use crate::fake::{FakeChannel, ManualClock, MemoryLedger, MemoryTasks};
use crate::order::{connected, connection, link, moon, paid_order, shop, sun};
pub use meter::{Limits, Metered};

/// What a ledger call takes.
const LEDGER_CALL: Duration = Duration::from_millis(8);
/// What a call to Shopify takes.
const SHOPIFY_CALL: Duration = Duration::from_millis(250);
/// The schedule of due work.
const MINUTE: Duration = Duration::from_secs(60);
/// `MaximumConcurrency` of a queue. Source: template.yaml, "normal".
const WORKERS: usize = 10;
/// A backlog that takes longer never drains.
const TOO_LONG: Duration = Duration::from_secs(24 * 3600);

/// A burst in one shop, and a trickle in another that shares workers and source store with it.
#[derive(Debug, Clone, Copy)]
pub struct Burst {
    pub orders: u32,
    pub trickle: u32,
    pub over: Duration,
    pub limits: Limits,
}

/// What became of it.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Orders at the source store.
    pub pushed: usize,
    /// Those of them that are there more than once.
    pub doubled: usize,
    /// Dead letters.
    pub parked: usize,
    /// Rows that are still due.
    pub due: usize,
    /// Calls to Shopify, and how many of them were throttled.
    pub calls: u32,
    pub throttled: u32,
    /// From the first order to the last push.
    pub drained_after: Duration,
    /// The most tasks that lay in the queue at once.
    pub most_queued: usize,
    /// From order to push, shortest first: in the burst's shop and in the other.
    pub waits: Vec<Duration>,
    pub trickle_waits: Vec<Duration>,
}

/// The wait that `percent` of the `waits` do not exceed.
#[must_use]
pub fn percentile(waits: &[Duration], percent: usize) -> Duration {
    waits.get((waits.len() * percent / 100).min(waits.len().saturating_sub(1))).copied().unwrap_or_default()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    OrderPlaced(OrderRef),
    Webhook(OrderRef),
    WorkerIsFree,
    DueWork,
    /// A task that due work held back for a while.
    Released(Subject),
}

struct World {
    ports: Ports<MemoryLedger, Metered, MemoryTasks, ManualClock>,
    start: Timestamp,
    agenda: BTreeMap<(Timestamp, u64), Event>,
    events: u64,
    queue: FairQueue,
    free_workers: usize,
    placed: BTreeMap<OrderRef, Timestamp>,
    report: Report,
}

/// The other shop, which sells little.
fn venus() -> ShopDomain {
    shop("venus")
}

/// Runs the burst until nothing is left to do.
///
/// # Panics
/// If the backlog does not drain within a day, or the ledger fails.
pub async fn run(burst: Burst) -> Report {
    let mut world = World::new(burst);
    while let Some(((at, _), event)) = world.agenda.pop_first() {
        let now = world.ports.clock.now();
        world.ports.clock.advance(at.duration_since(now).unsigned_abs());
        world.handle(event).await;
        world.put_to_work().await;
        let passed = at.duration_since(world.start).unsigned_abs();
        assert!(passed < TOO_LONG, "the backlog does not drain: {:?}", world.report);
        if world.is_done().await {
            break;
        }
    }
    world.finish()
}

impl World {
    fn new(burst: Burst) -> Self {
        let clock = ManualClock::default();
        let ledger = MemoryLedger::default();
        let channel = Metered::new(FakeChannel::new(clock.clone()), clock.clone(), burst.limits);
        let start = clock.now();
        for domain in [moon(), venus(), sun()] {
            let mut shop = connected(domain, start);
            shop.facts.iter_mut().for_each(|facts| facts.points_per_second = burst.limits.points_per_second);
            ledger.put_shop(shop);
        }
        for destination in [moon(), venus()] {
            ledger.put_connection(Connection { destination: destination.clone(), ..connection(true) });
            ledger.put_link(ProductLink { destination, ..link(1) });
        }
        let ports = Ports { ledger, channel, tasks: MemoryTasks::default(), clock, waits: Waits::default() };
        let mut world = Self {
            ports,
            start,
            agenda: BTreeMap::new(),
            events: 0,
            queue: FairQueue::default(),
            free_workers: WORKERS,
            placed: BTreeMap::new(),
            report: Report::default(),
        };
        for (shop, count) in [(moon(), burst.orders), (venus(), burst.trickle)] {
            for n in 0..count {
                let order = OrderRef { shop: shop.clone(), id: OrderId::new(u64::from(n) + 1) };
                world.plan(after(start, burst.over * n / count.max(1)), Event::OrderPlaced(order));
            }
        }
        world.plan(after(start, MINUTE), Event::DueWork);
        world
    }

    fn plan(&mut self, at: Timestamp, event: Event) {
        self.events += 1;
        self.agenda.insert((at, self.events), event);
    }

    async fn handle(&mut self, event: Event) {
        let now = self.ports.clock.now();
        match event {
            Event::OrderPlaced(at) => {
                let mut order = paid_order(at.id.number(), now);
                order.at = at.clone();
                self.ports.channel.shops.shop(&at.shop, |shop| shop.orders.insert(at.id, order));
                self.placed.insert(at.clone(), now);
                // orders/create, orders/paid
                for delay in [300, 900] {
                    self.plan(after(now, Duration::from_millis(delay)), Event::Webhook(at.clone()));
                }
            }
            Event::Webhook(at) => {
                let mut task = Task::new(Trigger::Webhook, "event", Subject::Order(at.clone()));
                task.seen_updated_at = self.placed.get(&at).copied();
                self.queue.put(task);
            }
            Event::Released(subject) => self.queue.put(Task::new(Trigger::DueWork, "run", subject)),
            Event::WorkerIsFree => self.free_workers += 1,
            Event::DueWork => {
                release_due(&self.ports, Release::default(), "run").await.expect("due work is released");
                self.plan(after(now, MINUTE), Event::DueWork);
            }
        }
        let later: Vec<_> = self.ports.tasks.sent().later.drain(..).collect();
        for (delay, _, task) in later {
            self.plan(after(now, delay), Event::Released(task.subject));
        }
        while let Some((_, task)) = self.ports.tasks.take() {
            self.queue.put(task);
        }
        self.report.most_queued = self.report.most_queued.max(self.queue.len());
    }

    /// Each free worker takes a task.
    async fn put_to_work(&mut self) {
        while self.free_workers > 0 {
            let Some(task) = self.queue.take() else { return };
            self.free_workers -= 1;
            push_order(&self.ports, &task).await.expect("the task is finished");
            let took = self.ports.channel.take_spent() + LEDGER_CALL * self.ports.ledger.take_calls();
            let done = after(self.ports.clock.now(), took);
            self.note_pushes(done);
            self.plan(done, Event::WorkerIsFree);
        }
    }

    /// Which orders have come to the source store by now.
    fn note_pushes(&mut self, at: Timestamp) {
        let pushed = self.ports.channel.shops.shop(&sun(), |shop| shop.pushed.len());
        let known = self.report.waits.len() + self.report.trickle_waits.len();
        if pushed == known {
            return;
        }
        let subjects: Vec<OrderRef> = self
            .ports
            .tasks
            .sent()
            .events
            .drain(..)
            .filter_map(|event| match event.kind {
                roundtrip_domain::event::EventKind::OrderPushed { order, .. } => {
                    Some(OrderRef { shop: event.shop, id: order.order })
                }
                _ => None,
            })
            .collect();
        for order in subjects {
            let waited = at.duration_since(self.placed[&order]).unsigned_abs();
            let waits = if order.shop == moon() { &mut self.report.waits } else { &mut self.report.trickle_waits };
            waits.push(waited);
            self.report.drained_after = at.duration_since(self.start).unsigned_abs();
        }
    }

    /// Nothing lies in the queue, nobody works, nothing is due and no order is to come.
    async fn is_done(&self) -> bool {
        let idle = self.queue.len() == 0 && self.free_workers == WORKERS;
        let to_come = self.agenda.values().any(|event| *event != Event::DueWork);
        idle && !to_come && self.due().await == 0
    }

    async fn due(&self) -> usize {
        use roundtrip_domain::ports::Ledger;
        self.ports.ledger.due(Timestamp::MAX, usize::MAX).await.expect("the ledger can be read").len()
    }

    fn finish(mut self) -> Report {
        let keys: Vec<String> = self
            .ports
            .channel
            .shops
            .shop(&sun(), |shop| shop.pushed.iter().map(|(_, draft)| draft.key.to_string()).collect());
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        self.report.pushed = keys.len();
        self.report.doubled = keys.len() - distinct.len();
        self.report.parked = self.ports.tasks.sent().parked.len();
        (self.report.calls, self.report.throttled) = self.ports.channel.calls();
        self.report.waits.sort();
        self.report.trickle_waits.sort();
        self.report
    }
}

/// A queue that serves its message groups in turn, as SQS's fair queues do: `MessageGroupId` is the shop.
#[derive(Debug, Default)]
struct FairQueue {
    groups: BTreeMap<ShopDomain, VecDeque<Task>>,
    turn: VecDeque<ShopDomain>,
}

impl FairQueue {
    fn put(&mut self, task: Task) {
        let shop = task.subject.shop().clone();
        let group = self.groups.entry(shop.clone()).or_default();
        if group.is_empty() {
            self.turn.push_back(shop);
        }
        group.push_back(task);
    }

    fn take(&mut self) -> Option<Task> {
        let shop = self.turn.pop_front()?;
        let group = self.groups.get_mut(&shop)?;
        let task = group.pop_front();
        if !group.is_empty() {
            self.turn.push_back(shop);
        }
        task
    }

    fn len(&self) -> usize {
        self.groups.values().map(VecDeque::len).sum()
    }
}
