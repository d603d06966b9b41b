use roundtrip_domain::id::{LocationId, ShopDomain};
use roundtrip_domain::registry::{Connection, ConnectionSettings, Location, SettingsChange, Shop, ShopFacts};
use serde_json::{Value, json};

use super::*;
use crate::ops_api::extract::parse;

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// A label as a tool posts it, with `change` in the place of what it says.
fn label(change: Value) -> Result<(OrderRef, LabelId, Label), ApiError> {
    let mut body = json!({
        "shop": "moon.myshopify.com", "order": "gid://shopify/Order/42", "label": "se-1",
        "tracking": [{ "number": " 1Z999 ", "company": "ups", "url": "" }],
    });
    body.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap());
    parse(body).and_then(|given| super::label(given, "tool", NOW))
}

/// The field and the remedy by which a request is refused.
fn refused<T: std::fmt::Debug>(parsed: Result<T, ApiError>) -> (String, String) {
    let error = serde_json::to_value(parsed.unwrap_err().problem()).unwrap();
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("field"), text("remedy"))
}

#[test]
fn a_label_is_kept_as_it_is_meant() {
    let (at, id, kept) = label(json!({
        "lines": [{ "line_item": "7", "quantity": 2 }], "warehouse": " WH2 ", "notify_customer": false,
    }))
    .unwrap();

    assert_eq!((at.to_string(), id.to_string()), ("moon.myshopify.com/42".into(), "se-1".into()));
    let expected = json!({
        "tracking": [{ "company": "ups", "number": "1Z999" }], "lines": [{ "line": "7", "quantity": 2 }],
        "warehouse": "WH2", "notify_customer": false, "created_at": "2026-09-21T14:13:20Z", "created_by": "tool",
    });
    assert_eq!(serde_json::to_value(kept).unwrap(), expected);
}

#[test]
fn a_label_for_all_that_is_left_may_be_mailed_about() {
    let (_, _, kept) = label(json!({})).unwrap();

    assert_eq!((kept.lines, kept.warehouse, kept.notify_customer), (None, None, true));
}

#[test]
fn a_label_that_cannot_be_kept_names_its_field_and_the_remedy() {
    let number = |number: &str| json!({ "tracking": [{ "number": number }] });
    let url = |url: &str| json!({ "tracking": [{ "number": "1", "url": url }] });
    let numbers = |count: usize| (0..count).map(|n| json!({ "number": n.to_string() })).collect::<Vec<_>>();
    let lines = |lines: &[(&str, u32)]| {
        let lines = lines.iter().map(|(id, n)| json!({ "line_item": id, "quantity": n }));
        json!({ "lines": lines.collect::<Vec<_>>() })
    };
    let many: Vec<String> = (1..=MAX_LIST + 1).map(|n| n.to_string()).collect();
    let many: Vec<(&str, u32)> = many.iter().map(|id| (id.as_str(), 1)).collect();
    for (change, field, remedy) in [
        (json!({ "shop": "moon" }), "shop", "moon-shop.myshopify.com"),
        (json!({ "order": "#1001" }), "order", "give the number"),
        (json!({ "label": "a/b" }), "label", "1 to 64 letters"),
        (json!({ "tracking": [] }), "tracking", "give 1 to 20"),
        (json!({ "tracking": numbers(MAX_NUMBERS + 1) }), "tracking", "give 1 to 20"),
        (number("  "), "tracking[0].number", "1 to 100 characters"),
        (number("1Z\u{7}"), "tracking[0].number", "1 to 100 characters"),
        (number(&"9".repeat(101)), "tracking[0].number", "1 to 100 characters"),
        (json!({ "tracking": [{ "number": "1" }, { "number": " 1" }] }), "tracking[1].number", "each number once"),
        (
            json!({ "tracking": [{ "number": "1", "company": "UPS" }, { "number": "2", "company": "DPD" }] }),
            "tracking.company",
            "a label for each carrier",
        ),
        (
            json!({ "tracking": [{ "number": "1", "url": "https://a.example/1" }, { "number": "2" }] }),
            "tracking.url",
            "give one for each",
        ),
        (url("javascript:alert(1)"), "tracking[0].url", "https://"),
        (url("https://"), "tracking[0].url", "https://"),
        (url("https://a.example/1 2"), "tracking[0].url", "https://"),
        (url(&format!("https://{}", "a".repeat(MAX_URL))), "tracking[0].url", "at most 1000"),
        (lines(&[]), "lines", "leave `lines` out"),
        (lines(&many), "lines", "give 1 to 250"),
        (lines(&[("x", 1)]), "lines[0].line_item", "give the number"),
        (lines(&[("7", 0)]), "lines[0].quantity", "at least 1"),
        (lines(&[("7", 1), ("gid://shopify/LineItem/7", 2)]), "lines[1].line_item", "each line once"),
        (json!({ "warehouse": " " }), "warehouse", "1 to 100 characters"),
    ] {
        let (named, told) = refused(label(change.clone()));
        assert_eq!(named, field, "{change}");
        assert!(told.contains(remedy), "{change}: {told}");
    }
    assert!(label(json!({ "tracking": numbers(MAX_NUMBERS) })).is_ok());
    assert!(label(lines(&many[..MAX_LIST])).is_ok());
}

