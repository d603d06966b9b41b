//! Labels as ops-api writes them down when a label tool posts or voids one.

use roundtrip_domain::id::{LabelId, OrderRef};
use roundtrip_domain::ports::{Clock, Ledger, Tasks};
use roundtrip_domain::record::OrderRecord;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::{Label, LabelRefused, Told, TrackingInfo, tell_label, void_label};

use crate::fake::FakePorts;

/// A label for all that its order still waits for, from a warehouse that nobody named.
#[must_use]
pub fn label(ports: &FakePorts, numbers: &[&str]) -> Label {
    let info = |number: &&str| TrackingInfo::new(Some("usps".into()), Some((*number).into()), None);
    Label {
        tracking: numbers.iter().filter_map(info).collect(),
        lines: None,
        warehouse: None,
        notify_customer: true,
        created_at: ports.clock.now(),
        created_by: "label tool".into(),
        voided_at: None,
    }
}

/// `POST /v1/labels`.
///
/// # Panics
/// If the label is refused.
pub async fn post(ports: &FakePorts, at: &OrderRef, id: &LabelId, label: Label) {
    try_post(ports, at, id, label).await.expect("the label is taken");
}

/// `POST /v1/labels`.
///
/// # Errors
/// The label is refused; nothing is changed.
///
/// # Panics
/// If the ledger does not answer.
pub async fn try_post(ports: &FakePorts, at: &OrderRef, id: &LabelId, label: Label) -> Result<(), LabelRefused> {
    let now = ports.clock.now();
    let mut refused = Ok(());
    change(ports, at, |record| match tell_label(record, id, label, now) {
        Ok(told) => told,
        Err(why) => {
            refused = Err(why);
            Told::Nothing
        }
    })
    .await;
    refused
}

/// The label was deleted in its tool.
///
/// # Panics
/// If the order has no such label.
pub async fn void(ports: &FakePorts, at: &OrderRef, id: &LabelId) {
    let now = ports.clock.now();
    change(ports, at, |record| void_label(record, id, now).expect("the label is known")).await;
}

/// Saves what was told, and wakes the worker.
async fn change(ports: &FakePorts, at: &OrderRef, tell: impl FnOnce(&mut OrderRecord) -> Told) {
    let mut record = ports.ledger.load(at).await.expect("the ledger answers");
    tell(&mut record);
    ports.ledger.save(&mut [&mut record]).await.expect("nobody else writes");
    let task = Task::new(Trigger::Request, "label", Subject::Order(at.clone()));
    // The row is due already: a task that is lost is made up for.
    drop(ports.tasks.send(Queue::TrackingWriteback, &task).await);
}
