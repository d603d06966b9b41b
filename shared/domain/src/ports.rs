//! What the use cases need of the world. Each port has a real implementation and a fake one, and one
//! contract suite that both pass.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::BoxError;
use crate::dead_letters::DeadLetter;
use crate::event::DomainEvent;
use crate::exceptions::Assignment;
use crate::history::HistoryEvent;
use crate::id::{OrderRef, ProductId, ShopDomain, VariantId};
use crate::jobs::Job;
use crate::links::Variant;
use crate::record::{Commit, OrderRecord, RowKey, StoredRow, UnreadableRow, WakeUp, Warned};
use crate::registry::{ConnectedShop, LinkChange, Links, Paused, ProductLink, ShopFacts};
use crate::secret::{AccessToken, AppCredentials};
use crate::step::{Step, StepId};
use crate::task::{Queue, Task};

pub use crate::channel::Channel;

/// What time it is. The domain never sleeps; it writes down until when to wait.
pub trait Clock {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// The ledger: our memory of orders. Reads are strongly consistent.
#[allow(async_fn_in_trait)] // Called only with concrete types; no caller needs to name the future.
pub trait Ledger {
    /// The rows of one order, without its history. One query.
    async fn rows(&self, order: &OrderRef) -> Result<Vec<StoredRow>, LedgerError>;

    /// All of `commit`, or nothing. One transaction.
    async fn commit(&self, commit: Commit) -> Result<(), LedgerError>;

    /// Up to `limit` rows that are due at `now`, earliest first within each shard.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRow>, LedgerError>;

    /// Moves the wake-up of a due row to `until`, unless a worker has written the row meanwhile.
    async fn postpone(&self, row: &DueRow, until: Timestamp) -> Result<(), LedgerError>;

    /// Rows of many orders. A batch of reads for each hundred.
    async fn some_rows(&self, keys: &[(OrderRef, RowKey)]) -> Result<Vec<(OrderRef, StoredRow)>, LedgerError>;

    /// A step of the shop itself, with its version; `None` if nobody asked for it.
    async fn shop_step<S: DeserializeOwned>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
    ) -> Result<Option<(Step<S>, u64)>, LedgerError>;

    /// Writes a step of the shop, on condition of its version.
    async fn save_shop_step<S: Serialize>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
        step: &Step<S>,
        version: u64,
    ) -> Result<(), LedgerError>;

    /// What [`Ledger::some_rows`] knows, by order.
    async fn load_rows(&self, keys: &[(OrderRef, RowKey)]) -> Result<BTreeMap<OrderRef, OrderRecord>, LedgerError> {
        let records = OrderRecord::all_of(self.some_rows(keys).await?);
        records.into_iter().map(|(order, record)| Ok((order, record?))).collect()
    }

    /// Everything known about one order. One query.
    async fn load(&self, order: &OrderRef) -> Result<OrderRecord, LedgerError> {
        let rows = self.rows(order).await?;
        Ok(OrderRecord::from_rows(order.clone(), rows)?)
    }

    /// Saves what changed in `records`, in one transaction; afterwards they have their new versions.
    /// Makes no call if nothing changed.
    async fn save(&self, records: &mut [&mut OrderRecord]) -> Result<(), LedgerError> {
        records.iter_mut().for_each(|record| record.note_summary());
        if !records.iter().any(|record| record.has_changes()) {
            return Ok(());
        }
        let mut commit = Commit::default();
        for record in records.iter() {
            record.stage(&mut commit);
        }
        self.commit(commit).await?;
        records.iter_mut().for_each(|record| record.saved());
        Ok(())
    }
}

/// What is parked.
#[allow(async_fn_in_trait)] // As above.
pub trait ParkedSteps {
    /// Up to `limit` parked steps of the shop and its orders, oldest first, behind `after`. One query; up to a second behind.
    async fn parked(&self, shop: &ShopDomain, after: Option<&str>, limit: u16) -> Result<ParkedPage, LedgerError>;

    /// Behind all that was parked before `at`, and before all that was parked then or later.
    fn place_at(&self, at: Timestamp) -> String;
}

