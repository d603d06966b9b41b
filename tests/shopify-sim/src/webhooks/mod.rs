//! Webhooks: what happened, told to whoever subscribed, signed and retried as Shopify does.

mod delivery;
mod payload;
mod resolver;
mod topic;

use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;

pub use delivery::{Attempt, Delivery};
pub(crate) use delivery::{Deliveries, deliver, redeliver};
pub(crate) use payload::{
    deleted_product_body, fulfillment_body, fulfillment_order_body, order_body, product_body, refund_body,
};
pub(crate) use resolver::http_client;
pub use topic::Topic;

/// Something that happened in a shop; its body is written when it happens, as Shopify's retries carry
/// the original body.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) topic: Topic,
    pub(crate) body: Value,
    pub(crate) at: Timestamp,
}

/// The `X-Shopify-Hmac-Sha256` header of a body.
///
/// Source: <https://shopify.dev/docs/apps/build/events/verify-deliveries>
pub fn sign(body: &[u8], client_secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(client_secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}