#[test]
fn a_label_takes_nothing_that_names_a_person() {
    let body = json!({
        "shop": "moon.myshopify.com", "order": "42", "label": "se-1", "tracking": [{ "number": "1" }],
        "ship_to": { "name": "Ada Byron" },
    });

    assert!(serde_json::from_value::<PostLabel>(body).is_err());
}

/// The moon, with locations 7 and 8, and the sun as its source.
fn moon() -> ConnectedShop {
    let domain: ShopDomain = "moon.myshopify.com".parse().unwrap();
    let location = |id: u64, name: &str| Location { id: LocationId::new(id), name: name.into(), active: true };
    let facts = ShopFacts {
        name: "Moon".into(),
        currency: "EUR".parse().unwrap(),
        time_zone: "Europe/Berlin".into(),
        contact_email: None,
        development: false,
        points_per_second: 100,
        scopes: Vec::new(),
        locations: vec![location(7, "Berlin"), location(8, "Hamburg")],
        connected_at: NOW,
    };
    let connection = Connection {
        destination: domain.clone(),
        source: "sun.myshopify.com".parse().unwrap(),
        settings: ConnectionSettings::default(),
        settings_change: SettingsChange::default(),
    };
    ConnectedShop {
        shop: Shop { facts: Some(facts), ..Shop::registered(domain, NOW) },
        outbound: vec![connection],
        inbound: Vec::new(),
        locations: LocationMap::default(),
    }
}

fn map(locations: Value) -> Result<LocationMap, ApiError> {
    parse(json!({ "locations": locations })).and_then(|given| super::locations(given, &moon()))
}

#[test]
fn a_place_is_a_source_shops_location_or_a_warehouse() {
    let kept = map(json!([
        { "from": { "warehouse": " WH2 " }, "to": "8" },
        { "from": { "shop": "Sun.myshopify.com", "location": "gid://shopify/Location/11" }, "to": "7" },
    ]))
    .unwrap();

    let expected = json!([
        { "from": { "shop": "sun.myshopify.com", "location": "11" }, "to": "7" },
        { "from": { "warehouse": "WH2" }, "to": "8" },
    ]);
    assert_eq!(serde_json::to_value(kept).unwrap(), expected);
    assert!(map(json!([])).unwrap().is_empty(), "nothing is mapped any more");
}

#[test]
fn a_map_that_cannot_be_kept_names_its_field_and_the_remedy() {
    let one = |from: Value, to: &str| json!([{ "from": from, "to": to }]);
    let warehouse = json!({ "warehouse": "WH2" });
    let many: Vec<Value> =
        (0..=MAX_LIST).map(|n| json!({ "from": { "warehouse": n.to_string() }, "to": "7" })).collect();
    for (locations, field, remedy) in [
        (one(warehouse.clone(), "9"), "locations[0].to", "give one of 7 (Berlin), 8 (Hamburg)"),
        (one(warehouse.clone(), "Berlin"), "locations[0].to", "give the number"),
        (one(json!({}), "7"), "locations[0].from", "`warehouse` alone"),
        (one(json!({ "shop": "sun.myshopify.com" }), "7"), "locations[0].from", "`warehouse` alone"),
        (one(json!({ "location": "11", "warehouse": "WH2" }), "7"), "locations[0].from", "`warehouse` alone"),
        (one(json!({ "shop": "sun", "location": "11" }), "7"), "locations[0].from.shop", "moon-shop.myshopify.com"),
        (one(json!({ "shop": "sun.myshopify.com", "location": "x" }), "7"), "locations[0].from.location", "the number"),
        (one(json!({ "shop": "mars.myshopify.com", "location": "1" }), "7"), "", "POST /v1/connections"),
        (one(json!({ "warehouse": "x".repeat(MAX_NAME + 1) }), "7"), "locations[0].from.warehouse", "1 to 100"),
        (
            json!([{ "from": warehouse, "to": "7" }, { "from": { "warehouse": "WH2 " }, "to": "8" }]),
            "locations[1].from",
            "each place once",
        ),
        (json!(many), "locations", "at most 250"),
    ] {
        let (named, told) = refused(map(locations.clone()));
        assert_eq!(named, field, "{locations}");
        assert!(told.contains(remedy), "{locations}: {told}");
    }
    assert!(map(json!(many[..MAX_LIST])).is_ok());
}

#[test]
fn a_shop_that_was_never_connected_has_no_locations_to_map_to() {
    let shop = ConnectedShop { shop: Shop::registered(moon().shop.domain, NOW), ..moon() };

    let (_, remedy) = refused(super::locations(PutLocations { locations: Vec::new() }, &shop));

    assert_eq!(remedy, "connect it first: POST /v1/shops");
}
