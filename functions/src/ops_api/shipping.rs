//! What was sent, as label tools say it, and where it was sent from.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_domain::error_chain;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{LabelId, OrderRef, ShipmentId, ShopDomain};
use roundtrip_domain::ports::{Ledger, LedgerError, Tasks};
use roundtrip_domain::record::{OrderRecord, Row};
use roundtrip_domain::registry::{LocationMap, LocationMapping, Place};
use roundtrip_domain::step::{Step, StepId, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::{Label, LabelLine, TrackingInfo, WritebackState};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::Operator;
use super::error::ApiError;
use super::orders::{order_ref, unknown};
use super::shops::registered;
use crate::compose::Api;

type Body<T> = Result<Json<T>, JsonRejection>;
type Answer = Result<(StatusCode, Json<Value>), ApiError>;

/// More numbers, lines or places than anybody has for one order or shop.
const MAX_LIST: usize = 250;
/// Characters of a warehouse's name.
const MAX_NAME: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PostLabel {
    shop: String,
    order: String,
    /// The label tool's own name for it: a label that is posted twice is one label.
    label: String,
    tracking: Vec<Tracking>,
    /// Without them: all that the order still waits for.
    #[serde(default)]
    lines: Option<Vec<Line>>,
    /// From where, in the tool's words.
    #[serde(default)]
    warehouse: Option<String>,
    #[serde(default = "yes")]
    notify_customer: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tracking {
    number: String,
    #[serde(default)]
    company: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    line_item: String,
    quantity: u32,
}

fn yes() -> bool {
    true
}

/// A label was bought for an order: its tracking is to be shown on it. The same label again changes nothing,
/// unless its tracking is another: then what is shown is replaced.
pub(super) async fn post_label(operator: Operator, State(api): State<Arc<Api>>, body: Body<PostLabel>) -> Answer {
    let Json(body) = body?;
    let at = order_ref(&body.shop, &body.order)?;
    let id: LabelId = body.label.parse().map_err(|error| ApiError::field("label", error))?;
    let tracking = tracking(body.tracking)?;
    let lines = body.lines.map(lines).transpose()?;
    let warehouse = body.warehouse.map(|name| name_of("warehouse", &name)).transpose()?;
    registered(&api, &at.shop).await?;
    let now = Timestamp::now();
    let label = Label {
        tracking,
        lines,
        warehouse,
        notify_customer: body.notify_customer,
        created_at: now,
        created_by: operator.name.clone(),
        voided_at: None,
    };
    change_label(&api, &operator, &at, &id, "label bought", |record| {
        match record.labels.get_mut(&id) {
            // Which lines it is about was decided when it was first written.
            Some(row) => {
                let lines = row.get().lines.clone().or(label.lines.clone());
                *row.change() = Label { lines, created_at: row.get().created_at, ..label.clone() };
            }
            None => {
                record.labels.insert(id.clone(), Row::new(label.clone()));
            }
        }
        Ok(())
    })
    .await
}

/// A label was deleted in the tool. What it showed stays until another label takes its place.
pub(super) async fn void_label(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path((shop, id, label)): Path<(String, String, String)>,
) -> Answer {
    let at = order_ref(&shop, &id)?;
    let label: LabelId = label.parse().map_err(|error| ApiError::field("label", error))?;
    let now = Timestamp::now();
    change_label(&api, &operator, &at, &label, "label voided", |record| match record.labels.get_mut(&label) {
        Some(row) => {
            if row.get().voided_at.is_none() {
                row.change().voided_at = Some(now);
            }
            Ok(())
        }
        None => Err(ApiError::not_found(
            format!("the order {at} has no label {label}"),
            "GET the order: its `writebacks` name its labels",
        )),
    })
    .await
}

/// Changes a label's row, makes its step due in the same write, and wakes the worker.
async fn change_label(
    api: &Api,
    operator: &Operator,
    at: &OrderRef,
    id: &LabelId,
    what: &'static str,
    change: impl Fn(&mut OrderRecord) -> Result<(), ApiError>,
) -> Answer {
    let request_id = Uuid::now_v7().to_string();
    let task = Task::new(Trigger::Request, &request_id, Subject::Order(at.clone()));
    let step_id = ShipmentId::Label(id.clone());
    let mut tries = 0;
    loop {
        let mut record = api.ledger.load(at).await?;
        if record.summary.is_none() {
            return Err(unknown(at));
        }
        change(&mut record)?;
        let now = Timestamp::now();
        let row =
            record.writebacks.entry(step_id.clone()).or_insert_with(|| Row::new(Step::new(WritebackState::pending())));
        // A call that is on its way is not disturbed: its own wait brings the worker back.
        if !row.get().is_resting(now) {
            row.change().wait(now, now, WaitReason::Requested);
        }
        let step = StepId::Writeback(step_id.clone());
        let mut event = HistoryEvent::moved(now, &task, step, "none", what);
        event.actor.clone_from(&operator.name);
        record.log(event);
        tries += 1;
        match api.ledger.save(&mut [&mut record]).await {
            Err(LedgerError::Conflict) if tries < 5 => {}
            other => break other?,
        }
    }
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
        what
    );
    Ok((StatusCode::ACCEPTED, Json(json!({ "request_id": request_id, "order": at.id, "label": id }))))
}

fn tracking(given: Vec<Tracking>) -> Result<Vec<TrackingInfo>, ApiError> {
    if given.is_empty() || given.len() > MAX_LIST {
        return Err(ApiError::field("tracking", format!("{} numbers: give 1 to {MAX_LIST}", given.len())));
    }
    let infos = given.into_iter().map(|info| {
        TrackingInfo::new(info.company, Some(info.number), info.url)
            .ok_or_else(|| ApiError::field("tracking.number", "it is blank: give the carrier's number"))
    });
    infos.collect()
}

fn lines(given: Vec<Line>) -> Result<Vec<LabelLine>, ApiError> {
    if given.is_empty() || given.len() > MAX_LIST {
        let text = format!("{} lines: give 1 to {MAX_LIST}, or leave `lines` out for all that is left", given.len());
        return Err(ApiError::field("lines", text));
    }
    let mut seen = BTreeSet::new();
    let lines = given.into_iter().map(|line| {
        let id = line.line_item.parse().map_err(|error| ApiError::field("lines.line_item", error))?;
        if line.quantity == 0 {
            return Err(ApiError::field("lines.quantity", format!("0 of line {id}: give at least 1")));
        }
        if !seen.insert(id) {
            return Err(ApiError::field("lines.line_item", format!("line {id} stands twice: give each line once")));
        }
        Ok(LabelLine { line: id, quantity: line.quantity })
    });
    lines.collect()
}

fn name_of(field: &'static str, text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(ApiError::field(field, format!("it is no name: give 1 to {MAX_NAME} characters")));
    }
    Ok(name.to_owned())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PutLocations {
    locations: Vec<PlaceAndLocation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceAndLocation {
    from: FromPlace,
    /// A location of the shop.
    to: String,
}

/// Either a source shop's location, or a warehouse.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FromPlace {
    #[serde(default)]
    shop: Option<String>,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    warehouse: Option<String>,
}

/// Says which locations of a shop stand for the places that goods are sent from: all of them anew.
pub(super) async fn put_locations(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path(shop): Path<String>,
    body: Body<PutLocations>,
) -> Answer {
    let Json(body) = body?;
    let domain: ShopDomain = shop.parse().map_err(|error| ApiError::field("shop", error))?;
    let shop = registered(&api, &domain).await?;
    let Some(facts) = shop.shop.facts else {
        return Err(ApiError::conflict(
            "NOT_CONNECTED",
            format!("{domain} has not told its locations yet"),
            "connect it first: POST /v1/shops",
        ));
    };
    if body.locations.len() > MAX_LIST {
        return Err(ApiError::field("locations", format!("{} places: give at most {MAX_LIST}", body.locations.len())));
    }
    let mut places = BTreeSet::new();
    let mappings = body.locations.into_iter().map(|mapping| {
        let from = place(mapping.from)?;
        let to = mapping.to.parse().map_err(|error| ApiError::field("locations.to", error))?;
        if !facts.locations.iter().any(|location| location.id == to) {
            let known: Vec<String> = facts.locations.iter().map(|l| format!("{} ({})", l.id, l.name)).collect();
            let text = format!("{to} is no location of {domain}: give one of {}", known.join(", "));
            return Err(ApiError::field("locations.to", text));
        }
        if !places.insert(from.clone()) {
            return Err(ApiError::field("locations.from", format!("{from} stands twice: give each place once")));
        }
        Ok(LocationMapping { from, to })
    });
    let mappings: Vec<LocationMapping> = mappings.collect::<Result<_, _>>()?;
    let map = LocationMap::from(mappings);
    api.ledger.put_locations(&domain, &map).await?;
    tracing::info!(shop.domain = domain.as_str(), locations = map.len(), actor = operator.name, "location map written");
    Ok((StatusCode::OK, Json(json!({ "shop": domain, "locations": map }))))
}

fn place(from: FromPlace) -> Result<Place, ApiError> {
    match from {
        FromPlace { shop: Some(shop), location: Some(location), warehouse: None } => Ok(Place::Location {
            shop: shop.parse().map_err(|error| ApiError::field("locations.from.shop", error))?,
            location: location.parse().map_err(|error| ApiError::field("locations.from.location", error))?,
        }),
        FromPlace { shop: None, location: None, warehouse: Some(name) } => {
            Ok(Place::Warehouse { warehouse: name_of("locations.from.warehouse", &name)? })
        }
        FromPlace { .. } => {
            Err(ApiError::field("locations.from", "it is no place: give `shop` and `location`, or `warehouse` alone"))
        }
    }
}
