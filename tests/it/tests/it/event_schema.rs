//! The published schema of the domain events, the code that makes them and the page that shows them agree.

use jiff::Timestamp;
use roundtrip_domain::code::Code;
use roundtrip_domain::event::{DomainEvent, EventFailure, EventKind, EventOrder, EventSourceOrder, EventTracking};
use roundtrip_domain::id::{FulfillmentId, OrderId};
use roundtrip_kit::order::{moon, sun};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../../docs/events.schema.json");
const PAGE: &str = include_str!("../../../../docs/EVENTS.md");

fn judge() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn failure() -> EventFailure {
    EventFailure {
        step: "push/sun.myshopify.com/1".parse().unwrap(),
        code: Code::Rejected,
        attempts: 1,
        first_error: Some("first".into()),
        last_error: Some("last".into()),
        request_id: Some("r-1".into()),
    }
}

/// One event of each kind, with every field filled.
fn all() -> Vec<DomainEvent> {
    let order = || EventOrder { order: OrderId::new(42), order_name: Some("#1042".into()) };
    let source_order = EventSourceOrder { shop: sun(), id: OrderId::new(43), name: "#5001".into() };
    let tracking = vec![EventTracking { company: Some("USPS".into()), number: "T1".into() }];
    let kinds = [
        EventKind::OrderPushed { order: order(), source_order },
        EventKind::PushFailed { order: order(), failure: failure() },
        EventKind::TrackingWrittenBack {
            order: order(),
            step: "label/se-1".parse().unwrap(),
            tracking,
            fulfillments: vec![FulfillmentId::new(7)],
        },
        EventKind::WritebackFailed { order: order(), failure: failure() },
        EventKind::WebhooksMissed { run: "2026-11-22T08:00:00Z".into(), found: 4, fixed: 4 },
        EventKind::SubscriptionsHealed { topics: ["orders/paid".to_owned()].into() },
        EventKind::BackfillStalled { run: "r-1".into(), requested_at: Timestamp::UNIX_EPOCH },
        EventKind::ShopPaused { failure: failure() },
    ];
    kinds.map(|kind| DomainEvent::new(Timestamp::UNIX_EPOCH, moon(), "what", kind)).into()
}

fn complaints(judge: &jsonschema::Validator, event: &Value) -> Vec<String> {
    judge.iter_errors(event).map(|error| error.to_string()).collect()
}

#[test]
fn each_event_is_as_its_schema_says() {
    let judge = judge();

    for event in all() {
        let event = serde_json::to_value(&event).unwrap();
        assert_eq!(complaints(&judge, &event), Vec::<String>::new(), "{event}");
    }
}

#[test]
fn what_the_schema_does_not_know_is_no_event() {
    let judge = judge();
    let good = serde_json::to_value(&all()[0]).unwrap();
    let changes: [fn(&mut Value); 6] = [
        |event| event["customer"] = json!("Ada"),
        |event| event["type"] = json!("OrderLost"),
        |event| event["at"] = json!("yesterday"),
        |event| event["shop"] = json!("moon.example.com"),
        |event| event["source_order"]["email"] = json!("ada@example.com"),
        |event| {
            event.as_object_mut().unwrap().remove("id");
        },
    ];
    for change in changes {
        let mut event = good.clone();
        change(&mut event);
        assert!(!complaints(&judge, &event).is_empty(), "{event}");
    }
}

#[test]
fn the_page_shows_each_event_as_it_is() {
    let judge = judge();
    let blocks = PAGE.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let examples: Vec<Value> = blocks.map(|block| serde_json::from_str(block).unwrap()).collect();

    for example in &examples {
        assert_eq!(complaints(&judge, example), Vec::<String>::new(), "{example}");
        // What the code reads of it is all that stands there.
        let event: DomainEvent = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), *example);
        assert!(event.id.starts_with(event.kind.name()), "{}", event.id);
    }
    let shown: Vec<&str> = examples.iter().filter_map(|example| example["type"].as_str()).collect();
    let made: Vec<&str> = all().iter().map(|event| event.kind.name()).collect();
    assert_eq!(shown, made);
}
