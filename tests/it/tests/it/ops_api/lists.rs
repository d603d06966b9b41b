//! What the lists show, and how many orders stand where.

use jiff::SignedDuration;
use roundtrip_domain::registry::LinkChange;
use roundtrip_kit::order::{link, moon};

use super::*;

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
    let expected = json!(["#42", scene.on_day(0, "T08:00:00Z"), "Ada Byron", "PAID", "UNFULFILLED", 2, ["gift"]]);
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

impl Scene {
    /// A moment so many days after the scene begins.
    fn on_day(&self, day: i64, time: &str) -> String {
        let day = three_days_ago() + SignedDuration::from_hours(24 * day);
        format!("{}{time}", day.strftime("%Y-%m-%d"))
    }

    /// The moon's list by a query: the numbers that are shown, and whether there is more.
    async fn list(&self, query: &str) -> (Vec<u64>, Option<String>) {
        let (status, answer) = self.send("GET", &format!("/v1/shops/{}/orders?{query}", moon()), Value::Null).await;
        assert_eq!(status, 200, "{query}: {answer:#}");
        let id = |order: &Value| order["id"].as_str().unwrap().parse().unwrap();
        (answer["orders"].as_array().unwrap().iter().map(id).collect(), answer["next"].as_str().map(Into::into))
    }

    /// Another order of the moon, so many minutes after order 42, as the ledger knows it.
    async fn another(&self, id: u64, minutes: i64, change: impl FnOnce(&mut roundtrip_domain::order::Order)) {
        let mut order = paid_order(id, self.world.clock.now() + SignedDuration::from_mins(minutes));
        change(&mut order);
        let at = order.at.clone();
        self.world.channel.shop(&moon(), |shop| shop.orders.insert(at.id, order));
        push_order(&self.world, &Task::new(Trigger::Webhook, "e-2", Subject::Order(at))).await.unwrap();
    }

    async fn tags(&self, body: Value) -> (u16, Value) {
        self.send("POST", &format!("/v1/shops/{}/orders/42/tags", moon()), body).await
    }
}

#[tokio::test]
async fn a_list_shows_what_every_filter_lets_through() {
    let scene = Scene::start().await;
    scene.world.ledger.change_links(&[LinkChange::first(link(1))]).await.unwrap();
    scene.another(43, 60, |order| order.tags = vec!["gift".into(), "b2b".into()]).await;
    scene.another(44, 24 * 60, |order| order.fulfillment_status = "FULFILLED".to_owned().into()).await;
    scene.another(45, 48 * 60, |order| order.cancelled_at = Some(order.updated_at)).await;
    scene.look().await;

    for (query, shown) in [
        ("", vec![45, 44, 43, 42]),
        ("tab=cancelled", vec![45]),
        ("tag=gift", vec![43]),
        ("tag=gif", vec![]),
        ("fulfillment_status=FULFILLED", vec![44]),
        ("shipped=true", vec![44]),
        ("shipped=false&tag=b2b", vec![43]),
        ("source=sun.myshopify.com", vec![45, 44, 43, 42]),
        ("source=mars.myshopify.com", vec![]),
        ("from=DAY1", vec![45, 44]),
        ("before=DAY1", vec![43, 42]),
        ("from=DAY0T09:00:00Z&before=DAY2", vec![44, 43]),
        ("number=%2343", vec![43]),
        ("number=43", vec![43]),
        ("number=43&tab=cancelled", vec![]),
        ("number=43&shipped=true", vec![]),
        ("number=43&from=DAY1", vec![]),
        ("number=%2399", vec![]),
    ] {
        let dated = (0..3).fold(query.to_owned(), |it, day| it.replace(&format!("DAY{day}"), &scene.on_day(day, "")));
        assert_eq!(scene.list(&dated).await, (shown, None), "{dated}");
    }
    for query in [
        "number=",
        "number=%20",
        "fulfillment_status=lost",
        "after=2026-11-22T08:00:00Z%2342",
        "from=yesterday",
        "shipped=maybe",
        "source=moon",
        "limit=251",
        "after=x",
    ] {
        let (status, answer) = scene.send("GET", &format!("/v1/shops/{}/orders?{query}", moon()), Value::Null).await;
        assert_eq!((status, &answer["field"]), (400, &json!(query.split('=').next().unwrap())), "{answer:#}");
    }
}

