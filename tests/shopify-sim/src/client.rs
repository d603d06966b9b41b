//! A typed client of the control API: what tests, the demo and the command move the simulator with.

mod faults;
mod orders;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::control::{Count, NewShop, NewVariant, SettingsChange, ShopView, Unsubscribe, VariantChange};
pub use crate::engine::Calls;
use crate::state::Variant;
use crate::webhooks::{Delivery, Topic};

/// Speaks to a running simulator.
#[derive(Clone, Debug)]
pub struct SimClient {
    base: String,
    http: reqwest::Client,
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    #[error("the simulator does not answer at {url}")]
    Unreachable { url: String, source: reqwest::Error },
    #[error("{message}")]
    Refused { status: u16, message: String },
    #[error("the simulator's answer cannot be read")]
    Unreadable(#[source] reqwest::Error),
}

/// What a command answers.
pub type SimResult<T> = Result<T, SimError>;

impl SimClient {
    /// A client of the simulator at `base`, e.g. `http://127.0.0.1:4570`.
    ///
    /// # Panics
    /// If no HTTP client can be made, which no command could be sent without.
    pub fn new(base: impl Into<String>) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a plain HTTP client can always be made");
        Self { base: base.into().trim_end_matches('/').to_owned(), http }
    }

    /// Where the simulator is.
    pub fn url(&self) -> &str {
        &self.base
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> SimResult<T> {
        let url = format!("{}/_sim/{path}", self.base);
        let mut request = self.http.request(method, &url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response =
            request.send().await.map_err(|source| SimError::Unreachable { url: self.base.clone(), source })?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(SimError::Unreadable);
        }
        let text = response.text().await.map_err(SimError::Unreadable)?;
        let said = serde_json::from_str::<Value>(&text).ok().and_then(|body| body["error"].as_str().map(str::to_owned));
        Err(SimError::Refused { status: status.as_u16(), message: said.unwrap_or(text) })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> SimResult<T> {
        self.send(reqwest::Method::GET, path, None).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: impl Serialize) -> SimResult<T> {
        let body = serde_json::to_value(body).unwrap_or_default();
        self.send(reqwest::Method::POST, path, Some(body)).await
    }

    async fn delete<T: DeserializeOwned>(&self, path: &str) -> SimResult<T> {
        self.send(reqwest::Method::DELETE, path, None).await
    }

    async fn order<T: DeserializeOwned>(
        &self,
        shop: &str,
        order: &str,
        verb: &str,
        body: impl Serialize,
    ) -> SimResult<T> {
        self.post(&format!("shops/{shop}/orders/{}{verb}", part(order)), body).await
    }

    /// Opens a shop that has the app. The answer carries an access token.
    pub async fn create_shop(&self, shop: &NewShop) -> SimResult<ShopView> {
        self.post("shops", shop).await
    }

    /// All shops.
    pub async fn shops(&self) -> SimResult<Vec<ShopView>> {
        self.get("shops").await
    }

    /// One shop, with a new access token.
    pub async fn shop(&self, shop: &str) -> SimResult<ShopView> {
        self.get(&format!("shops/{shop}")).await
    }

    /// Changes how a shop behaves.
    pub async fn set(&self, shop: &str, settings: &SettingsChange) -> SimResult<ShopView> {
        self.post(&format!("shops/{shop}/settings"), settings).await
    }

    /// Sells a new variant, or changes the one of that SKU; both are told by webhook.
    pub async fn set_variant(&self, shop: &str, variant: &NewVariant) -> SimResult<Variant> {
        self.post(&format!("shops/{shop}/variants"), variant).await
    }

    /// Gives a variant, by id or SKU, another SKU or barcode.
    pub async fn change_variant(&self, shop: &str, variant: &str, to: &VariantChange) -> SimResult<Variant> {
        self.post(&format!("shops/{shop}/variants/{}", part(variant)), to).await
    }

    /// Takes a variant, by id or SKU, out of its product; the last one takes the product along.
    pub async fn delete_variant(&self, shop: &str, variant: &str) -> SimResult<Count> {
        self.delete(&format!("shops/{shop}/variants/{}", part(variant))).await
    }

    /// Deletes a product with all its variants.
    pub async fn delete_product(&self, shop: &str, product: u64) -> SimResult<Count> {
        self.delete(&format!("shops/{shop}/products/{product}")).await
    }

    /// Leaves only so many points in a shop's bucket.
    pub async fn drain_bucket(&self, shop: &str, points_left: usize) -> SimResult<Count> {
        self.post(&format!("shops/{shop}/bucket"), Count { count: points_left }).await
    }

    /// Makes every access token of a shop worthless.
    pub async fn revoke_tokens(&self, shop: &str) -> SimResult<Count> {
        self.post(&format!("shops/{shop}/token/revoke"), json!({})).await
    }

    /// Removes the app from a shop.
    pub async fn uninstall(&self, shop: &str) -> SimResult<Count> {
        self.post(&format!("shops/{shop}/uninstall"), json!({})).await
    }

    /// Deletes a shop's webhook subscriptions: those of a topic, or all.
    pub async fn unsubscribe(&self, shop: &str, topic: Option<Topic>) -> SimResult<Count> {
        self.post(&format!("shops/{shop}/unsubscribe"), Unsubscribe { topic }).await
    }

    /// Brings the app back to a shop.
    pub async fn install(&self, shop: &str) -> SimResult<Count> {
        self.post(&format!("shops/{shop}/install"), json!({})).await
    }

    /// Calls so far, by shop and operation.
    pub async fn calls(&self) -> SimResult<Vec<Calls>> {
        self.get("calls").await
    }

    /// How often `operation` was called in `shop`.
    pub async fn call_count(&self, shop: &str, operation: &str) -> SimResult<u64> {
        let calls = self.calls().await?;
        Ok(calls.iter().find(|it| it.shop == shop && it.operation == operation).map_or(0, |it| it.count))
    }

    /// Counts from zero again.
    pub async fn reset_calls(&self) -> SimResult<Count> {
        self.delete("calls").await
    }

    /// Webhooks so far, oldest first.
    pub async fn deliveries(&self) -> SimResult<Vec<Delivery>> {
        self.get("deliveries").await
    }

    /// Forgets finished webhooks.
    pub async fn forget_deliveries(&self) -> SimResult<Count> {
        self.delete("deliveries").await
    }

    /// Sends a webhook once more, unchanged.
    pub async fn redeliver(&self, webhook_id: &str) -> SimResult<Count> {
        self.post(&format!("deliveries/{webhook_id}/redeliver"), json!({})).await
    }
}

/// A path segment: `#1001` and gids have characters that would end one.
fn part(text: &str) -> String {
    text.rsplit('/').next().unwrap_or(text).trim_start_matches('#').to_owned()
}
