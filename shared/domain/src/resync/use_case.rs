//! One stretch of a run: a few pages, each compared and written down before the next.

use std::time::Duration;

use jiff::Timestamp;

use super::compare::{Known, OrderSight, stale};
use super::run::{FoundOrder, Pass, Phase, ResyncState, Run};
use crate::channel::{Channel, ChannelError, OrdersPage, OrdersQuery};
use crate::event::{DomainEvent, EventKind};
use crate::id::{OrderRef, ShopDomain};
use crate::look::{failure, is_redrive_of, redrive_cause, report_unavailable, retry_outcome};
use crate::ports::{Clock, Ledger, LedgerError, Outbox, ParkedMessage, Ports, Registry, Tasks, after};
use crate::record::{OrderRecord, RowKey};
use crate::registry::ConnectedShop;
use crate::step::{AfterFailure, Look, Step, StepId, WaitReason};
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::{Outcome, Unfinished};

/// How long one task reads: less than a worker may take, whatever the last page does.
const STRETCH: Duration = Duration::from_secs(10);
/// Shopify ends a list after 25,000 objects: a longer window is begun anew where it stopped.
const PAGES_PER_LIST: u32 = 99;
/// Found orders that are watched until they are fixed: the run's row holds no more.
const MAX_OPEN: usize = 1000;
/// What looking at an order asks of its shop: a push reads for 40.
const POINTS_PER_ORDER: u32 = 45;
/// So far the reading may be ahead of the looking: SQS holds a message back for 15 minutes at the most.
const FAR_AHEAD: Duration = Duration::from_secs(300);
/// After so many of them the run ends; what is not fixed by then waits, or is parked, in its own order.
const MAX_LOOKS: u32 = 10;

type ResyncStep = Step<ResyncState>;

/// Begins a run for each shop. Returns how many there are.
///
/// # Errors
/// Not all shops were told; whoever asked asks again, and a shop that was told twice does one run.
pub async fn resync_all<L, C, T, K>(ports: &Ports<L, C, T, K>, run_id: &str) -> Result<usize, Unfinished>
where
    L: Registry,
    T: Tasks,
{
    let shops = ports.ledger.shops().await?;
    for shop in &shops {
        let task = Task::new(Trigger::Resync, run_id, Subject::Shop { shop: shop.clone() });
        ports.tasks.send(Queue::Resync, &task).await?;
    }
    Ok(shops.len())
}

/// Goes on with the resync of the shop that the task names, or begins one: a schedule and a request do.
///
/// ⌈orders/250⌉ Shopify calls for each of two passes, and a batch of reads and one write for each page.
///
/// # Errors
/// Only if how it ended could not be written down; the message must then be delivered again.
pub async fn resync<L, C, T, K>(ports: &Ports<L, C, T, K>, task: &Task) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let Subject::Shop { shop: domain } = &task.subject else {
        return Ok(Outcome::Done("not about a shop"));
    };
    let now = ports.clock.now();
    let (mut step, version): (ResyncStep, u64) = ports
        .ledger
        .shop_step(domain, &StepId::Resync)
        .await?
        .unwrap_or_else(|| (Step::new(ResyncState::default()), 0));
    if let Some(parked) = &step.parked {
        let asked = matches!(task.trigger, Trigger::Resync | Trigger::Request);
        if !asked && !is_redrive_of(task, &StepId::Resync, step.generation) {
            let code = parked.code;
            if step.is_announcement_overdue(now) {
                announce(ports, domain, &mut step, version).await?;
            }
            return Ok(Outcome::Park { code });
        }
        // Where it stopped is long ago: a new run sees what has changed since.
        step.reopen();
        step.state.run = None;
    }
    if let Some(wait) = step.wait.clone().filter(|_| step.is_resting(now)) {
        return Ok(Outcome::Wait { until: wait.until, why: wait.why });
    }
    let Some(shop) = ports.ledger.shop(domain).await? else {
        return Ok(Outcome::Done("the shop is not registered"));
    };
    if shop.outbound.is_empty() && shop.inbound.is_empty() {
        return Ok(Outcome::Done("the shop is connected with no other"));
    }
    if !begin(&mut step, task, ports.waits.webhook_delay, now) {
        step.wait = None;
        ports.ledger.save_shop_step(domain, &StepId::Resync, &step, version).await?;
        return Ok(Outcome::Done("no run is under way"));
    }
    let mut stretch = Stretch { ports, task, shop, step, version };
    if stretch.shop.shop.paused.is_some() {
        let (until, why) = ports.waits.paused(now);
        return stretch.rest(until, why).await;
    }
    stretch.claim().await?;
    stretch.go_on().await
}

