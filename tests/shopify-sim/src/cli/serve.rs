//! `serve`: the simulator as a process.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use shopify_sim::{Sim, SimConfig};
use tokio::signal::unix::{SignalKind, signal};

use super::Done;
use super::shops::taken_key;

#[derive(Args)]
pub(crate) struct Serve {
    /// Port on 127.0.0.1; 0 takes any.
    #[arg(long, default_value_t = 4570)]
    port: u16,
    /// The app's client id.
    #[arg(long, env = "SHOPIFY_SIM_CLIENT_ID")]
    client_id: Option<String>,
    /// The app's client secret, which also signs webhooks.
    #[arg(long, env = "SHOPIFY_SIM_CLIENT_SECRET")]
    client_secret: Option<String>,
    /// How long a new order has no fulfillment orders.
    #[arg(long, default_value_t = 0)]
    routing_delay_ms: u64,
    /// How long search does not see a new order.
    #[arg(long, default_value_t = 0)]
    index_lag_ms: u64,
    /// What `orderCreate` does with a taken key: refuse or drop-silently.
    #[arg(long, default_value = "refuse", value_parser = taken_key)]
    taken_key: shopify_sim::state::TakenKey,
    /// Points per second and shop.
    #[arg(long, default_value_t = 100)]
    restore_rate: u32,
    /// Points at most.
    #[arg(long, default_value_t = 2000)]
    bucket: u32,
    /// A scope beside the usual ones, such as `read_all_orders`.
    #[arg(long)]
    scope: Vec<String>,
    /// Pauses before a webhook's retries, in milliseconds.
    #[arg(long, value_delimiter = ',')]
    webhook_retry_ms: Option<Vec<u64>>,
    /// Refuse webhook addresses that Shopify refuses: http:// and internal ones.
    #[arg(long)]
    https_only: bool,
}

impl Serve {
    pub(super) async fn run(self) -> Done {
        let mut config = SimConfig::default();
        config.addr = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        config.client_id = self.client_id.unwrap_or(config.client_id);
        config.client_secret = self.client_secret.unwrap_or(config.client_secret);
        config.restore_rate = self.restore_rate;
        config.bucket = self.bucket;
        config.allow_http = !self.https_only;
        config.shop.routing_delay = Duration::from_millis(self.routing_delay_ms);
        config.shop.index_lag = Duration::from_millis(self.index_lag_ms);
        config.shop.taken_key = self.taken_key;
        config.scopes.extend(self.scope);
        if let Some(pauses) = self.webhook_retry_ms {
            config.webhook_retry = pauses.into_iter().map(Duration::from_millis).collect();
        }
        tracing_subscriber::fmt().with_writer(std::io::stderr).init();
        let mut terminated = signal(SignalKind::terminate())?; // before the line that says ready
        let sim = Sim::start(config).await?;
        println!("shopify-sim listens at {}", sim.url());
        tokio::select! {
            _ = terminated.recv() => {}
            interrupted = tokio::signal::ctrl_c() => interrupted?,
        }
        Ok(())
    }
}
