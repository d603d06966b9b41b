//! What an answer of the Admin API means.

use std::time::Duration;

use reqwest::StatusCode;
use roundtrip_domain::channel::{Budget, ChannelError};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::ShopDomain;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::classify::Meaning;

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
    /// Judged after the errors: what failed is null in it, where the wire structs expect a value. Not there
    /// at all if Shopify did not even begin. Source: the GraphQL specification, "Response Format".
    #[serde(default, deserialize_with = "present")]
    data: Option<Value>,
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

/// Tells `null` from nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct GraphqlError {
    #[serde(default)]
    message: String,
    /// Where in the document.
    #[serde(default)]
    locations: Option<Value>,
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
    maximum_available: f64,
    restore_rate: f64,
}

/// Characters of a foreign text that are kept.
const MAX_TEXT: usize = 300;
/// A wait that no shop's limit needs; whatever asks for more is mistaken.
const MAX_RETRY_AFTER: f64 = 600.0;

/// What was asked: what an error leaves in doubt depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A query. Nothing is ever done by it.
    Question,
    /// A mutation.
    Change,
}

/// The `data` of an answer.
pub(super) fn data<D: DeserializeOwned>(
    shop: &ShopDomain,
    asked: Asked,
    answer: &HttpAnswer,
) -> Result<D, ChannelError> {
    if answer.status != StatusCode::OK {
        return Err(by_status(shop, answer));
    }
    let no_answer = |message: String| Meaning::Unknown.error(shop, &message, answer.request_id.clone());
    let envelope: Envelope = serde_json::from_slice(&answer.body).map_err(|error| no_answer(unparsed(&error)))?;
    if let Some(error) = graphql_error(shop, asked, answer, &envelope) {
        return Err(error);
    }
    match envelope.data {
        None | Some(Value::Null) => Err(no_answer("the answer holds neither data nor errors".into())),
        Some(data) => serde_json::from_value(data).map_err(|error| no_answer(unparsed(&error))),
    }
}

/// The error that an HTTP status other than 200 is.
pub(super) fn by_status(shop: &ShopDomain, answer: &HttpAnswer) -> ChannelError {
    let said = said(&answer.body);
    let meaning = Meaning::of_status(answer.status, &said);
    let message = match answer.status.as_u16() {
        401 => "the access token is not valid: connect the shop again".to_owned(),
        402 => "the shop is frozen".to_owned(),
        403 if meaning == Meaning::Unavailable => "the shop is forbidden to us".to_owned(),
        404 => "there is no such shop".to_owned(),
        423 => "the shop is locked".to_owned(),
        status if said.is_empty() => format!("HTTP {status}"),
        status => format!("HTTP {status}: {said}"),
    };
    let request_id = request_id_in(&said).or_else(|| answer.request_id.clone());
    let error = meaning.error(shop, &message, request_id);
    at_least(error, answer.retry_after.map(seconds))
}

/// What the body of a refusal says, where it says it plainly.
fn said(body: &[u8]) -> String {
    let errors = serde_json::from_slice::<Envelope>(body).map(|envelope| envelope.errors);
    match errors {
        Ok(Errors::Text(text)) => text,
        Ok(Errors::List(errors)) => messages(&errors),
        Err(_) => String::new(),
    }
}

/// The error, with the longer of two waits if it is a throttle.
fn at_least(mut error: ChannelError, wait: Option<Duration>) -> ChannelError {
    if let (ChannelError::Throttled { retry_after, .. }, Some(wait)) = (&mut error, wait) {
        *retry_after = wait.max(*retry_after);
    }
    error
}

/// How many points the shop's plan restores in a second, as every answer says.
pub(super) fn restore_rate(answer: &HttpAnswer) -> Option<u32> {
    let envelope: Envelope = serde_json::from_slice(&answer.body).ok()?;
    let rate = envelope.extensions.cost?.throttle_status.restore_rate;
    // Whole numbers up to 2000 so far; anything else is no rate.
    (1.0..=1e6).contains(&rate).then_some(rate as u32)
}

/// What the shop's rate limit has left, as every answer says.
pub(super) fn budget(answer: &HttpAnswer) -> Option<Budget> {
    let envelope: Envelope = serde_json::from_slice(&answer.body).ok()?;
    let status = envelope.extensions.cost?.throttle_status;
    let points = |number: f64| (0.0..=1e9).contains(&number).then_some(number as u32);
    Some(Budget {
        available: points(status.currently_available)?,
        maximum: points(status.maximum_available)?,
        restore_rate: points(status.restore_rate)?,
    })
}

