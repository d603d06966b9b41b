//! The ops-api as it is composed, on DynamoDB's twin and two shops of the simulator; and what workers do of its links.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{EncodingKey, Header, encode};
use roundtrip_api::{AUDIENCE, Claims};
use roundtrip_aws::{DynamoLedger, OperatorSecret, QueueUrls, SqsTasks, Vault, VaultNames};
use roundtrip_connectors::shopify::webhook::{Headers, Verified, task};
use roundtrip_connectors::shopify::{ShopifyApi, ShopifyConfig};
use roundtrip_domain::Waits;
use roundtrip_domain::id::{ShopDomain, VariantId};
use roundtrip_domain::ports::{Credentials, Ports, Registry};
use roundtrip_domain::push::push_order;
use roundtrip_domain::registry::{LinkTroubleCode, ProductLink, Shop};
use roundtrip_domain::secret::{AccessToken, AppCredentials, Secret};
use roundtrip_functions::compose::{Api, SystemClock};
use roundtrip_functions::ops_api::router;
use roundtrip_kit::dynamodb::CallCount;
use roundtrip_kit::fake::{MemoryTasks, MemoryVault};
use roundtrip_kit::measure::WallClock;
use roundtrip_kit::order::{connected, connection, moon, sun};
use roundtrip_kit::{dynamodb, kms};
use serde_json::{Value, json};
use shopify_sim::control::{NewShop, NewVariant};
use shopify_sim::{Sim, SimClient, SimConfig};

use crate::cli::{Ran, roundtrip};

const SECRET: &str = "the-operator-secret-of-this-test";

pub(crate) struct Scene {
    pub(crate) sim: SimClient,
    pub(crate) ledger: DynamoLedger,
    pub(crate) url: String,
    pub(crate) token: String,
    /// Of the ledger.
    pub(crate) calls: CallCount,
    app: AppCredentials,
    pub(crate) http: reqwest::Client,
    pub(crate) world: Ports<DynamoLedger, ShopifyApi<MemoryVault, WallClock>, MemoryTasks, WallClock>,
    _running: Sim,
}

fn shopify(url: &str) -> ShopifyConfig {
    ShopifyConfig {
        endpoint: format!("{url}/{{shop}}").parse().unwrap(),
        api_version: "2026-10".into(),
        webhook_url: None,
        call_timeout: Duration::from_secs(10),
    }
}

