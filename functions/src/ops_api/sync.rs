//! Sync now: one order is looked at, and its outcome shown.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::step::help_link;
use roundtrip_api::sync::{SyncAnswer, SyncAsked, SyncLook, SyncPhase};
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::is_outside_60_days;
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::record::{OrderRecord, Row, SyncRequest, SyncState};
use roundtrip_domain::sync::{TIMEOUT, ask_for_sync};

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path};
use super::orders::OrderPath;
use super::request::RequestId;
use super::shops::registered;
use crate::compose::Api;

/// Asks for an order to be looked at, and for what was shipped of it. Clicks within ten seconds are one request.
#[utoipa::path(post, path = "/v1/shops/{shop}/orders/{id}/sync", tag = "orders", params(OrderPath),
    responses((status = 202, body = SyncAsked)))]
pub(super) async fn ask(
    operator: Operator,
    State(api): State<Arc<Api>>,
    RequestId(id): RequestId,
    Path(path): Path<OrderPath>,
) -> Answer<SyncAsked> {
    let at = OrderRef::from(path);
    let shop = registered(&api, &at.shop).await?;
    let now = Timestamp::now();
    let known = api.ledger.load(&at).await?;
    if known.placed_at().is_some_and(|placed_at| is_outside_60_days(&shop.shop, placed_at, now)) {
        return Err(ApiError::outside_60_days(&at));
    }
    let request = ask_for_sync(&api.ledger, &api.tasks, (&shop, &at), (&id, &operator.name), now).await?;
    tracing::info!(
        shop.domain = at.shop.as_str(),
        order.id = %at.id,
        actor = operator.name,
        request.id = request.id,
        "sync requested"
    );
    Ok((StatusCode::ACCEPTED, Json(SyncAsked { shop: at.shop, order: at.id, job_id: request.id })))
}

/// The last request to look at an order, and how far it has come.
#[utoipa::path(get, path = "/v1/shops/{shop}/orders/{id}/sync", tag = "orders", params(OrderPath),
    responses((status = 200, body = SyncAnswer)))]
pub(super) async fn show(_: Operator, State(api): State<Arc<Api>>, Path(path): Path<OrderPath>) -> Answer<SyncAnswer> {
    let at = OrderRef::from(path);
    registered(&api, &at.shop).await?;
    let record = api.ledger.load(&at).await?;
    let Some(request) = record.sync.as_ref().map(Row::get) else {
        let remedy = format!("ask first: POST /v1/shops/{}/orders/{}/sync", at.shop, at.id);
        return Err(ApiError::not_found("nobody asked for this order to be synced", remedy));
    };
    let mut looks = vec![look(&at, request)];
    for source in &request.also {
        let record: OrderRecord = api.ledger.load(source).await?;
        // Somebody may have asked for the source order by itself since.
        looks.extend(record.sync.as_ref().map(|row| look(source, row.get())));
    }
    let now = Timestamp::now();
    let answer = SyncAnswer {
        job_id: request.id.clone(),
        state: phase(&looks, request, now),
        requested_at: request.requested_at,
        requested_by: request.requested_by.clone(),
        age_secs: now.duration_since(request.requested_at).as_secs(),
        looks,
        shop: at.shop,
        order: at.id,
    };
    Ok((StatusCode::OK, Json(answer)))
}

/// Of all looks: one that failed before one that is open.
fn phase(looks: &[SyncLook], request: &SyncRequest, now: Timestamp) -> SyncPhase {
    let any = |state| looks.iter().any(|look| look.state == state);
    let is_late = now.duration_since(request.requested_at).unsigned_abs() > TIMEOUT;
    match (any(SyncPhase::Failed), any(SyncPhase::Open)) {
        (true, _) => SyncPhase::Failed,
        (false, true) if is_late => SyncPhase::Timeout,
        (false, true) => SyncPhase::Open,
        (false, false) => SyncPhase::Done,
    }
}

fn look(at: &OrderRef, request: &SyncRequest) -> SyncLook {
    let (state, when, outcome, help) = match &request.state {
        SyncState::Open { due } => (SyncPhase::Open, *due, None, None),
        SyncState::Done { at, outcome } => (SyncPhase::Done, *at, Some(outcome.clone()), None),
        SyncState::Failed { at, code } => (SyncPhase::Failed, *at, Some(code.to_string()), Some(help_link(code))),
    };
    SyncLook { shop: at.shop.clone(), id: at.id, look: request.look, state, when, outcome, help }
}
