//! Owners: who sees to an exception, because a store's rule names them or because they took it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ExceptionCode, What};
use crate::id::ShopDomain;
use crate::ports::{Exceptions, LedgerError, Registry};

/// Characters of a name.
const MAX_CHARS: usize = 60;

/// Who sees to something: a person or a team, as those who work with them call them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "warehouse")]
pub struct Owner(String);

/// Why a text is not an [`Owner`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no name of an owner: give 1 to {MAX_CHARS} characters on one line, e.g. warehouse")]
pub struct InvalidOwner;

impl FromStr for Owner {
    type Err = InvalidOwner;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        let is_name = (1..=MAX_CHARS).contains(&name.chars().count()) && !name.contains(char::is_control);
        if is_name { Ok(Self(name.to_owned())) } else { Err(InvalidOwner) }
    }
}

impl TryFrom<String> for Owner {
    type Error = InvalidOwner;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> Self {
        owner.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom a store's exceptions belong to as a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnerRule {
    /// Of this kind; `None`: all that no other rule names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "LOCATION_UNMAPPED")]
    pub code: Option<ExceptionCode>,
    pub owner: Owner,
}

/// Somebody took a cause, for some time: what failed of it, and what does meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Assignment {
    #[schema(example = "5f3a91c2")]
    pub cause: String,
    pub owner: Owner,
    /// Whatever is there still belongs to nobody again then.
    pub until: Timestamp,
    pub at: Timestamp,
    /// The operator who said so.
    pub by: String,
}

/// Who owns something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Owned {
    pub owner: Owner,
    /// Until when it was taken; `None`: a rule of the store says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Who owns what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    taken: BTreeMap<String, Assignment>,
    rules: BTreeMap<ShopDomain, Vec<OwnerRule>>,
}

impl Owners {
    /// Those who took causes, and those whom the rules of `shops` name.
    #[must_use]
    pub fn new(taken: Vec<Assignment>, rules: BTreeMap<ShopDomain, Vec<OwnerRule>>) -> Self {
        let taken = taken.into_iter().map(|assignment| (assignment.cause.clone(), assignment)).collect();
        Self { taken, rules }
    }

    /// As the ledger says now. One query, and one for each of `shops`.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn read(
        ledger: &(impl Exceptions + Registry),
        shops: BTreeSet<&ShopDomain>,
    ) -> Result<Self, LedgerError> {
        let mut rules = BTreeMap::new();
        for domain in shops {
            let shop = ledger.shop(domain).await?;
            rules.insert(domain.clone(), shop.map(|shop| shop.shop.settings.owners).unwrap_or_default());
        }
        Ok(Self::new(ledger.assignments().await?, rules))
    }

    /// Who owns it at `now`: who took it, before whom the store's rule for just that names, before whom it names for all.
    #[must_use]
    pub fn of(&self, what: &What, now: Timestamp) -> Option<Owned> {
        let taken = self.taken.get(&what.cause()).filter(|assignment| now < assignment.until);
        if let Some(Assignment { owner, until, .. }) = taken {
            return Some(Owned { owner: owner.clone(), until: Some(*until) });
        }
        let rules = self.rules.get(what.shop())?;
        let by = |code: Option<ExceptionCode>| rules.iter().find(|rule| rule.code == code);
        let rule = by(Some(what.code())).or_else(|| by(None))?;
        Some(Owned { owner: rule.owner.clone(), until: None })
    }
}
