//! Dead letters: what is parked and waits for a person.

use jiff::Timestamp;
use roundtrip_domain::code::Code;
use roundtrip_domain::dead_letters::{DeadLetter, DeadLetterId};
use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::step::{Failure, StepId};
use roundtrip_domain::task::Queue;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::step::help_link;

/// A page of dead letters, oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeadLettersAnswer {
    pub dead_letters: Vec<ListedDeadLetter>,
    /// Where the next page starts; `null`: this was the last. With it, a page may be empty: so many were looked through, and
    /// none got through the filter.
    #[serde(default)]
    pub next: Option<String>,
}

/// A parked step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedDeadLetter {
    #[schema(value_type = String, example = "moon-shop.myshopify.com/5512345678901/push/sun-shop.myshopify.com/1@0")]
    pub id: DeadLetterId,
    /// The same for all of one cause.
    #[schema(example = "5f3a91c2")]
    pub cause: String,
    /// On whose dead-letter queue its copy lies.
    pub queue: Queue,
    /// Whose order it is; of a step of a store, that store.
    pub shop: ShopDomain,
    #[serde(default)]
    pub order: Option<OrderId>,
    /// As its merchant sees it, if that is known.
    #[serde(default)]
    pub order_name: Option<String>,
    #[schema(value_type = String, example = "push/sun-shop.myshopify.com/1")]
    pub step: StepId,
    /// How often it was set going again before.
    pub generation: u32,
    pub code: Code,
    /// What to do.
    pub remedy: String,
    pub help: String,
    pub parked_at: Timestamp,
    /// Failed ones.
    pub attempts: u32,
    #[serde(default)]
    pub first_failure: Option<Failure>,
    #[serde(default)]
    pub last_failure: Option<Failure>,
}

impl ListedDeadLetter {
    /// `letter` of an order that its merchant sees as `order_name`.
    #[must_use]
    pub fn new(letter: DeadLetter, order_name: Option<String>) -> Self {
        let cause = letter.cause();
        let DeadLetter { id, code, parked_at, attempts, first_failure, last_failure } = letter;
        Self {
            cause,
            queue: id.step.queue(),
            shop: id.shop.clone(),
            order: id.order,
            order_name,
            step: id.step.clone(),
            generation: id.generation,
            code,
            remedy: code.remedy().to_owned(),
            help: help_link(code),
            parked_at,
            attempts,
            first_failure,
            last_failure,
            id,
        }
    }
}
