//! Logs (JSON lines) and metrics (CloudWatch embedded metric format) on standard output.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Number, Value, json};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The namespace of all metrics: two stacks in one account do not count for each other.
static NAMESPACE: OnceLock<String> = OnceLock::new();

pub(crate) fn init(namespace: String) {
    // A second initialisation (in tests) keeps the first.
    let _ = NAMESPACE.set(namespace);
    let _ = tracing::subscriber::set_global_default(subscriber(std::io::stdout));
}

/// One JSON object a line. What it was on the way for stands in `span`.
pub(crate) fn subscriber<W>(writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish()
}

/// Counts one `name`, by one dimension. Dimensions have few values, and only words that stand in the code: what comes in from
/// outside, as an order or a person, is none.
pub(crate) fn count(name: &str, dimension: &str, value: &'static str) {
    print(&metric(name, "Count", &1.into(), Some((dimension, value)), SystemTime::now()));
}

/// Tells that no `name` came just now. Where nothing is told for long, CloudWatch judges an alarm by what was told before.
/// Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": the evaluation range.
pub(crate) fn none(name: &str, dimension: &str, value: &'static str) {
    print(&metric(name, "Count", &0.into(), Some((dimension, value)), SystemTime::now()));
}

/// Tells one value of `name`, without a dimension: what is averaged, or is of the whole stack. The unit is a word of
/// CloudWatch's, e.g. `Seconds`.
pub(crate) fn value(name: &str, unit: &'static str, value: impl Into<Number>) {
    print(&metric(name, unit, &value.into(), None, SystemTime::now()));
}

#[allow(clippy::print_stdout)] // The format is a line on standard output, which CloudWatch reads as a metric.
fn print(line: &Value) {
    println!("{line}");
}

/// Source: CloudWatch, Embedded metric format specification: an empty set in `Dimensions` is a metric that has none.
fn metric(name: &str, unit: &str, value: &Number, dimension: Option<(&str, &'static str)>, at: SystemTime) -> Value {
    let timestamp_ms = at.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(0));
    let names: Vec<&str> = dimension.iter().map(|(name, _)| *name).collect();
    let mut line = json!({
        "_aws": { "Timestamp": timestamp_ms, "CloudWatchMetrics": [{
            "Namespace": NAMESPACE.get().map_or("Roundtrip", String::as_str),
            "Dimensions": [names],
            "Metrics": [{ "Name": name, "Unit": unit }],
        }] },
        name: value,
    });
    if let Some((dimension, value)) = dimension {
        line[dimension] = value.into();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_in_the_embedded_format() {
        let line = metric("UnusableDelivery", "Count", &1.into(), Some(("reason", "not_json")), UNIX_EPOCH);

        assert_eq!(line["UnusableDelivery"], 1);
        assert_eq!(line["reason"], "not_json");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["reason"]]));
    }

    #[test]
    fn a_value_has_its_unit_and_one_empty_set_of_dimensions() {
        let line = metric("OldestParked", "Seconds", &86_400.into(), None, UNIX_EPOCH);

        assert_eq!(line["OldestParked"], 86_400);
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(described["Metrics"], json!([{ "Name": "OldestParked", "Unit": "Seconds" }]));
        assert_eq!(described["Dimensions"], json!([[]]), "no set at all would be no metric");
    }
}
