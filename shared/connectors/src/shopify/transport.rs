//! One question, one answer: the HTTP side of the Admin API.

use std::fmt;
use std::str::FromStr;
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

use super::answer::{self, HttpAnswer};
use super::auth::Tokens;

/// Where the shops' APIs are: `https://{shop}`, or a simulator's address in which `{shop}` stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

/// Why a text is not an [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a Shopify endpoint: give https://{{shop}}, or for a simulator http://127.0.0.1:PORT/{{shop}}")]
pub struct InvalidEndpoint(String);

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // In clear text only on this machine: the requests carry tokens.
        let safe = text.starts_with("https://") || text.starts_with("http://127.0.0.1:");
        if safe && text.contains("{shop}") {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(InvalidEndpoint(text.to_owned()))
        }
    }
}

impl Endpoint {
    pub(super) fn of(&self, shop: &ShopDomain) -> String {
        self.0.replace("{shop}", shop.as_str())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
    pub(super) http: reqwest::Client,
    tokens: Arc<Tokens<V, K>>,
    patience_ms: Arc<AtomicU64>,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

impl<V: Credentials, K: Clock> ShopifyApi<V, K> {
    /// Makes the client; calls nothing.
    ///
    /// # Errors
    /// The TLS backend cannot be set up.
    pub fn new(config: ShopifyConfig, vault: V, clock: K) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(config.call_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("roundtrip/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            config: Arc::new(config),
            http,
            tokens: Arc::new(Tokens::new(vault, clock)),
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
        self.send(shop, document, variables).await.map(|(data, _)| data)
    }

    /// Sends `document`; the answer's `data` comes with Shopify's request id, which a refusal is recorded
    /// with.
    ///
    /// Sends again in two cases only, in which Shopify has done nothing: it throttled us and the wait is
    /// short, or it did not know our token and a fresh one could be had.
    pub(super) async fn send<D: DeserializeOwned>(
        &self,
        shop: &ShopDomain,
        document: &'static str,
        variables: impl Serialize,
    ) -> Result<(D, Option<String>), ChannelError> {
        let body = serde_json::json!({ "query": document, "variables": variables });
        let mut token = self.tokens.of(self, shop).await?;
        let mut renewed = false;
        let mut slept = Duration::ZERO;
        loop {
            let error = match self.post(shop, &token, &body).await {
                Ok(answer) if answer.status == StatusCode::UNAUTHORIZED && !renewed => {
                    renewed = true;
                    token = self.tokens.renew(self, shop, &token).await?;
                    continue;
                }
                Ok(answer) => match answer::data(shop, &answer) {
                    Ok(data) => return Ok((data, answer.request_id)),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            let patience = Duration::from_millis(self.patience_ms.load(Ordering::Relaxed));
            match &error {
                ChannelError::Throttled { retry_after, .. } if slept + *retry_after <= patience => {
                    slept += *retry_after;
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
        let url = format!("{}/admin/api/{}/graphql.json", self.config.endpoint.of(shop), self.config.api_version);
        let sent = self.http.post(url).header("X-Shopify-Access-Token", token.expose()).json(body).send().await;
        read(shop, sent).await
    }
}

/// Reads an answer to its end; tells "no connection" from "no answer".
pub(super) async fn read(
    shop: &ShopDomain,
    sent: Result<reqwest::Response, reqwest::Error>,
) -> Result<HttpAnswer, ChannelError> {
    let response = sent.map_err(|error| lost(shop, error, None))?;
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
    let request_id = header("x-request-id");
    let retry_after = header("retry-after").and_then(|text| text.parse::<f64>().ok());
    let status = response.status();
    match response.bytes().await {
        Ok(body) => Ok(HttpAnswer { status, request_id, retry_after, body: body.to_vec() }),
        Err(error) => Err(lost(shop, error, request_id)),
    }
}

fn lost(shop: &ShopDomain, error: reqwest::Error, request_id: Option<String>) -> ChannelError {
    // The URL names the shop, which the error does already.
    let error = error.without_url();
    let shop = shop.clone();
    if error.is_connect() {
        return ChannelError::Unreachable { shop, source: error.into() };
    }
    let message = if error.is_timeout() { "timed out" } else { "the connection was lost" }.to_owned();
    ChannelError::NoAnswer { shop, message, request_id, source: Some(error.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_travel_in_clear_text_on_this_machine_only() {
        let shop = "moon.myshopify.com".parse().unwrap();

        let local: Endpoint = "http://127.0.0.1:4570/{shop}/".parse().unwrap();

        assert_eq!(local.of(&shop), "http://127.0.0.1:4570/moon.myshopify.com");
        assert!("https://{shop}".parse::<Endpoint>().is_ok());
        for bad in ["http://{shop}", "https://example.com", "http://127.0.0.1.evil.com/{shop}", ""] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
