//! What is parked, as an operator asks for it.

use roundtrip_domain::jobs::advance_all;
use roundtrip_domain::ports::Jobs;
use roundtrip_domain::push::PushState;
use roundtrip_domain::record::{OrderRecord, Row};
use roundtrip_domain::step::{Failure, Step};
use roundtrip_domain::writeback::WritebackState;

use super::*;
use crate::world::mars;

fn time(minute: i64) -> Timestamp {
    "2026-11-23T01:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minute)
}

impl Scene {
    /// Parks a step of an order, so many minutes after one.
    pub(super) async fn park(&self, order: &OrderRef, step: &str, (code, message): (Code, &str), minute: i64) {
        let mut record: OrderRecord = self.world.ledger.load(order).await.unwrap();
        let failure = Failure { at: time(minute), code, message: message.into(), request_id: None };
        match step.parse().unwrap() {
            StepId::Push { source, group } => {
                let row = record.pushes.entry((source, group));
                fail(row.or_insert_with(|| Row::new(Step::new(PushState::not_pushed()))).change(), failure);
            }
            StepId::Writeback(shipment) => {
                let row = record.writebacks.entry(shipment);
                fail(row.or_insert_with(|| Row::new(Step::new(WritebackState::pending()))).change(), failure);
            }
            other => panic!("{other} is not parked here"),
        }
        self.world.ledger.save(&mut [&mut record]).await.unwrap();
    }

    /// The names of what is parked, and whether there is more.
    async fn dead_letters(&self, query: &str) -> (Vec<String>, Option<String>) {
        let (status, answer) = self.send("GET", &format!("/v1/dead-letters?{query}"), Value::Null).await;
        assert_eq!(status, 200, "{query}: {answer:#}");
        let id = |letter: &Value| letter["id"].as_str().unwrap().to_owned();
        (answer["dead_letters"].as_array().unwrap().iter().map(id).collect(), answer["next"].as_str().map(Into::into))
    }
}

fn fail<S>(step: &mut Step<S>, failure: Failure) {
    let (code, at) = (failure.code, failure.at);
    step.fail(failure, |_| Duration::ZERO);
    step.park(code, at, at, None);
}

pub(super) fn order(shop: &roundtrip_domain::id::ShopDomain, id: u64) -> OrderRef {
    OrderRef { shop: shop.clone(), id: OrderId::new(id) }
}

pub(super) const PUSH: &str = "push/sun.myshopify.com/1";
const TRACKING: &str = "writeback/sun.myshopify.com/7/9";

/// Of the moon's orders two were refused by the sun, and one's tracking by the moon; the mars could not reach the sun.
pub(super) async fn troubled() -> Scene {
    let scene = Scene::start().await;
    scene.world.ledger.register_shop(&connected(mars(), time(0))).await.unwrap();
    scene.park(&order(&moon(), 42), PUSH, (Code::Rejected, "line 1 of `Mug` cannot be sold"), 3).await;
    scene.park(&order(&moon(), 43), PUSH, (Code::Rejected, "line 2 of `Tee` cannot be sold"), 1).await;
    scene.park(&order(&mars(), 44), PUSH, (Code::ChannelUnavailable, "no answer"), 2).await;
    scene.park(&order(&moon(), 42), TRACKING, (Code::LocationUnmapped, "two locations wait"), 4).await;
    scene
}

fn named(shop: &str, order: u64, step: &str) -> String {
    format!("{shop}.myshopify.com/{order}/{step}@0")
}

