//! What is failing now, by cause.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use roundtrip_api::incidents::IncidentsAnswer;
use roundtrip_domain::dead_letters::{Filter, incidents};
use roundtrip_domain::id::ShopDomain;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::extract::{Json, Query};
use crate::compose::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct IncidentsQuery {
    /// What has to do with this store: as the one where the order was placed, or the one that its goods come from.
    shop: Option<ShopDomain>,
}

/// What is parked, by what it failed of: how many, since when, whose, what to do, and the commands that try one of them and
/// set the rest going.
#[utoipa::path(get, path = "/v1/incidents", tag = "dead letters", params(IncidentsQuery),
    responses((status = 200, body = IncidentsAnswer)))]
pub(super) async fn show(
    _: Operator,
    State(api): State<Arc<Api>>,
    Query(IncidentsQuery { shop }): Query<IncidentsQuery>,
) -> Answer<IncidentsAnswer> {
    let found = incidents(&api.ledger, &Filter { shop, ..Filter::default() }).await?;
    Ok((StatusCode::OK, Json(found.into())))
}
