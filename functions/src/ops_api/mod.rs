//! `ops-api`: the JSON API of operators, merchants and the command line. Reads the ledger and shops' products, writes
//! requests, enqueues; never changes anything in a shop itself.

mod auth;
mod dead_letters;
mod dry_run;
mod error;
mod exceptions;
mod extract;
mod help;
mod incidents;
mod jobs;
mod links;
mod openapi;
mod orders;
mod push;
mod received;
mod request;
mod resync;
mod settings;
mod shipping;
mod shops;
mod sync;
mod tags;
mod writebacks;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Router, middleware};
use lambda_http::Error;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::compose::{self, Api};
use error::ApiError;
use extract::Json;

/// What a handler answers.
type Answer<T> = Result<(StatusCode, Json<T>), ApiError>;

/// Serves `/v1/…` until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, the operator secret cannot be read, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    let api = Arc::new(compose::ops_api().await?);
    lambda_http::run(router(api)).await
}

/// Its routes, and the OpenAPI document of them at `/v1/openapi.json`.
pub fn router(api: Arc<Api>) -> Router {
    let (router, mut document) = OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(shops::register))
        .routes(routes!(shops::show))
        .routes(routes!(shipping::put_locations))
        .routes(routes!(resync::show, resync::begin))
        .routes(routes!(resync::backfill))
        .routes(routes!(resync::show_run))
        .routes(routes!(settings::put_shop))
        .routes(routes!(settings::versions))
        .routes(routes!(settings::put_connection))
        .routes(routes!(links::given::link))
        .routes(routes!(links::match_one_page))
        .routes(routes!(links::list))
        .routes(routes!(links::remove))
        .routes(routes!(orders::list))
        .routes(routes!(orders::counts))
        .routes(routes!(orders::show))
        .routes(routes!(tags::change))
        .routes(routes!(received::list))
        .routes(routes!(push::ask))
        .routes(routes!(dry_run::ask))
        .routes(routes!(sync::show, sync::ask))
        .routes(routes!(push::forwarded_fields))
        .routes(routes!(dead_letters::list))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::own, incidents::release))
        .routes(routes!(exceptions::list))
        .routes(routes!(exceptions::dismiss_warnings))
        .routes(routes!(jobs::redrive))
        .routes(routes!(jobs::purge))
        .routes(routes!(writebacks::retry))
        .routes(routes!(jobs::show))
        .routes(routes!(help::help))
        .routes(routes!(shipping::post_label))
        .routes(routes!(shipping::void_label))
        .split_for_parts();
    openapi::complete(&mut document);
    router
        .route("/v1/openapi.json", get(async move || axum::Json(document)))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&api), request::once))
        .layer(middleware::from_fn(request::observe))
        .with_state(api)
}
