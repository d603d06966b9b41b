//! Exceptions, one by one: what somebody must own, and warnings that somebody has seen to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::exceptions::ExceptionsAnswer;
use roundtrip_api::orders::{PostDismissal, WarningsAnswer};
use roundtrip_domain::exceptions::{self, ExceptionCode, Filter, Owner, Ownership};
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{OrderId, OrderRef, ShopDomain};
use roundtrip_domain::record::Row;
use roundtrip_domain::step::Dismissed;
use roundtrip_domain::task::{Subject, Task, Trigger};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::dead_letters::order_names;
use super::error::ApiError;
use super::extract::{Json, Path, Query, page_limit};
use super::jobs::reason;
use super::orders::{OrderPath, change_order, unknown};
use super::request::RequestId;
use crate::compose::Api;

const DEFAULT_LIMIT: u16 = 50;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExceptionsQuery {
    /// Those of one cause, as each of them says it.
    #[param(example = "5f3a91c2")]
    cause: Option<String>,
    #[param(example = "CANCELLED_AFTER_PUSH")]
    code: Option<String>,
    /// Those that have to do with this store: as the one where the order was placed, or the one that its goods come from.
    shop: Option<ShopDomain>,
    /// Those of this order.
    order: Option<OrderId>,
    /// Those of this owner.
    #[param(value_type = Option<String>, example = "warehouse")]
    owner: Option<Owner>,
    /// Those of nobody.
    #[param(default = false)]
    unowned: Option<bool>,
    #[param(minimum = 1, maximum = 250, default = 50)]
    limit: Option<u16>,
}

/// What somebody must own, oldest first: what is parked, and orders that were changed after they were pushed.
#[utoipa::path(get, path = "/v1/exceptions", tag = "exceptions", params(ExceptionsQuery),
    responses((status = 200, body = ExceptionsAnswer)))]
pub(super) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
    Query(query): Query<ExceptionsQuery>,
) -> Answer<ExceptionsAnswer> {
    let ExceptionsQuery { cause, code, shop, order, owner, unowned, limit } = query;
    let limit = page_limit(limit.unwrap_or(DEFAULT_LIMIT))?;
    let code = code.map(|code| known("code", &code)).transpose()?;
    let filter = Filter { cause, code, shop, order, before: None, ownership: ownership(owner, unowned)? };
    let found = exceptions::exceptions(&api.ledger, &filter, Timestamp::now()).await?;
    let mut answer = ExceptionsAnswer::new(found, limit.into());
    let of = |shop: &ShopDomain, id: Option<OrderId>| Some(OrderRef { shop: shop.clone(), id: id? });
    let nameless = answer.exceptions.iter().filter(|it| it.order_name.is_none());
    let orders: BTreeSet<OrderRef> = nameless.filter_map(|it| of(&it.shop, it.order)).collect();
    let names: BTreeMap<OrderRef, String> = order_names(&api, orders).await?;
    for exception in &mut answer.exceptions {
        let order = of(&exception.shop, exception.order);
        exception.order_name = exception.order_name.take().or_else(|| names.get(&order?).cloned());
    }
    Ok((StatusCode::OK, Json(answer)))
}

/// Whose.
pub(super) fn ownership(owner: Option<Owner>, unowned: Option<bool>) -> Result<Option<Ownership>, ApiError> {
    match (owner, unowned.unwrap_or(false)) {
        (Some(_), true) => Err(ApiError::field("unowned", "what has an owner is not without one: give one of the two")),
        (owner, false) => Ok(owner.map(Ownership::Of)),
        (None, true) => Ok(Some(Ownership::Nobody)),
    }
}

/// The code of this name.
pub(super) fn known(field: &str, code: &str) -> Result<ExceptionCode, ApiError> {
    ExceptionCode::named(code).ok_or_else(|| ApiError::unknown_code(field, code, "LOCATION_UNMAPPED"))
}

/// Says that nothing is left to do about warnings of an order, all of them or those of one cause: somebody saw to them at the
/// source store. One comes back if something else differs later.
#[utoipa::path(post, path = "/v1/shops/{shop}/orders/{id}/warnings/dismiss", tag = "exceptions", params(OrderPath),
    request_body = PostDismissal, responses((status = 200, body = WarningsAnswer)))]
pub(super) async fn dismiss_warnings(
    operator: Operator,
    State(api): State<Arc<Api>>,
    RequestId(request_id): RequestId,
    Path(path): Path<OrderPath>,
    Json(PostDismissal { cause, reason: given }): Json<PostDismissal>,
) -> Answer<WarningsAnswer> {
    let at = OrderRef::from(path);
    let now = Timestamp::now();
    let dismissed = Dismissed { at: now, by: operator.name, reason: reason(Some(&given))? };
    let mut seen = None;
    let answer = change_order(&api, &at, |record| {
        // As they are now: what a worker finds to differ meanwhile, nobody has seen.
        let seen = seen.get_or_insert_with(|| record.open_warnings(cause.as_deref()));
        let told = record.dismiss_warnings(seen, &dismissed);
        let Some(summary) = record.summary.as_ref().map(Row::get) else { return Err(unknown(&at)) };
        let answer = WarningsAnswer { order: at.id, dismissed: told.len(), warnings: summary.warnings.clone() };
        if !told.is_empty() {
            let task = Task::new(Trigger::Request, &request_id, Subject::Order(at.clone()));
            let event = HistoryEvent::moved(now, &task, "warnings", "open", "dismissed");
            let event = event.with_detail(format!("{}; {}", dismissed.reason, told.join("; ")));
            record.log(HistoryEvent { actor: dismissed.by.clone(), ..event });
        }
        Ok(answer)
    });
    Ok((StatusCode::OK, Json(answer.await?)))
}
