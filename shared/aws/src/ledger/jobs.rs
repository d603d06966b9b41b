//! Jobs: a row each, listed while it is open.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::jobs::Job;
use roundtrip_domain::ports::{Jobs, LedgerError, after};

use super::keys::{JOB, OPEN_JOBS, job_pk, sortable};
use super::orders::versioned_put;
use super::{
    DynamoLedger, ITEM_VERSION, Item, failed, from_attribute, get_number, get_text, number, text, to_attribute,
    transaction_failed,
};

/// How long it is remembered who set what going, and why.
const KEPT: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);

impl Jobs for DynamoLedger {
    async fn job(&self, id: &str) -> Result<Option<(Job, u64)>, LedgerError> {
        let read = self.client.get_item().table_name(&self.tables.ledger);
        let read = read.key("pk", text(job_pk(id))).key("sk", text(JOB)).consistent_read(true);
        let Some(item) = read.send().await.map_err(failed("read a job"))?.item else { return Ok(None) };
        let job = from_attribute("understand a job", &item, "body")?;
        Ok(Some((job, get_number(&item, "version").unwrap_or(0))))
    }

    async fn save_job(&self, job: &Job, version: u64, history: &[(OrderRef, HistoryEvent)]) -> Result<(), LedgerError> {
        let mut item = Item::from([
            ("pk".to_owned(), text(job_pk(&job.id))),
            ("sk".to_owned(), text(JOB)),
            ("v".to_owned(), number(ITEM_VERSION)),
            ("version".to_owned(), number(version + 1)),
            ("expires_at".to_owned(), number(kept_until(job).as_second())),
            ("body".to_owned(), to_attribute("write a job", job)?),
        ]);
        if job.is_open() {
            item.insert("status_pk".into(), text(OPEN_JOBS));
            item.insert("status_sk".into(), text(format!("{}#{}", sortable(job.asked_at), job.id)));
        }
        let put = versioned_put(&self.tables.ledger, item, version);
        let mut items = vec![TransactWriteItem::builder().put(put).build()];
        for (order, event) in history {
            items.push(self.history_item(order, event)?);
        }
        self.client.transact_write_items().set_transact_items(Some(items)).send().await.map_err(transaction_failed)?;
        Ok(())
    }

    async fn open_jobs(&self) -> Result<Vec<String>, LedgerError> {
        let query = self.client.query().table_name(&self.tables.ledger).index_name("by_status");
        let query = query
            .key_condition_expression("status_pk = :pk")
            .expression_attribute_values(":pk", text(OPEN_JOBS))
            .projection_expression("status_sk");
        // Jobs are large, and a page holds few of them.
        let mut items = query.into_paginator().items().send();
        let mut ids = Vec::new();
        while let Some(item) = items.try_next().await.map_err(failed("list the jobs"))? {
            ids.extend(
                get_text(&item, "status_sk").and_then(|place| place.split_once('#')).map(|(_, id)| id.to_owned()),
            );
        }
        Ok(ids)
    }
}

fn kept_until(job: &Job) -> Timestamp {
    after(job.asked_at, KEPT)
}
