//! Who asks for a run: a schedule for all shops, a person or a use case for one.

use std::time::Duration;

use jiff::Timestamp;

use super::run::{Asked, Occasion, ResyncState, WINDOW_DAYS};
use crate::id::ShopDomain;
use crate::ports::{Ledger, LedgerError, Ports, Registry, Tasks, after};
use crate::registry::ConnectedShop;
use crate::shop_step::change_shop_step;
use crate::step::{Step, StepId, WaitReason};
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::Unfinished;

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

/// Begins the first run of a shop that is connected and was never read, if anything of it is kept.
///
/// # Errors
/// The ledger does not take it; whoever asks next asks again.
pub async fn first_run<L: Ledger + Registry, T: Tasks>(
    ledger: &L,
    tasks: &T,
    shop: &ShopDomain,
    now: Timestamp,
) -> Result<(), Unfinished> {
    let Some(known) = ledger.shop(shop).await? else { return Ok(()) };
    if known.shop.facts.is_none() || !is_read(&known) {
        return Ok(());
    }
    let step: Option<(Step<ResyncState>, u64)> = ledger.shop_step(shop, &StepId::Resync).await?;
    let is_new = |state: &ResyncState| {
        let runs = state.run.iter().chain(&state.past).map(|run| run.occasion);
        let mut occasions = runs.chain(state.asked.iter().map(|asked| asked.occasion));
        !occasions.any(|occasion| occasion.end().catches_up())
    };
    if !step.is_none_or(|(step, _)| is_new(&step.state)) {
        return Ok(());
    }
    read_from_now_on(ledger, tasks, shop, now).await
}

/// Begins a run over what is there of a shop of which something is kept from now on.
///
/// # Errors
/// The ledger does not take it; whoever asks next asks again.
pub async fn read_from_now_on<L: Ledger, T: Tasks>(
    ledger: &L,
    tasks: &T,
    shop: &ShopDomain,
    now: Timestamp,
) -> Result<(), Unfinished> {
    let (id, by) = (format!("first-{}", now.as_millisecond()), "connect".to_owned());
    let wish = Asked { id, at: now, by, occasion: Occasion::FirstConnection, days: WINDOW_DAYS };
    ask_for_run(ledger, tasks, shop, &wish).await.map(drop)
}

/// Asks for a run of the shop, which begins as soon as none is under way; one that is parked is given up for it.
/// Returns the id of the run that will fulfil the wish.
///
/// # Errors
/// The ledger does not take it; whoever asks next asks again.
pub async fn ask_for_run<L: Ledger, T: Tasks>(
    ledger: &L,
    tasks: &T,
    shop: &ShopDomain,
    wish: &Asked,
) -> Result<String, Unfinished> {
    let run = write_wish(ledger, shop, wish).await?;
    let task = Task::new(Trigger::Request, run.clone(), Subject::Shop { shop: shop.clone() });
    // The row is due already: a message that does not go out only means that due work begins the run.
    let _ = tasks.send(Queue::Resync, &task).await;
    Ok(run)
}

/// Due work begins the run, if nobody does before.
async fn write_wish(ledger: &impl Ledger, shop: &ShopDomain, wish: &Asked) -> Result<String, LedgerError> {
    change_shop_step(ledger, shop, &StepId::Resync, |step: &mut Step<ResyncState>| {
        if step.parked.is_some() {
            reopen(step, &wish.by);
        }
        let id = step.state.ask(wish.clone());
        if !step.state.is_under_way() {
            step.wait(wish.at, wish.at, WaitReason::Requested);
        }
        id
    })
    .await
}

/// Longer than the reason of a promised run takes to be written.
const WRITING: Duration = Duration::from_secs(60);

/// Asks for a run of the shop that begins a minute later, unless somebody has it begin before: for whoever is about to give
/// a reason for it, and may not live to say that it is given.
///
/// # Errors
/// The ledger does not take it.
pub async fn promise_run(ledger: &impl Ledger, shop: &ShopDomain, wish: &Asked) -> Result<(), Unfinished> {
    let due = after(wish.at, WRITING);
    let promise = |step: &mut Step<ResyncState>| {
        if step.parked.is_some() {
            reopen(step, &wish.by);
        }
        step.state.ask(wish.clone());
        if !step.state.is_under_way() && step.wait.as_ref().is_none_or(|wait| wait.until > due) {
            step.wait(wish.at, due, WaitReason::Requested);
        }
    };
    Ok(change_shop_step(ledger, shop, &StepId::Resync, promise).await?)
}

/// Whether anything of its orders is kept: because it sells, because it ships, or for their tracking.
pub(super) fn is_read(shop: &ConnectedShop) -> bool {
    shop.keeps_orders() || !shop.inbound.is_empty()
}

/// Where a parked run stopped is long ago: a new one sees what has changed since.
pub(super) fn reopen(step: &mut Step<ResyncState>, by: &str) {
    step.reopen();
    step.state.give_up(by);
}
