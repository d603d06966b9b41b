//! Source orders that are cancelled with their order, over the API.

use roundtrip_domain::ports::Registry;
use roundtrip_domain::registry::LinkChange;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{link, moon, sun};
use serde_json::{Value, json};

use super::Scene;

impl Scene {
    async fn cancellations(&self) -> Value {
        let (_, shown) = self.send("GET", &format!("/v1/shops/{}/orders/42", moon()), Value::Null).await;
        shown["cancellations"].clone()
    }
}

#[tokio::test]
async fn how_far_a_source_order_is_cancelled_with_its_order_is_shown() {
    let scene = Scene::start().await;
    let on = json!({ "destination": moon(), "source": sun(), "auto_push": true, "cancel_source": true });
    let (status, answer) = scene.send("POST", "/v1/connections", on).await;
    assert_eq!((status, &answer["connection"]["settings"]["cancel_source"]), (200, &json!(true)));
    scene.world.ledger.change_links(&[LinkChange::first(link(1))]).await.unwrap();
    scene.look().await;
    let pushed = scene.send("POST", &format!("/v1/shops/{}/orders/42/pushes", moon()), json!({})).await;
    assert_eq!(pushed.0, 202, "{pushed:?}");
    scene.look().await;
    assert_eq!(scene.cancellations().await, json!([]));

    scene.world.channel.shop(&sun(), |shop| shop.mutation_faults.push_back(Fault::Refused));
    scene.world.channel.shop(&moon(), |shop| {
        let order = shop.orders.values_mut().next().unwrap();
        order.cancelled_at = Some(order.updated_at);
    });
    scene.look().await;

    let shown = scene.cancellations().await;
    let step = &shown[0];
    assert_eq!((&step["source"], &step["group"], &step["state"]), (&json!(sun()), &json!(1), &json!("pending")));
    assert_eq!((&step["parked"], &step["help"]), (&json!("REJECTED"), &json!("/v1/help/REJECTED")), "{shown:#}");
}
