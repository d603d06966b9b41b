//! What every request has, whatever it asks for: an id, one line in the log, and, where it creates something, a key by
//! which it can be repeated. Source: "The Idempotency-Key HTTP Header Field", IETF draft.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use roundtrip_api::problem::ProblemCode;
use roundtrip_aws::{KeptAnswer, KeyedRequest};
use roundtrip_domain::{error_chain, fingerprint};
use tracing::Instrument as _;
use uuid::Uuid;

use super::auth::Operator;
use super::error::ApiError;
use crate::compose::Api;

/// The header that carries a request's id.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header that makes a request one and the same, however often it is sent.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// API Gateway takes no larger body than 10 MB, and nothing here needs even one.
const MAX_BODY_BYTES: usize = 1 << 20;
/// An item of DynamoDB holds 400 KB.
const MAX_KEPT_BYTES: usize = 300 << 10;
const MAX_KEY_CHARS: usize = 100;

/// The id under which what is asked for is written down. Of a request with a key it is the same each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestId(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(parts.extensions.get().cloned().unwrap_or_else(Self::new))
    }
}

impl RequestId {
    fn new() -> Self {
        Self(Uuid::now_v7().to_string())
    }
}

/// Gives the request its id and tells of it when it is answered.
pub(super) async fn observe(mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = RequestId::new();
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request.id = id.0);
    let mut response = next.run(request).instrument(span).await;
    let code = response.extensions().get::<ApiError>().map(|error| error.problem().code.name());
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        let allow = response.headers_mut().remove(ALLOW);
        response = error.answer(&id.0);
        response.headers_mut().extend(allow.map(|methods| (ALLOW, methods)));
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    tracing::info!(
        request.id = id.0,
        http.method = method.as_str(),
        http.route = route,
        http.status = response.status().as_u16(),
        code,
        duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// Carries out a request that has a key once: repeated, it gets the answer that it got, or would have got.
pub(super) async fn once(State(api): State<Arc<Api>>, request: Request, next: Next) -> Result<Response, ApiError> {
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY).cloned().filter(|_| request.method() == Method::POST) else {
        return Ok(next.run(request).await);
    };
    let (mut parts, body) = request.into_parts();
    let operator = Operator::from_request_parts(&mut parts, &api).await?;
    let is_key = |key: &&str| (1..=MAX_KEY_CHARS).contains(&key.len()) && key.bytes().all(|it| it.is_ascii_graphic());
    let key = key.to_str().ok().filter(is_key).ok_or_else(|| {
        let text = format!("it is no key: give 1 to {MAX_KEY_CHARS} characters of ASCII without blanks");
        ApiError::field("Idempotency-Key", text)
    })?;
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    let body = body.map_err(|_| ApiError::new(ProblemCode::BodyTooLarge, "it cannot be read", "send less at once"))?;
    let keyed = KeyedRequest {
        operator: operator.name,
        key: key.to_owned(),
        fingerprint: fingerprint(&(parts.uri.path(), &body[..])),
        id: parts.extensions.get().map_or_else(|| RequestId::new().0, |id: &RequestId| id.0.clone()),
    };
    let now = Timestamp::now();
    let claim = api.ledger.claim_key(&keyed, now).await?;
    match claim {
        KeptAnswer::New { id } => {
            parts.extensions.insert(RequestId(id));
            let response = next.run(Request::from_parts(parts, Body::from(body))).await;
            Ok(keep(&api, &keyed, response).await)
        }
        KeptAnswer::Answered { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (REPLAYED, HeaderValue::from_static("true")),
            ];
            Ok((status, headers, body).into_response())
        }
        KeptAnswer::UnderWay => Err(ApiError::new(
            ProblemCode::IdempotencyInProgress,
            "the request that came with this key before is not answered yet",
            "repeat it in a moment",
        )),
        KeptAnswer::OtherRequest => Err(ApiError::new(
            ProblemCode::IdempotencyKeyReused,
            "the key came with another path or body before",
            "give each request a key of its own",
        )
        .at("Idempotency-Key")),
    }
}

/// Keeps an answer. What was refused, is not to be stored or is too large for it is asked for anew each time.
async fn keep(api: &Api, keyed: &KeyedRequest, response: Response) -> Response {
    let is_refused = response.status().is_client_error();
    let is_kept = response.status().is_success() && !response.headers().contains_key(CACHE_CONTROL);
    let (parts, body) = response.into_parts();
    // It is in memory already.
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let written = match is_kept && body.len() <= MAX_KEPT_BYTES {
        true => api.ledger.keep_answer(keyed, parts.status.as_u16(), &String::from_utf8_lossy(&body)).await,
        false => api.ledger.release_key(keyed, is_refused).await,
    };
    if let Err(error) = written {
        // It is done, or refused, all the same; repeated, it is done again under the same id.
        tracing::warn!(error = error_chain(&error), "an answer was not kept");
    }
    Response::from_parts(parts, Body::from(body))
}
