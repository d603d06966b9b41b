//! Looking at an order: what push and writeback do alike before they know what is to be done.

use std::time::Duration;

use jiff::Timestamp;

use crate::channel::ChannelError;
use crate::event::{DomainEvent, EventFailure, EventKind, EventOrder};
use crate::fingerprint;
use crate::history::HistoryEvent;
use crate::id::{OrderRef, ShopDomain};
use crate::ports::{Clock, Ledger, Outbox, ParkedMessage, Ports, Tasks, after};
use crate::record::OrderRecord;
use crate::step::{AfterFailure, Failure, Look, Step, StepId, Wait, WaitReason};
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::{Outcome, Unfinished, error_chain};

/// May the order be looked at now? `Some`: not now, and this is how the task ends.
///
/// A parked look is opened again by whatever says that the world has moved on; a mere wake-up is not that, nor is a redrive of
/// this look as it was parked before.
pub(crate) fn barred(record: &mut OrderRecord, at: Look, task: &Task, now: Timestamp) -> Option<Outcome> {
    let look = record.look(at).get();
    if let Some(parked) = &look.parked {
        return match task.trigger {
            Trigger::DueWork | Trigger::Settled => Some(Outcome::Park { code: parked.code }),
            Trigger::Redrive if is_void(task, &StepId::Look(at), look.generation) => {
                Some(Outcome::Park { code: parked.code })
            }
            Trigger::Webhook
            | Trigger::Request
            | Trigger::Resync
            | Trigger::Backfill
            | Trigger::Unpushed
            | Trigger::Redrive
            | Trigger::Unknown => {
                record.look_mut(at).change().reopen();
                None
            }
        };
    }
    let wait = look.wait.as_ref().filter(|_| look.is_resting(now))?;
    Some(Outcome::Wait { until: wait.until, why: wait.why })
}

/// The look succeeded: whatever it waited for or failed at before is over.
pub(crate) fn seen(record: &mut OrderRecord, at: Look) {
    let look = record.look(at).get();
    if look.wait.is_some() || look.attempts > 0 {
        let state = look.state.clone();
        record.look_mut(at).change().succeed(state);
    }
}

/// The order could not be read: writes down when to look again, or parks.
pub(crate) async fn failed<L: Ledger, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    at: Look,
    task: &Task,
    error: &ChannelError,
) -> Result<Outcome, Unfinished> {
    let now = ports.clock.now();
    let held_back = hold_back(ports, &record.at, error, now).await?;
    let look = record.look_mut(at).change();
    let outcome = if let Some((until, why)) = held_back {
        look.wait(now, until, why);
        Outcome::Wait { until, why }
    } else {
        let failure = failure(error, now);
        let event = HistoryEvent::moved(now, task, StepId::Look(at), "looking", "failed").with_failure(&failure);
        let outcome = match look.fail(failure, |failed| ports.waits.backoff(failed)) {
            AfterFailure::Retry => retry_outcome(look),
            AfterFailure::Park => {
                look.park(error.code(), now, after(now, ports.waits.quarantine), None);
                Outcome::Park { code: error.code() }
            }
        };
        record.log(event);
        outcome
    };
    ports.ledger.save(&mut [record]).await?;
    announce_look(ports, record, at).await?;
    Ok(outcome)
}

/// Tells of a parked look, unless that is done.
pub(crate) async fn announce_look<L: Ledger, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    at: Look,
) -> Result<(), Unfinished> {
    let (step, subject) = (record.look(at).get(), record.at.clone());
    if announce(ports, StepId::Look(at), step, (&record.at, order_name(record)), subject).await? {
        record.look_mut(at).change().announced();
        ports.ledger.save(&mut [record]).await?;
    }
    Ok(())
}

/// Tells of a parked step that nobody told of yet: an event, then the dead-letter message. `subject` is the
/// order whose task sets the step going again. Says whether there was something to tell; the caller then
/// writes down that it is told.
pub(crate) async fn announce<S, L, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    id: StepId,
    step: &Step<S>,
    (order, order_name): (&OrderRef, Option<String>),
    subject: OrderRef,
) -> Result<bool, Unfinished> {
    let message = parked_message(step, Some(order), id.clone(), Subject::Order(subject));
    let (Some(message), Some(parked), Some(failure)) = (message, &step.parked, EventFailure::of(id.clone(), step))
    else {
        return Ok(false);
    };
    let what = format!("{id}@{}", step.generation);
    let order_of = EventOrder { order: order.id, order_name };
    let kind = match id.queue() {
        Queue::TrackingWriteback => EventKind::WritebackFailed { order: order_of, failure },
        Queue::OrderPush | Queue::AppLifecycle | Queue::Resync => EventKind::PushFailed { order: order_of, failure },
    };
    ports.tasks.publish(&DomainEvent::of_order(parked.at, order, what, kind)).await?;
    ports.tasks.park(id.queue(), &message).await?;
    Ok(true)
}

/// As the merchant sees it, if the ledger knows it.
pub(crate) fn order_name(record: &OrderRecord) -> Option<String> {
    record.summary.as_ref().map(|row| row.get().name.clone())
}

