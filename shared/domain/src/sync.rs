//! Sync now: a person asks for one order to be looked at, and sees what came of it.
//!
//! Whoever looks does what any look does. The request is a row of the order, due at once, so that it is answered even
//! if its message is lost; and answered by the state of the look, whichever task it was that looked.

use std::time::Duration;

use jiff::Timestamp;

use crate::history::HistoryEvent;
use crate::id::OrderRef;
use crate::ports::{Clock, Ledger, LedgerError, Ports, Registry, Tasks, after};
use crate::push::PushState;
use crate::record::{OrderRecord, Origin, Row, SyncRequest, SyncState};
use crate::registry::ConnectedShop;
use crate::step::{Look, StepId};
use crate::task::{Subject, Task, Trigger};
use crate::work::{Outcome, Unfinished};

/// Clicks within this time are one request, even if the first is answered. Source: scenario "On-demand sync".
const ONE_CLICK: Duration = Duration::from_secs(10);
/// After this time a request that is not answered yet counts as timed out; it is answered all the same. Source: the
/// brief, "10 seconds to 2 minutes".
pub const TIMEOUT: Duration = Duration::from_secs(120);
/// How often a request is written against workers that write the same order.
const MAX_WRITES: usize = 5;

/// Asks for `order` to be looked at, and for what was shipped of it. Returns the request: a new one, or the one that was
/// made just before, or is not answered yet.
///
/// # Errors
/// The ledger does not take it; whoever asks next asks again.
pub async fn ask_for_sync<L: Ledger, T: Tasks>(
    ledger: &L,
    tasks: &T,
    (shop, order): (&ConnectedShop, &OrderRef),
    (id, by): (&str, &str),
    now: Timestamp,
) -> Result<SyncRequest, Unfinished> {
    let mut tries = 0;
    loop {
        let mut record = ledger.load(order).await?;
        if let Some(before) = record.sync.as_ref().map(Row::get).filter(|before| is_the_same_click(before, now)) {
            return Ok(before.clone());
        }
        let also = source_orders(&record);
        let look = look_of(&record, shop);
        let request = SyncRequest {
            id: id.to_owned(),
            look,
            requested_at: now,
            requested_by: by.to_owned(),
            also: also.clone(),
            state: SyncState::Open { due: now },
        };
        let task = Task::new(Trigger::Request, id, Subject::Order(order.clone()));
        let mut event = HistoryEvent::moved(now, &task, "sync", "none", "sync requested");
        by.clone_into(&mut event.actor);
        record.log(event);
        put(&mut record, request.clone());
        let mut sources = Vec::new();
        for source in &also {
            let mut record = ledger.load(source).await?;
            put(&mut record, SyncRequest { look: Look::Shipments, also: Vec::new(), ..request.clone() });
            sources.push(record);
        }
        let mut records: Vec<&mut OrderRecord> = std::iter::once(&mut record).chain(&mut sources).collect();
        tries += 1;
        match ledger.save(&mut records).await {
            Err(LedgerError::Conflict) if tries < MAX_WRITES => continue,
            other => other?,
        }
        // The rows are due already: a message that does not go out only means that due work wakes whoever looks.
        let _ = tasks.send(StepId::Look(look).queue(), &task).await;
        for source in also {
            let task = Task::new(Trigger::Request, id, Subject::Order(source));
            let _ = tasks.send(StepId::Look(Look::Shipments).queue(), &task).await;
        }
        return Ok(request);
    }
}

fn is_the_same_click(before: &SyncRequest, now: Timestamp) -> bool {
    let is_open = matches!(before.state, SyncState::Open { .. });
    let patience = if is_open { TIMEOUT } else { ONE_CLICK };
    now < after(before.requested_at, patience)
}

/// A source order is looked at for what was shipped of it; any other as an order, where its shop sells.
fn look_of(record: &OrderRecord, shop: &ConnectedShop) -> Look {
    match record.origin.as_ref().map(Row::get) {
        Some(Origin::Pushed { .. }) => Look::Shipments,
        Some(Origin::Unclaimed { .. }) | None if !shop.keeps_orders() => Look::Shipments,
        Some(Origin::Unclaimed { .. }) | None => Look::Order,
    }
}

/// The orders that were made of it at source stores.
pub(crate) fn source_orders(record: &OrderRecord) -> Vec<OrderRef> {
    let confirmed = record.pushes.iter().filter_map(|((source, _), row)| match &row.get().state {
        PushState::Confirmed { order, .. } => Some(OrderRef { shop: source.clone(), id: order.id }),
        PushState::NotPushed { .. } | PushState::Sent { .. } | PushState::Verifying { .. } => None,
    });
    confirmed.collect()
}

fn put(record: &mut OrderRecord, request: SyncRequest) {
    match &mut record.sync {
        Some(row) => *row.change() = request,
        None => record.sync = Some(Row::new(request)),
    }
}

/// Answers the request that was open when a task began, by the state in which the task left the look: it has looked, or
/// looks again later, or a person has to see to it.
pub(crate) async fn answer<L: Ledger + Registry, C, T, K: Clock>(
    ports: &Ports<L, C, T, K>,
    order: &OrderRef,
    look: Look,
    outcome: &Outcome,
) -> Result<(), LedgerError> {
    let mut record = ports.ledger.load(order).await?;
    let Some(open) = record.open_sync().filter(|open| open.look == look).cloned() else { return Ok(()) };
    let now = ports.clock.now();
    let step = record.look(look).get();
    let state = match (&step.parked, &step.wait) {
        (Some(parked), _) => SyncState::Failed { at: now, code: parked.code },
        (None, Some(wait)) => SyncState::Open { due: wait.until.max(now) },
        (None, None) => SyncState::Done { at: now, outcome: outcome.to_string() },
    };
    // Valid only while the look is as it was seen.
    record.look_mut(look).hold();
    if open.state != state {
        put(&mut record, SyncRequest { state, ..open });
    }
    match ports.ledger.save(&mut [&mut record]).await {
        // Somebody else looks, or has looked, and answers it; if not, it is still due.
        Err(LedgerError::Conflict) => Ok(()),
        other => other,
    }
}
