//! Incidents: what needs somebody now, by cause, and who takes it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use roundtrip_api::exceptions::{OwnerAnswer, PutOwner};
use roundtrip_api::incidents::IncidentsAnswer;
use roundtrip_domain::exceptions::{Assignment, Filter, Owned, Owner, exceptions, incidents};
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::Exceptions;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::exceptions::ownership;
use super::extract::{Json, Path, Query};
use crate::compose::Api;

/// For how long somebody has what they took: a week, and what is there still is told of again.
const DEFAULT_DAYS: u16 = 7;
const MAX_DAYS: u16 = 90;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct IncidentsQuery {
    /// What has to do with this store: as the one where the order was placed, or the one that its goods come from.
    shop: Option<ShopDomain>,
    /// What belongs to this owner.
    #[param(value_type = Option<String>, example = "warehouse")]
    owner: Option<Owner>,
    /// What belongs to nobody.
    #[param(default = false)]
    unowned: Option<bool>,
}

/// What needs somebody now, by its cause: how many exceptions, since when, whose, who sees to them, what to do, and the
/// commands that try one and set the rest going.
#[utoipa::path(get, path = "/v1/incidents", tag = "exceptions", params(IncidentsQuery),
    responses((status = 200, body = IncidentsAnswer)))]
pub(super) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
    Query(IncidentsQuery { shop, owner, unowned }): Query<IncidentsQuery>,
) -> Answer<IncidentsAnswer> {
    let filter = Filter { shop, ownership: ownership(owner, unowned)?, ..Filter::default() };
    let found = incidents(&api.ledger, &filter, Timestamp::now()).await?;
    Ok((StatusCode::OK, Json(found.into())))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct CausePath {
    /// As each exception of it says it.
    #[param(example = "5f3a91c2")]
    cause: String,
}

/// Says who sees to a cause, for some time: what failed of it, and what does meanwhile.
#[utoipa::path(put, path = "/v1/incidents/{cause}/owner", tag = "exceptions", params(CausePath), request_body = PutOwner,
    responses((status = 200, body = OwnerAnswer)))]
pub(super) async fn own(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path(CausePath { cause }): Path<CausePath>,
    Json(PutOwner { owner, days }): Json<PutOwner>,
) -> Answer<OwnerAnswer> {
    let days = days.unwrap_or(DEFAULT_DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(ApiError::field("days", format!("{days} is out of range: give 1 to {MAX_DAYS}")));
    }
    let owner = match owner {
        Some(owner) => owner,
        None => {
            operator.name.parse().map_err(|_| ApiError::field("owner", "your token has no name: say whose it is"))?
        }
    };
    let now = Timestamp::now();
    let count = count(&api, &cause, now).await?;
    if count == 0 {
        let remedy = "`roundtrip incident` shows what there is now";
        return Err(ApiError::not_found("nothing of this cause needs anybody", remedy));
    }
    let until = now + SignedDuration::from_hours(24 * i64::from(days));
    let assignment = Assignment { cause, owner, until, at: now, by: operator.name };
    api.ledger.assign(&assignment).await?;
    let Assignment { cause, owner, by, .. } = assignment;
    tracing::info!(incident.cause = cause, incident.owner = owner.to_string(), actor = by, "incident taken");
    let owned = Some(Owned { owner, until: Some(until) });
    Ok((StatusCode::OK, Json(OwnerAnswer { cause, count, owned })))
}

/// Nobody has taken this cause any more; a store's rule may still name somebody.
#[utoipa::path(delete, path = "/v1/incidents/{cause}/owner", tag = "exceptions", params(CausePath),
    responses((status = 200, body = OwnerAnswer)))]
pub(super) async fn release(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path(CausePath { cause }): Path<CausePath>,
) -> Answer<OwnerAnswer> {
    let is_taken = api.ledger.assignments().await?.iter().any(|it| it.cause == cause);
    if !is_taken {
        return Err(ApiError::not_found("nobody took this cause", "`roundtrip incident` shows who owns what"));
    }
    api.ledger.release(&cause).await?;
    tracing::info!(incident.cause = cause, actor = operator.name, "incident released");
    let count = count(&api, &cause, Timestamp::now()).await?;
    Ok((StatusCode::OK, Json(OwnerAnswer { cause, count, owned: None })))
}

async fn count(api: &Api, cause: &str, now: Timestamp) -> Result<usize, ApiError> {
    let filter = Filter { cause: Some(cause.to_owned()), ..Filter::default() };
    Ok(exceptions(&api.ledger, &filter, now).await?.exceptions.len())
}
