//! Runs over a shop's orders: begin one, and see how it goes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::problem::ProblemCode;
use roundtrip_api::runs::{PostBackfill, ResyncAnswer, ResyncPhase, RunAnswer, RunAsked, RunState, RunView};
use roundtrip_api::step::ShopError;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::registry::{Plan, Shop};
use roundtrip_domain::resync::{
    Asked, MAX_LOOKBACK_DAYS, Occasion, Phase, Progress, ResyncState, Run, WINDOW_DAYS, ask_for_run,
};
use roundtrip_domain::step::{Step, StepId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path};
use super::request::RequestId;
use super::shops::{ShopPath, registered};
use crate::compose::Api;

/// Begins a run, or leaves the one alone that is under way.
#[utoipa::path(post, path = "/v1/shops/{shop}/resync", tag = "runs", params(ShopPath),
    responses((status = 202, body = RunAsked)))]
pub(super) async fn begin(
    operator: Operator,
    State(api): State<Arc<Api>>,
    request: RequestId,
    Path(ShopPath { shop }): Path<ShopPath>,
) -> Answer<RunAsked> {
    registered(&api, &shop).await?;
    let run_id = ask(&api, &shop, &wish(&request, &operator, (Occasion::Request, WINDOW_DAYS))).await?;
    Ok((StatusCode::ACCEPTED, Json(RunAsked { shop, run_id, days: None })))
}

/// Begins a run over the orders of so many days. It mails nobody.
#[utoipa::path(post, path = "/v1/shops/{shop}/backfills", tag = "runs", params(ShopPath), request_body = PostBackfill,
    responses((status = 202, body = RunAsked)))]
pub(super) async fn backfill(
    operator: Operator,
    State(api): State<Arc<Api>>,
    request: RequestId,
    Path(ShopPath { shop }): Path<ShopPath>,
    Json(PostBackfill { days }): Json<PostBackfill>,
) -> Answer<RunAsked> {
    let known = registered(&api, &shop).await?;
    check_days(&known.shop, days)?;
    let run_id = ask(&api, &shop, &wish(&request, &operator, (Occasion::Backfill, days))).await?;
    Ok((StatusCode::ACCEPTED, Json(RunAsked { shop, run_id, days: Some(days) })))
}

fn check_days(shop: &Shop, days: u16) -> Result<(), ApiError> {
    if days == 0 {
        return Err(ApiError::field("days", "0 days hold no order: give 1 or more"));
    }
    if days > WINDOW_DAYS && shop.settings.plan == Plan::Free {
        return Err(ApiError::new(
            ProblemCode::PlanRequired,
            format!("{days} days need the plan `paid`, and {} has `free`", shop.domain),
            format!("give {WINDOW_DAYS} or fewer, or change it: `roundtrip shop settings {} --plan paid`", shop.domain),
        )
        .at("days"));
    }
    if days > MAX_LOOKBACK_DAYS && !shop.reads_all_orders() {
        return Err(ApiError::new(
            ProblemCode::MaxLookback60Days,
            format!("Shopify shows no orders of more than {MAX_LOOKBACK_DAYS} days ago, and {days} were asked for"),
            format!("give {MAX_LOOKBACK_DAYS} or fewer, or give the app the scope `read_all_orders` and connect again"),
        )
        .at("days"));
    }
    Ok(())
}

/// What an operator asks for with this request.
pub(super) fn wish(request: &RequestId, operator: &Operator, (occasion, days): (Occasion, u16)) -> Asked {
    Asked { id: request.0.clone(), at: Timestamp::now(), by: operator.name.clone(), occasion, days }
}

pub(super) async fn ask(api: &Api, shop: &ShopDomain, wish: &Asked) -> Result<String, ApiError> {
    let run = ask_for_run(&api.ledger, &api.tasks, shop, wish).await?;
    tracing::info!(shop.domain = shop.as_str(), actor = wish.by, run.id = run, days = wish.days, "resync requested");
    Ok(run)
}

