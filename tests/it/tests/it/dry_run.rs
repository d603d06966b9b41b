//! A dry run of a push: told to the letter, with nothing sent and nothing written.

use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::push::push_order;
use roundtrip_domain::task::{Subject, Task, Trigger};
use roundtrip_kit::order::{moon, sun};
use serde_json::{Value, json};
use shopify_sim::control::PlaceOrder;

use crate::links::scene::Scene;

/// The moon sells a drum that the sun holds, and a sticker of its own.
async fn start() -> Scene {
    let scene = Scene::start(&[("DRUM", ""), ("STICKER", "")], &[("DRUM", "")]).await;
    scene.matched("sku", json!({})).await;
    let by_hand = json!({ "auto_push": false });
    assert_eq!(scene.send("PUT", &format!("/v1/shops/{}/settings", moon()), by_hand).await.0, 200);
    scene
}

async fn place(scene: &Scene, change: impl FnOnce(&mut PlaceOrder)) -> OrderRef {
    let mut order = PlaceOrder::of(&[("DRUM", 2), ("STICKER", 1)]);
    order.phone = Some("+4915112345678".into());
    order.discount = Some(("BF20".into(), "2.00".parse().unwrap()));
    change(&mut order);
    let placed = scene.sim.place_order(moon().as_str(), &order).await.unwrap();
    OrderRef { shop: moon(), id: OrderId::new(placed.id) }
}

async fn tried(scene: &Scene, at: &OrderRef, body: Value) -> (u16, Value) {
    scene.send("POST", &format!("/v1/shops/{}/orders/{}/pushes/dry-run", at.shop, at.id), body).await
}

fn rules(part: &Value) -> Vec<&str> {
    let failed = part["verdicts"].as_array().unwrap().iter().filter(|it| it["passed"] == false);
    failed.map(|it| it["rule"].as_str().unwrap()).collect()
}

