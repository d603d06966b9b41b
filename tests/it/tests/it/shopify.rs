//! The Shopify connector against the simulator, over HTTP: what the use cases' fakes cannot show, and what
//! both must do alike.

mod cancellations;

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use roundtrip_connectors::shopify::{ShopifyApi, ShopifyConfig};
use roundtrip_domain::channel::{Channel, ChannelError, Effect, OrdersQuery};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{FulfillmentId, LocationId, OrderId, OrderRef};
use roundtrip_domain::order::{FulfillmentOrderStatus, FulfillmentState, Order};
use roundtrip_domain::ports::Clock;
use roundtrip_domain::resync::Pass;
use roundtrip_domain::writeback::{DraftLines, FulfillmentDraft, TrackingInfo, TrackingUpdate};
use roundtrip_kit::contract;
use roundtrip_kit::fake::{self as kit, FakeChannel, ManualClock, MemoryVault};
use roundtrip_kit::measure::WallClock;
use roundtrip_kit::order::{moon, paid_order};
use serde_json::json;
use shopify_sim::control::{NewShop, NewVariant, PlaceOrder, SettingsChange, Ship};
use shopify_sim::faults::{Fault, FaultRule};
use shopify_sim::webhooks::Topic;
use shopify_sim::words::{FulfillmentHoldReason, OrderCancelReason};
use shopify_sim::{Sim, SimClient, SimConfig};

const WEBHOOKS: &str = "https://roundtrip.example.com/webhooks/shopify";

type Api = ShopifyApi<MemoryVault, WallClock>;

/// Its bucket fills slowly, so that a busy machine does not refill it between two calls.
async fn shop(sku: &str) -> (Sim, SimClient, Api) {
    let config = SimConfig { restore_rate: 20, ..SimConfig::default() };
    let vault = MemoryVault::new(&config.client_id, &config.client_secret);
    let sim = Sim::start(config).await.unwrap();
    let client = sim.client();
    client.create_shop(&NewShop::selling(moon().as_str(), &[sku])).await.unwrap();
    let api = api(&sim.url(), vault);
    (sim, client, api)
}

fn api(url: &str, vault: MemoryVault) -> Api {
    let config = ShopifyConfig {
        endpoint: format!("{url}/{{shop}}").parse().unwrap(),
        api_version: "2026-10".into(),
        webhook_url: Some(WEBHOOKS.into()),
        call_timeout: Duration::from_secs(10),
    };
    ShopifyApi::new(config, vault, WallClock).unwrap()
}

async fn place(client: &SimClient, lines: &[(&str, u32)]) -> OrderRef {
    let placed = client.place_order(moon().as_str(), &PlaceOrder::of(lines)).await.unwrap();
    OrderRef { shop: moon(), id: OrderId::new(placed.id) }
}

#[tokio::test]
async fn an_order_with_more_lines_than_one_answer_holds_is_read_whole() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1); 60]).await;

    let read = api.order(&order).await.unwrap().unwrap();

    assert_eq!(read.lines.len(), 60);
    assert_eq!(client.call_count(moon().as_str(), "OrderLinesPage").await.unwrap(), 1);
}

#[tokio::test]
async fn a_short_throttle_is_slept_out_only_by_who_has_patience() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1)]).await;
    api.order(&order).await.unwrap();

    client.drain_bucket(moon().as_str(), 0).await.unwrap();
    let impatient = api.order(&order).await;
    assert!(matches!(impatient, Err(ChannelError::Throttled { .. })), "{impatient:?}");

    client.drain_bucket(moon().as_str(), 0).await.unwrap();
    api.set_patience(Duration::from_secs(2));
    assert!(api.order(&order).await.unwrap().is_some());
}

fn usps(number: &str) -> TrackingInfo {
    TrackingInfo::new(Some("USPS".into()), Some(number.into()), None).unwrap()
}

