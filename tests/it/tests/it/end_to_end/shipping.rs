//! Boxes, labels and locations on the deployed stack.

use std::collections::BTreeSet;
use std::time::Duration;

use roundtrip_domain::writeback::Phase;
use roundtrip_kit::scene::{SKU, SOON, Scene, UNLINKED};
use roundtrip_kit::stack::eventually;
use serde_json::json;
use shopify_sim::control::PlaceOrder;
use shopify_sim::faults::{Fault, FaultRule, UserErrorSpec};

#[tokio::test]
async fn an_order_from_two_source_stores_is_pushed_to_each_and_both_numbers_come_home() {
    let mut scene = Scene::new(true).await;
    let mars = scene.add_source("mars", UNLINKED).await;

    let order = scene.sim().place_order(&scene.moon, &PlaceOrder::of(&[(SKU, 1), (UNLINKED, 1)])).await.unwrap();
    eventually("both have it", SOON, || async {
        let shown = scene.ledger_order(&order).await?;
        (shown["order"]["tab"] == "pushed").then_some(())
    })
    .await;
    for (shop, number) in [(&scene.sun, "9400111899223100001111"), (&mars, "9400111899223100002222")] {
        let sources = scene.sim().orders(shop).await.unwrap();
        assert_eq!((sources.len(), sources[0].lines.len()), (1, 1), "{shop}");
        let goods = shopify_sim::control::Ship::all("usps", number);
        scene.sim().ship(shop, &sources[0].id.to_string(), &goods).await.unwrap();
    }
    eventually("both are written back", SOON, || async {
        let home = scene.destination_order(order.id).await;
        (home.fulfillments.len() == 2).then_some(())
    })
    .await;
    scene.settle().await;

    let home = scene.destination_order(order.id).await;
    assert_eq!(home.shipping_mails(), 2, "{:?}", home.mails);
}

#[tokio::test]
async fn what_cannot_be_written_is_tagged_told_of_and_untagged_when_it_can() {
    let scene = Scene::new(true).await;
    let order = scene.place().await;
    let source = scene.pushed(&order).await;
    let odd = UserErrorSpec { message: "Something odd".into(), ..UserErrorSpec::default() };
    let reject = Fault::Reject { user_errors: vec![odd] };
    scene.sim().add_fault(&FaultRule::next(&scene.moon, "FulfillmentCreate", reject)).await.unwrap();

    scene.ship(&source, "9400111899223100003333").await;
    eventually("the order is tagged", SOON, || async {
        let tags = scene.destination_order(order.id).await.tags;
        (tags == ["Failed Shipment Notification"]).then_some(())
    })
    .await;
    scene.settle().await;
    let shown = scene.ledger_order(&order).await.unwrap();
    assert_eq!(shown["order"]["system_tags"], json!(["Failed Shipment Notification"]));
    let calls = scene.sim().call_count(&scene.moon, "FulfillmentCreate").await.unwrap();

    let letters = scene.stack.messages.take_dead_letters("tracking-writeback", &scene.sun).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    scene.stack.messages.send("tracking-writeback", &[letters[0].to_string()]).await;
    eventually("the tag is gone", SOON, || async {
        let home = scene.destination_order(order.id).await;
        (home.tags.is_empty() && home.fulfillments.len() == 1).then_some(())
    })
    .await;
    scene.settle().await;
    assert_eq!(scene.sim().call_count(&scene.moon, "FulfillmentCreate").await.unwrap(), calls + 1);
}

#[tokio::test]
async fn who_listens_to_the_bus_hears_what_happened() {
    let scene = Scene::new(true).await;
    let moon = scene.stack.listen(&scene.moon).await;
    let odd = UserErrorSpec { message: "Something odd".into(), ..UserErrorSpec::default() };
    let reject = Fault::Reject { user_errors: vec![odd] };

    let order = scene.place().await;
    let source = scene.pushed(&order).await;
    scene.ship(&source, "9400111899223100006666").await;
    scene.written_back(&order).await;
    scene.sim().add_fault(&FaultRule::next(&scene.sun, "OrderCreate", reject)).await.unwrap();
    let failing = scene.place().await;
    eventually("it is parked", SOON, || async {
        let shown = scene.ledger_order(&failing).await?;
        (shown["pushes"][0]["parked"] == "REJECTED").then_some(())
    })
    .await;
    scene.settle().await;

    let mut heard = moon.take().await;
    heard.sort_by_key(|event| event.at);
    // At least once: what is heard again has the same id.
    let mut ids = BTreeSet::new();
    heard.retain(|event| ids.insert(event.id.clone()));
    let kinds: Vec<&str> = heard.iter().map(|event| event.kind.name()).collect();
    assert_eq!(kinds, ["OrderPushed", "TrackingWrittenBack", "PushFailed"], "{heard:?}");
    moon.close().await;
    assert_eq!(scene.stack.messages.take_dead_letters("order-push", &scene.moon).await.len(), 1);
}

