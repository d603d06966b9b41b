//! `resync`: every three days a schedule names each shop; each shop's orders are compared with the ledger, some pages
//! a task.

use std::sync::Arc;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use roundtrip_domain::error_chain;
use roundtrip_domain::resync::{resync, resync_all};
use roundtrip_domain::task::Queue;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::compose::{self, WorkerPorts};
use crate::{telemetry, worker};

/// What the function is called with: messages of its queue, or the schedule's own words.
#[derive(Deserialize)]
#[serde(untagged)]
enum Call {
    Messages(SqsEvent),
    Scheduled { scheduled_at: String },
}

/// Serves queue and schedule until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    let ports = Arc::new(compose::worker().await?);
    let serve = |event: LambdaEvent<Value>| {
        let ports = Arc::clone(&ports);
        async move {
            match serde_json::from_value(event.payload)? {
                Call::Messages(messages) => {
                    let work = |ports: Arc<WorkerPorts>, task| async move { resync(&ports, &task).await };
                    let response = worker::handle(Queue::Resync, &ports, messages, work).await;
                    Ok(serde_json::to_value(response)?)
                }
                Call::Scheduled { scheduled_at } => begin(&ports, &scheduled_at).await,
            }
        }
    };
    lambda_runtime::run(service_fn(serve)).await
}

async fn begin(ports: &WorkerPorts, scheduled_at: &str) -> Result<Value, Error> {
    match resync_all(ports, scheduled_at).await {
        Ok(shops) => {
            tracing::info!(shops, run.id = scheduled_at, "resync begun");
            telemetry::count("ScheduledRun", "function", "resync");
            Ok(json!({ "shops": shops }))
        }
        Err(error) => {
            tracing::error!(
                error = error_chain(&error),
                run.id = scheduled_at,
                "resync not begun; the schedule tries again"
            );
            Err(Error::from(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_the_schedules_words_are_told_apart() {
        let messages = json!({ "Records": [{ "messageId": "1", "body": "{}" }] });
        let scheduled = json!({ "scheduled_at": "2026-11-22T08:00:00Z" });

        assert!(matches!(serde_json::from_value(messages), Ok(Call::Messages(event)) if event.records.len() == 1));
        assert!(matches!(serde_json::from_value(scheduled), Ok(Call::Scheduled { .. })));
        assert!(serde_json::from_value::<Call>(json!({ "neither": 1 })).is_err());
    }
}
