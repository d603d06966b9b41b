//! Connect: a shop tells who it is, learns our key, and subscribes us to what happens in it. Looked after each hour from
//! then on: Shopify deletes a subscription whose deliveries failed for some hours.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::{Channel, ChannelError, HasKeyDefinition};
use crate::code::Code;
use crate::event::{DomainEvent, EventKind};
use crate::id::ShopDomain;
use crate::look::is_redrive_of;
use crate::ports::{Clock, Ledger, Outbox, Ports, Registry, after};
use crate::registry::{Paused, ShopFacts};
use crate::resync::{Asked, Occasion, WINDOW_DAYS, ask_for_run, first_run};
use crate::shop_step::{ShopState, ShopStep};
use crate::step::{Step, StepId, WaitReason};
use crate::task::{Subject, Task};
use crate::work::{Outcome, Unfinished, starting_over};

/// Between two looks at a shop's subscriptions: with the time that due work and a failure may take, an hour at the most.
/// Source: scenario "Lost subscription heals".
const NEXT_CHECK: Duration = Duration::from_secs(55 * 60);

/// What is in the middle of being mended; `None` mostly.
pub type ConnectState = Option<Healing>;

/// Topics of which a connected shop did not tell us: written down before they are subscribed to again, so that
/// whoever comes after knows that there was a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healing {
    pub found_at: Timestamp,
    pub topics: BTreeSet<String>,
}

/// Whoever asks for it has it begin anew.
impl ShopState for ConnectState {}

type Connecting<'a, L, C, T, K> = ShopStep<'a, ConnectState, L, C, T, K>;

/// Whether a shop's connect step is under way: not just waiting for its next check.
#[must_use]
pub fn is_connecting(step: &Step<ConnectState>) -> bool {
    step.wait.as_ref().is_some_and(|wait| wait.why != WaitReason::SubscriptionCheck)
}

/// Connects the shop that the task names: token, facts, locations, metafield definition, webhook
/// subscriptions. Each part is done only if it is missing, so doing it again mends what is broken.
///
/// # Errors
/// Only if how it ended could not be written down; the message must then be delivered again.
pub async fn connect<L, C, T, K>(ports: &Ports<L, C, T, K>, task: &Task) -> Result<Outcome, Unfinished>
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
async fn pass<L, C, T, K>(ports: &Ports<L, C, T, K>, task: &Task, shop: &ShopDomain) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let mut connecting = Connecting::load(ports, shop, StepId::Connect).await?;
    if !connecting.is_known() {
        return Ok(Outcome::Done("nobody asked to connect it"));
    }
    if connecting.step.parked.is_some() && is_redrive_of(task, &StepId::Connect, connecting.step.generation) {
        connecting.step.reopen();
    }
    if let Some(outcome) = connecting.barred().await? {
        return Ok(outcome);
    }
    let was_connected = ports.ledger.shop(shop).await?.is_some_and(|shop| shop.shop.facts.is_some());
    let facts = match prepare(&mut connecting, was_connected).await {
        Ok(facts) => facts,
        Err(Unfinished::Channel(error)) => return failed(connecting, was_connected, &error).await,
        Err(error) => return Err(error),
    };
    ports.ledger.record_facts(shop, &facts).await?;
    if let Some(healing) = connecting.step.state.clone() {
        tell_healed(&connecting, healing).await?;
    }
    first_run(&ports.ledger, &ports.tasks, shop, connecting.now()).await?;
    connecting.step.succeed(None);
    let now = connecting.now();
    connecting.step.wait(now, after(now, NEXT_CHECK), WaitReason::SubscriptionCheck);
    connecting.save().await?;
    Ok(Outcome::Done("connected"))
}

async fn failed<L: Ledger + Registry, C, T: Outbox, K: Clock>(
    mut connecting: Connecting<'_, L, C, T, K>,
    was_connected: bool,
    error: &ChannelError,
) -> Result<Outcome, Unfinished> {
    let now = connecting.now();
    if let ChannelError::Throttled { retry_after, .. } = error {
        return connecting.rest(after(now, *retry_after), WaitReason::Throttled).await;
    }
    if let ChannelError::ShopUnavailable { message, .. } = error {
        // Its orders wait from now on, instead of failing one by one.
        let paused = Paused { since: now, message: message.clone() };
        connecting.ports.ledger.pause(&connecting.at, &paused).await?;
        return connecting.give_up(error).await;
    }
    let is_check = was_connected && connecting.step.state.is_none() && error.code() == Code::ChannelUnavailable;
    if is_check {
        // The next look sees to it; only when one after the other fails, a person has to.
        return connecting.fail_until(error, after(now, NEXT_CHECK), WaitReason::SubscriptionCheck).await;
    }
    connecting.fail(error).await
}

/// Does what is missing.
async fn prepare<L: Ledger + Registry, C: Channel, T: Outbox, K: Clock>(
    connecting: &mut Connecting<'_, L, C, T, K>,
    was_connected: bool,
) -> Result<ShopFacts, Unfinished> {
    let channel = &connecting.ports.channel;
    let shop = connecting.at.clone();
    let (facts, HasKeyDefinition(defined)) = channel.facts(&shop).await?;
    if !defined {
        // Before the first push, while no order has such a metafield: only then is it unique for all.
        channel.define_order_key(&shop).await?;
    }
    let gaps = channel.subscription_gaps(&shop).await?;
    if was_connected && !gaps.is_empty() {
        let found_at = connecting.now();
        let healing = connecting.step.state.get_or_insert_with(|| Healing { found_at, topics: BTreeSet::new() });
        healing.topics.extend(gaps.iter().map(|gap| gap.topic.to_owned()));
        connecting.claim().await?;
    }
    for gap in &gaps {
        channel.subscribe(&shop, gap).await?;
    }
    Ok(facts)
}

/// The shop tells us of everything again: whoever listens hears of it, and what happened meanwhile is looked for.
async fn tell_healed<L: Ledger + Registry, C, T: Outbox, K: Clock>(
    connecting: &Connecting<'_, L, C, T, K>,
    healing: Healing,
) -> Result<(), Unfinished> {
    let Connecting { ports, at, .. } = connecting;
    let Healing { found_at, topics } = healing;
    let kind = EventKind::SubscriptionsHealed { topics };
    ports.tasks.publish(&DomainEvent::new(found_at, at.clone(), found_at, kind)).await?;
    let (id, by) = (format!("healing-{}", found_at.as_millisecond()), "connect".to_owned());
    let wish = Asked { id, at: connecting.now(), by, occasion: Occasion::Healing, days: WINDOW_DAYS };
    ask_for_run(&ports.ledger, &ports.tasks, at, &wish).await.map(drop)
}
