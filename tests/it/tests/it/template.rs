//! template.yaml keeps its own rules: what is deployed, who may do what, how long things wait.

mod alarms;
mod dashboard;
mod metrics;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use roundtrip_domain::resync::{STRETCH, WINDOW_DAYS};
use serde_json::{Map, Value};

const FOURTEEN_DAYS: u64 = 14 * 24 * 60 * 60;
const WORK_QUEUES: [&str; 4] = ["order-push", "tracking-writeback", "app-lifecycle", "resync"];

#[test]
fn each_bin_is_one_function_and_each_function_one_bin() {
    let template = Template::read();

    let built = template.functions().map(|function| function.bin).collect::<Vec<_>>();

    assert_eq!(built.iter().copied().map(String::from).collect::<BTreeSet<_>>(), bins());
    assert_eq!(built.len(), bins().len(), "two functions share a bin: {built:?}");
}

#[test]
fn a_function_is_named_after_its_bin_everywhere() {
    let template = Template::read();

    for Function { name, bin, properties } in template.functions() {
        assert_eq!(name, format!("{}Function", pascal(bin)));
        assert_eq!(properties["FunctionName"], format!("${{AWS::StackName}}-{bin}"));
        assert_eq!(properties["LoggingConfig"]["LogGroup"], format!("{}Logs", pascal(bin)));
        assert_eq!(template.0["Outputs"][name]["Value"], name);
    }
}

#[test]
fn each_function_has_a_role_of_its_own() {
    let template = Template::read();

    for Function { name, bin, properties } in template.functions() {
        assert_eq!(properties["Role"], format!("{}Role.Arn", pascal(bin)), "{name}");
    }
}

#[test]
fn no_role_may_use_everything_or_do_everything() {
    let template = Template::read();

    for (name, role) in template.of_type("AWS::IAM::Role") {
        let managed = &role["Properties"]["ManagedPolicyArns"];
        assert!(managed.is_null(), "{name} has a managed policy, which names no resource");
        for statement in statements(role) {
            for part in texts(&statement["Resource"]).into_iter().chain(texts(&statement["Action"])) {
                assert!(!part.contains('*'), "{name} allows {part}");
            }
        }
    }
}

#[test]
fn each_queue_trigger_reports_item_failures_and_limits_concurrency() {
    let template = Template::read();

    let triggers = template.queue_triggers();

    assert_eq!(triggers.len(), WORK_QUEUES.len());
    for (bin, trigger) in triggers {
        assert_eq!(trigger["Queue"], format!("{}Queue.Arn", pascal(bin)));
        assert_eq!(texts(&trigger["FunctionResponseTypes"]), ["ReportBatchItemFailures"], "{bin}");
        assert!(!trigger["ScalingConfig"]["MaximumConcurrency"].is_null(), "{bin}");
    }
}

#[test]
fn each_work_queue_gives_up_into_its_own_dlq_after_ten_crashes() {
    let template = Template::read();

    for name in WORK_QUEUES {
        let queue = template.properties(&format!("{}Queue", pascal(name)));
        let dlq = template.properties(&format!("{}Dlq", pascal(name)));

        assert_eq!(queue["QueueName"], format!("${{AWS::StackName}}-{name}"));
        assert_eq!(queue["RedrivePolicy"]["deadLetterTargetArn"], format!("{}Dlq.Arn", pascal(name)));
        assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"], 10);
        assert_eq!(dlq["QueueName"], format!("${{AWS::StackName}}-{name}-dlq"));
        assert_eq!(dlq["MessageRetentionPeriod"], FOURTEEN_DAYS);
    }
}

#[test]
fn a_message_stays_hidden_for_six_times_the_workers_timeout() {
    for values in [template_defaults(), local_values()] {
        assert!(values["QueueVisibility"] >= 6 * values["WorkerTimeout"], "{values:?}");
    }
}

