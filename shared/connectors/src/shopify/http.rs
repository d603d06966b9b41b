//! HTTP to a shop: where it is, and what an answer that did not come means.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use roundtrip_domain::channel::ChannelError;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::secret::Secret;
use serde_json::Value;

use super::answer::HttpAnswer;

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
    fn of(&self, shop: &ShopDomain) -> String {
        self.0.replace("{shop}", shop.as_str())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Posts JSON to shops.
#[derive(Debug, Clone)]
pub(super) struct Http {
    endpoint: Endpoint,
    client: reqwest::Client,
}

impl Http {
    pub(super) fn new(endpoint: Endpoint, call_timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(call_timeout)
            // A redirect would carry the token elsewhere, or send a mutation twice.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("roundtrip/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { endpoint, client })
    }

    pub(super) async fn post(
        &self,
        shop: &ShopDomain,
        path: &str,
        token: Option<&Secret>,
        body: &Value,
    ) -> Result<HttpAnswer, ChannelError> {
        let mut request = self.client.post(format!("{}{path}", self.endpoint.of(shop))).json(body);
        if let Some(token) = token {
            request = request.header("X-Shopify-Access-Token", token.expose());
        }
        read(shop, request.send().await).await
    }
}

/// Reads an answer to its end; tells "no connection" from "no answer".
async fn read(shop: &ShopDomain, sent: Result<reqwest::Response, reqwest::Error>) -> Result<HttpAnswer, ChannelError> {
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
