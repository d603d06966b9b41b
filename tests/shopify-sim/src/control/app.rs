//! The app in the shops: its tokens, its calls, what it was sent.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::{Answer, CommandError, Count, Unsubscribe, change};
use crate::engine::{Calls, Engine};
use crate::webhooks::{self, Delivery, Topic};

/// Every token stops working; a new one can be had.
pub(super) async fn revoke_tokens(State(engine): State<Arc<Engine>>, Path(shop): Path<String>) -> Answer<Count> {
    change(&engine, &shop, |change| {
        let count = change.shop.tokens.len();
        change.shop.tokens.clear();
        Ok(Json(Count { count }))
    })
}

/// The merchant removes the app: it hears of it, and then of nothing more.
pub(super) async fn uninstall(State(engine): State<Arc<Engine>>, Path(shop): Path<String>) -> Answer<Count> {
    change(&engine, &shop, |change| {
        let (id, name, email) = (change.shop.id, change.shop.name.clone(), change.shop.contact_email.clone());
        let domain = change.shop.domain.clone();
        change.happened(
            Topic::AppUninstalled,
            json!({"id": id, "name": name, "email": email, "domain": domain, "myshopify_domain": domain}),
        );
        change.shop.installed = false;
        change.shop.tokens.clear();
        Ok(())
    })?;
    // Only now: the uninstall itself is still told.
    change(&engine, &shop, |change| {
        let count = change.shop.subscriptions.len();
        change.shop.subscriptions.clear();
        Ok(Json(Count { count }))
    })
}

/// Shopify gives up telling the app of a topic, or of anything.
pub(super) async fn unsubscribe(
    State(engine): State<Arc<Engine>>,
    Path(shop): Path<String>,
    Json(of): Json<Unsubscribe>,
) -> Answer<Count> {
    change(&engine, &shop, |change| {
        let before = change.shop.subscriptions.len();
        change.shop.subscriptions.retain(|it| of.topic.is_some_and(|topic| topic != it.topic));
        Ok(Json(Count { count: before - change.shop.subscriptions.len() }))
    })
}

/// The merchant takes the app back.
pub(super) async fn install(State(engine): State<Arc<Engine>>, Path(shop): Path<String>) -> Answer<Count> {
    change(&engine, &shop, |change| {
        change.shop.installed = true;
        Ok(Json(Count { count: 1 }))
    })
}

pub(super) async fn calls(State(engine): State<Arc<Engine>>) -> Json<Vec<Calls>> {
    Json(engine.calls())
}

pub(super) async fn reset_calls(State(engine): State<Arc<Engine>>) -> Json<Count> {
    let count = engine.calls().len();
    engine.reset_calls();
    Json(Count { count })
}

pub(super) async fn deliveries(State(engine): State<Arc<Engine>>) -> Json<Vec<Delivery>> {
    Json(engine.deliveries.all())
}

/// Forgets finished deliveries.
pub(super) async fn forget_deliveries(State(engine): State<Arc<Engine>>) -> Json<Count> {
    engine.deliveries.clear();
    Json(Count { count: engine.deliveries.all().len() })
}

/// Sends a webhook once more, unchanged.
pub(super) async fn redeliver(State(engine): State<Arc<Engine>>, Path(webhook_id): Path<String>) -> Answer<Count> {
    match webhooks::redeliver(&engine, &webhook_id).await {
        true => Ok(Json(Count { count: 1 })),
        false => Err(CommandError::NotFound("delivery")),
    }
}
