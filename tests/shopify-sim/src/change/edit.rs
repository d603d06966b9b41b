//! A merchant edits an order or gives units back.

use serde_json::json;

use super::{Change, Refusal, now};
use crate::state::{Order, Refund};
use crate::webhooks::{Topic, refund_body};
use crate::words::OrderDisplayFinancialStatus;

impl Change<'_> {
    /// Sets how many of a line the order is about; 0 removes it. Work that is not yet done follows.
    pub(crate) fn edit_line(&mut self, id: u64, line_item_id: u64, quantity: u32) -> Result<(), Refusal> {
        let order = self.shop.order(id).ok_or_else(|| Refusal::new(&["id"], "Order does not exist"))?;
        let line = order.line(line_item_id).ok_or_else(|| Refusal::new(&["lineItemId"], "Line item does not exist"))?;
        if quantity < order.fulfilled_quantity(line_item_id) {
            return Err(Refusal::new(&["quantity"], "Cannot set the quantity below what was fulfilled"));
        }
        let (before, edit_id) = (line.current_quantity, self.ids.take());
        self.order(id, |order, _| {
            order.edited = true;
            set_current(order, line_item_id, before, quantity);
        });
        let change = |by: i64| json!([{"id": line_item_id, "delta": by}]);
        let delta = i64::from(quantity) - i64::from(before);
        let empty = json!([]);
        let (additions, removals) = if delta < 0 { (empty, change(-delta)) } else { (change(delta), empty) };
        let body = json!({"order_edit": {
            "id": edit_id, "order_id": id, "created_at": now(), "notify_customer": false,
            "line_items": {"additions": additions, "removals": removals},
        }});
        self.happened(Topic::OrdersEdited, body);
        self.order_happened(id, &[Topic::OrdersUpdated]);
        Ok(())
    }

    /// Gives the money for some units back; units that were not sent are no longer to be sent.
    pub(crate) fn refund(&mut self, id: u64, lines: &[(u64, u32)]) -> Result<u64, Refusal> {
        let order = self.shop.order(id).ok_or_else(|| Refusal::new(&["id"], "Order does not exist"))?;
        for (line_item_id, quantity) in lines {
            let line =
                order.line(*line_item_id).ok_or_else(|| Refusal::new(&["lineItemId"], "Line item does not exist"))?;
            if *quantity > line.current_quantity {
                return Err(Refusal::new(&["quantity"], "Quantity cannot refund more items than were purchased"));
            }
        }
        let refund = Refund { id: self.ids.take(), created_at: now(), lines: lines.to_vec() };
        let refund_id = refund.id;
        let body = self.order(id, |order, _| {
            for (line_item_id, quantity) in lines {
                let Some(before) = order.line(*line_item_id).map(|line| line.current_quantity) else {
                    continue;
                };
                set_current(order, *line_item_id, before, before - quantity);
            }
            let nothing_left = order.lines.iter().all(|line| line.current_quantity == 0);
            order.financial_status = if nothing_left {
                OrderDisplayFinancialStatus::Refunded
            } else {
                OrderDisplayFinancialStatus::PartiallyRefunded
            };
            let body = refund_body(order, &refund);
            order.refunds.push(refund);
            body
        });
        if let Some(body) = body {
            self.happened(Topic::RefundsCreate, body);
        }
        self.order_happened(id, &[Topic::OrdersUpdated]);
        Ok(refund_id)
    }
}

/// Sets a line's current quantity and takes the difference from, or gives it to, the work that is left.
fn set_current(order: &mut Order, line_item_id: u64, before: u32, after: u32) {
    for line in order.lines.iter_mut().filter(|line| line.id == line_item_id) {
        line.current_quantity = after;
    }
    let mut fewer = before.saturating_sub(after);
    let mut more = after.saturating_sub(before);
    let now = now();
    for it in order.fulfillment_orders.iter_mut().filter(|it| !it.is_shut) {
        let Some(line) = it.lines.iter_mut().find(|line| line.line_item_id == line_item_id) else {
            continue;
        };
        let less = fewer.min(line.remaining);
        fewer -= less;
        line.remaining = line.remaining - less + more;
        line.total = line.total - less + more;
        more = 0;
        it.settle(now);
    }
}
