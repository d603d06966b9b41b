//! The tags that say, in the store's own order list, that something failed: set when a step is parked,
//! taken away when all that failed is done. Other tags are never touched.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::{Channel, ChannelError, Effect};
use crate::history::HistoryEvent;
use crate::id::OrderRef;
use crate::look::{self, parked_message};
use crate::ports::{Clock, Ledger, LedgerError, Outbox, Ports, Registry, after};
use crate::record::OrderRecord;
use crate::step::{AfterFailure, StepId, WaitReason};
use crate::task::{Subject, Task};
use crate::work::Unfinished;

/// A shipment of the order could not be shown on it. Merchants filter by it: never change it.
pub const FAILED_SHIPMENT_TAG: &str = "Failed Shipment Notification";
/// A part of the order could not be pushed. Merchants filter by it: never change it.
pub const FAILED_PUSH_TAG: &str = "Failed Order Push";

/// The order was cancelled, but not at its source store. Merchants filter by it: never change it.
pub const FAILED_CANCEL_TAG: &str = "Failed Order Cancellation";

/// What is known of the tags of one order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TagState {
    /// Our tags that the shop shows.
    #[serde(default)]
    pub shown: BTreeSet<String>,
    /// Those that a call was to change: whether it did is not known until one is answered.
    #[serde(default)]
    pub unsure: BTreeSet<String>,
    /// What the order should carry, as of the last change that met a call on its way. Whoever made the call sees
    /// by the change that something else was asked for meanwhile.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub asked: BTreeSet<String>,
    /// Source orders that could not be read: what they shipped is not shown either.
    #[serde(default)]
    pub unread: BTreeSet<OrderRef>,
}

/// The tags that the order should carry, by what has failed: what goes again keeps its tag until it is there.
fn wanted(record: &OrderRecord) -> BTreeSet<String> {
    let shipment = record.writebacks.values().any(|row| row.get().failed().is_some());
    let push = record.pushes.values().any(|row| row.get().failed().is_some());
    let cancel = record.cancels.values().any(|row| row.get().failed().is_some());
    let unread = !record.tags.get().state.unread.is_empty();
    let tags = [(shipment || unread, FAILED_SHIPMENT_TAG), (push, FAILED_PUSH_TAG), (cancel, FAILED_CANCEL_TAG)];
    tags.into_iter().filter(|(wanted, _)| *wanted).map(|(_, tag)| tag.to_owned()).collect()
}

impl TagState {
    /// What has to be added, and what taken away, for the shop to show just `wanted`.
    fn changes(&self, wanted: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
        let surely_shown = &self.shown - &self.unsure;
        let maybe_shown = &self.shown | &self.unsure;
        ((wanted - &surely_shown).into_iter().collect(), (&maybe_shown - wanted).into_iter().collect())
    }

    fn shows(&self, wanted: &BTreeSet<String>) -> bool {
        self.shown == *wanted && self.unsure.is_empty()
    }
}

/// Makes the tags due, in memory, if a change of another step asks for others: the same save writes both.
pub(crate) fn note(record: &mut OrderRecord, now: Timestamp) {
    let wanted = wanted(record);
    let step = record.tags.get();
    // Parked over other tags than these.
    if step.parked.is_some() && step.is_open_to(&words(&wanted)) {
        record.tags.change().reopen();
    }
    let step = record.tags.get();
    match (&step.wait, step.state.shows(&wanted)) {
        (Some(wait), _) if wait.why == WaitReason::InFlight && step.state.asked != wanted => {
            record.tags.change().state.asked.clone_from(&wanted);
        }
        (None, false) if step.parked.is_none() => record.tags.change().wait(now, now, WaitReason::Requested),
        // Back to what is shown, before anybody did anything.
        (Some(wait), true) if wait.why == WaitReason::Requested => record.tags.change().wait = None,
        _ => {}
    }
    if let Some(row) = &mut record.summary
        && row.get().system_tags != wanted
    {
        row.change().system_tags = wanted;
    }
}

/// Says whether a source order can be read; what it shipped cannot be shown while it cannot.
pub(crate) fn note_unread(record: &mut OrderRecord, source: &OrderRef, unread: bool, now: Timestamp) {
    if record.tags.get().state.unread.contains(source) != unread {
        let state = &mut record.tags.change().state;
        if unread {
            state.unread.insert(source.clone());
        } else {
            state.unread.remove(source);
        }
        note(record, now);
    }
}

