//! Which step: its name, as rows, messages, logs and people write it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{FulfillmentOrderId, OrderId, OrderRef, ProductId, ShipmentId, ShopDomain};
use crate::task::{Queue, Subject};

/// Which step of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StepId {
    /// Read the order and see what is to be done.
    Look(Look),
    /// Push the lines that `source` holds. The group tells one push from a deliberate second one: so far it is always 1.
    Push { source: ShopDomain, group: u32 },
    /// Cancel the order that was made of a push, because the destination order was cancelled.
    Cancel { source: ShopDomain, group: u32 },
    /// Show a shipment on the destination order.
    Writeback(ShipmentId),
    /// Set or take away the tags that say that something failed.
    Tags,
    /// Connect a shop: token, facts, metafield definition, webhook subscriptions.
    Connect,
    /// Compare a shop's recent orders with the ledger.
    Resync,
    /// Handle a task that the workers of `queue` never finished: about the order, or the shop, or something of the shop.
    Crash { queue: Queue, about: Option<Aside> },
}

/// What of a shop a task can be about, beside its orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aside {
    FulfillmentOrder(FulfillmentOrderId),
    Product(ProductId),
}

/// What of an order is read. An order of a shop in both roles is looked at twice, by two workers that know
/// nothing of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// What was bought.
    Order,
    /// What was shipped.
    Shipments,
}

impl Look {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Order, Self::Shipments];
}

impl StepId {
    /// Whose workers go on with it.
    #[must_use]
    pub fn queue(&self) -> Queue {
        match self {
            Self::Look(Look::Order) | Self::Push { .. } | Self::Cancel { .. } | Self::Tags => Queue::OrderPush,
            Self::Look(Look::Shipments) | Self::Writeback(_) => Queue::TrackingWriteback,
            Self::Connect => Queue::AppLifecycle,
            Self::Resync => Queue::Resync,
            Self::Crash { queue, .. } => *queue,
        }
    }

    /// The step of a task about `subject` that was never finished.
    #[must_use]
    pub fn crash(queue: Queue, subject: &Subject) -> Self {
        let about = match subject {
            Subject::Order(_) | Subject::Shop { .. } => None,
            Subject::FulfillmentOrder { id, .. } => Some(Aside::FulfillmentOrder(*id)),
            Subject::Product { id, .. } => Some(Aside::Product(*id)),
        };
        Self::Crash { queue, about }
    }
}

/// Why a text is not a [`StepId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a step: give look, look/shipments, tags, connect, resync, push/<shop>/<group>, cancel/<shop>/<group>, writeback/<shop>/<order>/<fulfillment>, label/<id> or crash/<queue>"
)]
pub struct InvalidStepId(String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Look(Look::Order) => f.write_str("look"),
            Self::Look(Look::Shipments) => f.write_str("look/shipments"),
            Self::Connect => f.write_str("connect"),
            Self::Resync => f.write_str("resync"),
            Self::Push { source, group } => write!(f, "push/{source}/{group}"),
            Self::Cancel { source, group } => write!(f, "cancel/{source}/{group}"),
            Self::Writeback(ShipmentId::Fulfillment { source, id }) => write!(f, "writeback/{source}/{id}"),
            Self::Writeback(ShipmentId::Label(label)) => write!(f, "label/{label}"),
            Self::Crash { queue, about: None } => write!(f, "crash/{queue}"),
            Self::Crash { queue, about: Some(Aside::FulfillmentOrder(id)) } => {
                write!(f, "crash/{queue}/fulfillment-order/{id}")
            }
            Self::Crash { queue, about: Some(Aside::Product(id)) } => write!(f, "crash/{queue}/product/{id}"),
            Self::Tags => f.write_str("tags"),
        }
    }
}

impl FromStr for StepId {
    type Err = InvalidStepId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let step = match parts.as_slice() {
            ["look"] => Some(Self::Look(Look::Order)),
            ["look", "shipments"] => Some(Self::Look(Look::Shipments)),
            ["connect"] => Some(Self::Connect),
            ["resync"] => Some(Self::Resync),
            ["tags"] => Some(Self::Tags),
            ["label", label] => label.parse().ok().map(|label| Self::Writeback(ShipmentId::Label(label))),
            ["push", shop, group] => {
                shop.parse().ok().zip(group.parse().ok()).map(|(source, group)| Self::Push { source, group })
            }
            ["cancel", shop, group] => {
                shop.parse().ok().zip(group.parse().ok()).map(|(source, group)| Self::Cancel { source, group })
            }
            ["writeback", shop, order, fulfillment] => {
                shop.parse().ok().zip(order.parse::<OrderId>().ok()).zip(fulfillment.parse().ok()).map(
                    |((shop, order), id)| {
                        Self::Writeback(ShipmentId::Fulfillment { source: OrderRef { shop, id: order }, id })
                    },
                )
            }
            ["crash", queue] => queue.parse().ok().map(|queue| Self::Crash { queue, about: None }),
            ["crash", queue, "fulfillment-order", id] => queue
                .parse()
                .ok()
                .zip(id.parse().ok())
                .map(|(queue, id)| Self::Crash { queue, about: Some(Aside::FulfillmentOrder(id)) }),
            ["crash", queue, "product", id] => queue
                .parse()
                .ok()
                .zip(id.parse().ok())
                .map(|(queue, id)| Self::Crash { queue, about: Some(Aside::Product(id)) }),
            _ => None,
        };
        step.ok_or_else(|| InvalidStepId(text.chars().take(160).collect()))
    }
}

impl TryFrom<String> for StepId {
    type Error = InvalidStepId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<StepId> for String {
    fn from(id: StepId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_id_is_read_back_from_what_it_shows() {
        for text in [
            "look",
            "look/shipments",
            "connect",
            "tags",
            "push/sun.myshopify.com/1",
            "cancel/sun.myshopify.com/1",
            "writeback/sun.myshopify.com/7/9",
            "label/se-1",
            "crash/order-push",
            "crash/tracking-writeback/fulfillment-order/7",
            "crash/order-push/product/9",
        ] {
            assert_eq!(text.parse::<StepId>().unwrap().to_string(), text);
        }
        assert!("push/evil.com/1".parse::<StepId>().is_err());
    }
}