/// One page of what is parked of a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParkedPage {
    pub letters: Vec<PlacedLetter>,
    /// Where the next page starts; `None`: this was the last.
    pub next: Option<String>,
}

/// A dead letter and where it stands among those of all shops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedLetter {
    /// Sorts by time.
    pub place: String,
    pub letter: DeadLetter,
}

/// What somebody must own beside what is parked, and who owns what.
#[allow(async_fn_in_trait)] // As above.
pub trait Exceptions {
    /// Up to `limit` orders of the shop with warnings that somebody has to own, oldest warning first, behind `after`. One
    /// query; up to a second behind.
    async fn warned(&self, shop: &ShopDomain, after: Option<&str>, limit: u16) -> Result<WarnedPage, LedgerError>;

    /// Who took which causes, also for a time that is over. One query.
    async fn assignments(&self) -> Result<Vec<Assignment>, LedgerError>;

    /// Writes who took a cause, whoever had it before.
    async fn assign(&self, assignment: &Assignment) -> Result<(), LedgerError>;

    /// Nobody has taken this cause any more.
    async fn release(&self, cause: &str) -> Result<(), LedgerError>;
}

/// One page of orders with warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WarnedPage {
    pub orders: Vec<(OrderRef, Warned)>,
    /// Where the next page starts; `None`: this was the last.
    pub next: Option<String>,
}

/// Jobs.
#[allow(async_fn_in_trait)] // As above.
pub trait Jobs {
    /// A job, with its version. One query.
    async fn job(&self, id: &str) -> Result<Option<(Job, u64)>, LedgerError>;

    /// Writes a job on condition of its version, and what its orders' histories say of it: up to 98 events. One transaction. Of
    /// one that is known already, only how far it has come.
    async fn save_job(&self, job: &Job, version: u64, history: &[(OrderRef, HistoryEvent)]) -> Result<(), LedgerError>;

    /// The ids of those that are open, oldest first. One query; up to a second behind.
    async fn open_jobs(&self) -> Result<Vec<String>, LedgerError>;
}

/// A row whose wait is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRow {
    /// The row, in the ledger's own words; only the ledger reads it.
    pub row: (String, String),
    pub wake_up: WakeUp,
}

/// Why the ledger did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Somebody else wrote one of the rows first. Nothing was written; read again.
    #[error("a row was changed by another worker meanwhile")]
    Conflict,
    /// The table cannot be reached, throttles, or refuses.
    #[error("the ledger cannot {doing}")]
    Unavailable {
        doing: &'static str,
        #[source]
        source: BoxError,
    },
    #[error(transparent)]
    Unreadable(#[from] UnreadableRow),
}

/// The registry: shops, connections, product links.
#[allow(async_fn_in_trait)] // As above.
pub trait Registry {
    /// A shop with its connections. One query.
    async fn shop(&self, domain: &ShopDomain) -> Result<Option<ConnectedShop>, LedgerError>;

    /// All registered shops. One query.
    async fn shops(&self) -> Result<Vec<ShopDomain>, LedgerError>;

    /// The links of `variants` of `destination`, and the shops `sources`. One batch of reads.
    async fn links(
        &self,
        destination: &ShopDomain,
        variants: &[VariantId],
        sources: &[ShopDomain],
    ) -> Result<Links, LedgerError>;

    /// The links that a change of `product` may concern, now that it has `variants`: those from and to its variants, and
    /// those from `shop` by a value that one of them carries. Reads in batches of a hundred.
    async fn links_about(
        &self,
        shop: &ShopDomain,
        product: ProductId,
        variants: &[Variant],
    ) -> Result<Vec<ProductLink>, LedgerError>;

    /// Writes each of `changes` on condition that its link is as it was read; some in one transaction, the next in
    /// another. Those of earlier transactions stay.
    async fn change_links(&self, changes: &[LinkChange]) -> Result<(), LedgerError>;

    /// Marks the shop as one that does not let us in.
    async fn pause(&self, domain: &ShopDomain, paused: &Paused) -> Result<(), LedgerError>;

