//! Fakes of the ports: they keep state like the real ones, and pass the same contract suites.

mod channel;
mod ledger;
mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::event::DomainEvent;
use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::ports::{
    Clock, Credentials, CredentialsError, EventError, Events, Letter, Letters, ParkedMessage, Ports, QueueError, Tasks,
};
use roundtrip_domain::secret::{AccessToken, AppCredentials, Secret};
use roundtrip_domain::task::{Queue, Task};
use roundtrip_domain::{Waits, ports};

use crate::order::{connected, connection, link, moon, paid_order, sun};

pub use channel::{FakeChannel, Fault};
pub use ledger::MemoryLedger;
pub use shop::{FakeShop, MANUAL};

/// A clock that moves only when it is told to.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl Default for ManualClock {
    fn default() -> Self {
        let start = "2026-11-22T08:00:00Z".parse().expect("a time");
        Self(Arc::new(Mutex::new(start)))
    }
}

impl ManualClock {
    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut now = lock(&self.0);
        *now = ports::after(*now, by);
    }

    /// Lets time pass until `moment`.
    pub fn advance_to(&self, moment: Timestamp) {
        let mut now = lock(&self.0);
        *now = moment.max(*now);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *lock(&self.0)
    }
}

/// Queues in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryTasks(Arc<Mutex<Sent>>);

/// What was sent so far.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    pub work: Vec<(Queue, Task)>,
    /// What due work asked to be held back for a while; it is taken as if that had passed.
    pub later: Vec<(Duration, Queue, Task)>,
    pub parked: Vec<(Queue, ParkedMessage)>,
    /// What SQS put on a dead-letter queue by itself.
    pub crashed: Vec<(Queue, Letter)>,
    /// The receipts of letters that somebody looks at.
    pub hidden: BTreeSet<String>,
    pub events: Vec<DomainEvent>,
    /// While set, no queue takes anything.
    pub down: bool,
    /// While set, the event bus takes nothing.
    pub bus_down: bool,
}

impl MemoryTasks {
    /// What was sent, to read or to change.
    pub fn sent(&self) -> MutexGuard<'_, Sent> {
        lock(&self.0)
    }

    /// Takes the oldest task.
    pub fn take(&self) -> Option<(Queue, Task)> {
        let mut sent = self.sent();
        if !sent.work.is_empty() {
            return Some(sent.work.remove(0));
        }
        (!sent.later.is_empty()).then(|| sent.later.remove(0)).map(|(_, queue, task)| (queue, task))
    }
}

impl Tasks for MemoryTasks {
    async fn send(&self, queue: Queue, task: &Task) -> Result<(), QueueError> {
        let mut sent = self.sent();
        if sent.down {
            return Err(QueueError { queue, source: "the queue is down".into() });
        }
        sent.work.push((queue, task.clone()));
        Ok(())
    }

    async fn send_later(&self, queue: Queue, task: &Task, delay: Duration) -> Result<(), QueueError> {
        if delay < Duration::from_secs(1) {
            return self.send(queue, task).await;
        }
        let mut sent = self.sent();
        if sent.down {
            return Err(QueueError { queue, source: "the queue is down".into() });
        }
        sent.later.push((delay, queue, task.clone()));
        Ok(())
    }

    async fn park(&self, queue: Queue, message: &ParkedMessage) -> Result<(), QueueError> {
        let mut sent = self.sent();
        if sent.down {
            return Err(QueueError { queue, source: "the queue is down".into() });
        }
        sent.parked.push((queue, message.clone()));
        Ok(())
    }
}

impl Sent {
    /// What lies on the dead-letter queue of `queue`.
    #[must_use]
    pub fn letters(&self, queue: Queue) -> Vec<Letter> {
        let parked = self.parked.iter().filter(|(of, _)| *of == queue).map(|(_, message)| {
            let body = serde_json::to_string(message).expect("a message is plain data");
            Letter { receipt: body.clone(), sent_at: Timestamp::UNIX_EPOCH, body }
        });
        let crashed = self.crashed.iter().filter(|(of, _)| *of == queue).map(|(_, letter)| letter.clone());
        parked.chain(crashed).collect()
    }
}

impl Letters for MemoryTasks {
    async fn receive(&self, queue: Queue) -> Result<Vec<Letter>, QueueError> {
        let mut sent = self.sent();
        if sent.down {
            return Err(QueueError { queue, source: "the queue is down".into() });
        }
        let mut letters = sent.letters(queue);
        letters.retain(|letter| !sent.hidden.contains(&letter.receipt));
        letters.truncate(10);
        sent.hidden.extend(letters.iter().map(|letter| letter.receipt.clone()));
        Ok(letters)
    }

