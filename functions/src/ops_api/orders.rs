//! Orders: lists, and one order whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use roundtrip_api::orders::{
    CancelView, CountsAnswer, ListAnswer, ListedOrder, OrderAnswer, PushView, RequestView, SentLine, ShipmentView,
    WritebackView,
};
use roundtrip_aws::{Listed, Page, Part, is_cursor};
use roundtrip_domain::id::{LineItemId, OrderId, OrderRef, ShipmentId, ShopDomain};
use roundtrip_domain::order::FulfillmentStatus;
use roundtrip_domain::ports::{Ledger, LedgerError};
use roundtrip_domain::push::{CancelState, PushState};
use roundtrip_domain::record::{List, OrderFilter, OrderRecord, PushRequest, Row, RowKey, Summary, Tab};
use roundtrip_domain::shipments::Sent;
use roundtrip_domain::step::Step;
use roundtrip_domain::writeback::WritebackState;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path, Query, page_limit};
use super::shops::ShopPath;
use crate::compose::Api;

const DEFAULT_LIMIT: u16 = 50;
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
    /// Left out: the orders of all tabs.
    tab: Option<Tab>,
    fulfillment_status: Option<FulfillmentStatus>,
    /// Whether something was sent that was not called off, whatever the store shows of that yet.
    shipped: Option<bool>,
    /// Any tag: the store's, your own, or ours.
    tag: Option<String>,
    /// A source store that holds some of it: those of one connection.
    source: Option<ShopDomain>,
    /// As the store's merchant sees it, with or without its `#`.
    #[param(example = "#1042")]
    number: Option<String>,
    /// Placed at this time or later: a time, or a date in UTC.
    #[param(example = "2026-11-01")]
    from: Option<String>,
    /// Placed before this time: a time, or a date in UTC.
    #[param(example = "2026-12-01")]
    before: Option<String>,
    #[param(minimum = 1, maximum = 250, default = 50)]
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// The orders of a store, newest first. A page is read in so many steps at most: with a filter that lets few through, it
/// may be short or empty and still have a `next`.
#[utoipa::path(get, path = "/v1/shops/{shop}/orders", tag = "orders", params(ShopPath, ListQuery),
    responses((status = 200, body = ListAnswer)))]
pub(super) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(ShopPath { shop }): Path<ShopPath>,
    Query(query): Query<ListQuery>,
) -> Answer<ListAnswer> {
    let part = part((query.from.as_deref(), query.before.as_deref()), query.limit, query.after.as_deref())?;
    if let Some(FulfillmentStatus::Unknown(status)) = &query.fulfillment_status {
        let what: String = status.chars().take(40).collect();
        let text =
            format!("`{what}` is none that is known: give one like UNFULFILLED, PARTIALLY_FULFILLED or FULFILLED");
        return Err(ApiError::field("fulfillment_status", text));
    }
    let tabs = query.tab.map_or_else(|| Tab::ALL.to_vec(), |tab| vec![tab]);
    let ListQuery { fulfillment_status, shipped, tag, source, number, .. } = query;
    let filter = OrderFilter { fulfillment_status, shipped, tag, source };
    let page = match number {
        Some(number) => {
            let lists: Vec<List> = tabs.iter().copied().map(List::Tab).collect();
            let mut orders = api.ledger.find_numbered(&shop, &lists, &RowKey::Summary, numbered(&number)?).await?;
            orders.retain(|order: &Listed<Summary>| {
                let row = &order.row;
                filter.lets_through(row) && tabs.contains(&row.tab) && is_within(row.created_at, &part)
            });
            Page { orders, next: None }
        }
        None => api.ledger.list_orders(&shop, &tabs, &filter, part).await?,
    };
    let keys: Vec<(OrderRef, RowKey)> =
        page.orders.iter().map(|order| (OrderRef { shop: shop.clone(), id: order.id }, RowKey::Personal)).collect();
    let personal = api.ledger.load_rows(&keys).await?;
    let now = Timestamp::now();
    let named = page.orders.into_iter().zip(&keys);
    let orders = named.map(|(order, (at, _))| listed(order, personal.get(at).and_then(|it| customer_name(it, now))));
    Ok((StatusCode::OK, Json(ListAnswer { orders: orders.collect(), next: page.next })))
}

/// Which part of a list is asked for.
pub(super) fn part<'a>(
    (from, before): (Option<&str>, Option<&str>),
    limit: Option<u16>,
    after: Option<&'a str>,
) -> Result<Part<'a>, ApiError> {
    let limit = page_limit(limit.unwrap_or(DEFAULT_LIMIT))?;
    if after.is_some_and(|cursor| !is_cursor(cursor)) {
        return Err(ApiError::field("after", "it is no cursor of ours: give the `next` of the page before"));
    }
    let (from, before) = moments((from, before))?;
    Ok(Part { from, before, after, limit })
}

/// Since when, and before when.
pub(super) fn moments(
    (from, before): (Option<&str>, Option<&str>),
) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let moment = |field: &str, text: Option<&str>| text.map(|text| moment(field, text)).transpose();
    Ok((moment("from", from)?, moment("before", before)?))
}

/// Whether something of that time is in the part that is asked for.
pub(super) fn is_within(at: Timestamp, part: &Part<'_>) -> bool {
    part.from.is_none_or(|from| at >= from) && part.before.is_none_or(|before| at < before)
}

/// A number that an order can have.
pub(super) fn numbered(text: &str) -> Result<&str, ApiError> {
    let number = text.trim();
    let is_number = (1..=100).contains(&number.chars().count());
    is_number
        .then_some(number)
        .ok_or_else(|| ApiError::field("number", "it is none: give 1 to 100 characters, e.g. #1042"))
}

/// A time, or the beginning of a day in UTC.
fn moment(field: &str, text: &str) -> Result<Timestamp, ApiError> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    text.parse().ok().or_else(day).ok_or_else(|| {
        let what = text.chars().take(40).collect::<String>();
        ApiError::field(
            field,
            format!("`{what}` is no time: give one like 2026-11-22T08:00:00Z, or a date like 2026-11-22"),
        )
    })
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

fn listed(order: Listed<Summary>, customer_name: Option<String>) -> ListedOrder {
    let summary = order.row;
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
        badges: summary.badges,
        own_tags: summary.own_tags,
        system_tags: summary.system_tags,
        shipped: summary.shipped,
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
        cancellations: record
            .cancels
            .iter()
            .map(|((source, group), row)| cancel_view(source, *group, row.get()))
            .collect(),
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

fn cancel_view(source: &ShopDomain, group: u32, step: &Step<CancelState>) -> CancelView {
    CancelView { source: source.clone(), group, state: step.state.name().to_owned(), progress: step.into() }
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

/// How often an order is written against workers that write it too.
const MAX_WRITES: usize = 5;

/// Changes an order that is known, and saves it; again, if somebody else did so meanwhile.
///
/// # Errors
/// What `change` says; the order is not known, or the ledger does not take it.
pub(super) async fn change_order<T>(
    api: &Api,
    at: &OrderRef,
    mut change: impl FnMut(&mut OrderRecord) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let mut tries = 0;
    loop {
        let mut record = api.ledger.load(at).await?;
        if record.summary.is_none() {
            return Err(unknown(at));
        }
        let answer = change(&mut record)?;
        tries += 1;
        match api.ledger.save(&mut [&mut record]).await {
            Err(LedgerError::Conflict) if tries < MAX_WRITES => {}
            saved => return saved.map(|()| answer).map_err(Into::into),
        }
    }
}
