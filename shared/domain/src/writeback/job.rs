//! One task's work on one pair of orders: changing a step, settling it against other writers, parking it.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::{Phase, TrackingInfo, WritebackState};
use crate::history::HistoryEvent;
use crate::id::{FulfillmentId, OrderRef};
use crate::look::parked_message;
use crate::ports::{Clock, Ledger, LedgerError, Ports, Tasks, after};
use crate::record::{OrderRecord, Row};
use crate::step::{AfterFailure, Failure, Step, StepId};
use crate::task::{Queue, Task};
use crate::work::Unfinished;

/// How often a settlement is tried against other writers of the same order.
const MAX_SETTLES: usize = 8;

/// Source order and fulfillment: which writeback of an order.
pub(super) type WritebackId = (OrderRef, FulfillmentId);

/// What every part of the work needs.
pub(super) struct Job<'a, L, C, T, K> {
    pub(super) ports: &'a Ports<L, C, T, K>,
    pub(super) task: &'a Task,
    pub(super) source_at: &'a OrderRef,
    pub(super) destination_at: &'a OrderRef,
    /// Whether a first call may mail the customer.
    pub(super) notify: bool,
    /// Somebody else wrote the order meanwhile, and what was changed in memory only is gone.
    reloaded: AtomicBool,
}

/// The step's id in history and dead letters.
pub(super) fn step_id(id: &WritebackId) -> StepId {
    StepId::Writeback { source: id.0.clone(), fulfillment: id.1 }
}

impl<'a, L: Ledger, C, T: Tasks, K: Clock> Job<'a, L, C, T, K> {
    pub(super) fn new(
        ports: &'a Ports<L, C, T, K>,
        task: &'a Task,
        source_at: &'a OrderRef,
        destination_at: &'a OrderRef,
        notify: bool,
    ) -> Self {
        Self { ports, task, source_at, destination_at, notify, reloaded: AtomicBool::new(false) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    pub(super) fn was_reloaded(&self) -> bool {
        self.reloaded.load(Ordering::Relaxed)
    }

    /// Changes the step and logs the move, in memory.
    pub(super) fn change(
        &self,
        record: &mut OrderRecord,
        id: &WritebackId,
        now: Timestamp,
        after: &str,
        apply: impl FnOnce(&mut Step<WritebackState>),
    ) {
        let Some(row) = record.writebacks.get_mut(id) else { return };
        let step = row.change();
        let before = step.state.name();
        apply(step);
        let mut event = HistoryEvent::moved(now, self.task, step_id(id), before, after);
        if let Some(failure) = step.last_failure.as_ref().filter(|failure| failure.at == now) {
            event = event.with_failure(failure);
        } else if let Some(numbers) = numbers(&step.state.phase) {
            event = event.with_detail(numbers);
        }
        record.log(event);
    }

    /// Settles a step that this worker owns, against all who write other rows of the same order.
    pub(super) async fn settle(
        &self,
        record: &mut OrderRecord,
        id: &WritebackId,
        apply: impl Fn(&mut OrderRecord),
    ) -> Result<(), Unfinished> {
        let version = record.writebacks.get(id).map_or(0, Row::version);
        for _ in 0..MAX_SETTLES {
            apply(record);
            match self.ports.ledger.save(&mut [&mut *record]).await {
                Err(LedgerError::Conflict) => {
                    let fresh = self.ports.ledger.load(&record.at).await?;
                    if fresh.writebacks.get(id).map_or(0, Row::version) != version {
                        return Err(LedgerError::Conflict.into());
                    }
                    *record = fresh;
                    self.reloaded.store(true, Ordering::Relaxed);
                }
                other => return Ok(other?),
            }
        }
        Err(LedgerError::Conflict.into())
    }

    /// Counts a failure after `prepare`, and parks when it was the last one or a person has to decide.
    pub(super) async fn fail(
        &self,
        record: &mut OrderRecord,
        id: &WritebackId,
        failure: Failure,
        inputs: Option<String>,
        prepare: impl Fn(&mut Step<WritebackState>),
    ) -> Result<(), Unfinished> {
        let now = failure.at;
        let waits = self.ports.waits;
        self.settle(record, id, |record| {
            self.change(record, id, now, "failed", |step| {
                prepare(step);
                match step.fail(failure.clone(), |failed| waits.backoff(failed)) {
                    AfterFailure::Retry => {}
                    AfterFailure::Park => step.park(failure.code, now, after(now, waits.quarantine), inputs.clone()),
                }
            });
        })
        .await?;
        self.announce(record, |row_id, _| row_id == id).await
    }

    /// Sends the dead-letter messages of parked steps: of the one that its worker just parked, or of those
    /// whose worker must have died before it did.
    pub(super) async fn announce(
        &self,
        record: &mut OrderRecord,
        whose: impl Fn(&WritebackId, &Step<WritebackState>) -> bool,
    ) -> Result<(), Unfinished> {
        let at = record.at.clone();
        let mut announced = false;
        for (id, row) in record.writebacks.iter_mut().filter(|(id, row)| whose(id, row.get())) {
            if let Some(message) = parked_message(row.get(), &at, step_id(id), id.0.clone()) {
                self.ports.tasks.park(Queue::TrackingWriteback, &message).await?;
                row.change().announced();
                announced = true;
            }
        }
        if announced {
            self.ports.ledger.save(&mut [record]).await?;
        }
        Ok(())
    }
}

fn numbers(phase: &Phase) -> Option<String> {
    let tracking: &[TrackingInfo] = match phase {
        Phase::Written { tracking, .. } => tracking,
        Phase::Sent { draft, .. } | Phase::Verifying { draft, .. } => &draft.tracking,
        Phase::Pending => return None,
    };
    Some(tracking.iter().map(|info| info.number.as_str()).collect::<Vec<_>>().join(", "))
}
