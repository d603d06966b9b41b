//! What the queue workers have in common.

use std::sync::Arc;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
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
    let handle = async |event: LambdaEvent<SqsEvent>| {
        ports.channel.set_patience(batch::patience(&event.payload));
        Ok::<_, Error>(batch::handle(queue, event.payload, |task| work(Arc::clone(&ports), task)).await)
    };
    lambda_runtime::run(service_fn(handle)).await
}