/// Sets and takes away what is due. Which tags that is about is written down first, so that none is left
/// behind by a call that nobody heard of. One call at a time: one that lands late must not undo a later one.
pub(crate) async fn set_due<L: Ledger + Registry, C: Channel, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    task: &Task,
) -> Result<(), Unfinished> {
    let now = ports.clock.now();
    let step = record.tags.get();
    if step.parked.is_some() {
        if look::is_redrive_of(task, &StepId::Tags, step.generation) {
            record.tags.change().reopen();
        } else if step.is_announcement_overdue(now) {
            return announce(ports, record).await;
        } else {
            return Ok(());
        }
    } else if step.wait.as_ref().is_none_or(|wait| wait.until > now) {
        return Ok(());
    }
    match attempt(ports, record, task, now).await {
        // Somebody else asked for other tags, or was first: it is seen to when the call has ended for sure.
        Err(Unfinished::Ledger(LedgerError::Conflict)) => {
            *record = ports.ledger.load(&record.at).await?;
            Ok(())
        }
        Err(error) => Err(error),
        Ok(()) => announce(ports, record).await,
    }
}

async fn attempt<L: Ledger + Registry, C: Channel, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    task: &Task,
    now: Timestamp,
) -> Result<(), Unfinished> {
    let wanted = wanted(record);
    let (add, remove) = record.tags.get().state.changes(&wanted);
    let TagState { shown, unsure, .. } = record.tags.get().state.clone();
    let before = words(&shown);
    let changes = !(add.is_empty() && remove.is_empty());
    if changes {
        if ports.ledger.shop(&record.at.shop).await?.is_some_and(|shop| shop.shop.paused.is_some()) {
            let (until, why) = ports.waits.paused(now);
            record.tags.change().wait(now, until, why);
            return Ok(ports.ledger.save(&mut [record]).await?);
        }
        let step = record.tags.change();
        step.state.unsure.extend(add.iter().chain(&remove).cloned());
        step.state.asked.clone_from(&wanted);
        step.wait(now, after(now, ports.waits.quarantine), WaitReason::InFlight);
        ports.ledger.save(&mut [&mut *record]).await?;
    }
    let one_call = add.is_empty() || remove.is_empty();
    match change(ports, &record.at, &add, &remove).await {
        Ok(()) => {
            let step = record.tags.change();
            let unread = std::mem::take(&mut step.state.unread);
            step.succeed(TagState { shown: wanted.clone(), unread, ..TagState::default() });
            if changes {
                record.log(HistoryEvent::moved(now, task, StepId::Tags, before, words(&wanted)));
            }
        }
        Err(error) => {
            if one_call && error.effect() == Effect::None {
                record.tags.change().state.unsure = unsure;
            }
            if let Some((until, why)) = look::hold_back(ports, &record.at, &error, now).await? {
                record.tags.change().wait(now, until, why);
            } else {
                let failure = look::failure(&error, now);
                let event = HistoryEvent::moved(now, task, StepId::Tags, before, "failed").with_failure(&failure);
                let step = record.tags.change();
                let landed = after(now, ports.waits.quarantine);
                match step.fail(failure, |failed| ports.waits.backoff(failed)) {
                    AfterFailure::Park => step.park(error.code(), now, landed, Some(words(&wanted))),
                    AfterFailure::Retry if error.effect() != Effect::None => {
                        step.wait(now, landed, WaitReason::InFlight);
                    }
                    AfterFailure::Retry => {}
                }
                record.log(event);
            }
        }
    }
    Ok(ports.ledger.save(&mut [record]).await?)
}

async fn change<L, C: Channel, T, K>(
    ports: &Ports<L, C, T, K>,
    order: &OrderRef,
    add: &[String],
    remove: &[String],
) -> Result<(), ChannelError> {
    if !add.is_empty() {
        ports.channel.add_tags(order, add).await?;
    }
    if !remove.is_empty() {
        ports.channel.remove_tags(order, remove).await?;
    }
    Ok(())
}

/// Sends the dead-letter message of parked tags, unless it is out.
async fn announce<L: Ledger, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
) -> Result<(), Unfinished> {
    let at = record.at.clone();
    if let Some(message) = parked_message(record.tags.get(), Some(&at), StepId::Tags, Subject::Order(at.clone())) {
        ports.tasks.park(StepId::Tags.queue(), &message).await?;
        record.tags.change().announced();
        ports.ledger.save(&mut [record]).await?;
    }
    Ok(())
}

fn words(tags: &BTreeSet<String>) -> String {
    if tags.is_empty() { "none".to_owned() } else { tags.iter().cloned().collect::<Vec<_>>().join(", ") }
}
