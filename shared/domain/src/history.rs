//! The history of an order: append-only, written in the same transaction as the change it tells of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::code::Code;
use crate::step::Failure;
use crate::task::{Task, Trigger};

/// One change of state. Names no person, address or e-mail; never expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEvent {
    pub at: Timestamp,
    /// What moved: `order`, or a step by its id.
    pub what: String,
    pub before: String,
    pub after: String,
    pub trigger: Trigger,
    pub cause_id: String,
    /// Who: `roundtrip`, or the operator who asked.
    pub actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Shopify's request id, where a call of theirs is behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// In a person's words, e.g. Shopify's message or the source order's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl HistoryEvent {
    /// The worker moved `what` from `before` to `after` because of `task`.
    #[must_use]
    pub fn moved(
        now: Timestamp,
        task: &Task,
        what: impl ToString,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        Self {
            at: now,
            what: what.to_string(),
            before: before.into(),
            after: after.into(),
            trigger: task.trigger,
            cause_id: task.cause_id.clone(),
            actor: "roundtrip".into(),
            code: None,
            request_id: None,
            detail: None,
        }
    }

    /// With all that a failure says.
    #[must_use]
    pub fn with_failure(mut self, failure: &Failure) -> Self {
        self.code = Some(failure.code);
        self.request_id.clone_from(&failure.request_id);
        self.detail = Some(failure.message.clone());
        self
    }

    /// With a few words.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}
