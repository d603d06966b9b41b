//! Webhooks: is it Shopify's, and which order is it about.
//!
//! A body is a hint, never a fact: it is signed, but old (retries send the original for four hours), and
//! its headers are not signed at all. So of a delivery only the subject goes on, and is read afresh.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use roundtrip_domain::id::{FulfillmentOrderId, OrderId, OrderRef, ShopDomain};
use roundtrip_domain::secret::AppCredentials;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

/// One topic that we handle.
#[derive(Debug)]
pub struct Topic {
    /// As in the `X-Shopify-Topic` header.
    pub name: &'static str,
    /// As in `WebhookSubscriptionTopic`.
    pub(super) subscription: &'static str,
    pub queue: Queue,
    subject: SubjectAt,
    /// What a delivery carries; empty: all of it, where Shopify's filter would cut off the root.
    pub(super) include_fields: &'static [&'static str],
}

/// Where a topic's body names its subject.
#[derive(Debug, Clone, Copy)]
enum SubjectAt {
    /// `id` is the order, `updated_at` its time.
    Order,
    /// `order_id` is the order.
    OrderIdField,
    /// `order_edit.order_id` is the order.
    OrderEdit,
    /// `fulfillment_order.id` is a fulfillment order; nothing names the order.
    FulfillmentOrder,
}

const ORDER_FIELDS: &[&str] = &["id", "updated_at"];
const FULFILLMENT_FIELDS: &[&str] = &["id", "order_id", "updated_at"];
const REFUND_FIELDS: &[&str] = &["id", "order_id", "created_at"];

const fn topic(
    name: &'static str,
    subscription: &'static str,
    queue: Queue,
    subject: SubjectAt,
    include_fields: &'static [&'static str],
) -> Topic {
    Topic { name, subscription, queue, subject, include_fields }
}

/// Every topic that we subscribe to: its queue, and where its body names the subject.
pub const TOPICS: &[Topic] = {
    use Queue::{OrderPush, TrackingWriteback};
    use SubjectAt::{FulfillmentOrder, Order, OrderEdit, OrderIdField};
    &[
        topic("orders/create", "ORDERS_CREATE", OrderPush, Order, ORDER_FIELDS),
        topic("orders/paid", "ORDERS_PAID", OrderPush, Order, ORDER_FIELDS),
        topic("orders/updated", "ORDERS_UPDATED", OrderPush, Order, ORDER_FIELDS),
        topic("orders/edited", "ORDERS_EDITED", OrderPush, OrderEdit, &[]),
        topic("orders/cancelled", "ORDERS_CANCELLED", OrderPush, Order, ORDER_FIELDS),
        topic("orders/fulfilled", "ORDERS_FULFILLED", OrderPush, Order, ORDER_FIELDS),
        topic("orders/partially_fulfilled", "ORDERS_PARTIALLY_FULFILLED", OrderPush, Order, ORDER_FIELDS),
        topic("refunds/create", "REFUNDS_CREATE", OrderPush, OrderIdField, REFUND_FIELDS),
        topic("fulfillments/create", "FULFILLMENTS_CREATE", TrackingWriteback, OrderIdField, FULFILLMENT_FIELDS),
        topic("fulfillments/update", "FULFILLMENTS_UPDATE", TrackingWriteback, OrderIdField, FULFILLMENT_FIELDS),
        topic(
            "fulfillment_orders/placed_on_hold",
            "FULFILLMENT_ORDERS_PLACED_ON_HOLD",
            OrderPush,
            FulfillmentOrder,
            &[],
        ),
        topic("fulfillment_orders/hold_released", "FULFILLMENT_ORDERS_HOLD_RELEASED", OrderPush, FulfillmentOrder, &[]),
        topic(
            "fulfillment_orders/order_routing_complete",
            "FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE",
            OrderPush,
            FulfillmentOrder,
            &[],
        ),
    ]
};

/// The headers of a delivery. Both families count: `X-Shopify-…` and the newer `Shopify-…`.
/// Source: shopify.dev, "Delivery structure" and "Verify deliveries".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    pub signature: Option<String>,
    pub topic: Option<String>,
    pub shop: Option<String>,
    /// What happened.
    pub event_id: Option<String>,
    /// This delivery of it.
    pub webhook_id: Option<String>,
}

impl Headers {
    /// Takes what `header` finds; names are given in lower case.
    pub fn read(header: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| header(&format!("x-shopify-{name}")).or_else(|| header(&format!("shopify-{name}")));
        Self {
            signature: either("hmac-sha256"),
            topic: either("topic"),
            shop: either("shop-domain"),
            event_id: either("event-id"),
            webhook_id: either("webhook-id"),
        }
    }
}

