//! Reading the source order, having it cancelled, and reading it again.

use jiff::Timestamp;

use super::super::PushState;
use super::super::settle::{MAX_SETTLES, PushId};
use super::super::warnings::rewarn;
use super::{CancelPhase, CancelState, Cancellation, step_id};
use crate::channel::{Channel, ChannelError, Effect};
use crate::code::Code;
use crate::history::HistoryEvent;
use crate::id::OrderRef;
use crate::look::{self, failure, hold_back, order_name};
use crate::ports::{Clock, Ledger, LedgerError, Outbox, Ports, Registry, after};
use crate::record::{OrderRecord, Row};
use crate::registry::{Inventory, Shop};
use crate::step::{AfterFailure, Failure, Step, WaitReason};
use crate::tags;
use crate::task::Task;
use crate::wall;
use crate::work::Unfinished;
use crate::writeback::{Label, LabelLine};

/// Goes on with what is due. Asks nothing of the destination shop: all that it takes is written down.
pub(in super::super) async fn go_on<L: Ledger + Registry, C: Channel, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    record: &mut OrderRecord,
    task: &Task,
) -> Result<(), Unfinished> {
    for id in record.cancels.keys().cloned().collect::<Vec<PushId>>() {
        Attempt { ports, task, id: &id }.go_on(record).await?;
    }
    Ok(())
}

/// One task's work on one cancellation.
struct Attempt<'a, L, C, T, K> {
    ports: &'a Ports<L, C, T, K>,
    task: &'a Task,
    id: &'a PushId,
}

