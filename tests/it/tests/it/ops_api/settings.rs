//! Settings over the API: each change is a version, and what makes no sense is refused with its field.

use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::ports::{Clock, Ledger, Registry};
use roundtrip_domain::push::push_order;
use roundtrip_domain::record::{OrderRecord, RequestState};
use roundtrip_domain::registry::{EmailContact, LinkChange, ProductLink, ShippingRate};
use roundtrip_domain::task::{Subject, Task, Trigger};
use roundtrip_kit::order::{connected, euros, line, link, moon, sun};
use serde_json::{Value, json};

use super::Scene;

impl Scene {
    async fn change(&self, settings: Value) -> (u16, Value) {
        self.send("PUT", &format!("/v1/shops/{}/settings", moon()), settings).await
    }

    /// Changes how the moon and the sun are connected.
    async fn connect(&self, settings: Value) -> (u16, Value) {
        let mut body = json!({ "destination": moon(), "source": sun() });
        body.as_object_mut().unwrap().extend(settings.as_object().cloned().unwrap());
        self.send("POST", "/v1/connections", body).await
    }

    async fn record(&self) -> OrderRecord {
        self.world.ledger.load(&order_42()).await.unwrap()
    }

    /// A worker looks at order 42.
    pub(super) async fn look(&self) {
        self.look_because(Trigger::Webhook).await;
    }

    async fn look_because(&self, trigger: Trigger) {
        let task = Task::new(trigger, "e-2", Subject::Order(order_42()));
        push_order(&self.world, &task).await.unwrap();
    }

    /// Asks for order 42 to be pushed: the status, and the code or nothing.
    async fn push(&self, body: Value) -> (u16, String) {
        let (status, answer) = self.send("POST", &format!("/v1/shops/{}/orders/42/pushes", moon()), body).await;
        (status, answer["code"].as_str().unwrap_or_default().to_owned())
    }
}

fn order_42() -> OrderRef {
    OrderRef { shop: moon(), id: OrderId::new(42) }
}

fn refused((status, answer): &(u16, Value)) -> (u16, &str, &str) {
    let text = |field: &str| answer[field].as_str().unwrap_or_default();
    (*status, text("code"), text("field"))
}

#[tokio::test]
async fn each_change_is_a_version_with_who_made_it_and_one_that_changes_nothing_is_none() {
    let scene = Scene::start().await;

    let first = scene.change(json!({ "require_email": false })).await;
    let same = scene.change(json!({ "require_email": false })).await;
    scene.connect(json!({ "grace_secs": 600 })).await;
    let last = scene.change(json!({ "email_contact": { "method": "custom", "email": "ops@x.com" } })).await;

    assert_eq!((&first.1["settings_change"]["version"], &first.1["settings_change"]["by"]), (&json!(1), &json!("ada")));
    assert_eq!(same.1["settings_change"], first.1["settings_change"]);
    assert_eq!(last.1["settings_change"]["version"], 2);
    let (status, answer) = scene.send("GET", &format!("/v1/shops/{}/settings/versions", moon()), Value::Null).await;
    let of_shop = answer["versions"].as_array().unwrap().iter().filter(|it| it["source"].is_null());
    let of_shop: Vec<&Value> = of_shop.map(|it| &it["change"]["version"]).collect();
    assert_eq!((status, of_shop), (200, vec![&json!(2), &json!(1)]), "{answer:#}");
    let connection = &answer["versions"][1];
    assert_eq!((&connection["source"], &connection["change"]["version"]), (&json!(sun()), &json!(2)));
    assert_eq!(connection["settings"]["grace_secs"], 600);
    assert_eq!(answer["versions"][2]["settings"]["require_email"], false);
    let shop = scene.world.ledger.shop(&moon()).await.unwrap().unwrap();
    assert_eq!(shop.shop.settings.email_contact, EmailContact::Custom { email: "ops@x.com".into() });
    assert!(shop.shop.settings.order_sync, "what was left out stays as it is");
}

