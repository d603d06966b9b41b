//! `due-work`: once a minute, sends whatever the ledger says is due to its queue.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use roundtrip_domain::due::{Release, release_due};
use roundtrip_domain::error_chain;
use roundtrip_domain::task::Queue;
use serde_json::{Value, json};

use crate::compose;
use crate::telemetry;

/// Serves the schedule until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    let ports = Arc::new(compose::scheduled().await?);
    let serve = |event: LambdaEvent<Value>| {
        let ports = Arc::clone(&ports);
        async move {
            let run_id = event.context.request_id;
            // What should come by itself, and whose silence is an alarm.
            telemetry::none("StoredDelivery", "channel", "shopify");
            telemetry::none("ScheduledRun", "function", "resync");
            // Failures far apart would count as following each other.
            for queue in Queue::ALL {
                telemetry::none("UnfinishedTask", "queue", queue.name());
            }
            match release_due(&ports, Release::default(), &run_id).await {
                Ok(released) => {
                    tracing::info!(
                        due = released.due,
                        sent = released.sent,
                        left = released.left,
                        run.id = run_id,
                        "due work released"
                    );
                    Ok(json!({ "due": released.due, "sent": released.sent, "left": released.left }))
                }
                Err(error) => {
                    tracing::error!(
                        error = error_chain(&error),
                        run.id = run_id,
                        "due work stopped; the rest stays due"
                    );
                    Err(Error::from(error))
                }
            }
        }
    };
    lambda_runtime::run(service_fn(serve)).await
}
