//! Everything the ledger knows about one order, as one unit of work.
//!
//! A record is read with one query. A use case changes rows in memory and saves the record; the save
//! is one transaction in which each changed row depends on the version that was read, and the history
//! goes with it. A save that meets a newer version changes nothing, and the use case looks again.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::history::HistoryEvent;
use crate::id::{FulfillmentId, OrderRef, ShopDomain, VariantId};
use crate::money::Money;
use crate::order::{FinancialStatus, FulfillmentStatus};
use crate::push::PushState;
use crate::step::{Step, StepId, WaitReason};
use crate::task::{Queue, Subject};
use crate::writeback::WritebackState;

/// A row with the version on which a write of it depends; version 0 is a row that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<T> {
    value: T,
    version: u64,
    change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Write,
    /// Not written, but the save depends on nobody else having written it.
    Check,
}

impl<T> Row<T> {
    /// A row that is not in the ledger yet, and is to be.
    pub fn new(value: T) -> Self {
        Self { value, version: 0, change: Change::Write }
    }

    /// A row that is not in the ledger; written only if it changes.
    fn absent(value: T) -> Self {
        Self { value, version: 0, change: Change::None }
    }

    /// What it says.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// For changing it: the next save writes it.
    pub fn change(&mut self) -> &mut T {
        self.change = Change::Write;
        &mut self.value
    }

    /// Makes the next save depend on this row being as it was read.
    pub fn hold(&mut self) {
        if self.change == Change::None {
            self.change = Change::Check;
        }
    }

    /// The version that was read or last saved.
    pub fn version(&self) -> u64 {
        self.version
    }

    fn saved(&mut self) {
        if self.change == Change::Write {
            self.version += 1;
        }
        self.change = Change::None;
    }
}

/// Everything about one order: as a destination order (summary, pushes, writebacks), as a source order
/// (origin), or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    pub at: OrderRef,
    pub summary: Option<Row<Summary>>,
    pub personal: Option<Row<Personal>>,
    pub origin: Option<Row<Origin>>,
    /// Reading this order and seeing what is to be done: its failures and waits.
    pub look: Row<Step<LookState>>,
    /// By source shop and group.
    pub pushes: BTreeMap<(ShopDomain, u32), Row<Step<PushState>>>,
    /// By source order and fulfillment.
    pub writebacks: BTreeMap<(OrderRef, FulfillmentId), Row<Step<WritebackState>>>,
    /// By id.
    pub requests: BTreeMap<String, Row<PushRequest>>,
    /// Rows of source orders that this save puts there.
    claims: Vec<(OrderRef, Origin)>,
    history: Vec<HistoryEvent>,
}

/// What a list row and the eligibility rules need of a destination order. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub name: String,
    pub created_at: Timestamp,
    /// Shopify's; an older one never overwrites a newer one.
    pub updated_at: Timestamp,
    pub cancelled_at: Option<Timestamp>,
    pub test: bool,
    pub financial_status: FinancialStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub total: Money,
    pub shipping_method: Option<String>,
    pub tags: Vec<String>,
    pub lines: Vec<SummaryLine>,
    pub tracking_numbers: Vec<String>,
    /// In which of the four tabs it stands.
    pub tab: Tab,
}

/// A line in the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryLine {
    pub title: String,
    pub sku: Option<String>,
    pub variant: Option<VariantId>,
    pub quantity: u32,
    /// The source shop that holds it, if its product is linked.
    pub source: Option<ShopDomain>,
}

/// The four tabs of the order list; an order stands in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tab {
    NotPushed,
    PartiallyPushed,
    Pushed,
    Cancelled,
}

impl Tab {
    /// All four, as a page shows them.
    pub const ALL: [Self; 4] = [Self::NotPushed, Self::PartiallyPushed, Self::Pushed, Self::Cancelled];

    /// As stored, and as the API takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotPushed => "not-pushed",
            Self::PartiallyPushed => "partially-pushed",
            Self::Pushed => "pushed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Tab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not a [`Tab`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tab: give not-pushed, partially-pushed, pushed or cancelled")]
pub struct InvalidTab(String);

impl FromStr for Tab {
    type Err = InvalidTab;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|tab| tab.name() == text).ok_or_else(|| InvalidTab(text.chars().take(40).collect()))
    }
}

/// The personal data that a list must show. Stands only here, expires, and leaves a tombstone when it
/// is redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    pub customer_name: Option<String>,
    pub expires_at: Timestamp,
    #[serde(default)]
    pub redacted: bool,
}

/// What an order of a source shop is to us. Written by two parties, each on condition that the other
/// was not there first: the push that made the order, and a writeback that heard of it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Origin {
    /// Pushed from this destination order.
    Pushed { destination: OrderRef, group: u32 },
    /// Something was shipped of it, but no push is known to have made it (yet). Expires.
    Unclaimed { seen_at: Timestamp, expires_at: Timestamp },
}

/// Which queue looks at the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookState {
    pub queue: Queue,
}