/// A body that Shopify signed with our app's secret. Only [`Verified::check`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'a> {
    body: &'a [u8],
}

/// Why a delivery is not taken for Shopify's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("no signature header")]
    Missing,
    #[error("the signature is not base64 of 32 bytes")]
    Malformed,
    #[error("the signature is of another body or another secret")]
    Wrong,
}

impl<'a> Verified<'a> {
    /// Checks `signature` (base64 of HMAC-SHA256) against the raw `body` in constant time, with the
    /// current secret and the one before it: after a rotation Shopify may sign with either for an hour.
    ///
    /// # Errors
    /// [`SignatureError`]; answer 401 to each and say no more.
    pub fn check(body: &'a [u8], signature: Option<&str>, app: &AppCredentials) -> Result<Self, SignatureError> {
        let signature = signature.ok_or(SignatureError::Missing)?;
        let signature = STANDARD.decode(signature.trim()).map_err(|_| SignatureError::Malformed)?;
        if signature.len() != 32 {
            return Err(SignatureError::Malformed);
        }
        let secrets = std::iter::once(&app.client_secret).chain(&app.previous_client_secret);
        for secret in secrets.filter(|secret| !secret.expose().is_empty()) {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes any key");
            mac.update(body);
            if mac.verify_slice(&signature).is_ok() {
                return Ok(Self { body });
            }
        }
        Err(SignatureError::Wrong)
    }
}

/// A verified delivery that leads to no task. Answered with 200 all the same: Shopify deletes a
/// subscription after eight refusals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("no topic header")]
    NoTopic,
    #[error("a topic that we do not handle")]
    UnknownTopic,
    #[error("the shop header is missing or names no shop")]
    NoShop,
    #[error("the body is not JSON")]
    NotJson,
    #[error("the body names no order where its topic keeps it")]
    NoSubject,
}

impl Unusable {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoTopic => "no_topic",
            Self::UnknownTopic => "unknown_topic",
            Self::NoShop => "no_shop",
            Self::NotJson => "not_json",
            Self::NoSubject => "no_subject",
        }
    }
}

/// The few fields that any topic's body is read for.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    order_id: Value,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    order_edit: Option<OrderEditBody>,
    #[serde(default)]
    fulfillment_order: Option<FulfillmentOrderBody>,
}

#[derive(Deserialize)]
struct OrderEditBody {
    #[serde(default)]
    order_id: Value,
}

#[derive(Deserialize)]
struct FulfillmentOrderBody {
    #[serde(default)]
    id: Value,
}

/// The task that a delivery leads to, and its queue.
///
/// # Errors
/// [`Unusable`]: there is nothing to do; the body goes no further, not even to the log.
pub fn task(delivery: Verified<'_>, headers: &Headers) -> Result<(Queue, Task), Unusable> {
    let name = headers.topic.as_deref().ok_or(Unusable::NoTopic)?;
    let topic = TOPICS.iter().find(|topic| topic.name == name).ok_or(Unusable::UnknownTopic)?;
    let shop: ShopDomain = headers.shop.as_deref().and_then(|shop| shop.parse().ok()).ok_or(Unusable::NoShop)?;
    let body: Body = serde_json::from_slice(delivery.body).map_err(|_| Unusable::NotJson)?;
    let subject = subject(topic, shop, &body).ok_or(Unusable::NoSubject)?;
    let cause = headers.event_id.as_deref().or(headers.webhook_id.as_deref()).unwrap_or("webhook");
    let mut task = Task::new(Trigger::Webhook, cause.chars().take(100).collect::<String>(), subject);
    if matches!(topic.subject, SubjectAt::Order) {
        task.seen_updated_at = body.updated_at.and_then(|at| at.parse::<Timestamp>().ok());
    }
    Ok((topic.queue, task))
}

fn subject(topic: &Topic, shop: ShopDomain, body: &Body) -> Option<Subject> {
    let order = |id: &Value| number(id).map(|id| OrderRef { shop: shop.clone(), id: OrderId::new(id) });
    match topic.subject {
        SubjectAt::Order => order(&body.id).map(Subject::Order),
        SubjectAt::OrderIdField => order(&body.order_id).map(Subject::Order),
        SubjectAt::OrderEdit => order(&body.order_edit.as_ref()?.order_id).map(Subject::Order),
        SubjectAt::FulfillmentOrder => {
            let id = number(&body.fulfillment_order.as_ref()?.id)?;
            Some(Subject::FulfillmentOrder { shop, id: FulfillmentOrderId::new(id) })
        }
    }
}

