//! `dead-letters`: once a minute, keeps the dead-letter queues true to the ledger, tells how long things wait for a person, and
//! lets jobs go on.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use roundtrip_domain::dead_letters::{Filter, Swept, list, sweep};
use roundtrip_domain::error_chain;
use roundtrip_domain::exceptions::unowned;
use roundtrip_domain::jobs::advance_all;
use roundtrip_domain::ports::Clock;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::compose::{self, ScheduledPorts};
use crate::telemetry;

/// Kept of a run's time for its end.
const RESERVE: Duration = Duration::from_secs(2);
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
            let time_left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
            let run_id = event.context.request_id;
            let end = Instant::now() + time_left.saturating_sub(RESERVE);
            // None keeps another from being done. Each on the heap: as one, they are nested deeper than the compiler looks.
            let letters = Box::pin(sweep_queues(&ports, &run_id)).await;
            let waits = Box::pin(tell_waits(&ports, &run_id)).await;
            // Jobs have what is left of the time: wherever they are cut off, the next run goes on.
            let jobs = timeout_at(end, Box::pin(advance_jobs(&ports, &run_id))).await.unwrap_or_else(|_| {
                tracing::warn!(run.id = run_id, "jobs have more to do than one run has time for; the next goes on");
                Ok(json!("cut off"))
            });
            Ok::<_, Error>(json!({ "jobs": jobs?, "letters": letters?, "waits": waits? }))
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
    let swept = sweep(&ports.ledger, &ports.tasks, ports.clock.now()).await.inspect_err(|error| {
        tracing::error!(error = error_chain(error), run.id = run_id, "dead-letter queues not swept; the next run does");
    })?;
    let Swept { seen, removed, crashed, unreadable } = swept;
    tracing::info!(seen, removed, crashed, unreadable, run.id = run_id, "dead-letter queues swept");
    Ok(json!({ "seen": seen, "removed": removed, "crashed": crashed, "unreadable": unreadable }))
}

/// Tells how long things wait for a person. That one of the two cannot be read keeps nobody from hearing of the other.
async fn tell_waits(ports: &ScheduledPorts, run_id: &str) -> Result<Value, Error> {
    let now = ports.clock.now();
    let oldest = list(&ports.ledger, &Filter::default(), None, 1).await.map(|page| {
        let oldest = page.letters.first();
        oldest.map_or(0, |letter| now.duration_since(letter.parked_at).as_secs().max(0))
    });
    let oldest = oldest.inspect(|age_secs| telemetry::value("OldestParked", "Seconds", *age_secs));
    let unowned = unowned(&ports.ledger, now).await;
    let unowned = unowned.inspect(|count| telemetry::value("UnownedExceptions", "Count", *count));
    match oldest.and_then(|oldest| Ok((oldest, unowned?))) {
        Ok((oldest_parked_secs, unowned)) => {
            tracing::info!(oldest_parked_secs, unowned, run.id = run_id, "waits told");
            Ok(json!({ "oldest_parked_secs": oldest_parked_secs, "unowned": unowned }))
        }
        Err(error) => {
            let chain = error_chain(&error);
            tracing::error!(
                error = chain,
                run.id = run_id,
                "what waits for a person is not known; the next run reads it"
            );
            Err(error.into())
        }
    }
}