#[tokio::test]
async fn what_is_parked_is_listed_oldest_first_and_found_by_whatever_is_known_of_it() {
    let scene = troubled().await;
    let (refused, also) = (named("moon", 42, PUSH), named("moon", 43, PUSH));
    let (unreached, unmapped) = (named("mars", 44, PUSH), named("moon", 42, TRACKING));

    let (_, answer) = scene.send("GET", "/v1/dead-letters?order=42&code=REJECTED", Value::Null).await;
    let shown = &answer["dead_letters"][0];
    let cause = shown["cause"].as_str().unwrap();
    for (query, expected) in [
        ("", vec![&also, &unreached, &refused, &unmapped]),
        ("code=REJECTED", vec![&also, &refused]),
        (format!("cause={cause}").as_str(), vec![&also, &refused]),
        ("queue=tracking-writeback", vec![&unmapped]),
        ("shop=mars.myshopify.com", vec![&unreached]),
        ("shop=sun.myshopify.com", vec![&also, &unreached, &refused, &unmapped]),
        ("order=42", vec![&refused, &unmapped]),
        ("from=2026-11-23T01:02:00Z&before=2026-11-23T01:04:00Z", vec![&unreached, &refused]),
        (format!("id={unmapped}").as_str(), vec![&unmapped]),
        ("id=moon.myshopify.com/42/push/sun.myshopify.com/1@7", vec![]),
        ("shop=venus.myshopify.com", vec![]),
    ] {
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(scene.dead_letters(query).await, (expected, None), "{query}");
    }
    let told =
        ["order_name", "queue", "step", "generation", "parked_at", "attempts", "help"].map(|it| shown[it].clone());
    let expected = json!(["#42", "order-push", PUSH, 0, "2026-11-23T01:03:00Z", 1, "/v1/help/REJECTED"]);
    assert_eq!(json!(told), expected, "{shown:#}");
    assert_eq!(shown["last_failure"]["message"], "line 1 of `Mug` cannot be sold");
}

#[tokio::test]
async fn what_fails_alike_is_one_incident_with_its_remedy_and_its_commands() {
    let scene = troubled().await;

    let (status, answer) = scene.send("GET", "/v1/incidents", Value::Null).await;

    assert_eq!((status, &answer["count"], &answer["more"]), (200, &json!(4), &json!(false)));
    let told = |incident: &Value| {
        json!(["code", "kind", "failed_at", "count", "shops", "since"].map(|name| incident[name].clone()))
    };
    let told: Vec<Value> = answer["incidents"].as_array().unwrap().iter().map(told).collect();
    let (moon, sun) = (moon().to_string(), "sun.myshopify.com");
    let expected = [
        json!(["REJECTED", "push", sun, 2, [moon], "2026-11-23T01:01:00Z"]),
        json!(["CHANNEL_UNAVAILABLE", "push", sun, 1, ["mars.myshopify.com"], "2026-11-23T01:02:00Z"]),
        json!(["LOCATION_UNMAPPED", "tracking", moon, 1, [moon], "2026-11-23T01:04:00Z"]),
    ];
    assert_eq!(told, expected);
    let refused = &answer["incidents"][0];
    assert_eq!(refused["first_failure"]["message"], "line 2 of `Tee` cannot be sold");
    assert_eq!(refused["last_failure"]["message"], "line 1 of `Mug` cannot be sold");
    let (oldest, cause) = (named("moon", 43, PUSH), refused["cause"].as_str().unwrap());
    let commands = [
        ("see", format!("roundtrip incident show {cause}")),
        ("take", format!("roundtrip incident own {cause}")),
        ("test one", format!("roundtrip dlq redrive {oldest} --reason \"…\" --wait")),
        ("redrive", format!("roundtrip dlq redrive --cause {cause} --canary 1 --reason \"…\" --wait")),
    ];
    let commands = commands.map(|(to, command)| json!({ "to": to, "command": command }));
    assert_eq!(refused["commands"], json!(commands));
    let (_, of_mars) = scene.send("GET", "/v1/incidents?shop=mars.myshopify.com", Value::Null).await;
    assert_eq!((&of_mars["count"], &of_mars["incidents"][0]["code"]), (&json!(1), &json!("CHANNEL_UNAVAILABLE")));
}

#[tokio::test]
async fn its_pages_follow_one_another_over_all_stores() {
    let scene = troubled().await;
    let (all, _) = scene.dead_letters("").await;

    let mut paged = Vec::new();
    let mut query = String::from("limit=1");
    loop {
        let (page, next) = scene.dead_letters(&query).await;
        assert!(page.len() <= 1);
        paged.extend(page);
        let Some(next) = next else { break };
        query = format!("limit=1&after={}", next.replace('#', "%23"));
    }

    assert_eq!(paged, all);
}

