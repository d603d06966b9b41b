//! One stretch of a run: a few pages, each compared and written down before the next.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::ask::{is_read, reopen};
use super::compare::{
    Behind, Kept, OrderSight, behind, is_linked_otherwise, is_refused_by_settings, is_unpushed, waits_for_links,
};
use super::run::{Asked, End, FoundOrder, Occasion, Pass, Phase, Progress, ResyncState, Run, WINDOW_DAYS, Window};
use crate::channel::{Channel, ChannelError, OrdersPage, OrdersQuery};
use crate::event::{DomainEvent, EventKind};
use crate::id::{OrderRef, ShopDomain, VariantId};
use crate::look::{is_redrive_of, report_unavailable};
use crate::ports::{Clock, Ledger, Outbox, Ports, Registry, after};
use crate::record::{OrderRecord, Row, RowKey};
use crate::registry::{ConnectedShop, Links, Shop};
use crate::shop_step::{ShopState, ShopStep};
use crate::step::{Look, StepId, WaitReason};
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::{Outcome, Unfinished, starting_over};

/// How long one task reads. With the last call, this is less than a worker may take, as template.yaml's Rules see to.
pub const STRETCH: Duration = Duration::from_secs(4);
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

/// So long a shop may take until its first answer. Source: scenario "Waiting for Shopify is a visible state".
const STALLED_AFTER: Duration = Duration::from_secs(15 * 60);

impl ShopState for ResyncState {
    /// Another run was asked for while one is under way.
    fn take_over(&mut self, before: &Self, theirs: &Self) -> bool {
        let others_asked = Self { asked: before.asked.clone(), ..theirs.clone() } == *before;
        let is_over = others_asked && self.asked == before.asked;
        if is_over {
            self.asked.clone_from(&theirs.asked);
        }
        is_over
    }
}

type Resync<'a, L, C, T, K> = ShopStep<'a, ResyncState, L, C, T, K>;

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
    let Subject::Shop { shop } = &task.subject else {
        return Ok(Outcome::Done("not about a shop"));
    };
    starting_over(|| pass(ports, task, shop)).await
}

/// `Conflict`: somebody else was first; start over.
async fn pass<L, C, T, K>(ports: &Ports<L, C, T, K>, task: &Task, domain: &ShopDomain) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let mut resync = Resync::load(ports, domain, StepId::Resync).await?;
    let step = &mut resync.step;
    let asked = task.trigger == Trigger::Resync || is_redrive_of(task, &StepId::Resync, step.generation);
    if step.parked.is_some() && asked {
        reopen(step, &task.trigger.to_string());
    }
    if let Some(outcome) = resync.barred().await? {
        return Ok(outcome);
    }
    let Some(shop) = ports.ledger.shop(domain).await? else {
        return Ok(Outcome::Done("the shop is not registered"));
    };
    if !is_read(&shop) {
        resync.step.state.asked.clear();
        resync.step.state.put_by();
        if resync.step.wait.take().is_some() {
            resync.save().await?;
        }
        return Ok(Outcome::Done("nothing of the shop is kept"));
    }
    if !begin(&mut resync, &shop.shop, task) {
        if resync.step.wait.take().is_some() {
            resync.save().await?;
        }
        return Ok(Outcome::Done("no run is under way"));
    }
    tell_if_stalled(&mut resync).await?;
    if shop.shop.paused.is_some() {
        let (until, why) = ports.waits.paused(resync.now());
        return resync.rest(until, why).await;
    }
    resync.claim().await?;
    Stretch { resync, task, shop }.go_on().await
}

