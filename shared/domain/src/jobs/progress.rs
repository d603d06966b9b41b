//! What came of each step of a job: read from the ledger, where a success is what a shop showed.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;

use super::{Job, Work};
use crate::code::Code;
use crate::dead_letters::{DeadLetterId, understood};
use crate::id::OrderRef;
use crate::ports::{Ledger, LedgerError};
use crate::push::{CancelPhase, PushState};
use crate::record::{OrderRecord, Row, RowKey};
use crate::step::{Look, Step, StepId, WaitReason};
use crate::sync::source_orders;
use crate::writeback::{Phase, WritebackState};

/// What came of a step that was parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is parked still, as it was.
    Parked,
    /// It goes, or waits for the world.
    Running,
    /// It is done.
    Done,
    /// It was parked anew.
    Failed(Code),
    /// Nothing more is to be done for it, and it is not done: what it was for may not go any more.
    Dropped,
}

impl Fate {
    /// Whether it will not change by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Done | Self::Failed(_) | Self::Dropped => true,
            Self::Parked | Self::Running => false,
        }
    }

    fn of<S>(step: &Step<S>, generation: u32, is_done: impl FnOnce(&S) -> bool) -> Self {
        match (&step.parked, &step.wait) {
            (Some(parked), _) if !parked.is_listed() => Self::Dropped,
            (Some(_), _) if step.generation == generation => Self::Parked,
            (Some(parked), _) => Self::Failed(parked.code),
            (None, _) if is_done(&step.state) => Self::Done,
            (None, Some(_)) => Self::Running,
            (None, None) => Self::Dropped,
        }
    }

    /// Of a step that has no state of its own: it is done when nothing failed since, and nothing is under way.
    fn of_plain<S>(step: &Step<S>, generation: u32) -> Self {
        let goes = step.attempts > 0 || step.wait.as_ref().is_some_and(|wait| is_under_way(wait.why));
        match Self::of(step, generation, |_| true) {
            Self::Done if goes => Self::Running,
            fate => fate,
        }
    }
}

/// How many steps of a job stand where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    pub parked: usize,
    pub running: usize,
    pub done: usize,
    pub dropped: usize,
    pub failed: BTreeMap<Code, usize>,
}

/// Counts `fates`.
#[must_use]
pub fn progress(fates: &[Fate]) -> Progress {
    let mut progress = Progress::default();
    for fate in fates {
        match fate {
            Fate::Parked => progress.parked += 1,
            Fate::Running => progress.running += 1,
            Fate::Done => progress.done += 1,
            Fate::Dropped => progress.dropped += 1,
            Fate::Failed(code) => *progress.failed.entry(*code).or_default() += 1,
        }
    }
    progress
}

/// What came of each that a job has to do, by what it does. An order's tracking is written back once the ledger says of each
/// of its shipments that its store showed it when it was read again. Reads of a redrive as of [`fates`]; of the orders that
/// went one query each, and a batch for each fifty of their source orders; of a purge nothing.
///
/// # Errors
/// The ledger cannot be read.
pub async fn fates_of(ledger: &impl Ledger, job: &Job) -> Result<Vec<Fate>, LedgerError> {
    match &job.work {
        Work::Redrive(letters) => fates(ledger, letters).await,
        // It was found out as they were purged. Who stands where does not matter.
        Work::Purge(letters) => {
            let mut fates = vec![Fate::Done; job.purged];
            fates.resize(job.sent, Fate::Dropped);
            fates.resize(letters.len(), Fate::Parked);
            Ok(fates)
        }
        Work::Resend(orders) => {
            let mut records = Vec::with_capacity(orders.len());
            for order in &orders[..job.sent.min(orders.len())] {
                records.push(match ledger.load(order).await {
                    Ok(record) => Some(record),
                    Err(LedgerError::Unreadable(_)) => None,
                    Err(error) => return Err(error),
                });
            }
            let looked_at = looked_at_from(ledger, records.iter().flatten()).await?;
            let fate = |record: &Option<OrderRecord>| match record {
                None => Fate::Failed(Code::Unknown),
                Some(record) if source_orders(record).iter().any(|source| looked_at.contains(source)) => Fate::Running,
                Some(record) => of_tracking(record),
            };
            let mut fates: Vec<Fate> = records.iter().map(fate).collect();
            // Their turn has not come, however they stand.
            fates.resize(orders.len(), Fate::Parked);
            Ok(fates)
        }
    }
}

