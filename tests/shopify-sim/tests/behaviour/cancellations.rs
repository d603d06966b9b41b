//! An app has an order cancelled: taken now, done later, refused in Shopify's words.

use std::time::Duration;

use serde_json::{Value, json};
use shopify_sim::SimConfig;
use shopify_sim::control::{NewShop, Ship};
use shopify_sim::words::OrderCancelReason;

use crate::shop::{DOMAIN, Shop, query};

const DELAY: Duration = Duration::from_millis(600);

async fn open() -> Shop {
    let mut config = SimConfig::default();
    config.shop.cancel_delay = DELAY;
    Shop::open_with(config, NewShop::selling(DOMAIN, &["MOON-1"])).await
}

async fn cancel(shop: &Shop, order: &str, staff_note: &str) -> Value {
    let variables = json!({ "orderId": order, "reason": "CUSTOMER", "restock": true, "staffNote": staff_note });
    shop.ask(query!("order_cancel"), variables).await["data"]["orderCancel"].clone()
}

fn refusal(payload: &Value) -> (&str, &str) {
    assert_eq!(payload["job"], Value::Null);
    let error = &payload["orderCancelUserErrors"][0];
    (error["code"].as_str().unwrap(), error["message"].as_str().unwrap())
}

async fn cancelled_at(shop: &Shop, order: &str) -> Value {
    let seen = shop.ask(query!("source_order"), json!({"id": order, "lines": 20})).await;
    seen["data"]["order"]["cancelledAt"].clone()
}

#[tokio::test]
async fn an_order_stands_until_its_cancellation_is_carried_out() {
    let shop = open().await;
    let order = shop.place(&[("MOON-1", 1)]).await;

    let taken = cancel(&shop, &order, "#1042").await;
    let again = cancel(&shop, &order, "#1042").await;

    assert!(taken["job"]["id"].as_str().unwrap().starts_with("gid://shopify/Job/"), "{taken}");
    assert_eq!(taken["orderCancelUserErrors"], json!([]));
    assert_eq!(refusal(&again), ("INVALID", "Cancellation is already in progress"));
    assert_eq!(cancelled_at(&shop, &order).await, Value::Null);
    tokio::time::sleep(DELAY * 2).await;
    assert!(cancelled_at(&shop, &order).await.is_string());
    let once_more = cancel(&shop, &order, "#1042").await;
    assert_eq!(refusal(&once_more), ("INVALID", "Cannot cancel an order that has already been canceled"));
    let seen = shop.client.show_order(DOMAIN, &order).await.unwrap();
    assert_eq!((seen.cancel_reason, seen.refunds.len()), (Some(OrderCancelReason::Customer), 0));
}

#[tokio::test]
async fn an_order_of_which_something_was_sent_is_not_cancelled_however_late_it_was_sent() {
    let shop = open().await;
    let (before, meanwhile) = (shop.place(&[("MOON-1", 1)]).await, shop.place(&[("MOON-1", 1)]).await);
    shop.client.ship(DOMAIN, &before, &Ship::all("UPS", "1Z1")).await.unwrap();

    let refused = cancel(&shop, &before, "#1042").await;
    cancel(&shop, &meanwhile, "#1042").await;
    shop.client.ship(DOMAIN, &meanwhile, &Ship::all("UPS", "1Z2")).await.unwrap();
    tokio::time::sleep(DELAY * 2).await;

    assert_eq!(refusal(&refused), ("INVALID", "Cannot cancel an order that has outstanding fulfillments"));
    assert_eq!(cancelled_at(&shop, &meanwhile).await, Value::Null);
    let refused = cancel(&shop, &meanwhile, "#1042").await;
    assert_eq!(refusal(&refused), ("INVALID", "Cannot cancel an order that has outstanding fulfillments"));
}

#[tokio::test]
async fn what_cannot_be_cancelled_is_refused_as_recorded() {
    let shop = open().await;
    let order = shop.place(&[("MOON-1", 1)]).await;

    let talkative = cancel(&shop, &order, &"x".repeat(256)).await;
    let missing = cancel(&shop, "gid://shopify/Order/1", "#1042").await;

    assert_eq!(refusal(&talkative), ("INVALID", "Staff note is too long. Maximum length is 255 characters."));
    assert_eq!(talkative["orderCancelUserErrors"][0]["field"], json!(["staffNote"]));
    assert_eq!(refusal(&missing).0, "NOT_FOUND");
}
