//! Orders: lists, one order whole, and asking for a push.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_aws::ListedOrder;
use roundtrip_domain::error_chain;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{FulfillmentId, LabelId, LineItemId, OrderRef, ShipmentId, ShopDomain};
use roundtrip_domain::order::SourceOrder;
use roundtrip_domain::ports::{Ledger, Tasks};
use roundtrip_domain::push::PushState;
use roundtrip_domain::record::{OrderRecord, PushRequest, RequestState, Row, Tab};
use roundtrip_domain::shipments::Sent;
use roundtrip_domain::step::Step;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::{TrackingInfo, WritebackState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::Operator;
use super::error::ApiError;
use super::step::Progress;
use crate::compose::Api;

type Answer = Result<(StatusCode, Json<Value>), ApiError>;

const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 250;
const HISTORY_SHOWN: u16 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    #[serde(default)]
    tab: Option<String>,
    #[serde(default)]
    limit: Option<u16>,
    #[serde(default)]
    after: Option<String>,
}

/// The orders of a shop, newest first: of one tab, page by page, or the newest of all tabs.
pub(super) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(shop): Path<String>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let shop: ShopDomain = shop.parse().map_err(|error| ApiError::field("shop", error))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::field("limit", format!("{limit} is out of range: give 1 to {MAX_LIMIT}")));
    }
    let tab: Option<Tab> =
        query.tab.as_deref().map(str::parse).transpose().map_err(|error| ApiError::field("tab", error))?;
    if query.after.as_deref().is_some_and(|cursor| !roundtrip_aws::is_cursor(cursor)) {
        return Err(ApiError::field("after", "it is no cursor of ours: give the `next` of the page before"));
    }
    let (orders, next) = match tab {
        Some(tab) => {
            let page = api.ledger.list_orders(&shop, tab, limit, query.after.as_deref()).await?;
            (page.orders, page.next)
        }
        None if query.after.is_some() => {
            return Err(ApiError::field("after", "pages are of one tab: give `tab` as well"));
        }
        None => {
            let mut orders = Vec::new();
            for tab in Tab::ALL {
                orders.extend(api.ledger.list_orders(&shop, tab, limit, None).await?.orders);
            }
            orders.sort_by_key(|order| std::cmp::Reverse((order.summary.created_at, order.id)));
            orders.truncate(usize::from(limit));
            (orders, None)
        }
    };
    let orders: Vec<Value> = orders.iter().map(listed).collect();
    Ok((StatusCode::OK, Json(json!({ "orders": orders, "next": next }))))
}

fn listed(order: &ListedOrder) -> Value {
    let summary = &order.summary;
    json!({
        "id": order.id,
        "name": summary.name,
        "created_at": summary.created_at,
        "tab": summary.tab,
        "payment_status": summary.financial_status,
        "fulfillment_status": summary.fulfillment_status,
        "synced_items": summary.lines.iter().filter(|line| line.source.is_some()).map(|line| line.quantity).sum::<u32>(),
        "tags": summary.tags,
        "system_tags": summary.system_tags,
        "warnings": summary.warnings,
        "shipment_method": summary.shipping_method,
        "amount_paid": summary.total,
        "tracking_numbers": summary.tracking_numbers,
    })
}

/// One order with all that is known of it.
pub(super) async fn show(_: Operator, State(api): State<Arc<Api>>, Path((shop, id)): Path<(String, String)>) -> Answer {
    let at = order_ref(&shop, &id)?;
    let record = api.ledger.load(&at).await?;
    let Some(summary) = record.summary.as_ref().map(Row::get) else { return Err(unknown(&at)) };
    let history = api.ledger.history(&at, HISTORY_SHOWN).await?;
    let pushes = record.pushes.iter().map(|((source, group), row)| push_view(source, *group, row.get()));
    let writebacks = record.writebacks.iter().map(|(shipment, row)| writeback_view(shipment, row.get()));
    let requests = record.requests.iter().map(|(id, row)| request_view(id, row.get()));
    let shipped = record.shipments.as_ref().map(Row::get);
    let shipments: Vec<ShipmentView> =
        shipped.into_iter().flat_map(|it| it.sent.iter().flat_map(shipment_views)).collect();
    let untracked = shipped.map(|it| it.untracked.as_slice()).unwrap_or_default();
    Ok((
        StatusCode::OK,
        Json(json!({
            "id": at.id,
            "shop": at.shop,
            "order": summary,
            "customer_name": record.personal.as_ref().and_then(|row| row.get().customer_name.clone()),
            "pushes": pushes.collect::<Vec<_>>(),
            "writebacks": writebacks.collect::<Vec<_>>(),
            "requests": requests.collect::<Vec<_>>(),
            "shipments": shipments,
            "awaiting_tracking": untracked,
            "history": history,
        })),
    ))
}

