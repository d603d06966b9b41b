//! Labels and places as they are given, and what is taken of them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use roundtrip_api::labels::{PostLabel, PostLine, PostTracking};
use roundtrip_api::problem::ProblemCode;
use roundtrip_api::shops::{PutLocation, PutLocations, PutPlace};
use roundtrip_domain::id::{LabelId, OrderRef};
use roundtrip_domain::registry::{ConnectedShop, LocationMap, LocationMapping, Place};
use roundtrip_domain::writeback::{Label, LabelLine, MAX_NUMBERS, TrackingInfo};

use crate::ops_api::error::ApiError;

/// Lines of a label, or places of a shop: Shopify takes no more lines in one call.
const MAX_LIST: usize = 250;
/// Characters of a number, or of a carrier's or warehouse's name.
const MAX_NAME: usize = 100;
/// Characters of an address.
const MAX_URL: usize = 1000;
/// How many of a shop's locations an error names.
const LOCATIONS_NAMED: usize = 20;

/// The order, the label's name, and the label as it is kept.
pub(super) fn label(given: PostLabel, by: &str, now: Timestamp) -> Result<(OrderRef, LabelId, Label), ApiError> {
    let at = OrderRef { shop: given.shop, id: given.order };
    let label = Label {
        tracking: tracking(given.tracking)?,
        lines: given.lines.map(lines).transpose()?,
        warehouse: given.warehouse.map(|text| name("warehouse", &text)).transpose()?,
        notify_customer: given.notify_customer,
        created_at: now,
        created_by: by.to_owned(),
        voided_at: None,
    };
    Ok((at, given.label, label))
}

fn tracking(given: Vec<PostTracking>) -> Result<Vec<TrackingInfo>, ApiError> {
    if given.is_empty() || given.len() > MAX_NUMBERS {
        return Err(ApiError::field("tracking", format!("{} numbers: give 1 to {MAX_NUMBERS}", given.len())));
    }
    let mut infos: Vec<TrackingInfo> = Vec::with_capacity(given.len());
    for (n, PostTracking { number, company, url }) in given.into_iter().enumerate() {
        let at = |field: &str| format!("tracking[{n}].{field}");
        let number = name(at("number"), &number)?;
        if infos.iter().any(|info| info.number == number) {
            let text = format!("`{number}` stands twice: give each number once");
            return Err(ApiError::field(at("number"), text));
        }
        let filled = |text: &String| !text.trim().is_empty();
        let company = company.filter(filled).map(|text| name(at("company"), &text)).transpose()?;
        let url = url.filter(filled).map(|text| address(at("url"), &text)).transpose()?;
        infos.push(TrackingInfo { company, number, url });
    }
    // Shopify ties one carrier to a fulfillment, and pairs links with numbers by their place.
    if infos.iter().any(|info| info.company != infos[0].company) {
        let text = "a fulfillment has one carrier: give the same for each number, or a label for each carrier";
        return Err(ApiError::field("tracking.company", text));
    }
    if infos.iter().any(|info| info.url.is_some() != infos[0].url.is_some()) {
        return Err(ApiError::field("tracking.url", "some numbers have one and some have none: give one for each"));
    }
    Ok(infos)
}

/// A short text without what only machines read.
fn name(field: impl Into<String>, text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_NAME || text.contains(char::is_control) {
        let what = "it is blank, too long, or has control characters in it";
        return Err(ApiError::field(field, format!("{what}: give 1 to {MAX_NAME} characters")));
    }
    Ok(text.to_owned())
}

/// An address that customers will follow.
fn address(field: String, text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    let is_http = ["https://", "http://"].iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && text.len() > scheme.len()
    });
    if !is_http || text.len() > MAX_URL || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let remedy = format!("give one that begins with https:// or http://, of at most {MAX_URL} characters");
        return Err(ApiError::field(field, format!("it is no web address: {remedy}")));
    }
    Ok(text.to_owned())
}

fn lines(given: Vec<PostLine>) -> Result<Vec<LabelLine>, ApiError> {
    if given.is_empty() || given.len() > MAX_LIST {
        let text = format!("{} lines: give 1 to {MAX_LIST}, or leave `lines` out for all that is left", given.len());
        return Err(ApiError::field("lines", text));
    }
    let mut seen = BTreeSet::new();
    let lines = given.into_iter().enumerate().map(|(n, PostLine { line_item: id, quantity })| {
        if quantity == 0 {
            return Err(ApiError::field(format!("lines[{n}].quantity"), format!("0 of line {id}: give at least 1")));
        }
        if !seen.insert(id) {
            return Err(ApiError::field(
                format!("lines[{n}].line_item"),
                format!("line {id} stands twice: give each line once"),
            ));
        }
        Ok(LabelLine { line: id, quantity })
    });
    lines.collect()
}

/// The map for `shop`.
pub(super) fn locations(given: PutLocations, shop: &ConnectedShop) -> Result<LocationMap, ApiError> {
    let domain = &shop.shop.domain;
    let Some(facts) = &shop.shop.facts else {
        return Err(ApiError::new(
            ProblemCode::NotConnected,
            format!("{domain} has not told its locations yet"),
            "connect it first: POST /v1/shops",
        ));
    };
    let count = given.locations.len();
    if count > MAX_LIST {
        return Err(ApiError::field("locations", format!("{count} places: give at most {MAX_LIST}")));
    }
    let mut places = BTreeSet::new();
    let mappings = given.locations.into_iter().enumerate().map(|(n, PutLocation { from, to })| {
        let at = |field: &str| format!("locations[{n}].{field}");
        let from = place(from, shop, &at("from"))?;
        if !facts.locations.iter().any(|location| location.id == to) {
            let named = facts.locations.iter().take(LOCATIONS_NAMED).map(|l| format!("{} ({})", l.id, l.name));
            let remedy = format!(
                "give one of {}; for one that is newer, connect the shop again first (POST /v1/shops)",
                named.collect::<Vec<_>>().join(", ")
            );
            return Err(ApiError::field(at("to"), format!("{to} is no location of {domain}: {remedy}")));
        }
        if !places.insert(from.clone()) {
            return Err(ApiError::field(at("from"), format!("{from} stands twice: give each place once")));
        }
        Ok(LocationMapping { from, to })
    });
    let mappings: Vec<LocationMapping> = mappings.collect::<Result<_, _>>()?;
    Ok(LocationMap::from(mappings))
}

fn place(from: PutPlace, to: &ConnectedShop, at: &str) -> Result<Place, ApiError> {
    match from {
        PutPlace { shop: Some(shop), location: Some(location), warehouse: None } => {
            // Else a name that was mistyped would map a place that nothing comes from.
            if to.connection(&shop).is_none() {
                return Err(ApiError::new(
                    ProblemCode::NotConnected,
                    format!("{} and {shop} are not connected", to.shop.domain),
                    "give a source shop of this one, or connect them first: POST /v1/connections",
                ));
            }
            Ok(Place::Location { shop, location })
        }
        PutPlace { shop: None, location: None, warehouse: Some(text) } => {
            Ok(Place::Warehouse { warehouse: name(format!("{at}.warehouse"), &text)? })
        }
        PutPlace { .. } => Err(ApiError::field(at, "it is no place: give `shop` and `location`, or `warehouse` alone")),
    }
}

#[cfg(test)]
mod tests;
