//! Writeback: what a source store shipped is shown to the customer, once, with its tracking.

mod allocate;
pub mod carriers;
mod job;
mod label;
mod plan;
mod protocol;
mod resend;
mod settle;
mod shipment;
mod use_case;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use label::{LabelRefused, MAX_LABELS, MAX_NUMBERS, Told, tell_label, void_label};
pub use plan::{
    DraftLines, FulfillmentDraft, Terms, TrackingInfo, TrackingUpdate, WritebackCall, WritebackPlan, Written,
    plan_writeback,
};
pub(crate) use resend::resend;
pub use shipment::{Label, LabelLine, Lines, Shipment};
pub use use_case::write_back;

use crate::id::FulfillmentId;
use crate::step::Step;

/// How far the writeback of one shipment has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WritebackState {
    #[serde(flatten)]
    pub phase: Phase,
    /// The destination fulfillments that were written for it.
    #[serde(default)]
    pub written: Vec<FulfillmentId>,
    /// The numbers that the customer was mailed about, or may have been. A repeat never mails again; a
    /// number leaves the set only when its call had no effect for sure.
    #[serde(default)]
    pub mailed: BTreeSet<String>,
    /// How many calls ended without an answer and, as was seen later, without an effect.
    #[serde(default)]
    pub unknown_rounds: u32,
    /// A backfill came upon it: the customer, who may have it by now, is not mailed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// It was to be looked for, and nobody could: an order is gone, or hidden from us. Whoever looks next finds out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
}

/// The phase of a writeback.
///
/// ```text
/// Pending ─claim─► Sent ─► Written (re-read: the customer sees it) ─► CalledOff (another took its place)
///    ▲              ├─ definite no effect ─► Pending (waiting, or parked with its code)
///    └── absent ◄── Verifying ◄─ no definite answer, or found after the quarantine
/// ```
///
/// Other numbers for what is written lead through `Sent` again, with a call that overwrites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Phase {
    /// Nothing is on its way.
    Pending,
    /// A call is on its way. Younger than the quarantine it belongs to the worker that made it.
    Sent {
        #[serde(rename = "draft")]
        call: WritebackCall,
        at: Timestamp,
    },
    /// What an unanswered call did shows after the quarantine.
    Verifying {
        #[serde(rename = "draft")]
        call: WritebackCall,
        sent_at: Timestamp,
    },
    /// The destination shows it.
    Written { tracking: Vec<TrackingInfo>, at: Timestamp },
    /// The shipment was called off, and the destination shows nothing of it (any more).
    CalledOff { at: Timestamp },
}

impl Step<WritebackState> {
    /// Its order is gone or hidden: nothing is waited for any more.
    fn give_up(&mut self) {
        self.state.unseen |= self.wait.take().is_some();
    }
}

impl WritebackState {
    /// A fulfillment that nothing was written for yet.
    #[must_use]
    pub fn pending() -> Self {
        Self {
            phase: Phase::Pending,
            written: Vec::new(),
            mailed: BTreeSet::new(),
            unknown_rounds: 0,
            quiet: false,
            unseen: false,
        }
    }

    /// As it was found to be: `phase`, shown by `written`.
    fn found(&self, phase: Phase, written: Vec<FulfillmentId>) -> Self {
        Self { phase, written, unknown_rounds: 0, unseen: false, ..self.clone() }
    }

    /// The call whose effect is not known, if there is one.
    #[must_use]
    pub fn in_doubt(&self) -> Option<&WritebackCall> {
        match &self.phase {
            Phase::Sent { call, .. } | Phase::Verifying { call, .. } => Some(call),
            Phase::Pending | Phase::Written { .. } | Phase::CalledOff { .. } => None,
        }
    }

    /// The tracking that is shown, or on its way.
    #[must_use]
    pub fn tracking(&self) -> &[TrackingInfo] {
        match &self.phase {
            Phase::Sent { call, .. } | Phase::Verifying { call, .. } => call.tracking(),
            Phase::Written { tracking, .. } => tracking,
            Phase::Pending | Phase::CalledOff { .. } => &[],
        }
    }

    /// Whether its shipment was called off, and nothing of it is shown.
    #[must_use]
    pub fn is_called_off(&self) -> bool {
        matches!(self.phase, Phase::CalledOff { .. })
    }

    /// Its name in history, API and log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.phase {
            Phase::Pending => "pending",
            Phase::Sent { .. } => "sent",
            Phase::Verifying { .. } => "verifying",
            Phase::Written { .. } => "written",
            Phase::CalledOff { .. } => "called-off",
        }
    }
}

#[cfg(test)]
mod tests;
