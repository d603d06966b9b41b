//! At most one fulfillment per shipment, location and method, and at most one mail per number: claim,
//! call, re-read, settle. See docs/adr/0003-writeback-protocol.md.

use jiff::Timestamp;
use std::collections::BTreeSet;

use super::job::Job;
use super::plan::{WritebackCall, WritebackPlan, Written, plain, plan_writeback};
use super::settle;
use super::shipment::{Lines, Shipment};
use super::{LabelLine, Phase, WritebackState};
use crate::channel::{Channel, ChannelError, DestinationOrder, Effect};
use crate::code::Code;
use crate::fingerprint::fingerprint;
use crate::id::{FulfillmentId, ShipmentId};
use crate::ports::{Clock, Ledger, Outbox, after};
use crate::record::OrderRecord;
use crate::step::{Failure, WaitReason};
use crate::work::Unfinished;

/// After so many calls without an answer, each found to have done nothing, a person looks.
const MAX_UNKNOWN_ROUNDS: u32 = 3;

/// What is known of the destination after a plan was carried out.
pub(super) enum Sight {
    /// No call had an effect: what was read still holds.
    Same,
    /// Something was written, and seen.
    Fresh(DestinationOrder),
    /// A call may have had an effect that was not seen: nothing more can be planned now.
    Lost,
}

/// What a plan was made from.
pub(super) struct Seen<'a> {
    pub(super) shipment: &'a Shipment,
    pub(super) shown: &'a DestinationOrder,
}

/// By what a writeback is decided: another shipment, another state of the destination order or another
/// location map may go through where this one could not. A tag or a note changes nothing.
pub(super) fn inputs<L: Ledger, C, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &OrderRecord,
    Seen { shipment, shown }: &Seen<'_>,
) -> String {
    let orphaned = job.written_by(record, &shipment.id).orphaned;
    let shipped = (shipment.voided, &shipment.tracking, &shipment.lines, &shipment.from);
    let destination = (shown.cancelled, &shown.fulfillments, &shown.fulfillment_orders);
    fingerprint(&(shipped, orphaned, destination, &job.terms))
}

/// Plans the writeback of a shipment by what was read of the destination, and does it.
pub(super) async fn carry_out<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    (source, record): (Option<&mut OrderRecord>, &mut OrderRecord),
    Seen { shipment, shown }: Seen<'_>,
    inputs: String,
) -> Result<Sight, Unfinished> {
    let now = job.now();
    let id = &shipment.id;
    settle::recognise(record, shipment, shown);
    let by_record = job.written_by(record, id);
    let shipment = &shipment.resolved(shown, &by_record);
    let plan = plan_writeback(shipment, shown, &by_record, &job.terms);
    if let WritebackPlan::AlreadyThere(there) = &plan {
        freeze_lines(record, &shipment.with_lines_of(shown, there));
        settle::written(job, record, shipment, there, now).await;
        return Ok(Sight::Same);
    }
    // Read after the quarantine and not to be seen: a call that was in doubt had no effect.
    if let Some(rounds) = settle::absent(record, id, shown).filter(|rounds| *rounds >= MAX_UNKNOWN_ROUNDS) {
        let message = format!("{rounds} calls had no answer and left nothing to be seen");
        let failure = Failure { at: now, code: Code::OutcomeUnknown, message, request_id: None };
        let settled = record.writebacks.get(id).map_or_else(WritebackState::pending, |row| row.get().state.clone());
        job.fail(record, id, failure, Some(inputs), |step| step.state = settled.clone()).await?;
        return Ok(Sight::Same);
    }
    match plan {
        WritebackPlan::AlreadyThere(_) => {}
        WritebackPlan::Nothing(why) => settle::forget(job, record, id, why, now),
        WritebackPlan::CalledOff { standing } if standing.is_empty() => settle::called_off(job, record, id, now),
        WritebackPlan::CalledOff { standing } if settle::leave_to_its_other_half(record, shipment, &standing) => {
            settle::called_off(job, record, id, now);
        }
        WritebackPlan::CalledOff { standing } => {
            settle::keep_standing(record, id, &standing);
            settle::wait(job, record, id, WaitReason::Replacement, inputs).await?;
        }
        WritebackPlan::NotYet(why) => settle::wait(job, record, id, why, inputs).await?,
        WritebackPlan::Impossible { code, detail } => {
            let failure = Failure { at: now, code, message: detail, request_id: None };
            job.fail(record, id, failure, Some(inputs), |_| {}).await?;
        }
        WritebackPlan::Write(calls) => {
            return write(job, (source, record), Seen { shipment, shown }, calls, inputs).await;
        }
    }
    Ok(Sight::Same)
}

/// Makes the calls one after the other, re-reads, and settles by what is seen.
async fn write<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    (mut source, record): (Option<&mut OrderRecord>, &mut OrderRecord),
    Seen { shipment, shown }: Seen<'_>,
    calls: Vec<WritebackCall>,
    inputs: String,
) -> Result<Sight, Unfinished> {
    let mut after_them = shown.clone();
    let mut done = job.written_by(record, &shipment.id);
    let mut changed = false;
    for mut call in calls {
        let sent_at = job.now();
        let marked = claim(job, record, shipment, &mut call, &done, sent_at);
        job.save(source.as_deref_mut(), record).await?;
        match make(job, &call, &mut done, &mut after_them).await {
            Ok(()) => changed = true,
            Err(error) => {
                let effect = error.effect();
                match effect {
                    Effect::None => {
                        settle::not_sent(job, record, &shipment.id, (&done.here, &marked), &error, inputs).await?;
                    }
                    Effect::Unknown => settle::unanswered(job, record, &shipment.id, (&call, sent_at), &error).await?,
                }
                return Ok(if changed || effect == Effect::Unknown { Sight::Lost } else { Sight::Same });
            }
        }
    }
    match job.ports.channel.shown(job.destination_at).await {
        Ok(Some(fulfillments)) => {
            after_them.fulfillments = fulfillments;
            settle_by_sight(job, record, Seen { shipment, shown: &after_them }, &done).await?;
            Ok(Sight::Fresh(after_them))
        }
        // Written, but not seen: the claim stands, and whoever comes after the quarantine looks.
        Ok(None) | Err(_) => Ok(Sight::Lost),
    }
}

