//! What a person asked for: requests and redrives set parked pushes going again, and are answered when the order
//! cannot be read.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::settle::{PushId, step_id};
use crate::code::Code;
use crate::id::ShopDomain;
use crate::look::is_redrive_of;
use crate::money::Money;
use crate::record::{LookState, OrderRecord, RequestState};
use crate::tags;
use crate::task::{Task, Trigger};

/// Whoever comes to look in the end, after failures and waits, knows by this that somebody asked for the order.
pub(super) fn mark_asked(record: &mut OrderRecord, task: &Task) {
    let LookState { asked_for, goes, .. } = record.look.get().state;
    let asked = matches!(task.trigger, Trigger::Request | Trigger::Backfill | Trigger::Unpushed);
    let goes_now = goes || task.trigger == Trigger::Unpushed;
    if (asked && !asked_for) || goes_now != goes {
        let state = &mut record.look.change().state;
        (state.asked_for, state.goes) = (true, goes_now);
    }
}

/// A person asked for a parked push to be tried again: by a redrive of just this step, or by a new request.
/// A redrive asks again for what was requested and answered with the failure. Done before anything can
/// fail: what is written down then, says that it was asked for.
pub(super) fn reopen_asked(record: &mut OrderRecord, task: &Task, now: Timestamp) {
    let requested: BTreeSet<PushId> = requested(record);
    let mut redriven = None;
    for (id, row) in &mut record.pushes {
        let step = row.get();
        let redrive = is_redrive_of(task, &step_id(id), step.generation);
        if step.parked.is_some() && (redrive || requested.contains(id)) {
            row.change().reopen();
            redriven = redrive.then(|| id.clone()).or(redriven);
        }
    }
    if let Some(redriven) = redriven {
        // Also those that failed because this one did.
        let parked = parked(record);
        reopen_requests(record, now, |push| *push == redriven || !parked.contains(push));
    }
    tags::note(record, now);
}

/// What was requested and answered with a failure, is asked for again.
fn reopen_requests(record: &mut OrderRecord, now: Timestamp, is_asked: impl Fn(&PushId) -> bool) {
    for row in record.requests.values_mut() {
        let request = row.get();
        let failed = matches!(request.state, RequestState::Failed { .. });
        if failed && is_asked(&(request.source.clone(), request.group)) {
            row.change().state = RequestState::Open { due: now };
        }
    }
}

pub(super) fn requested(record: &OrderRecord) -> BTreeSet<PushId> {
    record.open_requests().map(|(_, request)| (request.source.clone(), request.group)).collect()
}

/// What the person who asked last for a push says that shipping costs.
pub(super) fn requested_fee(record: &OrderRecord, source: &ShopDomain, group: u32) -> Option<Money> {
    let of_push = record.open_requests().filter(|(_, request)| (&request.source, request.group) == (source, group));
    of_push.max_by_key(|(_, request)| request.requested_at)?.1.shipping_fee.clone()
}

/// The order cannot be read, and a person has to see to that first: nothing else of it waits meanwhile.
/// Whatever sets the look going again sees to the rest.
pub(super) fn give_up(record: &mut OrderRecord, code: Code) {
    for row in record.pushes.values_mut() {
        if row.get().wait.is_some() && row.get().parked.is_none() {
            row.change().wait = None;
        }
    }
    let open: Vec<String> = record.open_requests().map(|(id, _)| id.clone()).collect();
    for id in open {
        record.requests.get_mut(&id).into_iter().for_each(|row| row.change().state = RequestState::Failed { code });
    }
}

/// A person had the order looked at again: what was requested, and failed because it could not be read, is
/// asked for again.
pub(super) fn ask_again(record: &mut OrderRecord, now: Timestamp) {
    let parked = parked(record);
    reopen_requests(record, now, |push| !parked.contains(push));
}

/// The pushes that wait for a person.
fn parked(record: &OrderRecord) -> BTreeSet<PushId> {
    let parked = record.pushes.iter().filter(|(_, row)| row.get().parked.is_some());
    parked.map(|(id, _)| id.clone()).collect()
}

/// A person asked for a push after the look was parked: that is asking for the look as well, whoever comes first.
pub(super) fn reopen_look_for_requests(record: &mut OrderRecord) {
    let Some(parked) = &record.look.get().parked else { return };
    if record.open_requests().any(|(_, request)| request.requested_at > parked.at) {
        record.look.change().reopen();
    }
}
