//! One run, told point by point.

use std::fmt;

use super::choice::{Decision, Scheduler, Script};
use super::flight::fly_on;
use super::law::{Broken, holds_at_the_end};
use super::scenario::Scenario;
use super::world::World;
use crate::fake::Fault;

/// What happened in one run.
#[derive(Debug)]
pub struct Replay {
    pub script: Script,
    /// What happened at each point: its number, when, who, which call, and how it went if it did not go well.
    pub told: Vec<String>,
    /// The law that was broken, if one was.
    pub broken: Option<Broken>,
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.told {
            writeln!(f, "{line}")?;
        }
        match &self.broken {
            Some(broken) => writeln!(f, "{broken}")?,
            None => writeln!(f, "all laws hold")?,
        }
        let script: Vec<String> =
            self.script.iter().map(|(at, decision)| format!("({at}, {})", code(*decision))).collect();
        write!(f, "script: &[{}]", script.join(", "))
    }
}

/// A decision as it is written in a script.
fn code(decision: Decision) -> String {
    match decision {
        Decision::Fault(Fault::LandsLate(by)) => {
            format!("Fault(Fault::LandsLate(Duration::from_secs({})))", by.as_secs())
        }
        Decision::Fault(fault) => format!("Fault(Fault::{fault:?})"),
        other => format!("{other:?}"),
    }
}

/// Runs `scenario` with `script`.
///
/// # Panics
/// If a decision of the script is not possible at its point.
#[must_use]
pub fn replay(scenario: &Scenario, script: &[(usize, Decision)]) -> Replay {
    let mut teller = Teller { script, told: Vec::new() };
    let mut world = World::new(scenario);
    let flown = fly_on(scenario, &mut world, &mut teller);
    let held = flown.and_then(|()| holds_at_the_end(scenario, world));
    Replay { script: script.to_vec(), told: teller.told, broken: held.err() }
}

/// Decides by the script, and tells what happens.
struct Teller<'a> {
    script: &'a [(usize, Decision)],
    told: Vec<String>,
}

impl Scheduler for Teller<'_> {
    fn decide(
        &mut self,
        point: usize,
        menu: impl FnOnce() -> Vec<Decision>,
        _: impl FnOnce() -> u64,
    ) -> Option<Decision> {
        let Some((_, decision)) = self.script.iter().find(|(at, _)| *at == point) else {
            return Some(Decision::Proceed);
        };
        let menu = menu();
        let told = self.told.join("\n");
        assert!(menu.contains(decision), "{told}\nat point {point} {decision:?} is not possible, but {menu:?}");
        Some(*decision)
    }

    fn listens(&self) -> bool {
        true
    }

    fn hear(&mut self, line: String) {
        self.told.push(line);
    }
}
