//! infra/*alarms.yaml: whatever can go wrong has an alarm, and each says to somebody what to do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::metrics::{self, Metric};
use super::{FOURTEEN_DAYS, Function, Template, WORK_QUEUES, map, number, pascal, read, root, text, texts};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
const FILES: [&str; 2] = ["infra/alarms.yaml", "infra/function-alarms.yaml"];

/// What an alarm of the runbook must tell, in these words.
const PARTS: [&str; 3] = ["**Means.**", "**Look.**", "**Do.**"];

#[test]
fn all_that_stands_beside_the_template_is_nested_in_it() {
    let template = Template::read();

    let nested = template.of_type("AWS::CloudFormation::Stack");
    let nested: BTreeMap<&str, &Value> = nested
        .map(|(_, stack)| (text(&stack["Properties"]["TemplateURL"]), &stack["Properties"]["Parameters"]))
        .collect();

    let files = std::fs::read_dir(root().join("infra")).expect("infra").flatten();
    let files = files.filter_map(|file| file.file_name().into_string().ok()).filter(|name| name.ends_with(".yaml"));
    let files: BTreeSet<String> = files.map(|name| format!("infra/{name}")).collect();
    assert_eq!(nested.keys().copied().map(String::from).collect::<BTreeSet<_>>(), files);
    for (file, given) in nested {
        let wanted: BTreeSet<String> = map(&Template::read_file(file).0["Parameters"]).keys().cloned().collect();
        assert_eq!(map(given).keys().cloned().collect::<BTreeSet<_>>(), wanted, "{file}");
        for (name, value) in map(given) {
            // A topic is handed on under its own name; only the stack's is another.
            assert_eq!(value, if name == "Stack" { "AWS::StackName" } else { name.as_str() }, "{file}");
        }
    }
}

#[test]
fn each_function_has_an_alarm_on_its_errors_and_one_on_its_throttles() {
    let template = Template::read();
    let functions = template.functions().map(|Function { bin, .. }| bin.to_owned());
    let wanted = functions.flat_map(|bin| [(bin.clone(), "Errors".to_owned()), (bin, "Throttles".to_owned())]);

    let watched = alarms().into_iter().filter(Alarm::is_of_a_run);
    let watched =
        watched.map(|alarm| (alarm.subject("FunctionName"), text(&alarm.properties["MetricName"]).to_owned()));

    assert_eq!(watched.collect::<BTreeSet<_>>(), wanted.collect());
}

#[test]
fn one_error_is_enough_but_of_those_that_run_each_minute() {
    for alarm in alarms().iter().filter(|alarm| alarm.is_of_a_run()) {
        let runs_each_minute = ["due-work", "dead-letters"].contains(&alarm.subject("FunctionName").as_str());
        let heals_itself = runs_each_minute && alarm.properties["MetricName"] == "Errors";

        assert_eq!(number(&alarm.properties["Threshold"]), if heals_itself { 3 } else { 1 }, "{}", alarm.name);
        assert_eq!((alarm.seconds(), &alarm.properties["Statistic"]), (300, &json!("Sum")), "{}", alarm.name);
    }
}

#[test]
fn what_runs_each_minute_is_missed_when_it_does_not() {
    let template = Template::read();
    let schedules = template.of_type("AWS::Scheduler::Schedule").map(|(_, schedule)| &schedule["Properties"]);
    let each_minute = schedules.filter(|schedule| schedule["ScheduleExpression"] == "rate(1 minute)");
    let each_minute: BTreeSet<&str> =
        each_minute.map(|it| text(&it["Name"]).strip_prefix("${AWS::StackName}-").unwrap()).collect();

    let alarms = alarms();
    let missed = alarms.iter().filter(|alarm| alarm.properties["MetricName"] == "Invocations");
    let missed: BTreeSet<String> = missed
        .inspect(|alarm| {
            let properties = &alarm.properties;
            assert_eq!((number(&properties["Threshold"]), alarm.seconds()), (1, 300), "{}", alarm.name);
            assert_eq!(properties["ComparisonOperator"], "LessThanThreshold", "{}", alarm.name);
            assert_eq!(properties["TreatMissingData"], "breaching", "{}", alarm.name);
        })
        .map(|alarm| alarm.subject("FunctionName"))
        .collect();

    assert_eq!(missed.iter().map(String::as_str).collect::<BTreeSet<_>>(), each_minute);
}

