//! Runs over a shop's orders: begin one, and see how it goes.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::registry::{Plan, Shop};
use roundtrip_domain::resync::{
    Asked, MAX_LOOKBACK_DAYS, Occasion, Phase, Progress, ResyncState, Run, WINDOW_DAYS, Window, ask_for_run,
};
use roundtrip_domain::step::{Step, StepId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::auth::Operator;
use super::error::{ApiError, parsed};
use super::shops::{Answer, registered};
use super::step::ShopError;
use crate::compose::Api;

/// Begins a run, or leaves the one alone that is under way.
pub(super) async fn begin(operator: Operator, State(api): State<Arc<Api>>, Path(shop): Path<String>) -> Answer {
    let domain: ShopDomain = parsed("shop", &shop)?;
    registered(&api, &domain).await?;
    let id = ask(&api, &domain, &operator, (Occasion::Request, WINDOW_DAYS)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "shop": domain, "run_id": id }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PostBackfill {
    days: u16,
}

/// Begins a run over the orders of so many days. It mails nobody.
pub(super) async fn backfill(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path(shop): Path<String>,
    body: Result<Json<PostBackfill>, JsonRejection>,
) -> Answer {
    let Json(PostBackfill { days }) = body?;
    let domain: ShopDomain = parsed("shop", &shop)?;
    let known = registered(&api, &domain).await?;
    check_days(&known.shop, days)?;
    let id = ask(&api, &domain, &operator, (Occasion::Backfill, days)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "shop": domain, "run_id": id, "days": days }))))
}

fn check_days(shop: &Shop, days: u16) -> Result<(), ApiError> {
    if days == 0 {
        return Err(ApiError::field("days", "0 days hold no order: give 1 or more"));
    }
    if days > WINDOW_DAYS && shop.settings.plan == Plan::Free {
        return Err(ApiError::plan_required(
            format!("{days} days need the plan `paid`, and {} has `free`", shop.domain),
            format!("give {WINDOW_DAYS} or fewer, or change it: `roundtrip shop settings {} --plan paid`", shop.domain),
        ));
    }
    if days > MAX_LOOKBACK_DAYS && !shop.reads_all_orders() {
        return Err(ApiError::max_lookback(
            format!("Shopify shows no orders of more than {MAX_LOOKBACK_DAYS} days ago, and {days} were asked for"),
            format!("give {MAX_LOOKBACK_DAYS} or fewer, or give the app the scope `read_all_orders` and connect again"),
        ));
    }
    Ok(())
}

pub(super) async fn ask(
    api: &Api,
    shop: &ShopDomain,
    operator: &Operator,
    (occasion, days): (Occasion, u16),
) -> Result<String, ApiError> {
    let id = Uuid::now_v7().to_string();
    let wish = Asked { id, at: Timestamp::now(), by: operator.name.clone(), occasion, days };
    let run = ask_for_run(&api.ledger, &api.tasks, shop, &wish).await?;
    tracing::info!(shop.domain = shop.as_str(), actor = operator.name, run.id = run, days, "resync requested");
    Ok(run)
}

/// The run that is under way, or the last one, and those before.
pub(super) async fn show(_: Operator, State(api): State<Arc<Api>>, Path(shop): Path<String>) -> Answer {
    let domain: ShopDomain = parsed("shop", &shop)?;
    registered(&api, &domain).await?;
    let step = read(&api, &domain).await?;
    let now = Timestamp::now();
    let asked: Vec<RunView> = step.state.asked.iter().map(|asked| RunView::of_wish(asked, now)).collect();
    let run = step.state.run.as_ref().map(|run| RunView::of_run(run, step.parked.is_some(), now));
    let state = run.as_ref().or(asked.first()).map_or("never", |run| run.state);
    Ok((
        StatusCode::OK,
        Json(json!({
            "shop": domain,
            "state": state,
            "last_success": step.state.last_success,
            "run": run,
            "next": asked,
            "past": step.state.past.iter().map(|run| RunView::of_run(run, true, now)).collect::<Vec<_>>(),
            "wait": step.wait,
            "error": ShopError::of(&step),
        })),
    ))
}

/// One run, by its id.
pub(super) async fn show_run(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path((shop, id)): Path<(String, String)>,
) -> Answer {
    let domain: ShopDomain = parsed("shop", &shop)?;
    registered(&api, &domain).await?;
    let step = read(&api, &domain).await?;
    let (state, now) = (&step.state, Timestamp::now());
    let asked = state.asked.iter().filter(|asked| asked.id == id).map(|asked| RunView::of_wish(asked, now));
    let current = state.run.iter().filter(|run| run.id == id);
    let current = current.map(|run| RunView::of_run(run, step.parked.is_some(), now));
    let past = state.past.iter().filter(|run| run.id == id).map(|run| RunView::of_run(run, true, now));
    let found = asked.chain(current).chain(past).next();
    let run = found.ok_or_else(|| {
        let remedy = format!("the last 20 are known: GET /v1/shops/{domain}/resync");
        ApiError::not_found(format!("{domain} has no run `{}`", id.chars().take(60).collect::<String>()), remedy)
    })?;
    let error = if run.state == "failed" { ShopError::of(&step) } else { None };
    Ok((StatusCode::OK, Json(json!({ "shop": domain, "run": run, "error": error }))))
}

async fn read(api: &Api, shop: &ShopDomain) -> Result<Step<ResyncState>, ApiError> {
    let known = api.ledger.shop_step(shop, &StepId::Resync).await?;
    Ok(known.map_or_else(|| Step::new(ResyncState::default()), |(step, _)| step))
}

/// A run as the API shows it.
#[derive(Serialize)]
struct RunView<'a> {
    id: &'a str,
    occasion: Occasion,
    state: &'static str,
    requested_at: Timestamp,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    age_secs: i64,
    window: Option<Window>,
    scanned: u32,
    found: u32,
    fixed: u32,
    calls: u32,
}

impl<'a> RunView<'a> {
    /// A run that has not begun.
    fn of_wish(asked: &'a Asked, now: Timestamp) -> Self {
        Self {
            id: &asked.id,
            occasion: asked.occasion,
            state: "requested",
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
    fn of_run(run: &'a Run, is_over: bool, now: Timestamp) -> Self {
        let ended_at = match run.phase {
            Phase::Done { at } => Some(at),
            Phase::Reading { .. } | Phase::Settling { .. } => None,
        };
        let state = match run.progress() {
            Progress::Done => "done",
            Progress::Requested | Progress::Received if is_over => "failed",
            Progress::Requested => "requested",
            Progress::Received => "received",
        };
        Self {
            id: &run.id,
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
}
