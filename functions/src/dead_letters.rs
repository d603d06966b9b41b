//! `dead-letters`: once a minute, lets jobs go on, and keeps the dead-letter queues true to the ledger.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use roundtrip_domain::dead_letters::{Filter, list, sweep};
use roundtrip_domain::jobs::advance_all;
use roundtrip_domain::ports::Clock;
use roundtrip_domain::{Unfinished, error_chain};
use serde_json::{Value, json};

use crate::compose::{self, ScheduledPorts};
use crate::telemetry;

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
            // Neither keeps the other from being done.
            let jobs = advance_jobs(&ports, &run_id).await;
            let swept = sweep_queues(&ports, &run_id).await;
            Ok::<_, Error>(json!({ "jobs": jobs?, "letters": swept? }))
        }
    };
    lambda_runtime::run(service_fn(serve)).await
}

async fn advance_jobs(ports: &ScheduledPorts, run_id: &str) -> Result<Value, Error> {
    let advanced =
        advance_all(&ports.ledger, &ports.tasks, STEPS_A_RUN, ports.clock.now()).await.inspect_err(|error| {
            tracing::error!(error = error_chain(error), run.id = run_id, "jobs not read");
        })?;
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

async fn sweep_queues(ports: &ScheduledPorts, run_id: &str) -> Result<Value, Error> {
    let now = ports.clock.now();
    let sweep = async {
        let swept = sweep(&ports.ledger, &ports.tasks, now).await?;
        let oldest = list(&ports.ledger, &Filter::default(), None, 1).await?.letters.pop();
        Ok::<_, Unfinished>((swept, oldest))
    };
    let (swept, oldest) = sweep.await.inspect_err(|error| {
        tracing::error!(error = error_chain(error), run.id = run_id, "dead-letter queues not swept; the next run does");
    })?;
    let age_secs = oldest.map_or(0, |letter| now.duration_since(letter.parked_at).as_secs().max(0));
    telemetry::value("OldestParked", "Seconds", age_secs);
    tracing::info!(
        seen = swept.seen,
        removed = swept.removed,
        crashed = swept.crashed,
        unreadable = swept.unreadable,
        oldest_parked_secs = age_secs,
        run.id = run_id,
        "dead-letter queues swept"
    );
    Ok(
        json!({ "seen": swept.seen, "removed": swept.removed, "crashed": swept.crashed, "unreadable": swept.unreadable }),
    )
}