/// All that is left of an order's first fulfillment order, as it is now.
async fn all_of(api: &impl Channel, order: &OrderRef) -> FulfillmentDraft {
    let destination = api.destination(order).await.unwrap().unwrap();
    let work = &destination.fulfillment_orders[0];
    let lines = work.lines.iter().map(|line| (line.id, line.remaining)).collect();
    FulfillmentDraft {
        location: work.location,
        delivery_method: work.delivery_method.clone(),
        lines: vec![DraftLines { fulfillment_order: work.id, lines }],
        tracking: vec![usps("9400-1")],
        notify_customer: false,
    }
}

/// An order that we fulfilled with number 9400-1.
async fn fulfilled(client: &SimClient, api: &Api) -> (OrderRef, FulfillmentId) {
    let order = place(client, &[("MUG", 1)]).await;
    let fulfillment = api.create_fulfillment(&moon(), &all_of(api, &order).await).await.unwrap();
    (order, fulfillment)
}

async fn numbers(api: &impl Channel, order: &OrderRef) -> Vec<String> {
    let shown = api.shown(order).await.unwrap().unwrap();
    shown.into_iter().flat_map(|fulfillment| fulfillment.tracking).map(|info| info.number).collect()
}

fn to(fulfillment: FulfillmentId, number: &str) -> TrackingUpdate {
    TrackingUpdate { fulfillment, tracking: vec![usps(number)], notify_customer: true }
}

#[tokio::test]
async fn updated_tracking_replaces_what_the_customer_sees_and_mails_once() {
    let (_sim, client, api) = shop("MUG").await;
    let (order, fulfillment) = fulfilled(&client, &api).await;

    api.update_tracking(&moon(), &to(fulfillment, "9400-2")).await.unwrap();
    api.update_tracking(&moon(), &TrackingUpdate { notify_customer: false, ..to(fulfillment, "9400-2") })
        .await
        .unwrap();

    assert_eq!(numbers(&api, &order).await, ["9400-2"]);
    let seen = client.show_order(moon().as_str(), &order.id.to_string()).await.unwrap();
    assert_eq!((seen.fulfillments.len(), seen.mails_about("9400-1"), seen.mails_about("9400-2")), (1, 0, 1));
}

#[tokio::test]
async fn a_shop_that_refuses_new_tracking_rejects_the_overwrite_whatever_its_words() {
    let (_sim, client, api) = shop("MUG").await;
    let (order, fulfillment) = fulfilled(&client, &api).await;
    let refuse = SettingsChange { refuse_overwrite: Some(true), ..SettingsChange::default() };
    client.set(moon().as_str(), &refuse).await.unwrap();

    let refused = api.update_tracking(&moon(), &to(fulfillment, "9400-2")).await.unwrap_err();

    assert!(matches!(refused, ChannelError::Refused { code: Code::OverwriteRejected, .. }), "{refused:?}");
    assert!(refused.request_id().is_some());
    assert_eq!(numbers(&api, &order).await, ["9400-1"]);
}

#[tokio::test]
async fn an_update_that_is_throttled_or_unanswered_is_no_rejection() {
    let (_sim, client, api) = shop("MUG").await;
    let (order, fulfillment) = fulfilled(&client, &api).await;
    let fault = |fault| FaultRule::next(moon().as_str(), "FulfillmentTrackingUpdate", fault);

    client.add_fault(&fault(Fault::Throttled)).await.unwrap();
    let throttled = api.update_tracking(&moon(), &to(fulfillment, "9400-2")).await.unwrap_err();
    client.add_fault(&fault(Fault::LoseAnswer { hang_ms: 0 })).await.unwrap();
    let lost = api.update_tracking(&moon(), &to(fulfillment, "9400-3")).await.unwrap_err();

    assert!(matches!(throttled, ChannelError::Throttled { .. }), "{throttled:?}");
    assert_eq!((lost.effect(), lost.code()), (Effect::Unknown, Code::ChannelUnavailable));
    assert_eq!(numbers(&api, &order).await, ["9400-3"]);
}

#[tokio::test]
async fn shopify_replaces_tracking_and_tags_by_the_contract() {
    let (_sim, client, api) = shop("MUG").await;
    let (order, fulfillment) = fulfilled(&client, &api).await;
    api.add_tags(&order, &["vip".into()]).await.unwrap();

    contract::tracking_and_tags(&api, &order, fulfillment).await;

    client.cancel_fulfillment(moon().as_str(), fulfillment.number()).await.unwrap();
    contract::tracking_of_a_cancelled_fulfillment(&api, &order, fulfillment).await;
}

