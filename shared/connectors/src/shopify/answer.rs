//! What an answer of the Admin API means.

use std::time::Duration;

use reqwest::StatusCode;
use roundtrip_domain::channel::ChannelError;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::ShopDomain;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An answer, read to its end.
pub(super) struct HttpAnswer {
    pub(super) status: StatusCode,
    pub(super) request_id: Option<String>,
    /// Seconds.
    pub(super) retry_after: Option<f64>,
    pub(super) body: Vec<u8>,
}

#[derive(Deserialize)]
struct Envelope {
    /// Judged after the errors: what failed is null in it, where the wire structs expect a value.
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Errors,
    #[serde(default)]
    extensions: Extensions,
}

/// A list of GraphQL errors, or, on HTTP errors, one plain text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Errors {
    List(Vec<GraphqlError>),
    Text(String),
}

impl Default for Errors {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

#[derive(Deserialize)]
struct GraphqlError {
    #[serde(default)]
    message: String,
    /// Where in the answer; absent if Shopify did not even begin.
    #[serde(default)]
    path: Option<Value>,
    #[serde(default)]
    extensions: ErrorExtensions,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ErrorExtensions {
    code: Option<String>,
    request_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Extensions {
    cost: Option<Cost>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    requested_query_cost: f64,
    throttle_status: ThrottleStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThrottleStatus {
    currently_available: f64,
    restore_rate: f64,
}

/// Without a better word from Shopify. Source: Shopify's own client waits 1 s.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);
/// Characters of a foreign text that are kept.
const MAX_TEXT: usize = 300;
/// A wait that no shop's limit needs; whatever asks for more is mistaken.
const MAX_RETRY_AFTER: f64 = 600.0;

/// The `data` of an answer.
pub(super) fn data<D: DeserializeOwned>(shop: &ShopDomain, answer: &HttpAnswer) -> Result<D, ChannelError> {
    let no_answer = |message: String| ChannelError::NoAnswer {
        shop: shop.clone(),
        message,
        request_id: answer.request_id.clone(),
        source: None,
    };
    match answer.status.as_u16() {
        200 => {}
        429 => return Err(throttled(shop, answer, answer.retry_after.map(seconds))),
        401..=404 | 423 => return Err(denied(shop, answer)),
        status => return Err(no_answer(format!("HTTP {status}"))),
    }
    let envelope: Envelope = serde_json::from_slice(&answer.body).map_err(|error| no_answer(unparsed(&error)))?;
    if let Some(error) = graphql_error(shop, answer, &envelope) {
        return Err(error);
    }
    if envelope.data.is_null() {
        return Err(no_answer("the answer holds neither data nor errors".into()));
    }
    serde_json::from_value(envelope.data).map_err(|error| no_answer(unparsed(&error)))
}

/// Where it does not parse; the parser's own words may quote what it read.
fn unparsed(error: &serde_json::Error) -> String {
    match (error.line(), error.column()) {
        (0, _) => "the answer does not have the shape that was asked for".into(),
        (line, column) => format!("the answer does not parse at line {line}, column {column}"),
    }
}

/// The error that a list of errors is. Only what says for sure that nothing was done counts as that: a
/// mutation may have run and only its answer have failed, and then there is a path, or data beside it.
fn graphql_error(shop: &ShopDomain, answer: &HttpAnswer, envelope: &Envelope) -> Option<ChannelError> {
    let errors = match &envelope.errors {
        Errors::List(errors) => errors,
        Errors::Text(text) => return Some(unknown(shop, answer, text, None)),
    };
    let first = errors.first()?;
    let all = |code: &str| errors.iter().all(|error| error.extensions.code.as_deref() == Some(code));
    let text = errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ");
    let request_id =
        errors.iter().find_map(|error| error.extensions.request_id.clone().or_else(|| request_id_in(&error.message)));
    Some(if all("THROTTLED") {
        throttled(shop, answer, envelope.extensions.cost.as_ref().map(until_affordable))
    } else if all("ACCESS_DENIED") && holds_nothing(&envelope.data) {
        let request_id = request_id.or_else(|| answer.request_id.clone());
        ChannelError::AccessDenied { shop: shop.clone(), message: short(&first.message), request_id }
    } else if envelope.data.is_null() && errors.iter().all(never_began) {
        refused(shop, answer, &text)
    } else {
        unknown(shop, answer, &text, request_id)
    })
}

/// Whether Shopify refused the document itself: it does not know a field, or a variable is malformed.
fn never_began(error: &GraphqlError) -> bool {
    let internal = error.extensions.code.as_deref() == Some("INTERNAL_SERVER_ERROR");
    error.path.is_none() && !internal && !error.message.starts_with("Internal error")
}

/// Whether each root field is null: none was carried out.
fn holds_nothing(data: &Value) -> bool {
    data.as_object().is_none_or(|fields| fields.values().all(Value::is_null))
}

fn unknown(shop: &ShopDomain, answer: &HttpAnswer, text: &str, request_id: Option<String>) -> ChannelError {
    ChannelError::NoAnswer {
        shop: shop.clone(),
        message: short(text),
        request_id: request_id.or_else(|| answer.request_id.clone()),
        source: None,
    }
}

/// As much of a foreign text as a person needs: it goes into the ledger and the log.
pub(super) fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

fn refused(shop: &ShopDomain, answer: &HttpAnswer, message: &str) -> ChannelError {
    ChannelError::Refused {
        shop: shop.clone(),
        code: Code::Rejected,
        message: short(message),
        request_id: answer.request_id.clone(),
    }
}

fn denied(shop: &ShopDomain, answer: &HttpAnswer) -> ChannelError {
    let message = match answer.status.as_u16() {
        401 => "the access token is not valid: connect the shop again".to_owned(),
        402 => "the shop is frozen".to_owned(),
        404 => "there is no such shop".to_owned(),
        423 => "the shop is locked".to_owned(),
        status => format!("HTTP {status}"),
    };
    ChannelError::AccessDenied { shop: shop.clone(), message, request_id: answer.request_id.clone() }
}

fn throttled(shop: &ShopDomain, answer: &HttpAnswer, retry_after: Option<Duration>) -> ChannelError {
    ChannelError::Throttled {
        shop: shop.clone(),
        retry_after: retry_after.unwrap_or(DEFAULT_RETRY_AFTER),
        request_id: answer.request_id.clone(),
    }
}

/// Until the bucket holds what the question asks for, and a little more: others draw on it too.
fn until_affordable(cost: &Cost) -> Duration {
    let missing = cost.requested_query_cost - cost.throttle_status.currently_available;
    seconds(missing / cost.throttle_status.restore_rate.max(1.0) * 1.1 + 0.05)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(0.05, MAX_RETRY_AFTER) } else { 1.0 })
}

/// "…Request ID: 55b063c8-4ba2-4978-9dba-4db7895c5e88 (include this in support requests)."
fn request_id_in(message: &str) -> Option<String> {
    let id: String =
        message.split_once("Request ID: ")?.1.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect();
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use roundtrip_domain::channel::Effect;
    use serde_json::json;

    use super::*;

    fn ask(status: u16, body: &Value) -> Result<Value, ChannelError> {
        let answer = HttpAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            request_id: Some("header-id".into()),
            retry_after: None,
            body: body.to_string().into_bytes(),
        };
        data(&"moon.myshopify.com".parse().unwrap(), &answer)
    }

