//! Stores and connections.

use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::registry::{
    Connection, ConnectionSettings, Paused, Plan, ShopFacts, ShopSettings, UnitPrice, WithoutTracking,
};

use super::places::{location, places};
use super::step::explained;
use super::{labelled, lay_out, table, time};
use crate::answers::{ShopAnswer, ShopState};
use crate::typed::Seconds;

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
        text.push(labelled(&[facts_of(facts), settings_of_shop(&shop.settings)].concat()));
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

/// How a store is treated.
pub(crate) fn shop_settings(shop: &ShopDomain, settings: &ShopSettings) -> String {
    format!("{shop}\n{}", labelled(&settings_of_shop(settings)))
}

fn settings_of_shop(ShopSettings { plan, tracking_sync }: &ShopSettings) -> Vec<(&'static str, String)> {
    let plan = match plan {
        Plan::Free => "free: a backfill reaches back 7 days",
        Plan::Paid => "paid: a backfill reaches back as far as the store shows its orders",
    };
    let tracking_sync = if *tracking_sync { "on" } else { "off" };
    vec![("plan", plan.to_owned()), ("tracking sync", tracking_sync.to_owned())]
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
    let defaults = settings(&ConnectionSettings::default());
    let mut table = table();
    for connection in connections {
        let version = format!("version {}", connection.settings_version);
        let settings = settings(&connection.settings).into_iter().zip(&defaults);
        let changed = settings.filter(|(setting, default)| setting != *default);
        let changed: Vec<String> = changed.map(|((label, text), _)| format!("{label} {text}")).collect();
        let changed = if changed.is_empty() { "all settings as at first".to_owned() } else { changed.join(", ") };
        table.add_row([connection.source.to_string(), version, changed]);
    }
    lay_out(table, &[], 2)
}

/// One connection with all its settings.
pub(crate) fn connection(connection: &Connection) -> String {
    let heading = format!("{} is served by {}", connection.destination, connection.source);
    let version = ("version", connection.settings_version.to_string());
    let settings: Vec<_> = settings(&connection.settings).into_iter().chain([version]).collect();
    format!("{heading}\n{}", labelled(&settings))
}

fn settings(settings: &ConnectionSettings) -> [(&'static str, String); 8] {
    // Named one by one: a new setting is not to be forgotten here.
    let ConnectionSettings {
        auto_push,
        auto_push_since,
        notify_customer,
        unit_price,
        grace_secs,
        allow_partially_refunded,
        without_tracking,
        overwrite_tracking,
        split_ok,
    } = settings;
    let switch = |on: &bool| if *on { "on" } else { "off" }.to_owned();
    let since = |moment| format!("on for orders since {}", time(moment));
    let price = match unit_price {
        UnitPrice::Source => "source",
        UnitPrice::Destination => "destination",
    };
    let untracked = match without_tracking {
        WithoutTracking::Wait => "wait",
        WithoutTracking::FulfilNow => "fulfil-now",
    };
    [
        ("auto push", auto_push_since.filter(|_| *auto_push).map_or_else(|| switch(auto_push), since)),
        ("grace", Seconds(*grace_secs).to_string()),
        ("partially refunded", switch(allow_partially_refunded)),
        ("unit price", price.to_owned()),
        ("notify customer", switch(notify_customer)),
        ("without tracking", untracked.to_owned()),
        ("overwrite tracking", switch(overwrite_tracking)),
        ("split shipments", switch(split_ok)),
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
            "paused": null,
            "connections": [
                {
                    "destination": "moon.myshopify.com", "source": "sun.myshopify.com", "settings_version": 2,
                    "settings": {
                        "auto_push": true, "notify_customer": false, "unit_price": "destination", "grace_secs": 600,
                        "allow_partially_refunded": false, "without_tracking": "fulfil-now", "overwrite_tracking": true,
                    },
                },
                { "destination": "moon.myshopify.com", "source": "comet.myshopify.com", "settings_version": 10 },
            ],
            "locations": [{ "from": { "warehouse": "WH2" }, "to": "7" }],
            "source_for": ["mars.myshopify.com"],
        });

        let text = shop(&serde_json::from_value(answer).unwrap());

        let expected = "\
moon.myshopify.com  connected
  name           Moon
  currency       EUR
  time zone      Europe/Berlin
  locations      Berlin (7), Old (8, inactive)
  scopes         read_orders, write_orders
  connected      2026-07-30 12:00:05Z
  contact        moon@example.com
  kind           development store: takes five new orders a minute
  plan           free: a backfill reaches back 7 days
  tracking sync  off

Sources
  sun.myshopify.com    version 2   auto push on, grace 10m, unit price destination, notify customer off, without tracking fulfil-now
  comet.myshopify.com  version 10  all settings as at first

Places, and the location that stands for each
  warehouse WH2  Berlin (7)

Source for
  mars.myshopify.com";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_connection_shows_all_its_settings() {
        let settings = ConnectionSettings { auto_push: true, grace_secs: 5400, ..ConnectionSettings::default() };
        let connected = Connection {
            destination: "moon.myshopify.com".parse().unwrap(),
            source: "sun.myshopify.com".parse().unwrap(),
            settings_version: 3,
            settings,
        };

        let text = connection(&connected);

        let expected = "\
moon.myshopify.com is served by sun.myshopify.com
  auto push           on
  grace               1h 30m
  partially refunded  off
  unit price          source
  notify customer     on
  without tracking    wait
  overwrite tracking  on
  split shipments     off
  version             3";
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