#[tokio::test]
async fn the_fake_shop_replaces_tracking_and_tags_by_the_contract() {
    let clock = ManualClock::default();
    let fake = FakeChannel::new(clock.clone());
    let order = paid_order(1042, clock.now());
    let at = order.at.clone();
    fake.shop(&moon(), |shop| shop.orders.insert(at.id, Order { tags: vec!["vip".into()], ..order }));
    let fulfillment = fake.create_fulfillment(&moon(), &all_of(&fake, &at).await).await.unwrap();

    contract::tracking_and_tags(&fake, &at, fulfillment).await;

    fake.shop(&moon(), |shop| {
        shop.shown.values_mut().flatten().for_each(|shown| shown.state = FulfillmentState::Cancelled);
    });
    contract::tracking_of_a_cancelled_fulfillment(&fake, &at, fulfillment).await;
}

#[tokio::test]
async fn a_fake_shop_changes_late_refuses_to_overwrite_and_says_when_it_was_tagged() {
    let clock = ManualClock::default();
    let fake = FakeChannel::new(clock.clone());
    let order = paid_order(1042, clock.now());
    let at = order.at.clone();
    fake.shop(&moon(), |shop| shop.orders.insert(at.id, order));
    let fulfillment = fake.create_fulfillment(&moon(), &all_of(&fake, &at).await).await.unwrap();
    let minute = Duration::from_secs(60);

    fake.shop(&moon(), |shop| shop.mutation_faults.extend([kit::Fault::LandsLate(minute); 2]));
    assert_eq!(fake.update_tracking(&moon(), &to(fulfillment, "9400-2")).await.unwrap_err().effect(), Effect::Unknown);
    assert_eq!(fake.add_tags(&at, &["late".into()]).await.unwrap_err().effect(), Effect::Unknown);
    assert_eq!(numbers(&fake, &at).await, ["9400-1"]);
    clock.advance(minute);
    assert_eq!(numbers(&fake, &at).await, ["9400-2"]);
    let tagged = fake.order(&at).await.unwrap().unwrap();
    assert_eq!((tagged.tags, tagged.updated_at), (vec!["late".to_owned()], clock.now()));
    assert_eq!(fake.shop(&moon(), |shop| shop.mails.clone()), ["9400-2"]);

    fake.shop(&moon(), |shop| shop.rejects_overwrite = true);
    assert_eq!(
        fake.update_tracking(&moon(), &to(fulfillment, "9400-3")).await.unwrap_err().code(),
        Code::OverwriteRejected
    );
    assert_eq!(numbers(&fake, &at).await, ["9400-2"]);
}

#[tokio::test]
async fn a_shop_that_does_not_know_us_any_more_is_not_a_missing_scope() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1)]).await;
    let next = |fault| FaultRule::next(moon().as_str(), "OrderForPush", fault);

    for status in [402, 403, 404, 423] {
        client.add_fault(&next(Fault::Status { status, retry_after_secs: None })).await.unwrap();
        let error = api.order(&order).await.unwrap_err();
        assert!(matches!(error, ChannelError::ShopUnavailable { .. }), "{status}: {error:?}");
        assert_eq!((error.effect(), error.code()), (Effect::None, Code::AccessDenied), "{status}");
    }
    client.add_fault(&next(Fault::AccessDenied { scope: "read_orders".into() })).await.unwrap();
    let scope = api.order(&order).await.unwrap_err();
    assert!(
        matches!(&scope, ChannelError::AccessDenied { message, .. } if message.contains("read_orders")),
        "{scope:?}"
    );

    client.revoke_tokens(moon().as_str()).await.unwrap();
    assert!(api.order(&order).await.unwrap().is_some(), "a new token can be had");
    client.uninstall(moon().as_str()).await.unwrap();
    let gone = api.order(&order).await.unwrap_err();
    assert!(matches!(gone, ChannelError::ShopUnavailable { .. }), "{gone:?}");
    client.install(moon().as_str()).await.unwrap();
    assert!(api.order(&order).await.unwrap().is_some());
}

