//! Finding out what a call did that was not answered, and taking over from a worker that died.

use jiff::Timestamp;

use super::PushState;
use super::plan::PushPlan;
use super::send::Found;
use super::settle::Job;
use crate::channel::{Channel, KeyLookup};
use crate::code::Code;
use crate::look::{failure, hold_back};
use crate::ports::{Clock, Ledger, Outbox, after};
use crate::record::OrderRecord;
use crate::step::WaitReason;
use crate::work::Unfinished;

/// After so many calls without an answer, each found to have done nothing, a person looks.
const MAX_UNKNOWN_ROUNDS: u32 = 3;
/// So many looks after the quarantine must miss the order before it counts as absent.
const ABSENCES: u32 = 2;

/// A call whose effect is not known.
#[derive(Debug, Clone)]
struct Doubt {
    plan: PushPlan,
    sent_at: Timestamp,
    round: u32,
    absences: u32,
}

impl Doubt {
    fn of(state: &PushState) -> Option<Self> {
        match state.clone() {
            PushState::Sent { plan, at, round } => Some(Self { plan, sent_at: at, round, absences: 0 }),
            PushState::Verifying { plan, sent_at, round, absences } => Some(Self { plan, sent_at, round, absences }),
            PushState::NotPushed { .. } | PushState::Confirmed { .. } => None,
        }
    }

    fn state(&self) -> PushState {
        let Self { plan, sent_at, round, absences } = self.clone();
        PushState::Verifying { plan, sent_at, round, absences }
    }
}

impl<L: Ledger, C: Channel, T: Outbox, K: Clock> Job<'_, L, C, T, K> {
    /// Looks for the order that the call may have made.
    pub(super) async fn verify(&self, record: &mut OrderRecord) -> Result<(), Unfinished> {
        let Some(doubt) = record.pushes.get(self.id).and_then(|row| Doubt::of(&row.get().state)) else {
            return Ok(());
        };
        // What stands in the record so far (a newer summary) is saved with the settlement.
        match self.ports.channel.find_order(&self.id.0, &doubt.plan.key).await {
            Ok(KeyLookup::Found(order)) => self.confirm(record, &doubt.plan, order, Found::ByLooking).await,
            Ok(KeyLookup::Absent) => self.absent(record, doubt).await,
            Ok(KeyLookup::Several(orders)) => {
                let names: Vec<&str> = orders.iter().map(|order| order.name.as_str()).collect();
                let message = format!("{} carry one key: cancel all but one, then redrive", names.join(", "));
                self.fail(record, doubt.state(), self.own_failure(Code::DuplicateOrder, message)).await
            }
            Ok(KeyLookup::Inconclusive) => {
                let message = format!("{} lacks the order-key definition: connect it again, then redrive", self.id.0);
                self.fail(record, doubt.state(), self.own_failure(Code::OutcomeUnknown, message)).await
            }
            Err(error) => match hold_back(self.ports, &record.at, &error, self.now()).await? {
                Some((until, why)) => {
                    self.settle(record, "verifying", Some(why.name()), |step, now| {
                        step.state = doubt.state();
                        step.wait(now, until, why);
                    })
                    .await
                }
                None => self.fail(record, doubt.state(), failure(&error, self.now())).await,
            },
        }
    }

    /// The order was not found. Counts only after the quarantine, and only the second time.
    async fn absent(&self, record: &mut OrderRecord, mut doubt: Doubt) -> Result<(), Unfinished> {
        let waits = self.ports.waits;
        let quarantine_ends = after(doubt.sent_at, waits.quarantine);
        let counts = self.now() >= quarantine_ends;
        doubt.absences += u32::from(counts);
        if doubt.absences < ABSENCES {
            let what = if counts { "absent, once" } else { "absent, in quarantine" };
            return self
                .settle(record, "verifying", Some(what), |step, now| {
                    step.state = doubt.state();
                    let next = if counts { after(now, waits.verify_interval) } else { quarantine_ends };
                    step.wait(now, next, WaitReason::Verifying);
                })
                .await;
        }
        let state = PushState::NotPushed { unknown_rounds: doubt.round };
        if doubt.round >= MAX_UNKNOWN_ROUNDS {
            let message = format!("{} calls had no answer and left no order", doubt.round);
            return self.fail(record, state, self.own_failure(Code::OutcomeUnknown, message)).await;
        }
        self.settle(record, "not-pushed", Some("absent, twice"), |step, now| {
            step.state = state.clone();
            // Due at once: whoever dies here leaves a push that is still wanted.
            step.wait(now, now, WaitReason::Requested);
        })
        .await
    }
}