impl<L: Ledger + Registry, C: Channel, T: Outbox, K: Clock> Attempt<'_, L, C, T, K> {
    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    async fn go_on(&self, record: &mut OrderRecord) -> Result<(), Unfinished> {
        let now = self.now();
        let Some(step) = record.cancels.get(self.id).map(Row::get) else { return Ok(()) };
        if step.parked.is_some() {
            if look::is_redrive_of(self.task, &step_id(self.id), step.generation) {
                self.change(record, None, |step| {
                    step.reopen();
                    step.wait(now, now, WaitReason::Requested);
                });
                self.ports.ledger.save(&mut [&mut *record]).await?;
            } else if !step.is_announcement_overdue(now) {
                return Ok(());
            }
        } else if step.wait.as_ref().is_none_or(|wait| wait.until > now) {
            return Ok(());
        }
        self.attempt(record).await?;
        self.announce(record).await
    }

    /// Whether a label tool said that something of it is sent.
    fn is_labelled(&self, record: &OrderRecord) -> bool {
        let Some(PushState::Confirmed { lines, .. }) = record.pushes.get(self.id).map(|row| &row.get().state) else {
            return false;
        };
        let is_of_it = |label: &Label| {
            let of_line = |it: &LabelLine| lines.iter().any(|(line, _)| *line == it.line);
            label.voided_at.is_none() && label.lines.as_ref().is_none_or(|of| of.iter().any(of_line))
        };
        record.labels.values().any(|row| is_of_it(row.get()))
    }

    async fn attempt(&self, record: &mut OrderRecord) -> Result<(), Unfinished> {
        let now = self.now();
        let open = record.cancels.get(self.id).map(Row::get).filter(|step| step.parked.is_none());
        let Some((CancelState { phase, .. }, (at, made_at, inventory))) =
            open.map(|step| step.state.clone()).zip(self.source_order(record))
        else {
            return Ok(());
        };
        let source = self.ports.ledger.shop(&at.shop).await?.map(|shop| shop.shop);
        if source.as_ref().is_some_and(|shop| shop.paused.is_some()) {
            let (until, why) = self.ports.waits.paused(now);
            return self.settle(record, None, |step| step.wait(now, until, why)).await;
        }
        let destination = self.ports.ledger.shop(&record.at.shop).await?;
        let settings = destination.as_ref().and_then(|shop| Some(&shop.connection(&at.shop)?.settings));
        // What may be under way is seen to its end, whatever was switched off meanwhile.
        if phase == CancelPhase::Pending && !settings.is_some_and(|settings| settings.cancel_source) {
            return self.end(record, CancelPhase::NotWanted, "`cancel_source` is off").await;
        }
        let hidden = || wall::hidden(source.as_ref()?, &at, made_at, now);
        let shown = match wall::unless_hidden(self.ports.channel.shipped(&at).await, hidden) {
            Ok(Some(shown)) => shown,
            Ok(None) => return self.end(record, CancelPhase::Gone, "the source store has no such order").await,
            Err(error) => return self.failed(record, phase, &error).await,
        };
        let name = &shown.order.name;
        match phase {
            _ if shown.cancelled => self.end(record, CancelPhase::Cancelled { seen_at: now }, name).await,
            _ if shown.fulfillments.iter().any(|sent| sent.state.is_live()) => {
                self.end(record, CancelPhase::Shipped, &format!("something of {name} was shipped")).await
            }
            CancelPhase::Pending if self.is_labelled(record) => {
                self.end(record, CancelPhase::Shipped, &format!("a label was bought for {name}")).await
            }
            CancelPhase::Sent { at } if now < after(at, self.ports.waits.quarantine) => {
                self.look_again(record, None).await
            }
            CancelPhase::Sent { .. } => {
                let message = format!("{name} does not show the cancellation");
                let failure = Failure { at: now, code: Code::ChannelUnavailable, message, request_id: None };
                self.fail(record, CancelPhase::Pending, failure).await
            }
            _ => {
                let inventory = inventory.or(settings.map(|settings| settings.inventory));
                let restock = inventory.is_some_and(|inventory| inventory != Inventory::Bypass);
                let staff_note = staff_note(record, destination.as_ref().map(|shop| &shop.shop));
                self.call(record, &at, restock, staff_note).await
            }
        }
    }

    /// The order that the push made, when, and what that did to the stock.
    fn source_order(&self, record: &OrderRecord) -> Option<(OrderRef, Timestamp, Option<Inventory>)> {
        match &record.pushes.get(self.id)?.get().state {
            PushState::Confirmed { order, at, inventory, .. } => {
                Some((OrderRef { shop: self.id.0.clone(), id: order.id }, *at, *inventory))
            }
            PushState::NotPushed { .. } | PushState::Sent { .. } | PushState::Verifying { .. } => None,
        }
    }

    /// Claims and calls. Who loses the claim starts over.
    async fn call(
        &self,
        record: &mut OrderRecord,
        at: &OrderRef,
        restock: bool,
        staff_note: String,
    ) -> Result<(), Unfinished> {
        let now = self.now();
        let mut reason = super::unsaid();
        self.change(record, None, |step| {
            reason = step.state.reason.clone();
            step.state.phase = CancelPhase::Sent { at: now };
            step.wait(now, after(now, self.ports.waits.quarantine), WaitReason::InFlight);
        });
        self.ports.ledger.save(&mut [&mut *record]).await?;

        let cancellation = Cancellation { reason, restock, staff_note };
        match self.ports.channel.cancel_order(at, &cancellation).await {
            Ok(()) => self.look_again(record, None).await,
            Err(ChannelError::Refused { code: Code::AlreadyShipped, message, .. }) => {
                self.end(record, CancelPhase::Shipped, &message).await
            }
            Err(error) => match error.effect() {
                Effect::None => self.failed(record, CancelPhase::Pending, &error).await,
                Effect::Unknown => self.look_again(record, Some(failure(&error, self.now()))).await,
            },
        }
    }

    /// The shop does not show yet what became of the call; `unanswered`: nor did it answer.
    async fn look_again(&self, record: &mut OrderRecord, unanswered: Option<Failure>) -> Result<(), Unfinished> {
        let now = self.now();
        let until = after(now, self.ports.waits.verify_interval);
        self.settle(record, None, |step| {
            if let Some(failure) = &unanswered {
                step.first_failure.get_or_insert_with(|| failure.clone());
                step.last_failure = Some(failure.clone());
            }
            step.wait(now, until, WaitReason::Verifying);
        })
        .await
    }

    /// A call to read or to cancel failed, and cancelled nothing.
    async fn failed(
        &self,
        record: &mut OrderRecord,
        phase: CancelPhase,
        error: &ChannelError,
    ) -> Result<(), Unfinished> {
        let now = self.now();
        let Some((until, why)) = hold_back(self.ports, &record.at, error, now).await? else {
            return self.fail(record, phase, failure(error, now)).await;
        };
        self.settle(record, None, |step| {
            step.state.phase = phase.clone();
            step.wait(now, until, why);
        })
        .await
    }

    /// Counts a failure, and parks when it was the last one or a person has to decide.
    async fn fail(&self, record: &mut OrderRecord, phase: CancelPhase, failure: Failure) -> Result<(), Unfinished> {
        let waits = self.ports.waits;
        self.settle(record, None, |step| {
            step.state.phase = phase.clone();
            let Failure { at, code, .. } = failure;
            match step.fail(failure.clone(), |failed| waits.backoff(failed)) {
                AfterFailure::Retry => {}
                AfterFailure::Park => step.park(code, at, after(at, waits.quarantine), None),
            }
        })
        .await
    }

    /// Nothing is left to do.
    async fn end(&self, record: &mut OrderRecord, phase: CancelPhase, detail: &str) -> Result<(), Unfinished> {
        self.settle(record, Some(detail), |step| {
            let state = CancelState { phase: phase.clone(), ..step.state.clone() };
            step.succeed(state);
        })
        .await
    }

    /// Settles a step that this worker owns, against all who write other rows of the same order. Who wrote this one
    /// meanwhile has seen the source order cancelled, or took over: he knows better.
    async fn settle(
        &self,
        record: &mut OrderRecord,
        detail: Option<&str>,
        change: impl Fn(&mut Step<CancelState>),
    ) -> Result<(), Unfinished> {
        let version = |record: &OrderRecord| record.cancels.get(self.id).map(Row::version);
        let owned = version(record);
        for _ in 0..MAX_SETTLES {
            self.change(record, detail, &change);
            match self.ports.ledger.save(&mut [&mut *record]).await {
                Err(LedgerError::Conflict) => *record = self.ports.ledger.load(&record.at).await?,
                other => return Ok(other?),
            }
            if version(record) != owned {
                return Ok(());
            }
        }
        Err(LedgerError::Conflict.into())
    }

    /// Applies `change` to the step, in memory. The history tells of another phase and of a failure.
    fn change(&self, record: &mut OrderRecord, detail: Option<&str>, change: impl FnOnce(&mut Step<CancelState>)) {
        let Some(row) = record.cancels.get_mut(self.id) else { return };
        let now = self.now();
        let (before, attempts) = (row.get().state.name(), row.get().attempts);
        let step = row.change();
        change(step);
        let moved = |after: &str| HistoryEvent::moved(now, self.task, step_id(self.id), before, after);
        let after = step.state.name();
        let event = match (&step.last_failure, detail) {
            (Some(failure), _) if step.attempts > attempts => Some(moved("failed").with_failure(failure)),
            (_, Some(detail)) => Some(moved(after).with_detail(detail)),
            (_, None) => (after != before).then(|| moved(after)),
        };
        event.into_iter().for_each(|event| record.log(event));
        rewarn(record, now);
        tags::note(record, now);
    }

    /// Tells of a parked step, unless that is done.
    async fn announce(&self, record: &mut OrderRecord) -> Result<(), Unfinished> {
        let (at, name) = (record.at.clone(), order_name(record));
        let Some(row) = record.cancels.get_mut(self.id) else { return Ok(()) };
        if look::announce(self.ports, step_id(self.id), row.get(), (&at, name), at.clone()).await? {
            row.change().announced();
            self.ports.ledger.save(&mut [record]).await?;
        }
        Ok(())
    }
}

/// What the source store's staff read beside the cancellation.
fn staff_note(record: &OrderRecord, destination: Option<&Shop>) -> String {
    let facts = destination.and_then(|shop| shop.facts.as_ref());
    let shop = facts.map_or(record.at.shop.as_str(), |facts| facts.name.as_str());
    let order = order_name(record).unwrap_or_else(|| record.at.id.to_string());
    format!("{shop}, order {order}: cancelled there")
}