#[tokio::test]
async fn a_token_that_cannot_be_had_leaves_nothing_in_doubt() {
    let cases = [(StatusCode::SERVICE_UNAVAILABLE, "unreachable"), (StatusCode::TOO_MANY_REQUESTS, "throttled")];
    for (status, expected) in cases {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Router::new().fallback(move || async move { (status, [("retry-after", "7")]) });
        tokio::spawn(async move { axum::serve(listener, server).await });
        let order = OrderRef { shop: moon(), id: OrderId::new(1) };

        let error = api(&url, MemoryVault::new("id", "secret")).add_tags(&order, &["a".into()]).await.unwrap_err();

        assert_eq!(error.effect(), Effect::None, "{error:?}");
        match error {
            ChannelError::Unreachable { .. } => assert_eq!(expected, "unreachable"),
            ChannelError::Throttled { retry_after, .. } => {
                assert_eq!((expected, retry_after), ("throttled", Duration::from_secs(7)));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_order_that_changed_since_it_was_read_is_to_be_read_again() {
    let (_sim, client, api) = shop("MUG").await;
    let moon = moon();
    let (shipped, cancelled) = (place(&client, &[("MUG", 1)]).await, place(&client, &[("MUG", 1)]).await);
    let (edited, held) = (place(&client, &[("MUG", 2)]).await, place(&client, &[("MUG", 1)]).await);
    let mut drafts = Vec::new();
    for order in [&shipped, &cancelled, &edited, &held] {
        drafts.push(all_of(&api, order).await);
    }
    let id = |order: &OrderRef| order.id.to_string();

    client.ship(moon.as_str(), &id(&shipped), &Ship::all("UPS", "1Z1")).await.unwrap();
    client.cancel(moon.as_str(), &id(&cancelled), OrderCancelReason::Customer).await.unwrap();
    client.edit(moon.as_str(), &id(&edited), "MUG", 1).await.unwrap();
    client.hold(moon.as_str(), &id(&held), FulfillmentHoldReason::AwaitingPayment).await.unwrap();

    let expected = [Code::OrderChanged, Code::OrderChanged, Code::OrderChanged, Code::OnHold];
    for (draft, expected) in drafts.iter().zip(expected) {
        let refused = api.create_fulfillment(&moon, draft).await.unwrap_err();
        assert!(matches!(&refused, ChannelError::Refused { code, .. } if *code == expected), "{refused:?}");
    }
}

#[tokio::test]
async fn an_order_with_more_fulfillments_or_numbers_than_are_read_is_no_order_with_less() {
    let (_sim, client, api) = shop("MUG").await;
    let (many, numbered) = (place(&client, &[("MUG", 51)]).await, place(&client, &[("MUG", 2)]).await);
    let ship = async |order: &OrderRef, what: Ship| {
        client.ship(moon().as_str(), &order.id.to_string(), &what).await.unwrap();
    };
    for n in 0..50 {
        ship(&many, Ship::all("UPS", &format!("1Z{n}")).line("MUG", 1)).await;
    }
    let numbers = |n: usize| (0..n).map(|n| format!("1Z{n}")).collect::<Vec<_>>();
    ship(&numbered, Ship { numbers: numbers(20), ..Ship::all("UPS", "") }.line("MUG", 1)).await;
    for whole in [&many, &numbered] {
        assert!(api.destination(whole).await.unwrap().is_some());
    }

    ship(&many, Ship::all("UPS", "1Z50")).await;
    ship(&numbered, Ship { numbers: numbers(21), ..Ship::all("UPS", "") }).await;

    for cut in [&many, &numbered] {
        let error = api.destination(cut).await.unwrap_err();
        assert!(error.to_string().contains("fulfillments (50) or tracking numbers (20)"), "{error:?}");
        assert!(api.shown(cut).await.is_err());
        assert!(api.shipped(cut).await.is_err());
    }
}

/// The topics and the fields that a shop delivers to us.
async fn subscribed(client: &SimClient) -> Vec<(String, Vec<String>)> {
    let there = client.shop(moon().as_str()).await.unwrap().subscriptions;
    let ours = there.into_iter().filter(|it| it.uri == WEBHOOKS);
    let mut ours: Vec<_> = ours.map(|it| (it.topic.slashed().to_owned(), it.include_fields)).collect();
    ours.sort();
    ours
}

async fn mend(api: &Api) -> Vec<String> {
    let gaps = api.subscription_gaps(&moon()).await.unwrap();
    for gap in &gaps {
        api.subscribe(&moon(), gap).await.unwrap();
    }
    gaps.into_iter().map(|gap| gap.topic.to_owned()).collect()
}

#[tokio::test]
async fn a_subscription_that_is_missing_or_delivers_other_fields_is_made_again_and_no_other() {
    let (sim, client, api) = shop("MUG").await;
    assert_eq!(mend(&api).await.len(), 16);
    let as_it_should = subscribed(&client).await;
    assert_eq!(mend(&api).await, Vec::<String>::new());

    client.unsubscribe(moon().as_str(), Some(Topic::OrdersPaid)).await.unwrap();
    client.unsubscribe(moon().as_str(), Some(Topic::RefundsCreate)).await.unwrap();
    let wrong = json!({ "uri": WEBHOOKS, "format": "JSON", "includeFields": ["id"] });
    let of_another_stack = json!({ "uri": "https://other.example.com/webhooks/shopify", "format": "JSON" });
    for (topic, subscription) in [("REFUNDS_CREATE", wrong), ("ORDERS_PAID", of_another_stack)] {
        let variables = json!({ "topic": topic, "subscription": subscription });
        let query = "mutation M($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
            webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) { userErrors { message } } }";
        let token = client.shop(moon().as_str()).await.unwrap().access_token.unwrap();
        let body = json!({ "query": query, "variables": variables });
        let url = format!("{}/{}/admin/api/2026-10/graphql.json", sim.url(), moon());
        let answer = reqwest::Client::new().post(url).header("X-Shopify-Access-Token", token).json(&body).send().await;
        let answer: serde_json::Value = answer.unwrap().json().await.unwrap();
        assert_eq!(answer["data"]["webhookSubscriptionCreate"]["userErrors"], json!([]), "{answer}");
    }

    assert_eq!(mend(&api).await, ["orders/paid", "refunds/create"]);
    assert_eq!(subscribed(&client).await, as_it_should);
    let all = client.shop(moon().as_str()).await.unwrap().subscriptions;
    assert_eq!(all.len(), 16 + 1, "another stack's subscription is its own");
}

/// What a page of the shop's orders says, of the pass and between the moments.
async fn page(
    api: &Api,
    pass: Pass,
    (from, until): (Timestamp, Timestamp),
    placed_before: Option<Timestamp>,
) -> Vec<OrderId> {
    let query = OrdersQuery { pass, from, until, placed_before, after: None };
    api.orders(&moon(), &query).await.unwrap().orders.into_iter().map(|order| order.at.id).collect()
}

#[tokio::test]
async fn a_page_of_orders_holds_those_of_its_time_to_the_second_and_the_second_pass_leaves_out_the_first() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1)]).await;
    let read = api.order(&order).await.unwrap().unwrap();
    let second = SignedDuration::from_secs(1);
    let later = read.updated_at + SignedDuration::from_hours(1);
    // Shopify's clock has whole seconds.
    let placed = Timestamp::from_second(read.created_at.as_second()).unwrap();

    assert_eq!(page(&api, Pass::Created, (placed, later), None).await, [order.id]);
    assert_eq!(page(&api, Pass::Created, (placed + second, later), None).await, []);
    assert_eq!(page(&api, Pass::Created, (placed - second, placed), None).await, [order.id]);
    assert_eq!(page(&api, Pass::Created, (placed - second, placed - second), None).await, []);
    assert_eq!(page(&api, Pass::Updated, (placed, later), Some(placed + second)).await, [order.id]);
    assert_eq!(page(&api, Pass::Updated, (placed, later), Some(placed)).await, []);
}

