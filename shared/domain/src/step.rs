//! A step: one thing to be done once for an order, and how far it has come.
//!
//! A step is tried until it succeeds, waits for the world, or is parked for a person. Waiting is not
//! failing: only failures count, and they count in the ledger, not in the queue.

mod id;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::code::Code;

pub use crate::wait::{Wait, WaitReason};
pub use id::{Aside, InvalidStepId, Look, StepId};

/// After this many failed attempts a step is parked.
pub const MAX_ATTEMPTS: u32 = 5;

/// A step and how far it has come; `S` is what its own state says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step<S> {
    pub state: S,
    /// Failed attempts of this generation.
    #[serde(default)]
    pub attempts: u32,
    /// Raised by each redrive and purge: an older message about this step is void.
    #[serde(default)]
    pub generation: u32,
    /// Until when nothing needs doing, and why. Due work wakes the step when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<Parked>,
    /// What it was parked with before it was set going again, until it is done or waits for the world: so long it counts as
    /// failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<Code>,
    /// What it came to is written down, but the event bus has not taken the event that says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpublished: bool,
}

/// One failed attempt. `message` is Shopify's own text about our request; it names no person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    pub at: Timestamp,
    pub code: Code,
    pub message: String,
    /// Shopify's `x-request-id`, for their support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A step that only a person, or a change of what it is made from, sets going again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    pub code: Code,
    pub at: Timestamp,
    /// What it was decided by, as a text: other inputs set it going again. `None`: only a redrive does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<String>,
    /// Whether its dead-letter message is out.
    #[serde(default)]
    pub announced: bool,
    /// A person has decided that nothing more is done about it: it is parked as before, and stands in no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<Dismissed>,
}

/// Who said that nothing more is done about it, when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dismissed {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

impl Parked {
    /// Whether a person is to see to it.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.dismissed.is_none()
    }
}

impl<S> Step<S> {
    /// A step that nothing was tried for yet.
    #[must_use]
    pub fn new(state: S) -> Self {
        Self {
            state,
            attempts: 0,
            generation: 0,
            wait: None,
            first_failure: None,
            last_failure: None,
            parked: None,
            retried: None,
            unpublished: false,
        }
    }

    /// Waits from `now` on; counts nothing. A wait for the world that only a failure or a rate limit interrupts
    /// goes on as old as it is.
    pub fn wait(&mut self, now: Timestamp, until: Timestamp, why: WaitReason) {
        let since = self.waiting_since(why, now);
        let interrupted = self.wait.take().filter(|_| why.forbids_calls()).and_then(Wait::for_the_world);
        self.retried = self.retried.filter(|_| !why.is_for_the_world());
        self.wait = Some(Wait { until, why, since: Some(since), interrupted });
    }

    /// Since when it has waited for `why`; `now` if it does not.
    #[must_use]
    pub fn waiting_since(&self, why: WaitReason, now: Timestamp) -> Timestamp {
        self.wait.as_ref().and_then(|wait| wait.since(why)).unwrap_or(now)
    }

    /// Whether calls for this step are forbidden at `now`.
    #[must_use]
    pub fn is_resting(&self, now: Timestamp) -> bool {
        self.wait.as_ref().is_some_and(|wait| wait.why.forbids_calls() && wait.until > now)
    }

    /// Counts a failure and says whether the step is now to be parked: at once if a person has to
    /// decide, else after [`MAX_ATTEMPTS`]; otherwise it waits `backoff(attempts)`.
    pub fn fail(&mut self, failure: Failure, backoff: impl Fn(u32) -> std::time::Duration) -> AfterFailure {
        use crate::code::Disposition;

        self.attempts += 1;
        let now = failure.at;
        let code = failure.code;
        self.first_failure.get_or_insert_with(|| failure.clone());
        self.last_failure = Some(failure);
        match code.disposition() {
            Disposition::Retry | Disposition::Wait if self.attempts < MAX_ATTEMPTS => {
                self.wait(now, now + backoff(self.attempts), WaitReason::Backoff);
                AfterFailure::Retry
            }
            Disposition::Retry | Disposition::Wait | Disposition::Park => AfterFailure::Park,
        }
    }

    /// Parks. Its worker sends the dead-letter message next; should it die before, the step is due at
    /// `announce_by`, and whoever comes then sends it.
    pub fn park(&mut self, code: Code, now: Timestamp, announce_by: Timestamp, inputs: Option<String>) {
        self.parked = Some(Parked { code, at: now, inputs, announced: false, dismissed: None });
        self.wait(now, announce_by, WaitReason::Announcing);
    }

    /// Whether the step may be tried with `inputs`: it is not parked, or was parked by others.
    #[must_use]
    pub fn is_open_to(&self, inputs: &str) -> bool {
        match &self.parked {
            None => true,
            Some(parked) => parked.inputs.as_deref().is_some_and(|before| before != inputs),
        }
    }

