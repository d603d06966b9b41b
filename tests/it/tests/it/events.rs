//! Domain events: what they say, and that each is told at least once and under one name.

use roundtrip_domain::event::DomainEvent;
use roundtrip_domain::push::PushState;
use roundtrip_domain::record::Tab;
use roundtrip_domain::writeback::Phase;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};
use serde_json::{Value, json};

use crate::world::{DAY, HOUR, MINUTE, World, mars};

fn json_of(event: &DomainEvent) -> Value {
    serde_json::to_value(event).unwrap()
}

/// The only event of this name.
fn only(world: &World, name: &str) -> Value {
    let events = world.events(name);
    assert_eq!(events.len(), 1, "{events:#?}");
    json_of(&events[0])
}

fn ids(world: &World) -> Vec<String> {
    world.ports.tasks.sent().events.iter().map(|event| event.id.clone()).collect()
}

fn bus_is_down(world: &World, down: bool) {
    world.ports.tasks.sent().bus_down = down;
}

#[tokio::test]
async fn a_push_says_which_order_went_where() {
    let (world, _) = World::pushed(1).await;

    let expected = json!({
        "version": 1,
        "id": "OrderPushed/moon.myshopify.com/42/push/sun.myshopify.com/1",
        "at": world.now(),
        "shop": "moon.myshopify.com",
        "type": "OrderPushed",
        "order": "42",
        "order_name": "#42",
        "source_order": { "shop": "sun.myshopify.com", "id": "5001", "name": "#5001" },
    });
    assert_eq!(only(&world, "OrderPushed"), expected);
}

#[tokio::test]
async fn a_push_that_failed_says_why() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;

    let expected = json!({
        "version": 1,
        "id": "PushFailed/moon.myshopify.com/42/push/sun.myshopify.com/1@0",
        "at": world.now(),
        "shop": "moon.myshopify.com",
        "type": "PushFailed",
        "order": "42",
        "order_name": "#42",
        "step": "push/sun.myshopify.com/1",
        "code": "REJECTED",
        "attempts": 1,
        "first_error": "sun.myshopify.com refused: is odd",
        "last_error": "sun.myshopify.com refused: is odd",
        "request_id": "request-1",
    });
    assert_eq!(only(&world, "PushFailed"), expected);
}

#[tokio::test]
async fn a_shipment_that_is_shown_says_with_what() {
    let (world, source) = World::pushed(1).await;
    world.ship(&source, &["T1", "T2"]).await;

    let event = only(&world, "TrackingWrittenBack");
    let step = "writeback/sun.myshopify.com/5001/5002";
    let id = event["id"].as_str().unwrap();
    assert!(id.starts_with(&format!("TrackingWrittenBack/moon.myshopify.com/42/{step}#")), "{id}");
    let expected = json!({
        "version": 1,
        "id": id,
        "at": world.now(),
        "shop": "moon.myshopify.com",
        "type": "TrackingWrittenBack",
        "order": "42",
        "order_name": "#42",
        "step": step,
        "tracking": [{ "company": "USPS", "number": "T1" }, { "company": "USPS", "number": "T2" }],
        "fulfillments": ["5001"],
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn a_shipment_that_failed_says_why() {
    let (world, source) = World::pushed(1).await;
    world.fail_next(&moon(), &[Fault::Unreachable; 5]);
    world.ship(&source, &["T1"]).await;
    world.run(HOUR).await;

    let event = only(&world, "WritebackFailed");
    let fields = ["shop", "order", "order_name", "step", "code", "attempts", "last_error"];
    let said: Vec<&Value> = fields.iter().map(|field| &event[*field]).collect();
    let step = "writeback/sun.myshopify.com/5001/5002";
    let error = "moon.myshopify.com cannot be reached: connection refused";
    assert_eq!(json!(said), json!(["moon.myshopify.com", "42", "#42", step, "CHANNEL_UNAVAILABLE", 5, error]));
    assert_eq!(event["id"], json!(format!("WritebackFailed/moon.myshopify.com/42/{step}@0")));
}

#[tokio::test]
async fn a_shop_that_lets_us_in_no_more_says_so() {
    let world = World::new();
    world.ask_to_connect(&moon()).await;
    world.fail_questions(&moon(), &[Fault::Revoked]);
    world.order_webhook().await;

    let error = "moon.myshopify.com is not available to us: Invalid API key or access token";
    let expected = json!({
        "version": 1,
        "id": "ShopPaused/moon.myshopify.com/connect@1",
        "at": world.now(),
        "shop": "moon.myshopify.com",
        "type": "ShopPaused",
        "step": "connect",
        "code": "ACCESS_DENIED",
        "attempts": 1,
        "first_error": error,
        "last_error": error,
        "request_id": "request-1",
    });
    assert_eq!(only(&world, "ShopPaused"), expected);
}

#[tokio::test]
async fn other_numbers_are_another_event() {
    let (world, source) = World::pushed(1).await;
    let id = world.ship(&source, &["T1"]).await;
    world.source_webhook(&source).await;
    world.relabel(&source, id, &["T2"]).await;

    let events = world.events("TrackingWrittenBack");

    assert_eq!(events.len(), 2);
    assert_ne!(events[0].id, events[1].id);
}

#[tokio::test]
async fn a_step_that_fails_again_after_its_redrive_is_another_event() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused; 2]);
    world.order_webhook().await;

    world.redrive().await;

    let names: Vec<String> = world.events("PushFailed").into_iter().map(|event| event.id).collect();
    assert!(names[0].ends_with("@0") && names[1].ends_with("@1"), "{names:?}");
}

