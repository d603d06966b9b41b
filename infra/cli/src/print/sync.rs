//! What came of a look at one order.

use super::{lay_out, table, time};
use roundtrip_api::sync::{SyncAnswer, SyncPhase};

/// The order, and those that were made of it at source stores.
pub(crate) fn sync(answer: &SyncAnswer) -> String {
    let state = match answer.state {
        SyncPhase::Open => "is being looked at",
        SyncPhase::Done => "was looked at",
        SyncPhase::Failed => "could not be looked at",
        SyncPhase::Timeout => "is looked at for longer than two minutes",
    };
    let mut table = table();
    for look in &answer.looks {
        let outcome = match look.state {
            SyncPhase::Open | SyncPhase::Timeout => format!("again at {}", time(look.when)),
            SyncPhase::Done | SyncPhase::Failed => look.outcome.clone().unwrap_or_default(),
        };
        table.add_row([look.shop.to_string(), look.id.to_string(), outcome]);
    }
    format!("order {} of {} {state}\n{}", answer.order, answer.shop, lay_out(table, &[], 2))
}