#[test]
fn the_quarantine_outlasts_the_worker_and_the_worker_outlasts_its_call() {
    for values in [template_defaults(), local_values()] {
        assert!(values["WorkerTimeout"] > values["CallTimeoutSecs"], "{values:?}");
        assert!(values["QuarantineSecs"] > values["WorkerTimeout"], "{values:?}");
    }
}

#[test]
fn the_rules_refuse_every_wait_that_is_too_short_for_its_timeout() {
    let template = Template::read();

    for timeout in template.allowed("WorkerTimeout") {
        let visibilities = template.allowed_with_timeout("QueueVisibility", timeout);
        let quarantines = template.allowed_with_timeout("QuarantineSecs", timeout);

        assert!(visibilities.iter().all(|seconds| *seconds >= 6 * timeout), "{visibilities:?} with {timeout}");
        assert!(quarantines.iter().all(|seconds| *seconds > timeout), "{quarantines:?} with {timeout}");
    }
}

#[test]
fn a_stretch_of_a_resync_ends_before_its_worker_whatever_its_last_call_takes() {
    let template = Template::read();

    for timeout in template.allowed("WorkerTimeout") {
        let calls = template.allowed_with_timeout("CallTimeoutSecs", timeout);
        assert!(calls.iter().all(|call| STRETCH.as_secs() + call < timeout), "{calls:?} with {timeout}");
    }
}

#[test]
fn environment_variables_hold_the_ids_of_secrets_never_secrets() {
    let template = Template::read();

    for (function, variable, _) in template.environment_variables() {
        let holds_secret = ["_SECRET", "_TOKEN", "_PASSWORD"].iter().any(|ending| variable.ends_with(ending));
        assert!(!holds_secret, "{function} gets {variable}");
    }
}

#[test]
fn a_function_is_told_only_of_what_its_role_may_use() {
    let template = Template::read();

    for (function, variable, value) in template.environment_variables() {
        let names_a_resource = ["_QUEUE_URL", "_DLQ_URL", "_ID"].iter().any(|ending| variable.ends_with(ending));
        let may_use = template.usable_by(&function.replace("Function", "Role"));
        assert!(!names_a_resource || may_use.contains(resource(text(value))), "{function} gets {variable} in vain");
    }
}

#[test]
fn each_shop_is_read_every_three_days_and_a_schedule_that_cannot_begin_is_not_lost() {
    let template = Template::read();
    let schedule = template.properties("ResyncSchedule");

    let every = text(&schedule["ScheduleExpression"]).strip_prefix("rate(").and_then(|it| it.strip_suffix(" days)"));
    assert_eq!(every, Some("3"));
    let target = &schedule["Target"];
    assert_eq!(resource(text(&target["Arn"])), "ResyncFunction");
    assert_eq!(resource(text(&target["DeadLetterConfig"]["Arn"])), "ResyncScheduleDlq");
    assert!(number(&target["RetryPolicy"]["MaximumRetryAttempts"]) >= 3);
    let input: Value = serde_json::from_str(text(&target["Input"])).unwrap();
    assert!(input["scheduled_at"].is_string(), "what functions/src/resync.rs reads");
    // A window is longer than the time between two runs.
    assert!(every.unwrap().parse::<u16>().unwrap() < WINDOW_DAYS);
}

#[test]
fn what_must_not_be_forgotten_outlives_the_stack() {
    let template = Template::read();

    let tables = template.of_type("AWS::DynamoDB::Table");
    let keys = template.of_type("AWS::KMS::Key");

    for (name, resource) in tables.chain(keys) {
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
    }
}

/// template.yaml, or one that it nests, without its short tags: `!GetAtt OrderPushRole.Arn` reads as "OrderPushRole.Arn".
pub(crate) struct Template(Value);

struct Function<'a> {
    name: &'a str,
    bin: &'a str,
    properties: &'a Value,
}

impl Template {
    fn read() -> Self {
        Self::read_file("template.yaml")
    }

    pub(crate) fn read_file(file: &str) -> Self {
        Self(serde_saphyr::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}")))
    }

    pub(crate) fn of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let resources = map(&self.0["Resources"]).iter();
        resources
            .filter(move |(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| (name.as_str(), resource))
    }

    fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        self.of_type("AWS::Serverless::Function").map(|(name, function)| Function {
            name,
            bin: text(&function["Metadata"]["BuildProperties"]["Binary"]),
            properties: &function["Properties"],
        })
    }

    fn properties(&self, resource: &str) -> &Value {
        &self.0["Resources"][resource]["Properties"]
    }

    /// Each function with a queue, by its bin, and the trigger's properties.
    fn queue_triggers(&self) -> Vec<(&str, &Value)> {
        let events = self.functions().flat_map(|function| {
            let events = function.properties["Events"].as_object().into_iter().flat_map(Map::values);
            events.map(move |event| (function.bin, event))
        });
        events.filter(|(_, event)| event["Type"] == "SQS").map(|(bin, event)| (bin, &event["Properties"])).collect()
    }

    /// (function, variable, value) of every variable that one function alone gets.
    fn environment_variables(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.functions().flat_map(|Function { name, properties, .. }| {
            let variables = map(&properties["Environment"]["Variables"]).iter();
            variables.map(move |(variable, value)| (name, variable.as_str(), value))
        })
    }

    fn usable_by(&self, role: &str) -> BTreeSet<&str> {
        let statements = statements(&self.0["Resources"][role]).into_iter();
        statements.flat_map(|statement| texts(&statement["Resource"])).map(resource).collect()
    }

    fn allowed(&self, parameter: &str) -> Vec<u64> {
        numbers(&self.0["Parameters"][parameter]["AllowedValues"])
    }

    /// The values of `parameter` that the Rules accept together with this `WorkerTimeout`.
    fn allowed_with_timeout(&self, parameter: &str, timeout: u64) -> Vec<u64> {
        let rule = &self.0["Rules"][format!("WaitsFitTimeoutOf{timeout}")];
        let assertions = rule["Assertions"].as_array().into_iter().flatten();
        let mut contains = assertions.map(|assertion| &assertion["Assert"]);
        let narrowed = contains.find(|contains| contains[1] == parameter);
        narrowed.map_or_else(|| self.allowed(parameter), |contains| numbers(&contains[0]))
    }
}

fn template_defaults() -> BTreeMap<String, u64> {
    let template = Template::read();
    let parameters = map(&template.0["Parameters"]).iter();
    let numeric = parameters.filter(|(_, parameter)| parameter["Type"] == "Number");
    numeric.map(|(name, parameter)| (name.clone(), number(&parameter["Default"]))).collect()
}

/// What samconfig.toml's `[local]` sets for the stack on this machine.
fn local_values() -> BTreeMap<String, u64> {
    let config: toml::Table = read("samconfig.toml").parse().expect("samconfig.toml is TOML");
    let overrides = config["local"]["deploy"]["parameters"]["parameter_overrides"].as_str();
    let pairs = overrides.expect("one line of overrides").split(' ').filter_map(|pair| pair.split_once('='));
    pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
}

fn bins() -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join("functions/src/bin")).expect("functions/src/bin");
    let paths = files.map(|file| file.expect("a file").path());
    paths.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}

pub(crate) fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn statements(role: &Value) -> Vec<&Value> {
    let policies = role["Properties"]["Policies"].as_array().expect("a role has policies");
    policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().expect("statements")).collect()
}

/// The resource that `OrderPushQueue`, `LedgerTable.Arn` or `${LedgerTable.Arn}/index/due` is about.
fn resource(reference: &str) -> &str {
    let name = reference.trim_start_matches("${");
    name.split(['.', '}']).next().unwrap_or(name)
}

fn pascal(kebab: &str) -> String {
    kebab.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

pub(crate) fn map(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("not a map: {value}"))
}

/// One text or a list of them: IAM takes both.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map_or_else(|| vec![text(value)], |values| values.iter().map(text).collect())
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}")).iter().map(number).collect()
}

pub(crate) fn number(value: &Value) -> u64 {
    let written = value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or(written).unwrap_or_else(|| panic!("not a number: {value}"))
}
