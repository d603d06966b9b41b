//! What is parked: rows of steps, found by the list in which they stand as long as that is so.

use jiff::Timestamp;
use roundtrip_domain::dead_letters::DeadLetter;
use roundtrip_domain::error_chain;
use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::ports::{LedgerError, ParkedPage, ParkedSteps, PlacedLetter};
use roundtrip_domain::record::{List, RowKey};

use super::keys::{row_key, sortable, status_pk};
use super::{DynamoLedger, Item, failed, from_attribute, get_text, text};

/// Sorts before every place.
const OLDEST: &str = " ";

impl ParkedSteps for DynamoLedger {
    async fn parked(&self, shop: &ShopDomain, after: Option<&str>, limit: u16) -> Result<ParkedPage, LedgerError> {
        let (items, next) = self.oldest_first((shop, List::Parked), after, limit).await?;
        let letters = items.iter().filter_map(|item| readable(item, placed(shop, item)));
        Ok(ParkedPage { letters: letters.collect(), next })
    }

    fn place_at(&self, at: Timestamp) -> String {
        sortable(at)
    }
}

impl DynamoLedger {
    /// Up to `limit` rows of a list of what waits for a person, behind `after`; and where the next page starts.
    pub(super) async fn oldest_first(
        &self,
        (shop, list): (&ShopDomain, List),
        after: Option<&str>,
        limit: u16,
    ) -> Result<(Vec<Item>, Option<String>), LedgerError> {
        let query = self.client.query().table_name(&self.tables.ledger).index_name("by_status");
        let query = query
            .key_condition_expression("status_pk = :pk AND status_sk > :place")
            .expression_attribute_values(":pk", text(status_pk(shop, list)))
            .expression_attribute_values(":place", text(after.unwrap_or(OLDEST)))
            .limit(i32::from(limit));
        let page = query.send().await.map_err(failed("list what waits for a person"))?;
        let last = page.items().last().and_then(|item| get_text(item, "status_sk")).map(ToOwned::to_owned);
        let next = last.filter(|_| page.last_evaluated_key.is_some());
        Ok((page.items.unwrap_or_default(), next))
    }
}

/// Whether `cursor` is one of ours: a time, and what was parked then.
#[must_use]
pub fn is_parked_cursor(cursor: &str) -> bool {
    let at = cursor.split_once('#').and_then(|(at, _)| Some((at, at.parse().ok()?)));
    cursor.len() <= 1024 && at.is_some_and(|(text, at)| sortable(at) == text)
}

/// What was read of a row. One that this release cannot read is told of, and keeps no other from being seen.
pub(super) fn readable<T>(item: &Item, read: Result<Option<T>, LedgerError>) -> Option<T> {
    read.unwrap_or_else(|error| {
        let key = |name| get_text(item, name).unwrap_or_default();
        let (pk, sk, error) = (key("pk"), key("sk"), error_chain(&error));
        tracing::error!(row.pk = pk, row.sk = sk, error, "what waits for a person was left out");
        None
    })
}

/// `None`: a later release wrote it.
fn placed(shop: &ShopDomain, item: &Item) -> Result<Option<PlacedLetter>, LedgerError> {
    let Some(RowKey::Step(step)) = get_text(item, "sk").and_then(row_key) else { return Ok(None) };
    let order: Option<OrderId> = get_text(item, "pk")
        .and_then(|pk| pk.strip_prefix("ORDER#"))
        .and_then(|order| order.rsplit('#').next())
        .and_then(|id| id.parse().ok());
    let body = from_attribute("understand a parked step", item, "body")?;
    let letter = DeadLetter::of_row(shop, order, &step, body)?;
    let place = get_text(item, "status_sk").unwrap_or_default().to_owned();
    Ok(letter.map(|letter| PlacedLetter { place, letter }))
}
