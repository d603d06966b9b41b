//! How far a step has come, as every answer says it.

use roundtrip_domain::code::Code;
use roundtrip_domain::step::{Failure, Step, Wait};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What there is to say of a step beyond its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    pub wait: Option<Wait>,
    pub attempts: u32,
    /// The latest.
    pub failure: Option<Failure>,
    pub parked: Option<Code>,
    /// Where its code is explained: a path of this API, for which nobody needs a token.
    #[serde(default)]
    pub help: Option<String>,
}

impl<S> From<&Step<S>> for Progress {
    fn from(step: &Step<S>) -> Self {
        let parked = step.parked.as_ref().map(|parked| parked.code);
        let failure = step.last_failure.clone();
        let help = parked.or(failure.as_ref().map(|failure| failure.code)).map(help_link);
        Self { wait: step.wait.clone(), attempts: step.attempts, failure, parked, help }
    }
}

/// Why a store's own step does not get on, at its latest attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShopError {
    pub code: Code,
    pub message: String,
    /// Shopify's, for their support.
    #[serde(default)]
    pub request_id: Option<String>,
    #[serde(default)]
    pub help: String,
}

impl ShopError {
    /// The latest failure of `step`, if there is one.
    #[must_use]
    pub fn of<S>(step: &Step<S>) -> Option<Self> {
        let Failure { code, message, request_id, .. } = step.last_failure.clone()?;
        Some(Self { code, message, request_id, help: help_link(code) })
    }
}

/// Where a code is explained.
#[must_use]
pub fn help_link(code: impl std::fmt::Display) -> String {
    format!("/v1/help/{code}")
}
