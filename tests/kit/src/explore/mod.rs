//! A model checker over the real use cases: whatever call a worker dies at, whichever answer is lost or
//! late, whoever goes first, the laws of the protocols hold.
//!
//! Each call of a port is a *point* ([`choice`] lists what may happen there). A run is a list of decisions;
//! all but *proceed* count, and every list with up to so many of them is tried. While workers are under way
//! their futures cannot be copied, so what led there is done again; between them the [`world`] is plain data,
//! and is gone on from by copying it. A state that was gone on from before, with as many faults left, is not
//! gone on from again: a worker's future is what it is by its task and the answers it has had.

mod choice;
mod flight;
mod law;
mod replay;
mod scenario;
mod search;
mod watch;
mod wire;
mod worker;
mod world;

pub use choice::{Decision, Script};
pub use law::{Broken, Law};
pub use replay::{Replay, replay};
pub use scenario::Scenario;
pub use search::Explored;
use search::Search;
pub use world::ready;

/// Goes every way through `scenario` with up to `faults` faults.
///
/// # Errors
/// A run in which a law is broken, by as few faults as can be.
pub fn explore(scenario: &Scenario, faults: usize) -> Result<Explored, Replay> {
    let (mut broken, mut script) = match Search::new(scenario, faults).run() {
        Ok(explored) => return Ok(explored),
        Err(found) => found,
    };
    while let Some(fewer) = script.len().checked_sub(1) {
        match Search::new(scenario, fewer).run() {
            Ok(_) => break,
            Err(found) => (broken, script) = found,
        }
    }
    let replayed = replay(scenario, &script);
    assert_eq!(replayed.broken, Some(broken), "a run can be replayed:\n{replayed}");
    Err(replayed)
}
