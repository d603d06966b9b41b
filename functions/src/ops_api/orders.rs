//! Orders: lists, and one order whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::orders::{
    CountsAnswer, ListAnswer, ListedOrder, OrderAnswer, PushView, RequestView, SentLine, ShipmentView, WritebackView,
};
use roundtrip_domain::id::{LineItemId, OrderId, OrderRef, ShipmentId, ShopDomain};
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::push::PushState;
use roundtrip_domain::record::{OrderRecord, PushRequest, Row, RowKey, Tab};
use roundtrip_domain::shipments::Sent;
use roundtrip_domain::step::Step;
use roundtrip_domain::writeback::WritebackState;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path, Query};
use super::shops::ShopPath;
use crate::compose::Api;

const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 250;
const HISTORY_SHOWN: u16 = 100;

/// Which order.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OrderPath {
    /// The store whose order it is.
    shop: ShopDomain,
    /// Shopify's number for it, or its gid.
    id: OrderId,
}

impl From<OrderPath> for OrderRef {
    fn from(OrderPath { shop, id }: OrderPath) -> Self {
        Self { shop, id }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Left out: the newest of all tabs, without a next page.
    #[serde(default)]
    tab: Option<Tab>,
    #[serde(default)]
    #[param(minimum = 1, maximum = 250, default = 50)]
    limit: Option<u16>,
    /// The `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

/// The orders of a shop, newest first: of one tab, page by page, or the newest of all tabs.
#[utoipa::path(get, path = "/v1/shops/{shop}/orders", tag = "orders", params(ShopPath, ListQuery),
    responses((status = 200, body = ListAnswer)))]
pub(super) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(ShopPath { shop }): Path<ShopPath>,
    Query(query): Query<ListQuery>,
) -> Answer<ListAnswer> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::field("limit", format!("{limit} is out of range: give 1 to {MAX_LIMIT}")));
    }
    if query.after.as_deref().is_some_and(|cursor| !roundtrip_aws::is_cursor(cursor)) {
        return Err(ApiError::field("after", "it is no cursor of ours: give the `next` of the page before"));
    }
    let (orders, next) = match query.tab {
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
    let named = orders.into_iter().zip(&keys);
    let orders = named.map(|(order, (at, _))| listed(order, personal.get(at).and_then(|it| customer_name(it, now))));
    Ok((StatusCode::OK, Json(ListAnswer { orders: orders.collect(), next })))
}

/// How many orders of a store stand in each tab.
#[utoipa::path(get, path = "/v1/shops/{shop}/order-counts", tag = "orders", params(ShopPath),
    responses((status = 200, body = CountsAnswer)))]
pub(super) async fn counts(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(ShopPath { shop }): Path<ShopPath>,
) -> Answer<CountsAnswer> {
    let mut counts = BTreeMap::new();
    for tab in Tab::ALL {
        counts.insert(tab.name().to_owned(), api.ledger.count_orders(&shop, tab).await?);
    }
    let sum = counts.values().sum();
    Ok((StatusCode::OK, Json(CountsAnswer { shop, counts, sum })))
}

fn customer_name(record: &OrderRecord, now: Timestamp) -> Option<String> {
    record.personal.as_ref().and_then(|row| row.get().shown_name(now)).map(ToOwned::to_owned)
}

fn listed(order: roundtrip_aws::ListedOrder, customer_name: Option<String>) -> ListedOrder {
    let summary = order.summary;
    ListedOrder {
        id: order.id,
        created_at: summary.created_at,
        customer_name,
        tab: summary.tab,
        synced_items: summary.lines.iter().filter(|line| line.source.is_some()).map(|line| line.quantity).sum(),
        name: summary.name,
        payment_status: summary.financial_status,
        fulfillment_status: summary.fulfillment_status,
        tags: summary.tags,
        system_tags: summary.system_tags,
        warnings: summary.warnings,
        shipment_method: summary.shipping_method,
        amount_paid: summary.total,
        tracking_numbers: summary.tracking_numbers,
    }
}

/// One order with all that is known of it.
#[utoipa::path(get, path = "/v1/shops/{shop}/orders/{id}", tag = "orders", params(OrderPath),
    responses((status = 200, body = OrderAnswer)))]
pub(super) async fn show(_: Operator, State(api): State<Arc<Api>>, Path(path): Path<OrderPath>) -> Answer<OrderAnswer> {
    let at = OrderRef::from(path);
    let record = api.ledger.load(&at).await?;
    let Some(summary) = record.summary.as_ref().map(Row::get) else { return Err(unknown(&at)) };
    let history = api.ledger.history(&at, HISTORY_SHOWN).await?;
    let shipped = record.shipments.as_ref().map(Row::get);
    let answer = OrderAnswer {
        order: summary.clone(),
        customer_name: customer_name(&record, Timestamp::now()),
        pushes: record.pushes.iter().map(|((source, group), row)| push_view(source, *group, row.get())).collect(),
        writebacks: record.writebacks.iter().map(|(shipment, row)| writeback_view(shipment, row.get())).collect(),
        requests: record.requests.iter().map(|(id, row)| request_view(id, row.get())).collect(),
        shipments: shipped.into_iter().flat_map(|it| it.sent.iter().flat_map(shipment_views)).collect(),
        awaiting_tracking: shipped.map(|it| it.untracked.clone()).unwrap_or_default(),
        history,
        shop: at.shop,
        id: at.id,
    };
    Ok((StatusCode::OK, Json(answer)))
}

fn push_view(source: &ShopDomain, group: u32, step: &Step<PushState>) -> PushView {
    let (source_order, terms) = match &step.state {
        PushState::Confirmed { order, terms, .. } => (Some(order.clone()), terms.clone()),
        PushState::Sent { plan, .. } | PushState::Verifying { plan, .. } => (None, Some(plan.terms.clone())),
        PushState::NotPushed { .. } => (None, None),
    };
    let state = step.state.name().to_owned();
    PushView { source: source.clone(), group, state, source_order, terms, progress: step.into() }
}

fn writeback_view(shipment: &ShipmentId, step: &Step<WritebackState>) -> WritebackView {
    let (source, label) = match shipment {
        ShipmentId::Fulfillment { source, .. } => (Some(source.clone()), None),
        ShipmentId::Label(label) => (None, Some(label.clone())),
    };
    let (fulfillments, tracking) = (step.state.written.clone(), step.state.tracking().to_vec());
    WritebackView { source, label, state: step.state.name().to_owned(), fulfillments, tracking, progress: step.into() }
}

fn shipment_views(sent: &Sent) -> impl Iterator<Item = ShipmentView> + '_ {
    let line = |(line_item, quantity): &(LineItemId, u32)| SentLine { line_item: *line_item, quantity: *quantity };
    sent.tracking.iter().map(move |tracking| ShipmentView {
        fulfillment: sent.fulfillment,
        service: sent.service.clone(),
        tracking: tracking.clone(),
        lines: sent.lines.iter().map(line).collect(),
    })
}

fn request_view(id: &str, request: &PushRequest) -> RequestView {
    RequestView {
        id: id.to_owned(),
        source: request.source.clone(),
        requested_at: request.requested_at,
        requested_by: request.requested_by.clone(),
        outcome: request.state.clone(),
    }
}

pub(super) fn unknown(at: &OrderRef) -> ApiError {
    ApiError::not_found(
        format!("the ledger knows no order {} of {}", at.id, at.shop),
        "give Shopify's numeric order id; an order is known from its first webhook on",
    )
}
