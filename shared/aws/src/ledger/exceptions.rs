//! Exceptions: orders with warnings, found by the list in which they stand as long as somebody has to own one; and who took
//! which causes, a row each in the registry.

use roundtrip_domain::exceptions::Assignment;
use roundtrip_domain::id::{OrderRef, ShopDomain};
use roundtrip_domain::ports::{Exceptions, LedgerError, WarnedPage};
use roundtrip_domain::record::{List, RowKey, Warned};

use super::keys::{OWNERS, row_sk};
use super::lists::order_id;
use super::parked::readable;
use super::{DynamoLedger, ITEM_VERSION, Item, failed, from_attribute, get_text, number, text, to_attribute};

impl Exceptions for DynamoLedger {
    async fn warned(&self, shop: &ShopDomain, after: Option<&str>, limit: u16) -> Result<WarnedPage, LedgerError> {
        let (items, next) = self.oldest_first((shop, List::Warned), after, limit).await?;
        let orders = items.iter().filter_map(|item| readable(item, warned_order(shop, item)));
        Ok(WarnedPage { orders: orders.collect(), next })
    }

    async fn assignments(&self) -> Result<Vec<Assignment>, LedgerError> {
        let query = self.client.query().table_name(&self.tables.registry).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", text(OWNERS)).consistent_read(true);
        let pages = query.into_paginator().items().send();
        let items: Vec<Item> = pages.try_collect().await.map_err(failed("read who owns what"))?;
        items.iter().map(|item| from_attribute("understand who owns what", item, "body")).collect()
    }

    async fn assign(&self, assignment: &Assignment) -> Result<(), LedgerError> {
        let item = Item::from([
            ("pk".to_owned(), text(OWNERS)),
            ("sk".to_owned(), text(&assignment.cause)),
            ("v".to_owned(), number(ITEM_VERSION)),
            ("expires_at".to_owned(), number(assignment.until.as_second())),
            ("body".to_owned(), to_attribute("write who owns what", assignment)?),
        ]);
        let put = self.client.put_item().table_name(&self.tables.registry).set_item(Some(item));
        put.send().await.map_err(failed("write who owns what"))?;
        Ok(())
    }

    async fn release(&self, cause: &str) -> Result<(), LedgerError> {
        let delete = self.client.delete_item().table_name(&self.tables.registry);
        let delete = delete.key("pk", text(OWNERS)).key("sk", text(cause));
        delete.send().await.map_err(failed("write who owns what"))?;
        Ok(())
    }
}

/// `None`: a later release wrote it.
fn warned_order(shop: &ShopDomain, item: &Item) -> Result<Option<(OrderRef, Warned)>, LedgerError> {
    if get_text(item, "sk") != Some(row_sk(&RowKey::Warned).as_str()) {
        return Ok(None);
    }
    let order = OrderRef { shop: shop.clone(), id: order_id(item)? };
    Ok(Some((order, from_attribute("understand the warnings of an order", item, "body")?)))
}
