//! The Lambda functions. Handlers decide nothing: they parse an event, call a use case, translate the
//! outcome. Only [`compose`] names concrete adapters, only [`config`] reads the environment
//! (but for `RUST_LOG`, which the log library reads by itself).
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod app_lifecycle;
pub mod batch;
pub mod compose;
pub mod config;
pub mod dead_letters;
pub mod due_work;
pub mod notify;
pub mod ops_api;
pub mod order_push;
pub mod resync;
pub mod tracking_writeback;
pub mod webhook_intake;

mod outbox;
mod telemetry;
mod worker;

/// Starts the function's runtime: one thread (a Lambda handles one event at a time, and a second thread
/// costs start-up time), and logs.
///
/// # Errors
/// Whatever stopped the function: wrong configuration, or the Runtime API.
pub fn start<F>(run: impl FnOnce() -> F) -> Result<(), lambda_runtime::Error>
where
    F: Future<Output = Result<(), lambda_runtime::Error>>,
{
    telemetry::init(config::metrics_namespace(&config::ProcessEnvironment));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}
