//! Real signatures, and every shape a body may have.

use roundtrip_domain::secret::Secret;

use super::*;

fn app(secret: &str, previous: Option<&str>) -> AppCredentials {
    AppCredentials {
        client_id: "client".into(),
        client_secret: Secret::new(secret),
        previous_client_secret: previous.map(Secret::new),
    }
}

fn sign(body: &[u8], secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn headers(topic: &str) -> Headers {
    Headers {
        topic: Some(topic.into()),
        shop: Some("moon.myshopify.com".into()),
        event_id: Some("event-1".into()),
        ..Headers::default()
    }
}

fn task_of(topic: &str, body: &str) -> Result<(Queue, Task), Unusable> {
    let signature = sign(body.as_bytes(), "secret");
    let verified = Verified::check(body.as_bytes(), Some(&signature), &app("secret", None)).unwrap();
    task(verified, &headers(topic))
}

#[test]
fn a_signature_of_the_current_or_the_previous_secret_counts() {
    let body = br#"{"id":1}"#;
    let app = app("new", Some("old"));

    assert!(Verified::check(body, Some(&sign(body, "new")), &app).is_ok());
    assert!(Verified::check(body, Some(&sign(body, "old")), &app).is_ok());
    assert_eq!(Verified::check(body, Some(&sign(body, "other")), &app).unwrap_err(), SignatureError::Wrong);
}

#[test]
fn a_body_that_was_written_again_is_not_the_signed_one() {
    let signature = sign(br#"{"id": 1}"#, "secret");

    let error = Verified::check(br#"{"id":1}"#, Some(&signature), &app("secret", None)).unwrap_err();

    assert_eq!(error, SignatureError::Wrong);
}

#[test]
fn a_missing_or_mangled_signature_is_refused() {
    let app = app("secret", None);

    assert_eq!(Verified::check(b"{}", None, &app).unwrap_err(), SignatureError::Missing);
    for mangled in ["", "abc", "%%%", "c2hvcnQ="] {
        assert_eq!(Verified::check(b"{}", Some(mangled), &app).unwrap_err(), SignatureError::Malformed);
    }
}

#[test]
fn an_empty_secret_signs_nothing() {
    let body = b"{}";

    assert!(Verified::check(body, Some(&sign(body, "")), &app("", Some(""))).is_err());
}

#[test]
fn both_header_families_are_read() {
    let old = Headers::read(|name| (name == "x-shopify-topic").then(|| "orders/paid".into()));
    let new = Headers::read(|name| (name == "shopify-topic").then(|| "orders/paid".into()));

    assert_eq!(old, new);
}

#[test]
fn an_order_webhook_names_its_order_and_carries_the_time_as_a_hint() {
    let (queue, task) = task_of("orders/paid", r#"{"id":42,"updated_at":"2026-11-22T08:00:00-05:00"}"#).unwrap();

    assert_eq!(queue, Queue::OrderPush);
    assert_eq!(task.subject.to_string(), "order moon.myshopify.com/42");
    assert_eq!(task.seen_updated_at, Some("2026-11-22T13:00:00Z".parse().unwrap()));
    assert_eq!(task.cause_id, "event-1");
}

#[test]
fn a_product_webhook_names_its_product_whatever_became_of_it() {
    let bodies = [
        ("products/create", r#"{"id":788032119674292922,"variants":[{"id":1,"sku":"A-1","barcode":null}]}"#),
        ("products/update", r#"{"id":788032119674292922,"variants":[{"id":1,"sku":"A-1","barcode":null}]}"#),
        ("products/delete", r#"{"id":788032119674292922}"#),
    ];
    for (topic, body) in bodies {
        let (queue, task) = task_of(topic, body).unwrap();

        assert_eq!((queue, task.seen_updated_at), (Queue::OrderPush, None));
        assert_eq!(task.subject.to_string(), "product moon.myshopify.com/788032119674292922");
    }
}

#[test]
fn what_cannot_be_used_says_why() {
    let cases = [
        ("carts/update", r#"{"id":1}"#, Unusable::UnknownTopic),
        ("orders/paid", "<xml/>", Unusable::NotJson),
        ("orders/paid", "7", Unusable::NotJson),
        ("orders/paid", "{}", Unusable::NoSubject),
        ("orders/paid", r#"{"id":-5}"#, Unusable::NoSubject),
        ("orders/paid", r#"{"id":{"a":1}}"#, Unusable::NoSubject),
        ("orders/edited", r#"{"id":1}"#, Unusable::NoSubject),
        ("fulfillments/create", r#"{"id":1}"#, Unusable::NoSubject),
        ("products/update", r#"{"shop_id":1}"#, Unusable::NoSubject),
        ("products/delete", r#"{"id":null}"#, Unusable::NoSubject),
        ("fulfillment_orders/placed_on_hold", r#"{"fulfillment_order":{}}"#, Unusable::NoSubject),
    ];
    for (topic, body, expected) in cases {
        assert_eq!(task_of(topic, body).unwrap_err(), expected, "{topic} {body}");
    }
}

#[test]
fn the_included_fields_hold_what_the_task_needs_and_something_that_changes() {
    // A delivery whose included fields did not change may be left out. Source: webhook best practices.
    for topic in TOPICS.iter().filter(|topic| !topic.include_fields.is_empty()) {
        let changes = |field: &&str| field.ends_with("_at") || field.ends_with(".sku");
        assert!(topic.include_fields.iter().any(changes), "{}", topic.name);
    }
}