fn warnings(part: &Value) -> Vec<&str> {
    part["warnings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_dry_run_tells_what_the_push_then_sends_and_writes_nothing() {
    let scene = start().await;
    let at = place(&scene, |_| ()).await;
    let _before = scene.calls.take();

    let (status, answer) = tried(&scene, &at, json!({ "source": sun(), "shipping_fee": "7.35" })).await;

    assert_eq!(status, 200, "{answer:#}");
    let reads = scene.calls.take();
    assert!(reads.iter().all(|call| ["Query", "BatchGetItem", "GetItem"].contains(&call.as_str())), "{reads:?}");
    assert!(scene.sim.orders(sun().as_str()).await.unwrap().is_empty());
    let [part] = &answer["parts"].as_array().unwrap()[..] else { panic!("{answer:#}") };
    assert_eq!((&part["may_go"], rules(part).len(), warnings(part)), (&json!(true), 0, vec!["DOUBLE_MAIL"]));
    assert_eq!(part["terms"]["fee_rule"], json!({ "rule": "manual" }));
    assert_eq!(part["withheld_lines"][0]["title"].as_str().map(str::is_empty), Some(false));
    assert_eq!(part["withheld_lines"][0]["source"], Value::Null);
    let variables = &part["variables"];
    assert!(!variables.to_string().contains("BF20"), "{variables:#}");
    assert_eq!(variables["order"]["shippingLines"][0]["priceSet"]["shopMoney"]["amount"], "7.35");

    let path = format!("/v1/shops/{}/orders/{}", at.shop, at.id);
    let look = Task::new(Trigger::Webhook, "e-1", Subject::Order(at.clone()));
    push_order(&scene.world, &look).await.unwrap();
    let (status, _) =
        scene.send("POST", &format!("{path}/pushes"), json!({ "source": sun(), "shipping_fee": "7.35" })).await;
    assert_eq!(status, 202);
    push_order(&scene.world, &look).await.unwrap();

    let calls = scene.sim.calls().await.unwrap();
    let sent = calls.iter().find(|calls| calls.operation == "OrderCreate").expect("it was pushed");
    assert_eq!((sent.count, &sent.last_variables), (1, variables));
    let (_, again) = tried(&scene, &at, json!({})).await;
    assert!(warnings(&again["parts"][0]).contains(&"ALREADY_PUSHED"), "{again:#}");
}

#[tokio::test]
async fn a_dry_run_says_everything_that_speaks_against_a_push_and_what_to_do() {
    let scene = start().await;
    let at = place(&scene, |order| {
        *order = order.clone().unpaid();
        order.email = Some("nobody".into());
        order.test = true;
    })
    .await;

    let (_, answer) = tried(&scene, &at, json!({})).await;
    let part = &answer["parts"][0];
    assert_eq!((&part["may_go"], &part["variables"], &part["terms"]), (&json!(false), &Value::Null, &Value::Null));
    assert_eq!(rules(part), ["NOT_PAID", "TEST_ORDER", "INVALID_CUSTOMER_EMAIL"]);
    let remedies = part["verdicts"].as_array().unwrap().iter().filter(|it| it["remedy"].is_string());
    assert_eq!(remedies.count(), 3);

    let (_, answer) = tried(&scene, &at, json!({ "source": "mars.myshopify.com" })).await;
    assert_eq!(rules(&answer["parts"][0]), ["NOT_CONNECTED"]);
    for (body, status, field) in [
        (json!({ "shipping_fee": "1.00" }), 422, "source"),
        (json!({ "source": sun(), "shipping_fee": "1.005" }), 422, "shipping_fee"),
        (json!({ "source": sun(), "shipping_fee": "-1" }), 422, "shipping_fee"),
        (json!({ "source": "sun" }), 400, "source"),
        (json!({ "to": sun() }), 400, "to"),
    ] {
        let (told, answer) = tried(&scene, &at, body).await;
        assert_eq!((told, &answer["field"]), (status, &json!(field)), "{answer:#}");
    }
    let unknown = OrderRef { shop: moon(), id: OrderId::new(4242) };
    assert_eq!(tried(&scene, &unknown, json!({})).await.0, 404);
    assert!(scene.ledger.load(&at).await.unwrap().summary.is_none(), "nobody has looked at it");
}

#[tokio::test]
async fn a_customers_data_is_not_kept_for_whoever_repeats_the_request() {
    let scene = start().await;
    let at = place(&scene, |_| ()).await;
    let url = format!("{}/v1/shops/{}/orders/{}/pushes/dry-run", scene.url, at.shop, at.id);

    for _ in 0..2 {
        let request = scene.http.post(&url).bearer_auth(&scene.token).header("idempotency-key", "k-1");
        let answer = request.json(&json!({})).send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(!answer.headers().contains_key("idempotent-replayed"));
        assert!(answer.text().await.unwrap().contains("+4915112345678"));
    }
}

#[tokio::test]
async fn the_command_tells_it_and_fails_where_nothing_may_go() {
    let scene = start().await;
    let at = place(&scene, |_| ()).await;
    let unpaid = place(&scene, |order| *order = order.clone().unpaid()).await;

    let may = scene.run(&format!("order dry-run {} {}", at.shop, at.id)).await;
    let may_not = scene.run(&format!("order dry-run {} {}", unpaid.shop, unpaid.id)).await;

    assert_eq!(may.code, 0, "{may:?}");
    assert!(may.out.starts_with("sun.myshopify.com: may go, all "), "{may:?}");
    assert!(may.out.contains("\"sourceIdentifier\"") && may.out.ends_with("Nothing was sent or written.\n"), "{may:?}");
    assert_eq!(may_not.code, 1, "{may_not:?}");
    assert!(may_not.out.contains("NOT_PAID: PENDING; required: PAID"), "{may_not:?}");
}

#[tokio::test]
async fn two_lines_of_one_variant_are_two_lines() {
    let scene = start().await;
    let at = place(&scene, |order| *order = PlaceOrder::of(&[("DRUM", 1), ("DRUM", 3)])).await;

    let (status, answer) = tried(&scene, &at, json!({})).await;

    assert_eq!(status, 200, "{answer:#}");
    let lines = answer["parts"][0]["variables"]["order"]["lineItems"].as_array().unwrap();
    assert_eq!(lines.iter().map(|line| &line["quantity"]).collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test]
async fn a_dry_run_refuses_what_the_push_would_refuse() {
    let scene = start().await;
    let at = place(&scene, |_| ()).await;
    let by_itself = json!({ "auto_push": true });
    assert_eq!(scene.send("PUT", &format!("/v1/shops/{}/settings", moon()), by_itself).await.0, 200);
    let later =
        place(&scene, |order| order.at = Some(jiff::Timestamp::now() + std::time::Duration::from_secs(2))).await;
    push_order(&scene.world, &Task::new(Trigger::Webhook, "e-1", Subject::Order(later.clone()))).await.unwrap();

    let fee = json!({ "source": sun(), "shipping_fee": "1.00" });
    let (status, answer) = tried(&scene, &later, fee.clone()).await;

    assert_eq!((status, &answer["field"]), (422, &json!("shipping_fee")), "{answer:#}");
    assert_eq!(tried(&scene, &at, fee).await.0, 200);
}
