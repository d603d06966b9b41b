//! Orders, as customers and merchants move them. `order` is a gid, a number, `#1001` or `1001`.

use serde_json::json;

use super::{SimClient, SimResult, part};
use crate::control::{
    CancelOrder, ChangeTracking, EditLine, HoldOrder, MoveWork, OrderPlaced, PlaceOrder, RefundLines, Ship, Shipped,
    TagOrder,
};
use crate::state::Order;
use crate::words::{FulfillmentHoldReason, OrderCancelReason};

impl SimClient {
    /// A customer buys.
    pub async fn place_order(&self, shop: &str, order: &PlaceOrder) -> SimResult<OrderPlaced> {
        self.post(&format!("shops/{shop}/orders"), order).await
    }

    /// All orders of a shop, oldest first.
    pub async fn orders(&self, shop: &str) -> SimResult<Vec<Order>> {
        self.get(&format!("shops/{shop}/orders")).await
    }

    /// One order, with the mails its customer got.
    pub async fn show_order(&self, shop: &str, order: &str) -> SimResult<Order> {
        self.get(&format!("shops/{shop}/orders/{}", part(order))).await
    }

    /// The money comes in.
    pub async fn pay(&self, shop: &str, order: &str) -> SimResult<Order> {
        self.order(shop, order, "/pay", json!({})).await
    }

    /// The order is called off and refunded, without a mail.
    pub async fn cancel(&self, shop: &str, order: &str, reason: OrderCancelReason) -> SimResult<Order> {
        self.order(shop, order, "/cancel", CancelOrder { reason, refund: true, notify_customer: false }).await
    }

    /// Sets a line's quantity; 0 removes the line. `line` is a SKU or line item id.
    pub async fn edit(&self, shop: &str, order: &str, line: &str, quantity: u32) -> SimResult<Order> {
        self.order(shop, order, "/edit", EditLine { line: line.to_owned(), quantity }).await
    }

    /// Gives the money for some units back.
    pub async fn refund(&self, shop: &str, order: &str, lines: &[(&str, u32)]) -> SimResult<Order> {
        let lines = lines.iter().map(|(line, quantity)| ((*line).to_owned(), *quantity)).collect();
        self.order(shop, order, "/refund", RefundLines { lines }).await
    }

    /// Puts all open work of an order on hold.
    pub async fn hold(&self, shop: &str, order: &str, reason: FulfillmentHoldReason) -> SimResult<Order> {
        self.order(shop, order, "/hold", HoldOrder { reason, notes: None }).await
    }

    /// Releases all holds of an order.
    pub async fn release(&self, shop: &str, order: &str) -> SimResult<Order> {
        self.order(shop, order, "/release", json!({})).await
    }

    /// Routes an order at once.
    pub async fn route(&self, shop: &str, order: &str) -> SimResult<Order> {
        self.order(shop, order, "/route", json!({})).await
    }

    /// Gives an order's open work to a location, by its name.
    pub async fn move_work(&self, shop: &str, order: &str, location: &str) -> SimResult<Order> {
        self.order(shop, order, "/move", MoveWork { location: location.to_owned() }).await
    }

    /// The merchant sets and takes tags.
    pub async fn tag(&self, shop: &str, order: &str, tags: &TagOrder) -> SimResult<Order> {
        self.order(shop, order, "/tags", tags).await
    }

    /// The merchant sends goods.
    pub async fn ship(&self, shop: &str, order: &str, goods: &Ship) -> SimResult<Shipped> {
        self.order(shop, order, "/ship", goods).await
    }

    /// The merchant gives a fulfillment another tracking.
    pub async fn update_tracking(
        &self,
        shop: &str,
        fulfillment_id: u64,
        tracking: &ChangeTracking,
    ) -> SimResult<Shipped> {
        self.post(&format!("shops/{shop}/fulfillments/{fulfillment_id}/tracking"), tracking).await
    }

    /// The merchant calls a fulfillment back.
    pub async fn cancel_fulfillment(&self, shop: &str, fulfillment_id: u64) -> SimResult<Shipped> {
        self.post(&format!("shops/{shop}/fulfillments/{fulfillment_id}/cancel"), json!({})).await
    }
}