/// One call; what it did is noted in `done` and `after_them`.
async fn make<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    call: &WritebackCall,
    done: &mut Written,
    after_them: &mut DestinationOrder,
) -> Result<(), ChannelError> {
    let shop = &job.destination_at.shop;
    match call {
        WritebackCall::Create(draft) => {
            done.here.push(job.ports.channel.create_fulfillment(shop, draft).await?);
            after_them.fulfill(draft);
        }
        WritebackCall::Overwrite(update) => {
            job.ports.channel.update_tracking(shop, update).await?;
            done.shown_as = None;
            done.orphaned.retain(|fulfillment| *fulfillment != update.fulfillment);
            if !done.here.contains(&update.fulfillment) {
                done.here.push(update.fulfillment);
            }
        }
    }
    Ok(())
}

/// Success is what Shopify shows, not a 200.
async fn settle_by_sight<L: Ledger, C: Channel, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    Seen { shipment, shown }: Seen<'_>,
    done: &Written,
) -> Result<(), Unfinished> {
    let now = job.now();
    let plan = plan_writeback(shipment, shown, done, &job.terms);
    if let WritebackPlan::AlreadyThere(there) = plan {
        return settle::written_durably(job, record, shipment, &there, now).await;
    }
    let (code, message) = match plan {
        // The part that fits is shown: what is left of the shipment has a reason of its own.
        WritebackPlan::Impossible { code, detail } if job.terms.split_ok && shows_all(shown, &done.here) => {
            (code, detail)
        }
        WritebackPlan::Write(calls) if calls.iter().any(is_overwrite) => {
            (Code::OverwriteRejected, "the shop took the new tracking, but still shows the old".to_owned())
        }
        _ => {
            let message = "the shop took the fulfillment, but does not show it as it was sent";
            (Code::ChannelUnavailable, message.to_owned())
        }
    };
    let failure = Failure { at: now, code, message, request_id: None };
    let inputs = inputs(job, record, &Seen { shipment, shown });
    // What was created stays known: it is never created again.
    job.fail(record, &shipment.id, failure, Some(inputs), |step| {
        step.state.phase = Phase::Pending;
        step.state.written.clone_from(&done.here);
    })
    .await
}

fn shows_all(shown: &DestinationOrder, written: &[FulfillmentId]) -> bool {
    let is_shown = |id: &FulfillmentId| shown.fulfillments.iter().any(|shown| shown.id == *id && shown.state.is_live());
    written.iter().all(is_shown)
}

fn is_overwrite(call: &WritebackCall) -> bool {
    matches!(call, WritebackCall::Overwrite(_))
}

/// Marks the call as sent, in memory; decides whether it may mail. Returns the numbers whose mail this call
/// stands for.
fn claim<L: Ledger, C, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &mut OrderRecord,
    shipment: &Shipment,
    call: &mut WritebackCall,
    done: &Written,
    now: Timestamp,
) -> Vec<String> {
    let mailed: BTreeSet<String> =
        record.writebacks.values().flat_map(|row| row.get().state.mailed.iter().cloned()).collect();
    let numbers: Vec<String> = call.tracking().iter().map(|info| plain(&info.number)).collect();
    let news = !numbers.is_empty() && numbers.iter().all(|number| !mailed.contains(number));
    call.set_notify(news && may_notify(job, record, shipment));
    freeze_lines(record, shipment);
    let until = after(now, job.ports.waits.quarantine);
    job.change(record, &shipment.id, now, "sent", |step| {
        if step.parked.is_some() {
            step.reopen();
        }
        if call.notifies() {
            step.state.mailed.extend(numbers.iter().cloned());
        }
        step.state.written.clone_from(&done.here);
        step.state.phase = Phase::Sent { call: call.clone(), at: now };
        step.wait(now, until, WaitReason::InFlight);
    });
    if call.notifies() { numbers } else { Vec::new() }
}

fn may_notify<L: Ledger, C, T: Outbox, K: Clock>(
    job: &Job<'_, L, C, T, K>,
    record: &OrderRecord,
    shipment: &Shipment,
) -> bool {
    let is_quiet = record.writebacks.get(&shipment.id).is_some_and(|row| row.get().state.quiet);
    match &shipment.id {
        ShipmentId::Fulfillment { .. } => job.terms.notify && !is_quiet,
        ShipmentId::Label(label) => record.labels.get(label).is_some_and(|row| row.get().notify_customer),
    }
}

/// Which lines a label is about is decided once: with its first call, or by what shows it already.
fn freeze_lines(record: &mut OrderRecord, shipment: &Shipment) {
    let ShipmentId::Label(id) = &shipment.id else { return };
    let Lines::These(lines) = &shipment.lines else { return };
    if let Some(row) = record.labels.get_mut(id)
        && row.get().lines.is_none()
    {
        row.change().lines =
            Some(lines.iter().map(|(line, quantity)| LabelLine { line: *line, quantity: *quantity }).collect());
    }
}