#[tokio::test]
async fn a_label_that_was_made_again_replaces_its_number_on_the_same_fulfillment() {
    let scene = Scene::new(true).await;
    let order = scene.place().await;
    let source = scene.pushed(&order).await;
    scene.ship(&source, "9400111899223100004444").await;
    let home = scene.written_back(&order).await;
    scene.settle().await;

    let shipped = scene.source_orders().await.remove(0).fulfillments.remove(0);
    scene.sim().cancel_fulfillment(&scene.sun, shipped.id).await.unwrap();
    scene.ship(&source, "9400111899223100005555").await;
    eventually("the new number is shown", SOON, || async {
        let fulfillments = scene.destination_order(order.id).await.fulfillments;
        let number = fulfillments[0].tracking_info[0].number.clone();
        (fulfillments.len() == 1 && number.as_deref() == Some("9400111899223100005555")).then_some(())
    })
    .await;
    scene.settle().await;

    let after = scene.destination_order(order.id).await;
    assert_eq!(after.fulfillments[0].id, home.fulfillments[0].id);
    assert_eq!((after.shipping_mails(), after.mails_about("9400111899223100005555")), (2, 1));
    let record = scene.record(order.id).await;
    assert!(record.writebacks.values().any(|row| matches!(row.get().state.phase, Phase::CalledOff { .. })));
}

#[tokio::test]
async fn a_label_tool_ships_an_order_through_the_api() {
    let scene = Scene::new(false).await;
    let order = scene.place().await;
    eventually("the order is known", SOON, || scene.ledger_order(&order)).await;
    let label = |id: &str, number: &str| {
        json!({ "shop": scene.moon, "order": order.id.to_string(), "label": id, "warehouse": "WH2",
                "tracking": [{ "company": "ups", "number": number, "url": "https://ups.example/1" }] })
    };

    for _ in 0..2 {
        let answer = scene.stack.api.post("/v1/labels", label("se-1", "1Z999AA10123456784")).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
    eventually("it is shown", SOON, || async {
        (scene.destination_order(order.id).await.fulfillments.len() == 1).then_some(())
    })
    .await;
    scene.settle().await;
    let path = format!("/v1/shops/{}/orders/{}/labels/se-1", scene.moon, order.id);
    assert_eq!(scene.stack.api.send(reqwest::Method::DELETE, &path, None).await.status, 202);
    assert_eq!(scene.stack.api.post("/v1/labels", label("se-2", "1Z999AA10123456785")).await.status, 202);
    eventually("its successor took its place", SOON, || async {
        let home = scene.destination_order(order.id).await;
        let numbers: Vec<_> =
            home.fulfillments.iter().flat_map(|f| &f.tracking_info).map(|t| t.number.clone()).collect();
        (numbers == [Some("1Z999AA10123456785".to_owned())]).then_some(())
    })
    .await;
    scene.settle().await;

    let home = scene.destination_order(order.id).await;
    assert_eq!((home.shipping_mails(), home.fulfillments[0].tracking_info[0].company.as_deref()), (2, Some("UPS")));
}

#[tokio::test]
async fn a_shop_without_the_app_is_paused_once_and_goes_on_when_it_is_back() {
    let scene = Scene::new(true).await;
    scene.sim().uninstall(&scene.sun).await.unwrap();

    let orders = [scene.place().await, scene.place().await, scene.place().await];
    let path = format!("/v1/shops/{}", scene.sun);
    eventually("the shop is paused", SOON, || async {
        (scene.stack.api.get(&path).await.body["state"] == "paused").then_some(())
    })
    .await;
    scene.settle().await;
    for order in &orders {
        let shown = scene.ledger_order(order).await.unwrap();
        assert_eq!((&shown["pushes"][0]["attempts"], &shown["pushes"][0]["parked"]), (&json!(0), &json!(null)));
        assert_eq!(shown["pushes"][0]["wait"]["why"], "shop-paused");
    }
    let letters = scene.stack.messages.take_dead_letters("app-lifecycle", &scene.sun).await;
    assert_eq!(letters.len(), 1, "told once: {letters:?}");

    scene.sim().install(&scene.sun).await.unwrap();
    scene.stack.api.connect_shop(&scene.sun).await;
    scene
        .run_until("all go through", Duration::from_secs(60), || async {
            scene.source_orders().await.len() == orders.len()
        })
        .await;
    for order in &orders {
        scene.pushed(order).await;
    }
    scene.settle().await;
}
