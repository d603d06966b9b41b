//! An order is called off.

use super::{Change, Refusal, mail, now};
use crate::state::MailKind;
use crate::webhooks::Topic;
use crate::words::{FulfillmentStatus, OrderCancelReason, OrderDisplayFinancialStatus};

impl Change<'_> {
    /// Cancels an order that nothing of was sent.
    ///
    /// Source of the messages: live answers of `orderCancel`, 2026-04.
    pub(crate) fn cancel_order(
        &mut self,
        id: u64,
        reason: OrderCancelReason,
        refund: bool,
        notify_customer: bool,
    ) -> Result<(), Refusal> {
        let order =
            self.shop.order(id).ok_or_else(|| Refusal::coded(&["orderId"], "Order does not exist", "NOT_FOUND"))?;
        if order.cancelled_at.is_some() {
            return Err(Refusal::new(&["orderId"], "Cannot cancel an order that has already been canceled"));
        }
        if order.fulfillments.iter().any(|it| it.status == FulfillmentStatus::Success) {
            return Err(Refusal::new(&["orderId"], "Cannot cancel an order that has outstanding fulfillments"));
        }
        let now = now();
        self.order(id, |order, _| {
            order.cancelled_at = Some(now);
            order.cancel_reason = Some(reason);
            order.financial_status = match order.financial_status {
                OrderDisplayFinancialStatus::Paid if refund => OrderDisplayFinancialStatus::Refunded,
                OrderDisplayFinancialStatus::Pending | OrderDisplayFinancialStatus::Authorized => {
                    OrderDisplayFinancialStatus::Voided
                }
                kept => kept,
            };
            order.fulfillment_orders.iter_mut().for_each(|it| it.shut(now));
            if notify_customer {
                mail(order, MailKind::OrderCancelled, None, Vec::new());
            }
        });
        self.order_happened(id, &[Topic::OrdersCancelled, Topic::OrdersUpdated]);
        Ok(())
    }
}
