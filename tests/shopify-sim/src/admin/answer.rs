//! Answers that say no, in Shopify's shapes, and the answer that never comes.

use async_graphql::futures_util::stream;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::call::Call;
use crate::engine::Engine;
use crate::faults::UserErrorSpec;

pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    (status, axum::Json(body)).into_response()
}

/// A bare HTTP status, as from the edge in front of the API.
pub(super) fn plain_status(status: u16, retry_after_secs: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, &json!({"errors": status.canonical_reason().unwrap_or("Error")}));
    if let Some(secs) = retry_after_secs {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

/// Breaks the connection off: the caller sees no whole answer.
pub(super) fn close() -> Response {
    let broken = stream::once(async { Err::<Vec<u8>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) });
    let mut response = Response::new(Body::from_stream(broken));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(1_u64)); // so that it cannot pass for complete
    response
}

/// Source: <https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits>, and answers shown in Shopify's forum.
pub(super) fn throttled_body(engine: &Engine, shop: &str, requested: u32) -> Value {
    let cost = engine.world().shops.get_mut(shop).map(|shop| shop.bucket.report(requested, None));
    json!({
        "errors": [{
            "message": "Throttled",
            "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
        }],
        "extensions": {"cost": cost},
    })
}

pub(super) fn throttled(engine: &Engine, call: &Call) -> Value {
    throttled_body(engine, &call.shop, call.requested_cost())
}

/// Source: answers of development stores for status, code and request id; the text is unverified.
pub(super) fn internal_error(request_id: &str) -> Value {
    json!({"errors": [{
        "message": format!("Internal error. Looks like something went wrong on our end.\nRequest ID: {request_id} (include this in support requests)."),
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id},
    }]})
}

/// Source: a live answer of `fulfillmentOrderHold`, 2026-04.
pub(super) fn access_denied(call: &Call, scope: &str) -> Value {
    let roots = call.document.operations.iter().flat_map(|(_, it)| fields(&it.node.selection_set.node));
    let field = roots.map(|field| field.response_key().node.to_string()).next().unwrap_or_default();
    let required = format!("`{scope}` access scope.");
    json!({
        "data": {field.clone(): null},
        "errors": [{
            "message": format!("Access denied for {field} field. Required access: {required}"),
            "extensions": {
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": required,
            },
            "path": [field],
        }],
    })
}

/// The mutation's payload with nothing but userErrors.
pub(super) fn rejected(engine: &Engine, call: &Call, user_errors: &[UserErrorSpec]) -> Value {
    let mut data = Map::new();
    for (_, operation) in call.document.operations.iter() {
        for mutation in fields(&operation.node.selection_set.node) {
            let payload = fields(&mutation.selection_set.node).into_iter().map(|field| {
                let value =
                    if field.name.node.ends_with("serErrors") { errors(field, user_errors) } else { Value::Null };
                (field.response_key().node.to_string(), value)
            });
            data.insert(mutation.response_key().node.to_string(), payload.collect::<Map<_, _>>().into());
        }
    }
    let requested = call.requested_cost();
    let cost = engine.world().shops.get_mut(&call.shop).map(|shop| shop.bucket.report(requested, Some(requested)));
    json!({"data": data, "extensions": {"cost": cost}})
}

fn errors(field: &Field, user_errors: &[UserErrorSpec]) -> Value {
    let wanted = fields(&field.selection_set.node);
    let error = |spec: &UserErrorSpec| -> Value {
        let parts = wanted.iter().map(|field| {
            let value = match field.name.node.as_str() {
                "message" => json!(spec.message),
                "field" => json!(spec.field),
                "code" => json!(spec.code),
                _ => Value::Null,
            };
            (field.response_key().node.to_string(), value)
        });
        parts.collect::<Map<_, _>>().into()
    };
    user_errors.iter().map(error).collect()
}

fn fields(set: &SelectionSet) -> Vec<&Field> {
    let fields = set.items.iter().filter_map(|item| match &item.node {
        Selection::Field(field) => Some(&field.node),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
    });
    fields.collect()
}