/// The source orders of `records` where somebody is still to look at what was shipped.
async fn looked_at_from(
    ledger: &impl Ledger,
    records: impl Iterator<Item = &OrderRecord>,
) -> Result<BTreeSet<OrderRef>, LedgerError> {
    let sources: BTreeSet<OrderRef> = records.flat_map(source_orders).collect();
    let rows =
        |source: OrderRef| [RowKey::Step(StepId::Look(Look::Shipments)), RowKey::Sync].map(|row| (source.clone(), row));
    let keys: Vec<(OrderRef, RowKey)> = sources.into_iter().flat_map(rows).collect();
    let is_looked_at = |record: &OrderRecord| {
        let wait = record.look(Look::Shipments).get().wait.as_ref();
        wait.is_some_and(|wait| is_under_way(wait.why)) || record.open_sync().is_some()
    };
    let known = OrderRecord::all_of(ledger.some_rows(&keys).await?).into_iter();
    Ok(known.filter(|(_, record)| record.as_ref().is_ok_and(is_looked_at)).map(|(source, _)| source).collect())
}

/// Whether a worker goes on with it, or is to.
fn is_under_way(why: WaitReason) -> bool {
    why.forbids_calls() || why == WaitReason::Requested
}

fn of_tracking(record: &OrderRecord) -> Fate {
    let steps = || record.writebacks.values().map(Row::get);
    if let Some(parked) = steps().find_map(|step| step.parked.as_ref()) {
        return Fate::Failed(parked.code);
    }
    // Its order is gone, or hidden from us: whether it is shown, nobody can say.
    let is_unseen = |step: &Step<WritebackState>| step.state.unseen && step.wait.is_none();
    let is_shown = |step: &Step<WritebackState>| {
        let is_looked_for = step.wait.as_ref().is_some_and(|wait| !wait.why.is_heard_later());
        matches!(step.state.phase, Phase::Written { .. } | Phase::CalledOff { .. }) && !is_looked_for
    };
    let is_looked_at = record.open_sync().is_some();
    let waits = steps().any(|step| step.wait.is_some());
    if !record.tags.get().state.unread.is_empty() && !is_looked_at && !waits {
        // A source order cannot be read any more: what it shipped is not known.
        return Fate::Failed(Code::ChannelUnavailable);
    }
    let is_settled = steps().all(|step| is_shown(step) || is_unseen(step));
    match (is_settled, record.writebacks.is_empty() || steps().any(is_unseen)) {
        (false, _) => Fate::Running,
        (true, _) if is_looked_at => Fate::Running,
        // Nothing was shipped, or nothing that is known or can be seen.
        (true, true) => Fate::Dropped,
        (true, false) => Fate::Done,
    }
}

/// What came of each of `letters`. A batch of reads for each fifty, and one for each step of a shop itself; again, if one seems
/// to be dropped.
///
/// # Errors
/// The ledger cannot be read.
pub async fn fates(ledger: &impl Ledger, letters: &[DeadLetterId]) -> Result<Vec<Fate>, LedgerError> {
    let mut fates = read_fates(ledger, letters).await?;
    // Rows are not read at one moment: what a worker goes on with just then may look as if nobody did.
    if fates.contains(&Fate::Dropped) {
        let again = read_fates(ledger, letters).await?;
        for (fate, again) in fates.iter_mut().zip(again).filter(|(fate, _)| **fate == Fate::Dropped) {
            *fate = again;
        }
    }
    Ok(fates)
}

