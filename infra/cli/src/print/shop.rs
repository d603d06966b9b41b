//! Stores and connections.

use roundtrip_domain::registry::{Connection, Location, ShopFacts, UnitPrice};

use super::step::explained;
use super::{labelled, lay_out, table, time};
use crate::answers::{ShopAnswer, ShopState};

/// A store: its state, what it said of itself, its connections.
pub(crate) fn shop(shop: &ShopAnswer) -> String {
    let state = match shop.state {
        ShopState::Registered => "registered, not connected",
        ShopState::Connecting => "connecting",
        ShopState::Connected => "connected",
        ShopState::Failed => "failed to connect",
    };
    let mut text = vec![format!("{}  {state}", shop.shop)];
    if let Some(error) = &shop.error {
        text.extend(explained(error.code, Some(&error.message), None));
    }
    if let Some(facts) = &shop.facts {
        text.push(facts_of(facts));
    }
    if !shop.connections.is_empty() {
        text.push("\nSources".to_owned());
        text.push(sources(&shop.connections));
    }
    if !shop.source_for.is_empty() {
        text.push("\nSource for".to_owned());
        text.extend(shop.source_for.iter().map(|destination| format!("  {destination}")));
    }
    text.join("\n")
}

fn facts_of(facts: &ShopFacts) -> String {
    let locations: Vec<String> = facts.locations.iter().map(location).collect();
    let mut pairs = vec![
        ("name", facts.name.clone()),
        ("currency", facts.currency.to_string()),
        ("time zone", facts.time_zone.clone()),
        ("locations", locations.join(", ")),
        ("scopes", facts.scopes.join(", ")),
        ("connected", time(facts.connected_at)),
    ];
    if let Some(email) = &facts.contact_email {
        pairs.push(("contact", email.clone()));
    }
    if facts.development {
        pairs.push(("plan", "development store: takes five new orders a minute".to_owned()));
    }
    labelled(&pairs)
}

fn location(location: &Location) -> String {
    let inactive = if location.active { "" } else { ", inactive" };
    format!("{} ({}{inactive})", location.name, location.id)
}

fn sources(connections: &[Connection]) -> String {
    let mut table = table();
    for connection in connections {
        let settings = settings(connection).map(|(label, text)| format!("{label} {text}"));
        table.add_row(std::iter::once(connection.source.to_string()).chain(settings));
    }
    lay_out(table, &[], 2)
}

/// One connection with its settings.
pub(crate) fn connection(connection: &Connection) -> String {
    let heading = format!("{} is served by {}", connection.destination, connection.source);
    format!("{heading}\n{}", labelled(&settings(connection)))
}

fn settings(connection: &Connection) -> [(&'static str, String); 4] {
    let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
    let price = match connection.settings.unit_price {
        UnitPrice::Source => "source",
        UnitPrice::Destination => "destination",
    };
    [
        ("auto push", switch(connection.settings.auto_push)),
        ("notify customer", switch(connection.settings.notify_customer)),
        ("unit price", price.to_owned()),
        ("version", connection.settings_version.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_connected_store_shows_what_it_said_and_whom_it_works_with() {
        let answer = json!({
            "shop": "moon.myshopify.com", "state": "connected", "error": null,
            "facts": {
                "name": "Moon", "currency": "EUR", "time_zone": "Europe/Berlin", "contact_email": "moon@example.com",
                "development": true, "scopes": ["read_orders", "write_orders"],
                "locations": [{ "id": "7", "name": "Berlin", "active": true }, { "id": "8", "name": "Old", "active": false }],
                "connected_at": "2026-07-30T12:00:05.25Z",
            },
            "connections": [{
                "destination": "moon.myshopify.com", "source": "sun.myshopify.com", "settings_version": 2,
                "settings": { "auto_push": true, "notify_customer": false, "unit_price": "destination" },
            }],
            "source_for": ["mars.myshopify.com"],
        });

        let text = shop(&serde_json::from_value(answer).unwrap());

        let expected = "\
moon.myshopify.com  connected
  name       Moon
  currency   EUR
  time zone  Europe/Berlin
  locations  Berlin (7), Old (8, inactive)
  scopes     read_orders, write_orders
  connected  2026-07-30 12:00:05Z
  contact    moon@example.com
  plan       development store: takes five new orders a minute

Sources
  sun.myshopify.com  auto push on  notify customer off  unit price destination  version 2

Source for
  mars.myshopify.com";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_store_that_failed_says_why_and_what_to_do() {
        let answer = json!({
            "shop": "moon.myshopify.com", "state": "failed", "facts": null, "connections": [], "source_for": [],
            "error": { "code": "ACCESS_DENIED", "message": "the token was refused" },
        });

        let text = shop(&serde_json::from_value(answer).unwrap());

        let expected = "\
moon.myshopify.com  failed to connect
  ACCESS_DENIED: the token was refused
  remedy: give the app back its access or scope, then `roundtrip shop add <domain>`; redrive if parked";
        assert_eq!(text, expected, "\n{text}");
    }
}
