//! One question to the Admin API, and its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::StatusCode;
use roundtrip_domain::channel::ChannelError;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::{Clock, Credentials};
use roundtrip_domain::secret::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{self, Asked, HttpAnswer};
use super::auth::Tokens;
use super::http::{Endpoint, Http};

/// How to reach Shopify.
#[derive(Debug, Clone)]
pub struct ShopifyConfig {
    pub endpoint: Endpoint,
    /// e.g. `2026-10`.
    pub api_version: String,
    /// Where webhooks go; only a shop that is being connected needs it.
    pub webhook_url: Option<String>,
    /// The total time for one call: below the function timeout, so that a call without an answer is
    /// written down by the worker that made it.
    pub call_timeout: Duration,
}

/// The Admin API of all shops. Cheap to clone; clones share connections, tokens and patience.
#[derive(Debug, Clone)]
pub struct ShopifyApi<V, K> {
    pub(super) config: Arc<ShopifyConfig>,
    http: Http,
    tokens: Arc<Tokens<V, K>>,
    patience_ms: Arc<AtomicU64>,
}

impl<V: Credentials, K: Clock> ShopifyApi<V, K> {
    /// Makes the client; calls nothing.
    ///
    /// # Errors
    /// The TLS backend cannot be set up.
    pub fn new(config: ShopifyConfig, vault: V, clock: K) -> Result<Self, reqwest::Error> {
        let http = Http::new(config.endpoint.clone(), config.call_timeout)?;
        Ok(Self {
            config: Arc::new(config),
            tokens: Arc::new(Tokens::new(vault, clock, http.clone())),
            http,
            patience_ms: Arc::new(AtomicU64::new(0)),
        })
    }

    pub(super) fn now(&self) -> jiff::Timestamp {
        self.tokens.now()
    }

    /// How long a call may sleep for the rate limit before it gives up as throttled. Zero unless the
    /// caller has nobody else's work waiting behind it.
    pub fn set_patience(&self, patience: Duration) {
        self.patience_ms.store(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Asks a question and reads its `data`.
    pub(super) async fn ask<D: DeserializeOwned>(
        &self,
        shop: &ShopDomain,
        document: &'static str,
        variables: impl Serialize,
    ) -> Result<D, ChannelError> {
        self.exchange(shop, Asked::Question, document, variables).await.map(|(data, _)| data)
    }

    /// Sends a mutation; the answer's `data` comes with Shopify's request id, which a refusal is recorded
    /// with.
    pub(super) async fn send<D: DeserializeOwned>(
        &self,
        shop: &ShopDomain,
        document: &'static str,
        variables: impl Serialize,
    ) -> Result<(D, Option<String>), ChannelError> {
        self.exchange(shop, Asked::Change, document, variables).await.map(|(data, answer)| (data, answer.request_id))
    }

    /// Sends again in two cases only, in which Shopify has done nothing: it throttled us and the wait is
    /// short, or it did not know our token and a fresh one could be had.
    pub(super) async fn exchange<D: DeserializeOwned>(
        &self,
        shop: &ShopDomain,
        asked: Asked,
        document: &'static str,
        variables: impl Serialize,
    ) -> Result<(D, HttpAnswer), ChannelError> {
        let body = serde_json::json!({ "query": document, "variables": variables });
        let mut token = self.tokens.of(shop).await?;
        let mut renewed = false;
        let mut slept = false;
        loop {
            let error = match self.post(shop, &token, &body).await {
                Ok(answer) if answer.status == StatusCode::UNAUTHORIZED && !renewed => {
                    renewed = true;
                    token = self.tokens.renew(shop, &token).await?;
                    continue;
                }
                Ok(answer) => match answer::data(shop, asked, &answer) {
                    Ok(data) => return Ok((data, answer)),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            let patience = Duration::from_millis(self.patience_ms.load(Ordering::Relaxed));
            match &error {
                // Who is throttled twice is not alone: due work lets one after the other go.
                ChannelError::Throttled { retry_after, .. } if !slept && *retry_after <= patience => {
                    slept = true;
                    tokio::time::sleep(*retry_after).await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn post(
        &self,
        shop: &ShopDomain,
        token: &Secret,
        body: &serde_json::Value,
    ) -> Result<HttpAnswer, ChannelError> {
        let path = format!("/admin/api/{}/graphql.json", self.config.api_version);
        self.http.post(shop, &path, Some(token), body).await
    }
}
