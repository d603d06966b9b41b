//! A product changed or is gone: what that means for the links that lead to it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Variant;
use super::judge::{ProductSight, judge};
use super::wake::{LinksAsked, write_links};
use crate::channel::{Channel, ChannelError};
use crate::id::{ProductId, ShopDomain};
use crate::look;
use crate::ports::{Clock, Ledger, Outbox, Ports, Registry, after};
use crate::registry::{LinkChange, MatchBy, ProductLink};
use crate::step::WaitReason;
use crate::task::{Queue, Task};
use crate::work::{Outcome, Unfinished, starting_over};

/// Looks at a product: links from it are found to be in trouble, or to be so no more; links to variants that a destination
/// does not sell any more are taken away.
///
/// One Shopify call, a batch of reads for each fifty variants, and a search for the values that links go by.
///
/// # Errors
/// Only if how it ended could not be written down, or the shop gave no answer; the message must then be delivered again.
pub(crate) async fn look_at_product<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    (shop, product): (&ShopDomain, ProductId),
) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    match ports.ledger.shop(shop).await? {
        Some(known) if known.outbound.is_empty() && known.inbound.is_empty() => {
            return Ok(Outcome::Done("the shop is connected with no other"));
        }
        Some(known) if known.shop.paused.is_some() => return Ok(Outcome::Done("the shop is paused")),
        Some(_) => {}
        None => return Ok(Outcome::Done("the shop is not registered")),
    }
    starting_over(|| pass(ports, task, (shop, product))).await
}

/// `Conflict`: somebody else has written one of the links first; start over.
async fn pass<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    (shop, product): (&ShopDomain, ProductId),
) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    C: Channel,
    T: Outbox,
    K: Clock,
{
    let read = read(ports, shop, product).await;
    let (variants, links, elsewhere) = match read {
        Ok(read) => read,
        Err(Unfinished::Channel(error)) => return held_back(ports, task, error).await,
        Err(error) => return Err(error),
    };
    if links.is_empty() {
        return Ok(Outcome::Done("no link has to do with the product"));
    }
    let seen = ProductSight { product, variants: &variants, elsewhere: &elsewhere };
    write(ports, task, shop, &changes(shop, &links, &seen, ports.clock.now())).await
}

type Read = (Vec<Variant>, Vec<ProductLink>, Vec<Variant>);

/// The product's variants, the links that have to do with it, and who else carries what these go by.
async fn read<L: Registry, C: Channel, T, K>(
    ports: &Ports<L, C, T, K>,
    shop: &ShopDomain,
    product: ProductId,
) -> Result<Read, Unfinished> {
    let variants = ports.channel.product(shop, product).await?.unwrap_or_default();
    let links = ports.ledger.links_about(shop, product, &variants).await?;
    let mut values: BTreeMap<MatchBy, BTreeSet<String>> = BTreeMap::new();
    for (by, value) in links.iter().filter(|link| link.source == *shop).filter_map(|link| link.by.value()) {
        values.entry(by).or_default().insert(value.to_owned());
    }
    let mut elsewhere = Vec::new();
    for (by, values) in values {
        let values: Vec<String> = values.into_iter().collect();
        elsewhere.extend(ports.channel.variants_by(shop, by, &values).await?);
    }
    Ok((variants, links, elsewhere))
}

/// What becomes of the links.
fn changes(shop: &ShopDomain, links: &[ProductLink], seen: &ProductSight<'_>, now: Timestamp) -> Vec<LinkChange> {
    let change = |link: &ProductLink| {
        let before = Some(link.clone());
        let is_sold = seen.variants.iter().any(|variant| variant.id == link.destination_variant);
        if link.destination == *shop && link.destination_product == Some(seen.product) && !is_sold {
            return Some(LinkChange { before, after: None });
        }
        if link.source != *shop {
            return None;
        }
        let trouble = judge(link, seen).map(|finding| finding.since(link.trouble.as_ref(), now));
        let after = ProductLink { trouble, ..link.clone() };
        (after != *link).then_some(LinkChange { before, after: Some(after) })
    };
    links.iter().filter_map(change).collect()
}

async fn write<L, C, T, K>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    shop: &ShopDomain,
    changes: &[LinkChange],
) -> Result<Outcome, Unfinished>
where
    L: Ledger + Registry,
    T: Outbox,
    K: Clock,
{
    let (removed, judged): (Vec<LinkChange>, Vec<LinkChange>) =
        changes.iter().cloned().partition(|change| change.after.is_none());
    // No order can hold a variant that is gone: nobody waits for these.
    ports.ledger.change_links(&removed).await?;
    let mut by_destination: BTreeMap<ShopDomain, Vec<LinkChange>> = BTreeMap::new();
    for change in judged {
        if let Some((destination, _)) = change.at() {
            by_destination.entry(destination.clone()).or_default().push(change);
        }
    }
    let is_judged = !by_destination.is_empty();
    for (destination, changes) in by_destination {
        let at = ports.clock.now();
        let asked =
            LinksAsked { id: format!("links-{shop}-{}", at.as_millisecond()), by: task.trigger.to_string(), at };
        match ports.ledger.shop(&destination).await? {
            Some(known) => write_links(&ports.ledger, &ports.tasks, &known, &changes, asked).await.map(drop)?,
            None => ports.ledger.change_links(&changes).await?,
        }
    }
    Ok(Outcome::Done(match (is_judged, removed.is_empty()) {
        (true, _) => "links were judged anew",
        (false, false) => "links to variants that are gone were taken away",
        (false, true) => "its links are as they were",
    }))
}

/// The shop does not answer now. What is missed while it lets us in no more, the next match of its links finds.
async fn held_back<L, C, T: Outbox, K: Clock>(
    ports: &Ports<L, C, T, K>,
    task: &Task,
    error: ChannelError,
) -> Result<Outcome, Unfinished> {
    match error {
        ChannelError::Throttled { retry_after, .. } => {
            ports.tasks.send_later(Queue::OrderPush, task, retry_after).await?;
            Ok(Outcome::Wait { until: after(ports.clock.now(), retry_after), why: WaitReason::Throttled })
        }
        ChannelError::ShopUnavailable { shop, .. } => {
            look::report_unavailable(ports, &shop, &task.subject).await?;
            Ok(Outcome::Done("the shop does not let us in"))
        }
        error => Err(error.into()),
    }
}
