//! What only the API reads: the history of an order.

use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::ports::LedgerError;

use super::keys::{HISTORY, order_pk};
use super::{DynamoLedger, failed, from_attribute, text};

impl DynamoLedger {
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
