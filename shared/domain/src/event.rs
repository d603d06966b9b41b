//! Domain events: what happened, for whoever listens on the event bus. docs/EVENTS.md shows each one.
//!
//! At least once: an event is published before the state that it tells of is final, and again, under the
//! same id, if that state could not be written. Events name orders and shops, never persons.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::id::{FulfillmentId, OrderId, OrderRef, ShopDomain};
use crate::step::{Failure, Step, StepId};

/// One event, as it stands in the bus's `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainEvent {
    /// Of this shape. Fields may be added without raising it.
    pub version: u32,
    /// The same however often the event is published: drop what you have seen.
    pub id: String,
    pub at: Timestamp,
    /// The destination shop of the order, or the shop that it is about.
    pub shop: ShopDomain,
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened. Its name is the bus's `detail-type`, and stands in the detail as `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum EventKind {
    /// A source store has its part of the order.
    OrderPushed {
        #[serde(flatten)]
        order: EventOrder,
        source_order: EventSourceOrder,
    },
    /// A part of the order could not be pushed, the order not be read, or its source order not be cancelled with it: `step`
    /// says which. It waits for a person.
    PushFailed {
        #[serde(flatten)]
        order: EventOrder,
        #[serde(flatten)]
        failure: EventFailure,
    },
    /// The destination order shows a shipment with its tracking.
    TrackingWrittenBack {
        #[serde(flatten)]
        order: EventOrder,
        step: StepId,
        tracking: Vec<EventTracking>,
        /// The destination's fulfillments that show it.
        fulfillments: Vec<FulfillmentId>,
    },
    /// A shipment could not be shown on the destination order, and waits for a person.
    WritebackFailed {
        #[serde(flatten)]
        order: EventOrder,
        #[serde(flatten)]
        failure: EventFailure,
    },
    /// A resync found orders of which no webhook had told, and had them looked at.
    WebhooksMissed { run: String, found: u32, fixed: u32 },
    /// A shop did not tell us of these topics, and does again. What happened meanwhile is looked for.
    SubscriptionsHealed { topics: BTreeSet<String> },
    /// A shop was asked for its orders, and has not answered for a quarter of an hour.
    BackfillStalled { run: String, requested_at: Timestamp },
    /// A shop does not let us in. Its work waits; nothing of it is lost.
    ShopPaused {
        #[serde(flatten)]
        failure: EventFailure,
    },
}

/// Which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventOrder {
    pub order: OrderId,
    /// As the merchant sees it, e.g. `#1042`; left out while the ledger does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_name: Option<String>,
}

/// The order that was made at a source store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSourceOrder {
    pub shop: ShopDomain,
    pub id: OrderId,
    pub name: String,
}

/// A tracking number that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTracking {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    pub number: String,
}

/// Why a step stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFailure {
    pub step: StepId,
    pub code: Code,
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Shopify's, for their support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl DomainEvent {
    /// The version that this release writes.
    pub const VERSION: u32 = 1;

    /// `what` tells this event from all others of the same kind in the same shop.
    #[must_use]
    pub fn new(at: Timestamp, shop: ShopDomain, what: impl std::fmt::Display, kind: EventKind) -> Self {
        let id = format!("{}/{shop}/{what}", kind.name());
        Self { version: Self::VERSION, id, at, shop, kind }
    }

    /// What [`DomainEvent::new`] makes of something that happened to a step of `order`.
    #[must_use]
    pub fn of_order(at: Timestamp, order: &OrderRef, what: impl std::fmt::Display, kind: EventKind) -> Self {
        Self::new(at, order.shop.clone(), format_args!("{}/{what}", order.id), kind)
    }
}

impl EventKind {
    /// The bus's `detail-type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OrderPushed { .. } => "OrderPushed",
            Self::PushFailed { .. } => "PushFailed",
            Self::TrackingWrittenBack { .. } => "TrackingWrittenBack",
            Self::WritebackFailed { .. } => "WritebackFailed",
            Self::WebhooksMissed { .. } => "WebhooksMissed",
            Self::SubscriptionsHealed { .. } => "SubscriptionsHealed",
            Self::BackfillStalled { .. } => "BackfillStalled",
            Self::ShopPaused { .. } => "ShopPaused",
        }
    }
}

impl EventFailure {
    /// Why `step` was parked; `None` if it is not.
    #[must_use]
    pub fn of<S>(id: StepId, step: &Step<S>) -> Option<Self> {
        let message = |failure: &Option<Failure>| failure.as_ref().map(|failure| failure.message.clone());
        Some(Self {
            step: id,
            code: step.parked.as_ref()?.code,
            attempts: step.attempts,
            first_error: message(&step.first_failure),
            last_error: message(&step.last_failure),
            request_id: step.last_failure.as_ref().and_then(|failure| failure.request_id.clone()),
        })
    }
}
