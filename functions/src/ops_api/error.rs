//! Errors of the API. The status says what the reader does next; the body names the field and the
//! remedy.
//!
//! | status | the caller … |
//! |---|---|
//! | 400 | mends the request: the body or a parameter does not parse |
//! | 401 | gets a token: `roundtrip token` |
//! | 403 | has the shop's plan changed, or asks for less |
//! | 404 | looks for the right name |
//! | 409 | does something else first; the remedy says what |
//! | 422 | asks for less: Shopify does not show more |
//! | 503 | repeats the same request, after the seconds in `Retry-After` if it is there; nothing was lost |

use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use roundtrip_domain::channel::ChannelError;
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::ports::{CredentialsError, LedgerError, QueueError};
use roundtrip_domain::{Unfinished, error_chain};
use serde::Serialize;

/// An error as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    status: StatusCode,
    body: ErrorBody,
    /// Seconds, where the answer says when.
    retry_after: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ErrorBody {
    /// Stable, for programs.
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    message: String,
    remedy: String,
}

impl ApiError {
    /// A field that does not parse; `error` says what it should be.
    pub(super) fn field(field: &'static str, error: impl ToString) -> Self {
        Self::of_field(StatusCode::BAD_REQUEST, "INVALID_FIELD", field, error.to_string())
    }

    /// A value that is understood and cannot be.
    pub(super) fn unprocessable(field: &'static str, error: impl ToString) -> Self {
        Self::of_field(StatusCode::UNPROCESSABLE_ENTITY, "INVALID_VALUE", field, error.to_string())
    }

    /// `text` says what is wrong and, behind a colon, what to do.
    fn of_field(status: StatusCode, code: &'static str, field: &'static str, text: String) -> Self {
        let (message, remedy) = match text.split_once(": ") {
            Some((what, how)) => (what.to_owned(), how.to_owned()),
            None => (text, format!("correct `{field}`")),
        };
        Self::new(status, code, Some(field), message, remedy)
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        let remedy = "send `Authorization: Bearer <token>`; `roundtrip token` makes one";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", None, message, remedy)
    }

    pub(super) fn not_found(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", None, what, remedy)
    }

    pub(super) fn conflict(code: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, None, what, remedy)
    }

    pub(super) fn plan_required(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "PLAN_REQUIRED", Some("days"), what, remedy)
    }

    pub(super) fn max_lookback(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "MAX_LOOKBACK_60_DAYS", Some("days"), what, remedy)
    }

    pub(super) fn outside_60_days(order: &OrderRef) -> Self {
        let what =
            format!("order {} of {} was placed more than 60 days ago: Shopify does not show it", order.id, order.shop);
        let remedy = "give the app the scope `read_all_orders` and connect the store again";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "OUTSIDE_60_DAYS", None, what, remedy)
    }

    /// What the caller is told, as JSON.
    #[cfg(test)]
    pub(super) fn body(&self) -> &impl Serialize {
        &self.body
    }

    fn new(
        status: StatusCode,
        code: &'static str,
        field: Option<&'static str>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let body = ErrorBody { code, field, message: message.into(), remedy: remedy.into() };
        Self { status, body, retry_after: None }
    }

    fn unavailable(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = error_chain(error), "a request failed");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            None,
            "a part of Roundtrip did not answer",
            "repeat the same request: it is safe to, and nothing was lost; the function's log has the cause",
        )
    }
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<Unfinished> for ApiError {
    fn from(error: Unfinished) -> Self {
        Self::unavailable(&error)
    }
}

impl From<QueueError> for ApiError {
    fn from(error: QueueError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<CredentialsError> for ApiError {
    fn from(error: CredentialsError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<ChannelError> for ApiError {
    fn from(error: ChannelError) -> Self {
        let code = error.code().name();
        let message = error.to_string();
        match &error {
            ChannelError::Throttled { retry_after, .. } => {
                let seconds = retry_after.as_secs().max(1);
                let remedy = format!("repeat the same request in {seconds} seconds: nothing was lost");
                let answer = Self::new(StatusCode::SERVICE_UNAVAILABLE, "THROTTLED", None, message, remedy);
                Self { retry_after: Some(seconds), ..answer }
            }
            ChannelError::Unreachable { .. } | ChannelError::NoAnswer { .. } => {
                tracing::warn!(error = error_chain(&error), "a store did not answer a request");
                let remedy = "repeat the same request: it is safe to, and nothing was lost";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, None, message, remedy)
            }
            ChannelError::AccessDenied { .. } | ChannelError::ShopUnavailable { .. } => {
                Self::conflict(code, message, "mend what it says, then connect the store again: POST /v1/shops")
            }
            ChannelError::Refused { .. } => Self::conflict(code, message, "mend what Shopify's message names"),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let remedy = "send a JSON object with `Content-Type: application/json`; docs/API.md shows each one";
        Self::new(StatusCode::BAD_REQUEST, "INVALID_BODY", None, rejection.body_text(), remedy)
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_QUERY", None, rejection.body_text(), "docs/API.md shows each one")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Json(serde_json::json!({ "error": self.body }))).into_response();
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// A field of a path or a body.
pub(super) fn parsed<T: FromStr<Err: Display>>(field: &'static str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: T::Err| ApiError::field(field, error))
}

pub(super) async fn not_found() -> ApiError {
    ApiError::not_found("there is no such path", "docs/API.md lists them")
}

pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        None,
        "this path does not take this method",
        "docs/API.md lists them",
    )
}
