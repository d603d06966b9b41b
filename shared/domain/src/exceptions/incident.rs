//! Incidents: exceptions of one cause, told as one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Exception, ExceptionCode, Filter, Found, Owned, What, exceptions};
use crate::id::ShopDomain;
use crate::ports::{Exceptions, LedgerError, ParkedSteps, Registry};
use crate::step::Failure;

/// All exceptions of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    pub cause: String,
    pub code: ExceptionCode,
    /// What it happened to, as [`What::kind`] says it.
    pub kind: &'static str,
    /// The store that did not take, or not give, what was asked of it; or whose orders are not as they should be.
    pub failed_at: ShopDomain,
    pub count: usize,
    /// Whose orders these are.
    pub shops: BTreeSet<ShopDomain>,
    /// The one to test a remedy with.
    pub oldest: What,
    /// Since when the latest of them is there.
    pub latest: Timestamp,
    /// Of all attempts.
    pub first_failure: Option<Failure>,
    pub last_failure: Option<Failure>,
    pub owners: BTreeSet<Owned>,
    /// How many belong to nobody.
    pub unowned: usize,
}

/// What needs somebody now, by cause: the one with the most exceptions first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incidents {
    pub incidents: Vec<Incident>,
    /// Exceptions of all of them.
    pub count: usize,
    /// Whether there is more than one question reads: the counts are at least these.
    pub more: bool,
}

/// Groups what `filter` lets through by its cause.
///
/// # Errors
/// The ledger cannot be read.
pub async fn incidents(
    ledger: &(impl ParkedSteps + Exceptions + Registry),
    filter: &Filter,
    now: Timestamp,
) -> Result<Incidents, LedgerError> {
    Ok(Incidents::of(exceptions(ledger, filter, now).await?))
}

impl Incidents {
    /// What was found, by its cause.
    #[must_use]
    pub fn of(Found { exceptions, more }: Found) -> Self {
        let count = exceptions.len();
        let mut by_cause: BTreeMap<String, Incident> = BTreeMap::new();
        // Oldest first: the one that begins an incident is the oldest of it.
        for exception in exceptions {
            let cause = exception.what.cause();
            let new = || Incident::new(cause.clone(), exception.what.clone());
            by_cause.entry(cause.clone()).or_insert_with(new).add(exception);
        }
        let mut incidents: Vec<Incident> = by_cause.into_values().collect();
        incidents.sort_by_cached_key(|it| (std::cmp::Reverse(it.count), it.oldest.since(), it.cause.clone()));
        Self { incidents, count, more }
    }
}

impl Incident {
    fn new(cause: String, oldest: What) -> Self {
        Self {
            cause,
            code: oldest.code(),
            kind: oldest.kind(),
            failed_at: oldest.failed_at().clone(),
            count: 0,
            shops: BTreeSet::new(),
            latest: oldest.since(),
            oldest,
            first_failure: None,
            last_failure: None,
            owners: BTreeSet::new(),
            unowned: 0,
        }
    }

    fn add(&mut self, Exception { what, owned }: Exception) {
        self.count += 1;
        self.shops.insert(what.shop().clone());
        self.latest = self.latest.max(what.since());
        self.unowned += usize::from(owned.is_none());
        self.owners.extend(owned);
        if let What::Parked(letter) = what {
            let at = |failure: &Failure| failure.at;
            let first = [self.first_failure.take(), letter.first_failure];
            self.first_failure = first.into_iter().flatten().min_by_key(at);
            let last = [self.last_failure.take(), letter.last_failure];
            self.last_failure = last.into_iter().flatten().max_by_key(at);
        }
    }
}