/// A person asked to push an order to a source shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRequest {
    pub source: ShopDomain,
    pub group: u32,
    pub requested_at: Timestamp,
    pub requested_by: String,
    pub state: RequestState,
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RequestState {
    /// Looked at again at `due`, if nobody does before.
    Open { due: Timestamp },
    /// The order is at the source shop.
    Done { order: crate::channel::SourceOrder },
    /// Not eligible; each reason names what was seen and what would be needed.
    Refused { reasons: Vec<crate::push::Refusal> },
    /// Parked with this code; redrive it.
    Failed { code: crate::code::Code },
}

/// Which row of an order's record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKey {
    Summary,
    Personal,
    Origin,
    Step(StepId),
    Request(String),
}

/// A row as it lies in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRow {
    pub key: RowKey,
    pub version: u64,
    pub body: Value,
}

/// One write of a save.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    pub order: OrderRef,
    pub key: RowKey,
    /// The version that must be there; 0: none must be there.
    pub expected: u64,
    /// `None`: only check the version.
    pub body: Option<Value>,
    /// When due work must wake it.
    pub due: Option<WakeUp>,
    /// Under which tab and time it is listed.
    pub listed: Option<(Tab, Timestamp)>,
    pub expires_at: Option<Timestamp>,
}

/// A wake-up: when, and which task to send where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WakeUp {
    pub at: Timestamp,
    pub queue: Queue,
    pub subject: Subject,
    pub why: WaitReason,
}

/// A save: all of it happens, or nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commit {
    pub writes: Vec<Write>,
    pub history: Vec<(OrderRef, HistoryEvent)>,
}

/// A row that this release cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the ledger row {key:?} of {order} does not parse")]
pub struct UnreadableRow {
    order: OrderRef,
    key: RowKey,
    #[source]
    source: serde_json::Error,
}

impl OrderRecord {
    /// An order that the ledger does not know.
    #[must_use]
    pub fn empty(at: OrderRef) -> Self {
        Self {
            at,
            summary: None,
            personal: None,
            origin: None,
            look: Row::absent(Step::new(LookState { queue: Queue::OrderPush })),
            pushes: BTreeMap::new(),
            writebacks: BTreeMap::new(),
            requests: BTreeMap::new(),
            claims: Vec::new(),
            history: Vec::new(),
        }
    }

    /// The record that `rows` make up.
    ///
    /// # Errors
    /// A row does not parse: a newer release wrote it in a shape that this one cannot read.
    pub fn from_rows(at: OrderRef, rows: impl IntoIterator<Item = StoredRow>) -> Result<Self, UnreadableRow> {
        let mut record = Self::empty(at);
        for row in rows {
            let StoredRow { key, version, body } = row;
            let order = &record.at;
            match key {
                RowKey::Summary => record.summary = Some(read(order, &RowKey::Summary, version, body)?),
                RowKey::Personal => record.personal = Some(read(order, &RowKey::Personal, version, body)?),
                RowKey::Origin => record.origin = Some(read(order, &RowKey::Origin, version, body)?),
                RowKey::Step(StepId::Look | StepId::Connect) => {
                    record.look = read(order, &RowKey::Step(StepId::Look), version, body)?;
                }
                RowKey::Step(StepId::Push { ref source, group }) => {
                    let row = read(order, &key, version, body)?;
                    record.pushes.insert((source.clone(), group), row);
                }
                RowKey::Step(StepId::Writeback { ref source, fulfillment }) => {
                    let row = read(order, &key, version, body)?;
                    record.writebacks.insert((source.clone(), fulfillment), row);
                }
                RowKey::Request(ref id) => {
                    let row = read(order, &key, version, body)?;
                    record.requests.insert(id.clone(), row);
                }
            }
        }
        Ok(record)
    }

    /// Appends to the history with the next save.
    pub fn log(&mut self, event: HistoryEvent) {
        self.history.push(event);
    }

    /// With the next save, says of a source order that it was pushed from here. The save fails if the
    /// source order has an origin row already.
    pub fn claim(&mut self, source_order: OrderRef, origin: Origin) {
        self.claims.push((source_order, origin));
    }

