//! A ledger in memory, with the versions and transactions of the real one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use roundtrip_domain::connect::ConnectState;
use roundtrip_domain::dead_letters::{DeadLetter, DeadLetterId};
use roundtrip_domain::exceptions::Assignment;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{OrderRef, ProductId, ShopDomain, VariantId};
use roundtrip_domain::jobs::Job;
use roundtrip_domain::links::{Variant, Watch};
use roundtrip_domain::ports::{
    DueRow, Exceptions, Jobs, Ledger, LedgerError, ParkedPage, ParkedSteps, PlacedLetter, Registry, WarnedPage,
};
use roundtrip_domain::record::{Commit, RowKey, StoredRow, WakeUp, Warned};
use roundtrip_domain::registry::{
    ConnectedShop, Connection, LinkChange, Links, LocationMap, Paused, ProductLink, Shop, ShopFacts,
};
use roundtrip_domain::step::{Step, StepId, Wait};
use roundtrip_domain::task::Subject;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Meanwhile, lock};

/// See the module. Clones share one memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger(Arc<Mutex<Memory>>, Meanwhile);

#[derive(Debug, Clone, Default)]
struct Memory {
    rows: BTreeMap<(OrderRef, RowKey), Stored>,
    history: Vec<(OrderRef, HistoryEvent)>,
    shops: BTreeMap<ShopDomain, Shop>,
    connections: Vec<Connection>,
    links: Vec<ProductLink>,
    locations: BTreeMap<ShopDomain, LocationMap>,
    shop_steps: BTreeMap<(ShopDomain, StepId), (Value, u64)>,
    jobs: BTreeMap<String, (Job, u64)>,
    assignments: BTreeMap<String, Assignment>,
    calls: u32,
}

#[derive(Debug, Clone)]
struct Stored {
    version: u64,
    body: Value,
    due: Option<WakeUp>,
}

impl MemoryLedger {
    /// Registers a shop.
    pub fn put_shop(&self, shop: Shop) {
        lock(&self.0).shops.insert(shop.domain.clone(), shop);
    }

    /// Connects two shops, or changes how.
    pub fn put_connection(&self, connection: Connection) {
        let mut memory = lock(&self.0);
        memory.connections.retain(|c| (&c.destination, &c.source) != (&connection.destination, &connection.source));
        memory.connections.push(connection);
    }

    /// Ties two variants.
    pub fn put_link(&self, link: ProductLink) {
        lock(&self.0).links.push(link);
    }

    /// Says which locations of a shop stand for the places that goods are sent from.
    pub fn put_locations(&self, shop: &ShopDomain, map: LocationMap) {
        lock(&self.0).locations.insert(shop.clone(), map);
    }

    /// Asks for a shop to be connected.
    pub fn put_connect_step(&self, shop: &ShopDomain, step: Step<ConnectState>) {
        let body = serde_json::to_value(step).expect("a step is plain data");
        lock(&self.0).shop_steps.insert((shop.clone(), StepId::Connect), (body, 1));
    }

    /// Just before a shop's step is written for the `skip + 1`st time from now on, this happens.
    pub fn before_shop_step(&self, skip: u32, what: impl FnOnce() + Send + 'static) {
        self.1.set(skip, what);
    }

    /// The history of an order, oldest first.
    #[must_use]
    pub fn history(&self, order: &OrderRef) -> Vec<HistoryEvent> {
        lock(&self.0).history.iter().filter(|(at, _)| at == order).map(|(_, event)| event.clone()).collect()
    }

    /// How many calls were made since the last time this was asked.
    pub fn take_calls(&self) -> u32 {
        std::mem::take(&mut lock(&self.0).calls)
    }

    /// The version of a row; 0 if it is not there.
    #[must_use]
    pub fn version(&self, order: &OrderRef, key: &RowKey) -> u64 {
        lock(&self.0).rows.get(&(order.clone(), key.clone())).map_or(0, |row| row.version)
    }

