//! The host of one function, on a port of its own on loopback: Lambda's Runtime API, and of AWS the two services that
//! intake calls.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// How long a function may take for anything before the bench gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running host; it stops with its drop.
pub(crate) struct Host {
    /// `127.0.0.1:port`.
    pub(crate) address: String,
    events: mpsc::Sender<Value>,
    reports: mpsc::Receiver<Report>,
    calls: Calls,
    server: JoinHandle<()>,
}

/// What a function told the Runtime API.
enum Report {
    /// It asks for the next event: it is done with its start, or with the event before.
    Idle,
    Answered(Value),
    Failed(String),
}

/// A call to AWS: the operation, such as `AmazonSQS.SendMessage`, and its input.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) input: Value,
}

type Calls = Arc<StdMutex<Vec<Call>>>;

#[derive(Clone)]
struct Shared {
    events: Arc<Mutex<mpsc::Receiver<Value>>>,
    reports: mpsc::Sender<Report>,
    calls: Calls,
    /// The text of any secret that is asked for.
    secret: Arc<str>,
}

impl Host {
    /// Starts a host whose Secrets Manager answers with `secret`.
    pub(crate) async fn start(secret: &str) -> Self {
        let (events, to_function) = mpsc::channel(1);
        let (from_function, reports) = mpsc::channel(8);
        let calls = Calls::default();
        let shared = Shared {
            events: Arc::new(Mutex::new(to_function)),
            reports: from_function,
            calls: calls.clone(),
            secret: secret.into(),
        };
        // Source: AWS Lambda Developer Guide, "Using the Lambda runtime API".
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(invocation_error))
            .route("/2018-06-01/runtime/init/error", post(failure))
            .fallback(aws)
            .with_state(shared);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound port").to_string();
        let server =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("serves until it is ended") });
        Self { address, events, reports, calls, server }
    }

    /// Waits until the function asks for an event.
    pub(crate) async fn idle(&mut self) -> Result<(), String> {
        match self.report().await? {
            Report::Idle => Ok(()),
            Report::Answered(answer) => Err(format!("the function was to ask for an event, but answered {answer}")),
            Report::Failed(reason) => Err(format!("the function failed: {reason}")),
        }
    }

    /// Gives the function an event and waits for its answer.
    pub(crate) async fn invoke(&mut self, event: &Value) -> Result<Value, String> {
        self.events.send(event.clone()).await.map_err(|_| "the host has stopped".to_owned())?;
        match self.report().await? {
            Report::Answered(answer) => Ok(answer),
            Report::Idle => Err("the function did not answer, but asked for another event".to_owned()),
            Report::Failed(reason) => Err(format!("the function failed: {reason}")),
        }
    }

    /// The calls to AWS since the last time this was asked.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn report(&mut self) -> Result<Report, String> {
        let report = tokio::time::timeout(PATIENCE, self.reports.recv()).await;
        report.ok().flatten().ok_or_else(|| format!("nothing came from the function in {} s", PATIENCE.as_secs()))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    async fn report(&self, report: Report) {
        let _ = self.reports.send(report).await; // Nobody listens any more once the host is dropped.
    }
}

async fn next(State(shared): State<Shared>) -> Response {
    shared.report(Report::Idle).await;
    let Some(event) = shared.events.lock().await.recv().await else { return StatusCode::GONE.into_response() };
    let deadline_ms = jiff::Timestamp::now().as_millisecond() + 10_000;
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:webhook-intake".to_owned(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0".into(),
        ),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, event.to_string()).into_response()
}

async fn response(State(shared): State<Shared>, Path(_id): Path<String>, body: Bytes) -> StatusCode {
    let report = match serde_json::from_slice(&body) {
        Ok(answer) => Report::Answered(answer),
        Err(error) => Report::Failed(format!("the answer is no JSON: {error}")),
    };
    shared.report(report).await;
    StatusCode::ACCEPTED
}

async fn invocation_error(State(shared): State<Shared>, Path(_id): Path<String>, body: Bytes) -> StatusCode {
    failure(State(shared), body).await
}

async fn failure(State(shared): State<Shared>, body: Bytes) -> StatusCode {
    shared.report(Report::Failed(String::from_utf8_lossy(&body).into_owned())).await;
    StatusCode::ACCEPTED
}

/// SQS and Secrets Manager, both in AWS's JSON protocol: the header names the operation.
async fn aws(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or("unknown");
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (status, answer) = match operation {
        "secretsmanager.GetSecretValue" => (StatusCode::OK, json!({ "SecretString": *shared.secret })),
        "AmazonSQS.SendMessage" => {
            let digest = Md5::digest(input["MessageBody"].as_str().unwrap_or_default());
            (StatusCode::OK, json!({ "MessageId": "1", "MD5OfMessageBody": hex::encode(digest) }))
        }
        "AmazonSQS.SendMessageBatch" if input["Entries"].as_array().is_none_or(Vec::is_empty) => {
            (StatusCode::BAD_REQUEST, json!({ "__type": "com.amazonaws.sqs#EmptyBatchRequest" }))
        }
        _ => (StatusCode::NOT_IMPLEMENTED, json!({ "__type": "NotImplemented" })),
    };
    let call = Call { operation: operation.to_owned(), input };
    shared.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    (status, [("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response()
}
