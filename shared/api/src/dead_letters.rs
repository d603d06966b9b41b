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

/// `POST /v1/dead-letters/redrive`: which, and how. Of what is given all has to be true; `all` where nothing else is.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostRedrive {
    /// Just these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, max_items = 250)]
    pub ids: Vec<DeadLetterId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "5f3a91c2")]
    pub cause: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Code>)]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// Those that have to do with this store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopDomain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Parked at this time or later: a time, or a date in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-01")]
    pub from: Option<String>,
    /// Parked before this time: a time, or a date in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-12-01")]
    pub before: Option<String>,
    /// All that is parked.
    #[serde(default)]
    pub all: bool,
    /// Only say what would be set going.
    #[serde(default)]
    pub dry_run: bool,
    /// How many begin in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100, default = 10)]
    pub rate: Option<u16>,
    /// So many go first, the oldest; the others only if these succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 25, default = 0)]
    pub canary: Option<u16>,
    /// Why: stands in the history of each order. Needed unless it is a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// What is set going, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RedriveAnswer {
    /// By which its progress is asked for: `GET /v1/jobs/{id}`. `null`: nothing was set going.
    #[serde(default)]
    pub job_id: Option<String>,
    /// How many are parked and set going.
    pub matched: usize,
    /// Whether more are parked than one job takes: ask again for them.
    #[serde(default)]
    pub more: bool,
    /// How many of `ids` are not parked any more: nothing is done with them.
    #[serde(default)]
    pub not_parked: usize,
    pub codes: Vec<CodeCount>,
    pub rate: u16,
    pub canary: usize,
    /// How long it takes at that rate.
    pub takes_secs: usize,
    /// The oldest ten.
    #[schema(value_type = Vec<String>)]
    pub first: Vec<DeadLetterId>,
}

/// `POST /v1/dead-letters/purge`: which, as for a redrive, and how many these are.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostPurge {
    /// Just these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, max_items = 250)]
    pub ids: Vec<DeadLetterId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "5f3a91c2")]
    pub cause: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Code>)]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// Those that have to do with this store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopDomain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Parked at this time or later: a time, or a date in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-01")]
    pub from: Option<String>,
    /// Parked before this time: a time, or a date in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-12-01")]
    pub before: Option<String>,
    /// All that is parked.
    #[serde(default)]
    pub all: bool,
    /// How many these are: without it, or with another number, nothing is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<usize>,
    /// Why: stands in the history of each order.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// What is purged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PurgeAnswer {
    /// By which its progress is asked for: `GET /v1/jobs/{id}`.
    pub job_id: String,
    pub matched: usize,
    /// Whether more are parked than one job takes: ask again for them.
    #[serde(default)]
    pub more: bool,
    pub codes: Vec<CodeCount>,
}

/// How many have a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CodeCount {
    pub code: Code,
    pub count: usize,
}
