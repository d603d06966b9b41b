//! The ops-api in this process, on DynamoDB's twin: what it answers, and what it leaves in the ledger. No queue
//! is there: each task is made up for by its row, which is due.

mod cancellations;
mod dead_letters;
mod exceptions;
mod http;
mod lists;
mod settings;
mod writebacks;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use jsonwebtoken::{EncodingKey, Header, encode};
use roundtrip_api::{AUDIENCE, Claims};
use roundtrip_aws::{DynamoLedger, OperatorSecret, QueueUrls, SqsTasks, Vault, VaultNames};
use roundtrip_connectors::shopify::{ShopifyApi, ShopifyConfig};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{LocationId, OrderId, OrderRef};
use roundtrip_domain::ports::{Clock, Ledger, Ports, Registry};
use roundtrip_domain::push::push_order;
use roundtrip_domain::record::WarningCode;
use roundtrip_domain::registry::{Location, Shop, ShopFacts};
use roundtrip_domain::resync::{ResyncState, resync};
use roundtrip_domain::secret::Secret;
use roundtrip_domain::step::StepId;
use roundtrip_domain::sync::ask_for_sync;
use roundtrip_domain::task::{Subject, Task, Trigger};
use roundtrip_domain::writeback::write_back;
use roundtrip_functions::compose::{Api, SystemClock};
use roundtrip_functions::ops_api::router;
use roundtrip_kit::fake::{FakeChannel, Fault, ManualClock, MemoryTasks};
use roundtrip_kit::order::{connected, connection, facts, moon, paid_order, sun};
use roundtrip_kit::{dynamodb, fake};
use serde_json::{Value, json};

const SECRET: &str = "the-operator-secret-of-this-test";

type World = Ports<DynamoLedger, FakeChannel, MemoryTasks, ManualClock>;

/// The API, and the workers' world behind it: the moon with order 42, of two units, and the sun.
struct Scene {
    url: String,
    token: String,
    http: reqwest::Client,
    world: World,
}

impl Scene {
    async fn start() -> Self {
        let ledger = dynamodb::ledger().await;
        let fake = fake::ports();
        fake.clock.advance(until(&fake.clock, three_days_ago()));
        let now = fake.clock.now();
        let location = |id, name: &str| Location { id: LocationId::new(id), name: name.into(), active: true };
        let facts = ShopFacts { locations: vec![location(7, "Berlin"), location(8, "Hamburg")], ..facts(now) };
        ledger.register_shop(&Shop { facts: Some(facts), ..connected(moon(), now) }).await.unwrap();
        ledger.register_shop(&connected(sun(), now)).await.unwrap();
        ledger.put_connection(&connection(false)).await.unwrap();
        let mut order = paid_order(42, now);
        order.lines[0].quantity = 2;
        fake.channel.shop(&moon(), |shop| shop.orders.insert(order.at.id, order.clone()));
        let world = Ports {
            ledger: ledger.clone(),
            channel: fake.channel,
            tasks: fake.tasks,
            clock: fake.clock,
            waits: fake.waits,
        };
        push_order(&world, &Task::new(Trigger::Webhook, "e-1", Subject::Order(order.at))).await.unwrap();

        let sdk = dynamodb::sdk_config("http://127.0.0.1:1", "us-east-1", "local");
        let names = VaultNames { app_secret_id: None, token_key_id: "key".into(), registry: "registry".into() };
        let vault = Vault::new(&sdk, names);
        let nowhere = ShopifyConfig {
            endpoint: "http://127.0.0.1:1/{shop}".parse().unwrap(),
            api_version: "2026-10".into(),
            webhook_url: None,
            call_timeout: Duration::from_secs(1),
        };
        let api = Api {
            ledger,
            channel: ShopifyApi::new(nowhere, vault.clone(), SystemClock).unwrap(),
            tasks: SqsTasks::new(&sdk, QueueUrls::default()),
            vault,
            operator: OperatorSecret(Secret::new(SECRET)),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router(Arc::new(api))).await });
        let now = Timestamp::now().as_second();
        let claims = Claims { sub: "ada".into(), aud: AUDIENCE.into(), iat: now, exp: now + 600, scope: None };
        let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
        Self { url, token, http: reqwest::Client::new(), world }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request =
            self.http.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Posts the label `se-1`, with `change` in the place of what it says.
    async fn label(&self, change: Value) -> (u16, Value) {
        let mut body = json!({
            "shop": moon(), "order": "42", "label": "se-1", "warehouse": "WH2",
            "tracking": [{ "number": "1Z999AA10123456784", "company": "UPS" }],
            "lines": [{ "line_item": "101", "quantity": 1 }],
        });
        body.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap());
        self.send("POST", "/v1/labels", body).await
    }

    /// Asks for a backfill of the moon's orders: the status, and code or run id.
    async fn backfill(&self, days: u16) -> (u16, String) {
        let path = format!("/v1/shops/{}/backfills", moon());
        let (status, answer) = self.send("POST", &path, json!({ "days": days })).await;
        let told = answer["code"].as_str().or(answer["run_id"].as_str());
        (status, told.unwrap_or_default().to_owned())
    }

    /// The moon's run of this id.
    async fn run(&self, id: &str) -> Value {
        self.send("GET", &format!("/v1/shops/{}/runs/{id}", moon()), Value::Null).await.1["run"].clone()
    }

    async fn resync(&self) {
        catch_up(&self.world.clock);
        resync(&self.world, &Task::new(Trigger::DueWork, "due", Subject::Shop { shop: moon() })).await.unwrap();
    }

    async fn void(&self, label: &str) -> (u16, Value) {
        self.send("DELETE", &format!("/v1/shops/{}/orders/42/labels/{label}", moon()), Value::Null).await
    }

    async fn order(&self) -> Value {
        self.send("GET", &format!("/v1/shops/{}/orders/42", moon()), Value::Null).await.1
    }

    async fn work(&self) {
        catch_up(&self.world.clock);
        let at = OrderRef { shop: moon(), id: OrderId::new(42) };
        write_back(&self.world, &Task::new(Trigger::Request, "r-1", Subject::Order(at))).await.unwrap();
    }
}

