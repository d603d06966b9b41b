//! Resend: a person wants the tracking of an order to be shown, whether it failed or not. What was shown before is looked
//! for again, and written again if the shop does not show it; nobody is mailed twice about a number.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Phase;
use crate::history::HistoryEvent;
use crate::id::OrderRef;
use crate::jobs::Asked;
use crate::ports::{Ledger, LedgerError, Registry, Tasks, after};
use crate::record::OrderRecord;
use crate::step::{Look, StepId, WaitReason};
use crate::sync::{ask_for_sync, source_orders};
use crate::tags;
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::Unfinished;

/// How often it is written against workers that write the same order.
const MAX_WRITES: usize = 5;

/// Has every shipment of `order` looked at anew, `delay` from now: those that are parked go again, those that were written
/// are verified. Of an order of which nothing is known to have been shipped, has its stores asked.
///
/// Due in the ledger with the same write; asked twice, it does no more than once.
///
/// # Errors
/// The ledger does not take it.
pub(crate) async fn resend<L: Ledger + Registry>(
    ledger: &L,
    tasks: &impl Tasks,
    order: &OrderRef,
    asked: Asked<'_>,
    (now, delay): (Timestamp, std::time::Duration),
) -> Result<(), Unfinished> {
    let mut tries = 0;
    let looked_at = loop {
        let mut record = ledger.load(order).await?;
        let mut sources = Vec::new();
        for source in source_orders(&record) {
            sources.push(ledger.load(&source).await?);
        }
        let due = after(now, delay);
        let looked_at = wake(&mut record, &mut sources, due, now);
        if looked_at.is_empty() {
            break looked_at;
        }
        record.log(event(asked, now));
        tags::note(&mut record, now);
        let mut records: Vec<&mut OrderRecord> = std::iter::once(&mut record).chain(&mut sources).collect();
        tries += 1;
        match ledger.save(&mut records).await {
            Err(LedgerError::Conflict) if tries < MAX_WRITES => {}
            other => {
                other?;
                break looked_at;
            }
        }
    };
    if looked_at.is_empty() {
        let Some(shop) = ledger.shop(&order.shop).await? else { return Ok(()) };
        ask_for_sync(ledger, tasks, (&shop, order), (asked.job, asked.by), now).await?;
    }
    for at in looked_at {
        let task = Task::new(Trigger::Request, asked.job, Subject::Order(at));
        // The rows are due: a message that does not go out only means that due work sends it.
        let _ = tasks.send_later(Queue::TrackingWriteback, &task, delay).await;
    }
    Ok(())
}

/// Makes due what is parked and what was written, in memory; leaves alone what goes already. Returns from where it is
/// looked at.
fn wake(record: &mut OrderRecord, sources: &mut [OrderRecord], due: Timestamp, now: Timestamp) -> BTreeSet<OrderRef> {
    let mut looked_at = BTreeSet::new();
    for (shipment, row) in &mut record.writebacks {
        let is_written = matches!(row.get().state.phase, Phase::Written { .. });
        if row.get().parked.is_none() && !is_written {
            continue;
        }
        let step = row.change();
        if step.parked.is_some() {
            step.reopen();
        }
        if is_written {
            // What was written for it stays known, and whom it mailed.
            step.state.phase = Phase::Pending;
        }
        step.wait(now, due, WaitReason::Requested);
        looked_at.insert(shipment.looked_at_from(&record.at).clone());
    }
    for source in sources {
        let look = source.look(Look::Shipments).get();
        if look.parked.is_some() {
            let look = source.look_mut(Look::Shipments).change();
            look.reopen();
            look.wait(now, due, WaitReason::Requested);
            looked_at.insert(source.at.clone());
        }
    }
    looked_at
}

fn event(asked: Asked<'_>, now: Timestamp) -> HistoryEvent {
    HistoryEvent {
        at: now,
        what: StepId::Look(Look::Shipments).to_string(),
        before: "none".into(),
        after: "resend requested".into(),
        trigger: Trigger::Request,
        cause_id: asked.job.to_owned(),
        actor: asked.by.to_owned(),
        code: None,
        request_id: None,
        detail: Some(asked.reason.to_owned()),
    }
}
