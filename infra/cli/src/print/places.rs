//! Which location of a store stands for which place that goods are sent from.

use roundtrip_api::shops::ShopAnswer;
use roundtrip_domain::id::{LocationId, ShopDomain};
use roundtrip_domain::registry::{Location, LocationMapping, ShopFacts};

use super::{lay_out, table};

/// The map of a store, with the locations there are.
pub(crate) fn locations(shop: &ShopAnswer) -> String {
    let mut text = heading(&shop.shop, &shop.locations);
    if !shop.locations.is_empty() {
        text.push(places(&shop.locations, shop.facts.as_ref()));
    }
    if let Some(facts) = &shop.facts {
        let locations: Vec<String> = facts.locations.iter().map(location).collect();
        text.push(format!("\nIts locations\n  {}", locations.join(", ")));
    }
    text.join("\n")
}

/// The map that was just written: all of it.
pub(crate) fn new_locations(shop: &ShopDomain, mappings: &[LocationMapping]) -> String {
    let mut text = heading(shop, mappings);
    if !mappings.is_empty() {
        text.push(places(mappings, None));
    }
    text.join("\n")
}

fn heading(shop: &ShopDomain, mappings: &[LocationMapping]) -> Vec<String> {
    if mappings.is_empty() {
        let when = "one is needed only where several of its locations wait for a line";
        return vec![format!("{shop} has no place mapped to a location: {when}")];
    }
    vec![format!("Places, and the location of {shop} that stands for each")]
}

/// One place a line; locations have a name where it is known.
pub(super) fn places(mappings: &[LocationMapping], facts: Option<&ShopFacts>) -> String {
    let mut table = table();
    for LocationMapping { from, to } in mappings {
        table.add_row([from.to_string(), named(*to, facts)]);
    }
    lay_out(table, &[], 2)
}

fn named(id: LocationId, facts: Option<&ShopFacts>) -> String {
    let known = facts.and_then(|facts| facts.locations.iter().find(|location| location.id == id));
    known.map_or_else(|| format!("location {id}"), location)
}

/// A location's name, with its id.
pub(super) fn location(location: &Location) -> String {
    let inactive = if location.active { "" } else { ", inactive" };
    format!("{} ({}{inactive})", location.name, location.id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn moon(locations: Value) -> ShopAnswer {
        let facts = json!({
            "name": "Moon", "currency": "EUR", "time_zone": "Europe/Berlin", "contact_email": null, "scopes": [],
            "development": false, "connected_at": "2026-07-30T12:00:05Z",
            "locations": [{ "id": "7", "name": "Berlin", "active": true }, { "id": "8", "name": "Old", "active": false }],
        });
        let answer = json!({
            "shop": "moon.myshopify.com", "state": "connected", "error": null, "facts": facts, "paused": null,
            "locations": locations, "connections": [], "source_for": [],
        });
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn each_place_has_its_location_by_name() {
        let shop = moon(json!([
            { "from": { "shop": "sun.myshopify.com", "location": "11" }, "to": "7" },
            { "from": { "warehouse": "WH2" }, "to": "8" },
            { "from": { "warehouse": "WH3" }, "to": "9" },
        ]));

        let text = locations(&shop);

        let expected = "\
Places, and the location of moon.myshopify.com that stands for each
  sun.myshopify.com/11  Berlin (7)
  warehouse WH2         Old (8, inactive)
  warehouse WH3         location 9

Its locations
  Berlin (7), Old (8, inactive)";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_store_without_a_map_says_when_it_needs_one() {
        let text = locations(&moon(json!([])));

        let expected = "\
moon.myshopify.com has no place mapped to a location: one is needed only where several of its locations wait for a line

Its locations
  Berlin (7), Old (8, inactive)";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_map_that_was_written_is_shown_whole() {
        let shop = moon(json!([{ "from": { "warehouse": "WH2" }, "to": "7" }]));

        let text = new_locations(&shop.shop, &shop.locations);

        let expected = "\
Places, and the location of moon.myshopify.com that stands for each
  warehouse WH2  location 7";
        assert_eq!(text, expected, "\n{text}");
        assert!(new_locations(&shop.shop, &[]).starts_with("moon.myshopify.com has no place mapped"));
    }
}