#[tokio::test]
async fn while_the_bus_is_down_work_is_settled_and_its_events_follow() {
    let world = World::new();
    bus_is_down(&world, true);

    world.order_webhook().await;
    world.ship(&world.source_order(&sun()), &["T1"]).await;
    assert!(matches!(world.push(&sun()).await.state, PushState::Confirmed { .. }));
    assert!(matches!(world.writeback().await.state.phase, Phase::Written { .. }));
    world.run(HOUR).await;
    assert_eq!(ids(&world), Vec::<String>::new());
    bus_is_down(&world, false);
    world.comes_to_rest().await;

    assert_eq!((world.events("OrderPushed").len(), world.events("TrackingWrittenBack").len()), (1, 1));
    assert_eq!((world.made_at(&sun()).len(), world.mails().len()), (1, 1));
}

#[tokio::test]
async fn while_the_bus_is_down_an_order_goes_on() {
    let world = World::new();
    world.add_source(&mars(), 2);
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;
    bus_is_down(&world, true);
    world.request(&sun(), "request-1").await;
    world.run(HOUR).await;

    world.request(&mars(), "request-2").await;
    world.drain().await;
    assert_eq!(world.tab().await, Tab::Pushed);
    let (sun_order, mars_order) = (world.source_order(&sun()), world.source_order(&mars()));
    world.ship(&sun_order, &["S"]).await;
    world.run(HOUR).await;
    world.ship(&mars_order, &["M"]).await;

    assert_eq!(world.mails(), ["S", "M"]);
    bus_is_down(&world, false);
    world.comes_to_rest().await;
    assert_eq!((world.events("OrderPushed").len(), world.events("TrackingWrittenBack").len()), (2, 2));
}

#[tokio::test]
async fn while_the_bus_is_down_a_failure_is_in_the_ledger_and_is_told_later() {
    let world = World::new();
    bus_is_down(&world, true);
    world.fail_next(&sun(), &[Fault::Refused]);

    world.order_webhook().await;
    assert!(world.push(&sun()).await.parked.is_some());
    world.run(HOUR).await;
    assert_eq!(world.letters(), []);
    bus_is_down(&world, false);
    world.run(HOUR).await;

    assert_eq!((world.events("PushFailed").len(), world.letters().len()), (1, 1));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_is_told_twice_has_one_name() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    // The event is out, the dead letter is not: both are sent again.
    world.ports.tasks.sent().down = true;
    let webhook = world.webhook(&crate::world::at());
    assert!(world.handle(roundtrip_domain::task::Queue::OrderPush, &webhook).await.is_err());
    world.ports.tasks.sent().down = false;
    world.comes_to_rest().await;

    let told = world.events("PushFailed");

    assert_eq!((told.len(), world.letters().len()), (2, 1));
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_push_that_was_in_doubt_is_told_once() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::AnswerLost]);

    world.order_webhook().await;
    world.comes_to_rest().await;

    assert_eq!(world.events("OrderPushed").len(), 1);
}

#[tokio::test]
async fn no_event_and_no_dead_letter_names_a_person() {
    let world = World::new();
    world.were_read().await;
    world.ask_to_connect(&moon()).await;
    world.change_order(|order| {
        order.note = Some("for Ada".into());
        order.lines[0].quantity = 2;
    });
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    world.redrive().await;
    let source = world.source_order(&sun());
    world.ship_units(&source, &["T1"], Some(1)).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    world.ship_units(&source, &["T2"], Some(1)).await;
    world.fail_questions(&moon(), &[Fault::Revoked]);
    world.order_webhook().await;
    world.run(DAY + MINUTE).await;

    let sent = world.ports.tasks.sent();
    let kinds: std::collections::BTreeSet<&str> = sent.events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(kinds.len(), 5, "all of them: {kinds:?}");
    let letters = sent.parked.iter().map(|(_, letter)| serde_json::to_value(letter).unwrap());
    for text in sent.events.iter().map(json_of).chain(letters).map(|value| value.to_string()) {
        for personal in ["Ada", "Byron", "ada@example.com", "Engine Road", "London", "SW1"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    }
}
