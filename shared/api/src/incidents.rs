//! Incidents: what is failing now, by cause, with what to do about each.

use std::collections::BTreeSet;

use jiff::Timestamp;
use roundtrip_domain::code::Code;
use roundtrip_domain::dead_letters::{DeadLetterId, Incident, Incidents};
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::step::Failure;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::step::help_link;

/// What is failing now: what most dead letters are parked for stands first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct IncidentsAnswer {
    pub incidents: Vec<ListedIncident>,
    /// Dead letters of all of them.
    pub count: usize,
    /// Whether more is parked than was looked through: the counts are at least these.
    #[serde(default)]
    pub more: bool,
}

/// What is parked for one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedIncident {
    #[schema(example = "5f3a91c2")]
    pub cause: String,
    pub code: Code,
    /// What the code means.
    pub meaning: String,
    /// What it happened to: a `push`, `tracking`, a `cancellation`, `tags`, a `read` of an order, a `task`; or a store's own
    /// `connect` or `resync`.
    #[schema(example = "push")]
    pub kind: String,
    /// The store that did not take, or not give, what was asked of it.
    pub failed_at: ShopDomain,
    pub count: usize,
    /// Whose orders these are.
    #[schema(value_type = Vec<ShopDomain>)]
    pub shops: BTreeSet<ShopDomain>,
    /// Since when the oldest of them is parked.
    pub parked_since: Timestamp,
    pub last_parked_at: Timestamp,
    /// The first failed attempt of all.
    #[serde(default)]
    pub first_failure: Option<Failure>,
    #[serde(default)]
    pub last_failure: Option<Failure>,
    /// What to do.
    pub remedy: String,
    pub help: String,
    /// The oldest of them: the one to test the remedy with.
    #[schema(value_type = String, example = "moon-shop.myshopify.com/5512345678901/push/sun-shop.myshopify.com/1@0")]
    pub oldest: DeadLetterId,
    /// The command that sets the oldest going, and tells what came of it.
    pub test_command: String,
    /// The command that sets all of them going, one before the others.
    pub redrive_command: String,
}

impl From<Incidents> for IncidentsAnswer {
    fn from(incidents: Incidents) -> Self {
        let Incidents { incidents, count, more } = incidents;
        Self { incidents: incidents.into_iter().map(Into::into).collect(), count, more }
    }
}

impl From<Incident> for ListedIncident {
    fn from(incident: Incident) -> Self {
        let Incident { cause, code, kind, failed_at, count, shops, oldest, .. } = incident;
        Self {
            test_command: format!("roundtrip dlq redrive {oldest} --reason \"…\" --wait"),
            redrive_command: format!("roundtrip dlq redrive --cause {cause} --canary 1 --reason \"…\" --wait"),
            cause,
            code,
            meaning: code.meaning().to_owned(),
            kind: kind.to_owned(),
            failed_at,
            count,
            shops,
            parked_since: incident.parked_since,
            last_parked_at: incident.last_parked_at,
            first_failure: incident.first_failure,
            last_failure: incident.last_failure,
            remedy: code.remedy().to_owned(),
            help: help_link(code),
            oldest,
        }
    }
}
