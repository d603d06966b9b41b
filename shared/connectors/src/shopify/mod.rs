//! Shopify: the Admin GraphQL API as a [`roundtrip_domain::channel::Channel`], and webhooks.

mod answer;
mod auth;
mod channel;
mod classify;
mod connect;
mod fulfillments;
mod http;
mod order_create;
mod orders;
mod resync;
mod transport;
mod variants;
pub mod webhook;
mod wire;

pub use http::{Endpoint, InvalidEndpoint};
pub use order_create::{FORWARDED_FIELDS, ForwardedField, WITHHELD, order_create_variables};
pub use transport::{ShopifyApi, ShopifyConfig};

/// The metafield that carries our key, in the app's own reserved namespace.
const ORDER_KEY: &str = "order_key";
