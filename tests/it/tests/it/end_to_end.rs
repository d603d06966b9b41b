//! On the deployed stack: real signed webhooks, queues, functions and tables; only Shopify is simulated.

mod chaos;
mod command;
mod drill;
mod kills;
mod notify;
mod openapi;
mod permissions;
mod redrive;
mod resync;
mod shipping;

use std::time::Duration;

use roundtrip_kit::scene::{SKU, SOON, Scene, UNLINKED};
use roundtrip_kit::stack::eventually;
use serde_json::{Value, json};
use shopify_sim::control::PlaceOrder;
use shopify_sim::faults::{Fault, FaultRule};

const NUMBER: &str = "9400111899223100001234";

fn attribute<'a>(attributes: &'a [shopify_sim::state::Attribute], key: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.key == key).map(|attribute| attribute.value.as_str())
}

#[tokio::test]
async fn an_order_reaches_its_source_store_and_its_tracking_comes_home() {
    let scene = Scene::new(true).await;

    let order = scene.place().await;
    let source = scene.pushed(&order).await;
    scene.ship(&source, NUMBER).await;
    let home = scene.written_back(&order).await;

    assert_eq!(source.lines.len(), 1);
    let line = attribute(&source.lines[0].custom_attributes, "_roundtrip_line").map(ToOwned::to_owned);
    assert_eq!(line, Some(home.lines[0].id.to_string()));
    let tracking = &home.fulfillments[0].tracking_info[0];
    assert_eq!((tracking.company.as_deref(), tracking.number.as_deref()), (Some("USPS"), Some(NUMBER)));
    assert!(tracking.url.as_deref().is_some_and(|url| url.contains(NUMBER)), "{:?}", tracking.url);
    assert_eq!(home.display_fulfillment_status(), shopify_sim::words::OrderDisplayFulfillmentStatus::Fulfilled);
    assert_eq!(home.mails_about(NUMBER), 1);
    assert!(source.mails.is_empty(), "the source store sends no receipt: {:?}", source.mails);
    scene.settle().await;
    let shown = scene.ledger_order(&order).await.unwrap();
    assert_eq!(shown["order"]["tab"], "pushed");
    assert_eq!(shown["order"]["fulfillment_status"], "FULFILLED");
    assert_eq!(shown["order"]["tracking_numbers"], json!([NUMBER]));
}

#[tokio::test]
async fn the_source_order_carries_its_origin_and_nothing_that_must_stay_behind() {
    let scene = Scene::new(true).await;
    let order = PlaceOrder {
        discount: Some(("BF20".into(), "2.00".parse().unwrap())),
        tax_rate: Some("0.0825".parse().unwrap()),
        shipping: Some(("DHL Express".into(), "17.35".parse().unwrap())),
        ..PlaceOrder::of(&[(SKU, 2), (UNLINKED, 1)])
    };

    let order = scene.sim().place_order(&scene.moon, &order).await.unwrap();
    let source = scene.pushed(&order).await;

    assert_eq!(source.tags.len(), 2, "{:?}", source.tags);
    assert!(source.tags.contains(&order.name), "{:?}", source.tags);
    assert_eq!(source.lines.len(), 1, "only what the source store holds");
    assert_eq!((source.lines[0].sku.as_deref(), source.lines[0].quantity), (Some(SKU), 2));
    let text = serde_json::to_string(&source).unwrap();
    for stays in ["BF20", "17.35", "DHL Express", "0.0825"] {
        assert!(!text.contains(stays), "{stays} was passed on");
    }
    assert!(source.tax_lines.is_empty() && source.discount_codes.is_empty());
    assert_eq!(source.shipping_lines[0].title, "Shipping");
    let keys: Vec<(&str, &str)> = source.metafields.iter().map(|it| (it.key.as_str(), it.kind.as_str())).collect();
    assert_eq!(keys, [("order_key", "id")], "unique, so that a second order of it is refused or found");
    assert_eq!(source.source_identifier.as_deref(), Some(source.metafields[0].value.as_str()));
    scene.settle().await;
}