/// The dead-letter message of a step that is parked and not announced yet: a step of `order`, or of a shop. A task
/// about `subject` sets it going again.
pub(crate) fn parked_message<S>(
    step: &Step<S>,
    order: Option<&OrderRef>,
    id: StepId,
    subject: Subject,
) -> Option<ParkedMessage> {
    let parked = step.parked.as_ref().filter(|parked| !parked.announced)?;
    let cause = redrive_cause(&id, step.generation);
    Some(ParkedMessage {
        version: 1,
        task: Task::new(Trigger::Redrive, cause, subject),
        order: order.cloned(),
        step: id,
        generation: step.generation,
        code: parked.code,
        attempts: step.attempts,
        first_error: step.first_failure.as_ref().map(|failure| failure.message.clone()),
        last_error: step.last_failure.as_ref().map(|failure| failure.message.clone()),
    })
}

/// Whether `task` is an operator's redrive of just this step, in the state in which it was parked: the
/// cause of a redrive names both, as its dead-letter message did.
pub(crate) fn is_redrive_of(task: &Task, step: &StepId, generation: u32) -> bool {
    task.trigger == Trigger::Redrive && task.cause_id == redrive_cause(step, generation)
}

/// Whether `task` redrives a step that went again, or was purged, since.
fn is_void(task: &Task, step: &StepId, generation: u32) -> bool {
    redriven(task, step).is_some_and(|named| named != generation.to_string())
}

/// The generation of `step` that `task` redrives, as text; `None`: it redrives no such step.
pub(crate) fn redriven<'a>(task: &'a Task, step: &StepId) -> Option<&'a str> {
    task.cause_id.strip_prefix(&step.to_string())?.strip_prefix('@')
}

/// The cause id of a redrive.
pub(crate) fn redrive_cause(step: &StepId, generation: u32) -> String {
    format!("{step}@{generation}")
}

/// The failure that `error` is.
pub(crate) fn failure(error: &ChannelError, now: Timestamp) -> Failure {
    Failure {
        at: now,
        code: error.code(),
        message: error_chain(error),
        request_id: error.request_id().map(ToOwned::to_owned),
    }
}

/// Until when to wait, and for what, if nothing failed but the shop is not to be called for a while: waiting
/// is not failing. Where the shop lets us in no more, whoever connects shops is told to look at it.
pub(crate) async fn hold_back<L, C, T: Tasks, K>(
    ports: &Ports<L, C, T, K>,
    order: &OrderRef,
    error: &ChannelError,
    now: Timestamp,
) -> Result<Option<(Timestamp, WaitReason)>, Unfinished> {
    match error {
        ChannelError::Throttled { retry_after, .. } => {
            let until = after(now, *retry_after + jitter(*retry_after, order, now));
            Ok(Some((until, WaitReason::Throttled)))
        }
        ChannelError::ShopUnavailable { shop, .. } => {
            report_unavailable(ports, shop, order).await?;
            Ok(Some(ports.waits.paused(now)))
        }
        ChannelError::Unreachable { .. }
        | ChannelError::AccessDenied { .. }
        | ChannelError::Refused { .. }
        | ChannelError::NoAnswer { .. } => Ok(None),
    }
}

/// Tells whoever connects shops of one that lets us in no more; `about` is what we wanted of it.
pub(crate) async fn report_unavailable<L, C, T: Tasks, K>(
    ports: &Ports<L, C, T, K>,
    shop: &ShopDomain,
    about: impl std::fmt::Display,
) -> Result<(), Unfinished> {
    let shop = shop.clone();
    let look = Task::new(Trigger::Settled, format!("unavailable to {about}"), Subject::Shop { shop });
    Ok(ports.tasks.send(Queue::AppLifecycle, &look).await?)
}

/// Up to a quarter more, by order and moment: those who were held back together do not come back together.
fn jitter(wait: Duration, order: &OrderRef, now: Timestamp) -> Duration {
    let spread =
        fingerprint(&(order, now)).bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    wait / 4 * (spread % 256) / 256
}

/// How a step that failed and will be tried again ends its task.
pub(crate) fn retry_outcome<S>(step: &Step<S>) -> Outcome {
    let until = step.wait.as_ref().map_or(Timestamp::UNIX_EPOCH, |wait| wait.until);
    let error = step.last_failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default();
    Outcome::Retry { until, error }
}

/// How the task of an order ends, by what its steps wait for: parked before retried before waiting.
pub(crate) fn outcome<'a>(steps: impl Iterator<Item = StepView<'a>>, done: &'static str) -> Outcome {
    let mut outcome = Outcome::Done(done);
    for step in steps {
        let next = match (step.parked, step.wait) {
            (Some(code), _) => Outcome::Park { code },
            (None, Some(wait)) if wait.why == WaitReason::Backoff => {
                Outcome::Retry { until: wait.until, error: step.error.unwrap_or_default().to_owned() }
            }
            (None, Some(wait)) => Outcome::Wait { until: wait.until, why: wait.why },
            (None, None) => continue,
        };
        outcome = outcome.or_worse(next);
    }
    outcome
}

/// What [`outcome`] looks at.
pub(crate) struct StepView<'a> {
    parked: Option<crate::code::Code>,
    wait: Option<&'a Wait>,
    error: Option<&'a str>,
}

impl<'a, S> From<&'a Step<S>> for StepView<'a> {
    fn from(step: &'a Step<S>) -> Self {
        Self {
            parked: step.parked.as_ref().map(|parked| parked.code),
            wait: step.wait.as_ref(),
            error: step.last_failure.as_ref().map(|failure| failure.message.as_str()),
        }
    }
}