#[test]
fn each_dead_letter_queue_has_an_alarm_on_its_depth_and_each_work_queue_one_on_its_age() {
    let template = Template::read();
    let queues = template.of_type("AWS::SQS::Queue").map(|(_, queue)| text(&queue["Properties"]["QueueName"]));
    let queues: BTreeSet<&str> = queues.map(|name| name.strip_prefix("${AWS::StackName}-").unwrap()).collect();

    let mut watched = BTreeSet::new();
    let alarms = alarms();
    for alarm in alarms.iter().filter(|alarm| alarm.properties["Namespace"] == "AWS/SQS") {
        let queue = alarm.subject("QueueName");
        let condition = (&alarm.properties["MetricName"], number(&alarm.properties["Threshold"]));
        if WORK_QUEUES.contains(&queue.as_str()) {
            assert_eq!(condition, (&json!("ApproximateAgeOfOldestMessage"), 900), "{queue}");
        } else {
            assert_eq!(condition, (&json!("ApproximateNumberOfMessagesVisible"), 1), "{queue}");
        }
        assert_eq!(alarm.properties["Statistic"], "Maximum", "{queue}");
        watched.insert(queue);
    }

    assert_eq!(watched.iter().map(String::as_str).collect::<BTreeSet<_>>(), queues);
}

#[test]
fn each_work_queue_has_an_alarm_on_tasks_that_fail_again_and_again_and_one_on_what_is_given_up() {
    let alarms = alarms();
    for (metric, name, seconds) in [("UnfinishedTask", "unfinished", 1260), ("StepParked", "parked", 300)] {
        let watching = alarms.iter().filter(|alarm| alarm.properties["MetricName"] == metric);
        let watched: BTreeSet<&str> = watching
            .map(|alarm| {
                let queue = text(&alarm.properties["Dimensions"][0]["Value"]);
                assert_eq!(alarm.properties["AlarmName"], format!("${{Stack}}-{queue}-{name}"));
                assert_eq!((number(&alarm.properties["Threshold"]), alarm.seconds()), (1, seconds), "{}", alarm.name);
                queue
            })
            .collect();

        assert_eq!(watched, WORK_QUEUES.into(), "{metric}");
    }
}

/// A task that is not finished comes back within each period of the alarm, until it is a dead letter.
#[test]
fn a_task_that_fails_again_and_again_fails_in_each_period_of_its_alarm() {
    let template = Template::read();
    let longest = |name: &str| {
        let allowed = template.0["Parameters"][name]["AllowedValues"].as_array().unwrap();
        allowed.iter().map(number).max().unwrap()
    };
    let period = number(&alarm("OrderPushUnfinishedAlarm").properties["Period"]);

    assert!(longest("QueueVisibility") + longest("WorkerTimeout") <= period);
}

#[test]
fn an_alarm_is_named_as_its_resource() {
    for alarm in alarms() {
        let name = text(&alarm.properties["AlarmName"]).strip_prefix("${Stack}-").unwrap();
        let name = name.strip_prefix("event-").unwrap_or(name);

        assert_eq!(alarm.name, format!("{}Alarm", pascal(name)));
    }
}

