//! The ports on AWS: ledger and registry (DynamoDB), queues (SQS), vault (Secrets Manager and KMS).
//! SDK types stop here.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod ledger;
mod queue;
mod vault;

pub use ledger::{DynamoLedger, ListedOrder, OrderPage, Tables, is_cursor};
pub use queue::{QueueUrls, SqsTasks};
pub use vault::{OperatorSecret, Vault, VaultNames, VaultReader};

pub use aws_config::SdkConfig;

/// The SDK's configuration from the function's environment.
pub async fn sdk_config() -> SdkConfig {
    aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await
}