    /// Whether a parked step's message is missing for so long that its worker must have died.
    #[must_use]
    pub fn is_announcement_overdue(&self, now: Timestamp) -> bool {
        let waits = self.wait.as_ref().is_some_and(|wait| wait.until > now);
        self.parked.as_ref().is_some_and(|parked| !parked.announced) && !waits
    }

    /// The dead-letter message is out.
    pub fn announced(&mut self) {
        if let Some(parked) = &mut self.parked {
            parked.announced = true;
        }
        self.wait = None;
    }

    /// Why the order is not as it should be for the step: it is parked, or was, and goes again without having got there.
    #[must_use]
    pub fn failed(&self) -> Option<Code> {
        let retried = self.retried.filter(|_| self.wait.is_some());
        self.parked.as_ref().map(|parked| parked.code).or(retried)
    }

    /// Sets a parked step going again, with a clean slate and a new generation.
    pub fn reopen(&mut self) {
        self.retried = self.parked.take().map(|parked| parked.code).or(self.retried);
        self.wait = None;
        self.attempts = 0;
        self.first_failure = None;
        self.last_failure = None;
        self.generation += 1;
    }

    /// Whether the event bus has taken the event that says what it came to; if not, due at `again`, unless the
    /// step waits for something else.
    pub fn published(&mut self, taken: bool, now: Timestamp, again: Timestamp) {
        self.unpublished = !taken;
        if self.wait.as_ref().is_none_or(|wait| wait.why == WaitReason::Publishing) {
            self.wait = None;
            if !taken {
                self.wait(now, again, WaitReason::Publishing);
            }
        }
    }

    /// It got on: what failed before does not count any more.
    pub fn forget_failures(&mut self) {
        self.attempts = 0;
        self.first_failure = None;
        self.last_failure = None;
    }

    /// Done: nothing waits, nothing is parked, no failure counts any more.
    pub fn succeed(&mut self, state: S) {
        self.state = state;
        self.wait = None;
        self.parked = None;
        self.retried = None;
        self.forget_failures();
    }
}

/// What [`Step::fail`] decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    Retry,
    Park,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn failure(code: Code, second: i64) -> Failure {
        Failure { at: Timestamp::from_second(second).unwrap(), code, message: "no answer".into(), request_id: None }
    }

    #[test]
    fn a_step_is_parked_at_its_fifth_failure_and_rests_in_between() {
        let mut step = Step::new(());

        let after: Vec<_> = (0..5)
            .map(|n| step.fail(failure(Code::ChannelUnavailable, n), |attempt| Duration::from_secs(u64::from(attempt))))
            .collect();

        assert_eq!(after[..4], [AfterFailure::Retry; 4]);
        assert_eq!(after[4], AfterFailure::Park);
        assert_eq!(step.first_failure.as_ref().unwrap().at.as_second(), 0);
        assert!(step.is_resting(Timestamp::from_second(6).unwrap()));
        assert!(!step.is_resting(Timestamp::from_second(7).unwrap()));
    }

    #[test]
    fn what_a_person_must_decide_is_parked_at_once() {
        let mut step = Step::new(());

        assert_eq!(step.fail(failure(Code::ProductsMismatch, 0), |_| Duration::ZERO), AfterFailure::Park);
    }

    #[test]
    fn what_the_next_look_may_settle_is_tried_again() {
        for code in [Code::OrderChanged, Code::OnHold, Code::AccessDenied] {
            let mut step = Step::new(());

            assert_eq!(step.fail(failure(code, 0), |_| Duration::ZERO), AfterFailure::Retry, "{code}");
        }
    }

    #[test]
    fn a_parked_step_stays_due_until_its_message_is_out() {
        let mut step = Step::new(());

        step.park(Code::Rejected, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, None);
        let due = step.wait.clone();
        step.announced();

        assert_eq!(due.map(|w| w.why), Some(WaitReason::Announcing));
        assert_eq!(step.wait, None);
        assert!(step.parked.unwrap().announced);
    }

    #[test]
    fn reopening_raises_the_generation_and_forgets_the_failures() {
        let mut step = Step::new(());
        step.fail(failure(Code::Rejected, 0), |_| Duration::ZERO);
        step.park(Code::Rejected, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, None);

        step.reopen();

        assert_eq!((step.attempts, step.generation), (0, 1));
        assert_eq!(step.parked, None);
    }

    #[test]
    fn what_goes_again_has_failed_until_it_is_done_or_waits_for_the_world() {
        let now = Timestamp::UNIX_EPOCH;
        let retried = || {
            let mut step = Step::new(());
            step.park(Code::Rejected, now, now, None);
            step.reopen();
            step.wait(now, now, WaitReason::InFlight);
            step
        };
        let (mut done, mut waits, mut fails) = (retried(), retried(), retried());
        assert_eq!(done.failed(), Some(Code::Rejected));

        done.succeed(());
        waits.wait(now, now, WaitReason::OnHold);
        waits.wait(now, now, WaitReason::InFlight);
        fails.park(Code::AlreadyShipped, now, now, None);

        assert_eq!([done.failed(), waits.failed(), fails.failed()], [None, None, Some(Code::AlreadyShipped)]);
    }
}
