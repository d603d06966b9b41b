//! Lists of orders: pages, what a filter lets through, counts. However many orders there are, one question reads no more
//! than so many pages of the index; the answer says where to go on.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::Select;
use jiff::Timestamp;
use roundtrip_domain::id::{OrderId, OrderRef, ShopDomain};
use roundtrip_domain::ports::LedgerError;
use roundtrip_domain::record::{List, OrderFilter, Origin, Received, RowKey, Summary, Tab};
use serde::de::DeserializeOwned;

use super::keys::{order_pk, row_sk, sortable, status_pk};
use super::{DynamoLedger, Item, failed, from_attribute, get_text, text};

/// Rows of the index that are read at once where most may not get through.
const SCAN_PAGE: u16 = 250;
/// Pages of one list that one question reads, so that it ends within the time that the API has: 5,000 orders.
const MAX_PAGES: u32 = 20;
/// What one list may take of that time: there are four tabs.
const LONGEST: Duration = Duration::from_millis(1500);
/// Sorts behind every order.
const NEWEST: &str = "~";

/// An order in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    pub id: OrderId,
    /// Where it stands in the list: the cursor of a page that ends with it.
    pub place: String,
    pub row: T,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    pub orders: Vec<Listed<T>>,
    /// Where the next page starts; `None`: this was the last. With it, a page may be empty: so many orders were looked
    /// through, and none got through the filter.
    pub next: Option<String>,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part<'a> {
    /// Placed, or received, at this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub before: Option<Timestamp>,
    /// [`Page::next`] of the page before.
    pub after: Option<&'a str>,
    /// At most so many orders.
    pub limit: u16,
}

impl DynamoLedger {
    /// The orders of a shop in `tabs`, newest first. The index is up to a second behind.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn list_orders(
        &self,
        shop: &ShopDomain,
        tabs: &[Tab],
        filter: &OrderFilter,
        part: Part<'_>,
    ) -> Result<Page<Summary>, LedgerError> {
        let mut pages = Vec::with_capacity(tabs.len());
        for tab in tabs {
            let list = status_pk(shop, List::Tab(*tab));
            let wanted = (!filter.is_empty()).then_some(|order: &Summary| filter.lets_through(order));
            pages.push(self.page(&list, wanted, part).await?);
        }
        Ok(merged(pages, part.limit))
    }

    /// The orders that a shop received, newest first.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn list_received(
        &self,
        shop: &ShopDomain,
        wanted: Option<impl Fn(&OrderRef, &Received) -> bool>,
        part: Part<'_>,
    ) -> Result<Page<Origin>, LedgerError> {
        let by_row = wanted.map(|wanted| {
            move |origin: &Origin| match origin {
                Origin::Pushed { destination, received: Some(received), .. } => wanted(destination, received),
                Origin::Pushed { received: None, .. } | Origin::Unclaimed { .. } => false,
            }
        });
        self.page(&status_pk(shop, List::Received), by_row, part).await
    }

    async fn page<T: DeserializeOwned>(
        &self,
        list: &str,
        wanted: Option<impl Fn(&T) -> bool>,
        part: Part<'_>,
    ) -> Result<Page<T>, LedgerError> {
        let (limit, oldest) = (usize::from(part.limit), part.from.map(sortable).unwrap_or_default());
        let before = part.before.map_or_else(|| NEWEST.to_owned(), sortable);
        // The sort key itself is the cursor: it stays valid whatever happens to the row it names.
        let mut place = part.after.map_or(before.clone(), |after| before.min(after.to_owned()));
        let at_once = if wanted.is_none() { part.limit + 1 } else { SCAN_PAGE };
        let mut orders: Vec<Listed<T>> = Vec::new();
        let begun = Instant::now();
        for _ in 0..MAX_PAGES {
            let query = self.client.query().table_name(&self.tables.ledger).index_name("by_status");
            let query = query
                // DynamoDB takes one condition on a sort key: the older end is cut off below.
                .key_condition_expression("status_pk = :pk AND status_sk < :place")
                .expression_attribute_values(":pk", text(list))
                .expression_attribute_values(":place", text(&place))
                .scan_index_forward(false)
                .limit(i32::from(at_once));
            let page = query.send().await.map_err(failed("list orders"))?;
            let is_last = page.last_evaluated_key.is_none();
            let is_late = begun.elapsed() > LONGEST;
            for item in page.items() {
                let listed: Listed<T> = listed(item)?;
                if listed.place < oldest {
                    return Ok(Page { orders, next: None });
                }
                place.clone_from(&listed.place);
                if wanted.as_ref().is_some_and(|wanted| !wanted(&listed.row)) {
                    continue;
                }
                if orders.len() == limit {
                    let next = orders.last().map(|order| order.place.clone());
                    return Ok(Page { orders, next });
                }
                orders.push(listed);
            }
            if is_last {
                return Ok(Page { orders, next: None });
            }
            if is_late {
                break;
            }
        }
        Ok(Page { orders, next: Some(place) })
    }

    /// The orders of this number in the shop's lists, with or without the sign that its merchant sees before it. `key`:
    /// the row that the lists show.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn find_numbered<T: DeserializeOwned>(
        &self,
        shop: &ShopDomain,
        lists: &[List],
        key: &RowKey,
        number: &str,
    ) -> Result<Vec<Listed<T>>, LedgerError> {
        let mut orders = Vec::new();
        for name in [number.to_owned(), format!("#{number}")] {
            orders.extend(self.find_named(shop, lists, &name).await?);
        }
        orders.dedup();
        let keys: Vec<(String, String)> = orders.iter().map(|order| (order_pk(order), row_sk(key))).collect();
        let items = self.batch_get(&self.tables.ledger, &keys).await?;
        // Without a place: it left the lists since the index was read.
        items.iter().filter(|item| item.contains_key("status_sk")).map(listed).collect()
    }

    async fn find_named(&self, shop: &ShopDomain, lists: &[List], name: &str) -> Result<Vec<OrderRef>, LedgerError> {
        let mut found = Vec::new();
        for list in lists {
            let query = self.client.query().table_name(&self.tables.ledger).index_name("by_name");
            let query = query
                .key_condition_expression("status_pk = :pk AND #name = :name")
                .expression_attribute_names("#name", "name")
                .expression_attribute_values(":pk", text(status_pk(shop, *list)))
                .expression_attribute_values(":name", text(name));
            let page = query.send().await.map_err(failed("find an order by its name"))?;
            for item in page.items() {
                found.push(OrderRef { shop: shop.clone(), id: order_id(item)? });
            }
        }
        Ok(found)
    }

    /// How many orders of a shop stand in a tab. Reads keys alone, a megabyte at a time: about 7,000 orders.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn count_orders(&self, shop: &ShopDomain, tab: Tab) -> Result<usize, LedgerError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.tables.ledger)
            .index_name("by_name")
            .key_condition_expression("status_pk = :pk")
            .expression_attribute_values(":pk", text(status_pk(shop, List::Tab(tab))))
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
        let (mut count, mut is_all) = (0, true);
        for tab in [Tab::NotPushed, Tab::PartiallyPushed] {
            let part = Part { from: Some(since), limit: u16::MAX - 1, ..Part::default() };
            let page = self.page(&status_pk(shop, List::Tab(tab)), Some(&are_such), part).await?;
            count += page.orders.len();
            is_all &= page.next.is_none();
        }
        Ok((count, is_all))
    }
}

