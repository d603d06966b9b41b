//! Causes: dead letters that failed alike, told as one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::list::everything;
use super::{DeadLetter, DeadLetterId, Filter};
use crate::code::Code;
use crate::fingerprint::fingerprint;
use crate::id::ShopDomain;
use crate::ports::{LedgerError, ParkedSteps, Registry};
use crate::step::Failure;

/// What is parked for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    pub cause: String,
    pub code: Code,
    /// What it happened to, as [`DeadLetterId::kind`] says it.
    pub kind: &'static str,
    /// The store that did not take, or not give, what was asked of it.
    pub failed_at: ShopDomain,
    pub count: usize,
    /// Whose orders these are.
    pub shops: BTreeSet<ShopDomain>,
    /// The one to test a remedy with.
    pub oldest: DeadLetterId,
    pub parked_since: Timestamp,
    pub last_parked_at: Timestamp,
    /// Of all attempts.
    pub first_failure: Option<Failure>,
    pub last_failure: Option<Failure>,
}

/// What is parked now, by cause: the one with the most dead letters first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incidents {
    pub incidents: Vec<Incident>,
    /// Dead letters of all of them.
    pub count: usize,
    /// Whether more is parked than one question reads: the counts are at least these.
    pub more: bool,
}

/// Groups what `filter` lets through by its cause.
///
/// # Errors
/// The ledger cannot be read.
pub async fn incidents(ledger: &(impl ParkedSteps + Registry), filter: &Filter) -> Result<Incidents, LedgerError> {
    let (letters, more) = everything(ledger, filter).await?;
    let count = letters.len();
    let mut by_cause: BTreeMap<String, Incident> = BTreeMap::new();
    for letter in letters {
        let cause = letter.cause();
        match by_cause.get_mut(&cause) {
            Some(incident) => incident.add(letter),
            None => {
                by_cause.insert(cause.clone(), Incident::new(cause, letter));
            }
        }
    }
    let mut incidents: Vec<Incident> = by_cause.into_values().collect();
    incidents.sort_by(|one, other| (other.count, &one.oldest).cmp(&(one.count, &other.oldest)));
    Ok(Incidents { incidents, count, more })
}

impl Incident {
    fn new(cause: String, letter: DeadLetter) -> Self {
        let DeadLetter { id, code, parked_at, first_failure, last_failure, .. } = letter;
        Self {
            cause,
            code,
            kind: id.kind(),
            failed_at: id.failed_at().clone(),
            count: 1,
            shops: BTreeSet::from([id.shop.clone()]),
            oldest: id,
            parked_since: parked_at,
            last_parked_at: parked_at,
            first_failure,
            last_failure,
        }
    }

    fn add(&mut self, letter: DeadLetter) {
        let DeadLetter { id, parked_at, first_failure, last_failure, .. } = letter;
        self.count += 1;
        self.shops.insert(id.shop.clone());
        if (parked_at, &id) < (self.parked_since, &self.oldest) {
            (self.parked_since, self.oldest) = (parked_at, id);
        }
        self.last_parked_at = self.last_parked_at.max(parked_at);
        let at = |failure: &Failure| failure.at;
        self.first_failure = [self.first_failure.take(), first_failure].into_iter().flatten().min_by_key(at);
        self.last_failure = [self.last_failure.take(), last_failure].into_iter().flatten().max_by_key(at);
    }
}

impl DeadLetter {
    /// What went wrong, as a short name that all dead letters of one cause share: the code, the kind of step, the store that
    /// it failed at and, where that code is given for anything that a store refuses, the words of the refusal.
    #[must_use]
    pub fn cause(&self) -> String {
        let words = match self.code {
            Code::Rejected | Code::AccessDenied | Code::Crashed | Code::Unknown => {
                self.last_failure.as_ref().map(|it| shape(&it.message))
            }
            _ => None,
        };
        let mut cause = fingerprint(&(self.code, self.id.kind(), self.id.failed_at(), words));
        cause.truncate(CAUSE_DIGITS);
        cause
    }
}

/// A person reads and types it.
const CAUSE_DIGITS: usize = 8;

/// A message without what differs from order to order: numbers, and what stands in quotes.
fn shape(message: &str) -> String {
    let mut shape = String::new();
    let mut quote = None;
    for character in message.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => {
                quote = Some(character);
                shape.push('…');
            }
            (None, _) if character.is_ascii_digit() => {
                if !shape.ends_with('#') {
                    shape.push('#');
                }
            }
            (None, _) => shape.push(character),
        }
    }
    shape
}