#[tokio::test]
async fn pages_of_all_tabs_show_each_order_once_though_orders_come_and_move() {
    let scene = Scene::start().await;
    for id in 43..=48 {
        scene.another(id, i64::try_from(id).unwrap(), |order| order.tags = vec![format!("t{}", id % 2)]).await;
    }

    let (first, next) = scene.list("limit=3").await;
    scene.another(49, 100, |_| ()).await;
    scene
        .another(46, 46, |order| {
            order.cancelled_at = Some(order.updated_at);
            order.updated_at += SignedDuration::from_secs(1);
        })
        .await;
    let (second, next) = scene.list(&format!("limit=3&after={}", next.unwrap().replace('#', "%23"))).await;
    let (third, end) = scene.list(&format!("limit=3&after={}", next.unwrap().replace('#', "%23"))).await;

    assert_eq!((first, second, third, end), (vec![48, 47, 46], vec![45, 44, 43], vec![42], None));
    let (odd, next) = scene.list("tag=t1&limit=2").await;
    let (rest, end) = scene.list(&format!("tag=t1&limit=2&after={}", next.unwrap().replace('#', "%23"))).await;
    assert_eq!((odd, rest, end), (vec![47, 45], vec![43], None));
}

#[tokio::test]
async fn what_failed_and_what_waits_has_a_badge_until_it_is_over() {
    let scene = Scene::start().await;
    let badges = async || {
        let (_, answer) = scene.send("GET", &format!("/v1/shops/{}/orders", moon()), Value::Null).await;
        answer["orders"][0]["badges"].clone()
    };
    assert_eq!(badges().await, json!([]));

    scene.label(json!({ "lines": [{ "line_item": "101", "quantity": 3 }] })).await;
    scene.work().await;
    assert_eq!(badges().await, json!([{ "state": "failed", "what": "shipment", "code": "PRODUCTS_MISMATCH" }]));
    scene.label(json!({ "lines": [{ "line_item": "101", "quantity": 2 }] })).await;
    scene.work().await;
    assert_eq!(badges().await, json!([]));
    assert_eq!(scene.list("shipped=true").await.0, [42]);

    scene.void("se-1").await;
    scene.work().await;
    assert_eq!(badges().await, json!([{ "state": "waiting", "what": "shipment", "why": "replacement" }]));
}

#[tokio::test]
async fn a_users_own_tags_stand_apart_and_outlive_every_look() {
    let scene = Scene::start().await;

    let (status, added) = scene.tags(json!({ "add": ["call back", " vip "] })).await;
    assert_eq!((status, &added["own_tags"]), (200, &json!(["call back", "vip"])), "{added:#}");
    scene.world.channel.shop(&moon(), |shop| {
        let order = shop.orders.values_mut().next().unwrap();
        order.tags = vec!["gift".into()];
        order.updated_at += SignedDuration::from_secs(1);
    });
    scene.look().await;
    let (_, kept) = scene.tags(json!({ "remove": ["vip", "never there"] })).await;

    assert_eq!((&kept["tags"], &kept["own_tags"]), (&json!(["gift"]), &json!(["call back"])), "{kept:#}");
    assert_eq!(scene.list("tag=call%20back").await.0, [42]);
    let calls = scene.world.channel.shop(&moon(), |shop| shop.calls.clone());
    assert!(!calls.iter().any(|call| call.contains("tags")), "{calls:?}");
    assert_eq!(told(&scene.order().await), ["call back", "call back, vip"]);
    for (body, field) in [
        (json!({ "add": ["a,b"] }), "add[0]"),
        (json!({ "add": ["ok", " "] }), "add[1]"),
        (json!({ "remove": ["x".repeat(41)] }), "remove[0]"),
        (json!({ "add": vec!["x"; 21] }), "add"),
        (json!({ "put": ["x"] }), "put"),
    ] {
        let (status, answer) = scene.tags(body).await;
        assert_eq!((status, &answer["field"]), (400, &json!(field)), "{answer:#}");
    }
    let many: Vec<String> = (0..20).map(|n| format!("t{n}")).collect();
    assert_eq!(scene.tags(json!({ "add": many })).await.1["code"], "INVALID_VALUE");
}