/// Whether there is a run to go on with: the one that is under way, or a new one where somebody asked for it.
fn begin(step: &mut ResyncStep, task: &Task, webhook_delay: Duration, now: Timestamp) -> bool {
    let state = &mut step.state;
    if state.run.as_ref().is_some_and(Run::is_under_way) {
        return true;
    }
    let asked = match task.trigger {
        Trigger::Resync => !state.run.as_ref().is_some_and(|run| run.is_just_now(now)),
        Trigger::Request => true,
        // A run that was parked; or a letter that is moved back twice.
        Trigger::Redrive => state.run.is_none(),
        Trigger::Webhook | Trigger::DueWork | Trigger::Settled | Trigger::Unknown => false,
    };
    if asked {
        state.run = Some(Run::begin(task.cause_id.clone(), now, state.last_success, webhook_delay));
    }
    asked
}

/// What one task does of a run.
struct Stretch<'a, L, C, T, K> {
    ports: &'a Ports<L, C, T, K>,
    task: &'a Task,
    shop: ConnectedShop,
    step: ResyncStep,
    version: u64,
}

impl<L, C, T, K> Stretch<'_, L, C, T, K>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    async fn save(&mut self) -> Result<(), LedgerError> {
        self.ports.ledger.save_shop_step(&self.shop.shop.domain, &StepId::Resync, &self.step, self.version).await?;
        self.version += 1;
        Ok(())
    }

    /// Nobody else reads this shop meanwhile; should the worker die, due work goes on after the quarantine.
    async fn claim(&mut self) -> Result<(), LedgerError> {
        let now = self.ports.clock.now();
        self.step.wait(now, after(now, self.ports.waits.quarantine), WaitReason::InFlight);
        self.save().await
    }

    async fn rest(&mut self, until: Timestamp, why: WaitReason) -> Result<Outcome, Unfinished> {
        self.step.wait(self.ports.clock.now(), until, why);
        self.save().await?;
        Ok(Outcome::Wait { until, why })
    }

    async fn go_on(&mut self) -> Result<Outcome, Unfinished> {
        let enough = after(self.ports.clock.now(), STRETCH);
        while self.ports.clock.now() < enough {
            let Some(run) = &self.step.state.run else { return Ok(Outcome::Done("no run is under way")) };
            match run.phase.clone() {
                Phase::Reading { pass, cursor, pages, from } => {
                    let query = OrdersQuery {
                        pass,
                        from: from.unwrap_or_else(|| run.from(pass)),
                        until: run.window.until,
                        placed_before: run.placed_before(pass),
                        after: cursor,
                    };
                    let page = match self.ports.channel.orders(&self.shop.shop.domain, &query).await {
                        Ok(page) => page,
                        Err(error) => return self.failed(&error).await,
                    };
                    let half_is_left = self.take_in((pass, pages, from), &page).await?;
                    if let Some(until) = half_is_left {
                        return self.rest(until, WaitReason::Throttled).await;
                    }
                    self.claim().await?;
                }
                Phase::Settling { looks } => {
                    if let Some(outcome) = self.settle(looks).await? {
                        return Ok(outcome);
                    }
                }
                Phase::Done { .. } => return Ok(Outcome::Done("the shop was read")),
            }
        }
        // The next pages are another task's.
        let now = self.ports.clock.now();
        self.step.wait(now, now, WaitReason::Requested);
        self.save().await?;
        let next = Task::new(Trigger::Settled, self.task.cause_id.clone(), self.task.subject.clone());
        self.ports.tasks.send(Queue::Resync, &next).await?;
        Ok(Outcome::Done("more pages follow"))
    }

    /// Compares a page, has looked at what the ledger is behind, and notes where the next page begins. `Some`: until
    /// then the run rests, for the shop's budget is down to a half, which is for those who push, or the looking is
    /// far behind.
    async fn take_in(
        &mut self,
        reading: (Pass, u32, Option<Timestamp>),
        page: &OrdersPage,
    ) -> Result<Option<Timestamp>, Unfinished> {
        let now = self.ports.clock.now();
        let known = self.known(&page.orders).await?;
        let mut found = Vec::new();
        for (seen, known) in page.orders.iter().zip(&known) {
            let is_fresh = after(seen.updated_at, self.ports.waits.webhook_delay) > now;
            let sells = !self.shop.outbound.is_empty();
            if let Some(stale) = stale(seen, known, sells).filter(|_| !is_fresh) {
                found.push(FoundOrder {
                    id: seen.at.id,
                    queue: stale.queue,
                    updated_at: seen.updated_at,
                    sight: stale.sight,
                });
            }
        }
        let Some(run) = &mut self.step.state.run else { return Ok(None) };
        let pace = Pace { began_at: run.started_at, sent: run.found, restore_rate: page.budget.restore_rate };
        run.calls += 1;
        run.scanned = run.scanned.saturating_add(u32::try_from(page.orders.len()).unwrap_or(u32::MAX));
        run.found = run.found.saturating_add(u32::try_from(found.len()).unwrap_or(u32::MAX));
        let cause = run.id.clone();
        let room = MAX_OPEN.saturating_sub(run.open.len());
        run.open.extend(found.iter().take(room).cloned());
        run.phase = next_phase(reading, page);
        // Sent before it is written down that the page was read: twice rather than never.
        let mut n = 0;
        for order in found {
            let at = OrderRef { shop: self.shop.shop.domain.clone(), id: order.id };
            let task = Task::new(Trigger::Resync, cause.clone(), Subject::Order(at));
            self.ports.tasks.send_later(order.queue, &task, pace.delay(n, now)).await?;
            n += 1;
        }
        let ahead = pace.delay(n, now);
        let caught_up = (ahead > FAR_AHEAD).then(|| after(now, ahead.saturating_sub(FAR_AHEAD)));
        Ok(page.budget.recovers_half_at(now).max(caught_up))
    }

    /// What the ledger knows of these orders, in their order.
    async fn known(&self, orders: &[OrderSight]) -> Result<Vec<Known>, Unfinished> {
        let looked_at = RowKey::Step(StepId::Look(Look::Shipments));
        let sells = !self.shop.outbound.is_empty();
        let ships = !self.shop.inbound.is_empty();
        let mut keys = Vec::new();
        for order in orders {
            keys.extend(sells.then(|| (order.at.clone(), RowKey::Summary)));
            keys.extend(ships.then(|| (order.at.clone(), RowKey::Origin)));
            keys.extend(ships.then(|| (order.at.clone(), looked_at.clone())));
        }
        let mut records = self.ports.ledger.load_rows(&keys).await?;
        let known = |order: &OrderSight| {
            let record = records.remove(&order.at).unwrap_or_else(|| OrderRecord::empty(order.at.clone()));
            Known {
                summary: record.summary.map(|row| row.get().clone()),
                origin: record.origin.map(|row| row.get().clone()),
                look_at_shipments: Some(record.look_at_shipments.get().state.clone()),
            }
        };
        Ok(orders.iter().map(known).collect())
    }

    /// Looks which of the found orders the ledger has caught up with; ends the run if all, or after a while.
    async fn settle(&mut self, looks: u32) -> Result<Option<Outcome>, Unfinished> {
        let open = self.step.state.run.as_ref().map(|run| run.open.clone()).unwrap_or_default();
        let still_open = self.still_open(open).await?;
        let now = self.ports.clock.now();
        let shop = self.shop.shop.domain.clone();
        let Some(run) = &mut self.step.state.run else { return Ok(None) };
        let fixed = run.open.len() - still_open.len();
        run.fixed = run.fixed.saturating_add(u32::try_from(fixed).unwrap_or(u32::MAX));
        run.open = still_open;
        if !run.open.is_empty() && looks < MAX_LOOKS {
            run.phase = Phase::Settling { looks: looks + 1 };
            let until = after(now, 2 * self.ports.waits.retry_base);
            return self.rest(until, WaitReason::OtherStep).await.map(Some);
        }
        run.phase = Phase::Done { at: now };
        let missed = (!run.first && run.found > 0).then(|| {
            let kind = EventKind::WebhooksMissed { run: run.id.clone(), found: run.found, fixed: run.fixed };
            DomainEvent::new(run.started_at, shop, format!("resync/{}", run.id), kind)
        });
        let started_at = run.started_at;
        if let Some(event) = missed {
            self.ports.tasks.publish(&event).await?;
        }
        let mut state = self.step.state.clone();
        state.last_success = Some(started_at);
        self.step.succeed(state);
        self.save().await?;
        Ok(Some(Outcome::Done("the shop was read")))
    }

    async fn still_open(&self, open: Vec<FoundOrder>) -> Result<Vec<FoundOrder>, Unfinished> {
        let shop = &self.shop.shop.domain;
        let key = |order: &FoundOrder| match order.queue {
            Queue::TrackingWriteback => RowKey::Step(StepId::Look(Look::Shipments)),
            Queue::OrderPush | Queue::AppLifecycle | Queue::Resync => RowKey::Summary,
        };
        let at = |order: &FoundOrder| OrderRef { shop: shop.clone(), id: order.id };
        let keys: Vec<(OrderRef, RowKey)> = open.iter().map(|order| (at(order), key(order))).collect();
        let records = self.ports.ledger.load_rows(&keys).await?;
        let is_fixed = |order: &FoundOrder| {
            records.get(&at(order)).is_some_and(|record| match order.queue {
                Queue::TrackingWriteback => record.look_at_shipments.get().state.seen.as_ref() == Some(&order.sight),
                Queue::OrderPush | Queue::AppLifecycle | Queue::Resync => {
                    record.summary.as_ref().is_some_and(|row| row.get().updated_at >= order.updated_at)
                }
            })
        };
        Ok(open.into_iter().filter(|order| !is_fixed(order)).collect())
    }

    /// The shop did not answer: later again, or a person has to see to it.
    async fn failed(&mut self, error: &ChannelError) -> Result<Outcome, Unfinished> {
        let now = self.ports.clock.now();
        match error {
            ChannelError::Throttled { retry_after, .. } => {
                return self.rest(after(now, *retry_after), WaitReason::Throttled).await;
            }
            ChannelError::ShopUnavailable { shop, .. } => {
                report_unavailable(self.ports, shop, "resync").await?;
                let (until, why) = self.ports.waits.paused(now);
                return self.rest(until, why).await;
            }
            ChannelError::Unreachable { .. }
            | ChannelError::AccessDenied { .. }
            | ChannelError::Refused { .. }
            | ChannelError::NoAnswer { .. } => {}
        }
        let waits = self.ports.waits;
        let outcome = match self.step.fail(failure(error, now), |failed| waits.backoff(failed)) {
            AfterFailure::Retry => retry_outcome(&self.step),
            AfterFailure::Park => {
                self.step.park(error.code(), now, after(now, waits.quarantine), None);
                Outcome::Park { code: error.code() }
            }
        };
        self.save().await?;
        if self.step.parked.is_some() {
            let domain = self.shop.shop.domain.clone();
            announce(self.ports, &domain, &mut self.step, self.version).await?;
        }
        Ok(outcome)
    }
}

