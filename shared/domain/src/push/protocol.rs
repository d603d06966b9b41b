//! Exactly one source order, whatever happens: claim, call, settle, and find out what a call did that
//! was not answered. See docs/adr/0002-push-protocol.md for why each move is as it is.

use jiff::Timestamp;

use super::PushState;
use super::draft::draft;
use super::plan::PushPlan;
use super::record::retab;
use super::use_case::{View, verify_at};
use crate::channel::{Channel, ChannelError, Effect, KeyLookup, SourceOrder};
use crate::code::Code;
use crate::history::HistoryEvent;
use crate::id::{OrderRef, ShopDomain};
use crate::look::{failure, parked_message, throttled_until};
use crate::ports::{Clock, Ledger, LedgerError, Ports, Tasks, after};
use crate::record::{OrderRecord, Origin, Row};
use crate::step::{AfterFailure, Failure, Step, StepId, WaitReason};
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::Unfinished;

/// After so many calls without an answer, each found to have done nothing, a person looks.
const MAX_UNKNOWN_ROUNDS: u32 = 3;
/// So many looks after the quarantine must miss the order before it counts as absent.
const ABSENCES: u32 = 2;
/// How often a settlement is tried against other writers of the same order.
const MAX_SETTLES: usize = 8;

/// Source shop and group: which push of an order.
pub(super) type PushId = (ShopDomain, u32);

fn step_id(id: &PushId) -> StepId {
    StepId::Push { source: id.0.clone(), group: id.1 }
}

/// Claims, creates, settles.
pub(super) async fn push_group<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    view: &View,
    id: PushId,
    plan: PushPlan,
) -> Result<(), Unfinished> {
    let sent_at = ports.clock.now();
    let round = claim(record, task, &id, &plan, sent_at, after(sent_at, ports.waits.quarantine));
    // The claim depends on the summary that the plan was made from.
    record.summary.iter_mut().for_each(Row::hold);
    ports.ledger.save(&mut [&mut *record]).await?;

    let shop_name = view.shop.shop.facts.as_ref().map(|facts| facts.name.as_str());
    let draft = draft(&view.order, &plan, &view.order.at.shop, shop_name);
    match ports.channel.create_order(&id.0, &draft).await {
        Ok(order) => confirm(ports, task, record, &id, order).await,
        Err(error) => match error.effect() {
            Effect::None => not_sent(ports, task, record, view, &id, round, &error).await,
            Effect::Unknown => unanswered(ports, task, record, &id, (plan, sent_at, round), &error).await,
        },
    }
}

/// Marks the group as sent, in memory. Returns which round this is.
fn claim(record: &mut OrderRecord, task: &Task, id: &PushId, plan: &PushPlan, now: Timestamp, until: Timestamp) -> u32 {
    let row = record.pushes.entry(id.clone()).or_insert_with(|| Row::new(Step::new(PushState::not_pushed())));
    let step = row.change();
    if step.parked.is_some() {
        step.reopen();
    }
    let round = 1 + match step.state {
        PushState::NotPushed { unknown_rounds } => unknown_rounds,
        PushState::Sent { round, .. } | PushState::Verifying { round, .. } => round,
        PushState::Confirmed { .. } => 0,
    };
    let before = step.state.name();
    step.state = PushState::Sent { plan: plan.clone(), at: now, round };
    step.wait_until(until, WaitReason::InFlight);
    record.log(HistoryEvent::moved(now, task, step_id(id), before, "sent").with_detail(plan.key.to_string()));
    round
}

