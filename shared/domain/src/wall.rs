//! The wall: Shopify shows orders of the last 60 days, and older ones only to an app with the scope `read_all_orders`.
//!
//! Whoever asks for an order behind it is answered as if there were none. What is still to be done for such an order
//! must not end as if it were gone.

use std::time::Duration;

use jiff::Timestamp;

use crate::channel::ChannelError;
use crate::id::OrderRef;
use crate::ports::after;
use crate::registry::Shop;

/// Source: Shopify's `Order`.
const WALL: Duration = Duration::from_secs(60 * 24 * 3600);

/// Whether `shop` does not show us an order that was placed then.
#[must_use]
pub fn is_outside_60_days(shop: &Shop, placed_at: Timestamp, now: Timestamp) -> bool {
    after(placed_at, WALL) < now && !shop.reads_all_orders()
}

/// Why `order`, which `shop` does not show, is not gone but hidden from us.
pub(crate) fn hidden(shop: &Shop, order: &OrderRef, placed_at: Timestamp, now: Timestamp) -> Option<ChannelError> {
    is_outside_60_days(shop, placed_at, now).then(|| ChannelError::AccessDenied {
        shop: order.shop.clone(),
        message: format!("order {} is of more than 60 days ago, which takes the scope read_all_orders", order.id),
        request_id: None,
    })
}

/// What a shop answered about an order, where an order that it hides is not one that it does not have.
pub(crate) fn unless_hidden<T>(
    answer: Result<Option<T>, ChannelError>,
    hidden: impl FnOnce() -> Option<ChannelError>,
) -> Result<Option<T>, ChannelError> {
    match answer {
        Ok(None) => hidden().map_or(Ok(None), Err),
        other => other,
    }
}