    /// Whether any row waits for something, or is due.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.look.get().wait.is_some()
            || self.pushes.values().any(|row| row.get().wait.is_some())
            || self.writebacks.values().any(|row| row.get().wait.is_some())
            || self.open_requests().next().is_some()
    }

    /// The requests that nobody has answered yet.
    pub fn open_requests(&self) -> impl Iterator<Item = (&String, &PushRequest)> {
        self.requests
            .iter()
            .map(|(id, row)| (id, row.get()))
            .filter(|(_, request)| matches!(request.state, RequestState::Open { .. }))
    }

    /// Whether a save would write anything.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        let mut commit = Commit::default();
        self.stage(&mut commit);
        commit.writes.iter().any(|write| write.body.is_some()) || !commit.history.is_empty()
    }

    /// What a save of this record writes.
    pub fn stage(&self, commit: &mut Commit) {
        let at = &self.at;
        let mut push = |key: RowKey, staged: Option<Staged>| {
            if let Some(staged) = staged {
                commit.writes.push(staged.into_write(at.clone(), key));
            }
        };
        push(RowKey::Summary, self.summary.as_ref().and_then(|row| stage(row, |s| Extra::listed(s.tab, s.created_at))));
        push(RowKey::Personal, self.personal.as_ref().and_then(|row| stage(row, |p| Extra::expires(p.expires_at))));
        push(RowKey::Origin, self.origin.as_ref().and_then(|row| stage(row, Extra::origin)));
        let look_queue = self.look.get().state.queue;
        push(RowKey::Step(StepId::Look), stage(&self.look, |s| Extra::step(s, look_queue, Subject::Order(at.clone()))));
        for ((source, group), row) in &self.pushes {
            let key = RowKey::Step(StepId::Push { source: source.clone(), group: *group });
            push(key, stage(row, |s| Extra::step(s, Queue::OrderPush, Subject::Order(at.clone()))));
        }
        for ((source, fulfillment), row) in &self.writebacks {
            let key = RowKey::Step(StepId::Writeback { source: source.clone(), fulfillment: *fulfillment });
            push(key, stage(row, |s| Extra::step(s, Queue::TrackingWriteback, Subject::Order(source.clone()))));
        }
        for (id, row) in &self.requests {
            push(RowKey::Request(id.clone()), stage(row, |r| Extra::request(r, at)));
        }
        for (order, origin) in &self.claims {
            if let Some(staged) = stage(&Row::new(origin.clone()), Extra::origin) {
                commit.writes.push(staged.into_write(order.clone(), RowKey::Origin));
            }
        }
        commit.history.extend(self.history.iter().map(|event| (at.clone(), event.clone())));
    }

    /// The save happened: rows have their new versions, and nothing is left to save.
    pub fn saved(&mut self) {
        self.summary.iter_mut().for_each(Row::saved);
        self.personal.iter_mut().for_each(Row::saved);
        self.origin.iter_mut().for_each(Row::saved);
        self.look.saved();
        self.pushes.values_mut().for_each(Row::saved);
        self.writebacks.values_mut().for_each(Row::saved);
        self.requests.values_mut().for_each(Row::saved);
        self.claims.clear();
        self.history.clear();
    }
}

fn read<T: DeserializeOwned>(
    order: &OrderRef,
    key: &RowKey,
    version: u64,
    body: Value,
) -> Result<Row<T>, UnreadableRow> {
    match serde_json::from_value(body) {
        Ok(value) => Ok(Row { value, version, change: Change::None }),
        Err(source) => Err(UnreadableRow { order: order.clone(), key: key.clone(), source }),
    }
}

/// What a row says beside its body.
#[derive(Default)]
struct Extra {
    due: Option<WakeUp>,
    listed: Option<(Tab, Timestamp)>,
    expires_at: Option<Timestamp>,
}

impl Extra {
    fn listed(tab: Tab, created_at: Timestamp) -> Self {
        Self { listed: Some((tab, created_at)), ..Self::default() }
    }

    fn expires(at: Timestamp) -> Self {
        Self { expires_at: Some(at), ..Self::default() }
    }

    fn origin(origin: &Origin) -> Self {
        match origin {
            Origin::Pushed { .. } => Self::default(),
            Origin::Unclaimed { expires_at, .. } => Self::expires(*expires_at),
        }
    }

    fn step<S>(step: &Step<S>, queue: Queue, subject: Subject) -> Self {
        let due = step.wait.as_ref().map(|wait| WakeUp { at: wait.until, queue, subject, why: wait.why });
        Self { due, ..Self::default() }
    }

    fn request(request: &PushRequest, at: &OrderRef) -> Self {
        match request.state {
            RequestState::Open { due } => {
                let subject = Subject::Order(at.clone());
                let why = WaitReason::Requested;
                Self { due: Some(WakeUp { at: due, queue: Queue::OrderPush, subject, why }), ..Self::default() }
            }
            RequestState::Done { .. } | RequestState::Refused { .. } | RequestState::Failed { .. } => Self::default(),
        }
    }
}

struct Staged {
    expected: u64,
    body: Option<Value>,
    extra: Extra,
}

impl Staged {
    fn into_write(self, order: OrderRef, key: RowKey) -> Write {
        let Self { expected, body, extra } = self;
        Write { order, key, expected, body, due: extra.due, listed: extra.listed, expires_at: extra.expires_at }
    }
}

fn stage<T: Serialize>(row: &Row<T>, extra: impl FnOnce(&T) -> Extra) -> Option<Staged> {
    match row.change {
        Change::None => None,
        Change::Check => Some(Staged { expected: row.version, body: None, extra: Extra::default() }),
        Change::Write => {
            let body = serde_json::to_value(&row.value).expect("rows are plain data with text keys");
            Some(Staged { expected: row.version, body: Some(body), extra: extra(&row.value) })
        }
    }
}
