//! Work is put on hold and released.

use super::{Change, Refusal, now};
use crate::state::FulfillmentHold;
use crate::webhooks::{Topic, fulfillment_order_body};
use crate::words::FulfillmentHoldReason;

/// Source: live answer of `fulfillmentOrderHold`, 2026-04.
const DUPLICATE_HANDLE: &str = "The handle provided for the fulfillment hold is already in use by this app for another hold on this fulfillment order.";

impl Change<'_> {
    /// Puts a fulfillment order on hold.
    pub(crate) fn hold(
        &mut self,
        id: u64,
        reason: FulfillmentHoldReason,
        notes: Option<String>,
        handle: Option<String>,
        by_app: bool,
    ) -> Result<u64, Refusal> {
        let order = self.shop.owner_of(id).cloned();
        let found = order.as_ref().and_then(|order| order.fulfillment_orders.iter().find(|it| it.id == id));
        let not_found = || Refusal::coded(&["id"], "Fulfillment order does not exist.", "FULFILLMENT_ORDER_NOT_FOUND");
        let (Some(order), Some(found)) = (&order, found) else {
            return Err(not_found());
        };
        if handle.is_some() && found.holds.iter().any(|hold| hold.handle == handle) {
            return Err(Refusal::coded(
                &["fulfillmentHold", "handle"],
                DUPLICATE_HANDLE,
                "DUPLICATE_FULFILLMENT_HOLD_HANDLE",
            ));
        }
        let hold_id = self.ids.take();
        self.order(order.id, |order, _| {
            for it in order.fulfillment_orders.iter_mut().filter(|it| it.id == id) {
                it.holds.push(FulfillmentHold {
                    id: hold_id,
                    reason,
                    notes: notes.clone(),
                    handle: handle.clone(),
                    by_app,
                });
                it.settle(now());
            }
        });
        self.fulfillment_order_happened(id, Topic::FulfillmentOrdersPlacedOnHold);
        Ok(hold_id)
    }

    /// Releases holds. Without ids all of them, the merchant's and other apps' too, as Shopify does.
    pub(crate) fn release_holds(&mut self, id: u64, hold_ids: Option<&[u64]>) -> Result<(), Refusal> {
        let order_id = self.shop.owner_of(id).map(|order| order.id);
        let order_id = order_id.ok_or_else(|| {
            Refusal::coded(&["id"], "Fulfillment order does not exist.", "FULFILLMENT_ORDER_NOT_FOUND")
        })?;
        self.order(order_id, |order, _| {
            for it in order.fulfillment_orders.iter_mut().filter(|it| it.id == id) {
                it.holds.retain(|hold| hold_ids.is_some_and(|ids| !ids.contains(&hold.id)));
                it.settle(now());
            }
        });
        self.fulfillment_order_happened(id, Topic::FulfillmentOrdersHoldReleased);
        Ok(())
    }

    fn fulfillment_order_happened(&mut self, id: u64, topic: Topic) {
        let Some(order) = self.shop.owner_of(id).cloned() else {
            return;
        };
        if let Some(it) = order.fulfillment_orders.iter().find(|it| it.id == id) {
            self.happened(topic, fulfillment_order_body(it));
        }
        self.order_happened(order.id, &[Topic::OrdersUpdated]);
    }
}
