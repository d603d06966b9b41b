//! Resend: a person wants the tracking of an order to be shown, whether it failed or not. What was shown before is looked
//! for again, and written again if the shop does not show it; nobody is mailed twice about a number.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Phase;
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
/// Shipments saved at once: their rows, those of the source orders and the history must fit one transaction of 100 items.
const MAX_AT_ONCE: usize = 40;

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
    let (due, mut tries, mut looked_at) = (after(now, delay), 0, BTreeSet::new());
    loop {
        let mut record = ledger.load(order).await?;
        let mut sources = Vec::new();
        for source in source_orders(&record) {
            sources.push(ledger.load(&source).await?);
        }
        let woken = wake(&mut record, &mut sources, due, now);
        if woken.is_empty() {
            break;
        }
        if looked_at.is_empty() {
            let look = StepId::Look(Look::Shipments);
            record.log(asked.event(now, Trigger::Request, &look, ("none", "resend requested")));
        }
        tags::note(&mut record, now);
        let mut records: Vec<&mut OrderRecord> = std::iter::once(&mut record).chain(&mut sources).collect();
        match ledger.save(&mut records).await {
            // There may be more of them than one save takes.
            Ok(()) => looked_at.extend(woken),
            Err(LedgerError::Conflict) if tries < MAX_WRITES => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
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

/// Makes due what is parked and what was written, in memory: some of it, where it is more than one save takes. Leaves alone
/// what goes already. Returns from where it is looked at.
fn wake(record: &mut OrderRecord, sources: &mut [OrderRecord], due: Timestamp, now: Timestamp) -> BTreeSet<OrderRef> {
    let mut looked_at = BTreeSet::new();
    let mut woken = 0;
    for (shipment, row) in &mut record.writebacks {
        let step = row.get();
        let is_written = matches!(step.state.phase, Phase::Written { .. });
        let goes = step.wait.as_ref().is_some_and(|wait| !wait.why.is_heard_later());
        if step.parked.is_none() && (!is_written || goes) {
            continue;
        }
        let step = row.change();
        if step.parked.is_some() {
            step.reopen();
        }
        step.state.unseen = false;
        // What was written for it stays known, and whom it mailed; only that it is shown is not taken for granted.
        step.wait(now, due, if is_written { WaitReason::Resend } else { WaitReason::Requested });
        looked_at.insert(shipment.looked_at_from(&record.at).clone());
        woken += 1;
        if woken == MAX_AT_ONCE {
            return looked_at;
        }
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
