//! The ports on AWS: ledger and registry (DynamoDB), queues (SQS), events (EventBridge), notifications (SNS), vault (Secrets
//! Manager and KMS).
//! SDK types stop here.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod events;
mod ledger;
mod notifications;
mod queue;
mod vault;

pub use events::EventBus;
pub use ledger::{
    DynamoLedger, KeptAnswer, KeyedRequest, LinkPage, Listed, Page, Part, Tables, is_cursor, is_parked_cursor,
};
pub use notifications::{NotSent, Notifications};
pub use queue::{CAUSE_ID, QueueUrls, SqsTasks};
pub use vault::{OperatorSecret, Vault, VaultNames, VaultReader};

pub use aws_config::SdkConfig;

use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// The SDK's configuration from the function's environment.
///
/// All clients share one HTTP client. Left to itself, each would make its own on its first call, and parse the
/// machine's root certificates again: time that a cold start does not have. Unlike those, it goes through no proxy.
pub async fn sdk_config() -> SdkConfig {
    let http = HttpClientBuilder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http).load().await
}
