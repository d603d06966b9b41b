//! The Admin API's two doors: the token and the question.

mod answer;
mod call;
mod token;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use crate::engine::Engine;
use crate::faults::{Fault, HeldAnswer};
use answer::{access_denied, close, internal_error, json, plain_status, rejected, throttled};
use call::Call;
pub(crate) use token::access_token;

/// `POST /{shop}/admin/api/{version}/graphql.json`
pub(crate) async fn graphql(
    State(engine): State<Arc<Engine>>,
    Path((shop, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = headers.get("X-Shopify-Access-Token").and_then(|token| token.to_str().ok()).unwrap_or_default();
    match engine.shop(&shop, |shop| shop.tokens.contains(token)) {
        None => {
            return json(StatusCode::NOT_FOUND, &serde_json::json!({"errors": "Not Found"}));
        }
        Some(false) => {
            return json(StatusCode::UNAUTHORIZED, &serde_json::json!({"errors": token::INVALID}));
        }
        Some(true) => {}
    }
    if !is_version(&version) {
        return json(StatusCode::NOT_FOUND, &serde_json::json!({"errors": "Not Found"}));
    }
    let call = match Call::parse(&shop, &body) {
        Ok(call) => call,
        Err(error) => {
            return json(StatusCode::OK, &serde_json::json!({"errors": [{"message": error}]}));
        }
    };
    engine.count(&shop, &call.operation, |calls| calls.count += 1);
    let request_id = engine.request_id();
    let mut answer = match engine.faults.call_fault(&shop, &call.operation) {
        None => json(StatusCode::OK, &call.run(&engine).await),
        Some(fault) => fail(engine, call, fault, &request_id).await,
    };
    for (name, value) in [("x-request-id", request_id), ("x-shopify-api-version", version)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// `2026-10`, `unstable`
fn is_version(version: &str) -> bool {
    version == "unstable" || (version.len() == 7 && version.starts_with("20") && version.as_bytes()[4] == b'-')
}

/// Answers as the fault wants it, having done the work or not.
async fn fail(engine: Arc<Engine>, call: Call, fault: Fault, request_id: &str) -> Response {
    match fault {
        Fault::Status { status, retry_after_secs } => plain_status(status, retry_after_secs),
        Fault::Throttled => json(StatusCode::OK, &throttled(&engine, &call)),
        Fault::InternalError { effect } => {
            if effect {
                call.run(&engine).await;
            }
            json(StatusCode::OK, &internal_error(request_id))
        }
        Fault::AccessDenied { scope } => json(StatusCode::OK, &access_denied(&call, &scope)),
        Fault::LoseAnswer { hang_ms } => {
            call.run(&engine).await;
            tokio::time::sleep(Duration::from_millis(hang_ms)).await;
            close()
        }
        Fault::Hang { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            close()
        }
        Fault::LandLate { ms } => {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                call.run(&engine).await;
            });
            close()
        }
        Fault::Reject { user_errors } => json(StatusCode::OK, &rejected(&engine, &call, &user_errors)),
        Fault::HoldAnswer { ms } => {
            let answer = call.run(&engine).await;
            let held = HeldAnswer { shop: call.shop.clone(), operation: call.operation.clone() };
            engine.faults.held.wait(held, Duration::from_millis(ms)).await;
            json(StatusCode::OK, &answer)
        }
    }
}