    async fn show_again(&self, _: Queue, letters: &[Letter]) -> Result<(), QueueError> {
        let mut sent = self.sent();
        sent.hidden.retain(|receipt| !letters.iter().any(|letter| letter.receipt == *receipt));
        Ok(())
    }

    async fn remove(&self, _: Queue, letter: &Letter) -> Result<(), QueueError> {
        let mut sent = self.sent();
        sent.crashed.retain(|(_, other)| other.receipt != letter.receipt);
        sent.parked.retain(|(_, message)| serde_json::to_string(message).ok().as_ref() != Some(&letter.receipt));
        Ok(())
    }
}

impl Events for MemoryTasks {
    async fn publish(&self, event: &DomainEvent) -> Result<(), EventError> {
        let mut sent = self.sent();
        if sent.bus_down {
            return Err(EventError { event: event.kind.name(), source: "the bus is down".into() });
        }
        sent.events.push(event.clone());
        Ok(())
    }
}

/// A vault in memory.
#[derive(Debug, Clone)]
pub struct MemoryVault {
    app: AppCredentials,
    tokens: Arc<Mutex<BTreeMap<ShopDomain, AccessToken>>>,
}

impl MemoryVault {
    /// Holds the app's credentials, and no token yet.
    #[must_use]
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        let app = AppCredentials {
            client_id: client_id.to_owned(),
            client_secret: Secret::new(client_secret),
            previous_client_secret: None,
        };
        Self { app, tokens: Arc::default() }
    }
}

impl Credentials for MemoryVault {
    async fn app(&self) -> Result<AppCredentials, CredentialsError> {
        Ok(self.app.clone())
    }

    async fn token(&self, shop: &ShopDomain) -> Result<Option<AccessToken>, CredentialsError> {
        Ok(lock(&self.tokens).get(shop).cloned())
    }

    async fn keep_token(&self, shop: &ShopDomain, token: &AccessToken) -> Result<(), CredentialsError> {
        lock(&self.tokens).insert(shop.clone(), token.clone());
        Ok(())
    }
}

/// The use cases' ports, all fake.
pub type FakePorts = Ports<MemoryLedger, FakeChannel, MemoryTasks, ManualClock>;

/// Fake ports with the waits of production: the clock is told to pass them.
#[must_use]
pub fn ports() -> FakePorts {
    let clock = ManualClock::default();
    Ports {
        ledger: MemoryLedger::default(),
        channel: FakeChannel::new(clock.clone()),
        tasks: MemoryTasks::default(),
        clock,
        waits: Waits::default(),
    }
}

/// A moon that sells what the sun holds, pushed without being asked for, and a paid order of one unit.
#[must_use]
pub fn placed(order: u64) -> FakePorts {
    let ports = ports();
    let now = ports.clock.now();
    ports.ledger.put_shop(connected(moon(), now));
    ports.ledger.put_shop(connected(sun(), now));
    ports.ledger.put_connection(connection(true));
    ports.ledger.put_link(link(1));
    ports.channel.shop(&moon(), |shop| shop.orders.insert(OrderId::new(order), paid_order(order, now)));
    ports
}

/// Ports of their own that hold the same.
#[must_use]
pub fn fork(ports: &FakePorts) -> FakePorts {
    let clock = ManualClock(Arc::new(Mutex::new(ports.clock.now())));
    Ports {
        ledger: ports.ledger.fork(),
        channel: ports.channel.fork(clock.clone()),
        tasks: MemoryTasks(Arc::new(Mutex::new(ports.tasks.sent().clone()))),
        clock,
        waits: ports.waits,
    }
}

/// All that is behind the ports, as a text: a use case cannot tell two states apart that read the same.
///
/// # Errors
/// Only those of `out`.
pub fn write_state(ports: &FakePorts, out: &mut impl fmt::Write) -> fmt::Result {
    ports.ledger.write_state(out)?;
    ports.channel.write_state(out)?;
    write!(out, "{:?}", *ports.tasks.sent())
}

/// What another worker does at a moment that a test has chosen: just before one of the calls to come.
#[derive(Clone, Default)]
struct Meanwhile(Arc<Mutex<Option<Chosen>>>);

/// The calls before it, and what is done.
type Chosen = (u32, Box<dyn FnOnce() + Send>);

impl Meanwhile {
    fn set(&self, skip: u32, what: impl FnOnce() + Send + 'static) {
        *lock(&self.0) = Some((skip, Box::new(what)));
    }

    /// One of the calls.
    fn happen(&self) {
        let mut chosen = lock(&self.0);
        if let Some((_, what)) = chosen.take_if(|(skip, _)| *skip == 0) {
            // What it does may be such a call itself.
            drop(chosen);
            what();
        } else if let Some((skip, _)) = chosen.as_mut() {
            *skip -= 1;
        }
    }
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meanwhile({})", if lock(&self.0).is_some() { "something" } else { "nothing" })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
