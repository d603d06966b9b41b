//! Jobs: what a person asked to be done with many steps or orders at once, and how far it has come.
//!
//! Whatever a job does, done twice does no more than once, and the ledger says what came of it. So a job that is begun
//! twice, or dies halfway, does no harm: what it did not reach is as it was.

mod advance;
mod progress;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dead_letters::DeadLetterId;
use crate::history::HistoryEvent;
use crate::id::OrderRef;
use crate::step::StepId;
use crate::task::Trigger;

pub use advance::{Advanced, CHUNK, advance, advance_all, begin};
pub use progress::{Fate, Progress, fates, fates_of, progress};

/// The most that one job takes on: its row holds them all.
pub const MAX_ITEMS: usize = 2000;
/// The most that the names of these take, in bytes: DynamoDB's 400 KB for an item, less what else stands there.
const MAX_BYTES: usize = 380_000;
/// What DynamoDB adds to a text in a list, in bytes.
const NAME_FRAME: usize = 3;
/// What a rate may be: more than a shop's limit serves would only wait there.
pub const MAX_RATE: u16 = 100;
/// Where nobody gives another.
pub const DEFAULT_RATE: u16 = 10;
/// More of them would be no canary.
pub const MAX_CANARY: usize = 25;

/// Many things to do, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub id: String,
    pub asked_at: Timestamp,
    pub asked_by: String,
    /// In that person's words; stands in the history of each order.
    pub reason: String,
    #[serde(flatten)]
    pub work: Work,
    /// So many were asked for as well, and were not parked any more.
    #[serde(default)]
    pub not_parked: usize,
    /// How many begin in a second.
    pub rate: u16,
    /// So many go first; the others only if these succeed. 0: all go.
    #[serde(default)]
    pub canary: usize,
    /// How many went.
    #[serde(default)]
    pub sent: usize,
    /// When the last of these went.
    #[serde(default)]
    pub sent_at: Option<Timestamp>,
    /// How many of these were purged: the others went again before.
    #[serde(default)]
    pub purged: usize,
    /// When some went again that were parked still: those of the first `sent_again` of the names.
    #[serde(default)]
    pub sent_again_at: Option<Timestamp>,
    #[serde(default)]
    pub sent_again: usize,
    pub state: JobState,
}

/// What a job does, and with what, in the order in which they go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "items", rename_all = "snake_case")]
pub enum Work {
    /// Parked steps are set going again.
    Redrive(Vec<DeadLetterId>),
    /// The tracking of these orders is shown, or looked for, again.
    Resend(Vec<OrderRef>),
    /// Parked steps are listed no more.
    Purge(Vec<DeadLetterId>),
}

impl Work {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Redrive(letters) | Self::Purge(letters) => letters.len(),
            Self::Resend(orders) => orders.len(),
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How many of these, from the first on, one job takes.
#[must_use]
pub fn that_fit<'a>(letters: impl IntoIterator<Item = &'a DeadLetterId>) -> usize {
    let bytes = letters.into_iter().scan(0, |bytes, letter| {
        *bytes += letter.to_string().len() + NAME_FRAME;
        Some(*bytes)
    });
    bytes.take(MAX_ITEMS).take_while(|bytes| *bytes <= MAX_BYTES).count()
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JobState {
    /// Some have not gone yet, or their outcome is not known.
    Open,
    /// Of each that went the outcome is known, or was waited for long enough.
    Done { at: Timestamp },
    /// The rest did not go.
    Stopped { at: Timestamp, why: String },
}

/// Who wants it, by which job, and why: what a history says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) by: &'a str,
    pub(crate) job: &'a str,
    pub(crate) reason: &'a str,
}

impl Asked<'_> {
    /// What it did to `what`, in a history.
    pub(crate) fn event(
        &self,
        now: Timestamp,
        trigger: Trigger,
        what: &StepId,
        (before, after): (&str, &str),
    ) -> HistoryEvent {
        HistoryEvent {
            at: now,
            what: what.to_string(),
            before: before.to_owned(),
            after: after.to_owned(),
            trigger,
            cause_id: self.job.to_owned(),
            actor: self.by.to_owned(),
            code: None,
            request_id: None,
            detail: Some(self.reason.to_owned()),
        }
    }
}

impl Job {
    /// As somebody asks for it, with this id: nothing went yet.
    #[must_use]
    pub fn new(id: String, (asked_at, asked_by): (Timestamp, String), reason: String, work: Work) -> Self {
        Self {
            id,
            asked_at,
            asked_by,
            reason,
            work,
            not_parked: 0,
            rate: DEFAULT_RATE,
            canary: 0,
            sent: 0,
            sent_at: None,
            purged: 0,
            sent_again_at: None,
            sent_again: 0,
            state: JobState::Open,
        }
    }

    /// Whether anything is still to be done for it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == JobState::Open
    }

    fn asked(&self) -> Asked<'_> {
        Asked { by: &self.asked_by, job: &self.id, reason: &self.reason }
    }
}
