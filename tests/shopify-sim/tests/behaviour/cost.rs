//! Points: asked for, spent, gone.

use serde_json::{Value, json};
use shopify_sim::SimConfig;
use shopify_sim::control::{NewShop, SettingsChange};

use crate::shop::{DOMAIN, Shop, query};

fn requested(answer: &Value) -> u64 {
    answer["extensions"]["cost"]["requestedQueryCost"].as_u64().unwrap()
}

#[tokio::test]
async fn the_push_question_asks_for_at_most_40_points() {
    let shop = Shop::open().await;
    let order = shop.place(&[("MOON-1", 1)]).await;

    let answer = shop.ask(query!("order_for_push"), json!({"id": order})).await;

    assert!(requested(&answer) <= 40, "{}", requested(&answer));
}

/// Source: recorded answers of development stores, 2025-01 and 2026-04; some scalars, which cost nothing, are left out.
const RECORDED: [(u64, &str); 10] = [
    (1, "query R($id: ID!) { order(id: $id) { id closed closedAt cancelledAt cancelReason } }"),
    (
        3,
        "query R($id: ID!) { order(id: $id) { id fulfillments(first: 5) { id trackingInfo(first: 5) { number url company } } } }",
    ),
    (
        15,
        "query R($id: ID!) { order(id: $id) { id totalDiscountsSet { shopMoney { amount } } lineItems(first: 5) { nodes { id customAttributes { key value } product { id } originalUnitPriceSet { shopMoney { amount } } discountAllocations { allocatedAmountSet { shopMoney { amount } } } } } } }",
    ),
    (
        25,
        "query R($id: ID!) { fulfillmentOrder(id: $id) { id supportedActions { action } assignedLocation { name location { id name } } fulfillmentHolds { id heldByApp { id title } } merchantRequests(first: 10) { nodes { kind } } lineItems(first: 20) { nodes { id lineItem { id } } } order { id name } } }",
    ),
    (
        50,
        "query R($id: ID!) { fulfillmentOrder(id: $id) { id order { id fulfillments(first: 5) { id trackingInfo { number } } fulfillmentOrders(first: 10) { nodes { id lineItems(first: 10) { nodes { id lineItem { id } } } } } } } }",
    ),
    (
        10,
        "mutation M($id: ID!) { orderCancel(orderId: $id, reason: OTHER, restock: false) { job { id done } orderCancelUserErrors { field message code } userErrors { field message } } }",
    ),
    (
        11,
        "mutation M($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment { id trackingInfo(first: 5) { number } } userErrors { field message } } }",
    ),
    (
        19,
        "mutation M($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment { id trackingInfo { number } fulfillmentLineItems(first: 5) { nodes { id quantity lineItem { id title } } } } userErrors { field message } } }",
    ),
    (
        51,
        "mutation M($id: ID!, $t: FulfillmentTrackingInput!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $t) { fulfillment { id trackingInfo(first: 5) { number } } userErrors { field message } } }",
    ),
    (
        58,
        "mutation M($o: OrderCreateOrderInput!) { orderCreate(order: $o) { order { id fulfillments(first: 5) { id trackingInfo { number } } fulfillmentOrders(first: 10) { nodes { id lineItems(first: 10) { nodes { id lineItem { id } } } } } } userErrors { field message } } }",
    ),
];

#[tokio::test]
async fn questions_cost_what_shopify_asked_for_them() {
    let shop = Shop::open().await;

    for (points, question) in RECORDED {
        let answer = shop.ask(question, json!({"id": "gid://shopify/Order/1"})).await;
        assert_eq!(requested(&answer), points, "{question}: {answer}");
    }
}

#[tokio::test]
async fn an_empty_bucket_throttles_and_refills() {
    let settings = SettingsChange { restore_rate: Some(1000), bucket: Some(100), ..SettingsChange::default() };
    let shop =
        Shop::open_with(SimConfig::default(), NewShop { settings, ..NewShop::selling(DOMAIN, &["MOON-1"]) }).await;
    let order = shop.place(&[("MOON-1", 1)]).await;
    shop.client.drain_bucket(DOMAIN, 0).await.unwrap();

    let now = shop.ask(query!("order_for_push"), json!({"id": order})).await;
    tokio::time::sleep(std::time::Duration::from_millis(80)).await;
    let later = shop.ask(query!("order_for_push"), json!({"id": order})).await;

    assert_eq!(now["errors"][0]["extensions"]["code"], "THROTTLED");
    assert_eq!(now["extensions"]["cost"]["actualQueryCost"], Value::Null);
    assert_eq!(now["extensions"]["cost"]["throttleStatus"]["restoreRate"], 1000);
    assert_eq!(later["data"]["order"]["name"], "#1001");
}

#[tokio::test]
async fn a_question_beyond_1000_points_is_refused() {
    let shop = Shop::open().await;

    let deep = "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id variant { id } } } fulfillmentOrders(first: 250) { nodes { lineItems(first: 250) { nodes { id } } } } } } }";
    let answer = shop.ask(deep, json!({})).await;

    assert_eq!(answer["errors"][0]["extensions"]["code"], "MAX_COST_EXCEEDED");
}
