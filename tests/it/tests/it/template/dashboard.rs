//! infra/dashboard.yaml: it shows all that there is, and nothing that nobody tells.

use std::collections::BTreeSet;

use serde_json::Value;

use super::metrics::{self, Metric};
use super::{Function, Template, WORK_QUEUES, text};

#[test]
fn each_queue_and_each_function_is_on_the_dashboard() {
    let template = Template::read();
    let dlqs = template.of_type("AWS::SQS::Queue").map(|(_, queue)| text(&queue["Properties"]["QueueName"]));
    let dlqs = dlqs.filter_map(|name| name.strip_prefix("${AWS::StackName}-")).filter(|name| name.ends_with("-dlq"));
    let functions = template.functions().map(|Function { bin, .. }| bin);
    let functions: BTreeSet<String> = functions.map(String::from).collect();

    assert_eq!(shown("ApproximateNumberOfMessagesVisible"), dlqs.map(String::from).collect());
    assert_eq!(shown("ApproximateAgeOfOldestMessage"), WORK_QUEUES.map(String::from).into());
    assert_eq!(shown("Errors"), functions);
    assert_eq!(shown("Throttles"), functions);
    assert_eq!(shown("Duration"), functions);
}

#[test]
fn each_metric_of_ours_on_the_dashboard_is_told_by_the_code() {
    let shown: BTreeSet<Metric> = lines().iter().filter_map(|line| metric_of_ours(line)).collect();

    let names: BTreeSet<&str> = shown.iter().map(|metric| metric.name.as_str()).collect();
    let wanted = ["StoredDelivery", "RefusedDelivery", "PushFailure", "OldestParked", "UnownedExceptions"];
    for name in wanted.into_iter().chain(["StepParked", "UnfinishedTask"]) {
        assert!(names.contains(name), "{name} is not shown");
    }
    metrics::assert_told(&shown);
}

#[test]
fn the_dashboard_is_called_as_the_stack() {
    let dashboard = Template::read_file("infra/dashboard.yaml");

    assert_eq!(dashboard.properties("Dashboard")["DashboardName"], "Stack");
}

/// The queues or functions whose `metric` is shown.
fn shown(metric: &str) -> BTreeSet<String> {
    let lines = lines().into_iter().filter(|line| line.get(1).is_some_and(|shown| shown == metric));
    lines.map(|line| text(&line[3]).strip_prefix("${Stack}-").expect("of this stack").to_owned()).collect()
}

/// Every metric of every widget, `...` written out: namespace, metric, then dimension and value.
fn lines() -> Vec<Vec<Value>> {
    let template = Template::read_file("infra/dashboard.yaml");
    let body = text(&template.properties("Dashboard")["DashboardBody"]);
    let body: Value = serde_json::from_str(body).expect("the dashboard's body is JSON");
    let mut lines: Vec<Vec<Value>> = Vec::new();
    for widget in body["widgets"].as_array().expect("widgets") {
        for line in widget["properties"]["metrics"].as_array().expect("metrics") {
            let line = line.as_array().expect("a metric is a list");
            let line = match lines.last() {
                Some(last) if line[0] == "..." => [&last[..last.len() - 1], &line[1..]].concat(),
                _ => line.clone(),
            };
            lines.push(line);
        }
    }
    lines
}

/// `["Roundtrip/…", name, dimension, value, …]`, or `SEARCH('{"Roundtrip/…",dimension} MetricName="name"', …)`.
fn metric_of_ours(line: &[Value]) -> Option<Metric> {
    if line[0] == "Roundtrip/${Stack}" {
        let dimension = line
            .get(2)
            .and_then(Value::as_str)
            .map(|name| (name.to_owned(), metrics::Value::Is(text(&line[3]).to_owned())));
        return Some(Metric { name: text(&line[1]).to_owned(), dimension });
    }
    let search = line[0]["expression"].as_str()?.strip_prefix("SEARCH('{\"Roundtrip/${Stack}\",")?;
    let (dimension, rest) = search.split_once("} MetricName=\"")?;
    let (name, _) = rest.split_once('"')?;
    Some(Metric { name: name.to_owned(), dimension: Some((dimension.to_owned(), metrics::Value::Any)) })
}
