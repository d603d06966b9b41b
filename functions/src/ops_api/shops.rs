//! Shops and their connections.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::shops::{RegisterShop, ShopAnswer, ShopAsked, ShopState};
use roundtrip_api::step::ShopError;
use roundtrip_domain::change_shop_step;
use roundtrip_domain::connect::{ConnectState, is_connecting};
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::{Credentials, Ledger, Registry, Tasks};
use roundtrip_domain::registry::{ConnectedShop, Shop};
use roundtrip_domain::secret::{AccessToken, Secret};
use roundtrip_domain::step::{Step, StepId, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path};
use super::request::RequestId;
use crate::compose::Api;

/// Which store.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ShopPath {
    /// The permanent domain.
    pub(super) shop: ShopDomain,
}

/// Registers a store and has it connected; again for one that is known, mends its connection.
#[utoipa::path(post, path = "/v1/shops", tag = "stores", request_body = RegisterShop,
    responses((status = 202, body = ShopAsked)))]
pub(super) async fn register(
    operator: Operator,
    State(api): State<Arc<Api>>,
    RequestId(request_id): RequestId,
    Json(RegisterShop { domain, access_token }): Json<RegisterShop>,
) -> Answer<ShopAsked> {
    if let Some(token) = access_token.as_deref() {
        if token.trim().is_empty() || !token.trim().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiError::field(
                "access_token",
                "it is no token: give it as Shopify showed it, or leave it out",
            ));
        }
        let token = AccessToken { token: Secret::new(token.trim()), expires_at: None };
        api.vault.keep_token(&domain, &token).await?;
    }
    let now = Timestamp::now();
    api.ledger.register_shop(&Shop::registered(domain.clone(), now)).await?;
    ask_to_connect(&api, &domain, now).await?;
    let subject = Subject::Shop { shop: domain.clone() };
    api.tasks.send(Queue::AppLifecycle, &Task::new(Trigger::Request, &request_id, subject)).await?;
    tracing::info!(shop.domain = domain.as_str(), actor = operator.name, request.id = request_id, "connect requested");
    Ok((StatusCode::ACCEPTED, Json(ShopAsked { request_id, shop: domain, state: ShopState::Connecting })))
}

/// Makes the connect step due, whatever state it is in; a worker that writes it at the same moment is
/// overruled.
async fn ask_to_connect(api: &Api, domain: &ShopDomain, now: Timestamp) -> Result<(), ApiError> {
    let connect = |step: &mut Step<ConnectState>| {
        step.reopen();
        step.wait(now, now, WaitReason::Requested);
    };
    Ok(change_shop_step(&api.ledger, domain, &StepId::Connect, connect).await?)
}

/// A store: how far connecting it has come, what it said of itself, its connections.
#[utoipa::path(get, path = "/v1/shops/{shop}", tag = "stores", params(ShopPath),
    responses((status = 200, body = ShopAnswer)))]
pub(super) async fn show(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(ShopPath { shop: domain }): Path<ShopPath>,
) -> Answer<ShopAnswer> {
    let ConnectedShop { shop, outbound, inbound, locations } = registered(&api, &domain).await?;
    let step = api.ledger.shop_step::<ConnectState>(&domain, &StepId::Connect).await?.map(|(step, _)| step);
    let state = match &step {
        Some(step) if step.parked.is_some() && shop.paused.is_some() => ShopState::Paused,
        Some(step) if step.parked.is_some() => ShopState::Failed,
        Some(step) if is_connecting(step) => ShopState::Connecting,
        Some(_) | None if shop.facts.is_some() => ShopState::Connected,
        Some(_) | None => ShopState::Registered,
    };
    let Shop { facts, paused, settings, settings_change, .. } = shop;
    let (error, locations) = (step.as_ref().and_then(ShopError::of), locations.into());
    let answer = ShopAnswer {
        shop: domain,
        state,
        error,
        facts,
        paused,
        settings,
        settings_change,
        locations,
        connections: outbound,
        source_for: inbound,
    };
    Ok((StatusCode::OK, Json(answer)))
}

pub(super) async fn registered(api: &Api, domain: &ShopDomain) -> Result<ConnectedShop, ApiError> {
    let shop = api.ledger.shop(domain).await?;
    shop.ok_or_else(|| ApiError::not_found(format!("{domain} is not registered"), "register it first: POST /v1/shops"))
}
