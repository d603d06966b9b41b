//! KMS inside the test process, beside DynamoDB's twin: one endpoint for both, as the SDK's configuration has one.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The SDK's header that says what is asked.
const TARGET: &str = "x-amz-target";

/// Serves KMS, and hands on whatever else is asked to DynamoDB at `dynamodb`. Returns its own address.
///
/// # Panics
/// If no port is free.
pub async fn beside(dynamodb: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    let app = Router::new().fallback(answer).with_state(dynamodb.to_owned());
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

async fn answer(State(dynamodb): State<String>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get(TARGET).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if let Some(operation) = target.strip_prefix("TrentService.") {
        return kms(operation, &body);
    }
    let mut request = reqwest::Client::new().post(dynamodb).body(body);
    for (name, value) in &headers {
        if name != "host" && name != "content-length" {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.expect("DynamoDB answers");
    let status = answer.status();
    let body = answer.bytes().await.expect("a body");
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.0")], body).into_response()
}

/// What is sealed is bound to its context and nothing more: it is no secret here.
fn kms(operation: &str, body: &[u8]) -> Response {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let asked: Value = serde_json::from_slice(body).expect("JSON");
    let context = asked["EncryptionContext"].to_string();
    let answer = match operation {
        "Encrypt" => {
            let sealed = json!([context, asked["Plaintext"]]).to_string();
            json!({ "CiphertextBlob": STANDARD.encode(sealed), "KeyId": asked["KeyId"] })
        }
        _ => {
            let sealed = STANDARD.decode(asked["CiphertextBlob"].as_str().expect("a blob")).expect("base64");
            let sealed: Value = serde_json::from_slice(&sealed).expect("what was sealed here");
            if sealed[0] != context {
                return StatusCode::BAD_REQUEST.into_response();
            }
            json!({ "Plaintext": sealed[1], "KeyId": asked["KeyId"] })
        }
    };
    ([(CONTENT_TYPE, "application/x-amz-json-1.1")], answer.to_string()).into_response()
}