/// An id as REST bodies give it (a number) or as newer topics do (a gid).
fn number(id: &Value) -> Option<u64> {
    let number = match id {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.rsplit('/').next().and_then(|digits| digits.parse().ok()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use roundtrip_domain::secret::Secret;

    use super::*;

    fn app(secret: &str, previous: Option<&str>) -> AppCredentials {
        AppCredentials {
            client_id: "client".into(),
            client_secret: Secret::new(secret),
            previous_client_secret: previous.map(Secret::new),
        }
    }

    fn sign(body: &[u8], secret: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        STANDARD.encode(mac.finalize().into_bytes())
    }

    fn headers(topic: &str) -> Headers {
        Headers {
            topic: Some(topic.into()),
            shop: Some("moon.myshopify.com".into()),
            event_id: Some("event-1".into()),
            ..Headers::default()
        }
    }

    fn task_of(topic: &str, body: &str) -> Result<(Queue, Task), Unusable> {
        let signature = sign(body.as_bytes(), "secret");
        let verified = Verified::check(body.as_bytes(), Some(&signature), &app("secret", None)).unwrap();
        task(verified, &headers(topic))
    }

    #[test]
    fn a_signature_of_the_current_or_the_previous_secret_counts() {
        let body = br#"{"id":1}"#;
        let app = app("new", Some("old"));

        assert!(Verified::check(body, Some(&sign(body, "new")), &app).is_ok());
        assert!(Verified::check(body, Some(&sign(body, "old")), &app).is_ok());
        assert_eq!(Verified::check(body, Some(&sign(body, "other")), &app).unwrap_err(), SignatureError::Wrong);
    }

    #[test]
    fn a_body_that_was_written_again_is_not_the_signed_one() {
        let signature = sign(br#"{"id": 1}"#, "secret");

        let error = Verified::check(br#"{"id":1}"#, Some(&signature), &app("secret", None)).unwrap_err();

        assert_eq!(error, SignatureError::Wrong);
    }

    #[test]
    fn a_missing_or_mangled_signature_is_refused() {
        let app = app("secret", None);

        assert_eq!(Verified::check(b"{}", None, &app).unwrap_err(), SignatureError::Missing);
        for mangled in ["", "abc", "%%%", "c2hvcnQ="] {
            assert_eq!(Verified::check(b"{}", Some(mangled), &app).unwrap_err(), SignatureError::Malformed);
        }
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let body = b"{}";

        assert!(Verified::check(body, Some(&sign(body, "")), &app("", Some(""))).is_err());
    }

    #[test]
    fn both_header_families_are_read() {
        let old = Headers::read(|name| (name == "x-shopify-topic").then(|| "orders/paid".into()));
        let new = Headers::read(|name| (name == "shopify-topic").then(|| "orders/paid".into()));

        assert_eq!(old, new);
    }

    #[test]
    fn an_order_webhook_names_its_order_and_carries_the_time_as_a_hint() {
        let (queue, task) = task_of("orders/paid", r#"{"id":42,"updated_at":"2026-11-22T08:00:00-05:00"}"#).unwrap();

        assert_eq!(queue, Queue::OrderPush);
        assert_eq!(task.subject.to_string(), "order moon.myshopify.com/42");
        assert_eq!(task.seen_updated_at, Some("2026-11-22T13:00:00Z".parse().unwrap()));
        assert_eq!(task.cause_id, "event-1");
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let cases = [
            ("carts/update", r#"{"id":1}"#, Unusable::UnknownTopic),
            ("orders/paid", "<xml/>", Unusable::NotJson),
            ("orders/paid", "7", Unusable::NotJson),
            ("orders/paid", "{}", Unusable::NoSubject),
            ("orders/paid", r#"{"id":-5}"#, Unusable::NoSubject),
            ("orders/paid", r#"{"id":{"a":1}}"#, Unusable::NoSubject),
            ("orders/edited", r#"{"id":1}"#, Unusable::NoSubject),
            ("fulfillments/create", r#"{"id":1}"#, Unusable::NoSubject),
            ("fulfillment_orders/placed_on_hold", r#"{"fulfillment_order":{}}"#, Unusable::NoSubject),
        ];
        for (topic, body, expected) in cases {
            assert_eq!(task_of(topic, body).unwrap_err(), expected, "{topic} {body}");
        }
    }

    #[test]
    fn the_included_fields_hold_what_the_task_needs_and_something_that_changes() {
        // A delivery whose included fields did not change may be left out. Source: webhook best practices.
        for topic in TOPICS.iter().filter(|topic| !topic.include_fields.is_empty()) {
            assert!(topic.include_fields.iter().any(|field| field.ends_with("_at")), "{}", topic.name);
        }
    }
}
