//! Push: the linked lines of a paid order become exactly one order at each source store that holds them.

mod asked;
mod cancel;
mod draft;
mod dry_run;
mod fee;
mod key;
mod plan;
mod ready;
mod record;
mod refusal;
mod rest;
mod rules;
mod send;
mod settle;
mod use_case;
mod verify;
mod warnings;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use cancel::note_cancelled;
pub use cancel::{CancelPhase, CancelState, Cancellation};
pub use draft::{DraftLine, LINE_PROPERTY, OrderDraft, SHIPPING_TITLE, destination_line, draft};
pub use dry_run::{DryRun, DryRunWarning, DryRunWarningCode, WithheldLine, dry_run};
pub use fee::FeeRule;
pub use key::OrderKey;
pub use plan::{PlannedLine, PushMode, PushPlan, PushTerms, plan_push, tab};
pub use refusal::{Refusal, RefusalReason};
pub use rules::{Case, MAX_LINES, RULES, Rule, Verdict, groups, looks_like_email, verdicts};
pub use use_case::push_order;

use crate::id::LineItemId;
use crate::order::SourceOrder;
use crate::registry::Inventory;

/// How far the push of one group has come.
///
/// ```text
/// NotPushed ─claim─► Sent ─► Confirmed
///     ▲               ├─ definite no effect ─► NotPushed (waiting, or parked with its code)
///     │               └─ no definite answer, or found after the quarantine ─► Verifying
///     └── absent, twice ◄──────────────────────────────────────────────────────┤
///                                             found ─► Confirmed ◄─────────────┘
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PushState {
    /// Nothing is at the source store. `unknown_rounds`: how many calls ended without an answer so far.
    NotPushed {
        #[serde(default)]
        unknown_rounds: u32,
    },
    /// The call is on its way. Younger than the quarantine it belongs to the worker that made it.
    Sent { plan: PushPlan, at: Timestamp, round: u32 },
    /// Whether the call had an effect is being found out; plan and key stand until that is known.
    Verifying { plan: PushPlan, sent_at: Timestamp, round: u32, absences: u32 },
    /// The source store has it, with so many of each destination line.
    Confirmed {
        order: SourceOrder,
        at: Timestamp,
        #[serde(default)]
        lines: Vec<(LineItemId, u32)>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<PushTerms>,
        /// What it did to the source shop's stock; `None`: an earlier release pushed it, and did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inventory: Option<Inventory>,
    },
}

impl PushState {
    /// A group that was not pushed yet.
    #[must_use]
    pub fn not_pushed() -> Self {
        Self::NotPushed { unknown_rounds: 0 }
    }

    /// Its name in history, API and log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotPushed { .. } => "not-pushed",
            Self::Sent { .. } => "sent",
            Self::Verifying { .. } => "verifying",
            Self::Confirmed { .. } => "confirmed",
        }
    }
}

#[cfg(test)]
mod tests;
