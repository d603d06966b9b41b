//! Incidents: what needs somebody now, by cause, with what to do about each.

use std::collections::BTreeSet;

use jiff::Timestamp;
use roundtrip_domain::code::Code;
use roundtrip_domain::exceptions::{ExceptionCode, Incident, Incidents, Owned, What};
use roundtrip_domain::id::{OrderRef, ShopDomain};
use roundtrip_domain::step::Failure;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::step::help_link;

/// What needs somebody now: the cause of most exceptions stands first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct IncidentsAnswer {
    pub incidents: Vec<ListedIncident>,
    /// Exceptions of all of them.
    pub count: usize,
    /// Whether there are more than were looked through: the counts are at least these.
    #[serde(default)]
    pub more: bool,
}

/// All exceptions of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedIncident {
    #[schema(example = "5f3a91c2")]
    pub cause: String,
    #[schema(value_type = String, example = "CHANNEL_UNAVAILABLE")]
    pub code: ExceptionCode,
    /// What the code means.
    pub meaning: String,
    /// What it happened to: a `push`, `tracking`, a `cancellation`, `tags`, a `read` of an order, a `task`; a store's own
    /// `connect` or `resync`; or an `order` that was changed after it was pushed.
    #[schema(example = "push")]
    pub kind: String,
    /// The store that did not take, or not give, what was asked of it; or whose orders are not as they should be.
    pub failed_at: ShopDomain,
    pub count: usize,
    /// Whose orders these are.
    #[schema(value_type = Vec<ShopDomain>)]
    pub shops: BTreeSet<ShopDomain>,
    /// Since when the oldest of them is there.
    pub since: Timestamp,
    /// Since when the latest is.
    pub latest: Timestamp,
    /// Who sees to them.
    #[serde(default)]
    #[schema(value_type = Vec<Owned>)]
    pub owners: BTreeSet<Owned>,
    /// How many belong to nobody.
    #[serde(default)]
    pub unowned: usize,
    /// The first failed attempt of all.
    #[serde(default)]
    pub first_failure: Option<Failure>,
    #[serde(default)]
    pub last_failure: Option<Failure>,
    /// What to do.
    pub remedy: String,
    pub help: String,
    /// What to type next, in this order.
    pub commands: Vec<NextCommand>,
}

/// What is said where there is no incident.
pub const NOTHING: &str = "nothing is parked, and no order waits to be changed at its source";

impl ListedIncident {
    /// Who sees to them, in words.
    #[must_use]
    pub fn owned_by(&self) -> String {
        let named = |Owned { owner, until }: &Owned| match until {
            Some(until) => format!("{owner} until {}", until.strftime("%Y-%m-%d %H:%M:%SZ")),
            None => owner.to_string(),
        };
        let owners: Vec<String> = self.owners.iter().map(named).collect();
        match (owners.join(", "), self.unowned) {
            (owners, 0) => owners,
            (owners, unowned) if owners.is_empty() && unowned == self.count => "nobody".to_owned(),
            (owners, unowned) => format!("{owners}; nobody of {unowned}"),
        }
    }
}

/// A command, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextCommand {
    /// `see`, `take`, `test one`, `redrive`, `purge` or `dismiss one`.
    #[schema(example = "redrive")]
    pub to: String,
    #[schema(example = "roundtrip dlq redrive --cause 5f3a91c2 --canary 1 --reason \"…\" --wait")]
    pub command: String,
}

impl From<Incidents> for IncidentsAnswer {
    fn from(incidents: Incidents) -> Self {
        let Incidents { incidents, count, more } = incidents;
        Self { incidents: incidents.into_iter().map(Into::into).collect(), count, more }
    }
}

impl From<Incident> for ListedIncident {
    fn from(incident: Incident) -> Self {
        let commands = commands(&incident);
        let Incident { cause, code, kind, failed_at, count, shops, oldest, latest, owners, unowned, .. } = incident;
        Self {
            commands,
            cause,
            code,
            meaning: code.meaning().to_owned(),
            kind: kind.to_owned(),
            failed_at,
            count,
            shops,
            since: oldest.since(),
            latest,
            owners,
            unowned,
            first_failure: incident.first_failure,
            last_failure: incident.last_failure,
            remedy: code.remedy().to_owned(),
            help: help_link(code),
        }
    }
}

/// What a person types to see them, to say that they are theirs, and to end them once the remedy was done: one first, where
/// that can be tried. Each is about all of the cause, whatever was asked for.
fn commands(Incident { cause, code, oldest, unowned, .. }: &Incident) -> Vec<NextCommand> {
    let mut commands = vec![("see", format!("roundtrip incident show {cause}"))];
    if *unowned > 0 {
        commands.push(("take", format!("roundtrip incident own {cause}")));
    }
    match (oldest, code) {
        // This release does not know what it is.
        (_, ExceptionCode::Parked(Code::Unknown)) => {}
        (What::Parked(oldest), ExceptionCode::Parked(code)) if code.goes_once_mended() => {
            commands.push(("test one", format!("roundtrip dlq redrive {} --reason \"…\" --wait", oldest.id)));
            let redrive = format!("roundtrip dlq redrive --cause {cause} --canary 1 --reason \"…\" --wait");
            commands.push(("redrive", redrive));
        }
        // It answers how many these are, to be confirmed.
        (What::Parked(_), _) => commands.push(("purge", format!("roundtrip dlq purge --cause {cause} --reason \"…\""))),
        (What::Warned { order: OrderRef { shop, id }, .. }, _) => {
            let dismiss = format!("roundtrip order dismiss-warnings {shop} {id} --cause {cause} --reason \"…\"");
            commands.push(("dismiss one", dismiss));
        }
    }
    commands.into_iter().map(|(to, command)| NextCommand { to: to.to_owned(), command }).collect()
}
