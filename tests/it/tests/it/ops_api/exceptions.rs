//! Exceptions, as an operator sees, takes and dismisses them.

use roundtrip_domain::registry::LinkChange;
use roundtrip_kit::order::link;

use super::dead_letters::{PUSH, order, troubled};
use super::*;

impl Scene {
    async fn incident(&self, code: &str) -> Value {
        let (_, answer) = self.send("GET", "/v1/incidents", Value::Null).await;
        let mut incidents = answer["incidents"].as_array().unwrap().iter();
        incidents.find(|incident| incident["code"] == code).cloned().unwrap_or_default()
    }

    async fn exceptions(&self, query: &str) -> (Vec<Value>, Value) {
        let (status, answer) = self.send("GET", &format!("/v1/exceptions?{query}"), Value::Null).await;
        assert_eq!(status, 200, "{query}: {answer:#}");
        (answer["exceptions"].as_array().unwrap().clone(), answer["count"].clone())
    }

    async fn own(&self, method: &str, cause: &str, body: Value) -> (u16, Value) {
        self.send(method, &format!("/v1/incidents/{cause}/owner"), body).await
    }

    async fn dismiss(&self, reason: &str) -> (u16, Value) {
        let path = format!("/v1/shops/{}/orders/42/warnings/dismiss", moon());
        self.send("POST", &path, json!({ "reason": reason })).await
    }
}

/// Order 42 was pushed with two units, and then one was taken off.
async fn reduced() -> Scene {
    let scene = Scene::start().await;
    scene.world.ledger.change_links(&[LinkChange::first(link(1))]).await.unwrap();
    scene.look().await;
    let (status, _) = scene.send("POST", &format!("/v1/shops/{}/orders/42/pushes", moon()), json!({})).await;
    assert_eq!(status, 202);
    scene.look().await;
    scene.world.channel.shop(&moon(), |shop| shop.orders.values_mut().next().unwrap().lines[0].quantity = 1);
    scene.look().await;
    scene
}

#[tokio::test]
async fn an_order_that_changed_after_its_push_is_an_exception_with_its_evidence_and_what_to_do() {
    let scene = reduced().await;

    let (exceptions, count) = scene.exceptions("").await;

    let [exception] = &exceptions[..] else { panic!("{exceptions:#?}") };
    let told = ["code", "kind", "shop", "order", "order_name", "failed_at", "help"].map(|it| exception[it].clone());
    let expected = json!(["REDUCED_AFTER_PUSH", "order", moon(), "42", "#42", sun(), "/v1/help/REDUCED_AFTER_PUSH"]);
    assert_eq!((json!(told), &count, &exception["owned"]), (expected, &json!(1), &Value::Null));
    let evidence = &exception["evidence"];
    assert_eq!((&evidence["type"], &evidence["detail"]), (&json!("warning"), &json!("Product 1: 2 pushed, 1 left")));
    let incident = scene.incident("REDUCED_AFTER_PUSH").await;
    let last = incident["commands"].as_array().unwrap().last().unwrap();
    let cause = incident["cause"].as_str().unwrap();
    let dismiss = format!("roundtrip order dismiss-warnings {} 42 --cause {cause} --reason \"…\"", moon());
    assert_eq!(*last, json!({ "to": "dismiss one", "command": dismiss }));
    let help = scene.http.get(format!("{}/v1/help/REDUCED_AFTER_PUSH", scene.url)).send().await.unwrap();
    assert!(help.text().await.unwrap().contains("What to do: take the difference out of the source order"));
}

#[tokio::test]
async fn a_dismissed_warning_says_who_and_why_and_is_no_exception() {
    let scene = reduced().await;
    let (status, answer) = scene.dismiss(" ").await;
    assert_eq!((status, &answer["field"]), (400, &json!("reason")), "{answer:#}");

    let of_another = json!({ "cause": "00000000", "reason": "x" });
    let path = format!("/v1/shops/{}/orders/42/warnings/dismiss", moon());
    assert_eq!(scene.send("POST", &path, of_another).await.1["dismissed"], 0, "of another cause");

    let (status, answer) = scene.dismiss("taken out by hand").await;

    assert_eq!((status, &answer["dismissed"]), (200, &json!(1)), "{answer:#}");
    assert_eq!(
        (scene.dismiss("again").await.1["dismissed"].clone(), scene.exceptions("").await.1),
        (json!(0), json!(0))
    );
    let order = scene.order().await;
    let dismissed = &order["order"]["warnings"][0]["dismissed"];
    assert_eq!((&dismissed["by"], &dismissed["reason"]), (&json!("ada"), &json!("taken out by hand")));
    let told = &order["history"][0];
    assert_eq!(
        (&told["what"], &told["after"], &told["actor"]),
        (&json!("warnings"), &json!("dismissed"), &json!("ada"))
    );
    assert!(told["detail"].as_str().unwrap().starts_with("taken out by hand; #"), "{told:#}");
    let unknown = format!("/v1/shops/{}/orders/9/warnings/dismiss", moon());
    assert_eq!(scene.send("POST", &unknown, json!({ "reason": "x" })).await.0, 404);
}