/// Pages of several lists as one: down to where each of them was read, or to the limit.
fn merged<T>(pages: Vec<Page<T>>, limit: u16) -> Page<T> {
    let frontier = pages.iter().filter_map(|page| page.next.clone()).max();
    let mut orders: Vec<Listed<T>> = pages.into_iter().flat_map(|page| page.orders).collect();
    orders.sort_by(|one, other| other.place.cmp(&one.place));
    // One that moved from tab to tab while they were read.
    orders.dedup_by(|one, other| one.place == other.place);
    if let Some(frontier) = &frontier {
        orders.retain(|order| order.place >= *frontier);
    }
    if orders.len() > usize::from(limit) {
        orders.truncate(limit.into());
        let next = orders.last().map(|order| order.place.clone());
        return Page { orders, next };
    }
    Page { orders, next: frontier }
}

/// Whether `cursor` is one of ours: a time and an order id, as they are written in keys.
#[must_use]
pub fn is_cursor(cursor: &str) -> bool {
    let parts = cursor.split_once('#').and_then(|(at, id)| Some((at.parse().ok()?, id.parse::<OrderId>().ok()?)));
    parts.is_some_and(|(at, id)| format!("{}#{id}", sortable(at)) == cursor)
}

fn listed<T: DeserializeOwned>(item: &Item) -> Result<Listed<T>, LedgerError> {
    Ok(Listed {
        id: order_id(item)?,
        place: get_text(item, "status_sk").unwrap_or_default().to_owned(),
        row: from_attribute("understand a listed order", item, "body")?,
    })
}

pub(super) fn order_id(item: &Item) -> Result<OrderId, LedgerError> {
    let id = get_text(item, "pk").and_then(|pk| pk.rsplit('#').next()).and_then(|id| id.parse().ok());
    id.ok_or_else(|| LedgerError::Unavailable {
        doing: "understand a listed order",
        source: "its key names no order".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(places: &[&str], next: Option<&str>) -> Page<()> {
        let order = |place: &&str| Listed { id: OrderId::new(1), place: (*place).to_owned(), row: () };
        Page { orders: places.iter().map(order).collect(), next: next.map(ToOwned::to_owned) }
    }

    fn places(page: &Page<()>) -> (Vec<&str>, Option<&str>) {
        (page.orders.iter().map(|order| order.place.as_str()).collect(), page.next.as_deref())
    }

    #[test]
    fn pages_of_several_lists_are_one_in_which_nothing_is_missing() {
        let whole = merged(vec![page(&["9", "4"], None), page(&["7"], None)], 10);
        assert_eq!(places(&whole), (vec!["9", "7", "4"], None));

        let full = merged(vec![page(&["9", "4"], None), page(&["7"], None)], 2);
        assert_eq!(places(&full), (vec!["9", "7"], Some("7")));

        // The second list was read down to 5: what is older of the first may not come before what is there.
        let partly = merged(vec![page(&["9", "4"], None), page(&["7"], Some("5"))], 10);
        assert_eq!(places(&partly), (vec!["9", "7"], Some("5")));

        let empty = merged(vec![page(&[], Some("5")), page(&[], Some("6"))], 10);
        assert_eq!(places(&empty), (vec![], Some("6")));
    }

    #[test]
    fn a_cursor_is_a_time_and_an_id() {
        assert!(is_cursor("2026-07-30T12:00:05.000Z#7"));
        for bad in [
            "",
            "7",
            "2026-07-30T12:00:05.000Z#x",
            "x#7",
            "#",
            "2026-07-30T12:00:05Z#7",
            "2026-07-30T14:00:05.000+02:00#7",
            "2026-07-30T12:00:05.000Z#07",
        ] {
            assert!(!is_cursor(bad), "{bad}");
        }
    }
}
