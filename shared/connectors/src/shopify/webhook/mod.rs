//! Webhooks: is it Shopify's, and which order or product is it about.
//!
//! A body is a hint, never a fact: it is signed, but old (retries send the original for four hours), and
//! its headers are not signed at all. So of a delivery only the subject goes on, and is read afresh.

mod topics;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use roundtrip_domain::id::{FulfillmentOrderId, OrderId, OrderRef, ProductId, ShopDomain};
use roundtrip_domain::secret::AppCredentials;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use topics::SubjectAt;
pub use topics::{TOPICS, Topic};

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
    #[error("the body names nothing where its topic keeps its subject")]
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
        SubjectAt::Product => Some(Subject::Product { shop, id: ProductId::new(number(&body.id)?) }),
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
mod tests;
