//! Every way through, from worlds that fewer faults led to first: so that most are gone on from only once.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::choice::{Decision, Scheduler, Script};
use super::flight::{Ended, fly};
use super::law::{Broken, holds_at_the_end};
use super::scenario::Scenario;
use super::world::World;

/// What was explored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Explored {
    /// Flights: from a quiet world to the next one, or to where it is known how it goes on.
    pub flights: usize,
    /// Quiet worlds, each different from all others.
    pub worlds: usize,
    /// Moments within flights at which something could go wrong, each different from all others.
    pub moments: usize,
    /// Worlds in which nothing is left to do.
    pub ends: usize,
    pub took: Duration,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flights, worlds, moments, ends, took } = self;
        write!(f, "{flights} flights through {worlds} worlds and {moments} moments to {ends} ends in {took:.1?}")
    }
}

/// Goes every way through `scenario` with up to `faults` faults.
pub(super) struct Search<'a> {
    scenario: &'a Scenario,
    faults: usize,
    /// With how many faults left each state was gone on from.
    known: HashMap<u64, usize>,
    /// Worlds still to be gone on from, by how many faults led there.
    open: Vec<Vec<World>>,
    explored: Explored,
}

impl<'a> Search<'a> {
    pub(super) fn new(scenario: &'a Scenario, faults: usize) -> Self {
        let open = (0..=faults).map(|_| Vec::new()).collect();
        Self { scenario, faults, known: HashMap::new(), open, explored: Explored::default() }
    }

    /// The first law that is broken, and the script that broke it.
    pub(super) fn run(mut self) -> Result<Explored, (Broken, Script)> {
        let began = Instant::now();
        self.open[0].push(World::new(self.scenario));
        for used in 0..=self.faults {
            while let Some(world) = self.open[used].pop() {
                self.go_on(&world)?;
            }
        }
        self.explored.took = began.elapsed();
        Ok(self.explored)
    }

    /// Goes every way on from a quiet world.
    fn go_on(&mut self, from: &World) -> Result<(), (Broken, Script)> {
        let mut path = Path::default();
        loop {
            let mut world = from.fork();
            let left = self.faults - world.script.len();
            let mut descent = Descent { path: &mut path, depth: 0, left, known: &mut self.known, moments: 0 };
            let ended = fly(self.scenario, &mut world, &mut descent);
            self.explored.moments += descent.moments;
            self.explored.flights += 1;
            match ended {
                Ok(Ended::Quiet) => self.arrive(world)?,
                Ok(Ended::Settled) => {
                    self.explored.ends += 1;
                    let end = world.fork();
                    holds_at_the_end(self.scenario, end).map_err(|broken| (broken, world.script))?;
                }
                Ok(Ended::Known) => {}
                Err(broken) => return Err((broken, world.script)),
            }
            if !path.turn() {
                return Ok(());
            }
        }
    }

    /// A quiet world: to be gone on from, unless it is known.
    fn arrive(&mut self, world: World) -> Result<(), (Broken, Script)> {
        let used = world.script.len();
        if !is_new(&mut self.known, world.digest(), self.faults - used) {
            return Ok(());
        }
        self.explored.worlds += 1;
        if used < self.faults {
            self.open[used].push(world);
            return Ok(());
        }
        // Nothing can go wrong any more: there is one way on.
        self.go_on(&world)
    }
}

/// Whether a state was not gone on from with as many faults left; from now on it was.
fn is_new(known: &mut HashMap<u64, usize>, state: u64, left: usize) -> bool {
    // Zero left is known, too: so one more is noted down.
    let before = known.entry(state).or_default();
    let new = *before < left + 1;
    *before = (*before).max(left + 1);
    new
}

/// The way taken from a quiet world: at each point with a choice, which one of how many.
#[derive(Debug, Default)]
struct Path(Vec<(usize, usize)>);

impl Path {
    /// Takes the next turn at the last point that has another. Whether there was one.
    fn turn(&mut self) -> bool {
        while self.0.pop_if(|(taken, of)| *taken + 1 == *of).is_some() {}
        match self.0.last_mut() {
            Some((taken, _)) => {
                *taken += 1;
                true
            }
            None => false,
        }
    }
}

/// Follows a path to its end, and the first choice from there on.
struct Descent<'a> {
    path: &'a mut Path,
    depth: usize,
    left: usize,
    known: &'a mut HashMap<u64, usize>,
    moments: usize,
}

impl Scheduler for Descent<'_> {
    fn decide(
        &mut self,
        _: usize,
        menu: impl FnOnce() -> Vec<Decision>,
        state: impl FnOnce() -> u64,
    ) -> Option<Decision> {
        if self.left == 0 {
            return Some(Decision::Proceed);
        }
        let is_last = self.depth == self.path.0.len();
        if is_last && !is_new(self.known, state(), self.left) {
            return None;
        }
        let menu = menu();
        if is_last {
            self.moments += 1;
            self.path.0.push((0, menu.len()));
        }
        let (taken, _) = self.path.0[self.depth];
        self.depth += 1;
        let decision = menu[taken];
        self.left -= usize::from(decision != Decision::Proceed);
        Some(decision)
    }
}