#[tokio::test]
async fn what_goes_again_is_no_more_a_dead_letter() {
    let scene = troubled().await;
    let at = order(&moon(), 43);
    let mut record = scene.world.ledger.load(&at).await.unwrap();
    record.pushes.values_mut().next().unwrap().change().reopen();
    scene.world.ledger.save(&mut [&mut record]).await.unwrap();
    assert_eq!(scene.dead_letters("order=43").await.0, Vec::<String>::new());

    scene.park(&at, PUSH, (Code::Rejected, "again"), 9).await;

    assert_eq!(scene.dead_letters("order=43").await.0, [format!("moon.myshopify.com/43/{PUSH}@1")], "another one");
}

#[tokio::test]
async fn a_query_that_says_nothing_is_refused_by_its_field() {
    let scene = Scene::start().await;

    for (query, field) in [
        ("code=FOO", "code"),
        ("code=rejected", "code"),
        ("queue=mail", "queue"),
        ("shop=sun", "shop"),
        ("order=x", "order"),
        ("from=yesterday", "from"),
        ("limit=0", "limit"),
        ("after=x", "after"),
        ("after=", "after"),
        ("id=x", "id"),
        ("colour=red", "colour"),
    ] {
        let (status, problem) = scene.send("GET", &format!("/v1/dead-letters?{query}"), Value::Null).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{query}: {problem:#}");
    }
}

impl Scene {
    async fn redrive(&self, body: Value) -> (u16, Value) {
        self.send("POST", "/v1/dead-letters/redrive", body).await
    }
}

#[tokio::test]
async fn a_redrive_is_planned_first_and_kept_with_who_and_why() {
    let scene = troubled().await;
    let ledger = &scene.world.ledger;

    let (status, plan) = scene.redrive(json!({ "shop": moon(), "code": "REJECTED", "dry_run": true, "rate": 1 })).await;
    let told = ["job_id", "matched", "more", "takes_secs", "codes", "first"].map(|field| plan[field].clone());
    let first = [named("moon", 43, PUSH), named("moon", 42, PUSH)];
    let expected = json!([null, 2, false, 2, [{ "code": "REJECTED", "count": 2 }], first]);
    assert_eq!((status, json!(told)), (200, expected), "{plan:#}");
    assert!(ledger.open_jobs().await.unwrap().is_empty());

    let body = json!({ "shop": moon(), "code": "REJECTED", "reason": " the sun is back " });
    let (status, begun) = scene.redrive(body).await;
    assert_eq!((status, &begun["matched"]), (202, &json!(2)), "{begun:#}");
    let id = begun["job_id"].as_str().unwrap();
    let (status, job) = scene.send("GET", &format!("/v1/jobs/{id}"), Value::Null).await;
    let told = ["state", "reason", "asked_by", "total", "sent", "parked", "verdict"].map(|field| job[field].clone());
    let expected = json!(["running", "the sun is back", "ada", 2, 2, 2, "0 of 2 done"]);
    assert_eq!((status, json!(told)), (200, expected), "no queue took the tasks: {job:#}");
    let history = scene.order().await["history"].clone();
    let redriven = history.as_array().unwrap().iter().find(|event| event["after"] == "redriven").unwrap();
    assert_eq!((&redriven["actor"], &redriven["detail"]), (&json!("ada"), &json!("the sun is back")));

    // Nobody heeded it for a while: it is sent again, as often as it takes.
    let later = Timestamp::now() + jiff::SignedDuration::from_mins(6);
    let advanced = advance_all(ledger, &scene.world.tasks, 500, later).await.unwrap();
    assert_eq!((advanced.jobs, advanced.sent, advanced.stuck.len()), (1, 2, 0));
    let mut sent: Vec<String> = Vec::new();
    while let Some((_, task)) = scene.world.tasks.take() {
        sent.push(format!("{} {}", task.subject, task.cause_id));
    }
    let expected = [43, 42].map(|id| format!("order moon.myshopify.com/{id} {PUSH}@0"));
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_redrive_of_names_says_which_are_not_parked_any_more() {
    let scene = troubled().await;
    let ids = [
        named("moon", 42, PUSH),
        named("moon", 42, PUSH),
        named("moon", 7, PUSH),
        "moon.myshopify.com/resync@3".into(),
    ];

    let (status, begun) = scene.redrive(json!({ "ids": ids, "reason": "try" })).await;
    assert_eq!((status, &begun["matched"], &begun["not_parked"]), (202, &json!(1), &json!(2)), "{begun:#}");

    let (status, none) = scene.redrive(json!({ "ids": [ids[2]], "reason": "try" })).await;
    assert_eq!((status, &none["job_id"], &none["not_parked"]), (200, &Value::Null, &json!(1)), "{none:#}");
    assert_eq!(scene.send("GET", "/v1/jobs/nobodys", Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_redrive_that_says_not_which_or_not_why_is_refused() {
    let scene = troubled().await;
    let long = "x".repeat(501);

    for (body, field) in [
        (json!({ "reason": "why not" }), "all"),
        (json!({ "all": true }), "reason"),
        (json!({ "all": true, "reason": "  " }), "reason"),
        (json!({ "all": true, "reason": long }), "reason"),
        (json!({ "all": true, "reason": "x", "rate": 0 }), "rate"),
        (json!({ "all": true, "reason": "x", "rate": 101 }), "rate"),
        (json!({ "all": true, "reason": "x", "canary": 26 }), "canary"),
        (json!({ "code": "NOPE", "reason": "x" }), "code"),
        (json!({ "ids": ["nobody"], "reason": "x" }), "ids[0]"),
        (json!({ "ids": vec![named("moon", 1, PUSH); 251], "reason": "x" }), "ids"),
        (json!({ "from": "yesterday", "reason": "x" }), "from"),
        (json!({ "everything": true }), "everything"),
    ] {
        let (status, problem) = scene.redrive(body.clone()).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{body}: {problem:#}");
    }
    assert!(scene.world.ledger.open_jobs().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_purge_wants_to_be_told_how_many() {
    let scene = troubled().await;
    let purge = async |body: Value| scene.send("POST", "/v1/dead-letters/purge", body).await;

    let (status, problem) = purge(json!({ "code": "REJECTED", "reason": "sold out" })).await;
    assert_eq!((status, &problem["code"], &problem["field"]), (409, &json!("CONFIRM_REQUIRED"), &json!("confirm")));
    assert_eq!(problem["detail"], "2 dead letters would be purged");
    assert!(problem["remedy"].as_str().unwrap().contains("`--confirm 2`"), "{problem:#}");
    let (status, _) = purge(json!({ "code": "REJECTED", "reason": "sold out", "confirm": 3 })).await;
    assert_eq!((status, scene.dead_letters("").await.0.len()), (409, 4), "nothing was done");
    for (body, field) in
        [(json!({ "reason": "x", "confirm": 4 }), "all"), (json!({ "all": true, "reason": " " }), "reason")]
    {
        let (status, problem) = purge(body).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)));
    }

    let (status, begun) = purge(json!({ "code": "REJECTED", "reason": "sold out", "confirm": 2 })).await;

    assert_eq!((status, &begun["matched"], &begun["codes"][0]["count"]), (202, &json!(2), &json!(2)), "{begun:#}");
    assert_eq!(scene.dead_letters("").await.0, [named("mars", 44, PUSH), named("moon", 42, TRACKING)]);
    let job = format!("/v1/jobs/{}", begun["job_id"].as_str().unwrap());
    let (_, job) = scene.send("GET", &job, Value::Null).await;
    assert_eq!((&job["kind"], &job["verdict"]), (&json!("purge"), &json!("2 of 2 purged")));
    let history = scene.order().await["history"].clone();
    let told = history.as_array().unwrap().iter().find(|event| event["after"] == "dismissed").unwrap();
    assert_eq!((&told["actor"], &told["code"], &told["before"]), (&json!("ada"), &json!("REJECTED"), &json!("parked")));
    assert!(told["detail"].as_str().unwrap().starts_with("sold out; it had failed 1 times"), "{told:#}");
    assert_eq!(purge(json!({ "code": "REJECTED", "reason": "x", "confirm": 2 })).await.0, 404, "they are gone");
}