    /// A memory of its own that holds the same.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(lock(&self.0).clone())), Meanwhile::default())
    }

    /// All that a use case can read of orders, as a text.
    ///
    /// # Errors
    /// Only those of `out`.
    pub fn write_state(&self, out: &mut impl fmt::Write) -> fmt::Result {
        for ((order, key), row) in &lock(&self.0).rows {
            writeln!(out, "{order} {key:?} {row:?}")?;
        }
        Ok(())
    }
}

/// `shop/id`, as an order shows itself; `None` for the row of a shop.
fn order_ref(text: &str) -> Option<OrderRef> {
    let (shop, id) = text.split_once('/')?;
    Some(OrderRef { shop: shop.parse().ok()?, id: id.parse().ok()? })
}

impl Ledger for MemoryLedger {
    async fn rows(&self, order: &OrderRef) -> Result<Vec<StoredRow>, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let rows = memory.rows.range((order.clone(), RowKey::Summary)..).take_while(|((at, _), _)| at == order);
        Ok(rows
            .map(|((_, key), row)| StoredRow { key: key.clone(), version: row.version, body: row.body.clone() })
            .collect())
    }

    async fn commit(&self, commit: Commit) -> Result<(), LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let version = |memory: &Memory, key: &(OrderRef, RowKey)| memory.rows.get(key).map_or(0, |row| row.version);
        for write in &commit.writes {
            if version(&memory, &(write.order.clone(), write.key.clone())) != write.expected {
                return Err(LedgerError::Conflict);
            }
        }
        for write in commit.writes {
            if let Some(body) = write.body {
                let row = Stored { version: write.expected + 1, body, due: write.due };
                memory.rows.insert((write.order, write.key), row);
            }
        }
        memory.history.extend(commit.history);
        Ok(())
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRow>, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let orders = memory.rows.iter().filter_map(|((order, key), row)| {
            let wake_up = row.due.clone()?;
            Some(DueRow { row: (order.to_string(), format!("{key:?}")), wake_up })
        });
        let shops = memory.shop_steps.iter().filter_map(|((shop, id), (step, _))| {
            let wait: Wait = serde_json::from_value(step.get("wait")?.clone()).ok()?;
            let subject = Subject::Shop { shop: shop.clone() };
            let wake_up = WakeUp { at: wait.until, queue: id.queue(), subject, why: wait.why };
            Some(DueRow { row: (shop.to_string(), id.to_string()), wake_up })
        });
        let mut due: Vec<DueRow> = orders.chain(shops).filter(|row| row.wake_up.at <= now).collect();
        due.sort_by_key(|row| row.wake_up.at);
        due.truncate(limit);
        Ok(due)
    }

    async fn postpone(&self, row: &DueRow, until: Timestamp) -> Result<(), LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let Some(order) = order_ref(&row.row.0) else { return Ok(()) };
        for ((at, key), stored) in memory.rows.range_mut((order.clone(), RowKey::Summary)..) {
            if *at != order {
                break;
            }
            if format!("{key:?}") == row.row.1
                && let Some(due) = stored.due.as_mut().filter(|due| due.at == row.wake_up.at)
            {
                due.at = until;
            }
        }
        Ok(())
    }

    async fn some_rows(&self, keys: &[(OrderRef, RowKey)]) -> Result<Vec<(OrderRef, StoredRow)>, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += u32::try_from(keys.len().div_ceil(100)).unwrap_or(u32::MAX);
        let row = |key: &(OrderRef, RowKey)| {
            let stored = memory.rows.get(key)?;
            let row = StoredRow { key: key.1.clone(), version: stored.version, body: stored.body.clone() };
            Some((key.0.clone(), row))
        };
        Ok(keys.iter().filter_map(row).collect())
    }

    async fn shop_step<S: DeserializeOwned>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
    ) -> Result<Option<(Step<S>, u64)>, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let stored = memory.shop_steps.get(&(domain.clone(), id.clone())).cloned();
        Ok(stored.map(|(body, version)| (serde_json::from_value(body).expect("a step of that kind"), version)))
    }

    async fn save_shop_step<S: Serialize>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
        step: &Step<S>,
        version: u64,
    ) -> Result<(), LedgerError> {
        self.1.happen();
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let key = (domain.clone(), id.clone());
        if memory.shop_steps.get(&key).map_or(0, |(_, version)| *version) != version {
            return Err(LedgerError::Conflict);
        }
        let body = serde_json::to_value(step).expect("a step is plain data");
        memory.shop_steps.insert(key, (body, version + 1));
        Ok(())
    }
}