/// Where each scene begins, in the morning. The API has the machine's clock, and minds how old an order is.
fn three_days_ago() -> Timestamp {
    let day = Timestamp::now().to_zoned(TimeZone::UTC).date() - 3.days();
    day.at(8, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// Brings the world's clock up to the machine's: what the API has made due would not be due before.
fn catch_up(clock: &ManualClock) {
    clock.advance(until(clock, Timestamp::now()));
}

fn until(clock: &ManualClock, moment: Timestamp) -> Duration {
    moment.duration_since(clock.now()).try_into().unwrap_or_default()
}

fn told(order: &Value) -> Vec<&str> {
    let events = order["history"].as_array().unwrap().iter();
    events.filter(|event| event["actor"] == "ada").map(|event| event["after"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_label_posted_twice_at_once_is_one_label() {
    let scene = Scene::start().await;

    let posted = tokio::join!(scene.label(json!({})), scene.label(json!({})), scene.label(json!({})));
    scene.work().await;
    let late = scene.label(json!({})).await;

    assert_eq!([posted.0.0, posted.1.0, posted.2.0, late.0], [202; 4]);
    let order = scene.order().await;
    assert_eq!(told(&order), ["label bought"]);
    let [writeback] = &order["writebacks"].as_array().unwrap()[..] else { panic!("{order:#}") };
    assert_eq!((&writeback["label"], &writeback["state"]), (&json!("se-1"), &json!("written")));
    assert_eq!((&writeback["source"], &writeback["wait"]), (&Value::Null, &Value::Null));
    scene.world.channel.shop(&moon(), |shop| assert_eq!(shop.mails, ["1Z999AA10123456784"]));
    assert!(scene.world.ledger.due(Timestamp::MAX, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_label_is_replaced_voided_once_and_never_comes_back() {
    let scene = Scene::start().await;
    scene.label(json!({})).await;
    scene.work().await;

    let other = json!({ "tracking": [{ "number": "1Z999AA10123456785", "company": "UPS" }] });
    assert_eq!(scene.label(other).await.0, 202);
    scene.work().await;
    let (status, answer) = scene.label(json!({ "lines": [{ "line_item": "101", "quantity": 2 }] })).await;
    assert_eq!((status, &answer["code"]), (409, &json!("LABEL_SHOWN")), "{answer:#}");
    for _ in 0..2 {
        assert_eq!(scene.void("se-1").await.0, 202);
        scene.work().await;
    }
    let (status, answer) = scene.label(json!({})).await;
    assert_eq!((status, &answer["code"]), (409, &json!("LABEL_VOIDED")), "{answer:#}");
    let (status, answer) = scene.void("se-9").await;
    assert_eq!((status, &answer["code"]), (404, &json!("NOT_FOUND")), "{answer:#}");

    let order = scene.order().await;
    assert_eq!(told(&order), ["label voided", "label changed", "label bought"]);
    assert_eq!(order["writebacks"][0]["wait"]["why"], "replacement");
    assert_eq!(order["writebacks"][0]["tracking"][0]["number"], "1Z999AA10123456785");
}

#[tokio::test]
async fn what_failed_links_help_that_anybody_may_read() {
    let scene = Scene::start().await;
    scene.label(json!({ "lines": [{ "line_item": "101", "quantity": 3 }] })).await;
    scene.work().await;

    let help = scene.order().await["writebacks"][0]["help"].as_str().expect("a link").to_owned();
    let answer = scene.http.get(format!("{}{help}", scene.url)).send().await.unwrap();
    let unknown = scene.http.get(format!("{}/v1/help/NO_SUCH", scene.url)).send().await.unwrap();

    assert_eq!((answer.status().as_u16(), unknown.status().as_u16()), (200, 404));
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("PRODUCTS_MISMATCH\n\nWhat it means: what was shipped"), "{text}");
    assert!(text.contains("\n\nWhat to do: compare"), "{text}");
}

#[test]
fn the_page_explains_every_code_in_the_words_of_the_help() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/API.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
    let rows = rows.filter(|(code, _)| *code == code.to_uppercase());
    let explained: Vec<_> =
        rows.filter_map(|(code, words)| words.split_once(" | ").map(|(means, to_do)| (code, means, to_do))).collect();

    let warnings = WarningCode::ALL.map(|code| (code.name(), code.meaning(), code.remedy()));
    let codes = Code::ALL.map(|code| (code.name(), code.meaning(), code.remedy()));
    let codes: Vec<_> = codes.into_iter().chain(warnings).collect();

    assert_eq!(explained, codes);
}

#[tokio::test]
async fn a_label_of_an_order_that_the_shop_does_not_have_is_not_kept() {
    let scene = Scene::start().await;

    let of_another_shop = scene.label(json!({ "shop": sun() })).await;
    let unknown = scene.label(json!({ "order": "43" })).await;
    let unregistered = scene.label(json!({ "shop": "mars.myshopify.com" })).await;
    let invalid = scene.label(json!({ "order": "#1001" })).await;

    assert_eq!([of_another_shop.0, unknown.0, unregistered.0, invalid.0], [404, 404, 404, 400]);
    assert_eq!(invalid.1["field"], "order");
    for (shop, id) in [(sun(), 42), (moon(), 43)] {
        let at = OrderRef { shop, id: OrderId::new(id) };
        assert!(scene.world.ledger.load(&at).await.unwrap().labels.is_empty());
    }
}

#[tokio::test]
async fn a_parked_label_goes_on_when_it_is_told_of_as_it_should_be() {
    let scene = Scene::start().await;
    scene.label(json!({ "lines": [{ "line_item": "101", "quantity": 3 }] })).await;
    scene.work().await;
    let parked = scene.order().await;
    assert_eq!(parked["writebacks"][0]["parked"], "PRODUCTS_MISMATCH");
    assert_eq!(parked["order"]["system_tags"], json!(["Failed Shipment Notification"]));

    scene.label(json!({ "lines": [{ "line_item": "101", "quantity": 2 }] })).await;
    scene.work().await;

    let order = scene.order().await;
    assert_eq!((&order["writebacks"][0]["state"], &order["order"]["system_tags"]), (&json!("written"), &Value::Null));
    assert_eq!(told(&order), ["label changed", "label bought"]);
}

#[tokio::test]
async fn a_location_map_is_kept_whole_or_not_at_all() {
    let scene = Scene::start().await;
    let path = format!("/v1/shops/{}/locations", moon());
    let map = json!([
        { "from": { "shop": sun(), "location": "11" }, "to": "7" }, { "from": { "warehouse": "WH2" }, "to": "8" },
    ]);

    let (status, answer) = scene.send("PUT", &path, json!({ "locations": map })).await;
    assert_eq!((status, answer), (200, json!({ "shop": moon(), "locations": map })));
    let half = json!({ "locations": [map[1], { "from": { "warehouse": "WH3" }, "to": "9" }] });
    let (status, answer) = scene.send("PUT", &path, half).await;
    assert_eq!((status, &answer["field"]), (400, &json!("locations[1].to")), "{answer:#}");

    let shop = scene.send("GET", &format!("/v1/shops/{}", moon()), Value::Null).await.1;
    assert_eq!(shop["locations"], map);
    assert_eq!(scene.send("PUT", &path, json!({ "locations": [] })).await.1["locations"], json!([]));
}

/// Whether nobody has asked for a run.
async fn is_unasked(scene: &Scene) -> bool {
    scene.world.ledger.shop_step::<ResyncState>(&moon(), &StepId::Resync).await.unwrap().is_none()
}

#[tokio::test]
async fn more_than_seven_days_need_the_paid_plan_and_more_than_sixty_the_scope() {
    let scene = Scene::start().await;

    assert_eq!(scene.backfill(30).await, (403, "PLAN_REQUIRED".to_owned()));
    assert_eq!(scene.backfill(0).await, (400, "INVALID_FIELD".to_owned()));
    assert!(is_unasked(&scene).await);
    let settings = format!("/v1/shops/{}/settings", moon());
    assert_eq!(scene.send("PUT", &settings, json!({ "plan": "gold" })).await.0, 400);
    assert_eq!(scene.send("PUT", &settings, json!({ "plan": "paid" })).await.1["settings"]["plan"], "paid");
    assert_eq!(scene.backfill(61).await, (422, "MAX_LOOKBACK_60_DAYS".to_owned()));
    assert!(is_unasked(&scene).await);
    assert_eq!(scene.backfill(60).await.0, 202);
    let state = scene.world.ledger.shop_step::<ResyncState>(&moon(), &StepId::Resync).await.unwrap().unwrap();
    assert_eq!(state.0.state.asked[0].days, 60);

    let mut facts = facts(scene.world.clock.now());
    facts.scopes = vec!["read_all_orders".into()];
    scene.world.ledger.record_facts(&moon(), &facts).await.unwrap();
    assert_eq!(scene.backfill(61).await.0, 202);
    let calls = scene.world.channel.shop(&moon(), |shop| shop.calls.clone());
    assert!(!calls.contains(&"orders"), "{calls:?}");
}

#[tokio::test]
async fn a_backfill_is_requested_then_received_then_done() {
    let scene = Scene::start().await;
    let now = scene.world.clock.now();
    for id in 1000..1300 {
        scene.world.channel.shop(&moon(), |shop| shop.orders.insert(OrderId::new(id), paid_order(id, now)));
    }
    let (_, id) = scene.backfill(7).await;
    let asked = scene.run(&id).await;
    assert_eq!(
        (&asked["state"], &asked["occasion"], &asked["scanned"]),
        (&json!("requested"), &json!("backfill"), &json!(0))
    );
    assert_eq!(asked["started_at"], Value::Null);

    scene.world.channel.shop(&moon(), |shop| shop.query_faults.push_back(Fault::Throttled));
    scene.resync().await;
    assert_eq!(scene.run(&id).await["state"], "requested", "the shop has not answered yet");
    scene.world.clock.advance(Duration::from_secs(60));
    scene.resync().await;
    let received = scene.run(&id).await;
    assert_eq!((&received["state"], &received["scanned"]), (&json!("received"), &json!(301)));

    while scene.run(&id).await["state"] != "done" {
        scene.world.clock.advance(Duration::from_secs(120));
        resync(&scene.world, &Task::new(Trigger::DueWork, "due", Subject::Shop { shop: moon() })).await.unwrap();
    }
    let done = scene.run(&id).await;
    assert_eq!((&done["found"], &done["ended_at"].is_string()), (&json!(300), &true));
    assert!(done["age_secs"].as_i64().is_some_and(|age| age >= 60), "{done:#}");
    assert_eq!(done["calls"], 3, "two pages, and one for older orders that changed");
    assert_eq!(scene.send("GET", &format!("/v1/shops/{}/runs/none", moon()), Value::Null).await.0, 404);
}

#[tokio::test]
async fn an_order_is_synced_by_one_job_that_says_how_far_it_has_come() {
    let scene = Scene::start().await;
    let path = format!("/v1/shops/{}/orders/42/sync", moon());
    assert_eq!(scene.send("GET", &path, Value::Null).await.0, 404);

    let clicks = tokio::join!(
        scene.send("POST", &path, json!({})),
        scene.send("POST", &path, json!({})),
        scene.send("POST", &path, json!({})),
    );
    assert_eq!([clicks.0.0, clicks.1.0, clicks.2.0], [202; 3]);
    let jobs = [&clicks.0.1, &clicks.1.1, &clicks.2.1].map(|click| click["job_id"].clone());
    assert!(jobs.iter().all(|job| *job == jobs[0]), "{jobs:?}");
    let (status, open) = scene.send("GET", &path, Value::Null).await;
    assert_eq!((status, &open["state"], &open["looks"][0]["look"]), (200, &json!("open"), &json!("order")), "{open:#}");
    assert_eq!(told(&scene.order().await), ["sync requested"]);
    catch_up(&scene.world.clock);
    let at = OrderRef { shop: moon(), id: OrderId::new(42) };
    push_order(&scene.world, &Task::new(Trigger::DueWork, "due", Subject::Order(at))).await.unwrap();

    let done = scene.send("GET", &path, Value::Null).await.1;
    assert_eq!((&done["state"], &done["job_id"]), (&json!("done"), &open["job_id"]), "{done:#}");
    assert_eq!(done["looks"][0]["outcome"], "done: up to date");
    assert!(scene.world.ledger.due(Timestamp::MAX, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_order_that_shopify_does_not_show_any_more_is_not_asked_for() {
    let scene = Scene::start().await;
    let old = Timestamp::now() - Duration::from_secs(61 * 24 * 3600);
    let at = OrderRef { shop: moon(), id: OrderId::new(43) };
    scene.world.channel.shop(&moon(), |shop| {
        shop.orders.insert(at.id, paid_order(43, old));
        // It was read when it was young.
        shop.shows_all = true;
    });
    push_order(&scene.world, &Task::new(Trigger::Webhook, "e-1", Subject::Order(at.clone()))).await.unwrap();

    let (status, answer) = scene.send("POST", &format!("/v1/shops/{}/orders/43/sync", moon()), json!({})).await;

    assert_eq!((status, &answer["code"]), (422, &json!("OUTSIDE_60_DAYS")), "{answer:#}");
    assert!(scene.world.ledger.load(&at).await.unwrap().sync.is_none());
}

#[tokio::test]
async fn a_sync_that_is_not_done_after_two_minutes_has_timed_out_and_is_done_later() {
    let scene = Scene::start().await;
    let at = OrderRef { shop: moon(), id: OrderId::new(42) };
    let path = format!("/v1/shops/{}/orders/42/sync", moon());
    let shop = scene.world.ledger.shop(&moon()).await.unwrap().unwrap();
    let asked_at = Timestamp::now() - Duration::from_secs(121);
    let ledger = &scene.world.ledger;
    ask_for_sync(ledger, &scene.world.tasks, (&shop, &at), ("job-1", "ada"), asked_at).await.unwrap();

    let late = scene.send("GET", &path, Value::Null).await.1;
    assert_eq!((&late["state"], &late["looks"][0]["state"]), (&json!("timeout"), &json!("open")), "{late:#}");
    assert!(late["age_secs"].as_i64().is_some_and(|age| (121..180).contains(&age)), "{late:#}");
    catch_up(&scene.world.clock);
    push_order(&scene.world, &Task::new(Trigger::DueWork, "due", Subject::Order(at))).await.unwrap();
    assert_eq!(scene.send("GET", &path, Value::Null).await.1["state"], "done");
}
