//! Jobs: what they have to do is written once, and may be long; how far they have come is a short row beside, listed while
//! they are open.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::jobs::{Job, JobState};
use roundtrip_domain::ports::{Jobs, LedgerError, after};
use serde::{Deserialize, Serialize};

use super::keys::{JOB, JOB_PROGRESS, OPEN_JOBS, job_pk, sortable};
use super::orders::versioned_put;
use super::{
    DynamoLedger, ITEM_VERSION, Item, failed, from_attribute, get_number, get_text, number, text, to_attribute,
    transaction_failed,
};

/// How long it is remembered who set what going, and why.
const KEPT: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);

/// What of a job changes.
#[derive(Serialize, Deserialize)]
struct HowFar {
    sent: usize,
    sent_at: Option<Timestamp>,
    #[serde(default)]
    purged: usize,
    sent_again_at: Option<Timestamp>,
    #[serde(default)]
    sent_again: usize,
    state: JobState,
}

impl HowFar {
    fn of(job: &Job) -> Self {
        let Job { sent, sent_at, purged, sent_again_at, sent_again, .. } = *job;
        Self { sent, sent_at, purged, sent_again_at, sent_again, state: job.state.clone() }
    }

    fn put_into(self, job: &mut Job) {
        let Self { sent, sent_at, purged, sent_again_at, sent_again, state } = self;
        (job.sent, job.sent_at, job.purged) = (sent, sent_at, purged);
        (job.sent_again_at, job.sent_again, job.state) = (sent_again_at, sent_again, state);
    }
}

impl Jobs for DynamoLedger {
    async fn job(&self, id: &str) -> Result<Option<(Job, u64)>, LedgerError> {
        let query = self.client.query().table_name(&self.tables.ledger).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", text(job_pk(id))).consistent_read(true);
        let pages = query.into_paginator().items().send();
        let items: Vec<Item> = pages.try_collect().await.map_err(failed("read a job"))?;
        let row = |sk: &str| items.iter().find(|item| get_text(item, "sk") == Some(sk));
        let (Some(item), Some(progress)) = (row(JOB), row(JOB_PROGRESS)) else { return Ok(None) };
        let mut job: Job = from_attribute("understand a job", item, "body")?;
        let how_far: HowFar = from_attribute("understand how far a job is", progress, "body")?;
        how_far.put_into(&mut job);
        Ok(Some((job, get_number(progress, "version").unwrap_or(0))))
    }

    async fn save_job(&self, job: &Job, version: u64, history: &[(OrderRef, HistoryEvent)]) -> Result<(), LedgerError> {
        let mut progress = row(job, JOB_PROGRESS, version + 1, to_attribute("write a job", HowFar::of(job))?);
        if job.is_open() {
            progress.insert("status_pk".into(), text(OPEN_JOBS));
            progress.insert("status_sk".into(), text(format!("{}#{}", sortable(job.asked_at), job.id)));
        }
        let mut puts = vec![versioned_put(&self.tables.ledger, progress, version)];
        if version == 0 {
            let item = row(job, JOB, 1, to_attribute("write a job", job)?);
            puts.push(versioned_put(&self.tables.ledger, item, 0));
        }
        let mut items: Vec<TransactWriteItem> =
            puts.into_iter().map(|put| TransactWriteItem::builder().put(put).build()).collect();
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

fn row(job: &Job, sk: &str, version: u64, body: AttributeValue) -> Item {
    Item::from([
        ("pk".to_owned(), text(job_pk(&job.id))),
        ("sk".to_owned(), text(sk)),
        ("v".to_owned(), number(ITEM_VERSION)),
        ("version".to_owned(), number(version)),
        ("expires_at".to_owned(), number(after(job.asked_at, KEPT).as_second())),
        ("body".to_owned(), body),
    ])
}