async fn read_fates(ledger: &impl Ledger, letters: &[DeadLetterId]) -> Result<Vec<Fate>, LedgerError> {
    let steps = letters.iter().filter_map(|it| Some((it.order()?, RowKey::Step(it.step.clone()))));
    let keys: BTreeSet<(OrderRef, RowKey)> = steps.chain(letters.iter().filter_map(look_of)).collect();
    // What this release cannot read keeps no other from being told of.
    let mut rows = Vec::new();
    let mut crashes: BTreeMap<(OrderRef, StepId), Result<Step<IgnoredAny>, LedgerError>> = BTreeMap::new();
    for (order, row) in ledger.some_rows(&keys.into_iter().collect::<Vec<_>>()).await? {
        match &row.key {
            // No part of an order's record: no use case goes on with it.
            RowKey::Step(id @ StepId::Crash { .. }) => {
                crashes.insert((order, id.clone()), understood(row.body));
            }
            _ => rows.push((order, row)),
        }
    }
    let records = OrderRecord::all_of(rows);
    let unreadable = Fate::Failed(Code::Unknown);
    let mut fates = Vec::with_capacity(letters.len());
    for letter in letters {
        let is_handled = |step: &Step<IgnoredAny>| Fate::of(step, letter.generation, |_| true);
        let fate = match (letter.order(), &letter.step) {
            (Some(order), StepId::Crash { .. }) => {
                let known = crashes.get(&(order, letter.step.clone()));
                known.map(|step| step.as_ref().map_or(unreadable, is_handled))
            }
            (Some(order), _) => match records.get(&order) {
                None => None,
                Some(Err(_)) => Some(unreadable),
                Some(Ok(record)) => of_order(record, letter).map(|fate| {
                    let looked_at = || look_of(letter).and_then(|(at, _)| records.get(&at)?.as_ref().ok());
                    if fate == Fate::Dropped && is_waited_for(looked_at(), letter) { Fate::Running } else { fate }
                }),
            },
            (None, step) => {
                let known = ledger.shop_step::<IgnoredAny>(&letter.shop, step).await?;
                known.map(|(known, _)| match step {
                    StepId::Crash { .. } => is_handled(&known),
                    _ => Fate::of_plain(&known, letter.generation),
                })
            }
        };
        fates.push(fate.unwrap_or(Fate::Dropped));
    }
    Ok(fates)
}

/// The look that goes on with a step of an order.
fn look_of(letter: &DeadLetterId) -> Option<(OrderRef, RowKey)> {
    let order = letter.order()?;
    match &letter.step {
        StepId::Push { .. } | StepId::Cancel { .. } => Some((order, RowKey::Step(StepId::Look(Look::Order)))),
        StepId::Writeback(shipment) => {
            Some((shipment.looked_at_from(&order).clone(), RowKey::Step(StepId::Look(Look::Shipments))))
        }
        StepId::Look(_) | StepId::Tags | StepId::Connect | StepId::Resync | StepId::Crash { .. } => None,
    }
}

/// Whether the look that goes on with a step is still to come: it stands back for another step, or a store throttles it.
fn is_waited_for(looked_at: Option<&OrderRecord>, letter: &DeadLetterId) -> bool {
    let at = if matches!(letter.step, StepId::Writeback(_)) { Look::Shipments } else { Look::Order };
    looked_at.is_some_and(|record| record.look(at).get().wait.is_some())
}

/// `None`: its row is gone.
fn of_order(record: &OrderRecord, letter: &DeadLetterId) -> Option<Fate> {
    let generation = letter.generation;
    match &letter.step {
        StepId::Look(at) => Some(Fate::of_plain(record.look(*at).get(), generation)),
        StepId::Tags => Some(Fate::of_plain(record.tags.get(), generation)),
        StepId::Push { source, group } => {
            let step = record.pushes.get(&(source.clone(), *group)).map(Row::get)?;
            Some(Fate::of(step, generation, |state| matches!(state, PushState::Confirmed { .. })))
        }
        StepId::Cancel { source, group } => {
            let step = record.cancels.get(&(source.clone(), *group)).map(Row::get)?;
            Some(Fate::of(step, generation, |state| match state.phase {
                CancelPhase::Cancelled { .. } | CancelPhase::Gone | CancelPhase::Shipped => true,
                CancelPhase::Pending | CancelPhase::Sent { .. } | CancelPhase::NotWanted => false,
            }))
        }
        StepId::Writeback(shipment) => {
            let step = record.writebacks.get(shipment).map(Row::get)?;
            Some(Fate::of(step, generation, |state| match state.phase {
                Phase::Written { .. } | Phase::CalledOff { .. } => true,
                Phase::Pending | Phase::Sent { .. } | Phase::Verifying { .. } => false,
            }))
        }
        StepId::Connect | StepId::Resync | StepId::Crash { .. } => None,
    }
}