#[test]
fn each_alarm_names_what_the_runbook_says_of_it_meaning_first_look_and_remedy() {
    let runbook = read("docs/RUNBOOK.md");
    let sections: BTreeMap<&str, &str> =
        runbook.split("\n## ").skip(1).filter_map(|section| section.split_once('\n')).collect();

    for alarm in alarms() {
        let description = text(&alarm.properties["AlarmDescription"]);
        let (_, heading, _) = told(&alarm);
        let heading = heading.strip_prefix("docs/RUNBOOK.md, ");
        let heading = heading.unwrap_or_else(|| panic!("{} names no heading: {description}", alarm.name));
        let section = sections.get(heading).unwrap_or_else(|| panic!("the runbook has no `{heading}`"));

        for part in PARTS {
            assert!(section.contains(part), "`{heading}` does not say {part}");
        }
        let called = text(&alarm.properties["AlarmName"]).replace("${Stack}", "<stack>");
        let one_of_many = match alarm.properties["Dimensions"][0]["Name"].as_str() {
            Some("FunctionName") => called.replace(&alarm.subject_or_nothing(), "<function>"),
            Some("QueueName") => called.replace(&alarm.subject_or_nothing(), "<queue>"),
            Some("queue") => called.replace(text(&alarm.properties["Dimensions"][0]["Value"]), "<queue>"),
            _ => called.clone(),
        };
        assert!(section.contains(&called) || section.contains(&one_of_many), "`{heading}` does not name {called}");
    }
}

/// That a command of ours can be typed is held by the command's own tests.
#[test]
fn each_alarm_says_what_to_type_first_about_what_there_is() {
    let template = Template::read();
    let functions: BTreeSet<String> = template.functions().map(|Function { bin, .. }| bin.to_owned()).collect();
    let schedules = template.of_type("AWS::Scheduler::Schedule").map(|(_, it)| text(&it["Properties"]["Name"]));
    let schedules: BTreeSet<&str> = schedules.map(|name| name.strip_prefix("${AWS::StackName}-").unwrap()).collect();

    for alarm in alarms() {
        let (_, _, look) = told(&alarm);
        if let Some(logs) = look.strip_prefix("aws logs tail /aws/lambda/${Stack}-") {
            let function = logs.split(' ').next().unwrap();
            assert!(functions.contains(function), "{}: {look}", alarm.name);
        } else if let Some(schedule) = look.strip_prefix("aws scheduler get-schedule --name ${Stack}-") {
            assert!(schedules.contains(schedule), "{}: {look}", alarm.name);
        } else {
            assert!(
                look.starts_with("roundtrip ") || look == "aws lambda get-account-settings",
                "{}: {look}",
                alarm.name
            );
        }
    }
}

#[test]
fn an_alarm_tells_notify_which_tells_people_and_its_own_go_to_people_at_once() {
    for alarm in alarms() {
        let is_of_an_event = alarm.properties["MetricName"] == "DomainEvent";
        let is_notifys = alarm.subject_or_nothing() == "notify";
        let wanted = match (is_of_an_event, is_notifys) {
            (true, _) => json!(null), // the event itself reaches people
            (false, true) => json!(["NotificationsTopic"]),
            (false, false) => json!(["AlarmTopic"]),
        };

        assert_eq!(alarm.properties["AlarmActions"], wanted, "{}", alarm.name);
        let when_over = &alarm.properties["OKActions"];
        assert!(when_over.is_null() || *when_over == wanted, "{}", alarm.name);
    }
}

#[test]
fn cloudwatch_may_publish_of_our_own_alarms_and_nobody_else_may() {
    let template = Template::read();

    for (topic, alarms) in [("AlarmTopic", "${AWS::StackName}-*"), ("NotificationsTopic", "${AWS::StackName}-notify-*")]
    {
        let policy = template.properties(&format!("{topic}Policy"));
        assert_eq!(texts(&policy["Topics"]), [topic]);
        let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();

        assert_eq!(
            *statements,
            [json!({
                "Effect": "Allow",
                "Principal": { "Service": "cloudwatch.amazonaws.com" },
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": {
                    "StringEquals": { "aws:SourceAccount": "AWS::AccountId" },
                    "ArnLike": { "aws:SourceArn": format!(
                        "arn:${{AWS::Partition}}:cloudwatch:${{AWS::Region}}:${{AWS::AccountId}}:alarm:{alarms}"
                    ) },
                },
            })]
        );
    }
}

