//! `order-push`: brings one destination order up to date in the ledger, and pushes what should be pushed.

use lambda_runtime::Error;
use roundtrip_domain::push::push_order;
use roundtrip_domain::task::Queue;

use crate::worker;

/// Serves the queue until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    worker::serve(Queue::OrderPush, |ports, task| async move { push_order(&ports, &task).await }).await
}
