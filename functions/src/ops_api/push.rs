//! Asking for an order to be pushed.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_connectors::shopify::{FORWARDED_FIELDS, WITHHELD};
use roundtrip_domain::error_chain;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::money::Money;
use roundtrip_domain::ports::{Ledger, Tasks};
use roundtrip_domain::record::{OrderRecord, PushRequest, RequestState, Row};
use roundtrip_domain::registry::ConnectedShop;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::auth::Operator;
use super::error::{ApiError, parsed};
use super::orders::{order_ref, unknown};
use super::settings::check_amount;
use super::shops::{Answer, Body, registered};
use crate::compose::Api;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PushOrder {
    /// `None`: each source store whose part has not left.
    source: Option<String>,
    /// What shipping costs, in the source store's currency.
    shipping_fee: Option<Decimal>,
}

/// A push that was asked for.
#[derive(Serialize)]
struct Requested {
    id: String,
    source: ShopDomain,
}

/// Asks for an order's lines to be pushed to one source shop, or to all. The outcome stands in the order's
/// `requests` under the ids that come back.
pub(super) async fn ask(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path((shop, id)): Path<(String, String)>,
    body: Body<PushOrder>,
) -> Answer {
    let Json(body) = body?;
    let at = order_ref(&shop, &id)?;
    let mut record: OrderRecord = api.ledger.load(&at).await?;
    if record.summary.is_none() {
        return Err(unknown(&at));
    }
    let destination = registered(&api, &at.shop).await?;
    let sources: Vec<ShopDomain> = match &body.source {
        Some(source) => {
            let source = parsed("source", source)?;
            check_partial(&destination, &record, &source)?;
            vec![source]
        }
        None => left_here(&record).into_iter().collect(),
    };
    if sources.is_empty() {
        return Err(ApiError::conflict(
            "NOTHING_TO_PUSH",
            "no line of the order is linked to a source store that does not have it yet",
            "link its products and have it looked at: `roundtrip order sync`; or give `source`",
        ));
    }
    if body.shipping_fee.is_some() && sources.len() > 1 {
        let text = "a fee is for one store, in its currency: name it, and ask for the others without";
        return Err(ApiError::unprocessable("source", text));
    }
    let mut fees = Vec::new();
    for source in &sources {
        fees.push(match body.shipping_fee {
            Some(fee) => Some(manual_fee(&api, &destination, &record, source, fee).await?),
            None => None,
        });
    }
    let now = Timestamp::now();
    let mut requests = Vec::new();
    for (source, shipping_fee) in sources.into_iter().zip(fees) {
        let id = Uuid::now_v7().to_string();
        let request = PushRequest {
            source: source.clone(),
            group: 1,
            shipping_fee,
            requested_at: now,
            requested_by: operator.name.clone(),
            state: RequestState::Open { due: now },
        };
        let task = Task::new(Trigger::Request, &id, Subject::Order(at.clone()));
        let event = HistoryEvent::moved(now, &task, "request", "none", "push requested").with_detail(source.as_str());
        record.log(HistoryEvent { actor: operator.name.clone(), ..event });
        record.requests.insert(id.clone(), Row::new(request));
        requests.push(Requested { id, source });
    }
    api.ledger.save(&mut [&mut record]).await?;
    for Requested { id, source } in &requests {
        tracing::info!(
            shop.domain = at.shop.as_str(),
            order.id = %at.id,
            source.domain = source.as_str(),
            actor = operator.name,
            request.id = id,
            "push requested"
        );
    }
    // The rows are due already: should this message not go out, due work finds them within a minute.
    let task = Task::new(Trigger::Request, &requests[0].id, Subject::Order(at.clone()));
    if let Err(error) = api.tasks.send(Queue::OrderPush, &task).await {
        tracing::warn!(error = error_chain(&error), "the push will start with the next due work");
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "order": at.id, "requests": requests }))))
}

/// What is sent to source stores, and what never is.
pub(super) async fn forwarded_fields(_: Operator) -> Answer {
    Ok((StatusCode::OK, Json(json!({ "fields": FORWARDED_FIELDS, "withheld": WITHHELD }))))
}

/// The source stores that hold something of the order and do not have it yet.
fn left_here(record: &OrderRecord) -> BTreeSet<ShopDomain> {
    let lines = record.summary.iter().flat_map(|row| &row.get().lines).filter(|line| line.quantity > 0);
    lines.filter_map(|line| line.source.clone()).filter(|source| !record.has_left_for(source)).collect()
}

/// A store that pushes orders whole is not asked for a part, unless the other parts were asked for.
fn check_partial(destination: &ConnectedShop, record: &OrderRecord, source: &ShopDomain) -> Result<(), ApiError> {
    if destination.shop.settings.allow_partial_push {
        return Ok(());
    }
    let is_asked_for = |shop: &ShopDomain| record.open_requests().any(|(_, request)| request.source == *shop);
    let goes = |shop: &ShopDomain| is_asked_for(shop) || goes_by_itself(destination, record, shop);
    match left_here(record).into_iter().find(|other| other != source && !goes(other)) {
        None => Ok(()),
        Some(other) => Err(ApiError::conflict(
            "PARTIAL_PUSH_DISABLED",
            format!("{} pushes orders whole, and the part of {other} was not asked for", destination.shop.domain),
            "leave `source` out, or switch the store's `allow_partial_push` on",
        )),
    }
}

fn goes_by_itself(destination: &ConnectedShop, record: &OrderRecord, source: &ShopDomain) -> bool {
    let connection = destination.connection(source);
    connection.is_some_and(|connection| record.goes_by_itself(&destination.shop, connection))
}

/// What a person says that shipping costs, if a shop of that currency could charge it.
async fn manual_fee(
    api: &Api,
    destination: &ConnectedShop,
    record: &OrderRecord,
    source: &ShopDomain,
    fee: Decimal,
) -> Result<Money, ApiError> {
    if goes_by_itself(destination, record, source) {
        let text = "this order goes by itself, with the store's shipping rates: leave `shipping_fee` out";
        return Err(ApiError::unprocessable("shipping_fee", text));
    }
    let Some(facts) = registered(api, source).await?.shop.facts else {
        let text = format!("{source} has not told its currency yet: connect it first");
        return Err(ApiError::unprocessable("shipping_fee", text));
    };
    check_amount("shipping_fee", fee, facts.currency.decimals())?;
    Ok(Money { amount: fee, currency: facts.currency })
}
