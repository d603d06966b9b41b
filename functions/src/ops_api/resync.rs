//! The resync of a shop: begin one, and see how the last one goes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::{Ledger, Tasks};
use roundtrip_domain::resync::{Phase, ResyncState, Run};
use roundtrip_domain::step::{Step, StepId};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::Operator;
use super::error::ApiError;
use super::shops::{Answer, registered};
use super::step::ShopError;
use crate::compose::Api;

/// Begins a run, or leaves the one alone that is under way.
pub(super) async fn begin(operator: Operator, State(api): State<Arc<Api>>, Path(shop): Path<String>) -> Answer {
    let domain: ShopDomain = shop.parse().map_err(|error| ApiError::field("shop", error))?;
    registered(&api, &domain).await?;
    let request_id = Uuid::now_v7().to_string();
    let subject = Subject::Shop { shop: domain.clone() };
    api.tasks.send(Queue::Resync, &Task::new(Trigger::Request, &request_id, subject)).await?;
    tracing::info!(shop.domain = domain.as_str(), actor = operator.name, request.id = request_id, "resync requested");
    let step: Option<(Step<ResyncState>, u64)> = api.ledger.shop_step(&domain, &StepId::Resync).await?;
    let under_way = step.and_then(|(step, _)| step.state.run).filter(Run::is_under_way);
    // A run that begins has the request's id.
    let run_id = under_way.map_or_else(|| request_id.clone(), |run| run.id);
    Ok((StatusCode::ACCEPTED, Json(json!({ "shop": domain, "request_id": request_id, "run_id": run_id }))))
}

/// The run that is under way, or the last one.
pub(super) async fn show(_: Operator, State(api): State<Arc<Api>>, Path(shop): Path<String>) -> Answer {
    let domain: ShopDomain = shop.parse().map_err(|error| ApiError::field("shop", error))?;
    registered(&api, &domain).await?;
    let step: Option<(Step<ResyncState>, u64)> = api.ledger.shop_step(&domain, &StepId::Resync).await?;
    let (step, _) = step.unwrap_or_else(|| (Step::new(ResyncState::default()), 0));
    Ok((
        StatusCode::OK,
        Json(json!({
            "shop": domain,
            "state": state(&step),
            "last_success": step.state.last_success,
            "run": step.state.run.as_ref().map(|run| view(run, Timestamp::now())),
            "wait": step.wait,
            "error": ShopError::of(&step),
        })),
    ))
}

fn state(step: &Step<ResyncState>) -> &'static str {
    match step.state.run.as_ref().map(|run| &run.phase) {
        None => "never",
        Some(_) if step.parked.is_some() => "failed",
        Some(Phase::Reading { .. }) => "reading",
        Some(Phase::Settling { .. }) => "settling",
        Some(Phase::Done { .. }) => "done",
    }
}

fn view(run: &Run, now: Timestamp) -> Value {
    let ended_at = match run.phase {
        Phase::Done { at } => Some(at),
        Phase::Reading { .. } | Phase::Settling { .. } => None,
    };
    json!({
        "id": run.id,
        "started_at": run.started_at,
        "ended_at": ended_at,
        "age_secs": ended_at.unwrap_or(now).duration_since(run.started_at).as_secs(),
        "window": run.window,
        "scanned": run.scanned,
        "found": run.found,
        "fixed": run.fixed,
        "calls": run.calls,
    })
}