#[tokio::test]
async fn tags_of_two_users_at_once_are_both_kept() {
    let scene = Scene::start().await;

    let (one, other) = tokio::join!(scene.tags(json!({ "add": ["one"] })), scene.tags(json!({ "add": ["other"] })));

    assert_eq!((one.0, other.0), (200, 200));
    assert_eq!(scene.tags(json!({})).await.1["own_tags"], json!(["one", "other"]));
}

#[tokio::test]
async fn a_source_store_sees_what_it_received_from_whom_and_how_far_it_has_come() {
    let scene = Scene::start().await;
    scene.world.ledger.change_links(&[LinkChange::first(link(1))]).await.unwrap();
    let path = format!("/v1/shops/{}/orders/42/pushes", moon());
    assert_eq!(scene.send("POST", &path, json!({ "source": sun() })).await.0, 202);
    scene.look().await;
    let received = async |query: &str| {
        let path = format!("/v1/shops/{}/received-orders?{query}", sun());
        let (status, answer) = scene.send("GET", &path, Value::Null).await;
        assert_eq!(status, 200, "{answer:#}");
        answer["orders"].as_array().unwrap().clone()
    };

    let [order] = &received("").await[..] else { panic!("one order") };
    assert_eq!(
        (&order["order_name"], &order["units"], &order["state"]),
        (&json!("#42"), &json!(2), &json!("unfulfilled"))
    );
    assert_eq!(order["origin"], json!({ "shop": moon(), "id": "42" }));
    let id: OrderId = order["id"].as_str().unwrap().parse().unwrap();
    let name = order["name"].as_str().unwrap().to_owned();
    for (sent, state) in [(1, "partially-fulfilled"), (2, "fulfilled"), (0, "unfulfilled")] {
        scene.world.channel.shop(&sun(), |shop| shop.shipped.insert(id, shipped_units(sent)));
        let at = OrderRef { shop: sun(), id };
        write_back(&scene.world, &Task::new(Trigger::Webhook, "e-3", Subject::Order(at))).await.unwrap();
        assert_eq!(received("").await[0]["state"], state);
        assert_eq!(received(&format!("state={state}")).await.len(), 1);
    }
    assert_eq!(received("state=fulfilled").await.len(), 0);
    assert_eq!(received("origin=moon.myshopify.com&from=2026-11-01").await.len(), 1);
    assert_eq!(received("origin=mars.myshopify.com").await.len(), 0);
    assert_eq!(received(&format!("number={}", name.replace('#', "%23"))).await.len(), 1);
    assert_eq!(received("number=none").await.len(), 0);
    let path = format!("/v1/shops/{}/received-orders?state=lost", sun());
    let (status, answer) = scene.send("GET", &path, Value::Null).await;
    assert_eq!((status, &answer["field"]), (400, &json!("state")), "{answer:#}");
}

fn shipped_units(quantity: u32) -> Vec<roundtrip_domain::channel::ShippedFulfillment> {
    if quantity == 0 {
        return Vec::new();
    }
    vec![roundtrip_domain::channel::ShippedFulfillment {
        id: roundtrip_domain::id::FulfillmentId::new(900),
        state: "SUCCESS".to_owned().into(),
        location: None,
        tracking: Vec::new(),
        lines: vec![(roundtrip_domain::id::LineItemId::new(101), quantity)],
    }]
}
