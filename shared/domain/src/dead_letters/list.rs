//! Lists of dead letters: those of all shops, oldest first, down to what a filter lets through.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::{DeadLetter, DeadLetterId};
use crate::code::Code;
use crate::id::{OrderId, OrderRef, ShopDomain};
use crate::ports::{Ledger, LedgerError, ParkedSteps, PlacedLetter, Registry};
use crate::record::RowKey;
use crate::task::Queue;

/// Rows of one shop that are read at once.
const AT_ONCE: u16 = 250;
/// Reads of one shop that one question makes, so that it ends within the time that the API has: 5,000 dead letters.
const MAX_READS: u32 = 20;

/// Which dead letters somebody wants to see: all that is given has to be true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub cause: Option<String>,
    pub code: Option<Code>,
    pub queue: Option<Queue>,
    /// One that it has to do with, on either side.
    pub shop: Option<ShopDomain>,
    pub order: Option<OrderId>,
    /// Parked at this moment or later.
    pub from: Option<Timestamp>,
    /// Parked before this moment.
    pub before: Option<Timestamp>,
}

impl Filter {
    /// Whether somebody wants to see it.
    #[must_use]
    pub fn lets_through(&self, letter: &DeadLetter) -> bool {
        let Self { cause, code, queue, shop, order, from, before } = self;
        code.is_none_or(|code| letter.code == code)
            && queue.is_none_or(|queue| letter.id.step.queue() == queue)
            && shop.as_ref().is_none_or(|shop| letter.id.concerns(shop))
            && order.is_none_or(|order| letter.id.order == Some(order))
            && from.is_none_or(|from| letter.parked_at >= from)
            && before.is_none_or(|before| letter.parked_at < before)
            && cause.as_ref().is_none_or(|cause| letter.cause() == *cause)
    }
}

/// One page of dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub letters: Vec<DeadLetter>,
    /// Where the next page starts; `None`: this was the last. With it, a page may be empty: so many were looked through, and
    /// none got through the filter.
    pub next: Option<String>,
}

/// Up to `limit` dead letters behind `after`, oldest first. Reads each shop at least once. What was parked within the last
/// second may be missing.
///
/// # Errors
/// The ledger cannot be read.
pub async fn list(
    ledger: &(impl ParkedSteps + Registry),
    filter: &Filter,
    after: Option<&str>,
    limit: usize,
) -> Result<Page, LedgerError> {
    let shops = ledger.shops().await?;
    let (mut found, mut frontier): (Vec<PlacedLetter>, Option<String>) = (Vec::new(), None);
    for shop in shops {
        let (letters, next) = of_shop(ledger, &shop, filter, after, limit).await?;
        found.extend(letters);
        // Beyond where one shop was read to, letters of others would come too early.
        frontier = match (frontier, next) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    found.sort_by(|one, other| one.place.cmp(&other.place));
    if let Some(frontier) = &frontier {
        found.retain(|letter| letter.place <= *frontier);
    }
    let mut next = frontier;
    if found.len() > limit {
        found.truncate(limit);
        next = found.last().map(|letter| letter.place.clone());
    }
    Ok(Page { letters: found.into_iter().map(|placed| placed.letter).collect(), next })
}

/// All dead letters that `filter` lets through, oldest first, as far as one question reads of each shop; and whether there are
/// more.
///
/// # Errors
/// The ledger cannot be read.
pub async fn find(
    ledger: &(impl ParkedSteps + Registry),
    filter: &Filter,
) -> Result<(Vec<DeadLetter>, bool), LedgerError> {
    let (mut found, mut more) = (Vec::new(), false);
    for shop in ledger.shops().await? {
        let (letters, more_of_it) = everything(ledger, &shop, filter).await?;
        found.extend(letters);
        more |= more_of_it;
    }
    found.sort_by(|one, other| (one.parked_at, &one.id).cmp(&(other.parked_at, &other.id)));
    Ok((found, more))
}

/// All dead letters of one shop that `filter` lets through, as far as one question reads; and whether there are more.
pub(crate) async fn everything(
    ledger: &impl ParkedSteps,
    shop: &ShopDomain,
    filter: &Filter,
) -> Result<(impl Iterator<Item = DeadLetter>, bool), LedgerError> {
    let (letters, next) = of_shop(ledger, shop, filter, None, usize::MAX).await?;
    Ok((letters.into_iter().map(|placed| placed.letter), next.is_some()))
}

/// Those of `ids` that are parked still, as they were. A batch of reads for each hundred, and one for each step of a shop
/// itself.
///
/// # Errors
/// The ledger cannot be read.
pub async fn these(ledger: &impl Ledger, ids: &[DeadLetterId]) -> Result<Vec<DeadLetter>, LedgerError> {
    let ids: BTreeSet<&DeadLetterId> = ids.iter().collect();
    let keys: BTreeSet<(OrderRef, RowKey)> =
        ids.iter().filter_map(|id| Some((id.order()?, RowKey::Step(id.step.clone())))).collect();
    let mut found = Vec::new();
    for (order, row) in ledger.some_rows(&keys.into_iter().collect::<Vec<_>>()).await? {
        let RowKey::Step(step) = &row.key else { continue };
        found.extend(DeadLetter::of_row(&order.shop, Some(order.id), step, row.body)?);
    }
    for id in ids.iter().filter(|id| id.order.is_none()) {
        let step = ledger.shop_step::<IgnoredAny>(&id.shop, &id.step).await?;
        found.extend(step.and_then(|(step, _)| DeadLetter::of_step(&id.shop, None, &id.step, step)));
    }
    found.retain(|letter| ids.contains(&letter.id));
    found.sort_by(|one, other| (one.parked_at, &one.id).cmp(&(other.parked_at, &other.id)));
    Ok(found)
}

async fn of_shop(
    ledger: &impl ParkedSteps,
    shop: &ShopDomain,
    filter: &Filter,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<PlacedLetter>, Option<String>), LedgerError> {
    let mut found: Vec<PlacedLetter> = Vec::new();
    // Whoever looks for one reads no more than that, where nothing has to be left out.
    let at_once = match *filter == Filter::default() {
        true => limit.saturating_add(1).try_into().unwrap_or(AT_ONCE).min(AT_ONCE),
        false => AT_ONCE,
    };
    let mut after = after.map(ToOwned::to_owned).max(filter.from.map(|from| ledger.place_at(from)));
    for _ in 0..MAX_READS {
        let page = ledger.parked(shop, after.as_deref(), at_once).await?;
        // Oldest first: all that follow are younger.
        let last = page.letters.last().map(|placed| placed.letter.parked_at);
        let is_beyond = last.is_some_and(|last| filter.before.is_some_and(|before| last >= before));
        found.extend(page.letters.into_iter().filter(|placed| filter.lets_through(&placed.letter)));
        after = page.next.filter(|_| !is_beyond);
        if found.len() > limit || after.is_none() {
            break;
        }
    }
    Ok((found, after))
}
