//! Goods leave a location.

use super::{Change, Refusal, mail, now};
use crate::state::{Fulfillment, FulfillmentLine, FulfillmentOrder, MailKind, Order, TrackingInfo, gid};
use crate::webhooks::{Topic, fulfillment_body};
use crate::words::{FulfillmentStatus, OrderDisplayFulfillmentStatus, word};

/// The handle under which what a person or an app fulfills for the shop itself is shown. Source: payloads of
/// `fulfillments/create` webhooks.
pub(crate) const MANUAL: &str = "manual";

/// A fulfillment as it is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewFulfillment {
    pub(crate) selections: Vec<Selection>,
    pub(crate) tracking: NewTracking,
    pub(crate) notify_customer: bool,
    /// The handle of the fulfillment service, if goods are not sent by the shop itself.
    pub(crate) service: Option<String>,
}

/// What of one fulfillment order is sent; no lines means all that is left.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) fulfillment_order_id: u64,
    /// Fulfillment order line item and quantity.
    pub(crate) lines: Option<Vec<(u64, i64)>>,
}

/// Tracking as it is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewTracking {
    pub(crate) company: Option<String>,
    pub(crate) numbers: Vec<String>,
    pub(crate) urls: Vec<String>,
}

impl NewTracking {
    pub(super) fn list(&self) -> Vec<TrackingInfo> {
        TrackingInfo::list(self.company.as_deref(), &self.numbers, &self.urls)
    }
}

/// Work that a selection takes.
struct Taken {
    fulfillment_order_id: u64,
    line_id: u64,
    line_item_id: u64,
    quantity: u32,
}

impl Change<'_> {
    /// Sends goods.
    ///
    /// Source of the messages: live answers of `fulfillmentCreate`, 2026-04; those on orders, locations and delivery
    /// methods from reports in public issue trackers. Unverified: the order of checks beyond the first, and that
    /// statuses other than `closed` are put into the same sentence.
    pub(crate) fn fulfill(&mut self, new: &NewFulfillment) -> Result<u64, Refusal> {
        refuse_quantities_below_one(new)?;
        let order = self.owner_of_all(new)?;
        let taken = take(&order, new)?;
        let order_id = order.id;
        let location_id = first_selected(&order, new).map(|it| it.location_id).unwrap_or_default();
        let now = now();
        let fulfillment_id = self.ids.take();
        self.shop.owners.insert(fulfillment_id, order_id);
        self.order(order_id, |order, ids| {
            for it in &mut order.fulfillment_orders {
                let mut touched = false;
                for taken in taken.iter().filter(|taken| taken.fulfillment_order_id == it.id) {
                    for line in it.lines.iter_mut().filter(|line| line.id == taken.line_id) {
                        line.remaining -= taken.quantity;
                        touched = true;
                    }
                }
                if touched {
                    it.settle(now);
                }
            }
            let lines = taken.iter().map(|taken| FulfillmentLine {
                id: ids.take(),
                line_item_id: taken.line_item_id,
                fulfillment_order_line_id: taken.line_id,
                quantity: taken.quantity,
            });
            order.fulfillments.push(Fulfillment {
                id: fulfillment_id,
                name: format!("{}-F{}", order.name, order.fulfillments.len() + 1),
                status: FulfillmentStatus::Success,
                location_id,
                service: new.service.clone().unwrap_or_else(|| MANUAL.to_owned()),
                tracking_info: new.tracking.list(),
                lines: lines.collect(),
                created_at: now,
                updated_at: now,
            });
            if new.notify_customer {
                mail(order, MailKind::ShippingConfirmation, Some(fulfillment_id), new.tracking.numbers.clone());
            }
        });
        let complete = self.shop.order(order_id).map(|order| order.display_fulfillment_status())
            == Some(OrderDisplayFulfillmentStatus::Fulfilled);
        self.fulfillment_happened(fulfillment_id, Topic::FulfillmentsCreate);
        self.order_happened(
            order_id,
            &[if complete { Topic::OrdersFulfilled } else { Topic::OrdersPartiallyFulfilled }, Topic::OrdersUpdated],
        );
        Ok(fulfillment_id)
    }

    /// The one order that all selected fulfillment orders belong to.
    fn owner_of_all(&self, new: &NewFulfillment) -> Result<std::sync::Arc<Order>, Refusal> {
        let mut orders: Vec<&std::sync::Arc<Order>> = Vec::new();
        for selection in &new.selections {
            let order = self.shop.owner_of(selection.fulfillment_order_id);
            let order =
                order.filter(|order| order.fulfillment_orders.iter().any(|it| it.id == selection.fulfillment_order_id));
            let order = order.ok_or_else(|| Refusal::new(&["fulfillment"], "Fulfillment order does not exist."))?;
            if !orders.iter().any(|it| it.id == order.id) {
                orders.push(order);
            }
        }
        match orders[..] {
            [] => Err(Refusal::new(&["fulfillment"], "Fulfillment order does not exist.")),
            [order] => Ok(order.clone()),
            _ => {
                let ids: Vec<u64> = orders.iter().map(|order| order.id).collect();
                let message = format!(
                    "All fulfillment orders must belong to the same order. Multiple orders with ids {ids:?} were found."
                );
                Err(Refusal::new(&["fulfillment"], message))
            }
        }
    }

    pub(super) fn fulfillment_happened(&mut self, id: u64, topic: Topic) {
        let Some(order) = self.shop.owner_of(id).cloned() else {
            return;
        };
        if let Some(fulfillment) = order.fulfillments.iter().find(|it| it.id == id) {
            self.happened(topic, fulfillment_body(&order, fulfillment));
        }
    }
}

