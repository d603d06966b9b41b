//! Work that changes between one look and the next: moved, edited, closed.

use serde_json::{Value, json};
use shopify_sim::SimConfig;
use shopify_sim::control::{NewShop, NewVariant, Ship};
use shopify_sim::words::OrderCancelReason;

use crate::shop::{DOMAIN, Shop, query};

/// MOON-1 is stocked in the east, MOON-2 in the west.
async fn open() -> Shop {
    let mut new = NewShop::selling(DOMAIN, &["MOON-1", "MOON-2"]);
    new.locations = vec!["East".to_owned(), "West".to_owned()];
    new.variants[1] = NewVariant { location: Some("West".to_owned()), ..new.variants[1].clone() };
    Shop::open_with(SimConfig::default(), new).await
}

/// Location, status and remaining quantities of each fulfillment order.
async fn work(shop: &Shop, order: &str) -> Vec<(String, String, Vec<i64>)> {
    let seen = fulfillment_orders(shop, order).await;
    let name = |id: &Value| {
        let found =
            shop.view.locations.iter().find(|it| id.as_str().is_some_and(|id| id.ends_with(&it.id.to_string())));
        found.unwrap().name.clone()
    };
    let one = |it: &Value| {
        let lines = it["lineItems"]["nodes"].as_array().unwrap();
        let left = lines.iter().map(|line| line["remainingQuantity"].as_i64().unwrap()).collect();
        (name(&it["assignedLocation"]["location"]["id"]), it["status"].as_str().unwrap().to_owned(), left)
    };
    seen.iter().map(one).collect()
}

async fn fulfillment_orders(shop: &Shop, order: &str) -> Vec<Value> {
    let answer = shop.ask(query!("destination_order"), json!({"id": order, "lines": 20})).await;
    answer["data"]["order"]["fulfillmentOrders"]["nodes"].as_array().unwrap().clone()
}

/// What fulfilling all of a fulfillment order says.
async fn fulfill(shop: &Shop, fulfillment_order: &Value) -> String {
    let groups = json!([{"fulfillmentOrderId": fulfillment_order["id"]}]);
    let input = json!({"fulfillment": {"lineItemsByFulfillmentOrder": groups}});
    let answer = shop.ask(query!("fulfillment_create"), input).await;
    answer["data"]["fulfillmentCreate"]["userErrors"][0]["message"].as_str().unwrap_or("fulfilled").to_owned()
}

fn places(expected: &[(&str, &str, &[i64])]) -> Vec<(String, String, Vec<i64>)> {
    let owned = |(place, status, left): &(&str, &str, &[i64])| ((*place).into(), (*status).into(), left.to_vec());
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn untouched_work_that_is_moved_keeps_its_fulfillment_order() {
    let shop = open().await;
    let order = shop.place(&[("MOON-1", 2)]).await;
    let before = fulfillment_orders(&shop, &order).await;

    shop.client.move_work(DOMAIN, &order, "West").await.unwrap();

    assert_eq!(work(&shop, &order).await, places(&[("West", "OPEN", &[2])]));
    assert_eq!(fulfillment_orders(&shop, &order).await[0]["id"], before[0]["id"]);
    assert_eq!(fulfill(&shop, &before[0]).await, "fulfilled");
}

#[tokio::test]
async fn what_is_left_of_touched_work_is_moved_to_a_new_fulfillment_order() {
    let shop = open().await;
    let order = shop.place(&[("MOON-1", 3)]).await;
    let before = fulfillment_orders(&shop, &order).await;
    shop.client.ship(DOMAIN, &order, &Ship::all("UPS", "1Z1").line("MOON-1", 1)).await.unwrap();

    shop.client.move_work(DOMAIN, &order, "West").await.unwrap();

    let number = before[0]["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(work(&shop, &order).await, places(&[("East", "CLOSED", &[2]), ("West", "OPEN", &[2])]));
    let refused = format!("Fulfillment order {number} has an unfulfillable status= closed.");
    assert_eq!(fulfill(&shop, &before[0]).await, refused);
}

#[tokio::test]
async fn work_that_meets_other_work_there_becomes_one_anew() {
    let shop = open().await;
    let order = shop.place(&[("MOON-1", 1), ("MOON-2", 2)]).await;

    shop.client.move_work(DOMAIN, &order, "West").await.unwrap();

    let expected = [("East", "CLOSED", &[1][..]), ("West", "CLOSED", &[2]), ("West", "OPEN", &[1, 2])];
    assert_eq!(work(&shop, &order).await, places(&expected));
    let all = shop.client.ship(DOMAIN, &order, &Ship::all("UPS", "1Z1")).await;
    assert!(all.is_ok(), "what is closed is no work: {all:?}");
    assert!(shop.client.move_work(DOMAIN, &order, "East").await.is_err(), "nothing is left to move");
}

#[tokio::test]
async fn a_lowered_quantity_and_a_removed_line_are_no_longer_to_be_sent() {
    let shop = open().await;
    let order = shop.place(&[("MOON-1", 3), ("MOON-2", 1)]).await;
    let before = fulfillment_orders(&shop, &order).await;

    shop.client.edit(DOMAIN, &order, "MOON-1", 2).await.unwrap();
    shop.client.edit(DOMAIN, &order, "MOON-2", 0).await.unwrap();

    assert_eq!(work(&shop, &order).await, places(&[("East", "OPEN", &[2]), ("West", "CLOSED", &[0])]));
    let line = &before[0]["lineItems"]["nodes"][0]["id"];
    let groups =
        json!([{"fulfillmentOrderId": before[0]["id"], "fulfillmentOrderLineItems": [{"id": line, "quantity": 3}]}]);
    let input = json!({"fulfillment": {"lineItemsByFulfillmentOrder": groups}});
    let refused = shop.ask(query!("fulfillment_create"), input).await;
    let message = &refused["data"]["fulfillmentCreate"]["userErrors"][0]["message"];
    assert_eq!(message, "Invalid fulfillment order line item quantity requested.");
    let seen = shop.ask(query!("order_for_push"), json!({"id": order})).await;
    let quantities = seen["data"]["order"]["lineItems"]["nodes"].as_array().unwrap();
    assert_eq!(quantities.iter().map(|line| &line["currentQuantity"]).collect::<Vec<_>>(), [&json!(2), &json!(0)]);
}

#[tokio::test]
async fn the_work_of_a_cancelled_order_is_closed_with_all_of_it_left() {
    let shop = open().await;
    let order = shop.place(&[("MOON-1", 1)]).await;

    shop.client.cancel(DOMAIN, &order, OrderCancelReason::Customer).await.unwrap();

    assert_eq!(work(&shop, &order).await, places(&[("East", "CLOSED", &[1])]));
}
