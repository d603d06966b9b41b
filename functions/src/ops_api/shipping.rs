//! What was sent, as label tools say it, and where it was sent from.

mod given;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::labels::{LabelAsked, PostLabel};
use roundtrip_api::problem::ProblemCode;
use roundtrip_api::shops::{LocationsAnswer, PutLocations};
use roundtrip_domain::error_chain;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{LabelId, OrderId, OrderRef, ShipmentId, ShopDomain};
use roundtrip_domain::ports::{Ledger, LedgerError, Tasks};
use roundtrip_domain::record::{OrderRecord, Row};
use roundtrip_domain::step::StepId;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::{LabelRefused, Told, tell_label, void_label as void};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path};
use super::orders::unknown;
use super::request::RequestId;
use super::shops::{ShopPath, registered};
use crate::compose::Api;

/// A label was bought for an order: its tracking is to be shown on it. The same label again changes nothing,
/// unless its tracking is another: then what is shown is replaced.
#[utoipa::path(post, path = "/v1/labels", tag = "labels", request_body = PostLabel,
    responses((status = 202, body = LabelAsked)))]
pub(super) async fn post_label(
    operator: Operator,
    State(api): State<Arc<Api>>,
    request: RequestId,
    Json(body): Json<PostLabel>,
) -> Answer<LabelAsked> {
    let (at, id, label) = given::label(body, &operator.name, Timestamp::now())?;
    registered(&api, &at.shop).await?;
    write_down(&api, (request, &operator), &at, &id, |record, now| tell_label(record, &id, label.clone(), now)).await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct LabelPath {
    /// The store where the order was placed.
    shop: ShopDomain,
    id: OrderId,
    /// The label tool's own name for it.
    label: LabelId,
}

/// A label was deleted in the tool. What it showed stays until another label takes its place.
#[utoipa::path(delete, path = "/v1/shops/{shop}/orders/{id}/labels/{label}", tag = "labels", params(LabelPath),
    responses((status = 202, body = LabelAsked)))]
pub(super) async fn void_label(
    operator: Operator,
    State(api): State<Arc<Api>>,
    request: RequestId,
    Path(LabelPath { shop, id, label }): Path<LabelPath>,
) -> Answer<LabelAsked> {
    let at = OrderRef { shop, id };
    write_down(&api, (request, &operator), &at, &label, |record, now| void(record, &label, now)).await
}

/// Writes down what is told of a label, with its step made due in the same write, and wakes the worker.
async fn write_down(
    api: &Api,
    (RequestId(request_id), operator): (RequestId, &Operator),
    at: &OrderRef,
    id: &LabelId,
    tell: impl Fn(&mut OrderRecord, Timestamp) -> Result<Told, LabelRefused>,
) -> Answer<LabelAsked> {
    let task = Task::new(Trigger::Request, &request_id, Subject::Order(at.clone()));
    let mut tries = 0;
    let told = loop {
        let mut record = api.ledger.load(at).await?;
        if record.summary.is_none() {
            return Err(unknown(at));
        }
        let before = state_of(&record, id);
        let now = Timestamp::now();
        let told = tell(&mut record, now).map_err(|refused| refusal(at, &refused))?;
        if told == Told::Nothing {
            break told;
        }
        let mut event = HistoryEvent::moved(now, &task, step(id), before, told.name());
        event.actor.clone_from(&operator.name);
        record.log(event);
        tries += 1;
        match api.ledger.save(&mut [&mut record]).await {
            Err(LedgerError::Conflict) if tries < 5 => {}
            saved => {
                saved?;
                break told;
            }
        }
    };
    // The row is due already: should this message not go out, due work finds it within a minute.
    if let Err(error) = api.tasks.send(Queue::TrackingWriteback, &task).await {
        tracing::warn!(error = error_chain(&error), "the label will be written with the next due work");
    }
    tracing::info!(
        shop.domain = at.shop.as_str(),
        order.id = %at.id,
        label.id = %id,
        actor = operator.name,
        request.id = request_id,
        "{}",
        told.name()
    );
    Ok((StatusCode::ACCEPTED, Json(LabelAsked { request_id, order: at.id, label: id.clone() })))
}

fn step(id: &LabelId) -> StepId {
    StepId::Writeback(ShipmentId::Label(id.clone()))
}

fn state_of(record: &OrderRecord, id: &LabelId) -> &'static str {
    let step = record.writebacks.get(&ShipmentId::Label(id.clone()));
    step.map_or("none", |row: &Row<_>| row.get().state.name())
}

fn refusal(at: &OrderRef, refused: &LabelRefused) -> ApiError {
    let what = format!("order {at}: {refused}");
    match refused {
        LabelRefused::Unknown(_) => ApiError::not_found(what, "GET the order: its `writebacks` name its labels"),
        LabelRefused::Voided(_) => {
            let remedy = "post the label that takes its place under a name of its own";
            ApiError::new(ProblemCode::LabelVoided, what, remedy)
        }
        LabelRefused::OtherLines(_) => {
            ApiError::new(ProblemCode::LabelShown, what, "void it, and post another label for what was sent")
        }
        LabelRefused::TooMany => {
            ApiError::new(ProblemCode::TooManyLabels, what, "give a label the same name each time it is posted")
        }
    }
}

/// Says which locations of a store stand for the places that goods are sent from: all of them anew.
#[utoipa::path(put, path = "/v1/shops/{shop}/locations", tag = "stores", params(ShopPath), request_body = PutLocations,
    responses((status = 200, body = LocationsAnswer)))]
pub(super) async fn put_locations(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path(ShopPath { shop: domain }): Path<ShopPath>,
    Json(body): Json<PutLocations>,
) -> Answer<LocationsAnswer> {
    let shop = registered(&api, &domain).await?;
    let map = given::locations(body, &shop)?;
    api.ledger.put_locations(&domain, &map).await?;
    tracing::info!(shop.domain = domain.as_str(), locations = map.len(), actor = operator.name, "location map written");
    Ok((StatusCode::OK, Json(LocationsAnswer { shop: domain, locations: map.into() })))
}
