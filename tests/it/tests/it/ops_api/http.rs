//! What every request has, whatever it asks for: a description, an id, a problem that says what to do, a key by which it
//! is repeated.

use std::collections::{BTreeMap, BTreeSet};

use roundtrip_api::problem::ProblemCode;
use roundtrip_api::{AUDIENCE, Claims, READ_SCOPE};

use roundtrip_aws::KeyedRequest;
use roundtrip_domain::fingerprint;
use roundtrip_domain::jobs::{Job, Work};
use roundtrip_domain::ports::Jobs;

use super::*;

const PAGE: &str = include_str!("../../../../../docs/API.md");

impl Scene {
    /// An answer whole: status, headers, text.
    async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Raw {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method.parse().unwrap(), url).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (id, replayed) = (header("x-request-id").unwrap(), header("idempotent-replayed").is_some());
        let (content_type, status) = (header("content-type").unwrap_or_default(), answer.status().as_u16());
        Raw { status, id, replayed, content_type, body: answer.json().await.unwrap_or_default() }
    }

    /// Asks for order 42 to be looked at, with a key.
    async fn keyed(&self, key: &str, path: &str, body: Value) -> Raw {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        self.raw("POST", path, &headers, &body.to_string()).await
    }
}

#[derive(Debug)]
struct Raw {
    status: u16,
    id: String,
    replayed: bool,
    content_type: String,
    body: Value,
}

async fn document(scene: &Scene) -> Value {
    scene.http.get(format!("{}/v1/openapi.json", scene.url)).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_document_and_the_page_name_the_same_operations() {
    let scene = Scene::start().await;
    let document = document(&scene).await;

    let paths = document["paths"].as_object().unwrap().iter();
    let served: BTreeSet<String> = paths
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let rows = PAGE.lines().filter(|line| line.starts_with("| ") && line.contains(" /v1/") || line.contains("` /v1/"));
    let told = rows.flat_map(|line| {
        let cell = line.split('|').nth(1).unwrap_or_default().replace(['`', '[', ','], " ");
        let cell = cell.split(']').next().unwrap_or_default().to_owned();
        let path = cell.split_whitespace().find(|word| word.starts_with("/v1/")).unwrap_or_default().to_owned();
        let methods = ["GET", "POST", "PUT", "DELETE"].into_iter().filter(move |method| cell.contains(*method));
        methods.map(|method| format!("{method} {path}")).collect::<Vec<_>>()
    });
    let told: BTreeSet<String> = told.filter(|it| !it.ends_with(' ') && !it.contains("openapi.json")).collect();

    assert_eq!(served, told);
}

#[tokio::test]
async fn every_operation_says_what_it_answers_how_it_fails_and_every_shape_is_there() {
    let document = document(&Scene::start().await).await;

    let schemas: BTreeSet<String> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
            let problem = &responses["default"]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/Problem", "{method} {path}");
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(summary.len() > 10, "{method} {path}: {summary}");
        }
    }
    let text = document.to_string();
    let named: BTreeSet<String> = text
        .split("#/components/schemas/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(named.difference(&schemas).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(schemas.len() > 50, "{}", schemas.len());
}

#[test]
fn the_page_lists_every_problem_with_its_status() {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let mut told: BTreeMap<String, u16> = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        if let (Some(Ok(status)), Some(codes)) = (cells.first().map(|cell| cell.parse::<u16>()), cells.get(1)) {
            told.extend(codes.split(", ").map(|code| (code.trim_matches('`').to_owned(), status)));
        }
    }

    let known: BTreeMap<String, u16> =
        ProblemCode::ALL.iter().map(|code| (code.name().to_owned(), code.status())).collect();
    assert_eq!(told, known);
}