/// The source store has the order: settles the step, ties the source order to this one, and wakes its
/// writeback if something was shipped before we knew it.
async fn confirm<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    id: &PushId,
    order: SourceOrder,
) -> Result<(), Unfinished> {
    let version = record.pushes.get(id).map_or(0, Row::version);
    let source_at = OrderRef { shop: id.0.clone(), id: order.id };
    let origin = Origin::Pushed { destination: record.at.clone(), group: id.1 };
    // Read only if the plain save meets a row that should not be there.
    let mut source: Option<OrderRecord> = None;
    for _ in 0..MAX_SETTLES {
        let now = ports.clock.now();
        settle(
            record,
            id,
            |step| step.succeed(PushState::Confirmed { order: order.clone(), at: now }),
            |before| {
                HistoryEvent::moved(now, task, step_id(id), before, "confirmed")
                    .with_detail(format!("{} ({})", order.name, order.id))
            },
        );
        retab(record);
        let mut shipped_before = false;
        let saved = match &mut source {
            None => {
                record.claim(source_at.clone(), origin.clone());
                ports.ledger.save(&mut [&mut *record]).await
            }
            Some(source) => {
                shipped_before = adopt_origin(source, &origin, now);
                ports.ledger.save(&mut [&mut *record, source]).await
            }
        };
        match saved {
            Ok(()) if shipped_before => {
                let wake = Task::new(Trigger::Settled, task.cause_id.clone(), Subject::Order(source_at));
                return Ok(ports.tasks.send(Queue::TrackingWriteback, &wake).await?);
            }
            Ok(()) => return Ok(()),
            Err(LedgerError::Conflict) => {
                *record = reload(ports, record, id, version).await?;
                source = Some(ports.ledger.load(&source_at).await?);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(LedgerError::Conflict.into())
}

/// Says of the source order where it comes from. Whether something was shipped of it before.
fn adopt_origin(source: &mut OrderRecord, origin: &Origin, now: Timestamp) -> bool {
    match &mut source.origin {
        None => {
            source.origin = Some(Row::new(origin.clone()));
            false
        }
        Some(row) if matches!(row.get(), Origin::Unclaimed { .. }) => {
            *row.change() = origin.clone();
            let look = source.look.change();
            look.state.queue = Queue::TrackingWriteback;
            look.wait_until(now, WaitReason::Requested);
            true
        }
        Some(_) => false,
    }
}

/// The call did nothing, for sure: the plan is discarded and made anew when the step's rest is over.
async fn not_sent<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    view: &View,
    id: &PushId,
    round: u32,
    error: &ChannelError,
) -> Result<(), Unfinished> {
    let now = ports.clock.now();
    let state = PushState::NotPushed { unknown_rounds: round - 1 };
    if let Some(until) = throttled_until(error, now) {
        return settled(
            ports,
            record,
            id,
            |step| {
                step.state = state.clone();
                step.wait_until(until, WaitReason::Throttled);
            },
            |before| HistoryEvent::moved(now, task, step_id(id), before, "throttled"),
        )
        .await;
    }
    fail(ports, task, record, id, state, failure(error, now), Some(view.inputs())).await
}

/// The call may have done something: the plan stands, and the order is looked for.
async fn unanswered<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    id: &PushId,
    (plan, sent_at, round): (PushPlan, Timestamp, u32),
    error: &ChannelError,
) -> Result<(), Unfinished> {
    let now = ports.clock.now();
    let (until, why) = verify_at(now, &ports.waits);
    let failure = failure(error, now);
    settled(
        ports,
        record,
        id,
        |step| {
            step.state = PushState::Verifying { plan: plan.clone(), sent_at, round, absences: 0 };
            step.first_failure.get_or_insert_with(|| failure.clone());
            step.last_failure = Some(failure.clone());
            step.wait_until(until, why);
        },
        |before| HistoryEvent::moved(now, task, step_id(id), before, "verifying").with_failure(&failure),
    )
    .await
}

/// Finds out what an unanswered call did. Also takes over a step whose worker died.
pub(super) async fn verify<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    view: &View,
    id: PushId,
) -> Result<(), Unfinished> {
    let (plan, sent_at, round, absences) = match record.pushes.get(&id).map(|row| row.get().state.clone()) {
        Some(PushState::Sent { plan, at, round }) => (plan, at, round, 0),
        Some(PushState::Verifying { plan, sent_at, round, absences }) => (plan, sent_at, round, absences),
        Some(PushState::NotPushed { .. } | PushState::Confirmed { .. }) | None => return Ok(()),
    };
    // What stands in the record so far (a newer summary) is saved with the settlement.
    let found = ports.channel.find_order(&id.0, &plan.key).await;
    let now = ports.clock.now();
    let inputs = Some(view.inputs());
    let verifying = |absences| PushState::Verifying { plan: plan.clone(), sent_at, round, absences };
    match found {
        Ok(KeyLookup::Found(order)) => confirm(ports, task, record, &id, order).await,
        Ok(KeyLookup::Several(orders)) => {
            let names: Vec<&str> = orders.iter().map(|order| order.name.as_str()).collect();
            let message = format!("{} carry one key: cancel all but one, then redrive", names.join(", "));
            fail(ports, task, record, &id, verifying(absences), own_failure(now, Code::DuplicateOrder, message), None)
                .await
        }
        Ok(KeyLookup::Absent) => {
            absent(ports, task, record, &id, Absent { plan, sent_at, round, absences }, inputs).await
        }
        Ok(KeyLookup::Inconclusive) => {
            let message = format!("{} lacks the order-key definition: connect it again, then redrive", id.0);
            fail(ports, task, record, &id, verifying(absences), own_failure(now, Code::OutcomeUnknown, message), None)
                .await
        }
        Err(error) => {
            if let Some(until) = throttled_until(&error, now) {
                let wait = |step: &mut Step<PushState>| {
                    step.state = verifying(absences);
                    step.wait_until(until, WaitReason::Throttled);
                };
                return settled(ports, record, &id, wait, |before| {
                    HistoryEvent::moved(now, task, step_id(&id), before, "verifying")
                })
                .await;
            }
            fail(ports, task, record, &id, verifying(absences), failure(&error, now), None).await
        }
    }
}

struct Absent {
    plan: PushPlan,
    sent_at: Timestamp,
    round: u32,
    absences: u32,
}

