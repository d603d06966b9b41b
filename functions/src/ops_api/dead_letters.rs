//! Dead letters: what is parked, read from the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use roundtrip_api::dead_letters::{DeadLettersAnswer, ListedDeadLetter};
use roundtrip_aws::is_parked_cursor;
use roundtrip_domain::code::Code;
use roundtrip_domain::dead_letters::{self, DeadLetter, DeadLetterId, Filter, Page, these};
use roundtrip_domain::id::{OrderId, OrderRef, ShopDomain};
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::record::{OrderRecord, RowKey};
use roundtrip_domain::task::Queue;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Query, page_limit};
use super::orders::moments;
use crate::compose::Api;

const DEFAULT_LIMIT: u16 = 50;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeadLettersQuery {
    /// Just this one.
    #[param(value_type = Option<String>, example = "moon-shop.myshopify.com/5512345678901/push/sun-shop.myshopify.com/1@0")]
    id: Option<DeadLetterId>,
    /// Those of one cause, as each of them says it.
    #[param(example = "5f3a91c2")]
    cause: Option<String>,
    #[param(value_type = Option<Code>)]
    code: Option<String>,
    queue: Option<Queue>,
    /// Those that have to do with this store: as the one where the order was placed, or the one that its goods come from.
    shop: Option<ShopDomain>,
    /// Those of this order.
    order: Option<OrderId>,
    /// Parked at this time or later: a time, or a date in UTC.
    #[param(example = "2026-11-01")]
    from: Option<String>,
    /// Parked before this time: a time, or a date in UTC.
    #[param(example = "2026-12-01")]
    before: Option<String>,
    #[param(minimum = 1, maximum = 250, default = 50)]
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// What is parked and waits for a person, oldest first, as the ledger knows it. Nothing is taken off a queue.
#[utoipa::path(get, path = "/v1/dead-letters", tag = "dead letters", params(DeadLettersQuery),
    responses((status = 200, body = DeadLettersAnswer)))]
pub(super) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
    Query(query): Query<DeadLettersQuery>,
) -> Answer<DeadLettersAnswer> {
    let limit = page_limit(query.limit.unwrap_or(DEFAULT_LIMIT))?;
    let DeadLettersQuery { id, cause, code, queue, shop, order, from, before, after, limit: _ } = query;
    if after.as_deref().is_some_and(|cursor| !is_parked_cursor(cursor)) {
        return Err(ApiError::field("after", "it is no cursor of ours: give the `next` of the page before"));
    }
    let filter = Filter { cause, queue, shop, order, ..filter(code.as_deref(), (from.as_deref(), before.as_deref()))? };
    let page = match id {
        Some(id) => {
            let mut letters = these(&api.ledger, &[id]).await?;
            letters.retain(|letter| filter.lets_through(letter));
            Page { letters, next: None }
        }
        None => dead_letters::list(&api.ledger, &filter, after.as_deref(), limit.into()).await?,
    };
    let names = order_names(&api, page.letters.iter().filter_map(DeadLetter::order).collect()).await?;
    let shown = page.letters.into_iter().map(|letter| {
        let name = letter.order().and_then(|order| names.get(&order).cloned());
        ListedDeadLetter::new(letter, name)
    });
    Ok((StatusCode::OK, Json(DeadLettersAnswer { dead_letters: shown.collect(), next: page.next })))
}

/// What of a filter comes as text.
pub(super) fn filter(code: Option<&str>, times: (Option<&str>, Option<&str>)) -> Result<Filter, ApiError> {
    let code = code.map(known).transpose()?;
    let (from, before) = moments(times)?;
    Ok(Filter { code, from, before, ..Filter::default() })
}

fn known(code: &str) -> Result<Code, ApiError> {
    let known = Code::ALL.into_iter().find(|known| known.name() == code);
    known.ok_or_else(|| ApiError::unknown_code("code", code, "CHANNEL_UNAVAILABLE"))
}

/// As their merchants see them.
pub(super) async fn order_names(api: &Api, orders: BTreeSet<OrderRef>) -> Result<BTreeMap<OrderRef, String>, ApiError> {
    let keys: Vec<(OrderRef, RowKey)> = orders.into_iter().map(|order| (order, RowKey::Summary)).collect();
    let records = api.ledger.load_rows(&keys).await?;
    let name = |(order, record): (OrderRef, OrderRecord)| Some((order, record.summary?.get().name.clone()));
    Ok(records.into_iter().filter_map(name).collect())
}
