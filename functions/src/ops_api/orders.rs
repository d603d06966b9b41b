//! Orders: lists, and one order whole.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_aws::ListedOrder;
use roundtrip_domain::id::{FulfillmentId, LabelId, LineItemId, OrderRef, ShipmentId, ShopDomain};
use roundtrip_domain::order::SourceOrder;
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::push::{CancelState, PushState, PushTerms};
use roundtrip_domain::record::{OrderRecord, PushRequest, Row, RowKey, Tab};
use roundtrip_domain::shipments::Sent;
use roundtrip_domain::step::Step;
use roundtrip_domain::writeback::{TrackingInfo, WritebackState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::auth::Operator;
use super::error::{ApiError, parsed};
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
    let shop: ShopDomain = parsed("shop", &shop)?;
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
    let keys: Vec<(OrderRef, RowKey)> =
        orders.iter().map(|order| (OrderRef { shop: shop.clone(), id: order.id }, RowKey::Personal)).collect();
    let personal = api.ledger.load_rows(&keys).await?;
    let now = Timestamp::now();
    let orders: Vec<Value> = orders
        .iter()
        .zip(&keys)
        .map(|(order, (at, _))| listed(order, personal.get(at).and_then(|record| customer_name(record, now))))
        .collect();
    Ok((StatusCode::OK, Json(json!({ "orders": orders, "next": next }))))
}

/// How many orders of a shop stand in each tab.
pub(super) async fn counts(_: Operator, State(api): State<Arc<Api>>, Path(shop): Path<String>) -> Answer {
    let shop: ShopDomain = parsed("shop", &shop)?;
    let mut counts = serde_json::Map::new();
    let mut sum = 0;
    for tab in Tab::ALL {
        let count = api.ledger.count_orders(&shop, tab).await?;
        sum += count;
        counts.insert(tab.name().to_owned(), json!(count));
    }
    Ok((StatusCode::OK, Json(json!({ "shop": shop, "counts": counts, "sum": sum }))))
}

fn customer_name(record: &OrderRecord, now: Timestamp) -> Option<&str> {
    record.personal.as_ref().and_then(|row| row.get().shown_name(now))
}

fn listed(order: &ListedOrder, customer_name: Option<&str>) -> Value {
    let summary = &order.summary;
    json!({
        "id": order.id,
        "name": summary.name,
        "created_at": summary.created_at,
        "customer_name": customer_name,
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
    let cancels = record.cancels.iter().map(|((source, group), row)| cancel_view(source, *group, row.get()));
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
            "customer_name": customer_name(&record, Timestamp::now()),
            "pushes": pushes.collect::<Vec<_>>(),
            "cancellations": cancels.collect::<Vec<_>>(),
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
    terms: Option<&'a PushTerms>,
    #[serde(flatten)]
    progress: Progress<'a>,
}

fn push_view<'a>(source: &'a ShopDomain, group: u32, step: &'a Step<PushState>) -> PushView<'a> {
    let (source_order, terms) = match &step.state {
        PushState::Confirmed { order, terms, .. } => (Some(order), terms.as_ref()),
        PushState::Sent { plan, .. } | PushState::Verifying { plan, .. } => (None, Some(&plan.terms)),
        PushState::NotPushed { .. } => (None, None),
    };
    PushView { source, group, state: step.state.name(), source_order, terms, progress: step.into() }
}

/// The source order is that of the push of the same source and group.
#[derive(Serialize)]
struct CancelView<'a> {
    source: &'a ShopDomain,
    group: u32,
    state: &'static str,
    #[serde(flatten)]
    progress: Progress<'a>,
}

fn cancel_view<'a>(source: &'a ShopDomain, group: u32, step: &'a Step<CancelState>) -> CancelView<'a> {
    CancelView { source, group, state: step.state.name(), progress: step.into() }
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

pub(super) fn order_ref(shop: &str, id: &str) -> Result<OrderRef, ApiError> {
    Ok(OrderRef { shop: parsed("shop", shop)?, id: parsed("id", id)? })
}

pub(super) fn unknown(at: &OrderRef) -> ApiError {
    ApiError::not_found(
        format!("the ledger knows no order {} of {}", at.id, at.shop),
        "give Shopify's numeric order id; an order is known from its first webhook on",
    )
}
