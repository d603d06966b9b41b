//! Labels and places as they are given, and what is taken of them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use roundtrip_domain::id::{LabelId, OrderRef, ShopDomain};
use roundtrip_domain::registry::{ConnectedShop, LocationMap, LocationMapping, Place};
use roundtrip_domain::writeback::{Label, LabelLine, MAX_NUMBERS, TrackingInfo};
use serde::Deserialize;

use crate::ops_api::error::{ApiError, parsed};

/// Lines of a label, or places of a shop: Shopify takes no more lines in one call.
const MAX_LIST: usize = 250;
/// Characters of a number, or of a carrier's or warehouse's name.
const MAX_NAME: usize = 100;
/// Characters of an address.
const MAX_URL: usize = 1000;
/// How many of a shop's locations an error names.
const LOCATIONS_NAMED: usize = 20;

/// `POST /v1/labels`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::ops_api) struct PostLabel {
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

impl PostLabel {
    /// The order, the label's name, and the label as it is kept.
    pub(super) fn parse(self, by: &str, now: Timestamp) -> Result<(OrderRef, LabelId, Label), ApiError> {
        let at = OrderRef { shop: parsed("shop", &self.shop)?, id: parsed("order", &self.order)? };
        let id = parsed("label", &self.label)?;
        let label = Label {
            tracking: tracking(self.tracking)?,
            lines: self.lines.map(lines).transpose()?,
            warehouse: self.warehouse.map(|text| name("warehouse", &text)).transpose()?,
            notify_customer: self.notify_customer,
            created_at: now,
            created_by: by.to_owned(),
            voided_at: None,
        };
        Ok((at, id, label))
    }
}

fn tracking(given: Vec<Tracking>) -> Result<Vec<TrackingInfo>, ApiError> {
    if given.is_empty() || given.len() > MAX_NUMBERS {
        return Err(ApiError::field("tracking", format!("{} numbers: give 1 to {MAX_NUMBERS}", given.len())));
    }
    let mut infos: Vec<TrackingInfo> = Vec::with_capacity(given.len());
    for Tracking { number, company, url } in given {
        let number = name("tracking.number", &number)?;
        if infos.iter().any(|info| info.number == number) {
            let text = format!("`{number}` stands twice: give each number once");
            return Err(ApiError::field("tracking.number", text));
        }
        let filled = |text: &String| !text.trim().is_empty();
        let company = company.filter(filled).map(|text| name("tracking.company", &text)).transpose()?;
        let url = url.filter(filled).map(|text| address(&text)).transpose()?;
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
fn name(field: &'static str, text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_NAME || text.contains(char::is_control) {
        let what = "it is blank, too long, or has control characters in it";
        return Err(ApiError::field(field, format!("{what}: give 1 to {MAX_NAME} characters")));
    }
    Ok(text.to_owned())
}

/// An address that customers will follow.
fn address(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    let is_http = ["https://", "http://"].iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && text.len() > scheme.len()
    });
    if !is_http || text.len() > MAX_URL || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let remedy = format!("give one that begins with https:// or http://, of at most {MAX_URL} characters");
        return Err(ApiError::field("tracking.url", format!("it is no web address: {remedy}")));
    }
    Ok(text.to_owned())
}

fn lines(given: Vec<Line>) -> Result<Vec<LabelLine>, ApiError> {
    if given.is_empty() || given.len() > MAX_LIST {
        let text = format!("{} lines: give 1 to {MAX_LIST}, or leave `lines` out for all that is left", given.len());
        return Err(ApiError::field("lines", text));
    }
    let mut seen = BTreeSet::new();
    let lines = given.into_iter().map(|line| {
        let id = parsed("lines.line_item", &line.line_item)?;
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

/// `PUT /v1/shops/{shop}/locations`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::ops_api) struct PutLocations {
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

impl PutLocations {
    /// The map for `shop`.
    pub(super) fn parse(self, shop: &ConnectedShop) -> Result<LocationMap, ApiError> {
        let domain = &shop.shop.domain;
        let Some(facts) = &shop.shop.facts else {
            return Err(ApiError::conflict(
                "NOT_CONNECTED",
                format!("{domain} has not told its locations yet"),
                "connect it first: POST /v1/shops",
            ));
        };
        let count = self.locations.len();
        if count > MAX_LIST {
            return Err(ApiError::field("locations", format!("{count} places: give at most {MAX_LIST}")));
        }
        let mut places = BTreeSet::new();
        let mappings = self.locations.into_iter().map(|mapping| {
            let from = place(mapping.from, shop)?;
            let to = parsed("locations.to", &mapping.to)?;
            if !facts.locations.iter().any(|location| location.id == to) {
                let named = facts.locations.iter().take(LOCATIONS_NAMED).map(|l| format!("{} ({})", l.id, l.name));
                let remedy = format!(
                    "give one of {}; for one that is newer, connect the shop again first (POST /v1/shops)",
                    named.collect::<Vec<_>>().join(", ")
                );
                return Err(ApiError::field("locations.to", format!("{to} is no location of {domain}: {remedy}")));
            }
            if !places.insert(from.clone()) {
                return Err(ApiError::field("locations.from", format!("{from} stands twice: give each place once")));
            }
            Ok(LocationMapping { from, to })
        });
        let mappings: Vec<LocationMapping> = mappings.collect::<Result<_, _>>()?;
        Ok(LocationMap::from(mappings))
    }
}

fn place(from: FromPlace, to: &ConnectedShop) -> Result<Place, ApiError> {
    match from {
        FromPlace { shop: Some(shop), location: Some(location), warehouse: None } => {
            let shop: ShopDomain = parsed("locations.from.shop", &shop)?;
            // Else a name that was mistyped would map a place that nothing comes from.
            if to.connection(&shop).is_none() {
                return Err(ApiError::conflict(
                    "NOT_CONNECTED",
                    format!("{} and {shop} are not connected", to.shop.domain),
                    "give a source shop of this one, or connect them first: POST /v1/connections",
                ));
            }
            let location = parsed("locations.from.location", &location)?;
            Ok(Place::Location { shop, location })
        }
        FromPlace { shop: None, location: None, warehouse: Some(text) } => {
            Ok(Place::Warehouse { warehouse: name("locations.from.warehouse", &text)? })
        }
        FromPlace { .. } => {
            Err(ApiError::field("locations.from", "it is no place: give `shop` and `location`, or `warehouse` alone"))
        }
    }
}

#[cfg(test)]
mod tests;
