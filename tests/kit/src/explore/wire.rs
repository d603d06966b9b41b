//! Between a worker's ports and the scheduler: each call waits here until it is decided how it goes.

use std::cell::{Cell, RefCell};
use std::fmt::{Debug, Display, Write};
use std::future::poll_fn;
use std::task::Poll;

use roundtrip_domain::ports::Clock;

use super::choice::{Decision, Kind};
use super::world::digest;
use crate::fake::{Fault, ManualClock};

/// A call that a worker is about to make.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) kind: Kind,
    /// Port and method, and for whom listens, what about.
    pub(super) what: String,
}

/// One worker's wire.
#[derive(Debug)]
pub(super) struct Wire {
    clock: ManualClock,
    call: RefCell<Option<Call>>,
    decision: Cell<Option<Decision>>,
    /// Stands for all that the worker was told so far: by this, and by its task, its future is what it is.
    heard: Cell<u64>,
    last_answer: RefCell<Option<String>>,
    listens: bool,
}

impl Wire {
    pub(super) fn new(clock: ManualClock, listens: bool) -> Self {
        let (call, decision, heard, last_answer) = Default::default();
        Self { clock, call, decision, heard, last_answer, listens }
    }

    /// The call at which the worker stands now.
    pub(super) fn take_call(&self) -> Option<Call> {
        self.call.take()
    }

    /// Decides how that call goes.
    pub(super) fn decide(&self, decision: Decision) {
        self.decision.set(Some(decision));
    }

    pub(super) fn heard(&self) -> u64 {
        self.heard.get()
    }

    pub(super) fn take_answer(&self) -> Option<String> {
        self.last_answer.take()
    }

    /// A call whose faults are made up here: `fail` says what the caller is told of them.
    pub(super) async fn call<R: Debug, E: Debug>(
        &self,
        kind: Kind,
        name: &'static str,
        about: impl Display,
        effect: impl Future<Output = Result<R, E>>,
        fail: impl FnOnce() -> E,
    ) -> Result<R, E> {
        let answer = match self.point(kind, name, &about).await {
            Some(Fault::AnswerLost) => {
                let _ = effect.await;
                Err(fail())
            }
            Some(_) => Err(fail()),
            None => effect.await,
        };
        self.note(&answer);
        if answer.is_err() {
            self.tell(&answer);
        }
        answer
    }

    /// Waits for the decision; how the call goes wrong, if it does.
    pub(super) async fn point(&self, kind: Kind, name: &'static str, about: &impl Display) -> Option<Fault> {
        match self.decision(kind, name, about).await {
            Decision::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// Waits for the decision.
    pub(super) async fn decision(&self, kind: Kind, name: &'static str, about: &impl Display) -> Decision {
        let what = if self.listens { format!("{name} {about}") } else { name.to_owned() };
        let mut call = Some(Call { kind, what });
        poll_fn(|_| match call.take() {
            Some(call) => {
                self.call.replace(Some(call));
                Poll::Pending
            }
            None => Poll::Ready(self.decision.take().expect("a worker goes on only when it was decided how")),
        })
        .await
    }

    /// What a worker is told of a shop.
    pub(super) fn answered<R: Debug>(&self, answer: R) -> R {
        self.note(&answer);
        self.tell(&answer);
        answer
    }

    /// Takes down what the worker is told.
    fn note(&self, answer: &impl Debug) {
        let mut text = String::new();
        let _ = write!(text, "{} {} {answer:?}", self.heard.get(), self.clock.now());
        self.heard.set(digest(&text));
    }

    fn tell(&self, answer: &impl Debug) {
        if self.listens {
            self.last_answer.replace(Some(format!("{answer:?}").chars().take(120).collect()));
        }
    }
}