/// What is found is looked at one by one, at half of what the shop's rate limit serves: pushes go beside it.
struct Pace {
    began_at: Timestamp,
    /// Orders of this run before the page.
    sent: u32,
    restore_rate: u32,
}

impl Pace {
    /// How long the page's `n`-th order is held back.
    fn delay(&self, n: u32, now: Timestamp) -> Duration {
        let each = POINTS_PER_ORDER * 2 * 1000 / self.restore_rate.max(1);
        let served_at = after(self.began_at, Duration::from_millis(u64::from(self.sent + n) * u64::from(each)));
        Duration::try_from(served_at.duration_since(now)).unwrap_or_default()
    }
}

/// Where to go on after `page`.
fn next_phase((pass, pages, from): (Pass, u32, Option<Timestamp>), page: &OrdersPage) -> Phase {
    let last = page.orders.last().map(|order| match pass {
        Pass::Created => order.created_at,
        Pass::Updated => order.updated_at,
    });
    match (&page.next, pass) {
        (Some(_), _) if pages + 1 >= PAGES_PER_LIST => Phase::Reading { pass, cursor: None, pages: 0, from: last },
        (Some(next), _) => Phase::Reading { pass, cursor: Some(next.clone()), pages: pages + 1, from },
        (None, Pass::Created) => Phase::begin(Pass::Updated),
        (None, Pass::Updated) => Phase::Settling { looks: 0 },
    }
}

async fn announce<L: Ledger, C, T: Outbox, K>(
    ports: &Ports<L, C, T, K>,
    shop: &ShopDomain,
    step: &mut ResyncStep,
    version: u64,
) -> Result<(), Unfinished> {
    let Some(parked) = step.parked.clone() else { return Ok(()) };
    let message = ParkedMessage {
        version: 1,
        task: Task::new(
            Trigger::Redrive,
            redrive_cause(&StepId::Resync, step.generation),
            Subject::Shop { shop: shop.clone() },
        ),
        order: None,
        step: StepId::Resync,
        generation: step.generation,
        code: parked.code,
        attempts: step.attempts,
        first_error: step.first_failure.as_ref().map(|failure| failure.message.clone()),
        last_error: step.last_failure.as_ref().map(|failure| failure.message.clone()),
    };
    ports.tasks.park(Queue::Resync, &message).await?;
    step.announced();
    Ok(ports.ledger.save_shop_step(shop, &StepId::Resync, step, version).await?)
}