/// Checked before anything else.
fn refuse_quantities_below_one(new: &NewFulfillment) -> Result<(), Refusal> {
    for (at, selection) in new.selections.iter().enumerate() {
        if let Some(line_at) = selection.lines.iter().flatten().position(|(_, quantity)| *quantity < 1) {
            let (at, line_at) = (at.to_string(), line_at.to_string());
            let field =
                ["fulfillment", "lineItemsByFulfillmentOrder", &at, "fulfillmentOrderLineItems", &line_at, "quantity"];
            return Err(Refusal::new(&field, "Quantity must be greater than 0"));
        }
    }
    Ok(())
}

fn first_selected<'o>(order: &'o Order, new: &NewFulfillment) -> Option<&'o FulfillmentOrder> {
    let id = new.selections.first()?.fulfillment_order_id;
    order.fulfillment_orders.iter().find(|it| it.id == id)
}

/// Which units the selections take, if they may.
fn take(order: &Order, new: &NewFulfillment) -> Result<Vec<Taken>, Refusal> {
    let refuse = |message: String| Err(Refusal::new(&["fulfillment"], message));
    let find = |id: u64| order.fulfillment_orders.iter().find(|it| it.id == id);
    let selected: Vec<&FulfillmentOrder> =
        new.selections.iter().filter_map(|it| find(it.fulfillment_order_id)).collect();
    let mut locations: Vec<u64> = selected.iter().map(|it| it.location_id).collect();
    locations.sort_unstable();
    locations.dedup();
    if locations.len() > 1 {
        return refuse(format!(
            "All fulfillment orders must be assigned to a single location. Multiple locations with ids {locations:?} were found."
        ));
    }
    let mut methods: Vec<String> = selected.iter().map(|it| word(it.method).to_lowercase()).collect();
    methods.dedup();
    if methods.len() > 1 {
        return refuse(format!(
            "All fulfillment orders must have the same delivery method type. Multiple delivery method types {methods:?} were found."
        ));
    }
    for (at, it) in selected.iter().enumerate() {
        if selected[..at].iter().any(|earlier| earlier.id == it.id) {
            // Refused since 2024-04; the text is not recorded anywhere.
            return refuse(format!("Fulfillment order {} was given more than once.", gid("FulfillmentOrder", it.id)));
        }
        if !it.is_fulfillable() {
            // The space before the status is Shopify's.
            return refuse(format!(
                "Fulfillment order {} has an unfulfillable status= {}.",
                it.id,
                word(it.status).to_lowercase()
            ));
        }
    }
    let mut taken = Vec::new();
    for (selection, it) in new.selections.iter().zip(&selected) {
        let all = || {
            it.lines.iter().filter(|line| line.remaining > 0).map(|line| (line.id, i64::from(line.remaining))).collect()
        };
        for (line_id, quantity) in selection.lines.clone().filter(|lines| !lines.is_empty()).unwrap_or_else(all) {
            let Some(line) = it.lines.iter().find(|line| line.id == line_id) else {
                return refuse("Fulfillment order line item does not exist.".to_owned());
            };
            let quantity = u32::try_from(quantity).ok().filter(|quantity| *quantity <= line.remaining);
            let Some(quantity) = quantity else {
                return refuse("Invalid fulfillment order line item quantity requested.".to_owned());
            };
            taken.push(Taken { fulfillment_order_id: it.id, line_id, line_item_id: line.line_item_id, quantity });
        }
    }
    Ok(taken)
}
