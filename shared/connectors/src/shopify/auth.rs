//! Access tokens: one per shop, from memory, the vault, or Shopify, in this order.
//!
//! A token of the client-credentials grant lives 24 h and can be had at any time, so workers renew it
//! by themselves; two that do so at once each get a valid one. A token given by hand does not expire
//! and cannot be renewed. Source: shopify.dev, "Client credentials grant".

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use roundtrip_domain::channel::{BoxError, ChannelError};
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::{Clock, Credentials, CredentialsError, after};
use roundtrip_domain::secret::{AccessToken, Secret};
use serde::Deserialize;

use super::answer;
use super::http::Http;

/// A token this close to its end is renewed first: it must outlive the call.
const MARGIN: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct Tokens<V, K> {
    vault: V,
    clock: K,
    http: Http,
    known: Mutex<HashMap<ShopDomain, AccessToken>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds.
    #[serde(default)]
    expires_in: Option<u64>,
}

impl<V: Credentials, K: Clock> Tokens<V, K> {
    pub(super) fn new(vault: V, clock: K, http: Http) -> Self {
        Self { vault, clock, http, known: Mutex::new(HashMap::new()) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A token for `shop` that is good for a while.
    pub(super) async fn of(&self, shop: &ShopDomain) -> Result<Secret, ChannelError> {
        if let Some(token) = self.remembered(shop).filter(|token| self.is_fresh(token)) {
            return Ok(token.token);
        }
        let kept = self.vault.token(shop).await.map_err(|error| unavailable(shop, error))?;
        if let Some(token) = kept.filter(|token| self.is_fresh(token)) {
            self.remember(shop, &token);
            return Ok(token.token);
        }
        self.grant(shop).await
    }

    /// Another token than `refused`, which Shopify did not know.
    pub(super) async fn renew(&self, shop: &ShopDomain, refused: &Secret) -> Result<Secret, ChannelError> {
        self.forget(shop);
        // Another worker may have renewed it already.
        let kept = self.vault.token(shop).await.map_err(|error| unavailable(shop, error))?;
        if let Some(token) = kept {
            if token.token != *refused && self.is_fresh(&token) {
                self.remember(shop, &token);
                return Ok(token.token);
            }
            if token.expires_at.is_none() {
                let message = "the access token given by hand is not valid: give a new one".to_owned();
                return Err(shut_out(shop, message, None));
            }
        }
        self.grant(shop).await
    }

    /// Asks Shopify for a token, and keeps it.
    async fn grant(&self, shop: &ShopDomain) -> Result<Secret, ChannelError> {
        let app = self.vault.app().await.map_err(|error| unavailable(shop, error))?;
        let body = serde_json::json!({
            "grant_type": "client_credentials",
            "client_id": app.client_id,
            "client_secret": app.client_secret.expose(),
        });
        let answer = self.http.post(shop, "/admin/oauth/access_token", None, &body).await.map_err(not_asked)?;
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => return Err(answer::by_status(shop, &answer)),
            StatusCode::NOT_FOUND => return Err(shut_out(shop, "there is no such shop".to_owned(), answer.request_id)),
            status if status.is_client_error() => {
                let message = format!(
                    "Shopify grants no token (HTTP {}): is the app installed in this shop, and the client secret right?",
                    status.as_u16()
                );
                return Err(shut_out(shop, message, answer.request_id));
            }
            _ => {}
        }
        // The parser's message could quote the token.
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| {
            let source = format!("no token came back (HTTP {})", answer.status.as_u16());
            ChannelError::Unreachable { shop: shop.clone(), source: source.into() }
        })?;
        let lifetime = Duration::from_secs(granted.expires_in.unwrap_or(0));
        let expires_at = Some(after(self.clock.now(), lifetime));
        let token = AccessToken { token: Secret::new(granted.access_token), expires_at };
        self.vault.keep_token(shop, &token).await.map_err(|error| unavailable(shop, error))?;
        self.remember(shop, &token);
        Ok(token.token)
    }

    fn is_fresh(&self, token: &AccessToken) -> bool {
        let soon: Timestamp = after(self.clock.now(), MARGIN);
        token.expires_at.is_none_or(|end| end > soon)
    }

    fn remembered(&self, shop: &ShopDomain) -> Option<AccessToken> {
        self.known.lock().ok()?.get(shop).cloned()
    }

    fn remember(&self, shop: &ShopDomain, token: &AccessToken) {
        if let Ok(mut known) = self.known.lock() {
            known.insert(shop.clone(), token.clone());
        }
    }

    fn forget(&self, shop: &ShopDomain) {
        if let Ok(mut known) = self.known.lock() {
            known.remove(shop);
        }
    }
}

/// Without a token no call was made: nothing was done.
fn unavailable(shop: &ShopDomain, error: CredentialsError) -> ChannelError {
    let source: BoxError = Box::new(error);
    ChannelError::Unreachable { shop: shop.clone(), source }
}

/// That no answer came says nothing of the call that the token was for: it was not made.
fn not_asked(error: ChannelError) -> ChannelError {
    let ChannelError::NoAnswer { shop, message, source, .. } = error else { return error };
    ChannelError::Unreachable { shop, source: source.unwrap_or_else(|| message.into()) }
}

fn shut_out(shop: &ShopDomain, message: String, request_id: Option<String>) -> ChannelError {
    ChannelError::ShopUnavailable { shop: shop.clone(), message, request_id }
}