#[derive(Serialize)]
struct PushView<'a> {
    source: &'a ShopDomain,
    group: u32,
    state: &'static str,
    source_order: Option<&'a SourceOrder>,
    #[serde(flatten)]
    progress: Progress<'a>,
}

fn push_view<'a>(source: &'a ShopDomain, group: u32, step: &'a Step<PushState>) -> PushView<'a> {
    let source_order = match &step.state {
        PushState::Confirmed { order, .. } => Some(order),
        PushState::NotPushed { .. } | PushState::Sent { .. } | PushState::Verifying { .. } => None,
    };
    PushView { source, group, state: step.state.name(), source_order, progress: step.into() }
}

#[derive(Serialize)]
struct WritebackView<'a> {
    source: Option<&'a OrderRef>,
    label: Option<&'a LabelId>,
    state: &'static str,
    fulfillments: &'a [FulfillmentId],
    tracking: &'a [TrackingInfo],
    #[serde(flatten)]
    progress: Progress<'a>,
}

fn writeback_view<'a>(shipment: &'a ShipmentId, step: &'a Step<WritebackState>) -> WritebackView<'a> {
    let (source, label) = match shipment {
        ShipmentId::Fulfillment { source, .. } => (Some(source), None),
        ShipmentId::Label(label) => (None, Some(label)),
    };
    let (fulfillments, tracking) = (&step.state.written, step.state.tracking());
    WritebackView { source, label, state: step.state.name(), fulfillments, tracking, progress: step.into() }
}

/// One tracking number of one fulfillment.
#[derive(Serialize)]
struct ShipmentView<'a> {
    fulfillment: FulfillmentId,
    service: Option<&'a str>,
    #[serde(flatten)]
    tracking: &'a TrackingInfo,
    lines: Vec<LineView>,
}

#[derive(Serialize)]
struct LineView {
    line_item: LineItemId,
    quantity: u32,
}

fn shipment_views(sent: &Sent) -> impl Iterator<Item = ShipmentView<'_>> {
    let lines =
        || sent.lines.iter().map(|(line_item, quantity)| LineView { line_item: *line_item, quantity: *quantity });
    sent.tracking.iter().map(move |tracking| ShipmentView {
        fulfillment: sent.fulfillment,
        service: sent.service.as_deref(),
        tracking,
        lines: lines().collect(),
    })
}

fn request_view(id: &str, request: &PushRequest) -> Value {
    json!({
        "id": id,
        "source": request.source,
        "requested_at": request.requested_at,
        "requested_by": request.requested_by,
        "outcome": request.state,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PushOrder {
    source: String,
}

/// Asks for an order's lines to be pushed to one source shop. The outcome stands in the order's
/// `requests` under the id that comes back.
pub(super) async fn push(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path((shop, id)): Path<(String, String)>,
    body: Result<Json<PushOrder>, JsonRejection>,
) -> Answer {
    let Json(body) = body?;
    let at = order_ref(&shop, &id)?;
    let source: ShopDomain = body.source.parse().map_err(|error| ApiError::field("source", error))?;
    let mut record: OrderRecord = api.ledger.load(&at).await?;
    if record.summary.is_none() {
        return Err(unknown(&at));
    }
    let now = Timestamp::now();
    let request_id = Uuid::now_v7().to_string();
    let request = PushRequest {
        source: source.clone(),
        group: 1,
        requested_at: now,
        requested_by: operator.name.clone(),
        state: RequestState::Open { due: now },
    };
    let task = Task::new(Trigger::Request, &request_id, Subject::Order(at.clone()));
    let mut event = HistoryEvent::moved(now, &task, "request", "none", "push requested").with_detail(source.as_str());
    event.actor.clone_from(&operator.name);
    record.requests.insert(request_id.clone(), Row::new(request));
    record.log(event);
    api.ledger.save(&mut [&mut record]).await?;
    // The row is due already: should this message not go out, due work finds it within a minute.
    if let Err(error) = api.tasks.send(Queue::OrderPush, &task).await {
        tracing::warn!(error = error_chain(&error), "the push will start with the next due work");
    }
    tracing::info!(
        shop.domain = at.shop.as_str(),
        order.id = %at.id,
        source.domain = source.as_str(),
        actor = operator.name,
        request.id = request_id,
        "push requested"
    );
    Ok((StatusCode::ACCEPTED, Json(json!({ "request_id": request_id, "order": at.id, "source": source }))))
}

pub(super) fn order_ref(shop: &str, id: &str) -> Result<OrderRef, ApiError> {
    Ok(OrderRef {
        shop: shop.parse().map_err(|error| ApiError::field("shop", error))?,
        id: id.parse().map_err(|error| ApiError::field("id", error))?,
    })
}

pub(super) fn unknown(at: &OrderRef) -> ApiError {
    ApiError::not_found(
        format!("the ledger knows no order {} of {}", at.id, at.shop),
        "give Shopify's numeric order id; an order is known from its first webhook on",
    )
}
