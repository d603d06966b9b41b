//! Due work: what the ledger says is due now is sent to its queue.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::ShopDomain;
use crate::ports::{Clock, Ledger, Ports, Tasks, after};
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::Unfinished;

/// How much one run takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// Rows read in one run.
    pub rows: usize,
    /// Tasks of one shop in one run: what its rate limit can serve in a minute. A push and what
    /// follows ask for about 60 points; the smallest plan restores 100 a second.
    pub per_shop: usize,
    /// After so long a row that is still due is sent again: its message may be lost.
    pub again_after: Duration,
}

impl Default for Release {
    fn default() -> Self {
        Self { rows: 1000, per_shop: 100, again_after: Duration::from_secs(300) }
    }
}

/// When the next run comes. Source: the schedule in template.yaml.
const NEXT_RUN: Duration = Duration::from_secs(60);

/// What one run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Released {
    /// Rows that were due.
    pub due: usize,
    /// Tasks sent; rows of one order share one.
    pub sent: usize,
    /// Rows left for the next run.
    pub left: usize,
}

/// Sends what is due, then moves each row's wake-up on, unless its worker was faster: send first, so
/// that a crash in between sends twice rather than never.
///
/// # Errors
/// The ledger or a queue failed; what was not sent stays due.
pub async fn release_due<L: Ledger, C, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    release: Release,
    run_id: &str,
) -> Result<Released, Unfinished> {
    let now = ports.clock.now();
    let rows = ports.ledger.due(now, release.rows).await?;
    let mut released = Released { due: rows.len(), ..Released::default() };
    let mut by_shop: BTreeMap<ShopDomain, usize> = BTreeMap::new();
    let mut sent: BTreeSet<(Queue, String)> = BTreeSet::new();
    for row in rows {
        let subject: &Subject = &row.wake_up.subject;
        let key = (row.wake_up.queue, subject.to_string());
        if !sent.contains(&key) {
            let of_shop = by_shop.entry(subject.shop().clone()).or_default();
            if *of_shop >= release.per_shop {
                released.left += 1;
                // Out of the way of the shops behind it.
                ports.ledger.postpone(&row, after(now, NEXT_RUN)).await?;
                continue;
            }
            *of_shop += 1;
            let task = Task::new(Trigger::DueWork, run_id, subject.clone());
            ports.tasks.send(row.wake_up.queue, &task).await?;
            released.sent += 1;
            sent.insert(key);
        }
        ports.ledger.postpone(&row, after(now, release.again_after)).await?;
    }
    Ok(released)
}
