//! Faults on command: what goes wrong with calls and webhooks, how often, and for whom.

mod held;
mod random;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

pub(crate) use held::Held;
pub use held::HeldAnswer;
pub use random::Chaos;
use random::Dice;

use crate::webhooks::Topic;

/// What goes wrong with a call to the Admin API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// This HTTP status instead of doing anything (500, 502, 503, 429 …).
    Status {
        /// The status.
        status: u16,
        /// Seconds for `Retry-After`.
        #[serde(default)]
        retry_after_secs: Option<u64>,
    },
    /// THROTTLED under HTTP 200, whatever the bucket holds. Nothing is done.
    Throttled,
    /// INTERNAL_SERVER_ERROR under HTTP 200.
    InternalError {
        /// Whether the work was done all the same.
        effect: bool,
    },
    /// ACCESS_DENIED under HTTP 200, as when the app lacks a scope. Nothing is done.
    AccessDenied {
        /// The scope that it would take.
        scope: String,
    },
    /// The work is done; the connection closes without an answer.
    LoseAnswer {
        /// How long the connection stays open first, so that the caller runs into its own timeout.
        #[serde(default)]
        hang_ms: u64,
    },
    /// Nothing is done; the connection closes after that long.
    Hang {
        /// How long.
        ms: u64,
    },
    /// The connection closes at once; the work is done that much later.
    LandLate {
        /// How much.
        ms: u64,
    },
    /// Refuses with these userErrors. Nothing is done.
    Reject {
        /// As Shopify would write them.
        user_errors: Vec<UserErrorSpec>,
    },
    /// The work is done; the answer comes when it is released or after that long.
    HoldAnswer {
        /// At most how long.
        ms: u64,
    },
}

/// A userError to refuse with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserErrorSpec {
    pub field: Option<Vec<String>>,
    pub message: String,
    /// Only mutations whose userErrors have codes show it.
    pub code: Option<String>,
}

/// What goes wrong with a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WebhookFault {
    /// It is never sent.
    Drop,
    /// It is sent twice.
    Double,
    /// It is sent that much later.
    Delay {
        /// How much.
        ms: u64,
    },
    /// It is sent after the next one.
    Reorder,
}

/// A fault for the next calls that match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultRule {
    /// Shop domain; `None` is every shop.
    #[serde(default)]
    pub shop: Option<String>,
    /// GraphQL operation name, e.g. `OrderCreate`; `None` is every operation.
    #[serde(default)]
    pub operation: Option<String>,
    /// Calls that pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// Calls that it hits.
    #[serde(default = "once")]
    pub count: u32,
    /// What happens.
    pub fault: Fault,
}

/// A fault for the next webhooks that match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookFaultRule {
    /// Shop domain; `None` is every shop.
    #[serde(default)]
    pub shop: Option<String>,
    /// `None` is every topic.
    #[serde(default)]
    pub topic: Option<Topic>,
    /// Webhooks that pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// Webhooks that it hits.
    #[serde(default = "once")]
    pub count: u32,
    /// What happens.
    pub fault: WebhookFault,
}

fn once() -> u32 {
    1
}

impl FaultRule {
    /// Hits the next call of `operation` to `shop`.
    pub fn next(shop: &str, operation: &str, fault: Fault) -> Self {
        Self { shop: Some(shop.to_owned()), operation: Some(operation.to_owned()), skip: 0, count: 1, fault }
    }

    /// Hits that many calls.
    pub fn times(mut self, count: u32) -> Self {
        self.count = count;
        self
    }
}

impl WebhookFaultRule {
    /// Hits the next webhook of `topic` from `shop`.
    pub fn next(shop: &str, topic: Topic, fault: WebhookFault) -> Self {
        Self { shop: Some(shop.to_owned()), topic: Some(topic), skip: 0, count: 1, fault }
    }

    /// Hits that many webhooks.
    pub fn times(mut self, count: u32) -> Self {
        self.count = count;
        self
    }
}

/// Everything that is set to go wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultPlan {
    pub calls: Vec<FaultRule>,
    pub webhooks: Vec<WebhookFaultRule>,
    pub chaos: Option<Chaos>,
}

#[derive(Default)]
pub(crate) struct Faults {
    plan: Mutex<(FaultPlan, Dice)>,
    pub(crate) held: Held,
}

impl Faults {
    fn plan(&self) -> MutexGuard<'_, (FaultPlan, Dice)> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn list(&self) -> FaultPlan {
        self.plan().0.clone()
    }

    pub(crate) fn clear(&self) {
        self.plan().0 = FaultPlan::default();
        self.held.release_all();
    }

    pub(crate) fn add(&self, rule: FaultRule) {
        self.plan().0.calls.push(rule);
    }

    pub(crate) fn add_for_webhooks(&self, rule: WebhookFaultRule) {
        self.plan().0.webhooks.push(rule);
    }

    pub(crate) fn set_chaos(&self, chaos: Chaos) {
        let mut plan = self.plan();
        plan.1 = Dice::new(chaos.seed);
        plan.0.chaos = Some(chaos);
    }

    /// What goes wrong with this call. Counts it.
    pub(crate) fn call_fault(&self, shop: &str, operation: &str) -> Option<Fault> {
        let mut plan = self.plan();
        let (rules, dice) = &mut *plan;
        let matching =
            rules.calls.iter_mut().filter(|rule| is_for(&rule.shop, shop) && is_for(&rule.operation, operation));
        for rule in matching {
            if hits(&mut rule.skip, &mut rule.count) {
                let fault = rule.fault.clone();
                rules.calls.retain(|rule| rule.count > 0);
                return Some(fault);
            }
        }
        let chaos = rules.chaos.as_ref().filter(|chaos| is_for(&chaos.shop, shop))?;
        dice.draw(chaos.probability, &chaos.faults).cloned()
    }

    /// What goes wrong with this webhook. Counts it.
    pub(crate) fn webhook_fault(&self, shop: &str, topic: Topic) -> Option<WebhookFault> {
        let mut plan = self.plan();
        let (rules, dice) = &mut *plan;
        let matching = rules
            .webhooks
            .iter_mut()
            .filter(|rule| is_for(&rule.shop, shop) && rule.topic.is_none_or(|it| it == topic));
        for rule in matching {
            if hits(&mut rule.skip, &mut rule.count) {
                let fault = rule.fault;
                rules.webhooks.retain(|rule| rule.count > 0);
                return Some(fault);
            }
        }
        let chaos = rules.chaos.as_ref().filter(|chaos| is_for(&chaos.shop, shop))?;
        dice.draw(chaos.probability, &chaos.webhook_faults).copied()
    }
}

fn is_for(wanted: &Option<String>, value: &str) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted == value)
}

fn hits(skip: &mut u32, count: &mut u32) -> bool {
    if *skip > 0 {
        *skip -= 1;
        return false;
    }
    let hit = *count > 0;
    *count = count.saturating_sub(1);
    hit
}
