//! A save: what changed in a record, as writes that happen together or not at all.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::row::{Change, Row};
use super::{
    List, Listing, OrderRecord, Origin, PushRequest, Received, RequestState, Summary, SyncRequest, SyncState, Warned,
};
use crate::history::HistoryEvent;
use crate::id::{LabelId, OrderRef};
use crate::step::{Look, Step, StepId, WaitReason};
use crate::task::{Queue, Subject};

/// Which row of an order's record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKey {
    Summary,
    Personal,
    Origin,
    Step(StepId),
    Request(String),
    Label(LabelId),
    Shipments,
    Sync,
    Warned,
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
    /// Where it is listed.
    pub listed: Option<Listing>,
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

impl OrderRecord {
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
        push(RowKey::Summary, self.summary.as_ref().and_then(|row| stage(row, Extra::of_summary)));
        push(RowKey::Personal, self.personal.as_ref().and_then(|row| stage(row, |p| Extra::expires(p.expires_at))));
        push(RowKey::Origin, self.origin.as_ref().and_then(|row| stage(row, Extra::origin)));
        for look in Look::ALL {
            let id = StepId::Look(look);
            let staged = stage(self.look(look), |step| Extra::step(step, &id, at));
            push(RowKey::Step(id), staged);
        }
        for ((source, group), row) in &self.pushes {
            let id = StepId::Push { source: source.clone(), group: *group };
            let staged = stage(row, |step| Extra::step(step, &id, at));
            push(RowKey::Step(id), staged);
        }
        for ((source, group), row) in &self.cancels {
            let id = StepId::Cancel { source: source.clone(), group: *group };
            let staged = stage(row, |step| Extra::step(step, &id, at));
            push(RowKey::Step(id), staged);
        }
        for (shipment, row) in &self.writebacks {
            let id = StepId::Writeback(shipment.clone());
            let staged = stage(row, |step| Extra::step(step, &id, shipment.looked_at_from(at)));
            push(RowKey::Step(id), staged);
        }
        for (id, row) in &self.labels {
            push(RowKey::Label(id.clone()), stage(row, |_| Extra::default()));
        }
        push(RowKey::Step(StepId::Tags), stage(&self.tags, |step| Extra::step(step, &StepId::Tags, at)));
        for (id, row) in &self.requests {
            push(RowKey::Request(id.clone()), stage(row, |r| Extra::request(r, at)));
        }
        push(RowKey::Shipments, self.shipments.as_ref().and_then(|row| stage(row, |_| Extra::default())));
        push(RowKey::Warned, self.warned.as_ref().and_then(|row| stage(row, Extra::of_warned)));
        push(RowKey::Sync, self.sync.as_ref().and_then(|row| stage(row, |sync| Extra::sync(sync, at))));
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
        self.look_at_shipments.saved();
        self.pushes.values_mut().for_each(Row::saved);
        self.cancels.values_mut().for_each(Row::saved);
        self.writebacks.values_mut().for_each(Row::saved);
        self.labels.values_mut().for_each(Row::saved);
        self.tags.saved();
        self.requests.values_mut().for_each(Row::saved);
        self.shipments.iter_mut().for_each(Row::saved);
        self.sync.iter_mut().for_each(Row::saved);
        self.warned.iter_mut().for_each(Row::saved);
        self.claims.clear();
        self.history.clear();
    }
}

/// What a row says beside its body.
#[derive(Default)]
struct Extra {
    due: Option<WakeUp>,
    listed: Option<Listing>,
    expires_at: Option<Timestamp>,
}

impl Extra {
    fn of_summary(summary: &Summary) -> Self {
        let Summary { tab, created_at: at, name, .. } = summary;
        let listing = || Listing { list: List::Tab(*tab), at: *at, name: Some(name.clone()) };
        Self { listed: summary.listed.then(listing), ..Self::default() }
    }

    fn of_warned(warned: &Warned) -> Self {
        let listing = |at| Listing { list: List::Warned, at, name: None };
        Self { listed: warned.since().map(listing), ..Self::default() }
    }

    fn expires(at: Timestamp) -> Self {
        Self { expires_at: Some(at), ..Self::default() }
    }

    fn origin(origin: &Origin) -> Self {
        match origin {
            Origin::Pushed { received, .. } => {
                let listing = |it: &Received| Listing { list: List::Received, at: it.at, name: Some(it.name.clone()) };
                Self { listed: received.as_ref().map(listing), ..Self::default() }
            }
            Origin::Unclaimed { expires_at, .. } => Self::expires(*expires_at),
        }
    }

    /// Wakes whoever goes on with the step, by naming the order `looked_at`.
    fn step<S>(step: &Step<S>, id: &StepId, looked_at: &OrderRef) -> Self {
        let subject = Subject::Order(looked_at.clone());
        let due = step.wait.as_ref().map(|wait| WakeUp { at: wait.until, queue: id.queue(), subject, why: wait.why });
        Self { due, listed: step.parked.as_ref().and_then(Listing::of_parked), ..Self::default() }
    }

    fn requested(due: Timestamp, queue: Queue, at: &OrderRef) -> Self {
        let subject = Subject::Order(at.clone());
        Self { due: Some(WakeUp { at: due, queue, subject, why: WaitReason::Requested }), ..Self::default() }
    }

    fn sync(sync: &SyncRequest, at: &OrderRef) -> Self {
        match sync.state {
            SyncState::Open { due } => Self::requested(due, StepId::Look(sync.look).queue(), at),
            SyncState::Done { .. } | SyncState::Failed { .. } => Self::default(),
        }
    }

    fn request(request: &PushRequest, at: &OrderRef) -> Self {
        match request.state {
            RequestState::Open { due } => Self::requested(due, Queue::OrderPush, at),
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
