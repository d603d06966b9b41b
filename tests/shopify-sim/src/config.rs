//! What a simulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::state::{ShopSettings, TakenKey};

/// Settings of one simulator. `SimConfig::default()` is a quick, obedient Shopify.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Where to listen; must be loopback. Port 0 takes any free one.
    pub addr: SocketAddr,
    /// The app that is installed in every shop.
    pub client_id: String,
    /// Signs webhooks and opens the client credentials grant.
    pub client_secret: String,
    /// What the app may do.
    pub scopes: Vec<String>,
    /// Points per second and shop.
    pub restore_rate: u32,
    /// Points at most.
    pub bucket: u32,
    /// Whether webhooks may go to `http://` addresses, and to this machine.
    pub allow_http: bool,
    /// Pauses before the retries of a webhook; after the last one failed its subscription is deleted.
    pub webhook_retry: Vec<Duration>,
    /// How new shops behave.
    pub shop: ShopSettings,
}

/// Source: computed from the 2026-10 schema's scope map for the operations that the simulator answers.
const SCOPES: [&str; 12] = [
    "read_orders",
    "write_orders",
    "read_customers",
    "read_products",
    "read_locations",
    "read_fulfillments",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_third_party_fulfillment_orders",
    "write_third_party_fulfillment_orders",
    "read_assigned_fulfillment_orders",
    "write_assigned_fulfillment_orders",
];

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            client_id: "sim-client-id".to_owned(),
            client_secret: "sim-client-secret".to_owned(),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            restore_rate: 100, // the standard plan's
            bucket: 2000,
            allow_http: true,
            webhook_retry: [100, 200, 400, 800, 1600, 3200, 6400, 12_800].map(Duration::from_millis).to_vec(), // 8, as Shopify's, but not over 4 hours
            shop: ShopSettings {
                routing_delay: Duration::ZERO,
                index_lag: Duration::ZERO,
                taken_key: TakenKey::Refuse,
                refuse_overwrite: false,
                cancel_delay: Duration::from_millis(100),
                order_creates_per_minute: None,
            },
        }
    }
}
