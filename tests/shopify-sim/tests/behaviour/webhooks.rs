//! Webhooks as an endpoint sees them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use shopify_sim::SimConfig;
use shopify_sim::control::{NewShop, Ship};
use shopify_sim::faults::{WebhookFault, WebhookFaultRule};
use shopify_sim::webhooks::Topic;

use crate::shop::{DOMAIN, Shop, query};

/// An endpoint that refuses the first so many webhooks.
#[derive(Clone, Default)]
struct Endpoint {
    refuse: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Endpoint {
    /// Its address, under a name that only loopback has.
    async fn open(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let app = Router::new().route("/hook", post(Self::take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://abc123.execute-api.localhost:{port}/hook")
    }

    async fn take(State(endpoint): State<Self>, headers: HeaderMap, body: Bytes) -> StatusCode {
        endpoint.seen.lock().unwrap().push((headers, body));
        let refused = endpoint.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if refused.is_ok() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    }

    async fn wait_for(&self, count: usize) -> Vec<(HeaderMap, Bytes)> {
        for _ in 0..400 {
            let seen = self.seen.lock().unwrap().clone();
            if seen.len() >= count {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("only {} webhooks came", self.seen.lock().unwrap().len());
    }
}

async fn subscribe(shop: &Shop, topic: &str, uri: &str) -> Value {
    let variables = json!({"topic": topic, "webhookSubscription": {"uri": uri, "format": "JSON"}});
    shop.ask(query!("webhook_subscription_create"), variables).await["data"]["webhookSubscriptionCreate"].clone()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).unwrap().to_str().unwrap()
}

async fn open_with_retries(pauses: usize) -> Shop {
    let webhook_retry = vec![Duration::from_millis(5); pauses];
    Shop::open_with(SimConfig { webhook_retry, ..SimConfig::default() }, NewShop::selling(DOMAIN, &["MOON-1"])).await
}

#[tokio::test]
async fn a_webhook_is_signed_and_carries_the_order() {
    let (shop, endpoint) = (Shop::open().await, Endpoint::default());
    subscribe(&shop, "ORDERS_PAID", &endpoint.open().await).await;
    let order = shop.place(&[("MOON-1", 2)]).await;

    let seen = endpoint.wait_for(1).await;

    let (headers, body) = &seen[0];
    assert_eq!(header(headers, "x-shopify-topic"), "orders/paid");
    assert_eq!(header(headers, "x-shopify-shop-domain"), DOMAIN);
    assert_eq!(header(headers, "x-shopify-hmac-sha256"), shopify_sim::sign(body, &shop.sim.config().client_secret));
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["admin_graphql_api_id"], order.as_str());
    assert_eq!(body["line_items"][0]["variant_id"], shop.view.variants[0].id);
}

#[tokio::test]
async fn a_refused_webhook_is_sent_again_unchanged() {
    let (shop, endpoint) = (open_with_retries(8).await, Endpoint::default());
    endpoint.refuse.store(2, Ordering::SeqCst);
    subscribe(&shop, "ORDERS_CREATE", &endpoint.open().await).await;
    shop.place(&[("MOON-1", 1)]).await;

    let seen = endpoint.wait_for(3).await;

    assert_eq!(seen[0].1, seen[2].1);
    assert_eq!(header(&seen[0].0, "x-shopify-webhook-id"), header(&seen[2].0, "x-shopify-webhook-id"));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let delivery = &shop.client.deliveries().await.unwrap()[0];
    let statuses: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(503), Some(503), Some(200)]);
    assert!(delivery.is_delivered() && delivery.finished);
}

#[tokio::test]
async fn a_subscription_is_deleted_when_a_webhook_is_given_up() {
    let (shop, endpoint) = (open_with_retries(8).await, Endpoint::default());
    endpoint.refuse.store(usize::MAX, Ordering::SeqCst);
    subscribe(&shop, "ORDERS_CREATE", &endpoint.open().await).await;
    shop.place(&[("MOON-1", 1)]).await;

    endpoint.wait_for(9).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    assert_eq!(endpoint.seen.lock().unwrap().len(), 9);
    let left = shop.ask(query!("webhook_subscriptions"), json!({})).await;
    assert_eq!(left["data"]["webhookSubscriptions"]["nodes"], json!([]));
}

#[tokio::test]
async fn a_shipment_tells_of_the_fulfillment_and_of_the_order() {
    let (shop, endpoint) = (Shop::open().await, Endpoint::default());
    let uri = endpoint.open().await;
    for topic in ["FULFILLMENTS_CREATE", "ORDERS_PARTIALLY_FULFILLED", "FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE"] {
        subscribe(&shop, topic, &uri).await;
    }
    let order = shop.place(&[("MOON-1", 2)]).await;
    shop.client.ship(DOMAIN, &order, &Ship::all("USPS", "9400").line("MOON-1", 1)).await.unwrap();

    let seen = endpoint.wait_for(3).await;

    let find = |topic: &str| -> Value {
        let (_, body) = seen.iter().find(|(headers, _)| header(headers, "x-shopify-topic") == topic).unwrap();
        serde_json::from_slice(body).unwrap()
    };
    assert_eq!(find("fulfillments/create")["tracking_numbers"], json!(["9400"]));
    assert_eq!(find("orders/partially_fulfilled")["fulfillment_status"], "partial");
    assert!(
        find("fulfillment_orders/order_routing_complete")["fulfillment_order"]["id"]
            .as_str()
            .unwrap()
            .starts_with("gid://shopify/FulfillmentOrder/")
    );
}

#[tokio::test]
async fn webhooks_can_be_dropped_and_doubled() {
    let (shop, endpoint) = (Shop::open().await, Endpoint::default());
    subscribe(&shop, "ORDERS_CREATE", &endpoint.open().await).await;
    for fault in [WebhookFault::Drop, WebhookFault::Double] {
        shop.client.add_webhook_fault(&WebhookFaultRule::next(DOMAIN, Topic::OrdersCreate, fault)).await.unwrap();
    }
    shop.place(&[("MOON-1", 1)]).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let second = shop.place(&[("MOON-1", 1)]).await;

    let seen = endpoint.wait_for(2).await;

    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(endpoint.seen.lock().unwrap().len(), 2);
    assert_eq!(header(&seen[0].0, "x-shopify-webhook-id"), header(&seen[1].0, "x-shopify-webhook-id"));
    assert!(seen.iter().all(|(_, body)| String::from_utf8_lossy(body).contains(&second)));
}

#[tokio::test]
async fn a_webhook_can_be_overtaken() {
    let (shop, endpoint) = (Shop::open().await, Endpoint::default());
    subscribe(&shop, "ORDERS_CREATE", &endpoint.open().await).await;
    let reorder = WebhookFaultRule::next(DOMAIN, Topic::OrdersCreate, WebhookFault::Reorder);
    shop.client.add_webhook_fault(&reorder).await.unwrap();
    let first = shop.place(&[("MOON-1", 1)]).await;
    let second = shop.place(&[("MOON-1", 1)]).await;

    let seen = endpoint.wait_for(2).await;

    let bodies: Vec<Value> = seen.iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect();
    assert_eq!(bodies[0]["admin_graphql_api_id"], second.as_str());
    assert_eq!(bodies[1]["admin_graphql_api_id"], first.as_str());
}

#[tokio::test]
async fn an_uninstall_is_told_and_nothing_after_it() {
    let (shop, endpoint) = (Shop::open().await, Endpoint::default());
    let uri = endpoint.open().await;
    subscribe(&shop, "APP_UNINSTALLED", &uri).await;
    subscribe(&shop, "ORDERS_CREATE", &uri).await;
    shop.client.uninstall(DOMAIN).await.unwrap();
    shop.place(&[("MOON-1", 1)]).await;

    let seen = endpoint.wait_for(1).await;

    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(endpoint.seen.lock().unwrap().len(), 1);
    assert_eq!(header(&seen[0].0, "x-shopify-topic"), "app/uninstalled");
    assert_eq!(shop.send(query!("shop_facts"), json!({})).await.unwrap().status(), 401);
}

#[tokio::test]
async fn addresses_are_refused_in_shopifys_words() {
    let strict =
        Shop::open_with(SimConfig { allow_http: false, ..SimConfig::default() }, NewShop::selling(DOMAIN, &[])).await;

    let message = |answer: Value| answer["userErrors"][0]["message"].as_str().map(str::to_owned);
    let plain = subscribe(&strict, "ORDERS_PAID", "http://example.com/hook").await;
    assert_eq!(plain["userErrors"][0]["field"], json!(["webhookSubscription", "callbackUrl"]));
    assert_eq!(message(plain).unwrap(), "Address protocol http:// is not supported");
    let own = subscribe(&strict, "ORDERS_PAID", "https://moon-shop.myshopify.com/hook").await;
    assert_eq!(message(own).unwrap(), "Address cannot be a Shopify or an internal domain");
    assert_eq!(message(subscribe(&strict, "ORDERS_PAID", "https://example.com/hook").await), None);
    let again = subscribe(&strict, "ORDERS_PAID", "https://example.com/hook").await;
    assert_eq!(message(again).unwrap(), "Address for this topic has already been taken");
}
