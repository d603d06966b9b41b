//! The control API, `/_sim/…`: what merchants, customers and bad luck do. [`crate::SimClient`] speaks it.

mod app;
mod faults;
mod model;
mod orders;
mod place;
mod products;
mod shipping;
mod shops;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};

pub use model::*;

use crate::change::{Change, Refusal};
use crate::engine::Engine;

/// All commands.
pub(crate) fn routes() -> Router<Arc<Engine>> {
    let shops = Router::new()
        .route("/", get(shops::list).post(shops::create))
        .route("/{shop}", get(shops::show))
        .route("/{shop}/settings", post(shops::set))
        .route("/{shop}/variants", post(products::set_variant))
        .route("/{shop}/variants/{variant}", post(products::change_variant).delete(products::delete_variant))
        .route("/{shop}/products/{product}", delete(products::delete_product))
        .route("/{shop}/bucket", post(shops::drain))
        .route("/{shop}/token/revoke", post(app::revoke_tokens))
        .route("/{shop}/uninstall", post(app::uninstall))
        .route("/{shop}/install", post(app::install))
        .route("/{shop}/unsubscribe", post(app::unsubscribe));
    let orders = Router::new()
        .route("/{shop}/orders", get(orders::list).post(place::place))
        .route("/{shop}/orders/{order}", get(orders::show))
        .route("/{shop}/orders/{order}/pay", post(orders::pay))
        .route("/{shop}/orders/{order}/cancel", post(orders::cancel))
        .route("/{shop}/orders/{order}/edit", post(orders::edit))
        .route("/{shop}/orders/{order}/refund", post(orders::refund))
        .route("/{shop}/orders/{order}/hold", post(orders::hold))
        .route("/{shop}/orders/{order}/release", post(orders::release))
        .route("/{shop}/orders/{order}/route", post(orders::route))
        .route("/{shop}/orders/{order}/move", post(orders::relocate))
        .route("/{shop}/orders/{order}/tags", post(orders::tag))
        .route("/{shop}/orders/{order}/ship", post(shipping::ship))
        .route("/{shop}/fulfillments/{id}/tracking", post(shipping::update_tracking))
        .route("/{shop}/fulfillments/{id}/cancel", post(shipping::cancel_fulfillment));
    Router::new()
        .nest("/shops", shops.merge(orders))
        .route("/calls", get(app::calls).delete(app::reset_calls))
        .route("/deliveries", get(app::deliveries).delete(app::forget_deliveries))
        .route("/deliveries/{webhook_id}/redeliver", post(app::redeliver))
        .route("/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/faults/webhooks", post(faults::add_for_webhooks))
        .route("/faults/chaos", post(faults::set_chaos))
        .route("/held", get(faults::held))
        .route("/held", delete(faults::release))
}

/// Why a command was not done.
#[derive(Debug)]
pub(crate) enum CommandError {
    NoSuchShop,
    NotFound(&'static str),
    Refused(Refusal),
    Invalid(String),
}

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl IntoResponse for CommandError {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::NoSuchShop => (StatusCode::NOT_FOUND, "no such shop".to_owned()),
            Self::NotFound(what) => (StatusCode::NOT_FOUND, format!("no such {what}")),
            Self::Refused(refusal) => (StatusCode::UNPROCESSABLE_ENTITY, refusal.message),
            Self::Invalid(message) => (StatusCode::BAD_REQUEST, message),
        };
        (status, axum::Json(serde_json::json!({"error": message}))).into_response()
    }
}

/// What a command answers.
type Answer<T> = Result<axum::Json<T>, CommandError>;

/// Changes a shop.
fn change<T>(
    engine: &Arc<Engine>,
    shop: &str,
    act: impl FnOnce(&mut Change<'_>) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    engine.change(shop, act).unwrap_or(Err(CommandError::NoSuchShop))
}