#[tokio::test]
async fn of_two_who_change_settings_at_once_one_is_told_to_look_again() {
    let scene = Scene::start().await;

    let answers = tokio::join!(
        scene.change(json!({ "require_email": false })),
        scene.change(json!({ "allow_test": true })),
        scene.change(json!({ "plan": "paid" })),
    );

    let mut statuses = [answers.0.0, answers.1.0, answers.2.0];
    statuses.sort_unstable();
    assert!(statuses[0] == 200 && statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    let done = statuses.iter().filter(|status| **status == 200).count() as u64;
    let shop = scene.world.ledger.shop(&moon()).await.unwrap().unwrap().shop;
    assert_eq!(shop.settings_change.version, done, "no change was lost");
}

#[tokio::test]
async fn shipping_rates_are_amounts_of_the_stores_currency_each_value_once() {
    let scene = Scene::start().await;
    let rates = |rates: &[(&str, &str)]| {
        let rates: Vec<Value> = rates.iter().map(|(from, fee)| json!({ "from": from, "fee": fee })).collect();
        json!({ "shipping_rates": rates })
    };

    for (wrong, expected) in [
        (rates(&[("100", "-1")]), (422, "INVALID_VALUE", "shipping_rates.fee")),
        (rates(&[("100", "1.005")]), (422, "INVALID_VALUE", "shipping_rates.fee")),
        (rates(&[("-0.01", "1")]), (422, "INVALID_VALUE", "shipping_rates.from")),
        (rates(&[("100", "1"), ("100.00", "2")]), (400, "INVALID_FIELD", "shipping_rates.from")),
        (rates(&[("1", "1"); 51]), (400, "INVALID_FIELD", "shipping_rates")),
        (
            json!({ "email_contact": { "method": "custom", "email": "nobody" } }),
            (400, "INVALID_FIELD", "email_contact.email"),
        ),
    ] {
        assert_eq!(refused(&scene.change(wrong.clone()).await), expected, "{wrong}");
    }
    assert_eq!(scene.change(rates(&[("100.00", "10.00"), ("0", "5.5")])).await.0, 200);

    let kept = scene.world.ledger.shop(&moon()).await.unwrap().unwrap().shop.settings.shipping_rates;
    let rate = |from: &str, fee: &str| ShippingRate { from: from.parse().unwrap(), fee: fee.parse().unwrap() };
    assert_eq!(kept, [rate("100.00", "10.00"), rate("0", "5.5")]);
    assert_eq!(scene.change(json!({ "shipping_rates": [] })).await.1["settings"]["shipping_rates"], json!([]));
}

#[tokio::test]
async fn nothing_goes_by_itself_through_a_connection_of_a_store_that_pushes_by_hand() {
    let scene = Scene::start().await;
    scene.change(json!({ "auto_push": false })).await;

    assert_eq!(refused(&scene.connect(json!({ "auto_push": true })).await), (409, "AUTO_PUSH_OFF", ""));

    let on = scene.change(json!({ "auto_push": true })).await.1;
    assert!(on["settings"]["auto_push_since"].is_string(), "orders of before stay: {on:#}");
    let (status, answer) = scene.connect(json!({ "auto_push": true })).await;
    assert_eq!((status, &answer["connection"]["settings"]["auto_push"]), (200, &json!(true)));
    assert_eq!(refused(&scene.change(json!({ "order_sync": false })).await), (409, "ORDER_SYNC_OFF", ""));
    assert_eq!(scene.change(json!({ "order_sync": false, "auto_push": false })).await.0, 200);
}

#[tokio::test]
async fn a_connection_takes_rates_and_prices_that_mean_something() {
    let scene = Scene::start().await;

    for (wrong, field) in [
        (json!({ "exchange_rate": "0" }), "exchange_rate"),
        (json!({ "exchange_rate": "-1.5" }), "exchange_rate"),
        (json!({ "unit_price": { "percentage": "-1" } }), "unit_price.percentage"),
        (json!({ "unit_price": { "percentage": "1001" } }), "unit_price.percentage"),
    ] {
        assert_eq!(refused(&scene.connect(wrong.clone()).await), (422, "INVALID_VALUE", field), "{wrong}");
    }
    let set = scene.connect(json!({ "exchange_rate": "1.08", "unit_price": { "percentage": "80" } })).await.1;
    assert_eq!(set["connection"]["settings"]["exchange_rate"], "1.08");
    assert_eq!(set["connection"]["settings"]["unit_price"], json!({ "percentage": "80" }));
    let kept = scene.connect(json!({ "grace_secs": 5 })).await.1;
    assert_eq!(kept["connection"]["settings"]["exchange_rate"], "1.08", "left out: it stays");
    let taken = scene.connect(json!({ "exchange_rate": null })).await.1;
    assert_eq!(taken["connection"]["settings"]["exchange_rate"], Value::Null, "{taken:#}");
}

#[tokio::test]
async fn a_fee_is_for_a_push_by_hand_in_the_source_stores_currency() {
    let scene = Scene::start().await;

    for fee in ["-0.01", "7.351"] {
        let body = json!({ "source": sun(), "shipping_fee": fee });
        assert_eq!(scene.push(body).await, (422, "INVALID_VALUE".to_owned()), "{fee}");
    }
    assert_eq!(scene.push(json!({ "source": sun(), "shipping_fee": "7.35" })).await.0, 202);

    let requests = scene.record().await.requests;
    let request = requests.values().next().unwrap().get();
    assert_eq!((requests.len(), request.shipping_fee.clone()), (1, Some(euros("7.35"))));
    scene.connect(json!({ "auto_push": true })).await;
    let mut shop = scene.world.ledger.shop(&moon()).await.unwrap().unwrap();
    shop.shop.settings.auto_push_since = None;
    let mut connection = shop.outbound.remove(0);
    connection.settings.auto_push_since = None;
    connection.settings_change.version += 1;
    scene.world.ledger.put_connection(&connection).await.unwrap();
    assert_eq!(scene.push(json!({ "source": sun(), "shipping_fee": "7.35" })).await, (422, "INVALID_VALUE".to_owned()));
}

#[tokio::test]
async fn an_order_of_before_takes_a_fee_by_hand_unless_somebody_wants_it_to_go_by_itself() {
    for (trigger, status) in [(Trigger::Webhook, 202), (Trigger::Unpushed, 422)] {
        let scene = Scene::start().await;
        scene.connect(json!({ "auto_push": true })).await;

        scene.look_because(trigger).await;

        assert_eq!(scene.push(json!({ "source": sun(), "shipping_fee": "7.35" })).await.0, status, "{trigger:?}");
    }
}

#[tokio::test]
async fn a_push_without_a_source_asks_each_store_that_does_not_have_its_part() {
    let scene = Scene::start().await;
    assert_eq!(scene.push(json!({})).await, (409, "NOTHING_TO_PUSH".to_owned()));
    scene.world.ledger.change_links(&[LinkChange::first(link(1))]).await.unwrap();
    scene.look().await;

    let (status, answer) = scene.send("POST", &format!("/v1/shops/{}/orders/42/pushes", moon()), json!({})).await;

    assert_eq!((status, &answer["requests"][0]["source"]), (202, &json!(sun())), "{answer:#}");
    let record = scene.record().await;
    let request = record.requests[answer["requests"][0]["id"].as_str().unwrap()].get();
    assert!(matches!(request.state, RequestState::Open { .. }));
}

#[tokio::test]
async fn what_is_sent_to_source_stores_is_published() {
    let scene = Scene::start().await;

    let (status, answer) = scene.send("GET", "/v1/push/forwarded-fields", Value::Null).await;

    let fields: Vec<&str> = answer["fields"].as_array().unwrap().iter().filter_map(|it| it["field"].as_str()).collect();
    assert_eq!(status, 200);
    assert!(fields.contains(&"order.shippingAddress.city") && !fields.iter().any(|field| field.contains("discount")));
    let docs = include_str!("../../../../../docs/API.md");
    for field in fields {
        assert!(docs.contains(&format!("| `{field}` |")), "docs/API.md does not list {field}");
    }
}

#[tokio::test]
async fn orders_of_before_automatic_push_are_counted_before_they_go() {
    let scene = Scene::start().await;
    scene.change(json!({ "auto_push": false })).await;
    scene.world.ledger.change_links(&[LinkChange::first(link(1))]).await.unwrap();
    scene.look().await;
    assert_eq!(
        refused(&scene.change(json!({ "include_existing": true })).await),
        (400, "INVALID_FIELD", "include_existing")
    );
    assert_eq!(refused(&scene.change(json!({ "dry_run": true })).await), (400, "INVALID_FIELD", "dry_run"));

    let with = json!({ "auto_push": true, "include_existing": true, "dry_run": true });
    let tried = scene.change(with.clone()).await.1;
    assert_eq!(tried["existing"], json!({ "orders": 0, "or_more": false }), "its connection is by hand: {tried:#}");
    let mut automatic = scene.world.ledger.shop(&moon()).await.unwrap().unwrap().outbound.remove(0);
    automatic.settings.auto_push = true;
    automatic.settings_change.version += 1;
    scene.world.ledger.put_connection(&automatic).await.unwrap();
    let tried = scene.change(with).await.1;
    assert_eq!(tried["existing"], json!({ "orders": 1, "or_more": false }), "{tried:#}");
    assert!(!scene.world.ledger.shop(&moon()).await.unwrap().unwrap().shop.settings.auto_push, "nothing was changed");

    let (status, answer) = scene.change(json!({ "auto_push": true, "include_existing": true })).await;
    assert_eq!((status, answer["settings"]["auto_push_since"].is_string()), (200, true), "{answer:#}");
    let run = scene.run(answer["run_id"].as_str().unwrap()).await;
    assert_eq!(run["occasion"], "unpushed", "{run:#}");
}

#[tokio::test]
async fn a_fee_is_for_one_store() {
    let scene = Scene::start().await;
    let mars: roundtrip_domain::id::ShopDomain = "mars.myshopify.com".parse().unwrap();
    scene.world.ledger.register_shop(&connected(mars.clone(), scene.world.clock.now())).await.unwrap();
    scene.send("POST", "/v1/connections", json!({ "destination": moon(), "source": mars })).await;
    let of_mars = ProductLink { source: mars, ..link(2) };
    scene.world.ledger.change_links(&[LinkChange::first(link(1)), LinkChange::first(of_mars)]).await.unwrap();
    scene.world.channel.shop(&moon(), |shop| shop.orders.values_mut().next().unwrap().lines.push(line(2)));
    scene.look().await;

    assert_eq!(scene.push(json!({ "shipping_fee": "7.35" })).await, (422, "INVALID_VALUE".to_owned()));
    assert_eq!(scene.push(json!({})).await.0, 202);
    assert_eq!(scene.record().await.requests.len(), 2);
}

#[tokio::test]
async fn through_a_new_connection_goes_what_is_placed_from_then_on() {
    let scene = Scene::start().await;
    let mars: roundtrip_domain::id::ShopDomain = "mars.myshopify.com".parse().unwrap();
    scene.world.ledger.register_shop(&connected(mars.clone(), scene.world.clock.now())).await.unwrap();

    let (status, answer) =
        scene.send("POST", "/v1/connections", json!({ "destination": moon(), "source": mars })).await;

    let settings = &answer["connection"]["settings"];
    assert_eq!((status, &settings["auto_push"]), (201, &json!(true)));
    assert!(settings["auto_push_since"].is_string(), "{answer:#}");
}

#[tokio::test]
async fn a_change_of_settings_has_what_they_spoke_against_looked_at() {
    let scene = Scene::start().await;

    let (_, answer) = scene.change(json!({ "require_email": false })).await;

    let run = scene.run(answer["run_id"].as_str().unwrap()).await;
    assert_eq!(run["occasion"], "settings", "{run:#}");
}
