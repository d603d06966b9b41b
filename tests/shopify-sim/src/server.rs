//! Starts and stops a simulator.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::SimClient;
use crate::config::SimConfig;
use crate::engine::Engine;
use crate::{admin, control};

/// A running simulator; dropping it stops it.
pub struct Sim {
    addr: SocketAddr,
    config: SimConfig,
    server: JoinHandle<()>,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0} is not a loopback address: the simulator has no other protection")]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {addr}")]
    Listen { addr: SocketAddr, source: std::io::Error },
    #[error("cannot make the HTTP client for webhooks")]
    HttpClient(#[source] reqwest::Error),
}

impl Sim {
    /// Starts a simulator as a task of this process.
    ///
    /// # Errors
    /// [`StartError`]: the address is not loopback or taken.
    pub async fn start(config: SimConfig) -> Result<Self, StartError> {
        let addr = config.addr;
        if !addr.ip().is_loopback() {
            return Err(StartError::NotLoopback(addr));
        }
        let listener = TcpListener::bind(addr).await.map_err(|source| StartError::Listen { addr, source })?;
        let addr = listener.local_addr().map_err(|source| StartError::Listen { addr, source })?;
        let engine = Engine::new(config.clone()).map_err(StartError::HttpClient)?;
        let router = router(engine);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the simulator stopped serving");
            }
        });
        Ok(Self { addr, config, server })
    }

    /// `http://127.0.0.1:<port>`; a shop's Admin API is at `<url>/<domain>/admin/…`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What it was started with.
    pub fn config(&self) -> &SimConfig {
        &self.config
    }

    /// A client of its control API.
    pub fn client(&self) -> SimClient {
        SimClient::new(self.url())
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/{shop}/admin/api/{version}/graphql.json", post(admin::graphql))
        .route("/{shop}/admin/oauth/access_token", post(admin::access_token))
        .nest("/_sim", control::routes())
        .with_state(engine)
}
