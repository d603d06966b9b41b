//! An order is called off.

use super::{Change, Refusal, mail, now};
use crate::state::{CancelRequest, MailKind, Order};
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
        self.cancellable(id)?;
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

    /// An app asks for it: it is looked at now and done later.
    pub(crate) fn take_cancellation(&mut self, id: u64, request: CancelRequest) -> Result<(), Refusal> {
        if self.cancellable(id)?.cancel_request.is_some() {
            return Err(Refusal::new(&["orderId"], "Cancellation is already in progress"));
        }
        self.order(id, |order, _| order.cancel_request = Some(request));
        Ok(())
    }

    /// Does what was asked for, unless something was sent or cancelled meanwhile. Unverified: nobody recorded a job
    /// that failed.
    pub(crate) fn carry_out_cancellation(&mut self, id: u64) {
        let Some(CancelRequest { reason, refund, notify_customer, .. }) =
            self.shop.order(id).and_then(|order| order.cancel_request.clone())
        else {
            return;
        };
        if self.cancel_order(id, reason, refund, notify_customer).is_err() {
            self.order(id, |order, _| order.cancel_request = None);
        }
    }

    fn cancellable(&self, id: u64) -> Result<&Order, Refusal> {
        let order =
            self.shop.order(id).ok_or_else(|| Refusal::coded(&["orderId"], "Order does not exist", "NOT_FOUND"))?;
        if order.cancelled_at.is_some() {
            return Err(Refusal::new(&["orderId"], "Cannot cancel an order that has already been canceled"));
        }
        if order.fulfillments.iter().any(|it| it.status == FulfillmentStatus::Success) {
            return Err(Refusal::new(&["orderId"], "Cannot cancel an order that has outstanding fulfillments"));
        }
        Ok(order)
    }
}
