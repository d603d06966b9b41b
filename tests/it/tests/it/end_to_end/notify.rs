//! Alarms and events come to people, on the deployed stack: planted metrics, the alarms of the template, their topic, `notify`,
//! the topic that people read, and a chat.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use roundtrip_kit::scene::{SOON, Scene};
use roundtrip_kit::stack::{NotificationTap, eventually};
use serde_json::{Value, json};
use shopify_sim::faults::{Fault, FaultRule, UserErrorSpec};

use crate::template::{Template, number, text};

/// What the chat was told. The second message it refuses.
type Told = Arc<Mutex<Vec<String>>>;

async fn chat() -> (String, Told) {
    let told = Told::default();
    let take = async |State(told): State<Told>, Json(body): Json<Value>| {
        let mut told = told.lock().unwrap();
        told.push(body["text"].as_str().unwrap().to_owned());
        if told.len() == 2 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(take)).with_state(Arc::clone(&told));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, told)
}

/// The text under `subject`, once it comes.
async fn told(people: &NotificationTap, subject: &str) -> String {
    eventually(&format!("people are told: {subject}"), SOON, || async {
        people.take().await.into_iter().find_map(|(told, text)| (told == subject).then_some(text))
    })
    .await
}

#[tokio::test]
async fn people_are_told_of_an_alarm_with_what_is_parked_and_what_to_type() {
    let scene = Scene::new(true).await;
    let stack = &scene.stack;
    let error = UserErrorSpec { message: "no orders on Mondays".into(), ..UserErrorSpec::default() };
    let refuse = Fault::Reject { user_errors: vec![error] };
    scene.sim().add_fault(&FaultRule::next(&scene.sun, "OrderCreate", refuse)).await.unwrap();
    let order = scene.place().await;
    eventually("it is parked", SOON, || async {
        (scene.ledger_order(&order).await?["pushes"][0]["parked"] == "REJECTED").then_some(())
    })
    .await;
    let (hook, in_chat) = chat().await;
    // It heard of others before, and reads the address anew.
    stack.put_chat_webhook(&hook).await;
    let people = stack.listen_to_notifications().await;
    let name = format!("{}-order-push-dlq", stack.described.stack);
    let set = [("AlarmName", name.as_str()), ("StateValue", "OK"), ("StateReason", "test")];
    stack.cloudwatch("SetAlarmState", &set).await;

    let metric = [
        ("Namespace", "AWS/SQS"),
        ("MetricData.member.1.MetricName", "ApproximateNumberOfMessagesVisible"),
        ("MetricData.member.1.Value", "1"),
    ];
    stack.cloudwatch("PutMetricData", &metric).await;

    let text = told(&people, &format!("ALARM: {name}")).await;
    for part in [
        "A push, or the look at an order, waits for a person",
        "docs/RUNBOOK.md, A message on a dead-letter queue",
        "1 x REJECTED: push at",
        scene.moon.as_str(),
        "no orders on Mondays",
        "roundtrip dlq redrive --cause ",
        "Look     roundtrip incident",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("example.com") && !text.contains("Lovelace"), "nobody's name: {text}");
    eventually("the chat is told", SOON, || async {
        in_chat.lock().unwrap().iter().any(|text| text.contains("no orders on Mondays")).then_some(())
    })
    .await;

    // What the chat does not take, is mailed all the same; an event by itself, with its store.
    scene.sim().uninstall(&scene.sun).await.unwrap();
    scene.place().await;
    let paused = told(&people, &format!("ShopPaused: {}", scene.sun)).await;
    assert!(paused.contains(&format!("roundtrip shop show {}", scene.sun)), "{paused}");

    people.close().await;
    stack.put_chat_webhook("none").await;
    scene.sim().install(&scene.sun).await.unwrap();
    stack.api.connect_shop(&scene.sun).await;
    let redriven = stack.api.post("/v1/dead-letters/redrive", json!({ "shop": scene.moon, "reason": "Tuesday" })).await;
    assert_eq!(redriven.status, 202, "{redriven:?}");
    scene.run_until("all is well", SOON * 3, || async { scene.source_orders().await.len() == 2 }).await;
    scene.settle().await;
    for queue in ["order-push", "app-lifecycle"] {
        stack.run_dead_letters().await;
        for shop in [&scene.moon, &scene.sun] {
            stack.messages.take_dead_letters(queue, shop).await;
        }
    }
}

/// What is planted breaches just so: at the threshold, or a hair beyond. An alarm that goes off where nothing is told cannot
/// be tried here: the local engine judges only what it was told.
#[tokio::test]
async fn each_alarm_goes_off_at_its_threshold() {
    let scene = Scene::new(false).await;
    let stack = &scene.stack;
    let mut tried = BTreeSet::new();
    for file in ["infra/alarms.yaml", "infra/function-alarms.yaml"] {
        let template = Template::read_file(file);
        for (name, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
            let alarm = &alarm["Properties"];
            if alarm["MetricName"] == "Invocations" {
                // The local engine tells of these itself, and judges those of all functions together.
                continue;
            }
            let threshold = alarm["Threshold"].as_f64().unwrap_or_else(|| number(&alarm["Threshold"]) as f64);
            let value = match text(&alarm["ComparisonOperator"]) {
                "GreaterThanOrEqualToThreshold" => threshold,
                "GreaterThanThreshold" => threshold * 1.01,
                "LessThanThreshold" => 0.0,
                other => panic!("{name}: {other}"),
            };
            let namespace = text(&alarm["Namespace"]).replace("${Stack}", &stack.described.stack);
            let deployed = text(&alarm["AlarmName"]).replace("${Stack}", &stack.described.stack);
            let set = [("AlarmName", deployed.as_str()), ("StateValue", "OK"), ("StateReason", "test")];
            stack.cloudwatch("SetAlarmState", &set).await;

            let planted = [
                ("Namespace", namespace.as_str()),
                ("MetricData.member.1.MetricName", text(&alarm["MetricName"])),
                ("MetricData.member.1.Value", &value.to_string()),
            ];
            stack.cloudwatch("PutMetricData", &planted).await;

            let shown = stack.cloudwatch("DescribeAlarms", &[("AlarmNames.member.1", &deployed)]).await;
            assert!(shown.contains("<StateValue>ALARM</StateValue>"), "{deployed} at {value}: {shown}");
            tried.insert(deployed);
        }
    }
    assert!(tried.len() >= 30, "{tried:?}");
}