/// The order was not found. Counts only after the quarantine, and only the second time.
async fn absent<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    id: &PushId,
    Absent { plan, sent_at, round, absences }: Absent,
    inputs: Option<String>,
) -> Result<(), Unfinished> {
    let now = ports.clock.now();
    let quarantine_ends = after(sent_at, ports.waits.quarantine);
    let counts = now >= quarantine_ends;
    let absences = if counts { absences + 1 } else { absences };
    if absences >= ABSENCES {
        let state = PushState::NotPushed { unknown_rounds: round };
        if round >= MAX_UNKNOWN_ROUNDS {
            let message = format!("{round} calls had no answer and left no order");
            let failure = own_failure(now, Code::OutcomeUnknown, message);
            return fail(ports, task, record, id, state, failure, inputs).await;
        }
        return settled(
            ports,
            record,
            id,
            |step| {
                step.state = state.clone();
                // Due at once: whoever dies here leaves a push that is still wanted.
                step.wait_until(now, WaitReason::Requested);
            },
            |before| HistoryEvent::moved(now, task, step_id(id), before, "not-pushed").with_detail("absent, twice"),
        )
        .await;
    }
    let next = if counts { after(now, ports.waits.verify_interval) } else { quarantine_ends };
    settled(
        ports,
        record,
        id,
        |step| {
            step.state = PushState::Verifying { plan: plan.clone(), sent_at, round, absences };
            step.wait_until(next, WaitReason::Verifying);
        },
        |before| {
            let what = if counts { "absent, once" } else { "absent, in quarantine" };
            HistoryEvent::moved(now, task, step_id(id), before, "verifying").with_detail(what)
        },
    )
    .await
}

fn own_failure(at: Timestamp, code: Code, message: String) -> Failure {
    Failure { at, code, message, request_id: None }
}

/// Counts a failure, and parks when it was the last one or a person has to decide.
async fn fail<L: Ledger, C: Channel, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    record: &mut OrderRecord,
    id: &PushId,
    state: PushState,
    failure: Failure,
    inputs: Option<String>,
) -> Result<(), Unfinished> {
    let now = failure.at;
    settled(
        ports,
        record,
        id,
        |step| {
            step.state = state.clone();
            match step.fail(failure.clone(), |failed| ports.waits.backoff(failed)) {
                AfterFailure::Retry => {}
                AfterFailure::Park => step.park(failure.code, now, after(now, ports.waits.quarantine), inputs.clone()),
            }
        },
        |before| HistoryEvent::moved(now, task, step_id(id), before, "failed").with_failure(&failure),
    )
    .await?;
    announce_parked(ports, record, |row_id, _| row_id == id).await
}

/// Sends the dead-letter messages of parked steps: of the one that its worker just parked, or of those
/// whose worker must have died before it did.
pub(super) async fn announce_parked<L: Ledger, C, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    whose: impl Fn(&PushId, &Step<PushState>) -> bool,
) -> Result<(), Unfinished> {
    let at = record.at.clone();
    let mut announced = false;
    for (id, row) in &mut record.pushes {
        if !whose(id, row.get()) {
            continue;
        }
        if let Some(message) = parked_message(row.get(), &at, step_id(id), at.clone()) {
            ports.tasks.park(Queue::OrderPush, &message).await?;
            row.change().announced();
            announced = true;
        }
    }
    if announced {
        ports.ledger.save(&mut [record]).await?;
    }
    Ok(())
}

/// Applies `change` to the step, in memory, and logs it.
fn settle(
    record: &mut OrderRecord,
    id: &PushId,
    change: impl FnOnce(&mut Step<PushState>),
    event: impl FnOnce(&'static str) -> HistoryEvent,
) {
    let Some(row) = record.pushes.get_mut(id) else { return };
    let step = row.change();
    let before = step.state.name();
    change(step);
    record.log(event(before));
}

/// Settles a step that this worker owns, against all who write other rows of the same order.
async fn settled<L: Ledger, C, T, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    id: &PushId,
    change: impl Fn(&mut Step<PushState>),
    event: impl Fn(&'static str) -> HistoryEvent,
) -> Result<(), Unfinished> {
    let version = record.pushes.get(id).map_or(0, Row::version);
    for _ in 0..MAX_SETTLES {
        settle(record, id, &change, &event);
        match ports.ledger.save(&mut [&mut *record]).await {
            Err(LedgerError::Conflict) => *record = reload(ports, record, id, version).await?,
            other => return Ok(other?),
        }
    }
    Err(LedgerError::Conflict.into())
}

/// The record as it is now, if the step is still as this worker left it. Another worker that moved it
/// (a verification after the quarantine) knows better than a late one: then `Conflict`.
async fn reload<L: Ledger, C, T, K>(
    ports: &Ports<L, C, T, K>,
    record: &OrderRecord,
    id: &PushId,
    version: u64,
) -> Result<OrderRecord, Unfinished> {
    let fresh = ports.ledger.load(&record.at).await?;
    if fresh.pushes.get(id).map_or(0, Row::version) == version { Ok(fresh) } else { Err(LedgerError::Conflict.into()) }
}
