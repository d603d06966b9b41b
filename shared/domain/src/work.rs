use std::fmt;

use jiff::Timestamp;

use crate::channel::ChannelError;
use crate::code::Code;
use crate::ports::{EventError, LedgerError, QueueError};
use crate::step::WaitReason;

/// How often a use case starts over because somebody else wrote first, before the message goes back.
pub(crate) const MAX_PASSES: usize = 8;

/// How a use case ended. Whatever it says is in the ledger already, so the message can be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do; in a few words for the log, what was done.
    Done(&'static str),
    /// The world has to change first; due work looks again at `until`.
    Wait { until: Timestamp, why: WaitReason },
    /// An attempt failed; due work starts the next one at `until`.
    Retry { until: Timestamp, error: String },
    /// A person has to decide; the dead-letter message is out.
    Park { code: Code },
}

impl Outcome {
    /// Of two outcomes the one that asks for more attention: parked before retried before waiting.
    #[must_use]
    pub(crate) fn or_worse(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Done(_) => 0,
            Self::Wait { .. } => 1,
            Self::Retry { .. } => 2,
            Self::Park { .. } => 3,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(what) => write!(f, "done: {what}"),
            Self::Wait { until, why } => write!(f, "wait: {why} until {until}"),
            Self::Retry { until, error } => write!(f, "retry: at {until} after {error}"),
            Self::Park { code } => write!(f, "park: {code}"),
        }
    }
}

/// The use case could not write down how it ended: the message goes back to the queue.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    #[error("the ledger did not take part")]
    Ledger(#[from] LedgerError),
    #[error("the queue did not take part")]
    Queue(#[from] QueueError),
    #[error("the event bus did not take part")]
    Events(#[from] EventError),
    /// Before any order was known that it could be written to.
    #[error("the shop did not say which order it is")]
    Channel(#[from] ChannelError),
}

/// Does `pass` again as long as somebody else wrote first; after [`MAX_PASSES`] the message goes back.
pub(crate) async fn starting_over<F>(mut pass: impl FnMut() -> F) -> Result<Outcome, Unfinished>
where
    F: Future<Output = Result<Outcome, Unfinished>>,
{
    for _ in 0..MAX_PASSES {
        match pass().await {
            Err(Unfinished::Ledger(LedgerError::Conflict)) => {}
            ended => return ended,
        }
    }
    Err(LedgerError::Conflict.into())
}

/// An error and its causes in one line, for the ledger and the log.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
