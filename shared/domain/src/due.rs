//! Due work: what the ledger says is due now is sent to its queue.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::ShopDomain;
use crate::ports::{Clock, Ledger, Ports, Registry, Tasks, after};
use crate::registry::ShopFacts;
use crate::task::{Queue, Subject, Task, Trigger};
use crate::work::Unfinished;

/// How much one run takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// Rows read in one run.
    pub rows: usize,
    /// Points that a task asks of its shop: a push reads for 40, a writeback for less, some look twice. A shop gets
    /// no more tasks in one run than its rate limit can serve until the next, and gets them one by one.
    pub points_per_task: u32,
    /// After so long a row that is still due is sent again: its message may be lost.
    pub again_after: Duration,
}

impl Default for Release {
    fn default() -> Self {
        Self { rows: 1000, points_per_task: 45, again_after: Duration::from_secs(300) }
    }
}

/// When the next run comes. Source: the schedule in template.yaml.
const NEXT_RUN: Duration = Duration::from_secs(60);

/// What one shop gets in one run.
struct Share {
    sent: usize,
    limit: usize,
    /// Only a shop that needs more than the smallest plan serves is asked for its own.
    is_its_own: bool,
}

impl Share {
    fn least(release: Release) -> Self {
        Self { sent: 0, limit: limit(release, ShopFacts::LEAST_POINTS_PER_SECOND), is_its_own: false }
    }

    async fn has_room<L: Registry, C, T, K>(
        &mut self,
        ports: &Ports<L, C, T, K>,
        release: Release,
        shop: &ShopDomain,
    ) -> Result<bool, Unfinished> {
        if self.sent >= self.limit && !self.is_its_own {
            let facts = ports.ledger.shop(shop).await?.and_then(|shop| shop.shop.facts);
            self.limit = facts.map_or(self.limit, |facts| limit(release, facts.points_per_second));
            self.is_its_own = true;
        }
        Ok(self.sent < self.limit)
    }

    /// When the next task may begin: spread over the time until the next run, so that each finds its points.
    fn next_delay(&mut self) -> Duration {
        let delay = NEXT_RUN.mul_f64(self.sent as f64 / self.limit as f64);
        self.sent += 1;
        delay
    }
}

fn limit(release: Release, points_per_second: u32) -> usize {
    let points = u64::from(points_per_second) * NEXT_RUN.as_secs();
    usize::try_from(points / u64::from(release.points_per_task.max(1))).unwrap_or(usize::MAX).max(1)
}

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
pub async fn release_due<L: Ledger + Registry, C, T: Tasks, K: Clock>(
    ports: &Ports<L, C, T, K>,
    release: Release,
    run_id: &str,
) -> Result<Released, Unfinished> {
    let now = ports.clock.now();
    let rows = ports.ledger.due(now, release.rows).await?;
    let mut released = Released { due: rows.len(), ..Released::default() };
    let mut by_shop: BTreeMap<ShopDomain, Share> = BTreeMap::new();
    let mut sent: BTreeSet<(Queue, String)> = BTreeSet::new();
    for row in rows {
        let subject: &Subject = &row.wake_up.subject;
        let key = (row.wake_up.queue, subject.to_string());
        if !sent.contains(&key) {
            let share = by_shop.entry(subject.shop().clone()).or_insert_with(|| Share::least(release));
            if !share.has_room(ports, release, subject.shop()).await? {
                released.left += 1;
                // Out of the way of the shops behind it.
                ports.ledger.postpone(&row, after(now, NEXT_RUN)).await?;
                continue;
            }
            let task = Task::new(Trigger::DueWork, run_id, subject.clone());
            ports.tasks.send_later(row.wake_up.queue, &task, share.next_delay()).await?;
            released.sent += 1;
            sent.insert(key);
        }
        ports.ledger.postpone(&row, after(now, release.again_after)).await?;
    }
    Ok(released)
}
