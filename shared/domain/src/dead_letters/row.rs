//! The row of a step that is nobody's just now: of an order or of a shop, whatever kind of step it is.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::DeadLetterId;
use crate::history::HistoryEvent;
use crate::id::{OrderRef, ShopDomain};
use crate::ports::{Ledger, LedgerError};
use crate::record::{Commit, Listing, RowKey, WakeUp, Write};
use crate::step::{Step, StepId, Wait};
use crate::task::{Queue, Subject};

/// Where it stands, and what a worker looks at to go on with it.
pub(super) struct StepRow {
    shop: ShopDomain,
    order: Option<OrderRef>,
    pub(super) step: StepId,
    subject: Subject,
}

impl StepRow {
    /// The one that a dead letter names.
    pub(super) fn of(letter: &DeadLetterId) -> Self {
        let (shop, step) = (letter.shop.clone(), letter.step.clone());
        Self { shop, order: letter.order(), step, subject: letter.subject() }
    }

    /// The crash of a task of `queue` about `subject`.
    pub(super) fn of_crash(queue: Queue, subject: &Subject) -> Self {
        let order = match subject {
            Subject::Order(order) => Some(order.clone()),
            Subject::FulfillmentOrder { .. } | Subject::Product { .. } | Subject::Shop { .. } => None,
        };
        let (shop, step) = (subject.shop().clone(), StepId::crash(queue, subject));
        Self { shop, order, step, subject: subject.clone() }
    }

    /// The step and its version; `None`: there is none.
    pub(super) async fn read<S: DeserializeOwned>(
        &self,
        ledger: &impl Ledger,
    ) -> Result<Option<(Step<S>, u64)>, LedgerError> {
        let Some(order) = &self.order else { return ledger.shop_step(&self.shop, &self.step).await };
        let key = (order.clone(), RowKey::Step(self.step.clone()));
        let row = ledger.some_rows(&[key]).await?.pop();
        row.map(|(_, row)| Ok((understood(row.body)?, row.version))).transpose()
    }

    /// Writes the step on condition of its version; of an order's, its history tells of it in the same transaction.
    pub(super) async fn write<S: Serialize>(
        &self,
        ledger: &impl Ledger,
        step: &Step<S>,
        version: u64,
        event: HistoryEvent,
    ) -> Result<(), LedgerError> {
        let Some(order) = &self.order else {
            return ledger.save_shop_step(&self.shop, &self.step, step, version).await;
        };
        let (queue, subject) = (self.step.queue(), &self.subject);
        let wake_up = |wait: &Wait| WakeUp { at: wait.until, queue, subject: subject.clone(), why: wait.why };
        let write = Write {
            order: order.clone(),
            key: RowKey::Step(self.step.clone()),
            expected: version,
            body: Some(serde_json::to_value(step).expect("a step is plain data")),
            due: step.wait.as_ref().map(wake_up),
            listed: step.parked.as_ref().and_then(Listing::of_parked),
            expires_at: None,
        };
        ledger.commit(Commit { writes: vec![write], history: vec![(order.clone(), event)] }).await
    }
}

/// The step that a row holds.
///
/// # Errors
/// It is none.
pub(crate) fn understood<S: DeserializeOwned>(body: Value) -> Result<Step<S>, LedgerError> {
    serde_json::from_value(body)
        .map_err(|error| LedgerError::Unavailable { doing: "understand a parked step", source: error.into() })
}
