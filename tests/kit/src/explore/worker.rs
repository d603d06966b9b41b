//! A worker: a use case under way, stopped at its next call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use roundtrip_domain::due::{Release, release_due};
use roundtrip_domain::push::push_order;
use roundtrip_domain::resync::resync;
use roundtrip_domain::task::Queue;
use roundtrip_domain::writeback::write_back;
use roundtrip_domain::{Unfinished, error_chain};

use super::choice::Decision;
use super::law::{Broken, Law};
use super::scenario::Scenario;
use super::watch::{WatchedPorts, watched};
use super::wire::{Call, Wire};
use super::world::{Work, World};

/// In a few words how it ended; `Err`: the message has to come again.
pub(super) type End = Result<String, String>;

/// See the module.
pub(super) struct Worker {
    /// `A` for the first.
    pub(super) name: String,
    pub(super) work: Work,
    pub(super) began_at: Timestamp,
    pub(super) stalled_until: Option<Timestamp>,
    pub(super) wire: Rc<Wire>,
    at: At,
    future: Pin<Box<dyn Future<Output = End>>>,
}

/// Where a worker stands.
#[derive(Debug)]
pub(super) enum At {
    /// On its way to the next point.
    UnderWay,
    /// Before a call.
    Call(Call),
    /// Behind the last one, with its message not deleted yet.
    End(End),
}

impl Worker {
    /// Begins with `work`.
    pub(super) fn begin(scenario: &Scenario, world: &mut World, work: Work, listens: bool) -> Self {
        world.begin(&work);
        let wire = Rc::new(Wire::new(world.ports.clock.clone(), listens));
        let future = use_case(watched(&world.ports, scenario, &wire), work.clone());
        let name = name(world.workers);

        world.workers += 1;
        Self { name, work, began_at: world.now(), stalled_until: None, wire, at: At::UnderWay, future }
    }

    /// Goes on to the next point, unless it stands at one.
    pub(super) fn go_on(&mut self) -> Result<&At, Broken> {
        if let At::UnderWay = self.at {
            let future = &mut self.future;
            let poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            self.at = match catch_unwind(AssertUnwindSafe(poll)) {
                Ok(Poll::Ready(end)) => At::End(end),
                Ok(Poll::Pending) => At::Call(self.wire.take_call().expect("a worker waits for nothing but its calls")),
                Err(_) => return Err(Broken::new(Law::NobodyPanics, format!("{} panicked", self.name))),
            };
        }
        Ok(&self.at)
    }

    /// The call at which it stands is made, in this way.
    pub(super) fn call(&mut self, decision: Decision) {
        self.wire.decide(decision);
        self.at = At::UnderWay;
    }

    /// The call before which it stands.
    pub(super) fn stands_before(&self) -> Option<&Call> {
        match &self.at {
            At::Call(call) => Some(call),
            At::UnderWay | At::End(_) => None,
        }
    }

    /// Where it stands, for a reader.
    pub(super) fn stands(&self) -> String {
        match &self.at {
            At::UnderWay => "under way".to_owned(),
            At::Call(call) => call.what.clone(),
            At::End(Ok(end)) => format!("ends: {end}"),
            At::End(Err(error)) => format!("fails: {error}"),
        }
    }

    /// Tells this worker, where it stands, from all others.
    pub(super) fn state(&self) -> String {
        format!("{:?} {} {:?} {}", self.work, self.began_at, self.stalled_until, self.wire.heard())
    }
}

fn use_case(ports: WatchedPorts, work: Work) -> Pin<Box<dyn Future<Output = End>>> {
    Box::pin(async move {
        let end: Result<String, Unfinished> = match work {
            Work::DueWork => release_due(&ports, Release::default(), "due-work").await.map(|r| format!("{r:?}")),
            Work::Message { queue, task, .. } => match queue {
                Queue::OrderPush => push_order(&ports, &task).await.map(|outcome| outcome.to_string()),
                Queue::TrackingWriteback => write_back(&ports, &task).await.map(|outcome| outcome.to_string()),
                Queue::Resync => resync(&ports, &task).await.map(|outcome| outcome.to_string()),
                Queue::AppLifecycle => unreachable!("nobody connects a shop here"),
            },
        };
        end.map_err(|error| error_chain(&error))
    })
}

/// A, B, …, Z, A1, B1, …
fn name(n: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(n % 26).expect("less than 26"));
    match n / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}
