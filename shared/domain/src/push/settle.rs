//! Changing a push step in memory, settling it against other writers, parking it.

use jiff::Timestamp;

use super::PushState;
use crate::code::Code;
use crate::event::{DomainEvent, EventKind, EventOrder, EventSourceOrder};
use crate::history::HistoryEvent;
use crate::id::ShopDomain;
use crate::look::{announce, order_name};
use crate::order::SourceOrder;
use crate::ports::{Clock, Ledger, LedgerError, Outbox, Ports, after};
use crate::record::{OrderRecord, Row};
use crate::step::{AfterFailure, Failure, Step, StepId};
use crate::tags;
use crate::task::Task;
use crate::work::Unfinished;

/// How often a settlement is tried against other writers of the same order.
pub(super) const MAX_SETTLES: usize = 8;

/// Source shop and group: which push of an order.
pub(super) type PushId = (ShopDomain, u32);

/// The step's id in history and dead letters.
pub(super) fn step_id(id: &PushId) -> StepId {
    StepId::Push { source: id.0.clone(), group: id.1 }
}

/// One task's work on one push.
pub(super) struct Job<'a, L, C, T, K> {
    pub(super) ports: &'a Ports<L, C, T, K>,
    pub(super) task: &'a Task,
    pub(super) id: &'a PushId,
    /// By what a failure was decided; `None`: nothing but a person opens it again.
    pub(super) inputs: Option<String>,
}

impl<L: Ledger, C, T: Outbox, K: Clock> Job<'_, L, C, T, K> {
    pub(super) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Applies `change` to the step and logs the move, in memory.
    pub(super) fn change(
        &self,
        record: &mut OrderRecord,
        now: Timestamp,
        after: &str,
        detail: Option<&str>,
        change: impl FnOnce(&mut Step<PushState>),
    ) {
        let Some(row) = record.pushes.get_mut(self.id) else { return };
        let step = row.change();
        let before = step.state.name();
        change(step);
        let mut event = HistoryEvent::moved(now, self.task, step_id(self.id), before, after);
        if let Some(failure) = step.last_failure.as_ref().filter(|failure| failure.at == now) {
            event = event.with_failure(failure);
        } else if let Some(detail) = detail {
            event = event.with_detail(detail);
        }
        record.log(event);
        tags::note(record, now);
    }

    /// Settles a step that this worker owns, against all who write other rows of the same order.
    pub(super) async fn settle(
        &self,
        record: &mut OrderRecord,
        after: &str,
        detail: Option<&str>,
        change: impl Fn(&mut Step<PushState>, Timestamp),
    ) -> Result<(), Unfinished> {
        let version = self.version(record);
        let now = self.now();
        for _ in 0..MAX_SETTLES {
            self.change(record, now, after, detail, |step| change(step, now));
            match self.ports.ledger.save(&mut [&mut *record]).await {
                Err(LedgerError::Conflict) => *record = self.reload(record, version).await?,
                other => return Ok(other?),
            }
        }
        Err(LedgerError::Conflict.into())
    }

    pub(super) fn version(&self, record: &OrderRecord) -> u64 {
        record.pushes.get(self.id).map_or(0, Row::version)
    }

    /// The record as it is now, if the step is still as this worker left it. Another worker that moved it
    /// (a verification after the quarantine) knows better than a late one: then `Conflict`.
    pub(super) async fn reload(&self, record: &OrderRecord, version: u64) -> Result<OrderRecord, Unfinished> {
        let fresh = self.ports.ledger.load(&record.at).await?;
        if self.version(&fresh) == version { Ok(fresh) } else { Err(LedgerError::Conflict.into()) }
    }

    /// Counts a failure, and parks when it was the last one or a person has to decide.
    pub(super) async fn fail(
        &self,
        record: &mut OrderRecord,
        state: PushState,
        failure: Failure,
    ) -> Result<(), Unfinished> {
        let waits = self.ports.waits;
        self.settle(record, "failed", None, |step, now| {
            step.state = state.clone();
            let failure = Failure { at: now, ..failure.clone() };
            let code = failure.code;
            match step.fail(failure, |failed| waits.backoff(failed)) {
                AfterFailure::Retry => {}
                AfterFailure::Park => step.park(code, now, after(now, waits.quarantine), self.inputs.clone()),
            }
        })
        .await?;
        announce_parked(self.ports, record, |id, _| id == self.id).await
    }

    /// A failure that we found ourselves.
    pub(super) fn own_failure(&self, code: Code, message: String) -> Failure {
        Failure { at: self.now(), code, message, request_id: None }
    }
}

/// Tells of parked steps: of the one that its worker just parked, or of those whose worker must have died
/// before it did.
pub(super) async fn announce_parked<L: Ledger, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    whose: impl Fn(&PushId, &Step<PushState>) -> bool,
) -> Result<(), Unfinished> {
    let (at, name) = (record.at.clone(), order_name(record));
    let mut announced = false;
    for (id, row) in record.pushes.iter_mut().filter(|(id, row)| whose(id, row.get())) {
        if announce(ports, step_id(id), row.get(), (&at, name.clone()), at.clone()).await? {
            row.change().announced();
            announced = true;
        }
    }
    if announced {
        ports.ledger.save(&mut [record]).await?;
    }
    Ok(())
}

/// The event that says that a push is confirmed.
pub(super) fn pushed_event(record: &OrderRecord, id: &PushId, order: &SourceOrder, at: Timestamp) -> DomainEvent {
    let kind = EventKind::OrderPushed {
        order: EventOrder { order: record.at.id, order_name: order_name(record) },
        source_order: EventSourceOrder { shop: id.0.clone(), id: order.id, name: order.name.clone() },
    };
    DomainEvent::of_order(at, &record.at, step_id(id), kind)
}

/// Publishes what the event bus did not take before. A bus that is down keeps nothing else back.
pub(super) async fn publish_due<L: Ledger, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    now: Timestamp,
) -> Result<(), Unfinished> {
    let due: Vec<(PushId, DomainEvent)> = record
        .pushes
        .iter()
        .filter(|(_, row)| row.get().unpublished)
        .filter_map(|(id, row)| match &row.get().state {
            PushState::Confirmed { order, at, .. } => Some((id.clone(), pushed_event(record, id, order, *at))),
            PushState::NotPushed { .. } | PushState::Sent { .. } | PushState::Verifying { .. } => None,
        })
        .collect();
    for (id, event) in due {
        let taken = ports.tasks.publish(&event).await.is_ok();
        let again = after(now, ports.waits.retry_base);
        record.pushes.get_mut(&id).into_iter().for_each(|row| row.change().published(taken, now, again));
    }
    Ok(ports.ledger.save(&mut [record]).await?)
}
