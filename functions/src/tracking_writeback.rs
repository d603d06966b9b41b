//! `tracking-writeback`: brings the destination's fulfillments up to date with what the source shipped.

use std::sync::Arc;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use roundtrip_domain::task::Queue;
use roundtrip_domain::writeback::write_back;

use crate::{batch, compose};

/// Serves the queue until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    let ports = Arc::new(compose::worker().await?);
    let serve = |event: LambdaEvent<SqsEvent>| {
        let ports = Arc::clone(&ports);
        async move {
            ports.channel.set_patience(batch::patience(&event.payload));
            let work = |task| {
                let ports = Arc::clone(&ports);
                async move { write_back(&ports, &task).await }
            };
            Ok::<_, Error>(batch::handle(Queue::TrackingWriteback, event.payload, work).await)
        }
    };
    lambda_runtime::run(service_fn(serve)).await
}
