//! Other tracking for what was sent.

use serde_json::{Value, json};
use shopify_sim::control::{SettingsChange, Ship};
use shopify_sim::state::{MailKind, Order};

use crate::shop::{DOMAIN, Shop, query};

async fn shipped(shop: &Shop) -> (String, u64) {
    let order = shop.place(&[("MOON-1", 1)]).await;
    let shipped = shop.client.ship(DOMAIN, &order, &Ship::all("UPS", "1Z1")).await.unwrap();
    (order, shipped.fulfillment_id)
}

async fn update(shop: &Shop, fulfillment: u64, number: &str, notify: bool) -> Value {
    let variables = json!({
        "fulfillmentId": format!("gid://shopify/Fulfillment/{fulfillment}"),
        "trackingInfoInput": {"company": "USPS", "numbers": [number]},
        "notifyCustomer": notify,
    });
    let answer = shop.ask(query!("fulfillment_tracking_update"), variables).await;
    answer["data"]["fulfillmentTrackingInfoUpdate"].clone()
}

fn updates(order: &Order) -> usize {
    order.mails.iter().filter(|mail| mail.kind == MailKind::ShippingUpdate).count()
}

#[tokio::test]
async fn an_update_replaces_the_number_and_mails_only_if_it_is_asked_to() {
    let shop = Shop::open().await;
    let (order, fulfillment) = shipped(&shop).await;

    update(&shop, fulfillment, "9400-1", false).await;
    let silent = shop.client.show_order(DOMAIN, &order).await.unwrap();
    let told = update(&shop, fulfillment, "9400-2", true).await;

    assert_eq!(updates(&silent), 0);
    assert_eq!(told["userErrors"], json!([]));
    let order = shop.client.show_order(DOMAIN, &order).await.unwrap();
    assert_eq!((updates(&order), order.mails_about("9400-1"), order.mails_about("9400-2")), (1, 0, 1));
    let shown = &order.fulfillments[0].tracking_info;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].number.as_deref(), Some("9400-2"));
}

#[tokio::test]
async fn an_update_of_a_cancelled_fulfillment_succeeds_and_nobody_hears_of_it() {
    let shop = Shop::open().await;
    let (order, fulfillment) = shipped(&shop).await;
    shop.client.cancel_fulfillment(DOMAIN, fulfillment).await.unwrap();

    let done = update(&shop, fulfillment, "9400-1", true).await;

    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(done["fulfillment"]["status"], "CANCELLED");
    assert_eq!(updates(&shop.client.show_order(DOMAIN, &order).await.unwrap()), 0);
}

#[tokio::test]
async fn a_shop_can_refuse_to_overwrite() {
    let shop = Shop::open().await;
    let (order, fulfillment) = shipped(&shop).await;
    let refuse = |refuse| SettingsChange { refuse_overwrite: Some(refuse), ..SettingsChange::default() };

    shop.client.set(DOMAIN, &refuse(true)).await.unwrap();
    let refused = update(&shop, fulfillment, "9400-1", true).await;
    let kept = shop.client.show_order(DOMAIN, &order).await.unwrap();
    shop.client.set(DOMAIN, &refuse(false)).await.unwrap();
    let taken = update(&shop, fulfillment, "9400-1", true).await;

    assert_eq!((&refused["fulfillment"], refused["userErrors"].as_array().unwrap().len()), (&Value::Null, 1));
    assert_eq!((kept.fulfillments[0].tracking_info[0].number.as_deref(), updates(&kept)), (Some("1Z1"), 0));
    assert_eq!(taken["userErrors"], json!([]));
}

#[tokio::test]
async fn a_fulfillment_that_is_not_there_is_refused_in_shopifys_words() {
    let shop = Shop::open().await;

    let refused = update(&shop, 1, "9400-1", false).await;

    assert_eq!(refused["userErrors"][0]["message"], "Fulfillment does not exist.");
}