impl Scene {
    /// The moon and the sun sell what is said, each by its SKU and barcode (empty: none).
    pub(crate) async fn start(sold: &[(&str, &str)], held: &[(&str, &str)]) -> Self {
        let config = SimConfig { restore_rate: 20, ..SimConfig::default() };
        let app = AppCredentials {
            client_id: config.client_id.clone(),
            client_secret: Secret::new(&config.client_secret),
            previous_client_secret: None,
        };
        let worker_vault = MemoryVault::new(&config.client_id, &config.client_secret);
        let running = Sim::start(config).await.unwrap();
        let sim = running.client();
        let (ledger, calls, dynamodb) = dynamodb::served_ledger().await;
        let sdk = dynamodb::sdk_config(&kms::beside(&dynamodb).await, "us-east-1", "local");
        let names = VaultNames { app_secret_id: None, token_key_id: "key".into(), registry: "registry".into() };
        let vault = Vault::new(&sdk, names);
        for (domain, variants) in [(moon(), sold), (sun(), held)] {
            let variants = variants.iter().map(|(sku, barcode)| NewVariant {
                barcode: (!barcode.is_empty()).then(|| (*barcode).to_owned()),
                ..NewVariant::of(sku, 10.into())
            });
            let new = NewShop { domain: domain.to_string(), variants: variants.collect(), ..NewShop::default() };
            let view = sim.create_shop(&new).await.unwrap();
            let token = AccessToken { token: Secret::new(view.access_token.unwrap()), expires_at: None };
            vault.keep_token(&domain, &token).await.unwrap();
            let shop = connected(domain, Timestamp::now());
            ledger.register_shop(&Shop { facts: shop.facts.clone(), ..shop }).await.unwrap();
        }
        ledger.put_connection(&connection(true)).await.unwrap();
        let channel = ShopifyApi::new(shopify(&running.url()), vault.clone(), SystemClock).unwrap();
        let api = Api {
            ledger: ledger.clone(),
            channel,
            tasks: SqsTasks::new(
                &dynamodb::sdk_config("http://127.0.0.1:1", "us-east-1", "local"),
                QueueUrls::default(),
            ),
            vault,
            operator: OperatorSecret(Secret::new(SECRET)),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router(Arc::new(api))).await });
        let now = Timestamp::now().as_second();
        let claims = Claims { sub: "ada".into(), aud: AUDIENCE.into(), iat: now, exp: now + 600, scope: None };
        let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
        let world = Ports {
            ledger: ledger.clone(),
            channel: ShopifyApi::new(shopify(&running.url()), worker_vault, WallClock).unwrap(),
            tasks: MemoryTasks::default(),
            clock: WallClock,
            waits: Waits::default(),
        };
        Self { sim, ledger, url, token, calls, app, http: reqwest::Client::new(), world, _running: running }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let (status, _, answer) = self.answer(method, path, body).await;
        (status, answer)
    }

    /// The same, with the seconds of `Retry-After`.
    pub(crate) async fn answer(&self, method: &str, path: &str, body: Value) -> (u16, Option<u64>, Value) {
        let request =
            self.http.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let retry = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
        (answer.status().as_u16(), retry, answer.json().await.unwrap())
    }

    /// Matches the page that `more` names.
    pub(crate) async fn matched(&self, by: &str, more: Value) -> Value {
        let mut body = json!({ "destination": moon(), "source": sun(), "by": by });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        let (status, answer) = self.send("POST", "/v1/links/match", body).await;
        assert_eq!(status, 200, "{answer:#}");
        answer
    }

    pub(crate) async fn listed(&self, query: &str) -> Value {
        let path = format!("/v1/connections/{}/{}/links{query}", moon(), sun());
        let (status, answer) = self.send("GET", &path, Value::Null).await;
        assert_eq!(status, 200, "{answer:#}");
        answer
    }

    /// The id of a shop's first variant of that SKU.
    pub(crate) async fn variant(&self, shop: &ShopDomain, sku: &str) -> VariantId {
        let view = self.sim.shop(shop.as_str()).await.unwrap();
        let found = view.variants.iter().find(|variant| variant.sku == sku);
        VariantId::new(found.unwrap_or_else(|| panic!("no {sku}")).id)
    }

    pub(crate) async fn link(&self, sku: &str) -> Option<ProductLink> {
        let variant = self.variant(&moon(), sku).await;
        self.ledger.links(&moon(), &[variant], &[]).await.unwrap().by_variant.remove(&variant)
    }

    pub(crate) async fn trouble(&self, sku: &str) -> Option<LinkTroubleCode> {
        self.link(sku).await.expect("a link").trouble.map(|trouble| trouble.code)
    }

    /// The app hears of what happens to the shop's products.
    pub(crate) async fn subscribe(&self, shop: &ShopDomain) {
        let token = self.sim.shop(shop.as_str()).await.unwrap().access_token.unwrap();
        let create = "mutation M($t: WebhookSubscriptionTopic!, $s: WebhookSubscriptionInput!) {
            webhookSubscriptionCreate(topic: $t, webhookSubscription: $s) { userErrors { message } } }";
        for topic in ["PRODUCTS_UPDATE", "PRODUCTS_DELETE"] {
            let variables = json!({ "t": topic, "s": { "uri": "https://nobody.example.com/hook", "format": "JSON" } });
            let url = format!("{}/{shop}/admin/api/2026-10/graphql.json", self.sim.url());
            let request = self.http.post(url).header("X-Shopify-Access-Token", &token);
            request.json(&json!({ "query": create, "variables": variables })).send().await.unwrap();
        }
    }

    /// Hands what the shops told of so far to the worker, as intake does.
    pub(crate) async fn deliver(&self) -> usize {
        let deliveries = self.sim.deliveries().await.unwrap();
        for delivery in &deliveries {
            let signature = shopify_sim::sign(delivery.body.as_bytes(), self.app.client_secret.expose());
            let verified = Verified::check(delivery.body.as_bytes(), Some(&signature), &self.app).unwrap();
            let headers = Headers {
                topic: Some(delivery.topic.slashed().to_owned()),
                shop: Some(delivery.shop.clone()),
                event_id: Some(delivery.event_id.clone()),
                ..Headers::default()
            };
            let (_, task) = task(verified, &headers).unwrap();
            push_order(&self.world, &task).await.unwrap();
        }
        deliveries.len()
    }

    /// The command, as somebody types it.
    pub(crate) async fn run(&self, line: &str) -> Ran {
        let env = BTreeMap::from([("ROUNDTRIP_API", self.url.clone()), ("ROUNDTRIP_TOKEN", self.token.clone())]);
        roundtrip(&line.split(' ').collect::<Vec<_>>(), &env, "").await
    }
}