#[tokio::test]
async fn what_does_not_parse_names_its_field_and_the_remedy() {
    let scene = Scene::start().await;
    let json = [("content-type", "application/json")];
    let links = |pair: Value| json!({ "destination": moon(), "source": sun(), "links": [pair] }).to_string();
    for (method, path, body, status, code, field) in [
        ("POST", "/v1/shops", "{".to_owned(), 400, "INVALID_BODY", ""),
        ("POST", "/v1/shops", "[]".to_owned(), 400, "INVALID_BODY", ""),
        ("POST", "/v1/shops", json!({}).to_string(), 400, "INVALID_FIELD", "domain"),
        ("POST", "/v1/shops", json!({ "domain": 1 }).to_string(), 400, "INVALID_FIELD", "domain"),
        ("POST", "/v1/shops", json!({ "domain": moon(), "colour": 1 }).to_string(), 400, "INVALID_FIELD", "colour"),
        (
            "POST",
            "/v1/links",
            links(json!({ "destination_variant": "1", "source_variant": "x" })),
            400,
            "INVALID_FIELD",
            "links[0].source_variant",
        ),
        (
            "POST",
            "/v1/links",
            links(json!({ "destination_variant": "1" })),
            400,
            "INVALID_FIELD",
            "links[0].source_variant",
        ),
        ("GET", "/v1/shops/moon", String::new(), 400, "INVALID_FIELD", "shop"),
        ("GET", "/v1/shops/moon.myshopify.com/orders/x", String::new(), 400, "INVALID_FIELD", "id"),
        ("GET", "/v1/shops/moon.myshopify.com/orders?tab=lost", String::new(), 400, "INVALID_FIELD", "tab"),
        ("GET", "/v1/shops/moon.myshopify.com/orders?limit=x", String::new(), 400, "INVALID_FIELD", "limit"),
        ("GET", "/v1/shops/moon.myshopify.com/orders?tap=pushed", String::new(), 400, "INVALID_FIELD", "tap"),
        ("GET", "/v1/nothing", String::new(), 404, "NOT_FOUND", ""),
        ("DELETE", "/v1/shops", String::new(), 405, "METHOD_NOT_ALLOWED", ""),
    ] {
        let answer = scene.raw(method, path, &json, &body).await;
        let text = |name: &str| answer.body[name].as_str().unwrap_or_default().to_owned();
        assert_eq!((answer.status, text("code").as_str(), text("field").as_str()), (status, code, field), "{answer:?}");
        assert_eq!((answer.content_type.as_str(), text("request_id")), ("application/problem+json", answer.id.clone()));
        assert!(text("remedy").len() > 5 && !text("remedy").starts_with("correct"), "{answer:?}");
        assert_eq!((text("type"), &answer.body["status"]), (format!("/v1/help/{code}"), &json!(status)));
    }
    let plain = scene.raw("POST", "/v1/shops", &[("content-type", "text/plain")], "{}").await;
    assert_eq!((plain.status, &plain.body["code"]), (400, &json!("INVALID_BODY")));
}

#[tokio::test]
async fn a_token_that_may_only_look_changes_nothing() {
    let mut scene = Scene::start().await;
    let now = Timestamp::now().as_second();
    let scope = Some(READ_SCOPE.to_owned());
    let claims = Claims { sub: "eve".into(), aud: AUDIENCE.into(), iat: now, exp: now + 600, scope };
    scene.token = encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();

    let path = format!("/v1/shops/{}", moon());
    let looked = scene.send("GET", &path, Value::Null).await.0;
    let (status, answer) = scene.send("PUT", &format!("{path}/settings"), json!({ "plan": "paid" })).await;
    let keyed = scene.keyed("k-1", &format!("{path}/resync"), json!({})).await;

    assert_eq!((looked, status, &answer["code"]), (200, 403, &json!("READ_ONLY")));
    assert_eq!((keyed.status, &keyed.body["code"]), (403, &json!("READ_ONLY")));
    assert!(is_unasked(&scene).await);
}