#[tokio::test]
async fn several_numbers_of_one_fulfillment_are_shown_in_their_order_each_with_its_link() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1)]).await;
    let url = |number: &str| Some(format!("https://track.example.com/{number}"));
    let info = |number: &str| TrackingInfo::new(Some("Moon Mail".into()), Some(number.into()), url(number)).unwrap();
    let tracking = vec![info("C"), info("A"), info("B")];
    let draft = FulfillmentDraft { tracking: tracking.clone(), ..all_of(&api, &order).await };

    api.create_fulfillment(&moon(), &draft).await.unwrap();

    let shown = api.shown(&order).await.unwrap().unwrap();
    assert_eq!((shown.len(), &shown[0].tracking), (1, &tracking));
    let stored = client.show_order(moon().as_str(), &order.id.to_string()).await.unwrap();
    assert_eq!(stored.fulfillments[0].tracking_info.len(), 3);
}

#[tokio::test]
async fn where_goods_wait_and_from_where_they_were_sent_is_read() {
    let sim = Sim::start(SimConfig::default()).await.unwrap();
    let client = sim.client();
    let mut shop = NewShop::selling(moon().as_str(), &[]);
    shop.locations = vec!["East".into(), "West".into()];
    let at =
        |sku: &str, location: &str| NewVariant { location: Some(location.into()), ..NewVariant::of(sku, 10.into()) };
    shop.variants = vec![at("DRUM", "East"), at("FLUTE", "West")];
    let locations = client.create_shop(&shop).await.unwrap().locations;
    let config = SimConfig::default();
    let api = api(&sim.url(), MemoryVault::new(&config.client_id, &config.client_secret));
    let order = place(&client, &[("DRUM", 1), ("FLUTE", 1)]).await;

    let waiting = api.destination(&order).await.unwrap().unwrap().fulfillment_orders;
    client.ship(moon().as_str(), &order.id.to_string(), &Ship::all("usps", "T1").line("FLUTE", 1)).await.unwrap();
    let sent = api.shipped(&order).await.unwrap().unwrap().fulfillments;

    let id = |name: &str| LocationId::new(locations.iter().find(|location| location.name == name).unwrap().id);
    let mut places: Vec<_> = waiting.iter().map(|order| order.location).collect();
    places.sort();
    let mut both = vec![Some(id("East")), Some(id("West"))];
    both.sort();
    assert_eq!(places, both);
    assert_eq!(sent.iter().map(|sent| sent.location).collect::<Vec<_>>(), [Some(id("West"))]);
}

