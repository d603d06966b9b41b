//! What the lists show, and how many orders stand where.

use roundtrip_domain::ports::Registry;
use roundtrip_domain::registry::LinkChange;
use roundtrip_kit::order::{link, moon};
use serde_json::{Value, json};

use super::Scene;

#[tokio::test]
async fn a_listed_order_shows_its_nine_columns() {
    let scene = Scene::start().await;
    scene.world.ledger.change_links(&[LinkChange::first(link(1))]).await.unwrap();
    scene.world.channel.shop(&moon(), |shop| {
        let order = shop.orders.values_mut().next().unwrap();
        order.tags = vec!["gift".into()];
        order.updated_at += jiff::SignedDuration::from_secs(1);
    });
    scene.look().await;

    let (status, answer) = scene.send("GET", &format!("/v1/shops/{}/orders", moon()), Value::Null).await;

    let order = &answer["orders"][0];
    let shown = ["name", "created_at", "customer_name", "payment_status", "fulfillment_status", "synced_items", "tags"];
    let expected = json!(["#42", "2026-11-22T08:00:00Z", "Ada Byron", "PAID", "UNFULFILLED", 2, ["gift"]]);
    assert_eq!((status, json!(shown.map(|field| order[field].clone()))), (200, expected), "{answer:#}");
    assert_eq!((&order["shipment_method"], &order["amount_paid"]["amount"]), (&json!("DHL Express"), &json!("10.00")));
}

#[tokio::test]
async fn counts_add_up_to_all_orders() {
    let scene = Scene::start().await;

    let (status, answer) = scene.send("GET", &format!("/v1/shops/{}/order-counts", moon()), Value::Null).await;

    let counts = json!({ "not-pushed": 1, "partially-pushed": 0, "pushed": 0, "cancelled": 0 });
    assert_eq!((status, &answer["counts"], &answer["sum"]), (200, &counts, &json!(1)), "{answer:#}");
}
