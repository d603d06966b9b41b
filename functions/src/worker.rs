//! What the queue workers have in common.

use std::sync::Arc;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use roundtrip_domain::dead_letters::finished;
use roundtrip_domain::ports::Clock;
use roundtrip_domain::task::{Queue, Task};
use roundtrip_domain::{Outcome, Unfinished};

use crate::batch;
use crate::compose::{self, WorkerPorts};

/// Serves `queue` with `work` until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, or the Runtime API fails.
pub(crate) async fn serve<F>(queue: Queue, work: impl Fn(Arc<WorkerPorts>, Task) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<Outcome, Unfinished>> + Send + 'static,
{
    let ports = Arc::new(compose::worker().await?);
    let handle = async |event: LambdaEvent<SqsEvent>| Ok::<_, Error>(handle(queue, &ports, event.payload, &work).await);
    lambda_runtime::run(service_fn(handle)).await
}

/// One batch of `queue`.
pub(crate) async fn handle<F>(
    queue: Queue,
    ports: &Arc<WorkerPorts>,
    event: SqsEvent,
    work: impl Fn(Arc<WorkerPorts>, Task) -> F,
) -> SqsBatchResponse
where
    F: Future<Output = Result<Outcome, Unfinished>> + Send + 'static,
{
    ports.channel.set_patience(batch::patience(&event));
    let work = |task: Task| {
        let (ports, working) = (Arc::clone(ports), work(Arc::clone(ports), task.clone()));
        async move {
            let begun = ports.clock.now();
            let outcome = working.await?;
            finished(&ports.ledger, queue, &task, begun).await?;
            Ok(outcome)
        }
    };
    batch::handle(queue, event, work).await
}