/// Where it does not parse; the parser's own words may quote what it read.
fn unparsed(error: &serde_json::Error) -> String {
    match (error.line(), error.column()) {
        (0, _) => "the answer does not have the shape that was asked for".into(),
        (line, column) => format!("the answer does not parse at line {line}, column {column}"),
    }
}

/// The error that a list of errors is. Of a change, only what says for sure that nothing was done counts as
/// that: it may have been carried out and only its answer have failed, and then there is data beside it.
fn graphql_error(shop: &ShopDomain, asked: Asked, answer: &HttpAnswer, envelope: &Envelope) -> Option<ChannelError> {
    let errors = match &envelope.errors {
        Errors::List(errors) => errors,
        Errors::Text(text) => return Some(Meaning::Unknown.error(shop, text, answer.request_id.clone())),
    };
    if errors.is_empty() {
        return None;
    }
    let in_doubt = asked == Asked::Change && !holds_nothing(envelope.data.as_ref());
    let meaning =
        if in_doubt { Meaning::Unknown } else { Meaning::of_all(errors.iter().map(|e| meaning(e, envelope))) };
    let request_id =
        errors.iter().find_map(|error| error.extensions.request_id.clone().or_else(|| request_id_in(&error.message)));
    let error = meaning.error(shop, &messages(errors), request_id.or_else(|| answer.request_id.clone()));
    Some(match envelope.extensions.cost.as_ref() {
        Some(cost) => affordable(error, cost),
        None => error,
    })
}

fn meaning(error: &GraphqlError, envelope: &Envelope) -> Meaning {
    let Some(code) = error.extensions.code.as_deref() else { return Meaning::Unknown };
    // Shopify never began, and can say which place in the document it does not take: a field that it does
    // not know, a variable that does not fit.
    let is_about_the_document = envelope.data.is_none() && error.locations.is_some();
    let otherwise = if is_about_the_document { Meaning::Refused(Code::Rejected) } else { Meaning::Unknown };
    Meaning::of_error_code(code).unwrap_or(otherwise)
}

/// What they say, each thing once: a field of a list fails once for each of its elements.
fn messages(errors: &[GraphqlError]) -> String {
    let mut messages: Vec<&str> = Vec::new();
    for error in errors {
        if !messages.contains(&error.message.as_str()) {
            messages.push(&error.message);
        }
    }
    messages.join("; ")
}

/// Whether each root field is null: none was carried out.
fn holds_nothing(data: Option<&Value>) -> bool {
    data.and_then(Value::as_object).is_none_or(|fields| fields.values().all(Value::is_null))
}

/// As much of a foreign text as a person needs: it goes into the ledger and the log.
pub(super) fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// A throttle lasts until the bucket holds what the question asks for, and a little more: others draw on it
/// too.
fn affordable(mut error: ChannelError, cost: &Cost) -> ChannelError {
    if let ChannelError::Throttled { retry_after, .. } = &mut error {
        let missing = cost.requested_query_cost - cost.throttle_status.currently_available;
        *retry_after = seconds(missing / cost.throttle_status.restore_rate.max(1.0) * 1.1 + 0.05);
    }
    error
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
        data(&"moon.myshopify.com".parse().unwrap(), Asked::Change, &answer)
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
    fn a_body_that_is_no_json_is_an_unknown_outcome() {
        let answer =
            HttpAnswer { status: StatusCode::OK, request_id: None, retry_after: None, body: b"<html>".to_vec() };

        let error = data::<Value>(&"moon.myshopify.com".parse().unwrap(), Asked::Change, &answer).unwrap_err();

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

        let error = data::<Shape>(&"moon.myshopify.com".parse().unwrap(), Asked::Question, &answer).unwrap_err();

        assert!(!roundtrip_domain::error_chain(&error).contains("Ada"), "{error}");
    }

    #[test]
    fn a_query_that_shopify_does_not_understand_is_refused_in_its_own_words() {
        let body = json!({ "errors": [{ "message": "Field 'nme' doesn't exist on type 'Order'", "locations": [{ "line": 1, "column": 9 }], "extensions": { "code": "undefinedField" } }] });

        assert!(ask(200, &body).unwrap_err().to_string().contains("Field 'nme'"));
    }
}
