//! Sync now: one order is looked at, and its outcome shown.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::is_outside_60_days;
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::record::{OrderRecord, Row, SyncRequest, SyncState};
use roundtrip_domain::step::Look;
use roundtrip_domain::sync::{TIMEOUT, ask_for_sync};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::auth::Operator;
use super::error::ApiError;
use super::orders::order_ref;
use super::shops::{Answer, registered};
use super::step::link;
use crate::compose::Api;

/// Asks for an order to be looked at, and for what was shipped of it. Clicks within ten seconds are one request.
pub(super) async fn ask(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path((shop, id)): Path<(String, String)>,
) -> Answer {
    let at = order_ref(&shop, &id)?;
    let shop = registered(&api, &at.shop).await?;
    let now = Timestamp::now();
    let known = api.ledger.load(&at).await?;
    if known.placed_at().is_some_and(|placed_at| is_outside_60_days(&shop.shop, placed_at, now)) {
        return Err(ApiError::outside_60_days(&at));
    }
    let id = Uuid::now_v7().to_string();
    let request = ask_for_sync(&api.ledger, &api.tasks, (&shop, &at), (&id, &operator.name), now).await?;
    tracing::info!(
        shop.domain = at.shop.as_str(),
        order.id = %at.id,
        actor = operator.name,
        request.id = request.id,
        "sync requested"
    );
    Ok((StatusCode::ACCEPTED, Json(json!({ "shop": at.shop, "order": at.id, "job_id": request.id }))))
}

/// The last request to look at an order, and how far it has come.
pub(super) async fn show(_: Operator, State(api): State<Arc<Api>>, Path((shop, id)): Path<(String, String)>) -> Answer {
    let at = order_ref(&shop, &id)?;
    registered(&api, &at.shop).await?;
    let record = api.ledger.load(&at).await?;
    let Some(request) = record.sync.as_ref().map(Row::get) else {
        let remedy = format!("ask first: POST /v1/shops/{}/orders/{}/sync", at.shop, at.id);
        return Err(ApiError::not_found("nobody asked for this order to be synced", remedy));
    };
    let mut looks = vec![LookView::of(&at, request)];
    for source in &request.also {
        let record: OrderRecord = api.ledger.load(source).await?;
        // Somebody may have asked for the source order by itself since.
        looks.extend(record.sync.as_ref().map(|row| LookView::of(source, row.get())));
    }
    let now = Timestamp::now();
    Ok((
        StatusCode::OK,
        Json(json!({
            "shop": at.shop,
            "order": at.id,
            "job_id": request.id,
            "state": state(&looks, request, now),
            "requested_at": request.requested_at,
            "requested_by": request.requested_by,
            "age_secs": now.duration_since(request.requested_at).as_secs(),
            "looks": looks,
        })),
    ))
}

/// Of all looks: one that failed before one that is open.
fn state(looks: &[LookView], request: &SyncRequest, now: Timestamp) -> &'static str {
    let any = |state: &str| looks.iter().any(|look| look.state == state);
    let is_late = now.duration_since(request.requested_at).unsigned_abs() > TIMEOUT;
    match (any("failed"), any("open")) {
        (true, _) => "failed",
        (false, true) if is_late => "timeout",
        (false, true) => "open",
        (false, false) => "done",
    }
}

/// One order that is looked at.
#[derive(Serialize)]
struct LookView {
    #[serde(flatten)]
    at: OrderRef,
    look: Look,
    state: &'static str,
    /// When it was answered; of an open one, when it is looked at again.
    when: Timestamp,
    outcome: Option<String>,
    help: Option<String>,
}

impl LookView {
    fn of(at: &OrderRef, request: &SyncRequest) -> Self {
        let (state, when, outcome, help) = match &request.state {
            SyncState::Open { due } => ("open", *due, None, None),
            SyncState::Done { at, outcome } => ("done", *at, Some(outcome.clone()), None),
            SyncState::Failed { at, code } => ("failed", *at, Some(code.to_string()), Some(link(*code))),
        };
        Self { at: at.clone(), look: request.look, state, when, outcome, help }
    }
}
