//! `webhook-intake`: a signed delivery becomes one task in one queue. No ledger, no Shopify.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use lambda_http::{Body, Error, Request, RequestExt, Response, service_fn};
use roundtrip_aws::VaultReader;
use roundtrip_connectors::shopify::webhook::{self, Headers, Verified};
use roundtrip_domain::error_chain;
use roundtrip_domain::ports::{CredentialsError, Tasks};
use roundtrip_domain::secret::AppCredentials;

use crate::{compose, telemetry};

/// After a rotation the secret is read again on the first mismatch, but no more often than this: forged
/// deliveries must not become calls to Secrets Manager.
const SECRET_AGE: Duration = Duration::from_secs(60);

/// A queue that is out of reach must not keep the function from starting: Lambda allows 10 s.
const WARM_UP_LIMIT: Duration = Duration::from_secs(1);

/// Serves `POST /webhooks/{channel}` until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, the app's secret cannot be read, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    let (tasks, vault, secret_id) = compose::intake().await?;
    // Lambda runs init on a full core, and the first delivery on the part of one that the memory pays for.
    let warm_up = tokio::time::timeout(WARM_UP_LIMIT, tasks.warm_up());
    let (secrets, _) = tokio::join!(Secrets::new(VaultSource { vault, secret_id }), warm_up);
    let secrets = secrets?;
    lambda_http::run(service_fn(|request: Request| accept(request, &secrets, &tasks))).await
}

/// Where the app's credentials come from.
#[allow(async_fn_in_trait)] // Called only with concrete types.
pub trait SecretSource {
    async fn read(&self) -> Result<AppCredentials, CredentialsError>;
}

struct VaultSource {
    vault: VaultReader,
    secret_id: String,
}

impl SecretSource for VaultSource {
    async fn read(&self) -> Result<AppCredentials, CredentialsError> {
        self.vault.app(&self.secret_id).await
    }
}

/// The app's credentials, read at the start and again when a signature does not match.
#[derive(Debug)]
pub struct Secrets<S> {
    source: S,
    known: Mutex<(AppCredentials, Instant)>,
}

impl<S: SecretSource> Secrets<S> {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// The source cannot be read.
    pub async fn new(source: S) -> Result<Self, CredentialsError> {
        let app = source.read().await?;
        Ok(Self { source, known: Mutex::new((app, Instant::now())) })
    }

    fn known(&self) -> AppCredentials {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0.clone()
    }

    /// Newer ones, if they are old enough to be worth a look.
    async fn renewed(&self) -> Option<AppCredentials> {
        {
            let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if known.1.elapsed() < SECRET_AGE {
                return None;
            }
            known.1 = Instant::now();
        }
        match self.source.read().await {
            Ok(app) => {
                self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0 = app.clone();
                Some(app)
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the app secret cannot be read again");
                None
            }
        }
    }
}

/// Answers one delivery: 401 if it is not Shopify's, 503 if it could not be stored (Shopify retries),
/// 200 once it is stored, and also if it is Shopify's but of no use to us.
///
/// # Errors
/// None; the type is the runtime's.
pub async fn accept(
    request: Request,
    secrets: &Secrets<impl SecretSource>,
    tasks: &impl Tasks,
) -> Result<Response<Body>, Error> {
    let started = Instant::now();
    let channel = request.path_parameters_ref().and_then(|path| path.first("channel")).unwrap_or_default().to_owned();
    let headers = Headers::read(|name| request.headers().get(name)?.to_str().ok().map(ToOwned::to_owned));
    // `Body` has undone API Gateway's base64: these are the bytes that were signed.
    let body: &[u8] = request.body();
    if channel != "shopify" {
        return answer(404, "no such channel: webhooks go to /webhooks/shopify");
    }
    let signature = headers.signature.as_deref();
    let mut verified = Verified::check(body, signature, &secrets.known());
    if verified.is_err()
        && signature.is_some()
        && let Some(app) = secrets.renewed().await
    {
        verified = Verified::check(body, signature, &app);
    }
    let verified = match verified {
        Ok(verified) => verified,
        Err(error) => {
            tracing::warn!(reason = %error, "a delivery was refused");
            telemetry::count("RefusedDelivery", "channel", "shopify");
            return answer(401, "");
        }
    };
    let shop = headers.shop.as_deref().unwrap_or_default();
    let topic = headers.topic.as_deref().unwrap_or_default();
    let event_id = headers.event_id.as_deref().unwrap_or_default();
    let webhook_id = headers.webhook_id.as_deref().unwrap_or_default();
    let (queue, task) = match webhook::task(verified, &headers) {
        Ok(task) => task,
        Err(unusable) => {
            tracing::warn!(
                reason = unusable.name(),
                shop.domain = shop,
                webhook.topic = topic,
                webhook.event_id = event_id,
                "a verified delivery is of no use"
            );
            telemetry::count("UnusableDelivery", "reason", unusable.name());
            return answer(200, "");
        }
    };
    if let Err(error) = tasks.send(queue, &task).await {
        tracing::error!(
            error = error_chain(&error),
            shop.domain = shop,
            webhook.topic = topic,
            webhook.event_id = event_id,
            "a delivery could not be stored; Shopify sends it again"
        );
        telemetry::count("UnstoredDelivery", "queue", queue.name());
        return answer(503, "");
    }
    tracing::info!(
        shop.domain = shop,
        webhook.topic = topic,
        webhook.event_id = event_id,
        webhook.id = webhook_id,
        queue = queue.name(),
        task.subject = %task.subject,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "delivery stored"
    );
    telemetry::count("StoredDelivery", "channel", "shopify");
    answer(200, "")
}

fn answer(status: u16, text: &'static str) -> Result<Response<Body>, Error> {
    Ok(Response::builder().status(status).body(Body::from(text))?)
}
