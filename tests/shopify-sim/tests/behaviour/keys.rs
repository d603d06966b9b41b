//! Order keys: unique, found at once by identifier, found later by search.

use std::time::Duration;

use serde_json::{Value, json};
use shopify_sim::SimConfig;
use shopify_sim::control::{NewShop, PlaceOrder, SettingsChange};
use shopify_sim::state::TakenKey;

use crate::shop::{DOMAIN, Shop, query};

#[tokio::test]
async fn an_order_comes_back_as_it_was_created() {
    let shop = Shop::open().await;
    shop.define_key().await;

    let created = shop.ask(query!("order_create"), shop.new_order("key-1")).await;
    let id = created["data"]["orderCreate"]["order"]["id"].clone();
    let order = shop.ask(query!("order_for_push"), json!({"id": id})).await;

    let order = &order["data"]["order"];
    assert_eq!(order["name"], "#1001");
    assert_eq!(order["tags"], json!(["a", "b"]));
    assert_eq!(order["displayFinancialStatus"], "PAID");
    assert_eq!(order["displayFulfillmentStatus"], "UNFULFILLED");
    assert_eq!(order["orderKey"]["value"], "key-1");
    assert_eq!(order["totalPriceSet"]["shopMoney"], json!({"amount": "29.0", "currencyCode": "USD"}));
    let line = &order["lineItems"]["nodes"][0];
    assert_eq!(line["customAttributes"], json!([{"key": "_line", "value": "gid://shopify/LineItem/1"}]));
    assert_eq!(line["sku"], "MOON-1");
    assert_eq!(line["originalUnitPriceSet"]["shopMoney"]["amount"], "12.0");
}

#[tokio::test]
async fn a_taken_key_is_refused_or_dropped_as_the_shop_is_set() {
    let shop = Shop::open().await;
    shop.define_key().await;
    shop.ask(query!("order_create"), shop.new_order("key-1")).await;

    let refused = shop.ask(query!("order_create"), shop.new_order("key-1")).await;
    let settings = SettingsChange { taken_key: Some(TakenKey::DropSilently), ..SettingsChange::default() };
    shop.client.set(DOMAIN, &settings).await.unwrap();
    let dropped = shop.ask(query!("order_create"), shop.new_order("key-1")).await;

    assert_eq!(refused["data"]["orderCreate"]["order"], Value::Null);
    assert_eq!(refused["data"]["orderCreate"]["userErrors"][0]["code"], "INVALID");
    assert_eq!(dropped["data"]["orderCreate"]["userErrors"], json!([]));
    let orders = shop.client.orders(DOMAIN).await.unwrap();
    assert_eq!(orders.len(), 2);
    assert!(orders[1].metafields.is_empty());
}

#[tokio::test]
async fn search_finds_an_order_later_than_its_identifier_does() {
    let mut config = SimConfig::default();
    config.shop.index_lag = Duration::from_millis(300);
    let shop = Shop::open_with(config, NewShop::selling(DOMAIN, &["MOON-1"])).await;
    shop.define_key().await;

    shop.ask(query!("order_create"), shop.new_order("key-1")).await;
    let at_once = shop.by_key("key-1").await;
    tokio::time::sleep(Duration::from_millis(350)).await;
    let later = shop.by_key("key-1").await;

    assert_eq!(at_once["data"]["orderByIdentifier"]["name"], "#1001");
    assert_eq!(at_once["data"]["orders"]["nodes"], json!([]));
    assert_eq!(later["data"]["orders"]["nodes"][0]["name"], "#1001");
    assert!(later["data"]["metafieldDefinition"]["id"].is_string());
}

#[tokio::test]
async fn a_key_without_its_definition_cannot_be_looked_up() {
    let shop = Shop::open().await;

    let answer = shop.by_key("key-1").await;

    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(answer["data"]["metafieldDefinition"], Value::Null);
}

#[tokio::test]
async fn a_trial_shop_takes_five_orders_a_minute() {
    let shop = Shop::open().await;
    let settings = SettingsChange { order_creates_per_minute: Some(5), ..SettingsChange::default() };
    shop.client.set(DOMAIN, &settings).await.unwrap();

    for number in 0..5 {
        let answer = shop.ask(query!("order_create"), shop.new_order(&number.to_string())).await;
        assert_eq!(answer["data"]["orderCreate"]["userErrors"], json!([]));
    }
    let sixth = shop.ask(query!("order_create"), shop.new_order("6")).await;

    assert_eq!(sixth["data"]["orderCreate"]["userErrors"][0]["message"], "Too many attempts. Please try again later.");
}

#[tokio::test]
async fn pages_of_orders_follow_each_other() {
    let shop = Shop::open().await;
    for _ in 0..5 {
        shop.place(&[("MOON-1", 1)]).await;
    }
    let page = "query OrdersPage($after: String) { orders(first: 2, after: $after, query: \"updated_at:>='2020-01-01' -tag:gone\", sortKey: UPDATED_AT) { nodes { name } pageInfo { hasNextPage endCursor } } }";

    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = shop.ask(page, json!({"after": after})).await;
        let orders = &answer["data"]["orders"];
        names
            .extend(orders["nodes"].as_array().unwrap().iter().map(|order| order["name"].as_str().unwrap().to_owned()));
        after = orders["pageInfo"]["endCursor"].clone();
        if orders["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }

    assert_eq!(names, ["#1001", "#1002", "#1003", "#1004", "#1005"]);
}

#[tokio::test]
async fn an_order_of_more_than_sixty_days_ago_is_shown_only_with_the_scope() {
    let days = |n: i64| jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * n);
    let mut all = SimConfig::default();
    all.scopes.push("read_all_orders".to_owned());
    let orders = "query Orders { orders(first: 9) { nodes { name } } }";

    for (config, shown) in [(SimConfig::default(), json!(["#1002"])), (all, json!(["#1001", "#1002"]))] {
        let shop = Shop::open_with(config, NewShop::selling(DOMAIN, &["MOON-1"])).await;
        let mut gids = Vec::new();
        for age in [61, 59] {
            let order = PlaceOrder { at: Some(days(age)), ..PlaceOrder::of(&[("MOON-1", 1)]) };
            gids.push(shop.client.place_order(DOMAIN, &order).await.unwrap().gid);
        }

        let listed = shop.ask(orders, Value::Null).await;
        let mut read = Vec::new();
        for gid in gids {
            let answer = shop.ask(query!("destination_fulfillments"), json!({"id": gid, "lines": 1})).await;
            read.push(!answer["data"]["order"].is_null());
        }

        let listed: Vec<&Value> =
            listed["data"]["orders"]["nodes"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(json!(listed), shown);
        assert_eq!(read, [shown[0] == "#1001", true]);
    }
}
