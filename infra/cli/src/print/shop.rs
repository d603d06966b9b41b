//! Stores.

use roundtrip_api::shops::{ShopAnswer, ShopState};
use roundtrip_domain::registry::{Connection, ConnectionSettings, Paused, ShopFacts};

use super::places::{location, places};
use super::settings::{of_connection, of_shop};
use super::step::explained;
use super::{labelled, lay_out, table, time};

/// A store: its state, what it said of itself, its connections.
pub(crate) fn shop(shop: &ShopAnswer) -> String {
    let state = match shop.state {
        ShopState::Registered => "registered, not connected",
        ShopState::Connecting => "connecting",
        ShopState::Connected => "connected",
        ShopState::Paused => "paused: it does not let us in, and its work waits",
        ShopState::Failed => "failed to connect",
    };
    let mut text = vec![format!("{}  {state}", shop.shop)];
    match (&shop.paused, &shop.error) {
        (Some(paused), _) => text.extend(paused_since(shop, paused)),
        (None, Some(error)) => text.extend(explained(error.code, Some(&error.message), error.request_id.as_deref())),
        (None, None) => {}
    }
    if let Some(facts) = &shop.facts {
        text.push(labelled(&[facts_of(facts), of_shop(&shop.settings)].concat()));
    }
    if !shop.connections.is_empty() {
        text.push("\nSources".to_owned());
        text.push(sources(&shop.connections));
    }
    if !shop.locations.is_empty() {
        text.push("\nPlaces, and the location that stands for each".to_owned());
        text.push(places(&shop.locations, shop.facts.as_ref()));
    }
    if !shop.source_for.is_empty() {
        text.push("\nSource for".to_owned());
        text.extend(shop.source_for.iter().map(|destination| format!("  {destination}")));
    }
    text.join("\n")
}

/// What the store said when it last let nobody in; its error says the same.
fn paused_since(shop: &ShopAnswer, Paused { since, message }: &Paused) -> Vec<String> {
    let mut lines = vec![format!("  since {}: {message}", time(*since))];
    if shop.state == ShopState::Paused {
        let add = format!("`roundtrip shop add {} --wait`", shop.shop);
        lines.push(format!(
            "  remedy: have the store let the app in again, then {add}; what waits then goes on by itself"
        ));
    }
    lines
}

fn facts_of(facts: &ShopFacts) -> Vec<(&'static str, String)> {
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
        pairs.push(("kind", "development store: takes five new orders a minute".to_owned()));
    }
    pairs
}

/// One source a line, with the settings that are not as they are at first.
fn sources(connections: &[Connection]) -> String {
    let defaults = of_connection(&ConnectionSettings::default());
    let mut table = table();
    for connection in connections {
        let version = format!("version {}", connection.settings_change.version);
        let settings = of_connection(&connection.settings).into_iter().zip(&defaults);
        let changed = settings.filter(|(setting, default)| setting != *default);
        let changed: Vec<String> = changed.map(|((label, text), _)| format!("{label} {text}")).collect();
        let changed = if changed.is_empty() { "all settings as at first".to_owned() } else { changed.join(", ") };
        table.add_row([connection.source.to_string(), version, changed]);
    }
    lay_out(table, &[], 2)
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
            "paused": null,
            "connections": [
                {
                    "destination": "moon.myshopify.com", "source": "sun.myshopify.com",
                    "settings_change": { "version": 2 },
                    "settings": {
                        "auto_push": false, "notify_customer": false, "unit_price": "destination", "grace_secs": 600,
                        "without_tracking": "fulfil-now", "overwrite_tracking": true,
                    },
                },
                { "destination": "moon.myshopify.com", "source": "comet.myshopify.com", "settings_change": { "version": 10 } },
            ],
            "locations": [{ "from": { "warehouse": "WH2" }, "to": "7" }],
            "source_for": ["mars.myshopify.com"],
        });

        let text = shop(&serde_json::from_value(answer).unwrap());

        let expected = "\
moon.myshopify.com  connected
  name                Moon
  currency            EUR
  time zone           Europe/Berlin
  locations           Berlin (7), Old (8, inactive)
  scopes              read_orders, write_orders
  connected           2026-07-30 12:00:05Z
  contact             moon@example.com
  kind                development store: takes five new orders a minute
  order sync          off
  auto push           off
  e-mail contact      the customer's
  shipping            0
  partial push        on
  e-mail required     on
  partially refunded  off
  test orders         off
  plan                free: a backfill reaches back 7 days
  tracking sync       off
  owners              nobody

Sources
  sun.myshopify.com    version 2   auto push off, grace 10m, unit price destination, notify customer off, without tracking fulfil-now
  comet.myshopify.com  version 10  all settings as at first

Places, and the location that stands for each
  warehouse WH2  Berlin (7)

Source for
  mars.myshopify.com";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_store_that_lets_nobody_in_says_since_when_and_what_to_do() {
        let answer = |state: &str| {
            let answer = json!({
                "shop": "moon.myshopify.com", "state": state, "facts": null, "connections": [], "source_for": [],
                "error": { "code": "ACCESS_DENIED", "message": "the access token is not valid" },
                "paused": { "since": "2026-07-30T12:00:05.25Z", "message": "the access token is not valid" },
                "locations": [],
            });
            shop(&serde_json::from_value(answer).unwrap())
        };

        let expected = "\
moon.myshopify.com  paused: it does not let us in, and its work waits
  since 2026-07-30 12:00:05Z: the access token is not valid
  remedy: have the store let the app in again, then `roundtrip shop add moon.myshopify.com --wait`; what waits then \
                        goes on by itself";
        assert_eq!(answer("paused"), expected, "\n{}", answer("paused"));
        let expected = "\
moon.myshopify.com  connecting
  since 2026-07-30 12:00:05Z: the access token is not valid";
        assert_eq!(answer("connecting"), expected, "\n{}", answer("connecting"));
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
