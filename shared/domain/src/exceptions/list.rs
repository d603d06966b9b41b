//! Which exceptions there are, oldest first.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Exception, ExceptionCode, Owned, Owner, Owners, What};
use crate::dead_letters;
use crate::id::{OrderId, ShopDomain};
use crate::ports::{Exceptions, LedgerError, ParkedSteps, Registry};

/// Orders of one shop that are read at once.
const AT_ONCE: u16 = 250;
/// Reads of one shop that one question makes, so that it ends within the time that the API has: 5,000 orders.
const MAX_READS: u32 = 20;

/// How long an exception may be without an owner before somebody is told: a day, so that whoever looks each morning takes it
/// first.
pub const OWNERLESS: SignedDuration = SignedDuration::from_hours(24);

/// Which exceptions somebody wants to see: all that is given has to be true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub cause: Option<String>,
    pub code: Option<ExceptionCode>,
    /// One that it has to do with, on either side.
    pub shop: Option<ShopDomain>,
    pub order: Option<OrderId>,
    /// There before this moment.
    pub before: Option<Timestamp>,
    pub ownership: Option<Ownership>,
}

/// Whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    Nobody,
    Of(Owner),
}

impl Filter {
    fn is_it(&self, what: &What) -> bool {
        let Self { cause, code, shop, order, before, ownership: _ } = self;
        code.is_none_or(|code| what.code() == code)
            && shop.as_ref().is_none_or(|shop| what.concerns(shop))
            && order.is_none_or(|order| what.order().is_some_and(|it| it.id == order))
            && before.is_none_or(|before| what.since() < before)
            && cause.as_ref().is_none_or(|cause| what.cause() == *cause)
    }

    fn is_whose(&self, owned: Option<&Owned>) -> bool {
        match &self.ownership {
            None => true,
            Some(Ownership::Nobody) => owned.is_none(),
            Some(Ownership::Of(owner)) => owned.is_some_and(|owned| owned.owner == *owner),
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Oldest first.
    pub exceptions: Vec<Exception>,
    /// Whether there is more than one question reads: these are the oldest of each shop.
    pub more: bool,
}

/// All exceptions that `filter` lets through, as far as one question reads. Two queries at least for each shop, and one more
/// for each that has any; up to a second behind.
///
/// # Errors
/// The ledger cannot be read.
pub async fn exceptions(
    ledger: &(impl ParkedSteps + Exceptions + Registry),
    filter: &Filter,
    now: Timestamp,
) -> Result<Found, LedgerError> {
    let parked = dead_letters::Filter { before: filter.before, ..dead_letters::Filter::default() };
    let (mut found, mut more): (Vec<What>, bool) = (Vec::new(), false);
    for shop in ledger.shops().await? {
        let (letters, more_letters) = dead_letters::everything(ledger, &shop, &parked).await?;
        found.extend(letters.map(What::Parked));
        more |= more_letters;
        more |= warned(ledger, &shop, filter.before, &mut found).await?;
    }
    found.retain(|what| filter.is_it(what));
    found.sort_by_cached_key(|what| (what.since(), what.shop().clone(), what.order()));
    let shops: BTreeSet<&ShopDomain> = found.iter().map(What::shop).collect();
    let owners = if shops.is_empty() { Owners::default() } else { Owners::read(ledger, shops).await? };
    let exceptions = found.into_iter().map(|what| Exception { owned: owners.of(&what, now), what });
    let exceptions = exceptions.filter(|it| filter.is_whose(it.owned.as_ref())).collect();
    Ok(Found { exceptions, more })
}

/// Adds the warnings of a shop's orders that are older than `before`, and says whether there are more.
async fn warned(
    ledger: &impl Exceptions,
    shop: &ShopDomain,
    before: Option<Timestamp>,
    found: &mut Vec<What>,
) -> Result<bool, LedgerError> {
    let mut after = None;
    for _ in 0..MAX_READS {
        let page = ledger.warned(shop, after.as_deref(), AT_ONCE).await?;
        for (order, warned) in page.orders {
            // Oldest first: all that follow are younger.
            if before.is_some_and(|before| warned.since().is_none_or(|since| since >= before)) {
                return Ok(false);
            }
            let what = |warning| What::Warned { order: order.clone(), name: warned.name.clone(), warning };
            found.extend(warned.open.into_iter().map(what));
        }
        after = page.next;
        if after.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many exceptions have been without an owner for longer than they may.
///
/// # Errors
/// The ledger cannot be read.
pub async fn unowned(
    ledger: &(impl ParkedSteps + Exceptions + Registry),
    now: Timestamp,
) -> Result<usize, LedgerError> {
    let before = now.checked_sub(OWNERLESS).unwrap_or(Timestamp::MIN);
    let filter = Filter { before: Some(before), ownership: Some(Ownership::Nobody), ..Filter::default() };
    Ok(exceptions(ledger, &filter, now).await?.exceptions.len())
}
