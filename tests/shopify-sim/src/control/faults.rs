//! What is to go wrong.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Count;
use crate::engine::Engine;
use crate::faults::{Chaos, FaultPlan, FaultRule, HeldAnswer, WebhookFaultRule};

type Shops = State<Arc<Engine>>;

pub(super) async fn list(State(engine): Shops) -> Json<FaultPlan> {
    Json(engine.faults.list())
}

pub(super) async fn add(State(engine): Shops, Json(rule): Json<FaultRule>) -> Json<FaultPlan> {
    engine.faults.add(rule);
    list(State(engine)).await
}

pub(super) async fn add_for_webhooks(State(engine): Shops, Json(rule): Json<WebhookFaultRule>) -> Json<FaultPlan> {
    engine.faults.add_for_webhooks(rule);
    list(State(engine)).await
}

pub(super) async fn set_chaos(State(engine): Shops, Json(chaos): Json<Chaos>) -> Json<FaultPlan> {
    engine.faults.set_chaos(chaos);
    list(State(engine)).await
}

/// Nothing goes wrong any more, and held answers go out.
pub(super) async fn clear(State(engine): Shops) -> Json<FaultPlan> {
    engine.faults.clear();
    list(State(engine)).await
}

pub(super) async fn held(State(engine): Shops) -> Json<Vec<HeldAnswer>> {
    Json(engine.faults.held.all())
}

/// Lets all held answers go.
pub(super) async fn release(State(engine): Shops) -> Json<Count> {
    Json(Count { count: engine.faults.held.release_all() })
}
