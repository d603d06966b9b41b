//! Routing, fulfillments, and Shopify's words when one cannot be made.

use std::time::Duration;

use serde_json::{Value, json};
use shopify_sim::SimConfig;
use shopify_sim::control::{NewShop, NewVariant, Ship};
use shopify_sim::state::MailKind;
use shopify_sim::words::{FulfillmentHoldReason, OrderCancelReason};

use crate::shop::{DOMAIN, Shop, query};

async fn fulfillment_orders(shop: &Shop, order: &str) -> Vec<Value> {
    let answer = shop.ask(query!("destination_order"), json!({"id": order, "lines": 20})).await;
    answer["data"]["order"]["fulfillmentOrders"]["nodes"].as_array().unwrap().clone()
}

async fn fulfill(shop: &Shop, groups: Value) -> Value {
    let tracking = json!({"company": "UPS", "numbers": ["1Z1", "1Z2"]});
    let input = json!({"fulfillment": {"lineItemsByFulfillmentOrder": groups, "trackingInfo": tracking, "notifyCustomer": true}});
    shop.ask(query!("fulfillment_create"), input).await["data"]["fulfillmentCreate"].clone()
}

fn message(payload: &Value) -> (&Value, &str) {
    assert_eq!(payload["fulfillment"], Value::Null);
    (&payload["userErrors"][0]["field"], payload["userErrors"][0]["message"].as_str().unwrap())
}

#[tokio::test]
async fn a_new_order_has_no_fulfillment_orders_until_it_is_routed() {
    let mut config = SimConfig::default();
    config.shop.routing_delay = Duration::from_millis(200);
    let shop = Shop::open_with(config, NewShop::selling(DOMAIN, &["MOON-1"])).await;
    let order = shop.place(&[("MOON-1", 1)]).await;

    let before = fulfillment_orders(&shop, &order).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let after = fulfillment_orders(&shop, &order).await;

    assert_eq!(before.len(), 0);
    assert_eq!(after[0]["status"], "OPEN");
    assert_eq!(after[0]["deliveryMethod"]["methodType"], "SHIPPING");
    assert_eq!(after[0]["supportedActions"][0]["action"], "CREATE_FULFILLMENT");
}

#[tokio::test]
async fn a_fulfillment_carries_all_its_numbers_and_one_mail_tells_of_each() {
    let shop = Shop::open().await;
    let order = shop.place(&[("MOON-1", 2)]).await;
    let work = fulfillment_orders(&shop, &order).await;

    let created = fulfill(&shop, json!([{"fulfillmentOrderId": work[0]["id"]}])).await;
    let seen = shop.ask(query!("source_order"), json!({"id": order, "lines": 20})).await;

    assert_eq!(created["fulfillment"]["status"], "SUCCESS");
    let fulfillment = &seen["data"]["order"]["fulfillments"][0];
    let numbers: Vec<&str> =
        fulfillment["trackingInfo"].as_array().unwrap().iter().filter_map(|it| it["number"].as_str()).collect();
    assert_eq!(numbers, ["1Z1", "1Z2"]);
    assert!(fulfillment["trackingInfo"][0]["url"].as_str().unwrap().starts_with("https://www.ups.com/"));
    assert_eq!(fulfillment["fulfillmentLineItems"]["nodes"][0]["quantity"], 2);
    let order = shop.client.show_order(DOMAIN, &order).await.unwrap();
    assert_eq!(order.mails_about("1Z2"), 1);
    assert_eq!(order.mails.iter().filter(|mail| mail.kind == MailKind::ShippingConfirmation).count(), 1);
}

#[tokio::test]
async fn refusals_are_worded_as_recorded() {
    let shop = Shop::open().await;
    let order = shop.place(&[("MOON-1", 2)]).await;
    let work = fulfillment_orders(&shop, &order).await;
    let (id, line) = (&work[0]["id"], &work[0]["lineItems"]["nodes"][0]["id"]);
    let number = id.as_str().unwrap().rsplit('/').next().unwrap();
    let take = |quantity: i32| json!([{"fulfillmentOrderId": id, "fulfillmentOrderLineItems": [{"id": line, "quantity": quantity}]}]);

    let none = fulfill(&shop, take(0)).await;
    assert_eq!(
        message(&none),
        (
            &json!(["fulfillment", "lineItemsByFulfillmentOrder", "0", "fulfillmentOrderLineItems", "0", "quantity"]),
            "Quantity must be greater than 0"
        )
    );
    let too_many = fulfill(&shop, take(3)).await;
    assert_eq!(
        message(&too_many),
        (&json!(["fulfillment"]), "Invalid fulfillment order line item quantity requested.")
    );
    let unknown = fulfill(&shop, json!([{"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/1"}])).await;
    assert_eq!(message(&unknown).1, "Fulfillment order does not exist.");

    shop.client.hold(DOMAIN, &order, FulfillmentHoldReason::AwaitingPayment).await.unwrap();
    // Unverified: only `closed` was recorded.
    let held = fulfill(&shop, take(1)).await;
    assert_eq!(message(&held).1, format!("Fulfillment order {number} has an unfulfillable status= on_hold."));
    shop.client.release(DOMAIN, &order).await.unwrap();

    shop.client.cancel(DOMAIN, &order, OrderCancelReason::Customer).await.unwrap();
    let closed = fulfill(&shop, take(1)).await;
    assert_eq!(message(&closed).1, format!("Fulfillment order {number} has an unfulfillable status= closed."));
}

#[tokio::test]
async fn work_at_two_locations_needs_two_fulfillments() {
    let mut new = NewShop::selling(DOMAIN, &["MOON-1", "MOON-2"]);
    new.locations = vec!["East".to_owned(), "West".to_owned()];
    new.variants[1] = NewVariant { location: Some("West".to_owned()), ..new.variants[1].clone() };
    let shop = Shop::open_with(SimConfig::default(), new).await;
    let order = shop.place(&[("MOON-1", 1), ("MOON-2", 1)]).await;
    let work = fulfillment_orders(&shop, &order).await;
    let ids: Vec<u64> = shop.view.locations.iter().map(|it| it.id).collect();

    let both =
        fulfill(&shop, json!([{"fulfillmentOrderId": work[0]["id"]}, {"fulfillmentOrderId": work[1]["id"]}])).await;
    let shipped =
        shop.client.ship(DOMAIN, &order, &Ship { location: Some("West".to_owned()), ..Ship::all("UPS", "1Z9") }).await;

    let wanted = format!(
        "All fulfillment orders must be assigned to a single location. Multiple locations with ids {ids:?} were found."
    );
    assert_eq!(message(&both).1, wanted);
    assert!(shipped.is_ok());
    let seen = shop.ask(query!("order_for_push"), json!({"id": order})).await;
    assert_eq!(seen["data"]["order"]["displayFulfillmentStatus"], "PARTIALLY_FULFILLED");
}

#[tokio::test]
async fn a_malformed_id_is_an_error_of_the_question() {
    let shop = Shop::open().await;

    let answer = shop.ask(query!("source_order"), json!({"id": "gid://shopify/Product/1", "lines": 20})).await;

    assert_eq!(answer["errors"][0]["message"], "invalid id");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "RESOURCE_NOT_FOUND");
}
