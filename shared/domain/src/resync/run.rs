//! One run of a resync over one shop: its window, how far it has come, what it found.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::OrderId;
use crate::ports::after;
use crate::resync::Behind;
use crate::task::Trigger;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How far back a run looks. Source: the brief, "the last 7 days".
pub const WINDOW_DAYS: u16 = 7;
/// Older orders are not shown without the scope `read_all_orders`. Source: Shopify's `Order`.
pub const MAX_LOOKBACK_DAYS: u16 = 60;
/// Ended runs that are remembered.
const MAX_PAST: usize = 20;

/// The resync of one shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResyncState {
    /// The run that is under way, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The runs that were asked for, and begin when none is under way: one for each end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    /// When the last run began that came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// Runs before, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Run>,
}

impl ResyncState {
    /// Whether a run is under way.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.run.as_ref().is_some_and(Run::is_under_way)
    }

    /// Takes a wish for a run, and says which run will fulfil it: the one that reads the shop just now, if any will do;
    /// the one that was asked for already to the same end, of the longer window of the two; or a new one.
    pub fn ask(&mut self, wish: Asked) -> String {
        let from = before(wish.at, DAY * u32::from(wish.days));
        let will_do = |run: &&Run| {
            let reads = matches!(run.phase, Phase::Reading { .. }) && run.window.created_from <= from;
            let to_the_same_end = run.occasion.finds_what_was_missed() && wish.occasion == Occasion::Request;
            reads && to_the_same_end
        };
        if let Some(run) = self.run.as_ref().filter(will_do) {
            return run.id.clone();
        }
        let same_end = |asked: &&mut Asked| asked.occasion.end() == wish.occasion.end();
        if let Some(asked) = self.asked.iter_mut().find(same_end) {
            if wish.days > asked.days {
                let Asked { id, at, .. } = asked.clone();
                *asked = Asked { id, at, ..wish };
            }
            return asked.id.clone();
        }
        let id = wish.id.clone();
        self.asked.push(wish);
        id
    }

    /// The next run that was asked for.
    pub fn next_asked(&mut self) -> Option<Asked> {
        (!self.asked.is_empty()).then(|| self.asked.remove(0))
    }

    /// The run was parked. What a schedule finds as well is left to the next run; another is asked for again.
    pub fn give_up(&mut self, by: &str) {
        match self.run.take_if(|run| run.occasion.end() != End::Missed) {
            Some(Run { id, occasion, asked_at, days, .. }) => {
                self.asked.insert(0, Asked { id, at: asked_at, by: by.to_owned(), occasion, days });
            }
            None => self.put_by(),
        }
    }

    /// The run, whether it came to its end or not, is one of those before.
    pub fn put_by(&mut self) {
        if let Some(run) = self.run.take() {
            self.past.insert(0, Run { open: Vec::new(), ..run });
            self.past.truncate(MAX_PAST);
        }
    }
}

/// Somebody's wish for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The run's.
    pub id: String,
    pub at: Timestamp,
    pub by: String,
    pub occasion: Occasion,
    /// How many days back orders were placed that are read.
    pub days: u16,
}

/// Why a shop is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// Every three days.
    Schedule,
    /// A person asked for what webhooks may have missed.
    Request,
    /// A webhook subscription was gone, and is there again.
    Healing,
    /// The shop was connected just now: what is there came before any webhook.
    FirstConnection,
    /// A person asked for orders of the time before.
    Backfill,
    /// A person wants orders that are known, and were placed before the shop pushed automatically, to go as well.
    Unpushed,
    /// Settings have changed: what they spoke against is looked at again.
    Settings,
    /// Product links have changed: the orders that hold them are looked at again.
    Links,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

impl Occasion {
    /// What such a run looks for.
    #[must_use]
    pub fn end(self) -> End {
        match self {
            Self::Schedule | Self::Request | Self::Healing => End::Missed,
            Self::FirstConnection | Self::Backfill | Self::Unknown => End::Earlier,
            Self::Unpushed => End::Unpushed,
            Self::Settings => End::Refused,
            Self::Links => End::Linked,
        }
    }

    /// Whether what such a run finds was missed by a webhook.
    #[must_use]
    pub fn finds_what_was_missed(self) -> bool {
        self.end() == End::Missed
    }

