//! Exactly one source order, whatever happens: claim, call, settle. See docs/adr/0002-push-protocol.md for
//! why each move is as it is.

use jiff::Timestamp;

use super::PushState;
use super::plan::PushPlan;
use super::record::retab;
use super::settle::{Job, MAX_SETTLES, pushed_event};
use super::use_case::View;
use crate::channel::{Channel, ChannelError, Effect};
use crate::id::OrderRef;
use crate::look::{failure, hold_back, order_name};
use crate::order::SourceOrder;
use crate::ports::{Clock, Ledger, LedgerError, Outbox, after};
use crate::record::{OrderRecord, Origin, Received, ReceivedState, Row};
use crate::step::{Step, WaitReason};
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::Unfinished;

impl<L: Ledger, C: Channel, T: Outbox, K: Clock> Job<'_, L, C, T, K> {
    /// Claims, creates, settles.
    pub(super) async fn push(&self, record: &mut OrderRecord, view: &View, plan: PushPlan) -> Result<(), Unfinished> {
        let sent_at = self.now();
        let round = self.claim(record, &plan, sent_at);
        // The claim depends on the summary that the plan was made from.
        record.summary.iter_mut().for_each(Row::hold);
        self.ports.ledger.save(&mut [&mut *record]).await?;

        match self.ports.channel.create_order(&self.id.0, &view.draft(&plan)).await {
            Ok(order) => self.confirm(record, &plan, order, Found::ByAnswer).await,
            Err(error) => match error.effect() {
                Effect::None => self.not_sent(record, round, &error).await,
                Effect::Unknown => self.unanswered(record, (plan, sent_at, round), &error).await,
            },
        }
    }

    /// Marks the group as sent, in memory. Returns which round this is.
    fn claim(&self, record: &mut OrderRecord, plan: &PushPlan, now: Timestamp) -> u32 {
        record.pushes.entry(self.id.clone()).or_insert_with(|| Row::new(Step::new(PushState::not_pushed())));
        let until = after(now, self.ports.waits.quarantine);
        let mut round = 1;
        self.change(record, now, "sent", Some(plan.key.as_str()), |step| {
            if step.parked.is_some() {
                step.reopen();
            }
            round += match step.state {
                PushState::NotPushed { unknown_rounds } => unknown_rounds,
                PushState::Sent { round, .. } | PushState::Verifying { round, .. } => round,
                PushState::Confirmed { .. } => 0,
            };
            step.state = PushState::Sent { plan: plan.clone(), at: now, round };
            step.wait(now, until, WaitReason::InFlight);
        });
        round
    }

    /// The source store has the order: settles the step, ties the source order to this one, and wakes its
    /// writeback if something may have been shipped before we knew it.
    pub(super) async fn confirm(
        &self,
        record: &mut OrderRecord,
        plan: &PushPlan,
        order: SourceOrder,
        found: Found,
    ) -> Result<(), Unfinished> {
        let version = self.version(record);
        let source_at = OrderRef { shop: self.id.0.clone(), id: order.id };
        let detail = format!("{} ({})", order.name, order.id);
        // The plain settlement does not read the source order's rows: it only depends on there being no
        // origin. One that comes late, or meets one, does.
        let mut source: Option<OrderRecord> = match found {
            Found::ByAnswer => None,
            Found::ByLooking => Some(self.ports.ledger.load(&source_at).await?),
        };
        let now = self.now();
        let received = Received {
            at: now,
            name: order.name.clone(),
            order_name: order_name(record).unwrap_or_default(),
            units: plan.lines.iter().map(|line| line.quantity).sum(),
            state: ReceivedState::Unfulfilled,
        };
        let origin = Origin::Pushed { destination: record.at.clone(), group: self.id.1, received: Some(received) };
        // Before the state is final: should this worker die in between, it is published again.
        let published = self.ports.tasks.publish(&pushed_event(record, self.id, &order, now)).await.is_ok();
        for _ in 0..MAX_SETTLES {
            self.change(record, now, "confirmed", Some(&detail), |step| {
                let (lines, terms) = (plan.quantities(), Some(plan.terms.clone()));
                let inventory = Some(plan.inventory);
                step.succeed(PushState::Confirmed { order: order.clone(), at: now, lines, terms, inventory });
                step.published(published, now, after(now, self.ports.waits.retry_base));
            });
            retab(record);
            let mut wake = false;
            let saved = match &mut source {
                None => {
                    record.claim(source_at.clone(), origin.clone());
                    self.ports.ledger.save(&mut [&mut *record]).await
                }
                Some(source) => {
                    wake = adopt(source, &origin, found, now);
                    self.ports.ledger.save(&mut [&mut *record, source]).await
                }
            };
            match saved {
                Ok(()) if wake => {
                    let wake = Task::new(Trigger::Settled, self.task.cause_id.clone(), Subject::Order(source_at));
                    return Ok(self.ports.tasks.send(Queue::TrackingWriteback, &wake).await?);
                }
                Ok(()) => return Ok(()),
                Err(LedgerError::Conflict) => {
                    *record = self.reload(record, version).await?;
                    // Whoever saw the order change meanwhile did not know that it is there: it is looked at once more, even
                    // if nobody is told of it again.
                    let seen = record.summary.as_ref().map(|row| row.get().updated_at);
                    if seen.is_some_and(|seen| seen > plan.order_updated_at) {
                        record.look.change().wait(now, now, WaitReason::Requested);
                    }
                    source = Some(self.ports.ledger.load(&source_at).await?);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(LedgerError::Conflict.into())
    }

    /// The call did nothing, for sure: the plan is discarded and made anew when the step's rest is over.
    async fn not_sent(&self, record: &mut OrderRecord, round: u32, error: &ChannelError) -> Result<(), Unfinished> {
        let state = PushState::NotPushed { unknown_rounds: round - 1 };
        if let Some((until, why)) = hold_back(self.ports, &record.at, error, self.now()).await? {
            return self
                .settle(record, why.name(), None, |step, now| {
                    step.state = state.clone();
                    step.wait(now, until, why);
                })
                .await;
        }
        self.fail(record, state, failure(error, self.now())).await
    }

    /// The call may have done something: the plan stands, and the order is looked for.
    async fn unanswered(
        &self,
        record: &mut OrderRecord,
        (plan, sent_at, round): (PushPlan, Timestamp, u32),
        error: &ChannelError,
    ) -> Result<(), Unfinished> {
        let failure = failure(error, self.now());
        let interval = self.ports.waits.verify_interval;
        self.settle(record, "verifying", None, |step, now| {
            let failure = crate::step::Failure { at: now, ..failure.clone() };
            step.state = PushState::Verifying { plan: plan.clone(), sent_at, round, absences: 0 };
            step.first_failure.get_or_insert_with(|| failure.clone());
            step.last_failure = Some(failure);
            step.wait(now, after(now, interval), WaitReason::Verifying);
        })
        .await
    }
}

/// How it came to be known that the source store has the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    ByAnswer,
    /// Some time after it was made: it may have been shipped meanwhile.
    ByLooking,
}

/// Says of the source order where it comes from. Whether its writeback is to be woken.
fn adopt(source: &mut OrderRecord, origin: &Origin, found: Found, now: Timestamp) -> bool {
    let mut wake = found == Found::ByLooking;
    match &mut source.origin {
        None => source.origin = Some(Row::new(origin.clone())),
        Some(row) if matches!(row.get(), Origin::Unclaimed { .. }) => {
            *row.change() = origin.clone();
            wake = true;
        }
        Some(_) => {}
    }
    if wake {
        source.look_at_shipments.change().wait(now, now, WaitReason::Requested);
    }
    wake
}
