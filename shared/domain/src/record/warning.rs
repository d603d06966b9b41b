//! Warnings: what a person has to see to at a source store, because the order changed here after it was pushed.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OrderRecord;
use crate::dead_letters::short_cause;
use crate::id::ShopDomain;
use crate::order::SourceOrder;
use crate::step::Dismissed;

/// Something that a person has to see to at a source store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    pub code: WarningCode,
    pub source: ShopDomain,
    pub source_order: SourceOrder,
    /// What differs, in words.
    pub detail: String,
    /// When it was first seen; `None`: before that was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// A step of ours sees to it, or was given up and is a dead letter itself: nobody has to own it besides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_hand: bool,
    /// Somebody has said that nothing is left to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<Dismissed>,
}

impl Warning {
    /// Whether somebody has to own it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.in_hand && self.dismissed.is_none()
    }

    /// A short name that the warnings of all orders that differ alike, at one source shop, share.
    #[must_use]
    pub fn cause(&self) -> String {
        short_cause(&(self.code.name(), "order", &self.source))
    }

    /// Whether it is about the same source order.
    fn is_of_the_same(&self, other: &Self) -> bool {
        (self.code, &self.source, &self.source_order) == (other.code, &other.source, &other.source_order)
    }

    /// Whether nothing else differs.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.is_of_the_same(other) && self.detail == other.detail
    }

    /// What is known of it: since when it is, and who dismissed it. That something else differs by now was never dismissed,
    /// and is new.
    fn remembered(self, known: &[Self], now: Timestamp) -> Self {
        match known.iter().find(|known| known.is_of_the_same(&self)) {
            Some(known) if known.dismissed.is_some() && known.detail != self.detail => {
                Self { since: Some(now), ..self }
            }
            Some(known) => {
                let dismissed = self.dismissed.clone().or_else(|| known.dismissed.clone());
                Self { since: known.since.or(Some(now)), dismissed, ..self }
            }
            None => Self { since: Some(now), ..self },
        }
    }
}

/// `warnings` as they are now, with what is known of those that stand for longer.
pub(crate) fn remembered(warnings: Vec<Warning>, known: &[Warning], now: Timestamp) -> Vec<Warning> {
    warnings.into_iter().map(|warning| warning.remembered(known, now)).collect()
}

/// The kinds of [`Warning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WarningCode {
    /// The order was cancelled, but its source order stands.
    CancelledAfterPush,
    /// Lines were removed or refunded, but the source order still has them.
    ReducedAfterPush,
    /// Lines were added, or linked, but the source order does not have them: it is never changed, so that they do not go.
    AddedAfterPush,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

impl WarningCode {
    /// Those that this release gives.
    pub const ALL: [Self; 3] = [Self::CancelledAfterPush, Self::ReducedAfterPush, Self::AddedAfterPush];

    /// The name under which it is stored, shown and filtered.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CancelledAfterPush => "CANCELLED_AFTER_PUSH",
            Self::ReducedAfterPush => "REDUCED_AFTER_PUSH",
            Self::AddedAfterPush => "ADDED_AFTER_PUSH",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// What it means, in half a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::CancelledAfterPush => "the order was cancelled after it was pushed, and its source order stands",
            Self::ReducedAfterPush => {
                "less is left of the order than was pushed, and its source order still holds all of it"
            }
            Self::AddedAfterPush => "the order holds more than was pushed, and what came after is never sent by itself",
            Self::Unknown => "a newer release wrote it",
        }
    }

    /// What a person does about it, in one line.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::CancelledAfterPush => {
                "cancel the source order; if the goods are on their way already, recall them or tell the customer"
            }
            Self::ReducedAfterPush => {
                "take the difference out of the source order, then say so: `roundtrip order dismiss-warnings …`"
            }
            Self::AddedAfterPush => {
                "add the difference to the source order, then say so: `roundtrip order dismiss-warnings …`"
            }
            Self::Unknown => "update this command: the warning is of a newer release",
        }
    }
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The warnings of an order that somebody has to own. Its row is listed as long as there are any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// The order, as its merchant sees it.
    pub name: String,
    pub open: Vec<Warning>,
}

impl Warned {
    /// Since when the oldest of them is; `None`: there are none.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.open.iter().map(|warning| warning.since.unwrap_or_default()).min()
    }
}

impl OrderRecord {
    /// Its warnings that somebody has to own, of just `cause` if there is one.
    #[must_use]
    pub fn open_warnings(&self, cause: Option<&str>) -> Vec<Warning> {
        let warnings = self.summary.as_ref().map(|row| row.get().warnings.as_slice()).unwrap_or_default();
        let is_it = |warning: &&Warning| warning.is_open() && cause.is_none_or(|cause| warning.cause() == cause);
        warnings.iter().filter(is_it).cloned().collect()
    }

    /// Says of those of its open warnings that are as somebody has seen them that nothing is left to do about them, in
    /// memory; and which they were, in words. One comes back if something else differs later.
    pub fn dismiss_warnings(&mut self, seen: &[Warning], dismissed: &Dismissed) -> Vec<String> {
        let is_seen = |warning: &Warning| warning.is_open() && seen.iter().any(|it| it.says_the_same(warning));
        let Some(row) = self.summary.as_mut().filter(|row| row.get().warnings.iter().any(is_seen)) else {
            return Vec::new();
        };
        let open = row.change().warnings.iter_mut().filter(|warning| is_seen(warning));
        open.map(|warning| {
            warning.dismissed = Some(dismissed.clone());
            format!("{} at {}: {}", warning.source_order.name, warning.source, warning.detail)
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::OrderId;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn warning(detail: &str) -> Warning {
        Warning {
            code: WarningCode::ReducedAfterPush,
            source: "sun.myshopify.com".parse().unwrap(),
            source_order: SourceOrder { id: OrderId::new(9), name: "#9".into() },
            detail: detail.into(),
            since: None,
            in_hand: false,
            dismissed: None,
        }
    }

    #[test]
    fn a_warning_is_as_old_as_it_was_first_seen_whatever_else_differs_by_now() {
        let first = remembered(vec![warning("2 pushed, 1 left")], &[], at(1));
        let later = remembered(vec![warning("2 pushed, 0 left")], &first, at(2));

        assert_eq!((first[0].since, later[0].since), (Some(at(1)), Some(at(1))));
    }

    #[test]
    fn a_warning_that_was_dismissed_stays_so_until_something_else_differs() {
        let by = Dismissed { at: at(2), by: "ada".into(), reason: "taken out by hand".into() };
        let known = [Warning { since: Some(at(1)), dismissed: Some(by.clone()), ..warning("2 pushed, 1 left") }];

        let same = remembered(vec![warning("2 pushed, 1 left")], &known, at(3));
        let worse = remembered(vec![warning("2 pushed, 0 left")], &known, at(3));

        assert_eq!((same[0].dismissed.as_ref(), same[0].is_open()), (Some(&by), false));
        assert_eq!((worse[0].since, worse[0].is_open()), (Some(at(3)), true));
    }

    #[test]
    fn a_code_is_stored_under_the_name_it_shows() {
        for code in WarningCode::ALL.into_iter().chain([WarningCode::Unknown]) {
            assert_eq!(serde_json::to_value(code).unwrap(), serde_json::json!(code.name()));
        }
    }
}