    /// Whether what changed a moment ago is left to its webhook. Where there was no subscription, or no connection yet,
    /// none comes.
    #[must_use]
    pub fn leaves_fresh_orders(self) -> bool {
        match self {
            Self::Schedule | Self::Request | Self::Backfill | Self::Unknown => true,
            Self::Healing | Self::FirstConnection | Self::Unpushed | Self::Settings | Self::Links => false,
        }
    }

    /// Why the orders that it finds are looked at.
    #[must_use]
    pub fn trigger(self) -> Trigger {
        match self.end() {
            End::Missed => Trigger::Resync,
            End::Earlier => Trigger::Backfill,
            End::Unpushed => Trigger::Unpushed,
            End::Refused | End::Linked => Trigger::Settled,
        }
    }
}

/// What a run looks for. Wishes to one end that wait become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// What webhooks should have told of, and did not.
    Missed,
    /// What was there before any webhook.
    Earlier,
    /// Orders that are known, and were not pushed.
    Unpushed,
    /// Orders that are known, and were refused by settings.
    Refused,
    /// Orders that are known, and whose product links are others by now.
    Linked,
}

impl End {
    /// Whether such a run sees to all that the ledger is behind, as a schedule does.
    #[must_use]
    pub fn catches_up(self) -> bool {
        matches!(self, Self::Missed | Self::Earlier)
    }
}

fn a_week() -> u16 {
    WINDOW_DAYS
}

fn unknown() -> Occasion {
    Occasion::Unknown
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    #[serde(default = "unknown")]
    pub occasion: Occasion,
    #[serde(default)]
    pub asked_at: Timestamp,
    /// How many days back was asked for.
    #[serde(default = "a_week")]
    pub days: u16,
    pub started_at: Timestamp,
    pub window: Window,
    pub phase: Phase,
    /// Orders that were compared.
    pub scanned: u32,
    /// Orders that the ledger was behind.
    pub found: u32,
    /// Those of them that it has caught up with.
    pub fixed: u32,
    /// Calls to the shop.
    pub calls: u32,
    /// Whether it was told that the shop does not answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_stalled: bool,
    /// Found, and not known to be fixed yet; of very many only the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<FoundOrder>,
}

/// An order that the ledger was behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundOrder {
    pub id: OrderId,
    #[serde(flatten)]
    pub behind: Behind,
}

/// What of a shop is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Window {
    /// Orders that were placed since.
    pub created_from: Timestamp,
    /// Older orders that changed since.
    pub updated_from: Timestamp,
    pub until: Timestamp,
}

impl Window {
    /// The window of a run that begins `now`: as many days as were asked for, or back to the last successful run and a
    /// day more; and all that changed since that began. `reads_all`: the shop shows orders of any age.
    #[must_use]
    pub fn of(
        asked: &Asked,
        now: Timestamp,
        last_success: Option<Timestamp>,
        webhook_delay: Duration,
        reads_all: bool,
    ) -> Self {
        let days = |days: u16| DAY * u32::from(days);
        let since = |moment: Timestamp| Duration::try_from(asked.at.duration_since(moment)).unwrap_or_default();
        let missed = last_success.map(since).filter(|age| *age > days(WINDOW_DAYS)).map(|age| age + DAY);
        let back = days(asked.days).max(missed.unwrap_or_default());
        let back = if reads_all { back } else { back.min(days(MAX_LOOKBACK_DAYS)) };
        let created_from = before(asked.at, back);
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
    pub fn begin(asked: Asked, started_at: Timestamp, window: Window) -> Self {
        Self {
            id: asked.id,
            occasion: asked.occasion,
            asked_at: asked.at,
            days: asked.days,
            started_at,
            window,
            phase: Phase::begin(Pass::Created),
            scanned: 0,
            found: 0,
            fixed: 0,
            calls: 0,
            told_stalled: false,
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

    /// How far it has come, in a word.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match self.phase {
            Phase::Reading { .. } if self.calls == 0 => Progress::Requested,
            Phase::Reading { .. } | Phase::Settling { .. } => Progress::Received,
            Phase::Done { .. } => Progress::Done,
        }
    }
}

/// How far a run has come, as whoever asked for it sees it. Source: the brief, on waiting for Shopify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// The shop has not answered yet.
    Requested,
    /// Orders have come, and are looked at.
    Received,
    /// All were looked at.
    Done,
}