impl ParkedSteps for MemoryLedger {
    async fn parked(&self, shop: &ShopDomain, after: Option<&str>, limit: u16) -> Result<ParkedPage, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let of_orders = memory.rows.iter().filter(|((at, _), _)| at.shop == *shop).filter_map(|((at, key), row)| {
            let RowKey::Step(step) = key else { return None };
            DeadLetter::of_row(shop, Some(at.id), step, row.body.clone()).expect("a step's row")
        });
        let of_shop =
            memory.shop_steps.iter().filter(|((at, _), _)| at == shop).filter_map(|((_, step), (body, _))| {
                DeadLetter::of_row(shop, None, step, body.clone()).expect("a step's row")
            });
        let place = |letter: &DeadLetter| {
            let DeadLetterId { order, step, .. } = &letter.id;
            let of = order.map_or_else(|| shop.to_string(), |order| order.to_string());
            format!("{:020}#{of}#{step}", letter.parked_at.as_nanosecond())
        };
        let placed = of_orders.chain(of_shop).map(|letter| PlacedLetter { place: place(&letter), letter });
        let mut letters: Vec<PlacedLetter> =
            placed.filter(|placed| after.is_none_or(|after| placed.place.as_str() > after)).collect();
        letters.sort_by(|one, other| one.place.cmp(&other.place));
        let is_cut = letters.len() > usize::from(limit);
        letters.truncate(limit.into());
        let next = letters.last().map(|placed| placed.place.clone()).filter(|_| is_cut);
        Ok(ParkedPage { letters, next })
    }

    fn place_at(&self, at: Timestamp) -> String {
        format!("{:020}", at.as_nanosecond())
    }
}

impl Exceptions for MemoryLedger {
    async fn warned(&self, shop: &ShopDomain, after: Option<&str>, limit: u16) -> Result<WarnedPage, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let rows = memory.rows.iter().filter(|((at, key), _)| at.shop == *shop && *key == RowKey::Warned);
        let mut orders: Vec<(String, OrderRef, Warned)> = rows
            .filter_map(|((at, _), row)| {
                let warned: Warned = serde_json::from_value(row.body.clone()).expect("a row of warnings");
                Some((format!("{:020}#{}", warned.since()?.as_nanosecond(), at.id), at.clone(), warned))
            })
            .filter(|(place, ..)| after.is_none_or(|after| place.as_str() > after))
            .collect();
        orders.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let is_cut = orders.len() > usize::from(limit);
        orders.truncate(limit.into());
        let next = orders.last().map(|(place, ..)| place.clone()).filter(|_| is_cut);
        Ok(WarnedPage { orders: orders.into_iter().map(|(_, at, warned)| (at, warned)).collect(), next })
    }

    async fn assignments(&self) -> Result<Vec<Assignment>, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        Ok(memory.assignments.values().cloned().collect())
    }

    async fn assign(&self, assignment: &Assignment) -> Result<(), LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        memory.assignments.insert(assignment.cause.clone(), assignment.clone());
        Ok(())
    }

    async fn release(&self, cause: &str) -> Result<(), LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        memory.assignments.remove(cause);
        Ok(())
    }
}

