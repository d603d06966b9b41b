//! Work is given to another location.

use serde_json::json;

use super::{Change, Refusal, now};
use crate::state::{FulfillmentOrder, FulfillmentOrderLine, Ids, Order, gid};
use crate::webhooks::{Topic, fulfillment_order_body};
use crate::words::FulfillmentOrderStatus;

impl Change<'_> {
    /// Moves what is open of an order to a location.
    ///
    /// Source: Admin GraphQL schema 2026-10, description of `fulfillmentOrderMove`: untouched work keeps its
    /// fulfillment order; what is left of touched work gets one of its own; where the location has work of
    /// this order already, that is closed and both are made anew as one. Messages: live answers, 2026-04.
    pub(crate) fn relocate(&mut self, order_id: u64, location_id: u64) -> Result<(), Refusal> {
        if self.shop.location(location_id).is_none() {
            return Err(Refusal::new(&["newLocationId"], "Location not found."));
        }
        let is_meant = |it: &&FulfillmentOrder| it.is_fulfillable() && it.location_id != location_id;
        let order = self.shop.order(order_id).ok_or_else(|| Refusal::new(&["id"], "Order does not exist"))?;
        let meant: Vec<u64> = order.fulfillment_orders.iter().filter(is_meant).map(|it| it.id).collect();
        if meant.is_empty() {
            return Err(Refusal::new(&["id"], "Cannot change location."));
        }
        for original in meant {
            let Some(moved) = self.order(order_id, |order, ids| relocate_one(order, ids, original, location_id)) else {
                continue;
            };
            self.shop.owners.insert(moved, order_id);
            let body = |id: u64| {
                let order = self.shop.order(order_id)?;
                let found = order.fulfillment_orders.iter().find(|it| it.id == id)?;
                Some(fulfillment_order_body(found)["fulfillment_order"].clone())
            };
            let body = json!({
                "original_fulfillment_order": body(original),
                "moved_fulfillment_order": body(moved),
                "destination_location_id": gid("Location", location_id),
            });
            self.happened(Topic::FulfillmentOrdersMoved, body);
        }
        self.order_happened(order_id, &[Topic::OrdersUpdated]);
        Ok(())
    }
}

/// Which fulfillment order has the work now.
fn relocate_one(order: &mut Order, ids: &mut Ids, id: u64, location_id: u64) -> u64 {
    let now = now();
    let Some(from) = order.fulfillment_orders.iter().position(|it| it.id == id) else { return id };
    let method = order.fulfillment_orders[from].method;
    let there = order
        .fulfillment_orders
        .iter()
        .position(|it| it.location_id == location_id && it.method == method && it.is_fulfillable());
    let original = &mut order.fulfillment_orders[from];
    let is_untouched = original.status == FulfillmentOrderStatus::Open;
    if there.is_none() && is_untouched {
        original.location_id = location_id;
        original.updated_at = now;
        return id;
    }
    let mut lines = original.hand_over(now);
    if let Some(there) = there {
        lines.extend(order.fulfillment_orders[there].hand_over(now));
    }
    let lines = lines.into_iter().map(|(line_item_id, quantity)| FulfillmentOrderLine {
        id: ids.take(),
        line_item_id,
        total: quantity,
        remaining: quantity,
    });
    let lines = lines.collect();
    let moved = FulfillmentOrder {
        id: ids.take(),
        location_id,
        status: FulfillmentOrderStatus::Open,
        method,
        lines,
        holds: Vec::new(),
        is_shut: false,
        created_at: now,
        updated_at: now,
    };
    let moved_id = moved.id;
    order.fulfillment_orders.push(moved);
    moved_id
}