    #[test]
    fn an_internal_error_under_http_200_is_an_unknown_outcome_with_its_request_id() {
        let body = json!({ "errors": [{
            "message": "Internal error. Looks like something went wrong on our end.\nRequest ID: 55b063c8-4ba2-4978-9dba-4db7895c5e88 (include this in support requests).",
            "extensions": { "code": "INTERNAL_SERVER_ERROR", "requestId": "55b063c8-4ba2-4978-9dba-4db7895c5e88" },
        }] });

        let error = ask(200, &body).unwrap_err();

        assert_eq!(error.effect(), Effect::Unknown);
        assert_eq!(error.request_id(), Some("55b063c8-4ba2-4978-9dba-4db7895c5e88"));
    }

    #[test]
    fn a_throttled_call_waits_until_the_bucket_can_pay() {
        let body = json!({
            "errors": [{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }],
            "extensions": { "cost": {
                "requestedQueryCost": 60, "actualQueryCost": null,
                "throttleStatus": { "maximumAvailable": 2000.0, "currentlyAvailable": 10, "restoreRate": 100.0 },
            } },
        });

        match ask(200, &body).unwrap_err() {
            ChannelError::Throttled { retry_after, .. } => {
                assert!((0.5..0.7).contains(&retry_after.as_secs_f64()), "{retry_after:?}");
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn each_status_says_whether_anything_may_have_been_done() {
        let cases = [
            (429, Effect::None, Code::ChannelUnavailable),
            (401, Effect::None, Code::AccessDenied),
            (403, Effect::None, Code::AccessDenied),
            (404, Effect::None, Code::AccessDenied),
            (500, Effect::Unknown, Code::ChannelUnavailable),
            (503, Effect::Unknown, Code::ChannelUnavailable),
        ];
        for (status, effect, code) in cases {
            let error = ask(status, &json!({ "errors": "…" })).unwrap_err();
            assert_eq!((error.effect(), error.code()), (effect, code), "{status}");
        }
    }

    #[test]
    fn a_body_that_is_no_json_is_an_unknown_outcome() {
        let answer =
            HttpAnswer { status: StatusCode::OK, request_id: None, retry_after: None, body: b"<html>".to_vec() };

        let error = data::<Value>(&"moon.myshopify.com".parse().unwrap(), &answer).unwrap_err();

        assert_eq!(error.effect(), Effect::Unknown);
    }

    #[test]
    fn an_error_beside_a_result_does_not_say_that_nothing_was_done() {
        let beside = |data: Value, error: Value| json!({ "data": data, "errors": [error] });
        let denied_field =
            json!({ "message": "…", "path": ["orderCreate", "order"], "extensions": { "code": "ACCESS_DENIED" } });
        let denied_root = json!({ "message": "Access denied for orderCreate field.", "path": ["orderCreate"], "extensions": { "code": "ACCESS_DENIED" } });
        let odd = json!({ "message": "…", "path": ["orderCreate"], "extensions": { "code": "SOMETHING_NEW" } });
        let cases = [
            (beside(json!({ "orderCreate": { "order": null, "userErrors": [] } }), denied_field), Effect::Unknown),
            (beside(json!({ "orderCreate": null }), denied_root), Effect::None),
            (beside(json!({ "orderCreate": null }), odd.clone()), Effect::Unknown),
            (json!({ "data": null, "errors": [odd] }), Effect::Unknown),
            (json!({ "errors": "something went wrong" }), Effect::Unknown),
        ];
        for (body, effect) in cases {
            assert_eq!(ask(200, &body).unwrap_err().effect(), effect, "{body}");
        }
    }

    #[test]
    fn an_answer_that_does_not_parse_is_not_quoted() {
        #[derive(Debug, Deserialize)]
        struct Shape {
            #[allow(dead_code)]
            order: u32,
        }
        let answer = HttpAnswer {
            status: StatusCode::OK,
            request_id: None,
            retry_after: None,
            body: br#"{"data":{"order":"Ada Lovelace"}}"#.to_vec(),
        };

        let error = data::<Shape>(&"moon.myshopify.com".parse().unwrap(), &answer).unwrap_err();

        assert!(!roundtrip_domain::error_chain(&error).contains("Ada"), "{error}");
    }

    #[test]
    fn a_query_that_shopify_does_not_understand_is_refused_in_its_own_words() {
        let body = json!({ "errors": [{ "message": "Field 'nme' doesn't exist on type 'Order'", "extensions": { "code": "undefinedField" } }] });

        assert!(ask(200, &body).unwrap_err().to_string().contains("Field 'nme'"));
    }
}