#[tokio::test]
async fn a_request_with_a_key_is_carried_out_once_and_answered_the_same() {
    let scene = Scene::start().await;
    let path = format!("/v1/shops/{}/orders/42/pushes", moon());
    let body = json!({ "source": sun() });

    let first = scene.keyed("k-1", &path, body.clone()).await;
    let again = scene.keyed("k-1", &path, body.clone()).await;
    let other = scene.keyed("k-1", &path, json!({})).await;
    let another = scene.keyed("k-2", &path, body).await;

    assert_eq!((first.status, first.replayed), (202, false));
    assert_eq!((again.status, again.replayed, &again.body), (202, true, &first.body));
    assert_ne!(first.id, again.id, "each request has an id of its own");
    assert_eq!((other.status, &other.body["code"]), (422, &json!("IDEMPOTENCY_KEY_REUSED")));
    assert_eq!((another.status, another.replayed), (202, false));
    assert_ne!(another.body, first.body);
    assert_eq!(scene.order().await["requests"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn keys_sent_at_once_make_one_request() {
    let scene = Scene::start().await;
    let path = format!("/v1/shops/{}/orders/42/pushes", moon());
    let ask = || scene.keyed("k-1", &path, json!({ "source": sun() }));

    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());

    let mut answers: Vec<(u16, Value)> = [a, b, c, d].map(|raw| (raw.status, raw.body["code"].clone())).into();
    answers.sort_by_key(|(status, _)| *status);
    assert_eq!(answers[0].0, 202);
    for (status, code) in answers {
        assert!(status == 202 || code == "IDEMPOTENCY_IN_PROGRESS", "{status} {code}");
    }
    assert_eq!(scene.order().await["requests"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_refused_may_be_mended_and_asked_again_with_its_key() {
    let scene = Scene::start().await;
    let path = format!("/v1/shops/{}/backfills", moon());

    let refused = scene.keyed("k-1", &path, json!({ "days": 30 })).await;
    let mended = scene.keyed("k-1", &path, json!({ "days": 7 })).await;
    let rubbish = scene.keyed(&"k".repeat(101), &path, json!({ "days": 7 })).await;
    let blank = scene.keyed("two words", &path, json!({ "days": 7 })).await;
    assert_eq!((blank.status, &blank.body["field"]), (400, &json!("Idempotency-Key")));

    assert_eq!((refused.status, mended.status), (403, 202), "{mended:?}");
    assert_eq!((rubbish.status, &rubbish.body["field"]), (400, &json!("Idempotency-Key")));
}

#[tokio::test]
async fn a_push_whose_request_ended_before_its_answer_was_kept_is_asked_for_once() {
    let scene = Scene::start().await;
    let path = format!("/v1/shops/{}/orders/42/pushes", moon());
    let body = json!({ "source": sun() });
    let at = OrderRef { shop: moon(), id: OrderId::new(42) };

    // It died once the row was written: as if the claim were a minute old, with no answer.
    let made = scene.keyed("k-1", &path, body.clone()).await;
    let request = roundtrip_aws::KeyedRequest {
        operator: "ada".into(),
        key: "k-2".into(),
        fingerprint: roundtrip_domain::fingerprint(&(path.as_str(), body.to_string().as_bytes())),
        id: made.body["requests"][0]["id"].as_str().unwrap().into(),
    };
    let begun = Timestamp::now() - Duration::from_secs(60);
    scene.world.ledger.claim_key(&request, begun).await.unwrap();
    let again = scene.keyed("k-2", &path, body).await;

    assert_eq!((again.status, again.replayed, &again.body), (202, false, &made.body));
    assert_eq!(scene.world.ledger.load(&at).await.unwrap().requests.len(), 1);
}

#[tokio::test]
async fn a_key_is_claimed_by_one_request_until_its_day_is_over() {
    let scene = Scene::start().await;
    let request = roundtrip_aws::KeyedRequest {
        operator: "ada".into(),
        key: "k-1".into(),
        fingerprint: "f".into(),
        id: "0199-first".into(),
    };
    let ledger = &scene.world.ledger;
    let begun = Timestamp::now() - Duration::from_secs(60);

    let first = ledger.claim_key(&request, begun).await.unwrap();
    let early = ledger.claim_key(&request, begun + Duration::from_secs(30)).await.unwrap();
    let again = roundtrip_aws::KeyedRequest { id: "0199-second".into(), ..request };
    let late = ledger.claim_key(&again, begun + Duration::from_secs(50)).await.unwrap();

    use roundtrip_aws::KeptAnswer::{Answered, New, OtherRequest, UnderWay};
    assert_eq!((first, early), (New { id: "0199-first".into() }, UnderWay));
    assert_eq!(late, New { id: "0199-first".into() }, "under the id of the first");
    ledger.release_key(&again, false).await.unwrap();
    let other = roundtrip_aws::KeyedRequest { fingerprint: "g".into(), id: "0199-third".into(), ..again.clone() };
    let now = begun + Duration::from_secs(51);
    assert_eq!(ledger.claim_key(&other, now).await.unwrap(), OtherRequest, "something may be written already");
    assert_eq!(ledger.claim_key(&again, now).await.unwrap(), New { id: "0199-first".into() });
    ledger.keep_answer(&again, 202, "{}").await.unwrap();
    let answered = Answered { status: 202, body: "{}".into() };
    assert_eq!(ledger.claim_key(&again, now).await.unwrap(), answered);
    let tomorrow = now + Duration::from_secs(25 * 3600);
    assert_eq!(ledger.claim_key(&other, tomorrow).await.unwrap(), New { id: "0199-third".into() }, "its day is over");
    assert_eq!(ledger.claim_key(&again, tomorrow).await.unwrap(), OtherRequest);
}

#[tokio::test]
async fn what_began_a_job_and_was_not_answered_is_told_of_that_job_when_it_is_repeated() {
    let scene = Scene::start().await;
    let ledger = &scene.world.ledger;
    let letter = format!("{}/42/push/{}/1@0", moon(), sun()).parse().unwrap();
    for (n, (path, body, work)) in [
        ("/v1/dead-letters/redrive", json!({ "all": true, "reason": "x" }), Work::Redrive(vec![letter])),
        ("/v1/dead-letters/purge", json!({ "all": true, "reason": "x", "confirm": 2 }), Work::Purge(vec![])),
        ("/v1/writebacks/retry", json!({ "shop": moon(), "orders": ["42"], "confirm": true }), Work::Resend(vec![])),
    ]
    .into_iter()
    .enumerate()
    {
        // A minute ago it was claimed, and began its job; then the function died.
        let (key, id, now) = (format!("k-{n}"), format!("job-{n}"), Timestamp::now());
        let fingerprint = fingerprint(&(path, body.to_string().as_bytes()));
        let request = KeyedRequest { operator: "ada".into(), key: key.clone(), fingerprint, id: id.clone() };
        ledger.claim_key(&request, now - jiff::SignedDuration::from_secs(60)).await.unwrap();
        let (matched, job) = (work.len(), Job::new(id.clone(), (now, "ada".into()), "x".into(), work));
        ledger.save_job(&job, 0, &[]).await.unwrap();

        let again = scene.keyed(&key, path, body).await;

        let told = (again.status, &again.body["job_id"], &again.body["matched"]);
        assert_eq!(told, (202, &json!(id), &json!(matched)), "{path}: {:#}", again.body);
    }
}
