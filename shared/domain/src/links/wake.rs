//! Links are written, and the orders that wait for them are looked at.

use jiff::Timestamp;

use crate::ports::{Ledger, Registry, Tasks};
use crate::registry::{ConnectedShop, LinkChange};
use crate::resync::{Asked, MAX_LOOKBACK_DAYS, Occasion, ask_for_run, promise_run};
use crate::work::Unfinished;

/// Who writes links, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinksAsked {
    /// The run's that looks at the orders.
    pub id: String,
    pub by: String,
    pub at: Timestamp,
}

/// Writes links of `destination`, and asks for a run over its orders. Returns the run's id, if there is one.
///
/// # Errors
/// `Conflict`: somebody else has written one of the links first; those of earlier transactions stay. Or the ledger does not
/// take them. Writing them again does no harm.
pub async fn write_links<L: Ledger + Registry, T: Tasks>(
    ledger: &L,
    tasks: &T,
    destination: &ConnectedShop,
    changes: &[LinkChange],
    asked: LinksAsked,
) -> Result<Option<String>, Unfinished> {
    if changes.is_empty() {
        return Ok(None);
    }
    if !destination.offers_orders() {
        ledger.change_links(changes).await?;
        return Ok(None);
    }
    let LinksAsked { id, by, at } = asked;
    let wish = Asked { id, at, by, occasion: Occasion::Links, days: MAX_LOOKBACK_DAYS };
    let shop = &destination.shop.domain;
    // Before the links, so that whoever dies between the two does not leave the orders asleep.
    promise_run(ledger, shop, &wish).await?;
    ledger.change_links(changes).await?;
    ask_for_run(ledger, tasks, shop, &wish).await.map(Some)
}