#[tokio::test]
async fn an_order_waits_for_a_person_where_automatic_push_is_off() {
    let scene = Scene::new(false).await;
    let order = scene.place().await;
    scene.settle().await;
    assert!(scene.source_orders().await.is_empty());
    let path = format!("/v1/shops/{}/orders/{}/pushes", scene.moon, order.id);

    let answer = scene.stack.api.post(&path, json!({ "source": scene.sun })).await;

    assert_eq!(answer.status, 202, "{}", answer.body);
    let source = scene.pushed(&order).await;
    // Who asked is answered once the push is written down.
    scene.settle().await;
    let shown = scene.ledger_order(&order).await.unwrap();
    assert_eq!(shown["requests"][0]["outcome"]["type"], "done");
    assert_eq!(shown["requests"][0]["outcome"]["order"]["id"], source.id.to_string());
    assert_eq!(shown["requests"][0]["requested_by"], "kit");
}

#[tokio::test]
async fn an_unpaid_order_goes_when_it_is_paid() {
    let scene = Scene::new(true).await;
    let order = scene.sim().place_order(&scene.moon, &PlaceOrder::of(&[(SKU, 1)]).unpaid()).await.unwrap();
    scene.settle().await;
    assert!(scene.source_orders().await.is_empty());

    scene.sim().pay(&scene.moon, &order.gid).await.unwrap();

    scene.pushed(&order).await;
    scene.settle().await;
}

