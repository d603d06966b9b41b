//! Resync: every three days the recent orders of each shop are compared with the ledger, and what a webhook missed
//! is looked at. It pushes nothing and shows nothing itself: it only says which order, as a webhook would have.

mod ask;
mod compare;
mod run;
#[cfg(test)]
mod tests;
mod use_case;

pub use ask::{ask_for_run, first_run, promise_run, read_from_now_on, resync_all};
pub use compare::{
    Behind, Kept, OrderSight, ShipmentSight, behind, is_linked_otherwise, is_refused_by_settings, is_unpushed,
    sight_of_shipments,
};
pub use run::{
    Asked, End, FoundOrder, MAX_LOOKBACK_DAYS, Occasion, Pass, Phase, Progress, ResyncState, Run, WINDOW_DAYS, Window,
};
pub use use_case::{STRETCH, resync};
