//! Shops and their connections.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_domain::change_shop_step;
use roundtrip_domain::connect::{ConnectState, is_connecting};
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::{Credentials, Ledger, Registry, Tasks};
use roundtrip_domain::registry::Shop;
use roundtrip_domain::secret::{AccessToken, Secret};
use roundtrip_domain::step::{Step, StepId, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::Operator;
use super::error::{ApiError, parsed};
use super::step::ShopError;
use crate::compose::Api;

pub(super) type Body<T> = Result<Json<T>, JsonRejection>;
pub(super) type Answer = Result<(StatusCode, Json<Value>), ApiError>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterShop {
    domain: String,
    /// Given by hand; without it the app's client-credentials grant is used.
    #[serde(default)]
    access_token: Option<String>,
}

/// Registers a shop and asks for it to be connected; again for one that is known mends its connection.
pub(super) async fn register(operator: Operator, State(api): State<Arc<Api>>, body: Body<RegisterShop>) -> Answer {
    let Json(body) = body?;
    let domain: ShopDomain = parsed("domain", &body.domain)?;
    if let Some(token) = body.access_token.as_deref() {
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
    let request_id = Uuid::now_v7().to_string();
    let subject = Subject::Shop { shop: domain.clone() };
    api.tasks.send(Queue::AppLifecycle, &Task::new(Trigger::Request, &request_id, subject)).await?;
    tracing::info!(shop.domain = domain.as_str(), actor = operator.name, request.id = request_id, "connect requested");
    Ok((StatusCode::ACCEPTED, Json(json!({ "shop": domain, "request_id": request_id, "state": "connecting" }))))
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

/// A shop: how far connecting it has come, what it said of itself, its connections.
pub(super) async fn show(_: Operator, State(api): State<Arc<Api>>, Path(shop): Path<String>) -> Answer {
    let domain: ShopDomain = parsed("shop", &shop)?;
    let shop = registered(&api, &domain).await?;
    let step = api.ledger.shop_step::<ConnectState>(&domain, &StepId::Connect).await?.map(|(step, _)| step);
    let state = match &step {
        Some(step) if step.parked.is_some() && shop.shop.paused.is_some() => "paused",
        Some(step) if step.parked.is_some() => "failed",
        Some(step) if is_connecting(step) => "connecting",
        Some(_) | None if shop.shop.facts.is_some() => "connected",
        Some(_) | None => "registered",
    };
    Ok((
        StatusCode::OK,
        Json(json!({
            "shop": domain,
            "state": state,
            "error": step.as_ref().and_then(ShopError::of),
            "settings": shop.shop.settings,
            "settings_change": shop.shop.settings_change,
            "facts": shop.shop.facts,
            "paused": shop.shop.paused,
            "locations": shop.locations,
            "connections": shop.outbound,
            "source_for": shop.inbound,
        })),
    ))
}

pub(super) async fn registered(
    api: &Api,
    domain: &ShopDomain,
) -> Result<roundtrip_domain::registry::ConnectedShop, ApiError> {
    let shop = api.ledger.shop(domain).await?;
    shop.ok_or_else(|| ApiError::not_found(format!("{domain} is not registered"), "register it first: POST /v1/shops"))
}