/// The run that is under way, or the last one, and those before.
#[utoipa::path(get, path = "/v1/shops/{shop}/resync", tag = "runs", params(ShopPath),
    responses((status = 200, body = ResyncAnswer)))]
pub(super) async fn show(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(ShopPath { shop }): Path<ShopPath>,
) -> Answer<ResyncAnswer> {
    registered(&api, &shop).await?;
    let step = read(&api, &shop).await?;
    let now = Timestamp::now();
    let next: Vec<RunView> = step.state.asked.iter().map(|asked| of_wish(asked, now)).collect();
    let run = step.state.run.as_ref().map(|run| of_run(run, step.parked.is_some(), now));
    let answer = ResyncAnswer {
        shop,
        state: run.as_ref().or(next.first()).map_or(ResyncPhase::Never, |run| run.state.into()),
        last_success: step.state.last_success,
        run,
        next,
        past: step.state.past.iter().map(|run| of_run(run, true, now)).collect(),
        error: ShopError::of(&step),
        wait: step.wait,
    };
    Ok((StatusCode::OK, Json(answer)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct RunPath {
    /// The permanent domain.
    shop: ShopDomain,
    id: String,
}

/// One run, by its id.
#[utoipa::path(get, path = "/v1/shops/{shop}/runs/{id}", tag = "runs", params(RunPath),
    responses((status = 200, body = RunAnswer)))]
pub(super) async fn show_run(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(RunPath { shop, id }): Path<RunPath>,
) -> Answer<RunAnswer> {
    registered(&api, &shop).await?;
    let step = read(&api, &shop).await?;
    let (state, now) = (&step.state, Timestamp::now());
    let asked = state.asked.iter().filter(|asked| asked.id == id).map(|asked| of_wish(asked, now));
    let current = state.run.iter().filter(|run| run.id == id);
    let current = current.map(|run| of_run(run, step.parked.is_some(), now));
    let past = state.past.iter().filter(|run| run.id == id).map(|run| of_run(run, true, now));
    let found = asked.chain(current).chain(past).next();
    let run = found.ok_or_else(|| {
        let remedy = format!("the last 20 are known: GET /v1/shops/{shop}/resync");
        ApiError::not_found(format!("{shop} has no run `{}`", id.chars().take(60).collect::<String>()), remedy)
    })?;
    let error = if run.state == RunState::Failed { ShopError::of(&step) } else { None };
    Ok((StatusCode::OK, Json(RunAnswer { shop, run, error })))
}

async fn read(api: &Api, shop: &ShopDomain) -> Result<Step<ResyncState>, ApiError> {
    let known = api.ledger.shop_step(shop, &StepId::Resync).await?;
    Ok(known.map_or_else(|| Step::new(ResyncState::default()), |(step, _)| step))
}

/// A run that has not begun.
fn of_wish(asked: &Asked, now: Timestamp) -> RunView {
    RunView {
        id: asked.id.clone(),
        occasion: asked.occasion,
        state: RunState::Requested,
        requested_at: asked.at,
        started_at: None,
        ended_at: None,
        age_secs: now.duration_since(asked.at).as_secs(),
        window: None,
        scanned: 0,
        found: 0,
        fixed: 0,
        calls: 0,
    }
}

/// `is_over`: nobody goes on with it.
fn of_run(run: &Run, is_over: bool, now: Timestamp) -> RunView {
    let ended_at = match run.phase {
        Phase::Done { at } => Some(at),
        Phase::Reading { .. } | Phase::Settling { .. } => None,
    };
    let state = match run.progress() {
        Progress::Done => RunState::Done,
        Progress::Requested | Progress::Received if is_over => RunState::Failed,
        Progress::Requested => RunState::Requested,
        Progress::Received => RunState::Received,
    };
    RunView {
        id: run.id.clone(),
        occasion: run.occasion,
        state,
        requested_at: run.asked_at,
        started_at: Some(run.started_at),
        ended_at,
        age_secs: ended_at.unwrap_or(now).duration_since(run.asked_at).as_secs(),
        window: Some(run.window),
        scanned: run.scanned,
        found: run.found,
        fixed: run.fixed,
        calls: run.calls,
    }
}
