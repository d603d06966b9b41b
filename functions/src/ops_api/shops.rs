//! Shops, connections, product links.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_domain::change_shop_step;
use roundtrip_domain::connect::{ConnectState, is_connecting};
use roundtrip_domain::id::{ShopDomain, VariantId};
use roundtrip_domain::ports::{Credentials, Ledger, Registry, Tasks};
use roundtrip_domain::registry::{Connection, ConnectionSettings, Plan, ProductLink, Shop, UnitPrice, WithoutTracking};
use roundtrip_domain::resync::read_from_now_on;
use roundtrip_domain::secret::{AccessToken, Secret};
use roundtrip_domain::step::{Step, StepId, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::Operator;
use super::error::ApiError;
use super::step::ShopError;
use crate::compose::Api;

type Body<T> = Result<Json<T>, JsonRejection>;
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
    let domain: ShopDomain = body.domain.parse().map_err(|error| ApiError::field("domain", error))?;
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
    let domain: ShopDomain = shop.parse().map_err(|error| ApiError::field("shop", error))?;
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
            "facts": shop.shop.facts,
            "paused": shop.shop.paused,
            "locations": shop.locations,
            "connections": shop.outbound,
            "source_for": shop.inbound,
        })),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PutSettings {
    #[serde(default)]
    plan: Option<Plan>,
    #[serde(default)]
    tracking_sync: Option<bool>,
}

