//! Workers at work, until nobody is any more.

use super::choice::{Decision, Kind, Scheduler, menu, stalled_until};
use super::law::{self, Broken, Law};
use super::scenario::Scenario;
use super::worker::{At, Worker};
use super::world::{Work, World, digest};

/// More than any run needs that comes to an end.
const MAX_POINTS: usize = 2000;

/// Why a flight ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nobody is at work.
    Quiet,
    /// Nor will anybody be: nothing is left to do.
    Settled,
    /// It is known how it goes on.
    Known,
}

/// Lets workers work, from one quiet world to the next.
pub(super) fn fly(scenario: &Scenario, world: &mut World, scheduler: &mut impl Scheduler) -> Result<Ended, Broken> {
    Flight { scenario, world, scheduler, aside: Vec::new() }.run()
}

/// Lets workers work until nothing is left to do.
pub(super) fn fly_on(scenario: &Scenario, world: &mut World, scheduler: &mut impl Scheduler) -> Result<(), Broken> {
    while fly(scenario, world, scheduler)? == Ended::Quiet {}
    Ok(())
}

struct Flight<'a, S> {
    scenario: &'a Scenario,
    world: &'a mut World,
    scheduler: &'a mut S,
    /// Workers that others went before, or that stand still; the latest last.
    aside: Vec<Worker>,
}

/// Who could go on, or begin.
enum Candidate {
    Aside(usize),
    New(Work),
}

/// What comes of a worker at its point.
enum Step {
    /// This worker is next.
    OnWith(Box<Worker>),
    /// Somebody is to be chosen.
    Choose,
    /// See [`Ended::Known`].
    Known,
}

