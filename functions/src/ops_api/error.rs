//! Errors of the API, as problem details (RFC 9457): the status says what the reader does next, the body names the field
//! and the remedy.
//!
//! | status | the caller … |
//! |---|---|
//! | 400 | mends the request: the body or a parameter does not parse |
//! | 401 | gets a token: `roundtrip token` |
//! | 403 | has the shop's plan changed, asks for less, or gets a token that may do more |
//! | 404 | looks for the right name |
//! | 409 | does something else first; the remedy says what |
//! | 422 | gives a value that can be |
//! | 503 | repeats the same request, after the seconds in `Retry-After` if it is there; nothing was lost |

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use roundtrip_api::problem::{MEDIA_TYPE, Problem, ProblemCode, ProblemOrder};
use roundtrip_api::step::help_link;
use roundtrip_domain::channel::ChannelError;
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::ports::{CredentialsError, LedgerError, QueueError};
use roundtrip_domain::{Unfinished, error_chain};

/// An error as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError(Box<Problem>);

impl ApiError {
    pub(super) fn new(code: ProblemCode, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        let problem = Problem {
            kind: help_link(code),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            field: None,
            detail: detail.into(),
            remedy: remedy.into(),
            retry_after_secs: None,
            orders: Vec::new(),
            request_id: None,
        };
        Self(Box::new(problem))
    }

    /// A field that does not parse; `error` says what it should be.
    pub(super) fn field(field: impl Into<String>, error: impl ToString) -> Self {
        Self::of_field(ProblemCode::InvalidField, field, &error.to_string())
    }

    /// A code that this release does not know; `like` is one that it knows.
    pub(super) fn unknown_code(field: &str, given: &str, like: &str) -> Self {
        let given = given.chars().take(40).collect::<String>();
        Self::field(field, format!("`{given}` is none that is known: give one like {like}; docs/API.md lists them"))
    }

    /// A value that is understood and cannot be.
    pub(super) fn unprocessable(field: impl Into<String>, error: impl ToString) -> Self {
        Self::of_field(ProblemCode::InvalidValue, field, &error.to_string())
    }

    /// `text` says what is wrong and, behind a colon, what to do.
    fn of_field(code: ProblemCode, field: impl Into<String>, text: &str) -> Self {
        let field = field.into();
        match text.split_once(": ") {
            Some((what, how)) => Self::new(code, what, how).at(field),
            None => {
                let remedy = format!("correct `{field}`");
                Self::new(code, text, remedy).at(field)
            }
        }
    }

    /// With the field that is to blame.
    pub(super) fn at(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into()).filter(|field| !field.is_empty());
        self
    }

    /// With the orders that somebody has to see first.
    pub(super) fn with_orders(mut self, orders: Vec<ProblemOrder>) -> Self {
        self.0.orders = orders;
        self
    }

    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(
            ProblemCode::Unauthorized,
            detail,
            "send `Authorization: Bearer <token>`; `roundtrip token` makes one",
        )
    }

    pub(super) fn not_found(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(ProblemCode::NotFound, what, remedy)
    }

    pub(super) fn outside_60_days(order: &OrderRef) -> Self {
        let what =
            format!("order {} of {} was placed more than 60 days ago: Shopify does not show it", order.id, order.shop);
        let remedy = "give the app the scope `read_all_orders` and connect the store again";
        Self::new(ProblemCode::Outside60Days, what, remedy)
    }

    /// What the caller is told.
    pub(super) fn problem(&self) -> &Problem {
        &self.0
    }

    /// The answer to the request of this id.
    pub(super) fn answer(mut self, request_id: &str) -> Response {
        self.0.request_id = Some(request_id.to_owned());
        self.into_response()
    }

    fn unavailable(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = error_chain(error), "a request failed");
        let remedy = "repeat the same request: it is safe to, and nothing was lost; the function's log has the cause";
        Self::new(ProblemCode::Unavailable, "a part of Roundtrip did not answer", remedy)
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
        let detail = error.to_string();
        match &error {
            ChannelError::Throttled { retry_after, .. } => {
                let seconds = retry_after.as_secs().max(1);
                let remedy = format!("repeat the same request in {seconds} seconds: nothing was lost");
                let mut throttled = Self::new(ProblemCode::Throttled, detail, remedy);
                throttled.0.retry_after_secs = Some(seconds);
                throttled
            }
            ChannelError::Unreachable { .. } | ChannelError::NoAnswer { .. } => {
                tracing::warn!(error = error_chain(&error), "a store did not answer a request");
                let remedy = "repeat the same request: it is safe to, and nothing was lost";
                Self::new(ProblemCode::ChannelUnavailable, detail, remedy)
            }
            ChannelError::AccessDenied { .. } | ChannelError::ShopUnavailable { .. } => {
                let remedy = "mend what it says, then connect the store again: POST /v1/shops";
                Self::new(ProblemCode::AccessDenied, detail, remedy)
            }
            ChannelError::Refused { .. } => {
                Self::new(ProblemCode::Rejected, detail, "mend what Shopify's message names")
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(&self.0)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.0.retry_after_secs {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        // For whoever knows the request's id, which an error does not.
        response.extensions_mut().insert(self);
        response
    }
}

pub(super) async fn not_found() -> ApiError {
    ApiError::not_found("there is no such path", "GET /v1/openapi.json lists them")
}

pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::new(
        ProblemCode::MethodNotAllowed,
        "this path does not take this method",
        "GET /v1/openapi.json lists them",
    )
}
