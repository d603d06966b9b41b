//! Orders and their steps: the `Ledger` port.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use jiff::Timestamp;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{OrderRef, ShopDomain};
use roundtrip_domain::ports::{DueRow, Ledger, LedgerError};
use roundtrip_domain::record::{Commit, Listing, RowKey, StoredRow, WakeUp, Write};
use roundtrip_domain::step::{Step, StepId, WaitReason};
use roundtrip_domain::task::{Queue, Subject};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::{
    DUE_SHARDS, FIRST_ROW, HISTORY, LAST_ROW, due_shard, order_pk, parked_sk, row_key, row_sk, sortable, status_pk,
    status_sk,
};
use super::{
    DynamoLedger, ITEM_VERSION, Item, failed, from_attribute, get_number, get_text, number, text, to_attribute,
    transaction_failed,
};

impl Ledger for DynamoLedger {
    async fn rows(&self, order: &OrderRef) -> Result<Vec<StoredRow>, LedgerError> {
        let pages = self
            .client
            .query()
            .table_name(&self.tables.ledger)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(order_pk(order)))
            .expression_attribute_values(":first", text(FIRST_ROW))
            .expression_attribute_values(":last", text(LAST_ROW))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(failed("read an order"))?;
        items.iter().filter_map(|item| stored_row(item).transpose()).collect()
    }

    async fn commit(&self, commit: Commit) -> Result<(), LedgerError> {
        let mut items = Vec::with_capacity(commit.writes.len() + commit.history.len());
        for write in commit.writes {
            items.push(self.write_item(write)?);
        }
        for (order, event) in commit.history {
            items.push(self.history_item(&order, &event)?);
        }
        self.client.transact_write_items().set_transact_items(Some(items)).send().await.map_err(transaction_failed)?;
        Ok(())
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRow>, LedgerError> {
        let per_shard = limit.div_ceil(usize::from(DUE_SHARDS));
        let mut due = Vec::new();
        for shard in 0..DUE_SHARDS {
            let pages = self
                .client
                .query()
                .table_name(&self.tables.ledger)
                .index_name("due")
                .key_condition_expression("due_shard = :shard AND due_at <= :now")
                .expression_attribute_values(":shard", text(shard.to_string()))
                .expression_attribute_values(":now", text(sortable(now)))
                .limit(i32::try_from(per_shard).unwrap_or(i32::MAX))
                .send();
            let page = pages.await.map_err(failed("read what is due"))?;
            for item in page.items() {
                match due_row(item) {
                    Ok(row) => due.push(row),
                    // A later release wrote it: it must not keep everybody else's work from being done.
                    Err(error) => tracing::error!(
                        row.pk = get_text(item, "pk").unwrap_or_default(),
                        row.sk = get_text(item, "sk").unwrap_or_default(),
                        error = roundtrip_domain::error_chain(&error),
                        "a row that is due was left out"
                    ),
                }
            }
        }
        Ok(due)
    }

    async fn postpone(&self, row: &DueRow, until: Timestamp) -> Result<(), LedgerError> {
        let (pk, sk) = &row.row;
        let moved = self
            .client
            .update_item()
            .table_name(&self.tables.ledger)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .update_expression("SET due_at = :until")
            .condition_expression("due_at = :seen")
            .expression_attribute_values(":until", text(sortable(until)))
            .expression_attribute_values(":seen", text(sortable(row.wake_up.at)))
            .send()
            .await
            .map_err(failed("postpone what is due"));
        match moved {
            // Its worker was faster.
            Err(LedgerError::Conflict) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn some_rows(&self, keys: &[(OrderRef, RowKey)]) -> Result<Vec<(OrderRef, StoredRow)>, LedgerError> {
        let orders: HashMap<String, &OrderRef> = keys.iter().map(|(order, _)| (order_pk(order), order)).collect();
        let keys: Vec<(String, String)> = keys.iter().map(|(order, key)| (order_pk(order), row_sk(key))).collect();
        let mut rows = Vec::with_capacity(keys.len());
        for item in self.batch_get(&self.tables.ledger, &keys).await? {
            let order = get_text(&item, "pk").and_then(|pk| orders.get(pk));
            if let (Some(order), Some(row)) = (order, stored_row(&item)?) {
                rows.push(((*order).clone(), row));
            }
        }
        Ok(rows)
    }

    async fn shop_step<S: DeserializeOwned>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
    ) -> Result<Option<(Step<S>, u64)>, LedgerError> {
        self.read_shop_step(domain, id).await
    }

    async fn save_shop_step<S: Serialize>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
        step: &Step<S>,
        version: u64,
    ) -> Result<(), LedgerError> {
        self.write_shop_step(domain, id, step, version).await
    }
}

/// What the `due` index carries beside the time: the task to send.
#[derive(Serialize, Deserialize)]
struct DueTask {
    queue: Queue,
    subject: Subject,
    why: WaitReason,
}

