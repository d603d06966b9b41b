//! Connect: a shop tells who it is, learns our key, and subscribes us to what happens in it.

use jiff::Timestamp;

use crate::channel::{Channel, ChannelError, HasKeyDefinition};
use crate::code::Code;
use crate::event::{DomainEvent, EventFailure, EventKind};
use crate::id::ShopDomain;
use crate::look::{failure, is_redrive_of, redrive_cause, retry_outcome};
use crate::ports::{Clock, Ledger, Outbox, ParkedMessage, Ports, Registry, after};
use crate::registry::Paused;
use crate::settings::Waits;
use crate::step::{AfterFailure, Step, StepId, WaitReason};
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::{Outcome, Unfinished};

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
    let Some((mut step, version)) = ports.ledger.shop_step::<()>(shop, &StepId::Connect).await? else {
        return Ok(Outcome::Done("nobody asked to connect it"));
    };
    let now = ports.clock.now();
    if step.parked.is_some() && is_redrive_of(task, &StepId::Connect, step.generation) {
        step.reopen();
    }
    if let Some(parked) = &step.parked {
        let code = parked.code;
        return if step.is_announcement_overdue(now) {
            announce(ports, shop, step, version).await
        } else {
            Ok(Outcome::Park { code })
        };
    }
    if let Some(wait) = step.wait.clone().filter(|_| step.is_resting(now)) {
        return Ok(Outcome::Wait { until: wait.until, why: wait.why });
    }
    let facts = match prepare(ports, shop).await {
        Ok(facts) => facts,
        Err(error) => {
            let outcome = match &error {
                ChannelError::Throttled { retry_after, .. } => {
                    let until = after(now, *retry_after);
                    step.wait(now, until, WaitReason::Throttled);
                    Outcome::Wait { until, why: WaitReason::Throttled }
                }
                ChannelError::ShopUnavailable { message, .. } => {
                    // Its orders wait from now on, instead of failing one by one.
                    ports.ledger.pause(shop, &Paused { since: now, message: message.clone() }).await?;
                    step.fail(failure(&error, now), |failed| ports.waits.backoff(failed));
                    park(&mut step, error.code(), now, ports.waits)
                }
                ChannelError::Unreachable { .. }
                | ChannelError::AccessDenied { .. }
                | ChannelError::Refused { .. }
                | ChannelError::NoAnswer { .. } => {
                    match step.fail(failure(&error, now), |failed| ports.waits.backoff(failed)) {
                        AfterFailure::Retry => retry_outcome(&step),
                        AfterFailure::Park => park(&mut step, error.code(), now, ports.waits),
                    }
                }
            };
            ports.ledger.save_shop_step(shop, &StepId::Connect, &step, version).await?;
            if step.parked.is_some() {
                return announce(ports, shop, step, version + 1).await;
            }
            return Ok(outcome);
        }
    };
    ports.ledger.record_facts(shop, &facts).await?;
    step.succeed(());
    ports.ledger.save_shop_step(shop, &StepId::Connect, &step, version).await?;
    Ok(Outcome::Done("connected"))
}

fn park(step: &mut Step<()>, code: Code, now: Timestamp, waits: Waits) -> Outcome {
    step.park(code, now, after(now, waits.quarantine), None);
    Outcome::Park { code }
}

async fn prepare<L, C: Channel, T, K>(
    ports: &Ports<L, C, T, K>,
    shop: &ShopDomain,
) -> Result<crate::registry::ShopFacts, crate::channel::ChannelError> {
    let (facts, HasKeyDefinition(defined)) = ports.channel.facts(shop).await?;
    if !defined {
        // Before the first push, while no order has such a metafield: only then is it unique for all.
        ports.channel.define_order_key(shop).await?;
    }
    ports.channel.subscribe(shop).await?;
    Ok(facts)
}

async fn announce<L: Ledger + Registry, C, T: Outbox, K>(
    ports: &Ports<L, C, T, K>,
    shop: &ShopDomain,
    mut step: Step<()>,
    version: u64,
) -> Result<Outcome, Unfinished> {
    let Some(parked) = step.parked.clone() else { return Ok(Outcome::Done("connected")) };
    let subject = Subject::Shop { shop: shop.clone() };
    let paused = ports.ledger.shop(shop).await?.is_some_and(|shop| shop.shop.paused.is_some());
    if let Some(failure) = EventFailure::of(StepId::Connect, &step).filter(|_| paused) {
        let what = format!("{}@{}", StepId::Connect, step.generation);
        let kind = EventKind::ShopPaused { failure };
        ports.tasks.publish(&DomainEvent::new(parked.at, shop.clone(), what, kind)).await?;
    }
    let message = ParkedMessage {
        version: 1,
        task: Task::new(Trigger::Redrive, redrive_cause(&StepId::Connect, step.generation), subject),
        order: None,
        step: StepId::Connect,
        generation: step.generation,
        code: parked.code,
        attempts: step.attempts,
        first_error: step.first_failure.as_ref().map(|failure| failure.message.clone()),
        last_error: step.last_failure.as_ref().map(|failure| failure.message.clone()),
    };
    ports.tasks.park(Queue::AppLifecycle, &message).await?;
    step.announced();
    ports.ledger.save_shop_step(shop, &StepId::Connect, &step, version).await?;
    Ok(Outcome::Park { code: parked.code })
}
