//! Asking for an order to be pushed.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::problem::ProblemCode;
use roundtrip_api::push::{AskedPush, ForwardedField, ForwardedFields, PostPush, PushAsked};
use roundtrip_connectors::shopify::{self, FORWARDED_FIELDS, WITHHELD};
use roundtrip_domain::error_chain;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{OrderRef, ShopDomain};
use roundtrip_domain::money::Money;
use roundtrip_domain::ports::{Ledger, Tasks};
use roundtrip_domain::record::{OrderRecord, PushRequest, RequestState, Row};
use roundtrip_domain::registry::ConnectedShop;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use rust_decimal::Decimal;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path};
use super::orders::{OrderPath, unknown};
use super::request::RequestId;
use super::settings::check_amount;
use super::shops::registered;
use crate::compose::Api;

/// Asks for an order's lines to be pushed to one source shop, or to all. The outcome stands in the order's
/// `requests` under the ids that come back.
#[utoipa::path(post, path = "/v1/shops/{shop}/orders/{id}/pushes", tag = "orders", params(OrderPath),
    request_body = PostPush, responses((status = 202, body = PushAsked)))]
pub(super) async fn ask(
    operator: Operator,
    State(api): State<Arc<Api>>,
    RequestId(request_id): RequestId,
    Path(path): Path<OrderPath>,
    Json(body): Json<PostPush>,
) -> Answer<PushAsked> {
    let at = OrderRef::from(path);
    let mut record: OrderRecord = api.ledger.load(&at).await?;
    if record.summary.is_none() {
        return Err(unknown(&at));
    }
    let made: Vec<AskedPush> = made_before(&record, &request_id).collect();
    if !made.is_empty() {
        return Ok((StatusCode::ACCEPTED, Json(PushAsked { order: at.id, requests: made })));
    }
    let destination = registered(&api, &at.shop).await?;
    let sources: Vec<ShopDomain> = match &body.source {
        Some(source) => {
            check_partial(&destination, &record, source)?;
            vec![source.clone()]
        }
        None => left_here(&record).into_iter().collect(),
    };
    if sources.is_empty() {
        return Err(ApiError::new(
            ProblemCode::NothingToPush,
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
    for (n, (source, shipping_fee)) in sources.into_iter().zip(fees).enumerate() {
        let id = if n == 0 { request_id.clone() } else { format!("{request_id}-{}", n + 1) };
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
        requests.push(AskedPush { id, source });
    }
    api.ledger.save(&mut [&mut record]).await?;
    for AskedPush { id, source } in &requests {
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
    let task = Task::new(Trigger::Request, &request_id, Subject::Order(at.clone()));
    if let Err(error) = api.tasks.send(Queue::OrderPush, &task).await {
        tracing::warn!(error = error_chain(&error), "the push will start with the next due work");
    }
    Ok((StatusCode::ACCEPTED, Json(PushAsked { order: at.id, requests })))
}

/// The pushes that this very request asked for, if it had no answer and is repeated.
fn made_before<'a>(record: &'a OrderRecord, request_id: &'a str) -> impl Iterator<Item = AskedPush> + 'a {
    let made = record.requests.iter().filter(move |(id, _)| id.starts_with(request_id));
    made.map(|(id, row)| AskedPush { id: id.clone(), source: row.get().source.clone() })
}

/// What is sent to source stores, and what never is.
#[utoipa::path(get, path = "/v1/push/forwarded-fields", tag = "orders", responses((status = 200, body = ForwardedFields)))]
pub(super) async fn forwarded_fields(_: Operator) -> Answer<ForwardedFields> {
    let field =
        |it: &shopify::ForwardedField| ForwardedField { field: it.field.to_owned(), holds: it.holds.to_owned() };
    let fields = FORWARDED_FIELDS.iter().map(field).collect();
    let withheld = WITHHELD.iter().map(|text| (*text).to_owned()).collect();
    Ok((StatusCode::OK, Json(ForwardedFields { fields, withheld })))
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
        Some(other) => Err(ApiError::new(
            ProblemCode::PartialPushDisabled,
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
pub(super) async fn manual_fee(
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
