//! Writeback: what a source store shipped is shown to the customer, once, with its tracking.

pub mod carriers;
mod job;
mod plan;
mod protocol;
mod use_case;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use plan::{DraftLines, FulfillmentDraft, TrackingInfo, TrackingUpdate, WritebackPlan, Written, plan_writeback};
pub use use_case::write_back;

use crate::id::FulfillmentId;

/// How far the writeback of one source fulfillment has come.
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
}

/// The phase of a writeback.
///
/// ```text
/// Pending ─claim─► Sent ─► Written (re-read: the customer sees it)
///    ▲              ├─ definite no effect ─► Pending (waiting, or parked with its code)
///    └── absent ◄── Verifying ◄─ no definite answer, or found after the quarantine
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Phase {
    /// Nothing is on its way.
    Pending,
    /// A call is on its way. Younger than the quarantine it belongs to the worker that made it.
    Sent { draft: FulfillmentDraft, at: Timestamp },
    /// What an unanswered call did shows after the quarantine.
    Verifying { draft: FulfillmentDraft, sent_at: Timestamp },
    /// The destination shows it.
    Written { tracking: Vec<TrackingInfo>, at: Timestamp },
}

impl WritebackState {
    /// A fulfillment that nothing was written for yet.
    #[must_use]
    pub fn pending() -> Self {
        Self { phase: Phase::Pending, written: Vec::new(), mailed: BTreeSet::new(), unknown_rounds: 0 }
    }

    /// The call whose effect is not known, if there is one.
    #[must_use]
    pub fn in_doubt(&self) -> Option<&FulfillmentDraft> {
        match &self.phase {
            Phase::Sent { draft, .. } | Phase::Verifying { draft, .. } => Some(draft),
            Phase::Pending | Phase::Written { .. } => None,
        }
    }

    /// Its name in history, API and log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.phase {
            Phase::Pending => "pending",
            Phase::Sent { .. } => "sent",
            Phase::Verifying { .. } => "verifying",
            Phase::Written { .. } => "written",
        }
    }
}

#[cfg(test)]
mod tests;
