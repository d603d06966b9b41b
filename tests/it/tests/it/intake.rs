//! Intake, event by event as API Gateway hands them over.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lambda_http::Request;
use roundtrip_domain::ports::CredentialsError;
use roundtrip_domain::record::Tab;
use roundtrip_domain::secret::{AppCredentials, Secret};
use roundtrip_domain::task::Queue;
use roundtrip_functions::webhook_intake::{SecretSource, Secrets, accept};
use roundtrip_kit::delivery;
use roundtrip_kit::fake::MemoryTasks;
use roundtrip_kit::order::moon;
use serde_json::{Value, json};

use crate::world::{ORDER, World};

const SECRET: &str = "shpss_current";

/// Counts how often it is read.
#[derive(Default)]
struct Source {
    reads: AtomicU32,
}

impl SecretSource for &Source {
    async fn read(&self) -> Result<AppCredentials, CredentialsError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(AppCredentials {
            client_id: "client".into(),
            client_secret: Secret::new(SECRET),
            previous_client_secret: Some(Secret::new("shpss_previous")),
        })
    }
}

fn event(channel: &str, headers: &Value, body: &[u8], base64: bool) -> Request {
    lambda_http::request::from_str(&delivery::event(channel, headers, body, base64).to_string()).unwrap()
}

fn headers(topic: &str, signature: &str) -> Value {
    json!({
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": "moon.myshopify.com",
        "x-shopify-event-id": "event-1",
        "x-shopify-hmac-sha256": signature,
    })
}

const BODY: &[u8] = br#"{"id":42,"updated_at":"2026-11-22T08:00:00Z","note":"Gr\u00fc\u00dfe"}"#;

async fn status(request: Request, tasks: &MemoryTasks) -> u16 {
    let source = Source::default();
    let secrets = Secrets::new(&source).await.unwrap();
    accept(request, &secrets, tasks).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_delivery_is_stored_before_it_is_answered() {
    for base64 in [false, true] {
        let tasks = MemoryTasks::default();
        let signature = shopify_sim::sign(BODY, SECRET);

        let status = status(event("shopify", &headers("orders/paid", &signature), BODY, base64), &tasks).await;

        assert_eq!(status, 200);
        let (queue, task) = tasks.take().expect("a task");
        assert_eq!((queue, task.subject.to_string().as_str()), (Queue::OrderPush, "order moon.myshopify.com/42"));
        assert!(!serde_json::to_string(&task).unwrap().contains("Gr"), "nothing of the body goes on but its subject");
    }
}

#[tokio::test]
async fn a_body_of_several_megabytes_is_taken() {
    let body = json!({ "id": 42, "updated_at": "2026-11-22T08:00:00Z", "note": "x".repeat(4 << 20) }).to_string();
    let signature = shopify_sim::sign(body.as_bytes(), SECRET);
    let tasks = MemoryTasks::default();

    assert_eq!(
        status(event("shopify", &headers("orders/updated", &signature), body.as_bytes(), true), &tasks).await,
        200
    );
    assert!(tasks.take().is_some());
}

#[tokio::test]
async fn a_queue_that_is_down_makes_shopify_come_again() {
    let tasks = MemoryTasks::default();
    tasks.sent().down = true;
    let signature = shopify_sim::sign(BODY, SECRET);

    assert_eq!(status(event("shopify", &headers("orders/paid", &signature), BODY, false), &tasks).await, 503);
}

#[tokio::test]
async fn the_secret_before_a_rotation_still_counts() {
    let tasks = MemoryTasks::default();
    let signature = shopify_sim::sign(BODY, "shpss_previous");

    assert_eq!(status(event("shopify", &headers("orders/paid", &signature), BODY, false), &tasks).await, 200);
}

#[tokio::test]
async fn a_flood_of_forgeries_does_not_read_the_secret_again_and_again() {
    let tasks = MemoryTasks::default();
    let source = Source::default();
    let secrets = Secrets::new(&source).await.unwrap();
    let forged = shopify_sim::sign(BODY, "guess");

    for _ in 0..50 {
        let request = event("shopify", &headers("orders/paid", &forged), BODY, false);
        assert_eq!(accept(request, &secrets, &tasks).await.unwrap().status().as_u16(), 401);
    }

    assert_eq!(source.reads.load(Ordering::Relaxed), 1);
    assert!(tasks.take().is_none());
}

#[tokio::test]
async fn the_newer_header_family_is_read_too() {
    let tasks = MemoryTasks::default();
    let newer = json!({
        "shopify-topic": "orders/paid",
        "shopify-shop-domain": "moon.myshopify.com",
        "shopify-event-id": "event-1",
        "shopify-hmac-sha256": shopify_sim::sign(BODY, SECRET),
    });

    assert_eq!(status(event("shopify", &newer, BODY, false), &tasks).await, 200);
}

#[tokio::test]
async fn a_delivery_of_yesterday_only_says_which_order_to_look_at() {
    let world = World::new();
    let yesterday = world.now() - Duration::from_secs(26 * 3600);
    let stale = json!({
        "id": ORDER, "updated_at": yesterday.to_string(), "cancelled_at": yesterday.to_string(),
        "financial_status": "pending", "total_price": "0.00", "line_items": [],
    });
    let body = stale.to_string();
    let mut headers = headers("orders/updated", &shopify_sim::sign(body.as_bytes(), SECRET));
    headers["x-shopify-triggered-at"] = json!(yesterday.to_string());

    assert_eq!(status(event("shopify", &headers, body.as_bytes(), false), &world.ports.tasks).await, 200);
    world.drain().await;

    let summary = world.summary().await;
    assert_eq!((summary.tab, summary.cancelled_at), (Tab::Pushed, None));
    assert_eq!((summary.financial_status.to_string().as_str(), summary.lines.len()), ("PAID", 1));
    assert_eq!(world.calls(&moon(), "order"), 1);
}

#[tokio::test]
async fn another_channel_is_not_found() {
    let tasks = MemoryTasks::default();
    let signature = shopify_sim::sign(BODY, SECRET);

    assert_eq!(status(event("woocommerce", &headers("orders/paid", &signature), BODY, false), &tasks).await, 404);
    assert!(tasks.take().is_none());
}
