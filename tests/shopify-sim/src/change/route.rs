//! An order is routed to its locations, and is paid.

use super::{Change, now};
use crate::state::{FulfillmentOrder, FulfillmentOrderLine};
use crate::webhooks::{Topic, fulfillment_order_body};
use crate::words::{DeliveryMethodType, FulfillmentOrderStatus, OrderDisplayFinancialStatus};

impl Change<'_> {
    /// Gives the order's lines to locations: one fulfillment order for each location and delivery method.
    pub(crate) fn route(&mut self, id: u64) {
        let Some(order) = self.shop.order(id).cloned() else {
            return;
        };
        if !order.fulfillment_orders.is_empty() || order.cancelled_at.is_some() {
            return;
        }
        let Some(first) = self.shop.locations.iter().find(|location| location.active).map(|location| location.id)
        else {
            return;
        };
        let now = now();
        let mut routed: Vec<FulfillmentOrder> = Vec::new();
        for line in order.lines.iter().filter(|line| line.current_quantity > 0) {
            let location_id =
                line.variant_id.and_then(|id| self.shop.variant(id)).map_or(first, |variant| variant.location_id);
            let method = if line.requires_shipping { DeliveryMethodType::Shipping } else { DeliveryMethodType::None };
            let found = routed.iter().position(|it| it.location_id == location_id && it.method == method);
            let at = found.unwrap_or_else(|| {
                let status = FulfillmentOrderStatus::Open;
                let id = self.ids.take();
                routed.push(FulfillmentOrder {
                    id,
                    location_id,
                    status,
                    method,
                    lines: Vec::new(),
                    holds: Vec::new(),
                    is_shut: false,
                    created_at: now,
                    updated_at: now,
                });
                routed.len() - 1
            });
            let quantity = line.current_quantity;
            routed[at].lines.push(FulfillmentOrderLine {
                id: self.ids.take(),
                line_item_id: line.id,
                total: quantity,
                remaining: quantity,
            });
        }
        let bodies: Vec<_> = routed.iter().map(fulfillment_order_body).collect();
        for it in &routed {
            self.shop.owners.insert(it.id, id);
        }
        self.order(id, |order, _| order.fulfillment_orders = routed);
        for body in bodies {
            self.happened(Topic::FulfillmentOrdersOrderRoutingComplete, body);
        }
        self.order_happened(id, &[Topic::OrdersUpdated]);
    }

    /// The money came in.
    pub(crate) fn mark_paid(&mut self, id: u64) -> Option<()> {
        self.order(id, |order, _| order.financial_status = OrderDisplayFinancialStatus::Paid)?;
        self.order_happened(id, &[Topic::OrdersPaid, Topic::OrdersUpdated]);
        Some(())
    }
}
