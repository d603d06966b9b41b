//! Dead letters: what is parked and waits for a person, as the ledger knows it. Whatever lies in the dead-letter queues
//! is a copy.

mod cause;
mod crash;
mod list;
mod purge;
mod row;
mod sweep;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::code::Code;
use crate::id::{OrderId, OrderRef, ShipmentId, ShopDomain};
use crate::look::redrive_cause;
use crate::ports::{LedgerError, ParkedMessage};
use crate::step::{Aside, Failure, Parked, Step, StepId};
use crate::task::{Subject, Task, Trigger};

pub(crate) use cause::short_cause;
pub(crate) use crash::task as crashed_task;
pub use crash::{CrashState, finished};
pub(crate) use list::everything;
pub use list::{Filter, Page, find, list, these};
pub(crate) use purge::dismiss;
pub(crate) use row::understood;
pub use sweep::{Swept, sweep};

/// A parked step, in the state in which it was parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub id: DeadLetterId,
    pub code: Code,
    pub parked_at: Timestamp,
    pub attempts: u32,
    pub first_failure: Option<Failure>,
    pub last_failure: Option<Failure>,
}

/// Names a dead letter: `<shop>/<order>/<step>@<generation>`, or `<shop>/<step>@<generation>` for a step of the shop itself.
/// Once the step goes again, its next dead letter has another name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeadLetterId {
    pub shop: ShopDomain,
    pub order: Option<OrderId>,
    pub step: StepId,
    pub generation: u32,
}

/// Why a text is not a [`DeadLetterId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no dead letter: give an id as the list shows it, e.g. moon.myshopify.com/5512345678901/push/sun.myshopify.com/1@0"
)]
pub struct InvalidDeadLetterId(String);

impl DeadLetter {
    /// What the row of a step says, if it is parked and a person is to see to it.
    ///
    /// # Errors
    /// The row is none of a step.
    pub fn of_row(
        shop: &ShopDomain,
        order: Option<OrderId>,
        step: &StepId,
        body: Value,
    ) -> Result<Option<Self>, LedgerError> {
        Ok(Self::of_step(shop, order, step, understood::<IgnoredAny>(body)?))
    }

    /// What a step says, if it is parked and a person is to see to it.
    #[must_use]
    pub fn of_step<S>(shop: &ShopDomain, order: Option<OrderId>, id: &StepId, step: Step<S>) -> Option<Self> {
        let Step { generation, parked, attempts, first_failure, last_failure, .. } = step;
        let id = DeadLetterId { shop: shop.clone(), order, step: id.clone(), generation };
        parked.filter(Parked::is_listed).map(|parked| Self {
            id,
            code: parked.code,
            parked_at: parked.at,
            attempts,
            first_failure,
            last_failure,
        })
    }

    /// The order, where it is a step of one.
    #[must_use]
    pub fn order(&self) -> Option<OrderRef> {
        self.id.order()
    }
}

impl DeadLetterId {
    /// The order, where it is a step of one.
    #[must_use]
    pub fn order(&self) -> Option<OrderRef> {
        self.order.map(|id| OrderRef { shop: self.shop.clone(), id })
    }

    /// What the letter of a parked step names.
    #[must_use]
    pub fn of(message: &ParkedMessage) -> Self {
        let ParkedMessage { order, step, generation, task, .. } = message;
        let shop = order.as_ref().map_or_else(|| task.subject.shop(), |order| &order.shop).clone();
        Self { shop, order: order.as_ref().map(|order| order.id), step: step.clone(), generation: *generation }
    }

    /// The task that sets the step going again, if it is parked still, and as it was then.
    #[must_use]
    pub fn redrive(&self) -> Task {
        Task::new(Trigger::Redrive, redrive_cause(&self.step, self.generation), self.subject())
    }

    /// What a worker looks at to go on with it.
    fn subject(&self) -> Subject {
        let shop = self.shop.clone();
        match (self.order(), &self.step) {
            (Some(order), StepId::Writeback(shipment)) => Subject::Order(shipment.looked_at_from(&order).clone()),
            (Some(order), _) => Subject::Order(order),
            (None, StepId::Crash { about: Some(Aside::FulfillmentOrder(id)), .. }) => {
                Subject::FulfillmentOrder { shop, id: *id }
            }
            (None, StepId::Crash { about: Some(Aside::Product(id)), .. }) => Subject::Product { shop, id: *id },
            (None, _) => Subject::Shop { shop },
        }
    }

    /// What of the order, or of the shop, it is.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.step {
            StepId::Look(_) => "read",
            StepId::Push { .. } => "push",
            StepId::Cancel { .. } => "cancellation",
            StepId::Writeback(_) => "tracking",
            StepId::Tags => "tags",
            StepId::Connect => "connect",
            StepId::Resync => "resync",
            StepId::Crash { .. } => "task",
        }
    }

    /// The store that did not take, or not give, what was asked of it.
    #[must_use]
    pub fn failed_at(&self) -> &ShopDomain {
        match &self.step {
            StepId::Push { source, .. } | StepId::Cancel { source, .. } => source,
            StepId::Look(_)
            | StepId::Writeback(_)
            | StepId::Tags
            | StepId::Connect
            | StepId::Resync
            | StepId::Crash { .. } => &self.shop,
        }
    }

    /// Whether it has to do with `shop`: as its own, or as the one that its goods come from.
    #[must_use]
    pub fn concerns(&self, shop: &ShopDomain) -> bool {
        let of_source = match &self.step {
            StepId::Push { source, .. } | StepId::Cancel { source, .. } => source == shop,
            StepId::Writeback(ShipmentId::Fulfillment { source, .. }) => source.shop == *shop,
            _ => false,
        };
        self.shop == *shop || of_source
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shop, order, step, generation } = self;
        match order {
            Some(order) => write!(f, "{shop}/{order}/{step}@{generation}"),
            None => write!(f, "{shop}/{step}@{generation}"),
        }
    }
}

impl FromStr for DeadLetterId {
    type Err = InvalidDeadLetterId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (path, generation) = text.rsplit_once('@')?;
            let (shop, rest) = path.split_once('/')?;
            // No step begins with a number.
            let (order, step) = match rest.split_once('/').and_then(|(id, step)| Some((id.parse().ok()?, step))) {
                Some((order, step)) => (Some(order), step),
                None => (None, rest),
            };
            let (shop, step) = (shop.parse().ok()?, step.parse().ok()?);
            Some(Self { shop, order, step, generation: generation.parse().ok()? })
        };
        parse().ok_or_else(|| InvalidDeadLetterId(text.chars().take(160).collect()))
    }
}

impl TryFrom<String> for DeadLetterId {
    type Error = InvalidDeadLetterId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DeadLetterId> for String {
    fn from(id: DeadLetterId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests;
