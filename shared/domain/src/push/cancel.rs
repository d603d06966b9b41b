//! Cancelling a source order because its destination order was cancelled, where the connection asks for it.
//!
//! A cancellation cannot be taken back, and repeating one is harmless: a call without an answer needs no protocol of
//! its own. The shop takes it now and carries it out later, so that only what it shows of the order counts.

mod attempt;

use std::collections::btree_map::Entry;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use attempt::go_on;

use super::PushState;
use super::settle::PushId;
use super::use_case::View;
use super::warnings::rewarn;
use crate::history::HistoryEvent;
use crate::id::OrderRef;
use crate::order::CancelReason;
use crate::record::{OrderRecord, Row};
use crate::step::{Step, StepId, WaitReason};
use crate::tags;
use crate::task::Task;

/// What a source shop is told with a cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cancellation {
    pub reason: CancelReason,
    /// Whether the goods go back to its stock.
    pub restock: bool,
    /// For the source store's staff. Names no person; the channel cuts it where it is too long.
    pub staff_note: String,
}

/// A source order that is to be cancelled, or is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelState {
    #[serde(flatten)]
    pub phase: CancelPhase,
    /// Why the destination order was cancelled.
    #[serde(default = "unsaid")]
    pub reason: CancelReason,
}

/// How far the cancellation of a source order has come.
///
/// ```text
/// Pending ─claim─► Sent ─ the shop shows it ─► Cancelled
///    ▲ │             ├─ nothing was done, or nothing shows after the quarantine ─► Pending (waiting, or parked)
///    │ │             └─ something was shipped ─► Shipped
///    │ ├─ seen before the call ─► Cancelled, Shipped, Gone
///    │ └─ the setting is off ─► NotWanted
///    └──────────── it is on ───────┘
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CancelPhase {
    /// The connection's setting was switched off before anything was done.
    NotWanted,
    /// To be cancelled; no call is on its way.
    Pending,
    /// The call is on its way, or was made. Whether it had an effect shows when the order is read.
    Sent { at: Timestamp },
    /// Its shop shows it as cancelled since `seen_at` at the latest, whoever did that.
    Cancelled { seen_at: Timestamp },
    /// Something of it was shipped: a person decides.
    Shipped,
    /// Its shop has no such order any more.
    Gone,
}

fn unsaid() -> CancelReason {
    CancelReason::Other
}

impl CancelState {
    /// Its name in history, API and log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.phase {
            CancelPhase::NotWanted => "not-wanted",
            CancelPhase::Pending => "pending",
            CancelPhase::Sent { .. } => "sent",
            CancelPhase::Cancelled { .. } => "cancelled",
            CancelPhase::Shipped => "shipped",
            CancelPhase::Gone => "gone",
        }
    }
}

/// The step's id in history and dead letters.
fn step_id(id: &PushId) -> StepId {
    StepId::Cancel { source: id.0.clone(), group: id.1 }
}

/// Makes due, in memory, what is to be cancelled at source stores because `view` shows the order cancelled.
pub(super) fn note(record: &mut OrderRecord, view: &View, now: Timestamp) {
    if view.order.cancelled_at.is_none() {
        return;
    }
    let mut wanted = Vec::new();
    for (id, row) in &mut record.pushes {
        if !matches!(row.get().state, PushState::Confirmed { .. }) {
            // Whoever confirms it just now must not be missed: he need not have seen the cancellation.
            row.hold();
        } else if view.shop.connection(&id.0).is_some_and(|connection| connection.settings.cancel_source) {
            wanted.push(id.clone());
        }
    }
    for id in wanted {
        let reason = view.order.cancel_reason.clone().unwrap_or_else(unsaid);
        let state = CancelState { phase: CancelPhase::Pending, reason };
        let row = match record.cancels.entry(id) {
            Entry::Vacant(vacant) => vacant.insert(Row::new(Step::new(state))),
            Entry::Occupied(known) => {
                let row = known.into_mut();
                if row.get().state.phase != CancelPhase::NotWanted {
                    continue;
                }
                row.change().state = state;
                row
            }
        };
        row.change().wait(now, now, WaitReason::Requested);
    }
}

/// The source order was seen to be cancelled, by whomever: nothing is left to do about it, in memory.
pub(crate) fn note_cancelled(record: &mut OrderRecord, source: &OrderRef, task: &Task, now: Timestamp) {
    let is_made = |id: &PushId, state: &PushState| match state {
        PushState::Confirmed { order, .. } => (&id.0, order.id) == (&source.shop, source.id),
        PushState::NotPushed { .. } | PushState::Sent { .. } | PushState::Verifying { .. } => false,
    };
    let made = record.pushes.iter().find(|(id, row)| is_made(id, &row.get().state));
    let Some(id) = made.map(|(id, _)| id.clone()) else { return };
    let known = record.cancels.get(&id).map(|row| &row.get().state);
    if known.is_some_and(|state| matches!(state.phase, CancelPhase::Cancelled { .. })) {
        return;
    }
    let before = known.map_or("standing", CancelState::name);
    let reason = known.map_or_else(unsaid, |state| state.reason.clone());
    let state = CancelState { phase: CancelPhase::Cancelled { seen_at: now }, reason };
    record.log(HistoryEvent::moved(now, task, step_id(&id), before, state.name()));
    record.cancels.entry(id).or_insert_with(|| Row::new(Step::new(state.clone()))).change().succeed(state);
    rewarn(record, now);
    tags::note(record, now);
}
