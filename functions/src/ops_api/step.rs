//! How far a step has come, as every answer says it; and the help that each failure links to.

use axum::extract::Path;
use roundtrip_domain::code::Code;
use roundtrip_domain::step::{Failure, Step, Wait};
use serde::Serialize;

use super::error::ApiError;

/// What there is to say of a step beyond its state.
#[derive(Serialize)]
pub(super) struct Progress<'a> {
    wait: Option<&'a Wait>,
    attempts: u32,
    failure: Option<&'a Failure>,
    parked: Option<Code>,
    /// Where its code is explained: a path of this API, for which nobody needs a token.
    help: Option<String>,
}

impl<'a, S> From<&'a Step<S>> for Progress<'a> {
    fn from(step: &'a Step<S>) -> Self {
        let parked = step.parked.as_ref().map(|parked| parked.code);
        let failure = step.last_failure.as_ref();
        let help = parked.or(failure.map(|failure| failure.code)).map(link);
        Self { wait: step.wait.as_ref(), attempts: step.attempts, failure, parked, help }
    }
}

/// Why a shop's own step does not get on.
#[derive(Serialize)]
pub(super) struct ShopError<'a> {
    code: Code,
    message: &'a str,
    /// Shopify's, for their support.
    request_id: Option<&'a str>,
    help: String,
}

impl<'a> ShopError<'a> {
    pub(super) fn of<S>(step: &'a Step<S>) -> Option<Self> {
        let failure = step.last_failure.as_ref()?;
        let request_id = failure.request_id.as_deref();
        Some(Self { code: failure.code, message: &failure.message, request_id, help: link(failure.code) })
    }
}

pub(super) fn link(code: Code) -> String {
    format!("/v1/help/{code}")
}

/// A code in words. Open to all: it says nothing of anybody.
pub(super) async fn help(Path(code): Path<String>) -> Result<String, ApiError> {
    let known = Code::ALL.into_iter().find(|known| known.name() == code);
    let code = known.ok_or_else(|| ApiError::not_found("there is no such code", "docs/API.md lists them"))?;
    Ok(format!("{code}\n\nWhat it means: {}.\n\nWhat to do: {}.\n", code.meaning(), code.remedy()))
}
