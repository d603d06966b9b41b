//! Bodies, paths and queries as their types, or an error that names the field. Written `Json`, `Path` and `Query` so that
//! the OpenAPI document sees what each route takes.

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use roundtrip_api::problem::ProblemCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::ApiError;

/// A body of JSON.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_json =
            content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json");
        let body = Bytes::from_request(request, state).await;
        let body =
            body.map_err(|_| ApiError::new(ProblemCode::BodyTooLarge, "it cannot be read", "send less at once"))?;
        if !is_json {
            return Err(invalid_body("it is not sent as JSON"));
        }
        let value: Value = serde_json::from_slice(&body).map_err(|error| invalid_body(error.to_string()))?;
        if !value.is_object() {
            return Err(invalid_body("it is no JSON object"));
        }
        parse(value).map(Self)
    }
}

fn invalid_body(what: impl Into<String>) -> ApiError {
    let remedy = "send a JSON object with `Content-Type: application/json`; GET /v1/openapi.json shows each one";
    ApiError::new(ProblemCode::InvalidBody, what, remedy)
}

/// How much of a list is asked for at once.
pub(super) fn page_limit(limit: u16) -> Result<u16, ApiError> {
    const MAX_LIMIT: u16 = 250;
    match limit {
        1..=MAX_LIMIT => Ok(limit),
        _ => Err(ApiError::field("limit", format!("{limit} is out of range: give 1 to {MAX_LIMIT}"))),
    }
}

/// `value` as a `T`.
pub(super) fn parse<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        said(path, &error.into_inner().to_string())
    })
}

/// What serde says of a field; its own texts have no remedy.
fn said(path: String, text: &str) -> ApiError {
    let of = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let quoted = |text: &str| text.split('`').next().unwrap_or_default().to_owned();
    if let Some(rest) = text.strip_prefix("missing field `") {
        return ApiError::field(of(&quoted(rest)), "it is missing: give it");
    }
    if let Some((name, known)) = text.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
        let known = known.trim_start_matches(", ");
        // The path ends in the unknown field itself, or in what holds it.
        let field = if path == name || path.ends_with(&format!(".{name}")) { path } else { of(name) };
        return ApiError::field(field, format!("there is no such field: {known}"));
    }
    let is_serdes = ["invalid ", "unknown variant", "data did not match"].iter().any(|start| text.starts_with(start));
    let remedy = "give it as GET /v1/openapi.json shows";
    if is_serdes {
        return ApiError::field(path, format!("{}: {remedy}", text.replace(": ", ", ")));
    }
    ApiError::field(path, text)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// What stands in the path.
pub(super) struct Path<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|rejection| ApiError::field("path", rejection.body_text()))?;
        let fields = params.iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
        parse(Value::Object(fields.collect())).map(Self)
    }
}

/// What stands behind the question mark.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|rejection: QueryRejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text).to_owned();
            match text.split_once(": ") {
                Some((field, text)) if !field.contains(' ') => said(field.to_owned(), text),
                _ => said(String::new(), &text),
            }
        })
    }
}
