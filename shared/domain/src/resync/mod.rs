//! Resync: every three days the recent orders of each shop are compared with the ledger, and what a webhook missed
//! is looked at. It pushes nothing and shows nothing itself: it only says which order, as a webhook would have.

mod compare;
mod run;
#[cfg(test)]
mod tests;
mod use_case;

pub use compare::{OrderSight, ShipmentSight, Stale, sight_of_shipments, stale};
pub use run::{FoundOrder, MAX_LOOKBACK, Pass, Phase, ResyncState, Run, WINDOW, Window};
pub use use_case::{resync, resync_all};
