//! `dead-letters`: once a minute, lets redrives go on.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use roundtrip_domain::error_chain;
use roundtrip_domain::jobs::advance_all;
use roundtrip_domain::ports::Clock;
use serde_json::{Value, json};

use crate::compose;

/// As many steps as one run has time for.
const STEPS_A_RUN: usize = 500;

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
            match advance_all(&ports.ledger, &ports.tasks, STEPS_A_RUN, ports.clock.now()).await {
                Ok(advanced) => {
                    for (job, error) in &advanced.stuck {
                        tracing::warn!(
                            error = error_chain(error),
                            job.id = job,
                            run.id = run_id,
                            "a job did not go on; the next run tries again"
                        );
                    }
                    let (jobs, sent, stuck) = (advanced.jobs, advanced.sent, advanced.stuck.len());
                    tracing::info!(jobs, sent, stuck, run.id = run_id, "jobs advanced");
                    Ok(json!({ "jobs": jobs, "sent": sent, "stuck": stuck }))
                }
                Err(error) => {
                    tracing::error!(error = error_chain(&error), run.id = run_id, "jobs not read");
                    Err(Error::from(error))
                }
            }
        }
    };
    lambda_runtime::run(service_fn(serve)).await
}
