//! `app-lifecycle`: connects shops.

use std::sync::Arc;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use roundtrip_domain::connect::connect;
use roundtrip_domain::task::Queue;

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
                async move { connect(&ports, &task).await }
            };
            Ok::<_, Error>(batch::handle(Queue::AppLifecycle, event.payload, work).await)
        }
    };
    lambda_runtime::run(service_fn(serve)).await
}