/// Puts the wake-up into the attributes of the sparse `due` index.
pub(super) fn add_due(item: &mut Item, pk: &str, due: &WakeUp) {
    let task = DueTask { queue: due.queue, subject: due.subject.clone(), why: due.why };
    let task = serde_json::to_string(&task).expect("a wake-up is plain data");
    item.insert("due_shard".into(), text(due_shard(pk)));
    item.insert("due_at".into(), text(sortable(due.at)));
    item.insert("due_task".into(), text(task));
}

fn due_row(item: &Item) -> Result<DueRow, LedgerError> {
    let unreadable = |source: Box<dyn std::error::Error + Send + Sync>| LedgerError::Unavailable {
        doing: "understand a row that is due",
        source,
    };
    let field = |name: &str| get_text(item, name).unwrap_or_default().to_owned();
    let at: Timestamp = field("due_at").parse().map_err(|error| unreadable(Box::new(error)))?;
    let task: DueTask = serde_json::from_str(&field("due_task")).map_err(|error| unreadable(Box::new(error)))?;
    let wake_up = WakeUp { at, queue: task.queue, subject: task.subject, why: task.why };
    Ok(DueRow { row: (field("pk"), field("sk")), wake_up })
}

fn stored_row(item: &Item) -> Result<Option<StoredRow>, LedgerError> {
    let Some(key) = get_text(item, "sk").and_then(row_key) else { return Ok(None) };
    let version = get_number(item, "version").unwrap_or(0);
    let body = from_attribute("understand a row", item, "body")?;
    Ok(Some(StoredRow { key, version, body }))
}

impl DynamoLedger {
    fn write_item(&self, write: Write) -> Result<TransactWriteItem, LedgerError> {
        let pk = order_pk(&write.order);
        let sk = row_sk(&write.key);
        let Some(body) = write.body else {
            return Ok(self.check_item(pk, sk, write.expected));
        };
        let mut item = Item::from([
            ("pk".to_owned(), text(&pk)),
            ("sk".to_owned(), text(sk)),
            ("v".to_owned(), number(ITEM_VERSION)),
            ("version".to_owned(), number(write.expected + 1)),
            ("body".to_owned(), to_attribute("write a row", body)?),
        ]);
        if let Some(due) = &write.due {
            add_due(&mut item, &pk, due);
        }
        if let Some(Listing { list, at, name }) = write.listed {
            item.insert("status_pk".into(), text(status_pk(&write.order.shop, list)));
            let place = match &write.key {
                RowKey::Step(step) => parked_sk(at, &write.order.id, step),
                _ => status_sk(at, &write.order),
            };
            item.insert("status_sk".into(), text(place));
            // DynamoDB takes no empty key, and none of more than 1,024 bytes.
            if let Some(name) = name.filter(|name| (1..=1024).contains(&name.len())) {
                item.insert("name".into(), text(name));
            }
        }
        if let Some(at) = write.expires_at {
            item.insert("expires_at".into(), number(at.as_second()));
        }
        let put = versioned_put(&self.tables.ledger, item, write.expected);
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn check_item(&self, pk: String, sk: String, expected: u64) -> TransactWriteItem {
        let check = ConditionCheck::builder().table_name(&self.tables.ledger).key("pk", text(pk)).key("sk", text(sk));
        let check = match expected {
            0 => check.condition_expression("attribute_not_exists(pk)"),
            version => check
                .condition_expression("version = :version")
                .expression_attribute_values(":version", number(version)),
        };
        let check = check.build().expect("table, key and condition are set");
        TransactWriteItem::builder().condition_check(check).build()
    }

    pub(super) fn history_item(
        &self,
        order: &OrderRef,
        event: &HistoryEvent,
    ) -> Result<TransactWriteItem, LedgerError> {
        // Version 7 ids of one worker sort by time, so events of one millisecond keep their order.
        let sk = format!("{HISTORY}{}#{}", sortable(event.at), Uuid::now_v7());
        let item = Item::from([
            ("pk".to_owned(), text(order_pk(order))),
            ("sk".to_owned(), text(sk)),
            ("v".to_owned(), number(ITEM_VERSION)),
            ("body".to_owned(), to_attribute("write history", event)?),
        ]);
        let put = Put::builder().table_name(&self.tables.ledger).set_item(Some(item));
        Ok(TransactWriteItem::builder().put(put.build().expect("table and item are set")).build())
    }
}

/// A put that depends on the version that was read; 0: on there being none.
pub(super) fn versioned_put(table: &str, item: Item, expected: u64) -> Put {
    let put = Put::builder().table_name(table).set_item(Some(item));
    let put = match expected {
        0 => put.condition_expression("attribute_not_exists(pk)"),
        version => put
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
    };
    put.build().expect("table and item are set")
}