#[test]
fn each_metric_of_ours_that_an_alarm_watches_is_told_by_the_code() {
    let alarms = alarms();
    let watched: BTreeSet<Metric> = alarms.iter().filter_map(Alarm::metric_of_ours).collect();

    let names: BTreeSet<&str> = watched.iter().map(|metric| metric.name.as_str()).collect();
    let expected = [
        "DomainEvent",
        "OldestParked",
        "PushFailure",
        "ScheduledRun",
        "StepParked",
        "StoredDelivery",
        "UnfinishedTask",
        "UnownedExceptions",
    ];
    assert_eq!(names, BTreeSet::from(expected));
    metrics::assert_told(&watched);
}

#[test]
fn an_alarm_on_events_names_an_event_that_there_is() {
    let events: Value = serde_json::from_str(&read("docs/events.schema.json")).unwrap();
    let events = texts(&events["properties"]["type"]["enum"]);

    let alarms = alarms();
    let watched = alarms.iter().filter(|alarm| alarm.properties["MetricName"] == "DomainEvent");
    let watched: BTreeSet<&str> = watched.map(|alarm| text(&alarm.properties["Dimensions"][0]["Value"])).collect();

    assert_eq!(watched, BTreeSet::from(["BackfillStalled", "SubscriptionsHealed", "WebhooksMissed"]));
    for event in watched {
        assert!(events.contains(&event), "there is no {event}");
    }
}

/// Source: CloudWatch API, `PutMetricAlarm`: a day, or seven where periods are of an hour or more.
#[test]
fn an_alarm_looks_no_further_back_than_cloudwatch_lets_it() {
    for alarm in alarms() {
        let most = if number(&alarm.properties["Period"]) >= HOUR { 7 * DAY } else { DAY };

        assert!(alarm.seconds() <= most, "{} looks back {} s", alarm.name, alarm.seconds());
    }
}

#[test]
fn silence_is_alarming_where_something_should_come_by_itself() {
    let alarms = alarms();

    let silent = alarms.iter().filter(|alarm| alarm.properties["TreatMissingData"] == "breaching");

    let silent: BTreeMap<&str, u64> = silent.map(|alarm| (alarm.name.as_str(), alarm.seconds())).collect();
    let expected = [
        ("DeadLettersStoppedAlarm", HOUR / 12),
        ("DueWorkStoppedAlarm", HOUR / 12),
        ("NoWebhooksAlarm", 6 * HOUR),
        ("ResyncMissedAlarm", 4 * DAY),
    ];
    assert_eq!(silent, BTreeMap::from(expected));
    assert!(alarms.iter().all(|alarm| alarm.properties["TreatMissingData"].is_string()), "said of each");
}

/// With nothing told for long, CloudWatch judges what was told before: the alarm would come days late, and periods far apart
/// would count as following each other.
#[test]
fn silence_of_ours_is_told_as_a_zero() {
    let alarms = alarms();
    let of_silence = |alarm: &&Alarm| alarm.properties["TreatMissingData"] == "breaching";
    let in_a_row = |alarm: &&Alarm| number(&alarm.properties["EvaluationPeriods"]) > 1 && !is_a_share(alarm);
    let silent = alarms.iter().filter(|alarm| of_silence(alarm) || in_a_row(alarm));
    let silent: BTreeSet<Metric> = silent.filter_map(Alarm::metric_of_ours).collect();

    assert_eq!(silent.len(), 2 + WORK_QUEUES.len());
    metrics::assert_told_as_none(&silent);
}

