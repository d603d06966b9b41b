//! Logs (JSON lines) and metrics (CloudWatch embedded metric format) on standard output.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tracing_subscriber::EnvFilter;

/// The namespace of all metrics.
const NAMESPACE: &str = "Roundtrip";

pub(crate) fn init_logs() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A second initialisation (in tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .try_init();
}

/// Counts one `name`, by one dimension. Dimensions have few values: never an order or a person.
#[allow(clippy::print_stdout)] // The format is a line on standard output, which CloudWatch reads as a metric.
pub(crate) fn count(name: &str, dimension: &str, value: &str) {
    println!("{}", metric(name, dimension, value, SystemTime::now()));
}

fn metric(name: &str, dimension: &str, value: &str, at: SystemTime) -> serde_json::Value {
    let timestamp_ms = at.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(0));
    json!({
        "_aws": { "Timestamp": timestamp_ms, "CloudWatchMetrics": [{
            "Namespace": NAMESPACE,
            "Dimensions": [[dimension]],
            "Metrics": [{ "Name": name, "Unit": "Count" }],
        }] },
        dimension: value,
        name: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_in_the_embedded_format() {
        let line = metric("UnusableDelivery", "reason", "not_json", UNIX_EPOCH);

        assert_eq!(line["UnusableDelivery"], 1);
        assert_eq!(line["reason"], "not_json");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["reason"]]));
    }
}
