//! The environment of a function, read once. template.yaml sets it.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use roundtrip_aws::{QueueUrls, Tables, VaultNames};
use roundtrip_connectors::shopify::ShopifyConfig;
use roundtrip_domain::Waits;
use roundtrip_domain::task::Queue;

/// A variable is missing or says something that it cannot.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the environment variable {0} is not set: template.yaml sets it for each function that needs it")]
    Missing(&'static str),
    #[error("the environment variable {name} is `{value}`: {reason}")]
    Invalid { name: &'static str, value: String, reason: String },
}

/// Where variables come from: the process, or a map in a test.
pub trait Environment {
    fn get(&self, name: &str) -> Option<String>;
}

/// The process's own environment.
#[derive(Debug, Clone, Copy)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).cloned()
    }
}

fn required(env: &impl Environment, name: &'static str) -> Result<String, ConfigError> {
    env.get(name).ok_or(ConfigError::Missing(name))
}

fn parsed<T: FromStr>(env: &impl Environment, name: &'static str) -> Result<T, ConfigError>
where
    T::Err: std::fmt::Display,
{
    let value = required(env, name)?;
    value.parse().map_err(|error: T::Err| ConfigError::Invalid { name, value, reason: error.to_string() })
}

fn seconds(env: &impl Environment, name: &'static str) -> Result<Duration, ConfigError> {
    parsed(env, name).map(Duration::from_secs)
}

/// The id of the app's secret.
///
/// # Errors
/// [`ConfigError::Missing`].
pub fn app_secret_id(env: &impl Environment) -> Result<String, ConfigError> {
    required(env, "SHOPIFY_APP_SECRET_ID")
}

/// The id of the operator secret.
///
/// # Errors
/// [`ConfigError::Missing`].
pub fn operator_secret_id(env: &impl Environment) -> Result<String, ConfigError> {
    required(env, "OPERATOR_SECRET_ID")
}

/// Under which CloudWatch keeps this stack's metrics.
pub fn metrics_namespace(env: &impl Environment) -> String {
    env.get("METRICS_NAMESPACE").unwrap_or_else(|| "Roundtrip".to_owned())
}

/// The names of the tables.
///
/// # Errors
/// [`ConfigError::Missing`].
pub fn tables(env: &impl Environment) -> Result<Tables, ConfigError> {
    Ok(Tables { ledger: required(env, "LEDGER_TABLE")?, registry: required(env, "REGISTRY_TABLE")? })
}

/// The queues that this function may send to.
pub fn queues(env: &impl Environment) -> QueueUrls {
    let all = |suffix: &str| {
        let variable = |queue: Queue| queue.name().replace('-', "_").to_uppercase() + suffix;
        Queue::ALL.into_iter().filter_map(|queue| Some((queue, env.get(&variable(queue))?))).collect()
    };
    QueueUrls { work: all("_QUEUE_URL"), dead_letter: all("_DLQ_URL") }
}

/// The event bus for domain events.
///
/// # Errors
/// [`ConfigError::Missing`].
pub fn event_bus(env: &impl Environment) -> Result<String, ConfigError> {
    required(env, "EVENT_BUS_NAME")
}

/// The topic that people have subscribed to, and the id of the secret with their chat's webhook.
///
/// # Errors
/// [`ConfigError::Missing`].
pub fn notifications(env: &impl Environment) -> Result<(String, String), ConfigError> {
    Ok((required(env, "NOTIFICATIONS_TOPIC_ARN")?, required(env, "CHAT_WEBHOOK_SECRET_ID")?))
}

/// Secret, key and table of the vault.
///
/// # Errors
/// [`ConfigError::Missing`].
pub fn vault(env: &impl Environment) -> Result<VaultNames, ConfigError> {
    Ok(VaultNames {
        app_secret_id: env.get("SHOPIFY_APP_SECRET_ID"),
        token_key_id: required(env, "TOKEN_KEY_ID")?,
        registry: required(env, "REGISTRY_TABLE")?,
    })
}

/// How to reach Shopify.
///
/// # Errors
/// A variable is missing or invalid.
pub fn shopify(env: &impl Environment) -> Result<ShopifyConfig, ConfigError> {
    Ok(ShopifyConfig {
        endpoint: parsed(env, "SHOPIFY_ENDPOINT")?,
        api_version: required(env, "SHOPIFY_API_VERSION")?,
        webhook_url: env.get("WEBHOOK_URL"),
        call_timeout: seconds(env, "CALL_TIMEOUT_SECS")?,
    })
}

/// How long things wait.
///
/// # Errors
/// A variable is missing or invalid.
pub fn waits(env: &impl Environment) -> Result<Waits, ConfigError> {
    Ok(Waits {
        quarantine: seconds(env, "QUARANTINE_SECS")?,
        verify_interval: seconds(env, "VERIFY_INTERVAL_SECS")?,
        retry_base: seconds(env, "RETRY_BASE_SECS")?,
        webhook_delay: match env.get("WEBHOOK_DELAY_SECS") {
            // Only a resync looks at it.
            None => Waits::default().webhook_delay,
            Some(_) => seconds(env, "WEBHOOK_DELAY_SECS")?,
        },
        ..Waits::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = tables(&env(&[("LEDGER_TABLE", "ledger")])).unwrap_err();

        assert!(error.to_string().contains("REGISTRY_TABLE"), "{error}");
    }

    #[test]
    fn a_wrong_variable_is_named_with_what_it_should_be() {
        let error = shopify(&env(&[("SHOPIFY_ENDPOINT", "http://{shop}"), ("SHOPIFY_API_VERSION", "2026-10")]));

        let text = error.unwrap_err().to_string();
        assert!(text.contains("SHOPIFY_ENDPOINT") && text.contains("https://{shop}"), "{text}");
    }

    #[test]
    fn a_function_knows_only_the_queues_it_was_given() {
        let urls = queues(&env(&[("ORDER_PUSH_QUEUE_URL", "https://sqs/order-push")]));

        assert_eq!(urls.work.len(), 1);
        assert_eq!(urls.work[&Queue::OrderPush], "https://sqs/order-push");
    }
}
