//! Everything that can happen to a shop: each verb changes the state and says which events it caused.
//! The Admin API and the control API both end here, so a merchant's click and an app's mutation do
//! the same.

mod cancel;
mod edit;
mod hold;
mod place;
mod relocate;
mod route;
mod ship;
mod tracking;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

pub(crate) use place::{NewLine, NewOrder};
pub(crate) use ship::{MANUAL, NewFulfillment, NewTracking, Selection};

use crate::state::{Ids, Mail, MailKind, Order, Shop};
use crate::webhooks::{Event, Topic, order_body};

/// One change to one shop, while its lock is held.
pub(crate) struct Change<'a> {
    pub(crate) shop: &'a mut Shop,
    pub(crate) ids: &'a mut Ids,
    /// What the change caused, in order; sent when the lock is released.
    pub(crate) events: Vec<Event>,
}

/// Why a verb did nothing, in Shopify's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) field: Vec<String>,
    pub(crate) message: String,
    pub(crate) code: &'static str,
}

impl Refusal {
    pub(crate) fn new(field: &[&str], message: impl Into<String>) -> Self {
        Self::coded(field, message, "INVALID")
    }

    pub(crate) fn coded(field: &[&str], message: impl Into<String>, code: &'static str) -> Self {
        Self { field: field.iter().map(|part| (*part).to_owned()).collect(), message: message.into(), code }
    }
}

/// Now in whole seconds, as Shopify's timestamps are.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

impl Change<'_> {
    pub(crate) fn happened(&mut self, topic: Topic, body: Value) {
        self.events.push(Event { topic, body, at: Timestamp::now() });
    }

    /// Changes an order; `updatedAt` moves.
    pub(crate) fn order<T>(&mut self, id: u64, change: impl FnOnce(&mut Order, &mut Ids) -> T) -> Option<T> {
        let order = Arc::make_mut(self.shop.orders.get_mut(&id)?);
        order.updated_at = now().max(order.updated_at);
        Some(change(order, self.ids))
    }

    /// Tells about an order as it is now.
    pub(crate) fn order_happened(&mut self, id: u64, topics: &[Topic]) {
        let Some(body) = self.shop.order(id).map(|order| order_body(order)) else {
            return;
        };
        for topic in topics {
            self.happened(*topic, body.clone());
        }
    }

    /// Adds tags that are not there yet, whatever their case; tags are kept sorted.
    pub(crate) fn add_tags(&mut self, id: u64, tags: &[String]) -> bool {
        let changed = self.order(id, |order, _| {
            for tag in tags.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()) {
                if !order.tags.iter().any(|it| it.eq_ignore_ascii_case(tag)) {
                    order.tags.push(tag.to_owned());
                }
            }
            order.tags.sort_by_key(|tag| tag.to_lowercase());
        });
        self.order_happened(id, &[Topic::OrdersUpdated]);
        changed.is_some()
    }

    /// Takes tags away, whatever their case.
    pub(crate) fn remove_tags(&mut self, id: u64, tags: &[String]) -> bool {
        let changed = self
            .order(id, |order, _| order.tags.retain(|it| !tags.iter().any(|tag| tag.trim().eq_ignore_ascii_case(it))));
        self.order_happened(id, &[Topic::OrdersUpdated]);
        changed.is_some()
    }
}

/// Writes to the customer, if the order has an address.
fn mail(order: &mut Order, kind: MailKind, fulfillment_id: Option<u64>, tracking_numbers: Vec<String>) {
    if let Some(to) = order.email.clone() {
        order.mails.push(Mail { kind, to, fulfillment_id, tracking_numbers, at: Timestamp::now() });
    }
}