#[tokio::test]
async fn duplicate_and_reordered_webhooks_have_one_effect() {
    let scene = Scene::new(true).await;
    let order = scene.place().await;
    scene.pushed(&order).await;
    scene.settle().await;
    let deliveries = scene.sim().deliveries().await.unwrap();
    let of_moon: Vec<_> = deliveries.iter().filter(|delivery| delivery.shop == scene.moon).collect();
    assert!(of_moon.len() >= 2, "{of_moon:?}");

    // Backwards, and each three times.
    for delivery in of_moon.iter().rev() {
        for _ in 0..3 {
            scene.sim().redeliver(&delivery.webhook_id).await.unwrap();
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    scene.settle().await;

    assert_eq!(scene.source_orders().await.len(), 1);
}

#[tokio::test]
async fn a_forged_webhook_is_refused_and_nothing_is_enqueued() {
    let scene = Scene::new(true).await;
    scene.settle().await;
    let body = r#"{"id":4242,"updated_at":"2026-11-22T08:00:00Z"}"#;
    let forged = shopify_sim::sign(body.as_bytes(), "another secret");
    let of_another_body = shopify_sim::sign(b"{}", &scene.stack.app().client_secret);

    for signature in [None, Some("rubbish"), Some(forged.as_str()), Some(of_another_body.as_str())] {
        let status = scene.stack.post_webhook("orders/paid", &scene.moon, body, signature).await;
        assert_eq!(status, 401, "{signature:?}");
    }

    assert!(scene.left_behind().await.is_empty());
    assert!(scene.stack.api.order(&scene.moon, 4242).await.is_none());
}

#[tokio::test]
async fn a_verified_delivery_of_no_use_is_taken_and_dropped() {
    let scene = Scene::new(true).await;
    scene.settle().await;

    for (topic, body) in
        [("carts/update", r#"{"id":1}"#), ("orders/paid", "not json"), ("orders/paid", "{}"), ("orders/edited", "{}")]
    {
        assert_eq!(scene.stack.post_signed(topic, &scene.moon, body).await, 200, "{topic} {body}");
    }

    assert!(scene.left_behind().await.is_empty());
}

/// Each topic's body as Shopify sends it, cut down to what names its subject and something around it.
const FIXTURES: &[(&str, &str)] = &[
    ("orders/create", include_str!("../fixtures/webhooks/orders_create.json")),
    ("orders/paid", include_str!("../fixtures/webhooks/orders_create.json")),
    ("orders/updated", include_str!("../fixtures/webhooks/orders_create.json")),
    ("orders/cancelled", include_str!("../fixtures/webhooks/orders_create.json")),
    ("orders/fulfilled", include_str!("../fixtures/webhooks/orders_create.json")),
    ("orders/partially_fulfilled", include_str!("../fixtures/webhooks/orders_create.json")),
    ("orders/edited", include_str!("../fixtures/webhooks/orders_edited.json")),
    ("refunds/create", include_str!("../fixtures/webhooks/refunds_create.json")),
    ("fulfillments/create", include_str!("../fixtures/webhooks/fulfillments_create.json")),
    ("fulfillments/update", include_str!("../fixtures/webhooks/fulfillments_create.json")),
    ("fulfillment_orders/placed_on_hold", include_str!("../fixtures/webhooks/fulfillment_orders.json")),
    ("fulfillment_orders/hold_released", include_str!("../fixtures/webhooks/fulfillment_orders.json")),
    ("fulfillment_orders/order_routing_complete", include_str!("../fixtures/webhooks/fulfillment_orders.json")),
];

#[tokio::test]
async fn each_topic_alone_brings_the_order_into_the_ledger() {
    let topics: Vec<&str> = roundtrip_connectors::shopify::webhook::TOPICS.iter().map(|topic| topic.name).collect();
    let fixtures: Vec<&str> = FIXTURES.iter().map(|(topic, _)| *topic).collect();
    // What comes of those about products: links/webhooks.rs.
    let mut of_orders = topics.iter().filter(|topic| !topic.starts_with("products/"));
    assert!(of_orders.all(|topic| fixtures.contains(topic)), "each topic has its fixture: {topics:?}");
    let scene = Scene::new(false).await;

    for (topic, fixture) in FIXTURES {
        // Its own webhooks are lost: only the fixture tells of it.
        let lost = shopify_sim::faults::WebhookFaultRule {
            shop: Some(scene.moon.clone()),
            topic: None,
            skip: 0,
            count: 20,
            fault: shopify_sim::faults::WebhookFault::Drop,
        };
        scene.sim().add_webhook_fault(&lost).await.unwrap();
        let order = scene.place().await;
        let placed = scene.destination_order(order.id).await;
        let fulfillment_order = placed.fulfillment_orders[0].id;
        let body =
            fixture.replace("450789469", &order.id.to_string()).replace("1046000777", &fulfillment_order.to_string());

        assert_eq!(scene.stack.post_signed(topic, &scene.moon, &body).await, 200, "{topic}");

        eventually(&format!("{topic} brings the order"), SOON, || scene.ledger_order(&order)).await;
        scene.sim().clear_faults().await.unwrap();
    }
    scene.settle().await;
}

#[tokio::test]
async fn a_worker_killed_between_the_call_and_the_ledger_leaves_one_order() {
    let scene = Scene::new(true).await;
    let hold = FaultRule::next(&scene.sun, "OrderCreate", Fault::HoldAnswer { ms: 30_000 });
    scene.sim().add_fault(&hold).await.unwrap();

    let order = scene.place().await;
    eventually("the source order is made and its answer held", SOON, || async {
        let held = scene.sim().held().await.unwrap();
        (!held.is_empty()).then_some(())
    })
    .await;
    let killed = kills::kill_workers("order-push");
    assert!(killed > 0, "a worker was killed");
    scene.sim().release_held().await.unwrap();
    scene.sim().clear_faults().await.unwrap();
    assert_eq!(scene.source_orders().await.len(), 1, "the call had its effect");
    let shown = scene.ledger_order(&order).await.unwrap();
    assert_eq!(shown["pushes"][0]["state"], "sent", "the ledger knows only of the claim");

    // The quarantine passes; then due work has the order looked for.
    eventually("the order is adopted", Duration::from_secs(60), || async {
        scene.stack.run_due_work().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let shown = scene.ledger_order(&order).await?;
        (shown["pushes"][0]["state"] == "confirmed").then_some(())
    })
    .await;

    assert_eq!(scene.source_orders().await.len(), 1);
    // The killed worker's message comes back after its visibility timeout, and changes nothing.
    scene.stack.messages.settle(Duration::from_secs(90)).await;
    assert_eq!(scene.source_orders().await.len(), 1);
}

#[tokio::test]
async fn twenty_requests_beside_an_automatic_push_make_one_order() {
    let scene = Scene::new(true).await;
    let order = scene.place().await;
    eventually("the order is known", Duration::from_secs(40), || scene.ledger_order(&order)).await;
    let path = format!("/v1/shops/{}/orders/{}/pushes", scene.moon, order.id);

    let body = json!({ "source": scene.sun });
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (api, path, body) = (scene.stack.api.clone(), path.clone(), body.clone());
        requests.spawn(async move { api.post(&path, body).await });
    }
    for answer in requests.join_all().await {
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
    scene.pushed(&order).await;
    scene.settle().await;
    eventually("each request has its answer", Duration::from_secs(40), || async {
        scene.stack.run_due_work().await;
        scene.settle().await;
        let shown = scene.ledger_order(&order).await?;
        let requests = shown["requests"].as_array()?.clone();
        (requests.len() == 20 && requests.iter().all(|request| request["outcome"]["type"] == "done")).then_some(())
    })
    .await;

    let made = scene.source_orders().await;
    assert_eq!(made.len(), 1);
    let shown = scene.ledger_order(&order).await.unwrap();
    for request in shown["requests"].as_array().unwrap() {
        assert_eq!(request["outcome"]["order"]["id"], made[0].id.to_string(), "{request:#}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_renewed_by_itself() {
    let scene = Scene::new(true).await;
    scene.sim().revoke_tokens(&scene.moon).await.unwrap();
    scene.sim().revoke_tokens(&scene.sun).await.unwrap();

    let order = scene.place().await;

    scene.pushed(&order).await;
    scene.settle().await;
}

#[tokio::test]
async fn a_lost_answer_and_an_internal_error_make_no_double() {
    for fault in [
        Fault::LoseAnswer { hang_ms: 0 },
        Fault::InternalError { effect: true },
        Fault::InternalError { effect: false },
    ] {
        let scene = Scene::new(true).await;
        scene.sim().add_fault(&FaultRule::next(&scene.sun, "OrderCreate", fault.clone())).await.unwrap();
        let order = scene.place().await;

        eventually(&format!("it is pushed in spite of {fault:?}"), Duration::from_secs(60), || async {
            scene.stack.run_due_work().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let shown = scene.ledger_order(&order).await?;
            (shown["pushes"][0]["state"] == "confirmed").then_some(())
        })
        .await;

        assert_eq!(scene.source_orders().await.len(), 1, "{fault:?}");
        scene.settle().await;
    }
}

#[tokio::test]
async fn what_cannot_be_pushed_is_parked_with_its_code_and_without_personal_data() {
    let scene = Scene::new(true).await;
    let odd = shopify_sim::faults::UserErrorSpec { message: "Something odd".into(), ..Default::default() };
    let reject = Fault::Reject { user_errors: vec![odd] };
    scene.sim().add_fault(&FaultRule::next(&scene.sun, "OrderCreate", reject)).await.unwrap();

    let order = scene.place().await;
    eventually("it is parked", SOON, || async {
        let shown = scene.ledger_order(&order).await?;
        (shown["pushes"][0]["parked"] == "REJECTED").then_some(())
    })
    .await;
    scene.settle().await;

    let parked = scene.stack.messages.take_dead_letters("order-push", &scene.moon).await;
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert_eq!((&parked[0]["code"], &parked[0]["attempts"]), (&json!("REJECTED"), &json!(1)));
    let step = format!("push/{}/1", scene.sun);
    assert_eq!(parked[0]["step"], step);
    assert_eq!(parked[0]["order"], json!({ "shop": scene.moon, "id": order.id.to_string() }));
    assert!(parked[0]["first_error"].is_string() && parked[0]["last_error"].is_string(), "{parked:?}");
    let tags = json!({ "code": "REJECTED", "shop": scene.moon, "step": step });
    assert_eq!(parked[0]["attributes"], tags, "nothing else, and nobody's name");
    let text = parked[0].to_string();
    let customer = scene.destination_order(order.id).await;
    for personal in [customer.email.unwrap(), customer.shipping_address.unwrap().last_name.unwrap()] {
        assert!(!text.contains(&personal), "{personal}");
    }
}

#[tokio::test]
async fn the_api_says_what_is_wrong_and_how_to_mend_it() {
    let scene = Scene::new(false).await;
    let api = &scene.stack.api;
    let orders = format!("/v1/shops/{}/orders", scene.moon);
    let cases: Vec<(u16, &str, Value)> = vec![
        (400, "INVALID_FIELD", api.post("/v1/shops", json!({ "domain": "moon.example.com" })).await.body),
        (400, "INVALID_FIELD", api.post("/v1/shops", json!({ "shop": "moon" })).await.body),
        (400, "INVALID_BODY", api.post("/v1/shops", json!(["moon"])).await.body),
        (400, "INVALID_FIELD", api.get(&format!("{orders}?tab=lost")).await.body),
        (400, "INVALID_FIELD", api.get(&format!("{orders}?limit=0")).await.body),
        (400, "INVALID_FIELD", api.get(&format!("{orders}/abc")).await.body),
        (404, "NOT_FOUND", api.get(&format!("{orders}/4242")).await.body),
        (404, "NOT_FOUND", api.get("/v1/nothing").await.body),
        (
            409,
            "NOT_CONNECTED",
            api.post(
                "/v1/links",
                json!({ "destination": scene.sun, "source": scene.moon, "links": [{ "destination_variant": "1", "source_variant": "2" }] }),
            )
            .await
            .body,
        ),
    ];
    for (_, code, body) in &cases {
        assert_eq!(body["code"], *code, "{body}");
        assert!(body["remedy"].as_str().is_some_and(|remedy| remedy.len() > 10), "{body}");
    }

    assert_eq!(api.with_token("forged").get(&orders).await.status, 401);
}

#[tokio::test]
async fn a_wrong_token_given_by_hand_is_named_and_a_right_one_mends_it() {
    let scene = Scene::new(false).await;
    let domain = format!("hand-{}", scene.moon);
    let shop = shopify_sim::control::NewShop::selling(&domain, &[SKU]);
    let opened = scene.sim().create_shop(&shop).await.unwrap();
    let api = &scene.stack.api;
    let path = format!("/v1/shops/{domain}");

    api.post("/v1/shops", json!({ "domain": domain, "access_token": "shpat_wrong" })).await;
    let error = eventually("the error is shown", SOON, || async {
        let shown = api.get(&path).await.body;
        shown["error"]["code"].is_string().then(|| shown["error"].clone())
    })
    .await;
    assert_eq!(error["code"], "ACCESS_DENIED");
    assert!(error["message"].as_str().unwrap().contains("give a new one"), "{error}");

    let letters = eventually("it is told of", SOON, || async {
        let letters = scene.stack.messages.take_dead_letters("app-lifecycle", &domain).await;
        (!letters.is_empty()).then_some(letters)
    })
    .await;
    assert_eq!(letters.len(), 1, "told once: {letters:?}");

    let token = opened.access_token.unwrap();
    let answer = api.post("/v1/shops", json!({ "domain": domain, "access_token": token })).await;
    assert!(!answer.body.to_string().contains(&token));
    eventually("the shop is connected", Duration::from_secs(40), || async {
        scene.stack.run_due_work().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        (api.get(&path).await.body["state"] == "connected").then_some(())
    })
    .await;
    scene.settle().await;
}
