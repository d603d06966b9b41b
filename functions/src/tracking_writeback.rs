//! `tracking-writeback`: brings the destination's fulfillments up to date with what the source shipped.

use lambda_runtime::Error;
use roundtrip_domain::task::Queue;
use roundtrip_domain::writeback::write_back;

use crate::worker;

/// Serves the queue until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    worker::serve(Queue::TrackingWriteback, |ports, task| async move { write_back(&ports, &task).await }).await
}
