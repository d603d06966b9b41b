//! Jobs: what a person asked to be done with many steps at once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dead_letters::CodeCount;

/// A job, and what came of it so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobAnswer {
    pub id: String,
    #[serde(default)]
    pub kind: JobKind,
    pub state: JobPhase,
    /// Of one that was stopped.
    #[serde(default)]
    pub why: Option<String>,
    pub asked_at: Timestamp,
    pub asked_by: String,
    pub reason: String,
    pub rate: u16,
    pub canary: usize,
    /// Steps, or orders, that it is for.
    pub total: usize,
    /// Asked for as well, and not parked any more when it began.
    pub not_parked: usize,
    /// Of `total`, so many went.
    pub sent: usize,
    /// Of those that went: a shop shows what they were for.
    pub done: usize,
    /// Still going, or waiting for the world.
    pub running: usize,
    /// Parked anew, by code.
    pub failed: Vec<CodeCount>,
    /// What they were for may not go any more: the order says why.
    pub dropped: usize,
    /// Parked as before: they did not go yet, or their turn did not come.
    pub parked: usize,
    /// In words.
    pub verdict: String,
}

/// What a job does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// Parked steps are set going again.
    #[default]
    Redrive,
    /// The tracking of orders is shown, or looked for, again.
    Resend,
    /// Parked steps are listed no more.
    Purge,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobPhase {
    Running,
    /// Of each step the outcome is known, or was waited for long enough.
    Done,
    /// The canary failed: the rest was not set going.
    Stopped,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}
