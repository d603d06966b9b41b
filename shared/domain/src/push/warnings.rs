//! What a person has to see to at the source stores, because the order was changed here after it was pushed.

use super::PushState;
use super::cancel::CancelPhase;
use super::settle::PushId;
use crate::id::LineItemId;
use crate::order::{Order, SourceOrder};
use crate::record::{OrderRecord, Row, Warning, WarningCode};

/// What the source stores have that was called off here since.
pub(super) fn warnings(record: &OrderRecord, order: &Order) -> Vec<Warning> {
    if order.cancelled_at.is_some() {
        return of_cancelled(record);
    }
    let warning = |(id, source_order, lines): (&PushId, &SourceOrder, &[(LineItemId, u32)])| {
        Some(warning(id, source_order, WarningCode::ReducedAfterPush, reductions(order, lines)?))
    };
    confirmed(record).filter_map(warning).collect()
}

/// Brings the warnings of a cancelled order up to date with how far its source orders are cancelled.
pub(super) fn rewarn(record: &mut OrderRecord) {
    let warnings = of_cancelled(record);
    if let Some(row) = &mut record.summary
        && row.get().cancelled_at.is_some()
        && row.get().warnings != warnings
    {
        row.change().warnings = warnings;
    }
}

fn of_cancelled(record: &OrderRecord) -> Vec<Warning> {
    let warning = |(id, source_order, _): (&PushId, &SourceOrder, _)| {
        let detail = still_standing(record, id)?.to_owned();
        Some(warning(id, source_order, WarningCode::CancelledAfterPush, detail))
    };
    confirmed(record).filter_map(warning).collect()
}

/// How the source order still stands; `None` once it does not.
fn still_standing(record: &OrderRecord, id: &PushId) -> Option<&'static str> {
    let Some(step) = record.cancels.get(id).map(Row::get) else { return Some("cancelled here: cancel it there too") };
    match step.state.phase {
        CancelPhase::Pending | CancelPhase::Sent { .. } if step.parked.is_some() => {
            Some("cancelled here, but cancelling it there failed: cancel it there too")
        }
        CancelPhase::Pending | CancelPhase::Sent { .. } => Some("cancelled here: it is being cancelled there too"),
        CancelPhase::Shipped => Some("cancelled here, but something of it was shipped there: call it back if you can"),
        CancelPhase::NotWanted => Some("cancelled here: cancel it there too"),
        CancelPhase::Cancelled { .. } | CancelPhase::Gone => None,
    }
}

fn warning((source, _): &PushId, source_order: &SourceOrder, code: WarningCode, detail: String) -> Warning {
    Warning { code, source: source.clone(), source_order: source_order.clone(), detail }
}

/// The orders that were made of it, with how many of each line.
fn confirmed(record: &OrderRecord) -> impl Iterator<Item = (&PushId, &SourceOrder, &[(LineItemId, u32)])> {
    record.pushes.iter().filter_map(|(id, row)| match &row.get().state {
        PushState::Confirmed { order, lines, .. } => Some((id, order, lines.as_slice())),
        PushState::NotPushed { .. } | PushState::Sent { .. } | PushState::Verifying { .. } => None,
    })
}

/// Of which lines less is left than was pushed; `None` if of none.
fn reductions(order: &Order, pushed: &[(LineItemId, u32)]) -> Option<String> {
    let reduced = pushed.iter().filter_map(|(id, quantity)| {
        let line = order.lines.iter().find(|line| line.id == *id);
        let left = line.map_or(0, |line| line.quantity);
        let title = line.map_or_else(|| format!("line {id}"), |line| line.title.clone());
        (left < *quantity).then(|| format!("{title}: {quantity} pushed, {left} left"))
    });
    let reduced: Vec<String> = reduced.collect();
    (!reduced.is_empty()).then(|| reduced.join("; "))
}