#[tokio::test]
async fn who_takes_a_cause_is_told_with_all_of_it_until_it_is_given_back() {
    let scene = troubled().await;
    let cause = scene.incident("REJECTED").await["cause"].as_str().unwrap().to_owned();

    let (status, answer) = scene.own("PUT", &cause, json!({})).await;
    assert_eq!((status, &answer["count"], &answer["owned"]["owner"]), (200, &json!(2), &json!("ada")), "{answer:#}");
    scene.own("PUT", &cause, json!({ "owner": " warehouse ", "days": 3 })).await;

    let incident = scene.incident("REJECTED").await;
    assert_eq!((&incident["owners"][0]["owner"], &incident["unowned"]), (&json!("warehouse"), &json!(0)));
    assert_eq!(incident["commands"][1]["to"], "test one", "nobody needs to take it");
    let (of_warehouse, count) = scene.exceptions("owner=warehouse&limit=1").await;
    assert_eq!((of_warehouse.len(), count), (1, json!(2)));
    assert_eq!(scene.exceptions("unowned=true").await.1, 2);
    let (_, unowned) = scene.send("GET", "/v1/incidents?unowned=true", Value::Null).await;
    assert_eq!(unowned["count"], 2);

    let (status, answer) = scene.own("DELETE", &cause, Value::Null).await;
    assert_eq!((status, &answer["count"], &answer["owned"]), (200, &json!(2), &Value::Null), "{answer:#}");
    assert_eq!(scene.own("DELETE", &cause, Value::Null).await.0, 404);
    assert_eq!(scene.exceptions("unowned=true").await.1, 4);
}

#[tokio::test]
async fn a_rule_of_the_store_names_an_owner_and_asks_no_order_to_be_looked_at() {
    let scene = troubled().await;
    let path = format!("/v1/shops/{}/settings", moon());
    let rules = json!({ "owners": [{ "code": "LOCATION_UNMAPPED", "owner": "warehouse" }, { "owner": "office" }] });

    let (status, answer) = scene.send("PUT", &path, rules.clone()).await;

    assert_eq!((status, &answer["settings"]["owners"], &answer["run_id"]), (200, &rules["owners"], &Value::Null));
    let unmapped = scene.incident("LOCATION_UNMAPPED").await;
    assert_eq!(unmapped["owners"], json!([{ "owner": "warehouse" }]));
    assert_eq!(scene.incident("REJECTED").await["owners"], json!([{ "owner": "office" }]));
    assert_eq!(scene.exceptions("unowned=true").await.1, 1, "the mars has no rule");
}

#[tokio::test]
async fn what_can_never_go_is_to_be_purged_and_not_redriven() {
    let scene = Scene::start().await;
    scene.park(&order(&moon(), 42), PUSH, (Code::TooManyLines, "251 lines"), 1).await;

    let incident = scene.incident("TOO_MANY_LINES").await;

    let cause = incident["cause"].as_str().unwrap();
    let purge = format!("roundtrip dlq purge --cause {cause} --reason \"…\"");
    assert_eq!(incident["commands"].as_array().unwrap().last().unwrap()["command"], purge);
    assert!(!incident.to_string().contains("redrive --cause"), "{incident:#}");
}

#[tokio::test]
async fn what_is_not_understood_is_told_with_its_field() {
    let scene = troubled().await;
    let cause = scene.incident("REJECTED").await["cause"].as_str().unwrap().to_owned();
    let settings = format!("/v1/shops/{}/settings", moon());
    let long = "x".repeat(61);
    let twice = json!({ "owners": [{ "owner": "ada" }, { "owner": "bob" }] });
    let lost = json!({ "owners": [{ "code": "LOST", "owner": "ada" }] });

    for (method, path, body, status, field) in [
        ("PUT", format!("/v1/incidents/{cause}/owner"), json!({ "days": 0 }), 400, "days"),
        ("PUT", format!("/v1/incidents/{cause}/owner"), json!({ "days": 91 }), 400, "days"),
        ("PUT", format!("/v1/incidents/{cause}/owner"), json!({ "owner": long }), 400, "owner"),
        ("PUT", format!("/v1/incidents/{cause}/owner"), json!({ "owner": "a\nb" }), 400, "owner"),
        ("PUT", "/v1/incidents/00000000/owner".to_owned(), json!({}), 404, ""),
        ("GET", "/v1/exceptions?code=LOST".to_owned(), Value::Null, 400, "code"),
        ("GET", "/v1/exceptions?limit=0".to_owned(), Value::Null, 400, "limit"),
        ("GET", "/v1/exceptions?owner=ada&unowned=true".to_owned(), Value::Null, 400, "unowned"),
        ("PUT", settings.clone(), twice, 400, "owners[1].code"),
        ("PUT", settings.clone(), lost, 400, "owners[0].code"),
        ("PUT", settings.clone(), json!({ "owners": [{ "owner": "" }] }), 400, "owners[0].owner"),
        ("PUT", settings, json!({ "owners": [{ "codes": "REJECTED", "owner": "ada" }] }), 400, "owners[0].codes"),
    ] {
        let (told, answer) = scene.send(method, &path, body).await;
        assert_eq!((told, answer["field"].as_str().unwrap_or_default()), (status, field), "{path}: {answer:#}");
    }
}
