//! A step of a shop itself, not of an order: it waits, fails, is parked and told of as those are.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::ChannelError;
use crate::code::Code;
use crate::event::{DomainEvent, EventFailure, EventKind};
use crate::id::ShopDomain;
use crate::look::{failure, parked_message, retry_outcome};
use crate::ports::{Clock, Ledger, LedgerError, Outbox, Ports, Registry, after};
use crate::step::{AfterFailure, Step, StepId, WaitReason};
use crate::task::Subject;
use crate::work::{Outcome, Unfinished};

/// How often somebody else's step is written against its worker.
const MAX_WRITES: usize = 5;

/// Changes a step of a shop from outside its worker, against whoever writes it at the same time.
///
/// # Errors
/// The ledger cannot be read or written, or somebody else was first each time.
pub async fn change_shop_step<S, R>(
    ledger: &impl Ledger,
    shop: &ShopDomain,
    id: &StepId,
    change: impl Fn(&mut Step<S>) -> R,
) -> Result<R, LedgerError>
where
    S: Default + Clone + PartialEq + Serialize + DeserializeOwned,
{
    let mut tries = 0;
    loop {
        let known = ledger.shop_step(shop, id).await?;
        let (before, version) = known.unwrap_or_else(|| (Step::new(S::default()), 0));
        let mut step = before.clone();
        let answer = change(&mut step);
        if step == before {
            return Ok(answer);
        }
        tries += 1;
        match ledger.save_shop_step(shop, id, &step, version).await {
            Err(LedgerError::Conflict) if tries < MAX_WRITES => {}
            other => return other.map(|()| answer),
        }
    }
}

/// What a step of a shop knows, and what others may write into it while its worker is at it.
pub(crate) trait ShopState: Default + Clone + PartialEq + Serialize + DeserializeOwned {
    /// Takes over what was asked for since it was `before`, if nothing else differs in `theirs`. Says whether it did; of most
    /// steps nothing is asked while they are done.
    fn take_over(&mut self, _before: &Self, _theirs: &Self) -> bool {
        false
    }
}

/// A step of the shop `at`, and how it is changed.
pub(crate) struct ShopStep<'a, S, L, C, T, K> {
    pub(crate) ports: &'a Ports<L, C, T, K>,
    pub(crate) at: ShopDomain,
    pub(crate) step: Step<S>,
    id: StepId,
    /// As the ledger has it, so far as is known.
    kept: Step<S>,
    /// 0: it is not in the ledger yet.
    version: u64,
}

