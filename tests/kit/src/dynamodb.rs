//! DynamoDB inside the test process: dynoxide behind HTTP, spoken to by the real SDK, with the very
//! tables of template.yaml.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Credentials, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use roundtrip_aws::{DynamoLedger, SdkConfig, Tables};
use serde_json::Value;

/// A ledger of its own for one test; gone with the test's runtime.
///
/// # Panics
/// If the template's tables cannot be made: then the template is wrong.
pub async fn ledger() -> DynamoLedger {
    counted_ledger().await.0
}

/// The same, with the count of its calls.
///
/// # Panics
/// As [`ledger`].
pub async fn counted_ledger() -> (DynamoLedger, CallCount) {
    let (ledger, calls, _) = served_ledger().await;
    (ledger, calls)
}

/// The same, with the address of its tables.
///
/// # Panics
/// As [`ledger`].
pub async fn served_ledger() -> (DynamoLedger, CallCount, String) {
    let db = dynoxide::Database::memory().expect("SQLite in memory");
    for (resource, name) in [("LedgerTable", "ledger"), ("RegistryTable", "registry")] {
        db.create_table(serde_json::from_value(table(resource, name)).expect("a table")).expect("the template's table");
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    tokio::spawn(dynoxide::server::serve_on(listener, db));
    let tables = Tables { ledger: "ledger".into(), registry: "registry".into() };
    let calls = CallCount::default();
    let url = format!("http://{address}");
    let sdk = sdk_config(&url, "us-east-1", "local");
    let config = aws_sdk_dynamodb::config::Builder::from(&sdk).interceptor(calls.clone()).build();
    (DynamoLedger::with_client(aws_sdk_dynamodb::Client::from_conf(config), tables), calls, url)
}

/// Counts what goes over the wire, as the SDK sends it: a retry counts again.
#[derive(Debug, Clone, Default)]
pub struct CallCount(Arc<Mutex<Vec<String>>>);

impl CallCount {
    /// The operations called since the last time this was asked, in order.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for CallCount {
    fn name(&self) -> &'static str {
        "CallCount"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
        Ok(())
    }
}

/// The SDK against a local endpoint, with a key that opens nothing elsewhere.
#[must_use]
pub fn sdk_config(endpoint: &str, region: &str, key: &str) -> SdkConfig {
    let credentials = Credentials::new(key, key, None, None, "roundtrip-kit");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(endpoint)
        .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(credentials))
        .build()
}

/// CreateTable's input from a table of the template: the words are the same.
fn table(resource: &str, name: &str) -> Value {
    let template = crate::template::read();
    let properties = &template["Resources"][resource]["Properties"];
    let mut input = serde_json::json!({ "TableName": name });
    for field in ["BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"] {
        if !properties[field].is_null() {
            input[field] = properties[field].clone();
        }
    }
    input
}

/// The project's top folder.
#[must_use]
pub fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