#[test]
fn a_resync_is_missed_only_after_the_next_should_have_begun() {
    let template = Template::read();

    let schedule = text(&template.properties("ResyncSchedule")["ScheduleExpression"]);
    let days = schedule.strip_prefix("rate(").and_then(|rate| rate.strip_suffix(" days)")).unwrap();

    assert!(alarm("ResyncMissedAlarm").seconds() > days.parse::<u64>().unwrap() * DAY);
}

#[test]
fn what_is_parked_for_long_is_told_of_while_its_letter_is_still_there() {
    let age = number(&alarm("OldestParkedAlarm").properties["Threshold"]);

    assert_eq!(age, 10 * DAY);
    assert!(age + 3 * DAY <= FOURTEEN_DAYS, "a weekend is left to act");
}

#[test]
fn one_push_that_fails_in_a_quiet_night_is_no_rate() {
    let alarm = alarm("PushFailuresAlarm").properties;

    assert_eq!(alarm["Statistic"], "Average");
    assert!((alarm["Threshold"].as_f64().unwrap() - 0.02).abs() < f64::EPSILON);
    assert!(number(&alarm["DatapointsToAlarm"]) > 1);
    assert_eq!(alarm["TreatMissingData"], "notBreaching");
}

struct Alarm {
    name: String,
    properties: Value,
}

impl Alarm {
    /// Whether it is about runs of a function that went wrong, not about runs that did not come.
    fn is_of_a_run(&self) -> bool {
        self.properties["Namespace"] == "AWS/Lambda" && self.properties["MetricName"] != "Invocations"
    }

    /// The queue or function that it watches, without the stack's name.
    fn subject(&self, dimension: &str) -> String {
        assert_eq!(self.properties["Dimensions"][0]["Name"], dimension, "{}", self.name);
        let value = text(&self.properties["Dimensions"][0]["Value"]);
        value.strip_prefix("${Stack}-").unwrap_or_else(|| panic!("{} watches {value}", self.name)).to_owned()
    }

    fn subject_or_nothing(&self) -> String {
        let value = self.properties["Dimensions"][0]["Value"].as_str().unwrap_or_default();
        value.strip_prefix("${Stack}-").unwrap_or_default().to_owned()
    }

    fn metric_of_ours(&self) -> Option<Metric> {
        let dimension = self.properties["Dimensions"][0].as_object().map(|dimension| {
            (text(&dimension["Name"]).to_owned(), metrics::Value::Is(text(&dimension["Value"]).to_owned()))
        });
        let metric = Metric { name: text(&self.properties["MetricName"]).to_owned(), dimension };
        (self.properties["Namespace"] == "Roundtrip/${Stack}").then_some(metric)
    }

    /// How far back it looks.
    fn seconds(&self) -> u64 {
        number(&self.properties["Period"]) * number(&self.properties["EvaluationPeriods"])
    }
}

/// Where nothing was done, nothing failed: an average has no zeros to tell.
fn is_a_share(alarm: &Alarm) -> bool {
    alarm.properties["Statistic"] == "Average"
}

/// What an alarm is about, where the runbook tells of it, and what to type first.
fn told(alarm: &Alarm) -> (&str, &str, &str) {
    let description = text(&alarm.properties["AlarmDescription"]);
    match description.split(" - ").collect::<Vec<_>>()[..] {
        [what, runbook, look] => (what, runbook, look),
        _ => panic!("{} says not three things: {description}", alarm.name),
    }
}

fn alarms() -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for file in FILES {
        let template = Template::read_file(file);
        let found = template.of_type("AWS::CloudWatch::Alarm");
        alarms.extend(
            found.map(|(name, alarm)| Alarm { name: name.to_owned(), properties: alarm["Properties"].clone() }),
        );
    }
    alarms
}

fn alarm(name: &str) -> Alarm {
    alarms().into_iter().find(|alarm| alarm.name == name).unwrap_or_else(|| panic!("there is no {name}"))
}
