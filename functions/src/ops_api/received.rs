//! The source store's side: the orders that it received.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::orders::{ReceivedAnswer, ReceivedOrder};
use roundtrip_aws::{Listed, Page};
use roundtrip_domain::id::{OrderRef, ShopDomain};
use roundtrip_domain::record::{List, Origin, Received, ReceivedState, RowKey};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path, Query};
use super::orders::{is_within, numbered, part};
use super::shops::ShopPath;
use crate::compose::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReceivedQuery {
    state: Option<ReceivedState>,
    /// The store where they were placed.
    origin: Option<ShopDomain>,
    /// As the merchant of the receiving store sees it, with or without its `#`.
    #[param(example = "#5001")]
    number: Option<String>,
    /// Received at this time or later: a time, or a date in UTC.
    #[param(example = "2026-11-01")]
    from: Option<String>,
    /// Received before this time: a time, or a date in UTC.
    #[param(example = "2026-12-01")]
    before: Option<String>,
    #[param(minimum = 1, maximum = 250, default = 50)]
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// The orders that a store received, newest first: from which store, under which number, and how far it has come with
/// them.
#[utoipa::path(get, path = "/v1/shops/{shop}/received-orders", tag = "orders", params(ShopPath, ReceivedQuery),
    responses((status = 200, body = ReceivedAnswer)))]
pub(super) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(ShopPath { shop }): Path<ShopPath>,
    Query(query): Query<ReceivedQuery>,
) -> Answer<ReceivedAnswer> {
    let part = part((query.from.as_deref(), query.before.as_deref()), query.limit, query.after.as_deref())?;
    if query.state == Some(ReceivedState::Unknown) {
        let text = "it is no state: give unfulfilled, partially-fulfilled, fulfilled or cancelled";
        return Err(ApiError::field("state", text));
    }
    let ReceivedQuery { state, origin: placed_in, number, .. } = &query;
    let wanted = |origin: &OrderRef, received: &Received| {
        state.is_none_or(|state| received.state == state) && placed_in.as_ref().is_none_or(|shop| origin.shop == *shop)
    };
    let page = match number {
        Some(number) => {
            let mut orders =
                api.ledger.find_numbered(&shop, &[List::Received], &RowKey::Origin, numbered(number)?).await?;
            orders.retain(|order: &Listed<Origin>| received_at(order).is_some_and(|at| is_within(at, &part)));
            Page { orders, next: None }
        }
        None => {
            let is_filtered = state.is_some() || placed_in.is_some();
            api.ledger.list_received(&shop, is_filtered.then_some(wanted), part).await?
        }
    };
    let shown = page.orders.into_iter().filter_map(shown).filter(|order| wanted(&order.origin, &order.received));
    Ok((StatusCode::OK, Json(ReceivedAnswer { orders: shown.collect(), next: page.next })))
}

fn shown(order: Listed<Origin>) -> Option<ReceivedOrder> {
    match order.row {
        Origin::Pushed { destination: origin, received: Some(received), .. } => {
            Some(ReceivedOrder { id: order.id, received, origin })
        }
        Origin::Pushed { received: None, .. } | Origin::Unclaimed { .. } => None,
    }
}

fn received_at(order: &Listed<Origin>) -> Option<Timestamp> {
    match &order.row {
        Origin::Pushed { received, .. } => received.as_ref().map(|received| received.at),
        Origin::Unclaimed { .. } => None,
    }
}
