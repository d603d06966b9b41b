//! The webhooks that the functions are given, and the check that they did with them what they are for.

use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::task::{Subject, Task, Trigger};
use roundtrip_kit::delivery;
use roundtrip_kit::order::moon;
use serde_json::{Value, json};

use crate::host::Call;

/// The app's secret, as Secrets Manager keeps it.
pub(crate) const APP: &str = r#"{"client_id":"bench","client_secret":"shpss_bench","previous_client_secret":null}"#;
const CLIENT_SECRET: &str = "shpss_bench";

/// What a subscription with `include_fields` delivers.
const BODY: &[u8] = br#"{"id":5512345678901,"updated_at":"2026-11-22T08:00:00Z"}"#;

/// A delivery that Shopify signed.
pub(crate) fn signed() -> Value {
    event(&shopify_sim::sign(BODY, CLIENT_SECRET))
}

/// A delivery that somebody else signed.
pub(crate) fn forged() -> Value {
    event(&shopify_sim::sign(BODY, "a guess"))
}

fn event(signature: &str) -> Value {
    let headers = json!({
        "accept": "*/*",
        "accept-encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
        "content-length": BODY.len().to_string(),
        "content-type": "application/json",
        "host": "api.execute-api.us-east-1.amazonaws.com",
        "user-agent": "Shopify-Captain-Hook",
        "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "x-shopify-api-version": "2026-10",
        "x-shopify-event-id": "event-1",
        "x-shopify-hmac-sha256": signature,
        "x-shopify-shop-domain": moon().as_str(),
        "x-shopify-topic": "orders/paid",
        "x-shopify-triggered-at": "2026-11-22T08:00:00.123456789Z",
        "x-shopify-webhook-id": "webhook-1",
    });
    delivery::event("shopify", &headers, BODY, false)
}

/// The signed delivery was stored as the task that it is, with one call.
pub(crate) fn is_stored(answer: &Value, calls: &[Call]) -> Result<(), String> {
    let [Call { operation, input }] = calls else { return Err(format!("not one call to AWS but {calls:?}")) };
    let sent = input["MessageBody"].as_str().and_then(|body| serde_json::from_str::<Task>(body).ok());
    let right = answer["statusCode"] == 200
        && operation == "AmazonSQS.SendMessage"
        && input["QueueUrl"].as_str().is_some_and(|url| url.ends_with("/OrderPushQueue"))
        && input["MessageGroupId"] == moon().as_str()
        && sent == Some(task());
    if right { Ok(()) } else { Err(format!("a signed delivery led to {answer} and {calls:?}")) }
}

/// The forged delivery was refused and nothing was sent.
pub(crate) fn is_refused(answer: &Value, calls: &[Call]) -> Result<(), String> {
    let right = answer["statusCode"] == 401 && calls.is_empty();
    if right { Ok(()) } else { Err(format!("a forged delivery led to {answer} and {calls:?}")) }
}

fn task() -> Task {
    let order = OrderRef { shop: moon(), id: OrderId::new(5_512_345_678_901) };
    let mut task = Task::new(Trigger::Webhook, "event-1", Subject::Order(order));
    task.seen_updated_at = "2026-11-22T08:00:00Z".parse().ok();
    task
}