/// Changes how a shop is treated: a field that is left out stays as it is.
pub(super) async fn put_settings(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path(shop): Path<String>,
    body: Body<PutSettings>,
) -> Answer {
    let Json(body) = body?;
    let domain: ShopDomain = shop.parse().map_err(|error| ApiError::field("shop", error))?;
    let mut settings = registered(&api, &domain).await?.shop.settings;
    settings.plan = body.plan.unwrap_or(settings.plan);
    settings.tracking_sync = body.tracking_sync.unwrap_or(settings.tracking_sync);
    api.ledger.put_shop_settings(&domain, &settings).await?;
    if body.tracking_sync == Some(true) {
        read_from_now_on(&api.ledger, &api.tasks, &domain, Timestamp::now()).await?;
    }
    tracing::info!(shop.domain = domain.as_str(), actor = operator.name, "shop settings written");
    Ok((StatusCode::OK, Json(json!({ "shop": domain, "settings": settings }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PutConnection {
    destination: String,
    source: String,
    #[serde(default)]
    auto_push: Option<bool>,
    #[serde(default)]
    notify_customer: Option<bool>,
    #[serde(default)]
    unit_price: Option<UnitPrice>,
    #[serde(default)]
    grace_secs: Option<u32>,
    #[serde(default)]
    allow_partially_refunded: Option<bool>,
    #[serde(default)]
    without_tracking: Option<WithoutTracking>,
    #[serde(default)]
    overwrite_tracking: Option<bool>,
    #[serde(default)]
    split_ok: Option<bool>,
}

/// Connects a destination shop with a source shop, or changes how they are connected: a field that is
/// left out stays as it is.
pub(super) async fn connect(operator: Operator, State(api): State<Arc<Api>>, body: Body<PutConnection>) -> Answer {
    let Json(body) = body?;
    let destination: ShopDomain = body.destination.parse().map_err(|error| ApiError::field("destination", error))?;
    let source: ShopDomain = body.source.parse().map_err(|error| ApiError::field("source", error))?;
    if destination == source {
        return Err(ApiError::field("source", "it is the destination itself: give another shop"));
    }
    let shop = registered(&api, &destination).await?;
    let sells = shop.shop.facts.is_none() || shop.keeps_orders();
    let source_shop = registered(&api, &source).await?;
    let ships = source_shop.shop.facts.is_none() || !source_shop.inbound.is_empty();
    let known = shop.outbound.into_iter().find(|connection| connection.source == source);
    let (version, mut settings) = match known {
        Some(known) => (known.settings_version, known.settings),
        None => (0, ConnectionSettings::default()),
    };
    let was_on = settings.auto_push;
    settings.auto_push = body.auto_push.unwrap_or(was_on);
    if settings.auto_push && !was_on {
        // Whole seconds, as an order's time has them.
        settings.auto_push_since = Timestamp::from_second(Timestamp::now().as_second()).ok();
    }
    settings.notify_customer = body.notify_customer.unwrap_or(settings.notify_customer);
    settings.unit_price = body.unit_price.unwrap_or(settings.unit_price);
    settings.grace_secs = body.grace_secs.unwrap_or(settings.grace_secs);
    settings.allow_partially_refunded = body.allow_partially_refunded.unwrap_or(settings.allow_partially_refunded);
    settings.without_tracking = body.without_tracking.unwrap_or(settings.without_tracking);
    settings.overwrite_tracking = body.overwrite_tracking.unwrap_or(settings.overwrite_tracking);
    settings.split_ok = body.split_ok.unwrap_or(settings.split_ok);
    let connection = Connection { destination, source, settings_version: version + 1, settings };
    api.ledger.put_connection(&connection).await?;
    tracing::info!(
        shop.domain = connection.destination.as_str(),
        source.domain = connection.source.as_str(),
        settings.version = connection.settings_version,
        actor = operator.name,
        "connection written"
    );
    // A shop that is not connected itself yet is read when it is.
    for (shop, was_read) in [(&connection.destination, sells), (&connection.source, ships)] {
        if !was_read {
            read_from_now_on(&api.ledger, &api.tasks, shop, Timestamp::now()).await?;
        }
    }
    let status = if version == 0 { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({ "connection": connection }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PutLinks {
    destination: String,
    source: String,
    links: Vec<VariantPair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VariantPair {
    destination_variant: String,
    source_variant: String,
}

/// At most this many links in one request: what fits well into a body and a timeout.
const MAX_LINKS: usize = 1000;

/// Ties destination variants to the source variants that are shipped for them.
pub(super) async fn link(operator: Operator, State(api): State<Arc<Api>>, body: Body<PutLinks>) -> Answer {
    let Json(body) = body?;
    let destination: ShopDomain = body.destination.parse().map_err(|error| ApiError::field("destination", error))?;
    let source: ShopDomain = body.source.parse().map_err(|error| ApiError::field("source", error))?;
    if body.links.is_empty() || body.links.len() > MAX_LINKS {
        let text = format!("{} links in one request: send 1 to {MAX_LINKS}", body.links.len());
        return Err(ApiError::field("links", text));
    }
    let shop = registered(&api, &destination).await?;
    if !shop.outbound.iter().any(|connection| connection.source == source) {
        return Err(ApiError::conflict(
            "NOT_CONNECTED",
            format!("{destination} and {source} are not connected"),
            "connect them first: POST /v1/connections",
        ));
    }
    let links: Result<Vec<ProductLink>, ApiError> = body
        .links
        .iter()
        .map(|pair| {
            let variant = |field, text: &str| text.parse::<VariantId>().map_err(|error| ApiError::field(field, error));
            Ok(ProductLink {
                destination: destination.clone(),
                destination_variant: variant("links.destination_variant", &pair.destination_variant)?,
                source: source.clone(),
                source_variant: variant("links.source_variant", &pair.source_variant)?,
            })
        })
        .collect();
    let mut links = links?;
    links.sort_by_key(|link| link.destination_variant);
    if let Some(twice) = links.windows(2).find(|pair| pair[0].destination_variant == pair[1].destination_variant) {
        let text = format!("{} is linked twice: give each variant once", twice[0].destination_variant);
        return Err(ApiError::field("links.destination_variant", text));
    }
    api.ledger.put_links(&links).await?;
    tracing::info!(
        shop.domain = destination.as_str(),
        source.domain = source.as_str(),
        links = links.len(),
        actor = operator.name,
        "product links written"
    );
    Ok((StatusCode::CREATED, Json(json!({ "linked": links.len() }))))
}

pub(super) async fn registered(
    api: &Api,
    domain: &ShopDomain,
) -> Result<roundtrip_domain::registry::ConnectedShop, ApiError> {
    let shop = api.ledger.shop(domain).await?;
    shop.ok_or_else(|| ApiError::not_found(format!("{domain} is not registered"), "register it first: POST /v1/shops"))
}
