//! The deployed stack: the very template, on the local engine or anywhere else that `stack.json` names.

mod api;
mod events;
mod messages;
mod notifications;
mod stores;
mod tap;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use roundtrip_aws::{DynamoLedger, Tables};
use serde::Deserialize;
use serde_json::Value;
use shopify_sim::SimClient;

pub use api::{Api, ApiAnswer};
pub use events::EventTap;
pub use messages::Messages;
pub use notifications::NotificationTap;
pub use stores::{Link, Store, Stores};

use crate::dynamodb::{project, sdk_config};

/// A stack that is up.
#[derive(Debug, Clone)]
pub struct Stack {
    pub described: Described,
    pub sim: SimClient,
    pub api: Api,
    pub messages: Messages,
    pub ledger: DynamoLedger,
    pub http: reqwest::Client,
}

/// `.local/stack.json`, as `make up` writes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Described {
    pub stack: String,
    pub region: String,
    pub engine_url: String,
    pub api_path_url: String,
    pub webhook_url: String,
    pub sim_url: String,
    pub tables: TableNames,
    pub queues: BTreeMap<String, String>,
    pub dlqs: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, String>,
    pub topics: BTreeMap<String, String>,
    pub functions: BTreeMap<String, String>,
    pub pids: BTreeMap<String, u32>,
}

/// The tables' names.
#[derive(Debug, Clone, Deserialize)]
pub struct TableNames {
    pub ledger: String,
    pub registry: String,
}

/// The app's credentials, as the simulator was started with them.
#[derive(Debug, Clone, Deserialize)]
pub struct App {
    pub client_id: String,
    pub client_secret: String,
}

impl Stack {
    /// The stack that `ROUNDTRIP_STACK` describes, or the one of this project.
    ///
    /// # Errors
    /// No stack is up; the text says how to start one.
    pub async fn connect() -> Result<Self, String> {
        let path =
            std::env::var_os("ROUNDTRIP_STACK").map_or_else(|| project().join(".local/stack.json"), PathBuf::from);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("no stack is up ({}: {error}); start it: make up", path.display()))?;
        let described: Described =
            serde_json::from_str(&text).map_err(|error| format!("{} is not understood: {error}", path.display()))?;
        let sdk = sdk_config(&described.engine_url, &described.region, "test");
        let tables = Tables { ledger: described.tables.ledger.clone(), registry: described.tables.registry.clone() };
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        let http = http.map_err(|error| error.to_string())?;
        Ok(Self {
            sim: SimClient::new(&described.sim_url),
            api: Api::new(&described, &sdk, http.clone()).await?,
            messages: Messages::new(&described, &sdk),
            ledger: DynamoLedger::new(&sdk, tables),
            http,
            described,
        })
    }

    /// Listens to the events about `shop`.
    pub async fn listen(&self, shop: &str) -> EventTap {
        let sdk = sdk_config(&self.described.engine_url, &self.described.region, "test");
        EventTap::open(&self.described, &sdk, shop).await
    }

    /// Listens to what people are told.
    pub async fn listen_to_notifications(&self) -> NotificationTap {
        let sdk = sdk_config(&self.described.engine_url, &self.described.region, "test");
        NotificationTap::open(&self.described, &sdk).await
    }

    /// Says where the chat takes messages. Functions that run already do not hear of it.
    ///
    /// # Panics
    /// If the secret cannot be written.
    pub async fn put_chat_webhook(&self, address: &str) {
        let sdk = sdk_config(&self.described.engine_url, &self.described.region, "test");
        let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
        let put = secrets.put_secret_value().secret_id(&self.described.secrets["chat_webhook"]);
        put.secret_string(address).send().await.expect("the secret is written");
    }

    /// Asks CloudWatch for something; returns its answer, XML.
    ///
    /// # Panics
    /// If the engine refuses. Parameters are given as they go into a form.
    pub async fn cloudwatch(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let form = parameters.iter().map(|(name, value)| format!("&{name}={}", value.replace('/', "%2F")));
        let body = format!("Action={action}&Version=2010-08-01{}", form.collect::<String>());
        let asked = self.http.post(&self.described.engine_url).body(body);
        let asked = asked.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = asked.header("Authorization", self.engine_credential("monitoring")).send().await;
        let answer = answer.expect("the engine answers");
        let (status, text) = (answer.status(), answer.text().await.expect("a text"));
        assert!(status.is_success(), "{action}: {status} {text}");
        text
    }

    /// The app's credentials.
    ///
    /// # Panics
    /// If `make up` did not leave them.
    #[must_use]
    pub fn app(&self) -> App {
        let text = std::fs::read_to_string(project().join(".local/app.json")).expect("make up writes app.json");
        serde_json::from_str(&text).expect("app.json is what make up wrote")
    }

    /// Runs due work now instead of at the next minute. A run that does not end in time has done a part; the rest
    /// stays due.
    ///
    /// # Panics
    /// If the engine does not know the function.
    pub async fn run_due_work(&self) {
        self.run("due-work").await;
    }

    /// Redrives go on now, instead of at the next minute. Says what it did, if it came to its end.
    pub async fn run_dead_letters(&self) -> Option<Value> {
        self.run("dead-letters").await
    }

    async fn run(&self, function: &str) -> Option<Value> {
        let name = &self.described.functions[function];
        let url = format!("{}/2015-03-31/functions/{name}/invocations", self.described.engine_url);
        let answer = self.http.post(url).header("Authorization", self.engine_credential("lambda")).body("{}").send();
        let answer = answer.await.ok()?;
        assert!(answer.status().is_success(), "{function} was not run: {}", answer.status());
        let failed = answer.headers().contains_key("x-amz-function-error");
        answer.json().await.ok().filter(|_| !failed)
    }

    /// The local engine checks whose key it is, not the signature.
    fn engine_credential(&self, service: &str) -> String {
        let region = &self.described.region;
        format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    /// Posts a webhook as Shopify would, with the signature that is given. Returns the status.
    ///
    /// # Panics
    /// If the API does not answer at all.
    pub async fn post_webhook(&self, topic: &str, shop: &str, body: &str, signature: Option<&str>) -> u16 {
        let url = format!("{}/webhooks/shopify", self.described.api_path_url);
        let mut request = self
            .http
            .post(url)
            .header("Content-Type", "application/json")
            .header("X-Shopify-Topic", topic)
            .header("X-Shopify-Shop-Domain", shop)
            .header("X-Shopify-Event-Id", format!("event-{topic}"))
            .body(body.to_owned());
        if let Some(signature) = signature {
            request = request.header("X-Shopify-Hmac-Sha256", signature);
        }
        request.send().await.expect("the API answers").status().as_u16()
    }

    /// Posts a webhook with the right signature.
    pub async fn post_signed(&self, topic: &str, shop: &str, body: &str) -> u16 {
        let signature = shopify_sim::sign(body.as_bytes(), &self.app().client_secret);
        self.post_webhook(topic, shop, body, Some(&signature)).await
    }
}

/// Looks again and again until `look` finds something.
///
/// # Panics
/// With `what` that was waited for, if it does not come within `limit`.
pub async fn eventually<T, F>(what: &str, limit: Duration, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