impl<S: Scheduler> Flight<'_, S> {
    fn run(mut self) -> Result<Ended, Broken> {
        let mut next = Step::Choose;
        loop {
            next = match next {
                Step::Known => return Ok(Ended::Known),
                Step::OnWith(worker) => self.step(worker)?,
                Step::Choose => {
                    let mut ready = self.ready();
                    if ready.is_empty() {
                        if !self.pass_time()? {
                            return Ok(Ended::Settled);
                        }
                        continue;
                    }
                    match self.choose(ready.len()) {
                        None => Step::Known,
                        Some(n) => Step::OnWith(self.take(ready.swap_remove(n))),
                    }
                }
            };
            if matches!(next, Step::Choose) && self.aside.is_empty() {
                return Ok(Ended::Quiet);
            }
        }
    }

    /// Takes a worker to its next point, and does what is decided there.
    fn step(&mut self, mut worker: Box<Worker>) -> Result<Step, Broken> {
        let end = match worker.go_on()? {
            At::End(end) => Some(end.clone()),
            At::UnderWay | At::Call(_) => None,
        };
        if let Some(answer) = worker.wire.take_answer() {
            self.scheduler.hear(format!("{:>20} = {answer}", ""));
        }
        self.look_around()?;
        let decision = match &end {
            Some(Err(_)) => Some(Decision::Proceed),
            Some(Ok(_)) => self.decide(Some(&worker), |_, _| vec![Decision::Proceed, Decision::Crash]),
            None => self.decide(Some(&worker), |world, aside| menu_of(&worker, world, aside)),
        };
        let Some(decision) = decision else { return Ok(Step::Known) };
        self.hear(&worker, decision);
        match (decision, end) {
            (Decision::Crash, _) | (_, Some(Err(_))) => {
                self.world.give_back(worker.work, worker.began_at);
                Ok(Step::Choose)
            }
            (_, Some(Ok(_))) => Ok(Step::Choose),
            (Decision::Switch(n), None) => {
                let other = self.ready().swap_remove(n - 1);
                let other = self.take(other);
                self.aside.push(*worker);
                Ok(Step::OnWith(other))
            }
            (Decision::Stall, None) => {
                worker.stalled_until = Some(stalled_until(worker.began_at));
                self.aside.push(*worker);
                Ok(Step::Choose)
            }
            (Decision::Proceed | Decision::Fault(_) | Decision::Lag, None) => {
                worker.call(decision);
                Ok(Step::OnWith(worker))
            }
        }
    }

    /// Who of `of` goes on or begins.
    fn choose(&mut self, of: usize) -> Option<usize> {
        if of == 1 {
            return Some(0);
        }
        let menu = || (0..of).map(|n| if n == 0 { Decision::Proceed } else { Decision::Switch(n) }).collect();
        match self.decide(None, |_, _| menu())? {
            Decision::Switch(n) => Some(n),
            _ => Some(0),
        }
    }

    fn decide(
        &mut self,
        current: Option<&Worker>,
        menu: impl FnOnce(&World, &[Worker]) -> Vec<Decision>,
    ) -> Option<Decision> {
        self.world.points += 1;
        let (world, aside) = (&*self.world, self.aside.as_slice());
        let state = || {
            let mut text = format!("{:x}", world.digest());
            aside.iter().chain(current).for_each(|worker| text.push_str(&worker.state()));
            digest(&text)
        };
        let decision = self.scheduler.decide(world.points, || menu(world, aside), state)?;
        if decision != Decision::Proceed {
            self.world.script.push((self.world.points, decision));
        }
        Some(decision)
    }

    fn ready(&self) -> Vec<Candidate> {
        ready(self.world, &self.aside)
    }

    fn take(&mut self, candidate: Candidate) -> Box<Worker> {
        Box::new(match candidate {
            Candidate::Aside(n) => self.aside.remove(n),
            Candidate::New(work) => Worker::begin(self.scenario, self.world, work, self.scheduler.listens()),
        })
    }

    /// Lets time pass until something happens; whether anything will.
    fn pass_time(&mut self) -> Result<bool, Broken> {
        let stalled = self.aside.iter().filter_map(|worker| worker.stalled_until);
        let Some(moment) = stalled.chain(self.world.next_moment()).min() else { return Ok(false) };
        self.world.ports.clock.advance_to(moment);
        self.look_around()?;
        Ok(true)
    }

    /// After anything that may have had an effect: what was sent is delivered, merchants act, and the laws
    /// that always hold are looked after.
    fn look_around(&mut self) -> Result<(), Broken> {
        let now = self.world.now();
        if now > self.world.began_at + self.scenario.settles_within || self.world.points > MAX_POINTS {
            return Err(Broken::new(Law::Settles, format!("still at work at {now}")));
        }
        self.world.deliver_sent();
        for (queue, task) in (self.scenario.meanwhile)(&self.world.ports) {
            self.world.enqueue(queue, task);
        }
        self.world.tell_of_changes(&self.scenario.order);
        law::holds_always(self.scenario, &self.world.ports)
    }

    fn hear(&mut self, worker: &Worker, decision: Decision) {
        if self.scheduler.listens() {
            let seconds = self.world.now().duration_since(self.world.began_at).as_secs();
            let line = format!("{:>4} {seconds:>6} s  {} {}", self.world.points, worker.name, worker.stands());
            self.scheduler.hear(if decision == Decision::Proceed { line } else { format!("{line}  ← {decision:?}") });
        }
    }
}

/// Who could go on or begin now; workers that others went before come first.
fn ready(world: &World, aside: &[Worker]) -> Vec<Candidate> {
    let stands_still = |worker: &Worker| worker.stalled_until.is_some_and(|until| until > world.now());
    let aside = (0..aside.len()).rev().filter(|n| !stands_still(&aside[*n])).map(Candidate::Aside);
    aside.chain(world.ready().into_iter().map(Candidate::New)).collect()
}

/// All that may happen to a worker before its call.
fn menu_of(worker: &Worker, world: &World, aside: &[Worker]) -> Vec<Decision> {
    let Some(call) = worker.stands_before() else { return vec![Decision::Proceed] };
    let lags = match &call.kind {
        Kind::LookUp(shop, key) => world.may_lag(shop, key),
        _ => false,
    };
    let mut menu = menu(&call.kind, worker.began_at, world.now(), lags);
    menu.extend((1..=ready(world, aside).len()).map(Decision::Switch));
    menu
}
