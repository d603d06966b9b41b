//! The ops-api, as an operator.

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use jsonwebtoken::{EncodingKey, Header, encode};
use roundtrip_aws::SdkConfig;
use serde_json::{Value, json};

use super::{Described, eventually};

/// A client with an operator's token.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    token: String,
    http: reqwest::Client,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiAnswer {
    pub status: u16,
    pub body: Value,
}

impl Api {
    pub(super) async fn new(described: &Described, sdk: &SdkConfig, http: reqwest::Client) -> Result<Self, String> {
        let secret = Client::new(sdk)
            .get_secret_value()
            .secret_id(&described.secrets["operator"])
            .send()
            .await
            .map_err(|error| format!("the operator secret cannot be read ({error:?}); is the stack up? make up"))?;
        let token = sign(secret.secret_string().unwrap_or_default());
        Ok(Self { base: described.api_path_url.clone(), token, http })
    }

    /// Sends one request.
    ///
    /// # Panics
    /// If the API does not answer.
    pub async fn send(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> ApiAnswer {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the API answers");
        let status = answer.status().as_u16();
        ApiAnswer { status, body: answer.json().await.unwrap_or(Value::Null) }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// What opens it.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// GET.
    pub async fn get(&self, path: &str) -> ApiAnswer {
        self.send(reqwest::Method::GET, path, None).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> ApiAnswer {
        self.send(reqwest::Method::POST, path, Some(body)).await
    }

    /// The same client with another bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Registers a shop and waits until it is connected.
    ///
    /// # Panics
    /// If it is not.
    pub async fn connect_shop(&self, domain: &str) {
        let answer = self.post("/v1/shops", json!({ "domain": domain })).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        eventually(&format!("{domain} is connected"), Duration::from_secs(30), || async {
            let shown = self.get(&format!("/v1/shops/{domain}")).await;
            assert_ne!(shown.body["state"], "failed", "{}", shown.body);
            (shown.body["state"] == "connected").then_some(())
        })
        .await;
    }

    /// One order, whole; `None` while the ledger does not know it.
    pub async fn order(&self, shop: &str, id: u64) -> Option<Value> {
        let answer = self.get(&format!("/v1/shops/{shop}/orders/{id}")).await;
        (answer.status == 200).then_some(answer.body)
    }
}

fn sign(secret: &str) -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({ "sub": "kit", "aud": "roundtrip", "iat": now, "exp": now + 3600 });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).expect("claims are plain JSON")
}
