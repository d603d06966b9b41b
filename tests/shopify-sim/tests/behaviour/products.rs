//! What a shop sells, and how an app is told that it changes.

use serde_json::{Value, json};
use shopify_sim::control::{NewVariant, VariantChange};

use crate::shop::{DOMAIN, Shop, query};

async fn found(shop: &Shop, search: &str) -> Vec<String> {
    let answer = shop.ask(query!("variants_by_value"), json!({ "query": search })).await;
    let nodes = answer["data"]["productVariants"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    nodes.iter().map(|node| node["sku"].as_str().unwrap().to_owned()).collect()
}

/// What its deliveries said, by topic.
async fn told(shop: &Shop) -> Vec<(String, Value)> {
    let deliveries = shop.client.deliveries().await.unwrap();
    let body = |body: &str| serde_json::from_str(body).unwrap();
    deliveries.iter().map(|it| (it.topic.slashed().to_owned(), body(&it.body))).collect()
}

async fn subscribe(shop: &Shop) {
    for topic in ["PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE"] {
        let subscription = json!({ "uri": "https://nobody.example.com/hook", "format": "JSON" });
        let variables = json!({ "topic": topic, "webhookSubscription": subscription });
        shop.ask(query!("webhook_subscription_create"), variables).await;
    }
}

#[tokio::test]
async fn a_search_finds_loosely_and_a_quoted_value_ends_where_it_is_told() {
    let shop = Shop::open().await;
    for sku in ["moon-1", "MOON-1-XL", "A\" OR sku:\"MOON-2", "AB"] {
        shop.client.set_variant(DOMAIN, &NewVariant::of(sku, 5.into())).await.unwrap();
    }

    assert_eq!(found(&shop, r#"sku:"MOON-1""#).await, ["MOON-1", "moon-1", "MOON-1-XL"]);
    assert_eq!(found(&shop, r#"sku:"MOON-2" OR sku:"AB""#).await, ["MOON-2", "AB"]);
    assert_eq!(found(&shop, r#"sku:"A\" OR sku:\"MOON-2""#).await, ["A\" OR sku:\"MOON-2"]);
    assert!(found(&shop, r#"barcode:"MOON-1""#).await.is_empty());
}

#[tokio::test]
async fn a_product_has_its_variants_until_the_last_is_gone() {
    let shop = Shop::open().await;
    subscribe(&shop).await;
    let beside = NewVariant { beside: Some("MOON-1".into()), ..NewVariant::of("MOON-1-XL", 12.into()) };
    let large = shop.client.set_variant(DOMAIN, &beside).await.unwrap();
    let product = json!({ "id": format!("gid://shopify/Product/{}", large.product_id) });
    let skus = async || {
        let answer = shop.ask(query!("product_variants"), product.clone()).await;
        let nodes = answer["data"]["product"]["variants"]["nodes"].as_array().cloned();
        nodes.map(|nodes| nodes.iter().map(|node| node["sku"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(skus().await, Some(vec!["MOON-1".to_owned(), "MOON-1-XL".to_owned()]));

    let to = VariantChange { sku: Some("MOON-2".into()), barcode: Some("400".into()) };
    shop.client.change_variant(DOMAIN, "MOON-1-XL", &to).await.unwrap();
    assert_eq!(found(&shop, r#"sku:"MOON-2""#).await.len(), 2, "nothing keeps two variants from one SKU");
    shop.client.delete_variant(DOMAIN, &large.id.to_string()).await.unwrap();
    assert_eq!(skus().await, Some(vec!["MOON-1".to_owned()]));
    shop.client.delete_variant(DOMAIN, "MOON-1").await.unwrap();
    assert_eq!(skus().await, None);

    let told = told(&shop).await;
    let topics: Vec<&str> = told.iter().map(|(topic, _)| topic.as_str()).collect();
    assert_eq!(topics, ["products/update", "products/update", "products/update", "products/delete"]);
    assert_eq!(
        (&told[1].1["variants"][1]["sku"], &told[1].1["variants"][1]["barcode"]),
        (&json!("MOON-2"), &json!("400"))
    );
    assert_eq!(told[3].1, json!({ "id": large.product_id }), "a deleted product is named and no more");
}

#[tokio::test]
async fn what_is_gone_is_null_in_its_place() {
    let shop = Shop::open().await;
    let known = shop.view.variant_gid("MOON-2").unwrap();

    let ids = json!({ "ids": ["gid://shopify/ProductVariant/1", known] });
    let answer = shop.ask(query!("variants_by_id"), ids).await;

    let nodes = &answer["data"]["nodes"];
    assert_eq!((&nodes[0], &nodes[1]["sku"]), (&Value::Null, &json!("MOON-2")), "{answer}");
    assert_eq!(answer["extensions"]["cost"]["requestedQueryCost"], 4);
}
