//! `app-lifecycle`: connects shops.

use lambda_runtime::Error;
use roundtrip_domain::connect::connect;
use roundtrip_domain::task::Queue;

use crate::worker;

/// Serves the queue until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    worker::serve(Queue::AppLifecycle, |ports, task| async move { connect(&ports, &task).await }).await
}