#[tokio::test]
async fn a_page_of_orders_that_fails_inside_shopify_is_tried_again_and_says_by_which_request() {
    let (_sim, client, api) = shop("MUG").await;
    let until = Timestamp::now();
    let query = OrdersQuery {
        pass: Pass::Created,
        from: until - SignedDuration::from_hours(1),
        until,
        placed_before: None,
        after: None,
    };

    for fault in [Fault::InternalError { effect: false }, Fault::Status { status: 500, retry_after_secs: None }] {
        client.add_fault(&FaultRule::next(moon().as_str(), "OrdersPage", fault)).await.unwrap();
        let error = api.orders(&moon(), &query).await.unwrap_err();
        assert_eq!(error.code(), Code::ChannelUnavailable, "{error}");
        assert!(error.request_id().is_some_and(|id| id.len() >= 32), "{error:?}");
    }
    assert!(api.orders(&moon(), &query).await.is_ok());
}

#[tokio::test]
async fn whether_the_work_of_an_order_is_held_is_read_with_the_order() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1)]).await;
    let id = order.id.to_string();
    let statuses = async || {
        let works = api.order(&order).await.unwrap().unwrap().fulfillment_orders;
        works.into_iter().map(|work| work.status).collect::<Vec<_>>()
    };

    client.hold(moon().as_str(), &id, FulfillmentHoldReason::AwaitingPayment).await.unwrap();
    assert_eq!(statuses().await, [FulfillmentOrderStatus::OnHold]);
    client.release(moon().as_str(), &id).await.unwrap();
    assert_eq!(statuses().await, [FulfillmentOrderStatus::Open]);
}
