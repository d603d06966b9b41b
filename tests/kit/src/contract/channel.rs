//! What a channel promises of changes that replace: by the fake shops and by Shopify's API alike.

use roundtrip_domain::channel::{Channel, ChannelError};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{FulfillmentId, OrderId, OrderRef};
use roundtrip_domain::order::{CancelReason, FulfillmentState};
use roundtrip_domain::push::Cancellation;
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

/// An order that is to be cancelled is so in a moment, twice is as good as once, and an order of which something was
/// sent is not cancelled at all. `moment` lets that moment pass.
///
/// # Panics
/// Where the channel breaks it.
pub async fn cancellations(channel: &impl Channel, order: &OrderRef, shipped: &OrderRef, moment: impl AsyncFn()) {
    let is_cancelled = async |order| {
        let shown = channel.shipped(order).await.expect("the shop answers").expect("the order is there");
        shown.cancelled
    };
    let cancellation =
        Cancellation { reason: CancelReason::Unknown("ABDUCTED".into()), restock: false, staff_note: "x".repeat(300) };

    for _ in 0..2 {
        channel.cancel_order(order, &cancellation).await.expect("it is taken");
        assert!(!is_cancelled(order).await);
    }
    moment().await;
    assert!(is_cancelled(order).await);
    channel.cancel_order(order, &cancellation).await.expect("it is so");

    let refused = channel.cancel_order(shipped, &cancellation).await;
    assert!(matches!(refused, Err(ChannelError::Refused { code: Code::AlreadyShipped, .. })), "{refused:?}");
    let gone = OrderRef { shop: order.shop.clone(), id: OrderId::new(1) };
    let refused = channel.cancel_order(&gone, &cancellation).await;
    assert!(matches!(refused, Err(ChannelError::Refused { code: Code::Rejected, .. })), "{refused:?}");
    moment().await;
    assert!(!is_cancelled(shipped).await);
}