/// Whether there is a run to go on with: the one that is under way, or a new one where somebody asked for it.
fn begin<L, C, T, K>(resync: &mut Resync<'_, L, C, T, K>, shop: &Shop, task: &Task) -> bool
where
    L: Ledger + Registry,
    T: Outbox,
    K: Clock,
{
    let now = resync.now();
    let state = &mut resync.step.state;
    if state.is_under_way() {
        return true;
    }
    let wish = |occasion| {
        Some(Asked { id: task.cause_id.clone(), at: now, by: task.trigger.to_string(), occasion, days: WINDOW_DAYS })
    };
    let asked = state.next_asked().or_else(|| match task.trigger {
        Trigger::Resync if state.run.as_ref().is_some_and(|run| run.is_just_now(now)) => None,
        Trigger::Resync => wish(Occasion::Schedule),
        // A run that was parked; not a letter that is moved back twice.
        Trigger::Redrive if state.run.is_none() => wish(Occasion::Request),
        Trigger::Redrive
        | Trigger::Request
        | Trigger::Webhook
        | Trigger::DueWork
        | Trigger::Settled
        | Trigger::Backfill
        | Trigger::Unpushed
        | Trigger::Unknown => None,
    });
    let Some(asked) = asked else { return false };
    let window = Window::of(&asked, now, state.last_success, resync.ports.waits.webhook_delay, shop.reads_all_orders());
    state.put_by();
    state.run = Some(Run::begin(asked, now, window));
    true
}

/// Somebody waits for what the shop does not give.
async fn tell_if_stalled<L, C, T, K>(resync: &mut Resync<'_, L, C, T, K>) -> Result<(), Unfinished>
where
    L: Ledger + Registry,
    T: Outbox,
    K: Clock,
{
    let now = resync.now();
    let Some(run) = &mut resync.step.state.run else { return Ok(()) };
    let is_stalled = run.progress() == Progress::Requested && now >= after(run.started_at, STALLED_AFTER);
    if is_stalled && !run.told_stalled {
        let kind = EventKind::BackfillStalled { run: run.id.clone(), requested_at: run.asked_at };
        let event = DomainEvent::new(now, resync.at.clone(), &run.id, kind);
        resync.ports.tasks.publish(&event).await?;
        // Saved with the claim, or with the rest.
        run.told_stalled = true;
    }
    Ok(())
}

/// What one task does of a run.
struct Stretch<'a, L, C, T, K> {
    resync: Resync<'a, L, C, T, K>,
    task: &'a Task,
    shop: ConnectedShop,
}

impl<L, C, T, K> Stretch<'_, L, C, T, K>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    async fn go_on(&mut self) -> Result<Outcome, Unfinished> {
        let enough = after(self.resync.now(), STRETCH);
        while self.resync.now() < enough {
            let Some(run) = &self.resync.step.state.run else { return Ok(Outcome::Done("no run is under way")) };
            match run.phase.clone() {
                Phase::Reading { pass, cursor, pages, from } => {
                    let query = OrdersQuery {
                        pass,
                        from: from.unwrap_or_else(|| run.from(pass)),
                        until: run.window.until,
                        placed_before: run.placed_before(pass),
                        after: cursor,
                    };
                    let page = match self.resync.ports.channel.orders(&self.resync.at, &query).await {
                        Ok(page) => page,
                        Err(error) => return self.failed(&error).await,
                    };
                    let half_is_left = self.take_in((pass, pages, from), &page).await?;
                    if let Some(until) = half_is_left {
                        return self.resync.rest(until, WaitReason::Throttled).await;
                    }
                    self.resync.claim().await?;
                }
                Phase::Settling { looks } => {
                    if let Some(outcome) = self.settle(looks).await? {
                        return Ok(outcome);
                    }
                }
                Phase::Done { .. } => return Ok(Outcome::Done("the shop was read")),
            }
        }
        self.hand_on().await?;
        Ok(Outcome::Done("more pages follow"))
    }

    /// What follows is another task's.
    async fn hand_on(&mut self) -> Result<(), Unfinished> {
        let now = self.resync.now();
        self.resync.step.wait(now, now, WaitReason::Requested);
        self.resync.save().await?;
        let next = Task::new(Trigger::Settled, self.task.cause_id.clone(), self.task.subject.clone());
        Ok(self.resync.ports.tasks.send(Queue::Resync, &next).await?)
    }

    /// Compares a page, has looked at what the ledger is behind, and notes where the next page begins. `Some`: until
    /// then the run rests, for the shop's budget is down to a half, which is for those who push, or the looking is
    /// far behind.
    async fn take_in(
        &mut self,
        reading: (Pass, u32, Option<Timestamp>),
        page: &OrdersPage,
    ) -> Result<Option<Timestamp>, Unfinished> {
        let ports = self.resync.ports;
        let now = self.resync.now();
        let known = self.known(&page.orders).await?;
        let kept = self.kept();
        let Some(occasion) = self.resync.step.state.run.as_ref().map(|run| run.occasion) else { return Ok(None) };
        let settled = page.orders.iter().zip(&known).filter(|(seen, _)| {
            let is_fresh = after(seen.updated_at, ports.waits.webhook_delay) > now;
            !(occasion.leaves_fresh_orders() && is_fresh)
        });
        let lists = occasion == Occasion::Backfill && self.shop.offers_orders();
        let links = if occasion.end() == End::Linked { self.links(&known).await? } else { Links::default() };
        let found = |(seen, known): (&OrderSight, &OrderRecord)| {
            let summary = known.summary.as_ref().map(Row::get);
            let looked_at = || Behind::Order { updated_at: seen.updated_at };
            let behind = match occasion.end() {
                End::Missed | End::Earlier => behind(seen, known, kept)
                    .or_else(|| summary.filter(|it| lists && !it.listed).map(|_| looked_at()))?,
                End::Unpushed => summary.filter(|it| is_unpushed(it, &self.shop)).map(|_| Behind::Push)?,
                End::Refused => summary.filter(|it| is_refused_by_settings(it)).map(|_| looked_at())?,
                End::Linked => summary.filter(|it| is_linked_otherwise(it, &links)).map(|_| looked_at())?,
            };
            Some(FoundOrder { id: seen.at.id, behind })
        };
        let found: Vec<FoundOrder> = settled.filter_map(found).collect();
        self.resync.step.forget_failures();
        let Some(run) = &mut self.resync.step.state.run else { return Ok(None) };
        let pace = Pace { began_at: run.started_at, sent: run.found, restore_rate: page.budget.restore_rate };
        run.calls += 1;
        run.scanned = run.scanned.saturating_add(u32::try_from(page.orders.len()).unwrap_or(u32::MAX));
        run.found = run.found.saturating_add(u32::try_from(found.len()).unwrap_or(u32::MAX));
        let (cause, trigger) = (run.id.clone(), occasion.trigger());
        let room = MAX_OPEN.saturating_sub(run.open.len());
        // The order at which a list ends is read twice.
        let is_new = |order: &&FoundOrder| !run.open.iter().any(|open| open.id == order.id);
        let new: Vec<FoundOrder> = found.iter().filter(is_new).take(room).cloned().collect();
        run.open.extend(new);
        run.phase = next_phase(reading, page);
        // Sent before it is written down that the page was read: twice rather than never.
        let mut n = 0;
        for order in found {
            let at = OrderRef { shop: self.resync.at.clone(), id: order.id };
            let task = Task::new(trigger, cause.clone(), Subject::Order(at));
            ports.tasks.send_later(order.behind.queue(), &task, pace.delay(n, now)).await?;
            n += 1;
        }
        let ahead = pace.delay(n, now);
        let caught_up = (ahead > FAR_AHEAD).then(|| after(now, ahead.saturating_sub(FAR_AHEAD)));
        Ok(page.budget.recovers_half_at(now).max(caught_up))
    }

    fn kept(&self) -> Kept {
        Kept { orders: self.shop.keeps_orders(), tracking: self.shop.shop.settings.tracking_sync }
    }

    /// The product links of the orders that another link may concern.
    async fn links(&self, known: &[OrderRecord]) -> Result<Links, Unfinished> {
        let waiting = known.iter().filter_map(|record| record.summary.as_ref().map(Row::get));
        let lines = waiting.filter(|summary| waits_for_links(summary)).flat_map(|summary| &summary.lines);
        let variants: Vec<VariantId> = BTreeSet::from_iter(lines.filter_map(|line| line.variant)).into_iter().collect();
        Ok(self.resync.ports.ledger.links(&self.resync.at, &variants, &[]).await?)
    }

    /// What the ledger knows of these orders, as far as it is compared, in their order.
    async fn known(&self, orders: &[OrderSight]) -> Result<Vec<OrderRecord>, Unfinished> {
        let looked_at = RowKey::Step(StepId::Look(Look::Shipments));
        let Kept { orders: sells, tracking } = self.kept();
        let ships = !self.shop.inbound.is_empty();
        let mut keys = Vec::new();
        for order in orders {
            keys.extend(sells.then(|| (order.at.clone(), RowKey::Summary)));
            keys.extend(tracking.then(|| (order.at.clone(), RowKey::Shipments)));
            keys.extend(ships.then(|| (order.at.clone(), RowKey::Origin)));
            keys.extend(ships.then(|| (order.at.clone(), looked_at.clone())));
        }
        let mut records = self.resync.ports.ledger.load_rows(&keys).await?;
        let mut known = |at: &OrderRef| records.remove(at).unwrap_or_else(|| OrderRecord::empty(at.clone()));
        Ok(orders.iter().map(|order| known(&order.at)).collect())
    }

    /// Looks which of the found orders the ledger has caught up with; ends the run if all, or after a while.
    async fn settle(&mut self, looks: u32) -> Result<Option<Outcome>, Unfinished> {
        let open = self.resync.step.state.run.as_ref().map(|run| run.open.clone()).unwrap_or_default();
        let still_open = self.still_open(open).await?;
        let ports = self.resync.ports;
        let now = self.resync.now();
        let Some(run) = &mut self.resync.step.state.run else { return Ok(None) };
        let fixed = run.open.len() - still_open.len();
        run.fixed = run.fixed.saturating_add(u32::try_from(fixed).unwrap_or(u32::MAX));
        run.open = still_open;
        if !run.open.is_empty() && looks < MAX_LOOKS {
            run.phase = Phase::Settling { looks: looks + 1 };
            let until = after(now, 2 * ports.waits.retry_base);
            return self.resync.rest(until, WaitReason::OtherStep).await.map(Some);
        }
        run.phase = Phase::Done { at: now };
        let run = run.clone();
        let mut state = self.resync.step.state.clone();
        // Before a shop was read once, nobody had promised to tell of its orders.
        if run.found > 0 && run.occasion.finds_what_was_missed() && state.last_success.is_some() {
            let kind = EventKind::WebhooksMissed { run: run.id.clone(), found: run.found, fixed: run.fixed };
            let what = format!("resync/{}", run.id);
            ports.tasks.publish(&DomainEvent::new(run.started_at, self.resync.at.clone(), what, kind)).await?;
        }
        if run.occasion.end().catches_up() {
            state.last_success = Some(run.started_at);
        }
        self.resync.step.succeed(state);
        if self.resync.step.state.asked.is_empty() {
            self.resync.save().await?;
        }
        // Perhaps since just now.
        if !self.resync.step.state.asked.is_empty() {
            self.hand_on().await?;
        }
        Ok(Some(Outcome::Done("the shop was read")))
    }

    async fn still_open(&self, open: Vec<FoundOrder>) -> Result<Vec<FoundOrder>, Unfinished> {
        let at = |order: &FoundOrder| OrderRef { shop: self.resync.at.clone(), id: order.id };
        let keys: Vec<(OrderRef, RowKey)> = open.iter().map(|order| (at(order), order.behind.row())).collect();
        let records = self.resync.ports.ledger.load_rows(&keys).await?;
        let is_fixed = |order: &FoundOrder| records.get(&at(order)).is_some_and(|record| order.behind.is_over(record));
        Ok(open.into_iter().filter(|order| !is_fixed(order)).collect())
    }

    /// The shop did not answer: later again, or a person has to see to it.
    async fn failed(&mut self, error: &ChannelError) -> Result<Outcome, Unfinished> {
        let now = self.resync.now();
        match error {
            ChannelError::Throttled { retry_after, .. } => {
                self.resync.rest(after(now, *retry_after), WaitReason::Throttled).await
            }
            ChannelError::ShopUnavailable { shop, .. } => {
                report_unavailable(self.resync.ports, shop, "resync").await?;
                let (until, why) = self.resync.ports.waits.paused(now);
                self.resync.rest(until, why).await
            }
            ChannelError::Unreachable { .. }
            | ChannelError::AccessDenied { .. }
            | ChannelError::Refused { .. }
            | ChannelError::NoAnswer { .. } => self.give_up_or_retry(error).await,
        }
    }

    /// What else was asked for does not wait for a person to see to this run.
    async fn give_up_or_retry(&mut self, error: &ChannelError) -> Result<Outcome, Unfinished> {
        let outcome = self.resync.fail(error).await?;
        if self.resync.step.parked.is_some() && !self.resync.step.state.asked.is_empty() {
            self.resync.step.reopen();
            self.resync.step.state.put_by();
            let (until, _) = self.resync.ports.waits.paused(self.resync.now());
            return self.resync.rest(until, WaitReason::Requested).await;
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
