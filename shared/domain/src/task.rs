//! What one queue message says: which subject, and why now. Never what to do.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{FulfillmentOrderId, OrderRef, ProductId, ShopDomain};

/// The work queues. Each has a dead-letter queue of its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    OrderPush,
    TrackingWriteback,
    AppLifecycle,
    Resync,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OrderPush, Self::TrackingWriteback, Self::AppLifecycle, Self::Resync];

    /// The name that queue, function and log field share.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderPush => "order-push",
            Self::TrackingWriteback => "tracking-writeback",
            Self::AppLifecycle => "app-lifecycle",
            Self::Resync => "resync",
        }
    }
}

/// Why a text is not a [`Queue`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no queue: give order-push, tracking-writeback, app-lifecycle or resync")]
pub struct InvalidQueue(String);

impl FromStr for Queue {
    type Err = InvalidQueue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let queue = Self::ALL.into_iter().find(|queue| queue.name() == text);
        queue.ok_or_else(|| InvalidQueue(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One task. A queue message is this as JSON; unknown fields are ignored, so that the releases before
/// and after this one can read each other's messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Version of this shape; [`Task::VERSION`].
    #[serde(rename = "v")]
    pub version: u32,
    pub trigger: Trigger,
    /// What set it off: Shopify's event id, a request's id, a schedule's run.
    pub cause_id: String,
    /// How often it was handed to another queue: 0, or 1 at the most.
    #[serde(default)]
    pub hop: u8,
    pub subject: Subject,
    /// `updated_at` of the order in the webhook's body. Saves a read when the ledger is strictly past it;
    /// decides nothing else. Only orders/* webhooks carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_updated_at: Option<Timestamp>,
}

impl Task {
    /// The version that this release writes.
    pub const VERSION: u32 = 1;

    /// A task about `subject`.
    #[must_use]
    pub fn new(trigger: Trigger, cause_id: impl Into<String>, subject: Subject) -> Self {
        Self { version: Self::VERSION, trigger, cause_id: cause_id.into(), hop: 0, subject, seen_updated_at: None }
    }

    /// The same task for another queue, unless it was handed on once already. The hint stays behind: the
    /// next queue's worker looks with its own eyes.
    #[must_use]
    pub fn handed_on(&self) -> Option<Self> {
        (self.hop == 0).then(|| Self { hop: 1, seen_updated_at: None, ..self.clone() })
    }
}

/// Why a task came up now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    Webhook,
    /// A person or the API asked.
    Request,
    /// A wait written in the ledger is over.
    DueWork,
    /// A step settled, and what was left alone meanwhile is looked at.
    Settled,
    Resync,
    /// As a resync, of orders from before anybody told of them: no customer is mailed.
    Backfill,
    /// As a resync, of orders that are older than automatic push and are to go all the same.
    Unpushed,
    Redrive,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook => "webhook",
            Self::Request => "request",
            Self::DueWork => "due-work",
            Self::Settled => "settled",
            Self::Resync => "resync",
            Self::Backfill => "backfill",
            Self::Unpushed => "unpushed",
            Self::Redrive => "redrive",
            Self::Unknown => "unknown",
        })
    }
}

/// What a task is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Subject {
    Order(OrderRef),
    /// All that a fulfillment_orders/* body names; its order has to be asked for.
    FulfillmentOrder {
        shop: ShopDomain,
        id: FulfillmentOrderId,
    },
    /// Changed or deleted: what links have to do with it.
    Product {
        shop: ShopDomain,
        id: ProductId,
    },
    Shop {
        shop: ShopDomain,
    },
}

impl Subject {
    /// The shop whose work this is: the message group, so that one shop's flood does not delay another's.
    #[must_use]
    pub fn shop(&self) -> &ShopDomain {
        match self {
            Self::Order(order) => &order.shop,
            Self::FulfillmentOrder { shop, .. } | Self::Product { shop, .. } | Self::Shop { shop } => shop,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order) => write!(f, "order {order}"),
            Self::FulfillmentOrder { shop, id } => write!(f, "fulfillment order {shop}/{id}"),
            Self::Product { shop, id } => write!(f, "product {shop}/{id}"),
            Self::Shop { shop } => write!(f, "shop {shop}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = r#"{"v":1,"trigger":"webhook","cause_id":"e-1","subject":{"type":"order","shop":"moon-shop.myshopify.com","id":"42"}}"#;

    #[test]
    fn a_task_of_the_first_release_parses() {
        let task: Task = serde_json::from_str(STORED).unwrap();

        assert_eq!(task.hop, 0);
        assert_eq!(task.subject.to_string(), "order moon-shop.myshopify.com/42");
        assert_eq!(serde_json::from_str::<Task>(&serde_json::to_string(&task).unwrap()).unwrap(), task);
    }

    #[test]
    fn a_task_of_a_later_release_parses() {
        let later = STORED.replace("\"v\":1", "\"v\":2,\"priority\":7").replace("webhook", "sync-now");

        let task: Task = serde_json::from_str(&later).unwrap();

        assert_eq!(task.trigger, Trigger::Unknown);
    }

    #[test]
    fn each_subject_is_read_as_it_is_written() {
        let shop: ShopDomain = "moon-shop.myshopify.com".parse().unwrap();
        for (subject, stored) in [
            (
                Subject::Product { shop: shop.clone(), id: ProductId::new(7) },
                r#"{"type":"product","shop":"moon-shop.myshopify.com","id":"7"}"#,
            ),
            (Subject::Shop { shop }, r#"{"type":"shop","shop":"moon-shop.myshopify.com"}"#),
        ] {
            assert_eq!(serde_json::to_string(&subject).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Subject>(stored).unwrap(), subject);
        }
    }

    #[test]
    fn a_task_is_handed_on_once() {
        let task: Task = serde_json::from_str(STORED).unwrap();

        let again = task.handed_on().unwrap();

        assert_eq!(again.handed_on(), None);
    }
}
