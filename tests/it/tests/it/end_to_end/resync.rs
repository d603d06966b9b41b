//! What no webhook told of, found on the deployed stack.

use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::connect::ConnectState;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::step::{StepId, WaitReason};
use roundtrip_kit::scene::{SOON, Scene};
use roundtrip_kit::stack::{Store, Stores, eventually};
use serde_json::json;
use shopify_sim::control::{PlaceOrder, Ship};

#[tokio::test]
async fn an_order_and_a_shipment_of_which_no_webhook_told_are_found_and_nothing_else() {
    let scene = Scene::new(true).await;
    let told = scene.place().await;
    let source = scene.pushed(&told).await;
    scene.settle().await;
    scene.resynced(&scene.moon).await;
    scene.resynced(&scene.sun).await;

    scene.go_silent(&scene.moon).await;
    scene.go_silent(&scene.sun).await;
    let missed = scene.place().await;
    scene.ship(&source, "9400111899223100001111").await;
    // So long a webhook may be on its way: WebhookDelaySecs of the stack on this machine.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(scene.ledger_order(&missed).await.is_none());
    assert_eq!(scene.destination_order(told.id).await.shipping_mails(), 0);
    let of_the_moon = scene.resynced(&scene.moon).await;
    let of_the_sun = scene.resynced(&scene.sun).await;

    assert_eq!((&of_the_moon["found"], &of_the_moon["fixed"]), (&json!(1), &json!(1)), "{of_the_moon}");
    assert_eq!((&of_the_sun["found"], &of_the_sun["fixed"]), (&json!(1), &json!(1)), "{of_the_sun}");
    eventually("the missed order is pushed", SOON, || async {
        let shown = scene.ledger_order(&missed).await?;
        (shown["order"]["tab"] == "pushed").then_some(())
    })
    .await;
    eventually("the missed shipment is shown", SOON, || async {
        (scene.destination_order(told.id).await.shipping_mails() == 1).then_some(())
    })
    .await;
}

/// The hour until the next look at the store's subscriptions is over.
async fn an_hour_later(scene: &Scene, shop: &str) {
    let shop: ShopDomain = shop.parse().unwrap();
    let known = scene.stack.ledger.shop_step::<ConnectState>(&shop, &StepId::Connect).await.unwrap();
    let (mut step, version) = known.expect("it is connected");
    assert_eq!(step.wait.as_ref().map(|wait| wait.why), Some(WaitReason::SubscriptionCheck));
    step.wait(Timestamp::now(), Timestamp::now(), WaitReason::SubscriptionCheck);
    scene.stack.ledger.save_shop_step(&shop, &StepId::Connect, &step, version).await.unwrap();
    scene.stack.run_due_work().await;
}

#[tokio::test]
async fn a_subscription_that_shopify_deleted_is_made_again_and_what_it_missed_is_found() {
    let scene = Scene::new(true).await;
    let known = scene.place().await;
    scene.pushed(&known).await;
    let all = scene.sim().shop(&scene.moon).await.unwrap().subscriptions.len();

    let deleted = scene.sim().unsubscribe(&scene.moon, None).await.unwrap();
    assert_eq!(deleted.count, all);
    let missed = scene.place().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(scene.ledger_order(&missed).await.is_none());
    an_hour_later(&scene, &scene.moon).await;

    eventually("the subscriptions are there again", SOON, || async {
        scene.stack.run_due_work().await;
        let there = scene.sim().shop(&scene.moon).await.unwrap().subscriptions.len();
        (there == all).then_some(())
    })
    .await;
    eventually("the missed order is pushed", Duration::from_secs(60), || async {
        scene.stack.run_due_work().await;
        let shown = scene.ledger_order(&missed).await?;
        (shown["order"]["tab"] == "pushed").then_some(())
    })
    .await;
    let shown = scene.stack.api.get(&format!("/v1/shops/{}/resync", scene.moon)).await.body;
    assert_eq!(shown["run"]["occasion"], "healing", "{shown:#}");
    let next = scene.place().await;
    scene.pushed(&next).await;
    scene.settle().await;
}

#[tokio::test]
async fn an_order_and_its_shipment_are_synced_on_wish() {
    let scene = Scene::new(true).await;
    scene.go_silent(&scene.moon).await;
    let order = scene.place().await;
    let sync = format!("/v1/shops/{}/orders/{}/sync", scene.moon, order.id);
    let synced = async || {
        let asked = scene.stack.api.post(&sync, json!({})).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        eventually("it is synced", Duration::from_secs(60), || async {
            let job = scene.stack.api.get(&sync).await.body;
            (job["job_id"] == asked.body["job_id"] && job["state"] == "done").then_some(job)
        })
        .await
    };

    synced().await;
    scene.pushed(&order).await;
    scene.go_silent(&scene.sun).await;
    let source = scene.source_orders().await.remove(0);
    scene.ship(&source, "9400111899223100002222").await;
    // Clicks within ten seconds are one.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let job = synced().await;

    assert_eq!(job["looks"].as_array().map(Vec::len), Some(2), "{job:#}");
    assert_eq!(scene.destination_order(order.id).await.shipping_mails(), 1);
}

#[tokio::test]
async fn a_store_that_syncs_only_its_tracking_shows_its_shipments() {
    let scene = Scene::new(true).await;
    let alone = Store::new(&scene.moon.replace("moon", "comet").replace(".myshopify.com", ""), &["TEE"]);
    Stores::open(&scene.stack, std::slice::from_ref(&alone)).await;
    let before = scene.sim().place_order(&alone.domain, &PlaceOrder::of(&[("TEE", 2)])).await.unwrap();
    scene
        .sim()
        .ship(&alone.domain, &before.id.to_string(), &Ship::all("USPS", "9400111899223100003333"))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let settings = format!("/v1/shops/{}/settings", alone.domain);
    let answer = scene.stack.api.send(reqwest::Method::PUT, &settings, Some(json!({ "tracking_sync": true }))).await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let shipments = async |order: u64| {
        eventually("the shipment is kept", Duration::from_secs(60), || async {
            scene.stack.run_due_work().await;
            let shown = scene.stack.api.order(&alone.domain, order).await?;
            let shipments = shown["shipments"].as_array()?.clone();
            (!shipments.is_empty()).then_some(shipments)
        })
        .await
    };
    let old = shipments(before.id).await;
    let after = scene.sim().place_order(&alone.domain, &PlaceOrder::of(&[("TEE", 1)])).await.unwrap();
    let by_service = Ship { service: Some("acme-3pl".to_owned()), ..Ship::all("USPS", "9400111899223100004444") };
    scene.sim().ship(&alone.domain, &after.id.to_string(), &by_service).await.unwrap();
    let new = shipments(after.id).await;

    assert_eq!((&old[0]["number"], &old[0]["company"]), (&json!("9400111899223100003333"), &json!("USPS")));
    assert_eq!((old.len(), &old[0]["lines"][0]["quantity"]), (1, &json!(2)));
    assert!(old[0]["url"].as_str().is_some_and(|url| url.contains("9400111899223100003333")), "{old:#?}");
    assert_eq!(new[0]["number"], "9400111899223100004444");
    assert_eq!((&old[0]["service"], &new[0]["service"]), (&json!("manual"), &json!("acme-3pl")));
}
