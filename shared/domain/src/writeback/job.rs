//! One task's work on one destination order: changing a step, settling it against other writers, telling of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::{Phase, Terms, WritebackState, Written};
use crate::event::{DomainEvent, EventKind, EventOrder, EventTracking};
use crate::fingerprint::fingerprint;
use crate::history::HistoryEvent;
use crate::id::{OrderRef, ShipmentId};
use crate::look::{announce, order_name};
use crate::ports::{Clock, Ledger, LedgerError, Outbox, Ports, after};
use crate::record::{OrderRecord, Row};
use crate::step::{AfterFailure, Failure, Parked, Step, StepId};
use crate::tags;
use crate::task::Task;
use crate::work::Unfinished;

/// How often a settlement is tried against other writers of the same order.
const MAX_SETTLES: usize = 8;

/// What every part of the work needs.
pub(super) struct Job<'a, L, C, T, K> {
    pub(super) ports: &'a Ports<L, C, T, K>,
    pub(super) task: &'a Task,
    pub(super) destination_at: &'a OrderRef,
    pub(super) terms: Terms,
    /// The shipments that were called off: what was written for them may be taken over.
    pub(super) voided: BTreeSet<ShipmentId>,
    /// Somebody else wrote the order meanwhile, and what was changed in memory only is gone.
    reloaded: AtomicBool,
}

/// The step's id in history and dead letters.
pub(super) fn step_id(id: &ShipmentId) -> StepId {
    StepId::Writeback(id.clone())
}

