//! What a channel promises of changes that replace: by the fake shops and by Shopify's API alike.

use roundtrip_domain::channel::{Channel, ChannelError};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{FulfillmentId, OrderId, OrderRef};
use roundtrip_domain::order::FulfillmentState;
use roundtrip_domain::writeback::{TrackingInfo, TrackingUpdate};

fn update(fulfillment: FulfillmentId, number: &str) -> TrackingUpdate {
    let tracking = TrackingInfo::new(Some("USPS".into()), Some(number.into()), None).expect("a number");
    TrackingUpdate { fulfillment, tracking: vec![tracking], notify_customer: false }
}

async fn numbers(channel: &impl Channel, order: &OrderRef) -> Vec<String> {
    let shown = channel.shown(order).await.expect("the shop answers").expect("the order is there");
    let live = shown.into_iter().filter(|fulfillment| fulfillment.state == FulfillmentState::Success);
    live.flat_map(|fulfillment| fulfillment.tracking).map(|info| info.number).collect()
}

async fn tags(channel: &impl Channel, order: &OrderRef) -> Vec<String> {
    let mut tags = channel.order(order).await.expect("the shop answers").expect("the order is there").tags;
    tags.sort();
    tags
}

/// Updates replace, twice is as good as once, and what is not there is refused. `order` shows
/// `fulfillment`, and has the tag `vip`.
///
/// # Panics
/// Where the channel breaks it.
pub async fn tracking_and_tags(channel: &impl Channel, order: &OrderRef, fulfillment: FulfillmentId) {
    for _ in 0..2 {
        channel.update_tracking(&order.shop, &update(fulfillment, "9400-2")).await.expect("it is taken");
        assert_eq!(numbers(channel, order).await, ["9400-2"]);
    }
    let missing = channel.update_tracking(&order.shop, &update(FulfillmentId::new(1), "9400-3")).await;
    assert!(matches!(missing, Err(ChannelError::Refused { code: Code::OverwriteRejected, .. })), "{missing:?}");

    let failed = ["Failed Shipment Notification".to_owned()];
    for _ in 0..2 {
        channel.add_tags(order, &failed).await.expect("it is taken");
        assert_eq!(tags(channel, order).await, ["Failed Shipment Notification", "vip"]);
    }
    for _ in 0..2 {
        channel.remove_tags(order, &failed).await.expect("it is taken");
        assert_eq!(tags(channel, order).await, ["vip"]);
    }
    let gone = OrderRef { shop: order.shop.clone(), id: OrderId::new(1) };
    for refused in [channel.add_tags(&gone, &failed).await, channel.remove_tags(&gone, &failed).await] {
        assert!(matches!(refused, Err(ChannelError::Refused { code: Code::Rejected, .. })), "{refused:?}");
    }
}

/// A cancelled fulfillment takes new tracking, and nobody sees it.
///
/// # Panics
/// Where the channel breaks it.
pub async fn tracking_of_a_cancelled_fulfillment(channel: &impl Channel, order: &OrderRef, fulfillment: FulfillmentId) {
    channel.update_tracking(&order.shop, &update(fulfillment, "9400-4")).await.expect("it is taken");

    assert!(numbers(channel, order).await.is_empty());
}
