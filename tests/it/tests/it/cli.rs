//! `roundtrip`, the command, as it is run: against a stub that answers what the ops-api answered once.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::{Value, json};

const LIST: &str = r##"{"next":"2026-11-22T06:49:01.000Z#7000000006071","orders":[{"amount_paid":{"amount":"35.0","currency":"EUR"},"created_at":"2026-11-22T06:49:01Z","customer_name":"Ada King","fulfillment_status":"PARTIALLY_FULFILLED","id":"7000000006071","name":"#1001","payment_status":"PAID","shipment_method":"Standard","synced_items":2,"tab":"pushed","tags":[],"tracking_numbers":["JD001460006"]}]}"##;
const UNKNOWN_ORDER: &str = r#"{"type":"/v1/help/NOT_FOUND","title":"there is no such thing","status":404,"code":"NOT_FOUND","detail":"the ledger knows no order 42 of moon.myshopify.com","remedy":"give Shopify's numeric order id; an order is known from its first webhook on"}"#;
const REFUSED: &str = r##"{"customer_name":"Ada Lovelace","history":[{"actor":"ada","after":"push requested","at":"2026-11-22T06:49:05.382236801Z","before":"none","cause_id":"r-1","detail":"sun.myshopify.com","trigger":"request","what":"request"}],"id":"42","order":{"cancelled_at":null,"created_at":"2026-11-22T06:49:01Z","financial_status":"PENDING","fulfillment_status":"UNFULFILLED","lines":[{"quantity":1,"sku":"TEE","source":"sun.myshopify.com","title":"TEE","variant":"7000000005955"}],"name":"#1002","shipping_method":"Standard","tab":"not-pushed","tags":[],"test":false,"total":{"amount":"25.0","currency":"EUR"},"tracking_numbers":[],"updated_at":"2026-11-22T06:49:01Z"},"pushes":[],"requests":[{"id":"r-1","outcome":{"reasons":[{"observed":"PENDING","reason":"NOT_PAID","required":"PAID"}],"type":"refused"},"requested_at":"2026-11-22T06:49:05.382236801Z","requested_by":"ada","source":"sun.myshopify.com"}],"shop":"moon.myshopify.com","writebacks":[]}"##;
const SECRET: &str = "the-operator-secret-of-the-stub";

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_a_table_or_the_answer_unchanged() {
    let stub = Stub::start([("GET /v1/shops/moon.myshopify.com/orders?tab=pushed&limit=1", 200, LIST)]).await;

    let table = stub.run("order list moon.myshopify.com --tab pushed --limit 1").await;
    let raw = stub.run("order list moon.myshopify.com --tab pushed --limit 1 --json").await;

    let expected = "\
ORDER  ID             PLACED                CUSTOMER  TAB     PAYMENT  FULFILLMENT          SYNCED     AMOUNT  TRACKING
#1001  7000000006071  2026-11-22 06:49:01Z  Ada King  pushed  PAID     PARTIALLY_FULFILLED       2  35.00 EUR  JD001460006
more: --after '2026-11-22T06:49:01.000Z#7000000006071'
";
    assert_eq!((table.code, table.out.as_str(), table.err.as_str()), (0, expected, ""));
    assert_eq!((raw.code, raw.out.trim_end()), (0, LIST));
    assert_eq!(stub.requests()[0].authorization, "Bearer a.b.c");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_told_in_two_lines_and_for_programs_as_it_came() {
    let stub = Stub::start([("GET /v1/shops/moon.myshopify.com/orders/42", 404, UNKNOWN_ORDER)]).await;

    let told = stub.run("order show moon.myshopify.com 42").await;
    let raw = stub.run("order show moon.myshopify.com 42 --json").await;

    let expected = "\
error: the ledger knows no order 42 of moon.myshopify.com
remedy: give Shopify's numeric order id; an order is known from its first webhook on
";
    assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (1, "", expected));
    assert_eq!((raw.code, raw.out.trim_end(), raw.err.as_str()), (1, UNKNOWN_ORDER, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_wrong_is_refused_before_anything_is_asked() {
    let stub = Stub::start([]).await;

    for line in [
        "order show moon 42",
        "order",
        "link moon.myshopify.com sun.myshopify.com 1",
        "connect moon.myshopify.com sun.myshopify.com --grace soon",
        "shop locations moon.myshopify.com sun.myshopify.com=7",
        "label add moon.myshopify.com 42 se-1 --number 1 --number 2 --url https://a.example/1",
    ] {
        assert_eq!(stub.run(line).await.code, 2, "{line}");
    }
    let nowhere = roundtrip(&["order", "list", "moon.myshopify.com"], &BTreeMap::new(), "").await;

    assert_eq!(nowhere.code, 2, "{}", nowhere.err);
    assert!(nowhere.err.contains("--api") && nowhere.err.lines().count() == 2, "{}", nowhere.err);
    assert!(stub.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_push_says_what_was_seen_and_what_is_required() {
    let asked = r#"{"order":"42","requests":[{"id":"r-1","source":"sun.myshopify.com"}]}"#;
    let stub = Stub::start([
        ("POST /v1/shops/moon.myshopify.com/orders/42/pushes", 202, asked),
        ("GET /v1/shops/moon.myshopify.com/orders/42", 200, REFUSED),
    ])
    .await;

    let pushed = stub.run("order push moon.myshopify.com 42 --source sun.myshopify.com --wait").await;

    let expected = "\
#1002 is not pushed to sun.myshopify.com: 1 reason
  NOT_PAID
    seen: PENDING
    required: PAID
";
    assert_eq!((pushed.code, pushed.out.as_str(), pushed.err.as_str()), (1, expected, ""));
    assert_eq!(stub.requests()[0].body, json!({ "source": "sun.myshopify.com" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_typed_of_a_connection_is_changed() {
    let answer = r#"{"connection":{"destination":"moon.myshopify.com","settings":{"auto_push":false,"exchange_rate":"1.08","grace_secs":600,"inventory":"decrement-obeying-policy","notify_customer":true,"overwrite_tracking":false,"split_ok":true,"cancel_source":true,"unit_price":{"percentage":"80"},"without_tracking":"fulfil-now"},"settings_change":{"at":"2026-11-22T06:49:05Z","by":"ada","version":2},"source":"sun.myshopify.com"}}"#;
    let stub = Stub::start([("POST /v1/connections", 200, answer)]).await;

    let line = "connect moon.myshopify.com sun.myshopify.com --grace 10m --unit-price 80% --exchange-rate 1.08 \
                --inventory decrement-obeying-policy --without-tracking fulfil-now --overwrite-tracking off --split-ok on \
                --cancel-source on";
    let connected = stub.run(line).await;

    let expected = "\
moon.myshopify.com is served by sun.myshopify.com
  auto push           off
  grace               10m
  unit price          80% of the destination's
  exchange rate       1.08
  inventory           decrement-obeying-policy
  notify customer     on
  without tracking    fulfil-now
  overwrite tracking  off
  split shipments     on
  cancel source       on
  version             2, by ada at 2026-11-22 06:49:05Z
";
    assert_eq!((connected.code, connected.out.as_str(), connected.err.as_str()), (0, expected, ""));
    let asked = json!({
        "destination": "moon.myshopify.com", "source": "sun.myshopify.com", "grace_secs": 600,
        "unit_price": { "percentage": "80" }, "exchange_rate": "1.08", "inventory": "decrement-obeying-policy",
        "without_tracking": "fulfil-now", "overwrite_tracking": false, "split_ok": true, "cancel_source": true,
    });
    assert_eq!(stub.requests()[0].body, asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_lets_nobody_in_is_not_waited_for() {
    let asked = r#"{"request_id":"r-1","shop":"moon.myshopify.com","state":"connecting"}"#;
    let paused = r#"{"connections":[],"error":{"code":"ACCESS_DENIED","message":"the shop is frozen"},"facts":null,"locations":[],"paused":{"message":"the shop is frozen","since":"2026-11-22T06:49:05.382236801Z"},"shop":"moon.myshopify.com","source_for":[],"state":"paused"}"#;
    let stub = Stub::start([("POST /v1/shops", 202, asked), ("GET /v1/shops/moon.myshopify.com", 200, paused)]).await;

    let added = stub.run("shop add moon.myshopify.com --wait").await;

    let expected = "\
moon.myshopify.com  paused: it does not let us in, and its work waits
  since 2026-11-22 06:49:05Z: the shop is frozen
  remedy: have the store let the app in again, then `roundtrip shop add moon.myshopify.com --wait`; what waits then \
                    goes on by itself
";
    assert_eq!((added.code, added.out.as_str(), added.err.as_str()), (1, expected, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_mapped_all_anew_or_shown() {
    let map = r#"{"locations":[{"from":{"location":"11","shop":"sun.myshopify.com"},"to":"7"},{"from":{"warehouse":"WH2"},"to":"8"}],"shop":"moon.myshopify.com"}"#;
    let shop = r#"{"connections":[],"error":null,"facts":null,"locations":[],"paused":null,"shop":"moon.myshopify.com","source_for":[],"state":"connected"}"#;
    let stub = Stub::start([
        ("PUT /v1/shops/moon.myshopify.com/locations", 200, map),
        ("GET /v1/shops/moon.myshopify.com", 200, shop),
    ])
    .await;

    let mapped = stub.run("shop locations moon.myshopify.com sun.myshopify.com/11=7 WH2=8").await;
    let shown = stub.run("shop locations moon.myshopify.com").await;
    let raw = stub.run("shop locations moon.myshopify.com --clear --json").await;

    let expected = "\
Places, and the location of moon.myshopify.com that stands for each
  sun.myshopify.com/11  location 7
  warehouse WH2         location 8
";
    assert_eq!((mapped.code, mapped.out.as_str(), mapped.err.as_str()), (0, expected, ""));
    assert!(shown.code == 0 && shown.out.starts_with("moon.myshopify.com has no place mapped"), "{}", shown.out);
    assert_eq!((raw.code, raw.out.trim_end()), (0, map));
    let bodies: Vec<Value> = stub.requests().into_iter().map(|request| request.body).collect();
    let locations = json!([
        { "from": { "shop": "sun.myshopify.com", "location": "11" }, "to": "7" },
        { "from": { "warehouse": "WH2" }, "to": "8" },
    ]);
    assert_eq!(bodies, [json!({ "locations": locations }), Value::Null, json!({ "locations": [] })]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_is_told_of_and_voided_and_where_to_look_is_said() {
    let taken = r#"{"label":"se-1","order":"42","request_id":"r-1"}"#;
    let refused = r#"{"type":"/v1/help/LABEL_VOIDED","title":"the label was voided","status":409,"code":"LABEL_VOIDED","detail":"order moon.myshopify.com/42: its label se-2 was voided","remedy":"post the label that takes its place under a name of its own"}"#;
    let stub = Stub::start([
        ("POST /v1/labels", 202, taken),
        ("DELETE /v1/shops/moon.myshopify.com/orders/42/labels/se-1", 202, taken),
    ])
    .await;
    let late = Stub::start([("POST /v1/labels", 409, refused)]).await;

    let line = "label add moon.myshopify.com 42 se-1 --number 1Z1 --company ups --line 7=2 --warehouse WH2 --no-mail";
    let added = stub.run(line).await;
    let voided = stub.run("label void moon.myshopify.com 42 se-1").await;
    let told = late.run("label add moon.myshopify.com 42 se-2 --number 1Z1").await;

    let see = "See how it goes: roundtrip order show moon.myshopify.com 42\n";
    assert_eq!(added.out, format!("Label se-1 is to be shown on order 42 (request r-1). {see}"), "{}", added.err);
    let stays = "What it showed stays until another label takes its place.";
    assert_eq!(voided.out, format!("Label se-1 of order 42 is voided (request r-1). {stays} {see}"), "{}", voided.err);
    let label = json!({
        "shop": "moon.myshopify.com", "order": "42", "label": "se-1", "warehouse": "WH2", "notify_customer": false,
        "tracking": [{ "number": "1Z1", "company": "ups" }], "lines": [{ "line_item": "7", "quantity": 2 }],
    });
    assert_eq!(stub.requests()[0].body, label);
    let expected = "\
error: order moon.myshopify.com/42: its label se-2 was voided
remedy: post the label that takes its place under a name of its own
";
    assert_eq!((told.code, told.err.as_str()), (1, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_file_of_links_is_sent_in_parts_and_a_wrong_one_not_at_all() {
    let stub = Stub::start([("POST /v1/links", 201, r#"{"linked":240}"#)]).await;
    let folder = Folder::new("links");
    let rows = |n: u64| (1..=n).map(|id| format!("{id},{}\n", id + 5000)).collect::<String>();
    let good = folder.write("good.csv", &format!("destination_variant,source_variant\n{}", rows(1200)));
    let bad = folder.write("bad.csv", &format!("destination_variant,source_variant\n{}x,1\n", rows(1200)));

    let linked = stub.run(&format!("link moon.myshopify.com sun.myshopify.com --csv {good}")).await;
    let sent: Vec<usize> = stub.requests().iter().map(|it| it.body["links"].as_array().map_or(0, Vec::len)).collect();
    let refused = stub.run(&format!("link moon.myshopify.com sun.myshopify.com --csv {bad}")).await;

    assert_eq!(linked.out, "1200 variants of moon.myshopify.com linked to sun.myshopify.com\n", "{}", linked.err);
    assert_eq!(sent, [250, 250, 250, 250, 200]);
    assert_eq!(stub.requests()[0].body["links"][0], json!({ "destination_variant": "1", "source_variant": "5001" }));
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("line 1202, column 1 (destination_variant): `x`"), "{}", refused.err);
    assert_eq!(stub.requests().len(), sent.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_stack_needs_no_token_and_nothing_secret_is_shown() {
    let answer = format!(r#"{{"SecretString":"{SECRET}"}}"#);
    let stub = Stub::start([
        ("POST /", 200, answer.as_str()),
        ("POST /api/v1/shops", 202, r#"{"request_id":"r-1","shop":"moon.myshopify.com","state":"connecting"}"#),
    ])
    .await;
    let folder = Folder::new("stack");
    let stack = json!({
        "region": "us-east-1", "engine_url": stub.url, "api_path_url": format!("{}/api", stub.url),
        "secrets": { "operator": "operator-secret-id" }, "more": true,
    });
    let env = BTreeMap::from([("ROUNDTRIP_STACK", folder.write("stack.json", &stack.to_string()))]);

    let token = roundtrip(&["token", "--name", "ada"], &env, "").await;
    let add = ["shop", "add", "moon.myshopify.com", "--access-token-stdin", "--local"];
    let added = roundtrip(&add, &env, "shpat_by_hand\n").await;

    assert_eq!((token.code, token.err.as_str()), (0, ""));
    assert_eq!((token.out.lines().count(), token.out.matches('.').count()), (1, 2), "{}", token.out);
    assert!(!token.out.contains(SECRET));
    let requests = stub.requests();
    assert_eq!(requests[0].body, json!({ "SecretId": "operator-secret-id" }));
    let request = requests.last().unwrap();
    assert_eq!(request.body, json!({ "domain": "moon.myshopify.com", "access_token": "shpat_by_hand" }));
    let bearer = request.authorization.strip_prefix("Bearer ").unwrap();
    assert_eq!(added.code, 0, "{}", added.err);
    for secret in [SECRET, bearer, "shpat_by_hand"] {
        assert!(!added.out.contains(secret) && !added.err.contains(secret), "{}{}", added.out, added.err);
    }
}

/// One request that the stub was sent.
#[derive(Debug, Clone)]
struct Request {
    authorization: String,
    body: Value,
}

/// Answers by method and path, and remembers what it was asked.
struct Stub {
    url: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    answers: BTreeMap<String, (u16, String)>,
    requests: Mutex<Vec<Request>>,
}

impl Stub {
    async fn start<const N: usize>(answers: [(&str, u16, &str); N]) -> Self {
        let answers = answers.map(|(request, status, body)| (request.to_owned(), (status, body.to_owned())));
        let seen = Arc::new(Seen { answers: answers.into(), requests: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    /// Runs the command against this stub.
    async fn run(&self, line: &str) -> Ran {
        let env = BTreeMap::from([("ROUNDTRIP_API", self.url.clone()), ("ROUNDTRIP_TOKEN", "a.b.c".to_owned())]);
        roundtrip(&line.split(' ').collect::<Vec<_>>(), &env, "").await
    }

    fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().unwrap().clone()
    }
}

async fn answer(
    State(seen): State<Arc<Seen>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let authorization = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    seen.requests.lock().unwrap().push(Request { authorization, body });
    let known = seen.answers.get(&format!("{method} {uri}")).cloned();
    let (status, body) = known.unwrap_or_else(|| (500, format!("the stub knows no {method} {uri}")));
    (StatusCode::from_u16(status).unwrap(), [(CONTENT_TYPE, "application/json")], body)
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the command with this environment and no other: the caller's may name a real stack.
pub(crate) async fn roundtrip(args: &[&str], env: &BTreeMap<&'static str, String>, input: &str) -> Ran {
    let mut command = Command::new(binary());
    command.args(args).env_clear().envs(env);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// The command lies beside the folder of this test's own binary.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let binary = folder.join(format!("roundtrip{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.exists(), "{} is not built: cargo build -p roundtrip-cli", binary.display());
    binary
}

/// A folder for one test's files; gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("roundtrip-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_says_of_each_order_what_came_of_it() {
    let asked = r#"{"shop":"moon.myshopify.com","order":"42","job_id":"j-1"}"#;
    let done = r#"{"shop":"moon.myshopify.com","order":"42","job_id":"j-1","state":"done","requested_at":"2026-11-22T08:00:00Z","requested_by":"ada","age_secs":1,"looks":[{"shop":"moon.myshopify.com","id":"42","look":"order","state":"done","when":"2026-11-22T08:00:01Z","outcome":"done: up to date","help":null},{"shop":"sun.myshopify.com","id":"5001","look":"shipments","state":"done","when":"2026-11-22T08:00:01Z","outcome":"done: nothing new was shipped","help":null}]}"#;
    let stub = Stub::start([
        ("POST /v1/shops/moon.myshopify.com/orders/42/sync", 202, asked),
        ("GET /v1/shops/moon.myshopify.com/orders/42/sync", 200, done),
    ])
    .await;

    let synced = stub.run("order sync moon.myshopify.com 42 --wait").await;

    let expected = "\
order 42 of moon.myshopify.com was looked at
  moon.myshopify.com  42    done: up to date
  sun.myshopify.com   5001  done: nothing new was shipped
";
    assert_eq!((synced.code, synced.out.as_str(), synced.err.as_str()), (0, expected, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_only_read_where_nothing_is_to_be_changed() {
    let shop = r#"{"shop":"moon.myshopify.com","state":"connected","error":null,"facts":null,"settings":{"plan":"paid"},"connections":[],"source_for":[]}"#;
    let stub = Stub::start([("GET /v1/shops/moon.myshopify.com", 200, shop)]).await;

    let shown = stub.run("shop settings moon.myshopify.com").await;
    let raw = stub.run("shop settings moon.myshopify.com --json").await;

    assert!(
        shown.code == 0 && shown.out.starts_with("moon.myshopify.com\n") && shown.out.contains("paid"),
        "{shown:?}"
    );
    let raw: Value = serde_json::from_str(&raw.out).unwrap();
    assert_eq!((&raw["shop"], &raw["settings"]["plan"]), (&json!("moon.myshopify.com"), &json!("paid")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_the_plan_does_not_allow_says_what_to_do() {
    let refused = r#"{"type":"/v1/help/PLAN_REQUIRED","title":"the store's plan does not reach so far","status":403,"code":"PLAN_REQUIRED","field":"days","detail":"30 days need the plan `paid`, and moon.myshopify.com has `free`","remedy":"give 7 or fewer, or change it: `roundtrip shop settings moon.myshopify.com --plan paid`"}"#;
    let stub = Stub::start([("POST /v1/shops/moon.myshopify.com/backfills", 403, refused)]).await;

    let asked = stub.run("backfill moon.myshopify.com --days 30 --wait").await;

    assert_eq!((asked.code, asked.out.as_str()), (1, ""));
    assert!(asked.err.contains("30 days need the plan `paid`") && asked.err.contains("--plan paid"), "{}", asked.err);
    assert_eq!(stub.requests()[0].body, json!({ "days": 30 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_is_waited_for_by_its_own_run() {
    let begun = r#"{"shop":"moon.myshopify.com","days":30,"run_id":"r-1"}"#;
    let done = r#"{"shop":"moon.myshopify.com","error":null,"run":{"id":"r-1","occasion":"backfill","state":"done","requested_at":"2026-11-22T08:00:00Z","started_at":"2026-11-22T08:00:01Z","ended_at":"2026-11-22T08:01:00Z","age_secs":60,"window":{"created_from":"2026-10-23T08:00:00Z","updated_from":"2026-11-19T07:45:00Z","until":"2026-11-22T08:00:01Z"},"scanned":310,"found":300,"fixed":300,"calls":3}}"#;
    let stub = Stub::start([
        ("POST /v1/shops/moon.myshopify.com/backfills", 202, begun),
        ("GET /v1/shops/moon.myshopify.com/runs/r-1", 200, done),
    ])
    .await;

    let ended = stub.run("backfill moon.myshopify.com --days 30 --wait").await;

    let expected = "\
moon.myshopify.com  was read
  run        r-1
  why        backfill
  asked for  2026-11-22 08:00:00Z
  ended      2026-11-22 08:01:00Z
  window     orders placed since 2026-10-23 08:00:00Z, older ones changed since 2026-11-19 07:45:00Z
  scanned    310
  found      300
  fixed      300
  calls      3
";
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, expected, ""));
}