impl<'a, L: Ledger, C, T: Outbox, K: Clock> Job<'a, L, C, T, K> {
    pub(super) fn new(
        ports: &'a Ports<L, C, T, K>,
        task: &'a Task,
        destination_at: &'a OrderRef,
        terms: Terms,
        voided: BTreeSet<ShipmentId>,
    ) -> Self {
        Self { ports, task, destination_at, terms, voided, reloaded: AtomicBool::new(false) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    pub(super) fn was_reloaded(&self) -> bool {
        self.reloaded.load(Ordering::Relaxed)
    }

    /// Whether a shipment was called off, so that what was written for it may be taken over. Whether a label was, is
    /// known whatever is looked at.
    pub(super) fn is_voided(&self, record: &OrderRecord, id: &ShipmentId) -> bool {
        let ShipmentId::Label(label) = id else { return self.voided.contains(id) };
        record.labels.get(label).is_some_and(|row| row.get().voided_at.is_some())
    }

    /// Which destination fulfillments were written for this shipment, and which for others.
    pub(super) fn written_by(&self, record: &OrderRecord, id: &ShipmentId) -> Written {
        let mut written = Written::default();
        for (other, row) in &record.writebacks {
            if other.is_label() != id.is_label() {
                written.told_otherwise.extend(&row.get().state.written);
            }
            if let (true, Phase::Written { tracking, .. }) = (other == id, &row.get().state.phase) {
                written.shown_as = Some(tracking.clone());
            }
            let list = if other == id {
                &mut written.here
            } else if self.is_voided(record, other) {
                &mut written.orphaned
            } else {
                &mut written.elsewhere
            };
            list.extend(&row.get().state.written);
        }
        written
    }

    /// Changes the step and logs the move, in memory.
    pub(super) fn change(
        &self,
        record: &mut OrderRecord,
        id: &ShipmentId,
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
        } else if !step.state.tracking().is_empty() {
            let numbers: Vec<&str> = step.state.tracking().iter().map(|info| info.number.as_str()).collect();
            event = event.with_detail(numbers.join(", "));
        }
        record.log(event);
        tags::note(record, now);
    }

    /// Saves the order, and the source order that it is looked at from, if there is one.
    pub(super) async fn save(
        &self,
        source: Option<&mut OrderRecord>,
        record: &mut OrderRecord,
    ) -> Result<(), LedgerError> {
        match source {
            Some(source) => self.ports.ledger.save(&mut [record, source]).await,
            None => self.ports.ledger.save(&mut [record]).await,
        }
    }

    /// Settles a step that this worker owns, against all who write other rows of the same order.
    pub(super) async fn settle(
        &self,
        record: &mut OrderRecord,
        id: &ShipmentId,
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
        id: &ShipmentId,
        failure: Failure,
        inputs: Option<String>,
        prepare: impl Fn(&mut Step<WritebackState>),
    ) -> Result<(), Unfinished> {
        let now = failure.at;
        let waits = self.ports.waits;
        if stays_parked(record, id, &failure, inputs.as_deref()) {
            return Ok(());
        }
        self.settle(record, id, |record| {
            self.change(record, id, now, "failed", |step| {
                if step.parked.is_some() {
                    // Parked over something else before.
                    step.reopen();
                }
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

    /// Tells of parked steps: of the one that its worker just parked, or of those whose worker must have died
    /// before it did.
    pub(super) async fn announce(
        &self,
        record: &mut OrderRecord,
        whose: impl Fn(&ShipmentId, &Step<WritebackState>) -> bool,
    ) -> Result<(), Unfinished> {
        let (at, name) = (record.at.clone(), order_name(record));
        let mut announced = false;
        for (id, row) in record.writebacks.iter_mut().filter(|(id, row)| whose(id, row.get())) {
            let subject = id.looked_at_from(&at).clone();
            if announce(self.ports, step_id(id), row.get(), (&at, name.clone()), subject).await? {
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

/// Publishes what the event bus did not take before: what follows may write over what was to be told. A bus
/// that is down keeps nothing else back.
pub(super) async fn publish_due<L: Ledger, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
) -> Result<(), LedgerError> {
    let now = ports.clock.now();
    let due: Vec<(ShipmentId, DomainEvent)> = record
        .writebacks
        .iter()
        .filter(|(_, row)| row.get().unpublished)
        .filter_map(|(id, row)| Some((id.clone(), written_event(record, id, &row.get().state)?)))
        .collect();
    for (id, event) in due {
        let taken = ports.tasks.publish(&event).await.is_ok();
        let again = after(now, ports.waits.retry_base);
        record.writebacks.get_mut(&id).into_iter().for_each(|row| row.change().published(taken, now, again));
    }
    ports.ledger.save(&mut [record]).await
}

/// Whether a step that is decided anew is parked for the same reason already: that was told once, and is not
/// told again. From now on it is parked over `inputs`.
pub(super) fn stays_parked(record: &mut OrderRecord, id: &ShipmentId, failure: &Failure, inputs: Option<&str>) -> bool {
    let told = |parked: &Parked| parked.announced && parked.is_listed() && parked.code == failure.code;
    let row = record.writebacks.get_mut(id).filter(|row| row.get().parked.as_ref().is_some_and(told));
    let Some(step) = row.map(Row::change) else { return false };
    step.last_failure = Some(failure.clone());
    if let Some(parked) = &mut step.parked {
        parked.inputs = inputs.map(ToOwned::to_owned);
    }
    true
}

/// The event that says that a shipment is shown; `None` if it is not.
pub(super) fn written_event(record: &OrderRecord, id: &ShipmentId, state: &WritebackState) -> Option<DomainEvent> {
    let Phase::Written { tracking, at } = &state.phase else { return None };
    let shown = tracking.iter().map(|t| EventTracking { company: t.company.clone(), number: t.number.clone() });
    let step = step_id(id);
    // Other numbers are another event.
    let what = format!("{step}#{}", fingerprint(tracking));
    let kind = EventKind::TrackingWrittenBack {
        order: EventOrder { order: record.at.id, order_name: order_name(record) },
        step,
        tracking: shown.collect(),
        fulfillments: state.written.clone(),
    };
    Some(DomainEvent::of_order(*at, &record.at, what, kind))
}
