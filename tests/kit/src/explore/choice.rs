//! What may happen at a point, and who chooses.

use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::Waits;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::push::OrderKey;

use crate::fake::Fault;

/// What happens at a point. All but `Proceed` count against the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The call is made and answered; where somebody has to be chosen, the first.
    Proceed,
    /// The worker dies before the call; after the last call: before its message is deleted.
    Crash,
    /// The call goes wrong.
    Fault(Fault),
    /// The order is there, but from now on the shop's index does not show it, for as long as it may lag.
    Lag,
    /// The worker stands still for almost as long as it may live, and everything else goes on.
    Stall,
    /// The n-th of the others who could go on or begin goes first.
    Switch(usize),
}

/// What departs from `Proceed`, by the number of its point.
pub type Script = Vec<(usize, Decision)>;

/// Which kind of call a worker is about to make.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    LedgerRead,
    Commit,
    Question,
    /// A question whose answer may lag.
    LookUp(ShopDomain, OrderKey),
    Mutation,
    Send,
}

/// A late call that lands long before anybody looks for its effect.
const SOON: Duration = Duration::from_secs(10);
/// How long before its time-out a worker that stood still goes on.
const SPARE: Duration = Duration::from_secs(1);
/// How long a worker may live. Source: `WorkerTimeout` in template.yaml.
const WORKER_TIMEOUT: Duration = Duration::from_secs(30);

/// For how long an index may not show an order that is there. Source: docs/adr/0002-push-protocol.md.
pub(super) const INDEX_LAG: Duration = Duration::from_secs(30);

/// When a worker that stands still goes on.
pub(super) fn stalled_until(started: Timestamp) -> Timestamp {
    started + (WORKER_TIMEOUT - SPARE)
}

/// All that may happen at a call of a worker that began at `started`, beside that others go first. `lags`:
/// whether the index may not show yet what is looked for.
pub(super) fn menu(kind: &Kind, started: Timestamp, now: Timestamp, lags: bool) -> Vec<Decision> {
    use Decision::{Crash, Lag, Proceed, Stall};

    let mut menu = vec![Proceed, Crash];
    let faults: &[Fault] = match kind {
        Kind::LedgerRead => &[Fault::Unreachable],
        Kind::Commit => &[Fault::RequestLost, Fault::AnswerLost],
        Kind::Question | Kind::LookUp(..) => &[Fault::Throttled, Fault::Unreachable],
        Kind::Mutation => {
            &[Fault::Throttled, Fault::Unreachable, Fault::Refused, Fault::AnswerLost, Fault::RequestLost]
        }
        Kind::Send => &[Fault::Unreachable, Fault::AnswerLost],
    };
    menu.extend(faults.iter().map(|fault| Decision::Fault(*fault)));
    if let Kind::Mutation = kind {
        // The assumption of the protocol: nothing lands later than a quarantine after its claim.
        let last = started + (Waits::default().quarantine - SPARE);
        let late = Duration::try_from(last.duration_since(now)).unwrap_or_default();
        menu.extend([SOON, late].map(|by| Decision::Fault(Fault::LandsLate(by))));
    }
    if lags {
        menu.push(Lag);
    }
    if matches!(kind, Kind::Commit | Kind::Mutation) && stalled_until(started) > now {
        menu.push(Stall);
    }
    menu
}

/// Who decides at each point.
pub(super) trait Scheduler {
    /// Chooses one of `menu()` at point number `point`. `state()` tells this moment from all others.
    /// `None`: all that can come of it is known.
    fn decide(
        &mut self,
        point: usize,
        menu: impl FnOnce() -> Vec<Decision>,
        state: impl FnOnce() -> u64,
    ) -> Option<Decision>;

    /// Whether anybody wants to hear what happens.
    fn listens(&self) -> bool {
        false
    }

    /// Hears what happens.
    fn hear(&mut self, _line: String) {}
}

/// Nothing goes wrong any more.
pub(super) struct AllWell;

impl Scheduler for AllWell {
    fn decide(&mut self, _: usize, _: impl FnOnce() -> Vec<Decision>, _: impl FnOnce() -> u64) -> Option<Decision> {
        Some(Decision::Proceed)
    }
}