impl<'a, S, L, C, T, K> ShopStep<'a, S, L, C, T, K>
where
    S: ShopState,
    L: Ledger + Registry,
    T: Outbox,
    K: Clock,
{
    /// The step, or one that nothing was tried for yet.
    pub(crate) async fn load(ports: &'a Ports<L, C, T, K>, at: &ShopDomain, id: StepId) -> Result<Self, LedgerError> {
        let known = ports.ledger.shop_step(at, &id).await?;
        let (step, version) = known.unwrap_or_else(|| (Step::new(S::default()), 0));
        Ok(Self { ports, at: at.clone(), kept: step.clone(), step, id, version })
    }

    /// Whether the ledger has it.
    pub(crate) fn is_known(&self) -> bool {
        self.version > 0
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// On condition that nobody else has gone on with it since it was read. What somebody asked for meanwhile is taken over,
    /// so that no worker has done its part for nothing.
    pub(crate) async fn save(&mut self) -> Result<(), LedgerError> {
        let mut tries = 0;
        loop {
            match self.ports.ledger.save_shop_step(&self.at, &self.id, &self.step, self.version).await {
                Err(LedgerError::Conflict) if tries < MAX_WRITES && self.take_over().await? => tries += 1,
                saved => {
                    saved?;
                    self.version += 1;
                    self.kept.clone_from(&self.step);
                    return Ok(());
                }
            }
        }
    }

    /// Whether others have done no more than to ask for something.
    async fn take_over(&mut self) -> Result<bool, LedgerError> {
        let Some((theirs, version)) = self.ports.ledger.shop_step(&self.at, &self.id).await? else { return Ok(false) };
        let differs_in_state_alone = Step { state: self.kept.state.clone(), ..theirs.clone() } == self.kept;
        if !(differs_in_state_alone && self.step.state.take_over(&self.kept.state, &theirs.state)) {
            return Ok(false);
        }
        (self.kept, self.version) = (theirs, version);
        if self.step.wait.is_none() && self.step.parked.is_none() {
            // It was to rest for good.
            let now = self.now();
            self.step.wait(now, now, WaitReason::Requested);
        }
        Ok(true)
    }

    /// Nobody else does it meanwhile; should the worker die, due work goes on after the quarantine.
    pub(crate) async fn claim(&mut self) -> Result<(), LedgerError> {
        let now = self.now();
        self.step.wait(now, after(now, self.ports.waits.quarantine), WaitReason::InFlight);
        self.save().await
    }

    /// May it be done now? `Some`: it is parked, or rests, and this is how the task ends.
    pub(crate) async fn barred(&mut self) -> Result<Option<Outcome>, Unfinished> {
        let now = self.now();
        if let Some(parked) = &self.step.parked {
            let code = parked.code;
            if self.step.is_announcement_overdue(now) {
                self.announce().await?;
            }
            return Ok(Some(Outcome::Park { code }));
        }
        let wait = self.step.wait.as_ref().filter(|_| self.step.is_resting(now));
        Ok(wait.map(|wait| Outcome::Wait { until: wait.until, why: wait.why }))
    }

    /// Waiting is not failing.
    pub(crate) async fn rest(&mut self, until: Timestamp, why: WaitReason) -> Result<Outcome, Unfinished> {
        self.step.wait(self.now(), until, why);
        self.save().await?;
        Ok(Outcome::Wait { until, why })
    }

    /// Counts a failure, and parks when it was the last one.
    pub(crate) async fn fail(&mut self, error: &ChannelError) -> Result<Outcome, Unfinished> {
        let waits = self.ports.waits;
        match self.step.fail(failure(error, self.now()), |failed| waits.backoff(failed)) {
            AfterFailure::Retry => {
                self.save().await?;
                Ok(retry_outcome(&self.step))
            }
            AfterFailure::Park => self.park(error.code()).await,
        }
    }

    /// Counts a failure that whoever comes at `until` sees to, and parks when it was the last one.
    pub(crate) async fn fail_until(
        &mut self,
        error: &ChannelError,
        until: Timestamp,
        why: WaitReason,
    ) -> Result<Outcome, Unfinished> {
        match self.step.fail(failure(error, self.now()), |_| Duration::ZERO) {
            AfterFailure::Retry => self.rest(until, why).await,
            AfterFailure::Park => self.park(error.code()).await,
        }
    }

    /// Counts a failure, and parks: trying again would not help.
    pub(crate) async fn give_up(&mut self, error: &ChannelError) -> Result<Outcome, Unfinished> {
        self.step.fail(failure(error, self.now()), |_| Duration::ZERO);
        self.park(error.code()).await
    }

    async fn park(&mut self, code: Code) -> Result<Outcome, Unfinished> {
        let now = self.now();
        self.step.park(code, now, after(now, self.ports.waits.quarantine), None);
        self.save().await?;
        self.announce().await?;
        Ok(Outcome::Park { code })
    }

    async fn announce(&mut self) -> Result<(), Unfinished> {
        let subject = Subject::Shop { shop: self.at.clone() };
        let Some(message) = parked_message(&self.step, None, self.id.clone(), subject) else { return Ok(()) };
        if let Some(event) = self.shop_paused().await? {
            self.ports.tasks.publish(&event).await?;
        }
        self.ports.tasks.park(self.id.queue(), &message).await?;
        self.step.announced();
        Ok(self.save().await?)
    }

    /// What is to be told of a shop that cannot be connected because it does not let us in.
    async fn shop_paused(&self) -> Result<Option<DomainEvent>, LedgerError> {
        let (StepId::Connect, Some(parked)) = (&self.id, &self.step.parked) else { return Ok(None) };
        let is_paused = self.ports.ledger.shop(&self.at).await?.is_some_and(|shop| shop.shop.paused.is_some());
        let failure = EventFailure::of(self.id.clone(), &self.step).filter(|_| is_paused);
        let what = format!("{}@{}", self.id, self.step.generation);
        Ok(failure.map(|failure| DomainEvent::new(parked.at, self.at.clone(), what, EventKind::ShopPaused { failure })))
    }
}
