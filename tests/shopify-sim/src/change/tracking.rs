//! What was sent is followed by other numbers, or called back.

use super::{Change, NewTracking, Refusal, mail, now};
use crate::state::MailKind;
use crate::webhooks::Topic;
use crate::words::FulfillmentStatus;

impl Change<'_> {
    /// Other parcels, or other numbers for the same. Succeeds on a cancelled fulfillment too, as Shopify's
    /// does. That nobody is written to about goods that were called back is unverified.
    pub(crate) fn update_tracking(
        &mut self,
        id: u64,
        tracking: &NewTracking,
        notify_customer: bool,
    ) -> Result<(), Refusal> {
        let not_found = || Refusal::new(&["fulfillmentId"], "Fulfillment does not exist.");
        let order_id = self.fulfillment_order_of(id).ok_or_else(not_found)?;
        self.order(order_id, |order, _| {
            let mut is_live = false;
            for fulfillment in order.fulfillments.iter_mut().filter(|it| it.id == id) {
                fulfillment.tracking_info = tracking.list();
                fulfillment.updated_at = now();
                is_live = fulfillment.status == FulfillmentStatus::Success;
            }
            if notify_customer && is_live {
                mail(order, MailKind::ShippingUpdate, Some(id), tracking.numbers.clone());
            }
        });
        self.fulfillment_happened(id, Topic::FulfillmentsUpdate);
        self.order_happened(order_id, &[Topic::OrdersUpdated]);
        Ok(())
    }

    /// Calls goods back: what was sent is to be sent again. Succeeds on a cancelled fulfillment too.
    ///
    /// The same fulfillment order takes the work back; that Shopify does not make a new one is unverified.
    pub(crate) fn cancel_fulfillment(&mut self, id: u64) -> Result<(), Refusal> {
        let order_id = self.fulfillment_order_of(id).ok_or_else(|| Refusal::new(&["id"], "Fulfillment not found."))?;
        let now = now();
        self.order(order_id, |order, _| {
            let Some(fulfillment) =
                order.fulfillments.iter_mut().find(|it| it.id == id && it.status != FulfillmentStatus::Cancelled)
            else {
                return;
            };
            fulfillment.status = FulfillmentStatus::Cancelled;
            fulfillment.updated_at = now;
            let lines = fulfillment.lines.clone();
            for it in &mut order.fulfillment_orders {
                let mut touched = false;
                for sent in &lines {
                    for line in it.lines.iter_mut().filter(|line| line.id == sent.fulfillment_order_line_id) {
                        line.remaining += sent.quantity;
                        touched = true;
                    }
                }
                if touched {
                    it.settle(now);
                }
            }
        });
        self.fulfillment_happened(id, Topic::FulfillmentsUpdate);
        self.order_happened(order_id, &[Topic::OrdersUpdated]);
        Ok(())
    }

    fn fulfillment_order_of(&self, id: u64) -> Option<u64> {
        let order = self.shop.owner_of(id)?;
        order.fulfillments.iter().any(|it| it.id == id).then_some(order.id)
    }
}
