//! One run of a resync over one shop: its window, how far it has come, what it found.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::OrderId;
use crate::ports::after;
use crate::task::Queue;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How far back a run looks. Source: the brief, "the last 7 days".
pub const WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);
/// Older orders are not shown without the scope `read_all_orders`. Source: Shopify's `Order`.
pub const MAX_LOOKBACK: Duration = Duration::from_secs(60 * 24 * 3600);

/// The resync of one shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResyncState {
    /// The run that is under way, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// When the last run began that came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub started_at: Timestamp,
    pub window: Window,
    pub phase: Phase,
    /// Whether the shop is read for the first time: what is found then was missed by nobody.
    #[serde(default)]
    pub first: bool,
    /// Orders that were compared.
    pub scanned: u32,
    /// Orders that the ledger was behind.
    pub found: u32,
    /// Those of them that it has caught up with.
    pub fixed: u32,
    /// Calls to the shop.
    pub calls: u32,
    /// Found, and not known to be fixed yet; of very many only the first.
    #[serde(default)]
    pub open: Vec<FoundOrder>,
}

/// An order that the ledger was behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundOrder {
    pub id: OrderId,
    pub queue: Queue,
    pub updated_at: Timestamp,
    pub sight: String,
}

/// What of a shop is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Orders that were placed since.
    pub created_from: Timestamp,
    /// Older orders that changed since.
    pub updated_from: Timestamp,
    pub until: Timestamp,
}

impl Window {
    /// The window of a run at `now`: seven days, or back to the last successful run and a day more; and all that
    /// changed since that began.
    #[must_use]
    pub fn of(now: Timestamp, last_success: Option<Timestamp>, webhook_delay: Duration) -> Self {
        let since = |moment: Timestamp| Duration::try_from(now.duration_since(moment)).unwrap_or_default();
        let back = match last_success.map(since) {
            Some(age) if age > WINDOW => (age + DAY).min(MAX_LOOKBACK),
            _ => WINDOW,
        };
        let created_from = before(now, back);
        // What was left alone for being fresh when that run began.
        let updated_from = last_success.map_or(created_from, |began_at| before(began_at, webhook_delay));
        Self { created_from, updated_from, until: now }
    }
}

fn before(now: Timestamp, duration: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(duration).ok().and_then(|d| now.checked_sub(d).ok()).unwrap_or(Timestamp::MIN)
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Phase {
    /// The shop was asked, or is about to be.
    Reading {
        pass: Pass,
        /// Where the next page begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
        /// Pages of this cursor so far: Shopify ends a list after 25,000 objects.
        #[serde(default)]
        pages: u32,
        /// From which moment on the pages of this cursor are, if the list had to be begun anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
    },
    /// All is read; what was found is on its way.
    Settling {
        looks: u32,
    },
    Done {
        at: Timestamp,
    },
}

impl Phase {
    /// A pass that begins.
    #[must_use]
    pub fn begin(pass: Pass) -> Self {
        Self::Reading { pass, cursor: None, pages: 0, from: None }
    }
}

/// Which orders are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pass {
    /// Those that were placed in the window, oldest first.
    Created,
    /// Older ones that changed in the window, longest ago first.
    Updated,
}

impl Run {
    /// A run that begins.
    #[must_use]
    pub fn begin(id: String, now: Timestamp, last_success: Option<Timestamp>, webhook_delay: Duration) -> Self {
        Self {
            id,
            started_at: now,
            window: Window::of(now, last_success, webhook_delay),
            phase: Phase::begin(Pass::Created),
            first: last_success.is_none(),
            scanned: 0,
            found: 0,
            fixed: 0,
            calls: 0,
            open: Vec::new(),
        }
    }

    /// The second pass leaves out what the first has read.
    #[must_use]
    pub fn placed_before(&self, pass: Pass) -> Option<Timestamp> {
        match pass {
            Pass::Created => None,
            Pass::Updated => Some(self.window.created_from),
        }
    }

    /// Whether it is under way.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        !matches!(self.phase, Phase::Done { .. })
    }

    /// From when on orders of `pass` are read.
    #[must_use]
    pub fn from(&self, pass: Pass) -> Timestamp {
        match pass {
            Pass::Created => self.window.created_from,
            Pass::Updated => self.window.updated_from,
        }
    }

    /// Whether a schedule that fires at `now` means this very run: two that fire at once do one run.
    #[must_use]
    pub fn is_just_now(&self, now: Timestamp) -> bool {
        now < after(self.started_at, DAY)
    }
}
