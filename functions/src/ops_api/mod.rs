//! `ops-api`: the JSON API of operators, merchants and the command line. Reads the ledger and shops' products, writes
//! requests, enqueues; never changes anything in a shop itself.

mod auth;
mod error;
mod links;
mod orders;
mod push;
mod resync;
mod settings;
mod shipping;
mod shops;
mod step;
mod sync;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};
use lambda_http::Error;

use crate::compose::{self, Api};

pub use auth::{AUDIENCE, Claims};

/// Serves `/v1/…` until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, the operator secret cannot be read, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    let api = Arc::new(compose::ops_api().await?);
    lambda_http::run(router(api)).await
}

/// Its routes.
pub fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/shops", post(shops::register))
        .route("/v1/shops/{shop}", get(shops::show))
        .route("/v1/shops/{shop}/locations", put(shipping::put_locations))
        .route("/v1/shops/{shop}/resync", get(resync::show).post(resync::begin))
        .route("/v1/shops/{shop}/backfills", post(resync::backfill))
        .route("/v1/shops/{shop}/runs/{id}", get(resync::show_run))
        .route("/v1/shops/{shop}/settings", put(settings::put_shop))
        .route("/v1/shops/{shop}/settings/versions", get(settings::versions))
        .route("/v1/connections", post(settings::put_connection))
        .route("/v1/links", post(links::link))
        .route("/v1/links/match", post(links::match_one_page))
        .route("/v1/connections/{destination}/{source}/links", get(links::list))
        .route("/v1/connections/{destination}/{source}/links/{variant}", delete(links::remove))
        .route("/v1/shops/{shop}/orders", get(orders::list))
        .route("/v1/shops/{shop}/order-counts", get(orders::counts))
        .route("/v1/shops/{shop}/orders/{id}", get(orders::show))
        .route("/v1/shops/{shop}/orders/{id}/pushes", post(push::ask))
        .route("/v1/shops/{shop}/orders/{id}/sync", get(sync::show).post(sync::ask))
        .route("/v1/push/forwarded-fields", get(push::forwarded_fields))
        .route("/v1/help/{code}", get(step::help))
        .route("/v1/labels", post(shipping::post_label))
        .route("/v1/shops/{shop}/orders/{id}/labels/{label}", delete(shipping::void_label))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .with_state(api)
}
