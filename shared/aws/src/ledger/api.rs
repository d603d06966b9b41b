//! What the API and the console read: lists, and an order with its history.

use aws_sdk_dynamodb::types::Select;
use jiff::Timestamp;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{OrderId, OrderRef, ShopDomain};
use roundtrip_domain::ports::LedgerError;
use roundtrip_domain::record::{Summary, Tab};

use super::keys::{HISTORY, order_pk, status_pk};
use super::{DynamoLedger, Item, failed, from_attribute, get_text, text};

/// As many as a request to the API reads at once.
const MAX_PAGE: u16 = 250;
/// Pages of one tab that a count reads, so that it ends within the time that the API has: 5,000 orders.
const MAX_PAGES: u32 = 20;

/// One row of an order list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedOrder {
    pub id: OrderId,
    pub summary: Summary,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderPage {
    pub orders: Vec<ListedOrder>,
    /// Where the next page starts; `None`: this was the last.
    pub next: Option<String>,
}

impl DynamoLedger {
    /// The orders of a shop in one tab, newest first. `after` is [`OrderPage::next`] of the page before.
    /// The index is up to a second behind.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn list_orders(
        &self,
        shop: &ShopDomain,
        tab: Tab,
        limit: u16,
        after: Option<&str>,
    ) -> Result<OrderPage, LedgerError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.ledger)
            .index_name("by_status")
            .expression_attribute_values(":pk", text(status_pk(shop, tab)))
            .scan_index_forward(false)
            .limit(i32::from(limit) + 1);
        // The sort key itself is the cursor: it stays valid whatever happens to the row it names.
        let query = match after {
            Some(cursor) => query
                .key_condition_expression("status_pk = :pk AND status_sk < :cursor")
                .expression_attribute_values(":cursor", text(cursor)),
            None => query.key_condition_expression("status_pk = :pk"),
        };
        let page = query.send().await.map_err(failed("list orders"))?;
        let items = page.items.clone().unwrap_or_default();
        let shown = &items[..items.len().min(usize::from(limit))];
        let orders: Result<Vec<ListedOrder>, LedgerError> = shown.iter().map(listed).collect();
        // A page also ends at one megabyte.
        let next = (items.len() > shown.len() || page.last_evaluated_key.is_some())
            .then(|| shown.last().and_then(|item| get_text(item, "status_sk")).map(ToOwned::to_owned))
            .flatten();
        Ok(OrderPage { orders: orders?, next })
    }

    /// How many orders of a shop stand in a tab. Reads the index of that tab, a megabyte at a time.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn count_orders(&self, shop: &ShopDomain, tab: Tab) -> Result<usize, LedgerError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.tables.ledger)
            .index_name("by_status")
            .key_condition_expression("status_pk = :pk")
            .expression_attribute_values(":pk", text(status_pk(shop, tab)))
            .select(Select::Count)
            .into_paginator()
            .send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("count orders"))?;
            count += usize::try_from(page.count).unwrap_or_default();
        }
        Ok(count)
    }

    /// How many orders of a shop stand in the tabs of what is not, or not wholly, pushed, were placed since and are such,
    /// and whether these are all: no more than so many are read.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn count_open(
        &self,
        shop: &ShopDomain,
        since: Timestamp,
        are_such: impl Fn(&Summary) -> bool,
    ) -> Result<(usize, bool), LedgerError> {
        let mut count = 0;
        for tab in [Tab::NotPushed, Tab::PartiallyPushed] {
            let mut after: Option<String> = None;
            for page in 1.. {
                let OrderPage { orders, next } = self.list_orders(shop, tab, MAX_PAGE, after.as_deref()).await?;
                let is_old = |order: &ListedOrder| order.summary.created_at < since;
                let young = orders.iter().position(is_old).map_or(orders.as_slice(), |old| &orders[..old]);
                count += young.iter().filter(|order| are_such(&order.summary)).count();
                after = next.filter(|_| young.len() == orders.len());
                match (&after, page) {
                    (None, _) => break,
                    (Some(_), MAX_PAGES) => return Ok((count, false)),
                    (Some(_), _) => {}
                }
            }
        }
        Ok((count, true))
    }

    /// The latest events of an order, newest first.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn history(&self, order: &OrderRef, limit: u16) -> Result<Vec<HistoryEvent>, LedgerError> {
        let page = self
            .client
            .query()
            .table_name(&self.tables.ledger)
            .key_condition_expression("pk = :pk AND begins_with(sk, :history)")
            .expression_attribute_values(":pk", text(order_pk(order)))
            .expression_attribute_values(":history", text(HISTORY))
            .scan_index_forward(false)
            .limit(i32::from(limit))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read an order's history"))?;
        page.items().iter().map(|item| from_attribute("understand an event", item, "body")).collect()
    }
}

/// Whether `cursor` is one of ours: a creation time and an order id.
#[must_use]
pub fn is_cursor(cursor: &str) -> bool {
    cursor
        .split_once('#')
        .is_some_and(|(at, id)| at.parse::<jiff::Timestamp>().is_ok() && id.parse::<OrderId>().is_ok())
}

fn listed(item: &Item) -> Result<ListedOrder, LedgerError> {
    let id = get_text(item, "pk").and_then(|pk| pk.rsplit('#').next()).and_then(|id| id.parse().ok());
    let Some(id) = id else {
        return Err(LedgerError::Unavailable {
            doing: "understand a listed order",
            source: "its key names no order".into(),
        });
    };
    Ok(ListedOrder { id, summary: from_attribute("understand a listed order", item, "body")? })
}
