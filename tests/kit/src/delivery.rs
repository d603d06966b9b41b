//! A webhook as API Gateway hands it over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The event of `POST /webhooks/{channel}`, payload format 2.0.
///
/// # Panics
/// If the body is to be passed as text and is none.
#[must_use]
pub fn event(channel: &str, headers: &Value, body: &[u8], base64: bool) -> Value {
    let body = if base64 { STANDARD.encode(body) } else { String::from_utf8(body.to_vec()).expect("a text") };
    json!({
        "version": "2.0",
        "routeKey": "POST /webhooks/{channel}",
        "rawPath": format!("/webhooks/{channel}"),
        "rawQueryString": "",
        "headers": headers,
        "pathParameters": { "channel": channel },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "domainName": "api.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": format!("/webhooks/{channel}"),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "Shopify-Captain-Hook",
            },
            "requestId": "id",
            "routeKey": "POST /webhooks/{channel}",
            "stage": "$default",
            "time": "22/Nov/2026:08:00:00 +0000",
            "timeEpoch": 1_795_334_400_000_u64,
        },
        "body": body,
        "isBase64Encoded": base64,
    })
}
