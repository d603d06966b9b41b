//! What was sent, whoever says so: a source store's fulfillment, or a label tool's label.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::carriers;
use super::plan::{TrackingInfo, Written};
use crate::channel::{DestinationOrder, ShippedFulfillment};
use crate::id::{FulfillmentId, LabelId, LineItemId, OrderRef, ShipmentId};
use crate::registry::Place;

/// Goods that were sent of a destination order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    pub id: ShipmentId,
    /// Called off after all: the fulfillment was cancelled, the label voided.
    pub voided: bool,
    pub from: Option<Place>,
    /// In the order in which they were given.
    pub tracking: Vec<TrackingInfo>,
    pub lines: Lines,
}

/// Which lines were sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Lines {
    /// These, and how many of each.
    These(Vec<(LineItemId, u32)>),
    /// Whatever the order still waits for.
    Rest,
}

/// What a label tool said: a label was bought for an order. Holds no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub tracking: Vec<TrackingInfo>,
    /// `None`: all that the order still waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<LabelLine>>,
    /// From where, in the tool's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<String>,
    /// Whether the customer may be mailed about it.
    pub notify_customer: bool,
    pub created_at: Timestamp,
    /// Who said so.
    pub created_by: String,
    /// The label was deleted in the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voided_at: Option<Timestamp>,
}

/// A line of a [`Label`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelLine {
    pub line: LineItemId,
    pub quantity: u32,
}

impl Shipment {
    /// A fulfillment of the source order `source`.
    #[must_use]
    pub fn of_fulfillment(source: &OrderRef, shipped: &ShippedFulfillment) -> Self {
        let location = |location| Place::Location { shop: source.shop.clone(), location };
        Self {
            id: ShipmentId::Fulfillment { source: source.clone(), id: shipped.id },
            voided: !shipped.state.is_live(),
            from: shipped.location.map(location),
            tracking: shipped.tracking.clone(),
            lines: Lines::These(shipped.lines.clone()),
        }
    }

    /// A label.
    #[must_use]
    pub fn of_label(id: &LabelId, label: &Label) -> Self {
        let these = |lines: &Vec<LabelLine>| Lines::These(lines.iter().map(|l| (l.line, l.quantity)).collect());
        Self {
            id: ShipmentId::Label(id.clone()),
            voided: label.voided_at.is_some(),
            from: label.warehouse.clone().map(|warehouse| Place::Warehouse { warehouse }),
            tracking: label.tracking.clone(),
            lines: label.lines.as_ref().map_or(Lines::Rest, these),
        }
    }

    /// The same with its lines named: the rest is what a shipment that was called off leaves to it, or else
    /// whatever the order waits for now. Stays [`Lines::Rest`] if nothing is left.
    #[must_use]
    pub fn resolved(&self, destination: &DestinationOrder, written: &Written) -> Self {
        let lines = self.lines_at(destination, written);
        Self { lines: if lines.is_empty() { self.lines.clone() } else { Lines::These(lines) }, ..self.clone() }
    }

    /// The same with its lines named by the fulfillments that show it.
    #[must_use]
    pub(super) fn with_lines_of(&self, destination: &DestinationOrder, there: &[FulfillmentId]) -> Self {
        if let Lines::These(_) = self.lines {
            return self.clone();
        }
        let shown = destination.fulfillments.iter().filter(|shown| there.contains(&shown.id));
        Self { lines: Lines::These(shown.flat_map(|shown| shown.lines.clone()).collect()), ..self.clone() }
    }

    /// Its tracking as Shopify spells the carriers.
    pub(super) fn tracking_for_shopify(&self) -> Vec<TrackingInfo> {
        let spelt = |info: &TrackingInfo| {
            let company = info.company.as_deref().map(|name| carriers::known(name).unwrap_or(name).to_owned());
            TrackingInfo { company, ..info.clone() }
        };
        self.tracking.iter().map(spelt).collect()
    }

    /// The lines that it is about.
    pub(super) fn lines_at(&self, destination: &DestinationOrder, written: &Written) -> Vec<(LineItemId, u32)> {
        if let Lines::These(lines) = &self.lines {
            return lines.clone();
        }
        let live = destination.fulfillments.iter().filter(|shown| shown.state.is_live());
        let left: Vec<(LineItemId, u32)> =
            live.filter(|shown| written.orphaned.contains(&shown.id)).flat_map(|shown| shown.lines.clone()).collect();
        if !left.is_empty() {
            return left;
        }
        let waiting = destination.fulfillment_orders.iter().flat_map(|order| &order.lines);
        waiting.filter(|line| line.remaining > 0).map(|line| (line.line, line.remaining)).collect()
    }
}
