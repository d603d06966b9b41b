//! What a person has to see to at the source stores, because the order was changed here after it was pushed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::PushState;
use super::cancel::CancelPhase;
use super::settle::PushId;
use super::use_case::View;
use crate::id::{LineItemId, ShopDomain};
use crate::order::{Order, SourceOrder};
use crate::record::{OrderRecord, Row, Warning, WarningCode, remembered};

/// What the source stores have that was called off here since, and what they hold that came after.
pub(super) fn warnings(record: &OrderRecord, view: &View) -> Vec<Warning> {
    let order = &view.order;
    if order.cancelled_at.is_some() {
        return of_cancelled(record);
    }
    let reduced = confirmed(record).filter_map(|(id, source_order, lines)| {
        Some(warning(id, source_order, WarningCode::ReducedAfterPush, reductions(order, lines)?))
    });
    let mut told = BTreeSet::new();
    // A source store that got several orders is told of once, with the first.
    let first = confirmed(record).filter(|((source, _), ..)| told.insert(source));
    let added = first.filter_map(|(id, source_order, _)| {
        Some(warning(id, source_order, WarningCode::AddedAfterPush, additions(record, view, &id.0)?))
    });
    reduced.chain(added).collect()
}

/// Brings the warnings of a cancelled order up to date with how far its source orders are cancelled.
pub(super) fn rewarn(record: &mut OrderRecord, now: Timestamp) {
    let known = record.summary.as_ref().map(|row| row.get().warnings.clone()).unwrap_or_default();
    let warnings = remembered(of_cancelled(record), &known, now);
    if let Some(row) = &mut record.summary
        && row.get().cancelled_at.is_some()
        && row.get().warnings != warnings
    {
        row.change().warnings = warnings;
    }
}

fn of_cancelled(record: &OrderRecord) -> Vec<Warning> {
    let warning = |(id, source_order, _): (&PushId, &SourceOrder, _)| {
        let (detail, in_hand) = still_standing(record, id)?;
        let warning = warning(id, source_order, WarningCode::CancelledAfterPush, detail.to_owned());
        // Who purged its dead letter has decided about this, too.
        let parked = record.cancels.get(id).and_then(|row| row.get().parked.as_ref());
        Some(Warning { in_hand, dismissed: parked.and_then(|parked| parked.dismissed.clone()), ..warning })
    };
    confirmed(record).filter_map(warning).collect()
}

/// How the source order still stands, and whether a step of ours sees to that or waits for a person itself; `None` once it
/// does not stand.
fn still_standing(record: &OrderRecord, id: &PushId) -> Option<(&'static str, bool)> {
    let by_hand = ("cancelled here: cancel it there too", false);
    let Some(step) = record.cancels.get(id).map(Row::get) else { return Some(by_hand) };
    match step.state.phase {
        CancelPhase::Pending | CancelPhase::Sent { .. } if step.parked.is_some() => {
            Some(("cancelled here, but cancelling it there failed: cancel it there too", true))
        }
        CancelPhase::Pending | CancelPhase::Sent { .. } => {
            Some(("cancelled here: it is being cancelled there too", true))
        }
        CancelPhase::Shipped => {
            Some(("cancelled here, but something of it was shipped there: call it back if you can", false))
        }
        CancelPhase::NotWanted => Some(by_hand),
        CancelPhase::Cancelled { .. } | CancelPhase::Gone => None,
    }
}

fn warning((source, _): &PushId, source_order: &SourceOrder, code: WarningCode, detail: String) -> Warning {
    let (source, source_order) = (source.clone(), source_order.clone());
    Warning { code, source, source_order, detail, since: None, in_hand: false, dismissed: None }
}

/// The orders that were made of it, with how many of each line.
fn confirmed(record: &OrderRecord) -> impl Iterator<Item = (&PushId, &SourceOrder, &[(LineItemId, u32)])> {
    record.pushes.iter().filter_map(|(id, row)| match &row.get().state {
        PushState::Confirmed { order, lines, .. } => Some((id, order, lines.as_slice())),
        PushState::NotPushed { .. } | PushState::Sent { .. } | PushState::Verifying { .. } => None,
    })
}

/// Of which lines `source` holds more than it got, by an edit of the order or because they were linked later; `None` if of
/// none.
fn additions(record: &OrderRecord, view: &View, source: &ShopDomain) -> Option<String> {
    let mut pushed: BTreeMap<LineItemId, u32> = BTreeMap::new();
    for (_, _, lines) in confirmed(record).filter(|((of, _), ..)| of == source) {
        for (line, quantity) in lines {
            *pushed.entry(*line).or_default() += quantity;
        }
    }
    let held = view.order.lines.iter().filter(|line| view.links.source_of(line) == Some(source));
    let added = held.filter_map(|line| {
        let pushed = pushed.get(&line.id).copied().unwrap_or(0);
        (line.quantity > pushed).then(|| format!("{}: {pushed} pushed, {} ordered", line.title, line.quantity))
    });
    in_words(added)
}

/// Of which lines less is left than was pushed; `None` if of none.
fn reductions(order: &Order, pushed: &[(LineItemId, u32)]) -> Option<String> {
    let reduced = pushed.iter().filter_map(|(id, quantity)| {
        let line = order.lines.iter().find(|line| line.id == *id);
        let left = line.map_or(0, |line| line.quantity);
        let title = line.map_or_else(|| format!("line {id}"), |line| line.title.clone());
        (left < *quantity).then(|| format!("{title}: {quantity} pushed, {left} left"))
    });
    in_words(reduced)
}

fn in_words(differences: impl Iterator<Item = String>) -> Option<String> {
    let differences: Vec<String> = differences.collect();
    (!differences.is_empty()).then(|| differences.join("; "))
}