    /// Writes what the shop says of itself: it lets us in again, if it did not.
    async fn record_facts(&self, domain: &ShopDomain, facts: &ShopFacts) -> Result<(), LedgerError>;
}

/// What opens the shops' doors: the app's own secret, and each shop's access token.
#[allow(async_fn_in_trait)] // As above.
pub trait Credentials {
    /// The app's client id and secrets.
    async fn app(&self) -> Result<AppCredentials, CredentialsError>;

    /// The token that is kept for a shop.
    async fn token(&self, shop: &ShopDomain) -> Result<Option<AccessToken>, CredentialsError>;

    /// Keeps a token, encrypted.
    async fn keep_token(&self, shop: &ShopDomain, token: &AccessToken) -> Result<(), CredentialsError>;
}

/// The vault cannot be read or written. Says nothing of what is in it.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}")]
pub struct CredentialsError {
    pub doing: &'static str,
    #[source]
    pub source: BoxError,
}

/// The work queues.
#[allow(async_fn_in_trait)] // As above.
pub trait Tasks {
    /// Stores `task` in `queue`; `Ok` means it is stored.
    async fn send(&self, queue: Queue, task: &Task) -> Result<(), QueueError>;

    /// Stores `task` in `queue` for a worker to take after `delay`: at most 15 minutes, in whole seconds.
    async fn send_later(&self, queue: Queue, task: &Task, delay: Duration) -> Result<(), QueueError>;

    /// Puts a parked step on the dead-letter queue of `queue`.
    async fn park(&self, queue: Queue, message: &ParkedMessage) -> Result<(), QueueError>;
}

/// The dead-letter queues.
#[allow(async_fn_in_trait)] // As above.
pub trait Letters {
    /// Up to ten letters of the dead-letter queue of `queue`; for some seconds nobody else gets them.
    async fn receive(&self, queue: Queue) -> Result<Vec<Letter>, QueueError>;

    /// Lets everybody get these again.
    async fn show_again(&self, queue: Queue, letters: &[Letter]) -> Result<(), QueueError>;

    /// Takes a letter off.
    async fn remove(&self, queue: Queue, letter: &Letter) -> Result<(), QueueError>;
}

/// A message on a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// By which it is taken off.
    pub receipt: String,
    /// When it, or the task that it is, was sent.
    pub sent_at: Timestamp,
    pub body: String,
}

/// The event bus.
#[allow(async_fn_in_trait)] // As above.
pub trait Events {
    /// Tells whoever listens; `Ok` means that the bus has it.
    async fn publish(&self, event: &DomainEvent) -> Result<(), EventError>;
}

/// Where a use case's messages go: tasks to the queues, events to the bus.
pub trait Outbox: Tasks + Events {}

impl<T: Tasks + Events> Outbox for T {}

/// What a dead-letter message says: which step, and why it stopped. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ParkedMessage {
    #[serde(rename = "v")]
    pub version: u32,
    /// The task that sets the step going again.
    pub task: Task,
    pub order: Option<OrderRef>,
    pub step: StepId,
    pub generation: u32,
    pub code: crate::code::Code,
    pub attempts: u32,
    pub first_error: Option<String>,
    pub last_error: Option<String>,
}

/// A queue did not take a message, or not give one.
#[derive(Debug, thiserror::Error)]
#[error("the queue {queue} did not take part")]
pub struct QueueError {
    pub queue: Queue,
    #[source]
    pub source: BoxError,
}

/// The event bus did not take an event.
#[derive(Debug, thiserror::Error)]
#[error("the event bus did not take {event}")]
pub struct EventError {
    pub event: &'static str,
    #[source]
    pub source: BoxError,
}

/// What every use case is given.
#[derive(Debug, Clone)]
pub struct Ports<L, C, T, K> {
    /// Ledger and registry.
    pub ledger: L,
    pub channel: C,
    pub tasks: T,
    pub clock: K,
    pub waits: crate::Waits,
}

/// `now + duration`, saturating.
#[must_use]
pub fn after(now: Timestamp, duration: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(duration).ok().and_then(|d| now.checked_add(d).ok()).unwrap_or(Timestamp::MAX)
}