impl Jobs for MemoryLedger {
    async fn job(&self, id: &str) -> Result<Option<(Job, u64)>, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        Ok(memory.jobs.get(id).cloned())
    }

    async fn save_job(&self, job: &Job, version: u64, history: &[(OrderRef, HistoryEvent)]) -> Result<(), LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        if memory.jobs.get(&job.id).map_or(0, |(_, version)| *version) != version {
            return Err(LedgerError::Conflict);
        }
        memory.jobs.insert(job.id.clone(), (job.clone(), version + 1));
        memory.history.extend(history.iter().cloned());
        Ok(())
    }

    async fn open_jobs(&self) -> Result<Vec<String>, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let mut open: Vec<&Job> = memory.jobs.values().map(|(job, _)| job).filter(|job| job.is_open()).collect();
        open.sort_by_key(|job| job.asked_at);
        Ok(open.into_iter().map(|job| job.id.clone()).collect())
    }
}

impl Registry for MemoryLedger {
    async fn shop(&self, domain: &ShopDomain) -> Result<Option<ConnectedShop>, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let Some(shop) = memory.shops.get(domain).cloned() else { return Ok(None) };
        let outbound = memory.connections.iter().filter(|c| c.destination == *domain).cloned().collect();
        let inbound =
            memory.connections.iter().filter(|c| c.source == *domain).map(|c| c.destination.clone()).collect();
        let locations = memory.locations.get(domain).cloned().unwrap_or_default();
        Ok(Some(ConnectedShop { shop, outbound, inbound, locations }))
    }

    async fn shops(&self) -> Result<Vec<ShopDomain>, LedgerError> {
        Ok(lock(&self.0).shops.keys().cloned().collect())
    }

    async fn links(
        &self,
        destination: &ShopDomain,
        variants: &[VariantId],
        sources: &[ShopDomain],
    ) -> Result<Links, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let links = memory.links.iter().filter(|link| link.destination == *destination);
        let wanted = links.filter(|link| variants.contains(&link.destination_variant));
        let by_variant = wanted.map(|link| (link.destination_variant, link.clone())).collect();
        let shops = sources.iter().filter_map(|source| Some((source.clone(), memory.shops.get(source)?.clone())));
        Ok(Links { by_variant, sources: shops.collect(), ..Links::default() })
    }

    async fn links_about(
        &self,
        shop: &ShopDomain,
        product: ProductId,
        variants: &[Variant],
    ) -> Result<Vec<ProductLink>, LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let watched = Watch::of_product(product, variants);
        Ok(memory.links.iter().filter(|link| Watch::concerns(&watched, shop, link)).cloned().collect())
    }

    async fn change_links(&self, changes: &[LinkChange]) -> Result<(), LedgerError> {
        let mut memory = lock(&self.0);
        memory.calls += 1;
        let is_at = |link: &ProductLink, change: &LinkChange| {
            change.at() == Some((&link.destination, link.destination_variant))
        };
        for change in changes {
            let known = memory.links.iter().find(|link| is_at(link, change));
            if known.map(|link| link.version) != change.before.as_ref().map(|link| link.version) {
                return Err(LedgerError::Conflict);
            }
        }
        for change in changes {
            memory.links.retain(|link| !is_at(link, change));
            let version = change.before.as_ref().map_or(0, |link| link.version) + 1;
            memory.links.extend(change.after.clone().map(|link| ProductLink { version, ..link }));
        }
        Ok(())
    }

    async fn pause(&self, domain: &ShopDomain, paused: &Paused) -> Result<(), LedgerError> {
        if let Some(shop) = lock(&self.0).shops.get_mut(domain) {
            shop.paused = Some(paused.clone());
        }
        Ok(())
    }

    async fn record_facts(&self, domain: &ShopDomain, facts: &ShopFacts) -> Result<(), LedgerError> {
        if let Some(shop) = lock(&self.0).shops.get_mut(domain) {
            shop.facts = Some(facts.clone());
            shop.paused = None;
        }
        Ok(())
    }
}
