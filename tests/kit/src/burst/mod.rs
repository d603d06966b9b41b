//! A burst of orders on a virtual clock: the real push over fakes, with each shop's bucket of points, a fair queue,
//! a number of workers, and due work once a minute.
//!
//! A task is carried out at the moment at which a worker takes it, and keeps the worker busy for as long as its calls
//! would take: what concurrent workers do to each other is another test's matter.

mod meter;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use roundtrip_domain::Waits;
use roundtrip_domain::due::{Release, release_due};
use roundtrip_domain::id::{OrderId, OrderRef, ShopDomain};
use roundtrip_domain::order::Order;
use roundtrip_domain::ports::{Clock, Ledger, Ports, after};
use roundtrip_domain::push::push_order;
use roundtrip_domain::registry::{Connection, ConnectionSettings, ProductLink};
use roundtrip_domain::resync::{Phase, ResyncState, Run, resync};
use roundtrip_domain::step::StepId;
use roundtrip_domain::task::{Subject, Task, Trigger};

use crate::fake::{FakeChannel, ManualClock, MemoryLedger, MemoryTasks};
use crate::order::{connected, connection, link, moon, paid_order, shop, sun};
use meter::TaskClock;
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
    /// Orders of the last six days in the burst's shop, read by a resync that begins with the burst.
    pub read: Option<Read>,
}

/// What a resync reads.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    pub known: u32,
    /// Of which no webhook told.
    pub missed: u32,
}

/// What became of a resync.
#[derive(Debug, Clone)]
pub struct Resynced {
    pub run: Run,
    /// How long it took to read, without waiting for what was found to be fixed.
    pub read_after: Duration,
    /// The most bytes that its row held.
    pub most_held: usize,
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
    pub resynced: Option<Resynced>,
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
    ResyncWorkerIsFree,
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
    resync_queue: VecDeque<Task>,
    resync_worker_is_free: bool,
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
    if let Some(read) = burst.read {
        world.place_earlier(read).await;
    }
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
            resync_queue: VecDeque::new(),
            resync_worker_is_free: true,
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

    /// Orders of the days before, most of them known; and the resync is asked for. They go only by hand.
    async fn place_earlier(&mut self, read: Read) {
        let orders = read.known + read.missed;
        let first = self.start - SignedDuration::from_hours(6 * 24);
        let since = Some(self.start);
        let by_itself = ConnectionSettings { auto_push: true, auto_push_since: since, ..ConnectionSettings::default() };
        self.ports.ledger.put_connection(Connection { settings: by_itself, ..connection(true) });
        // The webhooks of those days cost nothing now.
        let Ports { ledger, tasks, clock, waits, channel } = self.ports.clone();
        let earlier = Ports { ledger, tasks, clock, waits, channel: channel.shops };
        for n in 0..orders {
            let at = OrderRef { shop: moon(), id: OrderId::new(1_000_000 + u64::from(n)) };
            let placed = after(first, Duration::from_secs(5 * 24 * 3600) * n / orders);
            let order = Order { at: at.clone(), ..paid_order(at.id.number(), placed) };
            earlier.channel.shop(&moon(), |shop| shop.orders.insert(at.id, order));
            if n >= read.missed {
                push_order(&earlier, &Task::new(Trigger::Webhook, "earlier", Subject::Order(at))).await.expect("known");
            }
        }
        self.ports.ledger.take_calls();
        self.resync_queue.push_back(Task::new(Trigger::Resync, "run", Subject::Shop { shop: moon() }));
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
            Event::Released(subject) => self.enqueue(Task::new(Trigger::DueWork, "run", subject)),
            Event::ResyncWorkerIsFree => self.resync_worker_is_free = true,
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
            self.enqueue(task);
        }
        self.report.most_queued = self.report.most_queued.max(self.queue.len());
    }

    /// A shop's resync has a queue and a worker of its own.
    fn enqueue(&mut self, task: Task) {
        match task.subject {
            Subject::Shop { .. } => self.resync_queue.push_back(task),
            Subject::Order(_) | Subject::FulfillmentOrder { .. } | Subject::Product { .. } => self.queue.put(task),
        }
    }

    async fn resync(&mut self) {
        let Some(task) = self.resync_queue.pop_front() else { return };
        self.resync_worker_is_free = false;
        let Ports { ledger, tasks, waits, channel, .. } = self.ports.clone();
        let ports = Ports { ledger, tasks, waits, clock: TaskClock(channel.clone()), channel };
        resync(&ports, &task).await.expect("the task is finished");
        let took = self.ports.channel.take_spent() + LEDGER_CALL * self.ports.ledger.take_calls();
        let done = after(self.ports.clock.now(), took);
        let known = self.ports.ledger.shop_step::<ResyncState>(&moon(), &StepId::Resync).await;
        let Some((step, _)) = known.expect("the ledger can be read") else { return };
        let held = serde_json::to_string(&step).expect("a step is plain data").len();
        let run = step.state.run.expect("it has begun");
        let before = self.report.resynced.take();
        let is_read = !matches!(run.phase, Phase::Reading { .. });
        let read_after = before.as_ref().map(|it| it.read_after).filter(|it| !it.is_zero());
        let now = done.duration_since(self.start).unsigned_abs();
        self.report.resynced = Some(Resynced {
            read_after: read_after.unwrap_or(if is_read { now } else { Duration::ZERO }),
            most_held: held.max(before.map_or(0, |it| it.most_held)),
            run,
        });
        self.plan(done, Event::ResyncWorkerIsFree);
    }

    /// Each free worker takes a task.
    async fn put_to_work(&mut self) {
        if self.resync_worker_is_free {
            self.resync().await;
        }
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
        let idle = self.queue.len() == 0 && self.resync_queue.is_empty() && self.free_workers == WORKERS;
        let to_come = self.agenda.values().any(|event| *event != Event::DueWork);
        idle && !to_come && self.due().await == 0
    }

    async fn due(&self) -> usize {
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
