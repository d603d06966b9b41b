//! What a label tool tells of a label, written into the record of its order: plain functions.
//!
//! Tools tell the same thing more than once, and at once from several places: what is known already changes
//! nothing.

use jiff::Timestamp;

use super::shipment::{Label, LabelLine};
use super::{Phase, WritebackState};
use crate::id::{LabelId, ShipmentId};
use crate::record::{OrderRecord, Row};
use crate::step::{Step, WaitReason};

/// More labels than anybody buys for one order: as many as fulfillments are read of it, and their rows fit one
/// transaction.
pub const MAX_LABELS: usize = 50;
/// Tracking numbers of one label: as many as are read of a fulfillment.
pub const MAX_NUMBERS: usize = 20;

/// What a telling came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Bought,
    Changed,
    Voided,
    /// As it was known; but nobody was seeing to it any more, and somebody is now.
    Again,
    /// As it was known: nothing is written.
    Nothing,
}

impl Told {
    /// For history and log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bought => "label bought",
            Self::Changed => "label changed",
            Self::Voided => "label voided",
            Self::Again => "label asked for again",
            Self::Nothing => "label known",
        }
    }
}

/// Why a telling is refused; its words are about the order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelRefused {
    #[error("it has no label {0}")]
    Unknown(LabelId),
    /// A tool voids a label once and for all; whoever tells of it now is late.
    #[error("its label {0} was voided")]
    Voided(LabelId),
    /// Other lines would be shown beside those that are shown already.
    #[error("its label {0} is shown with other lines, or about to be")]
    OtherLines(LabelId),
    #[error("it has {MAX_LABELS} labels already")]
    TooMany,
}

/// A label was bought, or its tracking is another now. Lines that are left out stay as they are known.
///
/// # Errors
/// It was voided, or is shown with other lines already, or the order has too many.
pub fn tell_label(record: &mut OrderRecord, id: &LabelId, label: Label, now: Timestamp) -> Result<Told, LabelRefused> {
    let step = record.writebacks.get(&ShipmentId::Label(id.clone())).map(Row::get);
    let Some(row) = record.labels.get_mut(id) else {
        if record.labels.len() >= MAX_LABELS {
            return Err(LabelRefused::TooMany);
        }
        record.labels.insert(id.clone(), Row::new(label));
        wake(record, id, now);
        return Ok(Told::Bought);
    };
    let known = row.get();
    if known.voided_at.is_some() {
        return Err(LabelRefused::Voided(id.clone()));
    }
    let lines = label.lines.filter(|lines| known.lines.as_ref().is_none_or(|known| !same(known, lines)));
    if lines.is_some() && step.is_some_and(|step| has_begun(&step.state)) {
        return Err(LabelRefused::OtherLines(id.clone()));
    }
    let next = Label {
        lines: lines.or_else(|| known.lines.clone()),
        created_at: known.created_at,
        created_by: known.created_by.clone(),
        ..label
    };
    if *known == next {
        if step.is_some_and(is_seen_to) {
            return Ok(Told::Nothing);
        }
        wake(record, id, now);
        return Ok(Told::Again);
    }
    *row.change() = next;
    wake(record, id, now);
    Ok(Told::Changed)
}

/// A label was deleted in its tool. What it showed stays until another label takes its place.
///
/// # Errors
/// The order has no such label.
pub fn void_label(record: &mut OrderRecord, id: &LabelId, now: Timestamp) -> Result<Told, LabelRefused> {
    let Some(row) = record.labels.get_mut(id) else { return Err(LabelRefused::Unknown(id.clone())) };
    if row.get().voided_at.is_some() {
        return Ok(Told::Nothing);
    }
    row.change().voided_at = Some(now);
    wake(record, id, now);
    Ok(Told::Voided)
}

/// Makes the label's step due; one that is parked is tried anew. A rest is kept: it ends by itself, and a call
/// that is on its way belongs to its worker, who looks once more before it goes. So the write that tells is
/// valid only while the step is as we saw it.
fn wake(record: &mut OrderRecord, id: &LabelId, now: Timestamp) {
    let step = record.writebacks.entry(ShipmentId::Label(id.clone()));
    let row = step.or_insert_with(|| Row::new(Step::new(WritebackState::pending())));
    if row.get().is_resting(now) {
        row.hold();
        return;
    }
    let step = row.change();
    if step.parked.is_some() {
        step.reopen();
    }
    step.wait(now, now, WaitReason::Requested);
}

/// Whether a call was made, or what the destination showed by itself was found to be it.
fn has_begun(state: &WritebackState) -> bool {
    !matches!(state.phase, Phase::Pending) || !state.written.is_empty()
}

/// Whether there is nothing to do, or somebody is to do it.
fn is_seen_to(step: &Step<WritebackState>) -> bool {
    step.parked.is_none() && (step.wait.is_some() || !matches!(step.state.phase, Phase::Pending))
}

fn same(known: &[LabelLine], told: &[LabelLine]) -> bool {
    let sorted = |lines: &[LabelLine]| {
        let mut lines: Vec<_> = lines.iter().map(|line| (line.line, line.quantity)).collect();
        lines.sort();
        lines
    };
    sorted(known) == sorted(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;
    use crate::id::{LineItemId, OrderId, OrderRef};
    use crate::writeback::TrackingInfo;

    const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

    fn id() -> LabelId {
        "se-1".parse().unwrap()
    }

    fn label(number: &str, lines: Option<&[(u64, u32)]>) -> Label {
        let line = |(id, quantity): &(u64, u32)| LabelLine { line: LineItemId::new(*id), quantity: *quantity };
        Label {
            tracking: TrackingInfo::new(None, Some(number.into()), None).into_iter().collect(),
            lines: lines.map(|lines| lines.iter().map(line).collect()),
            warehouse: None,
            notify_customer: true,
            created_at: NOW,
            created_by: "tool".into(),
            voided_at: None,
        }
    }

    fn order() -> OrderRecord {
        OrderRecord::empty(OrderRef { shop: "moon.myshopify.com".parse().unwrap(), id: OrderId::new(42) })
    }

    /// An order with a label that was told of, saved, and whose step has come as far as `change` says.
    fn told(lines: Option<&[(u64, u32)]>, change: impl FnOnce(&mut Step<WritebackState>)) -> OrderRecord {
        let mut record = order();
        tell_label(&mut record, &id(), label("T1", lines), NOW).unwrap();
        let row = record.writebacks.get_mut(&ShipmentId::Label(id())).unwrap();
        row.change().wait = None;
        change(row.change());
        record.saved();
        record
    }

    fn step(record: &OrderRecord) -> &Step<WritebackState> {
        record.writebacks[&ShipmentId::Label(id())].get()
    }

    fn written(step: &mut Step<WritebackState>) {
        step.state.phase = Phase::Written { tracking: label("T1", None).tracking, at: NOW };
    }

    #[test]
    fn a_label_told_of_again_changes_nothing() {
        for (known, again) in
            [(None, None), (Some([(1, 2), (2, 1)]), None), (Some([(1, 2), (2, 1)]), Some([(2, 1), (1, 2)]))]
        {
            let mut record = told(known.as_ref().map(|lines| &lines[..]), written);
            let by_another = Label { created_by: "another".into(), ..label("T1", again.as_ref().map(|it| &it[..])) };

            let told = tell_label(&mut record, &id(), by_another, NOW);

            assert_eq!((told, record.has_changes()), (Ok(Told::Nothing), false));
        }
    }

    #[test]
    fn other_tracking_makes_the_step_due_and_keeps_the_lines() {
        let mut record = told(Some(&[(1, 2)]), written);

        let told = tell_label(&mut record, &id(), label("T2", None), NOW);

        assert_eq!(told, Ok(Told::Changed));
        assert_eq!(record.labels[&id()].get(), &label("T2", Some(&[(1, 2)])));
        assert_eq!(step(&record).wait.as_ref().unwrap().why, WaitReason::Requested);
    }

    #[test]
    fn lines_may_be_corrected_until_they_are_shown() {
        let mut parked = told(Some(&[(1, 2)]), |step| step.park(Code::ProductsMismatch, NOW, NOW, None));
        let mut shown = told(Some(&[(1, 2)]), written);

        let corrected = tell_label(&mut parked, &id(), label("T1", Some(&[(1, 1)])), NOW);
        let refused = tell_label(&mut shown, &id(), label("T1", Some(&[(1, 1)])), NOW);

        assert_eq!(corrected, Ok(Told::Changed));
        assert_eq!((&step(&parked).parked, step(&parked).generation), (&None, 1));
        assert_eq!((refused, shown.has_changes()), (Err(LabelRefused::OtherLines(id())), false));
    }

    #[test]
    fn what_nobody_sees_to_any_more_is_tried_anew_by_telling_again() {
        let mut parked = told(None, |step| step.park(Code::LocationUnmapped, NOW, NOW, None));
        let mut left = told(None, |_| {});

        for record in [&mut parked, &mut left] {
            assert_eq!(tell_label(record, &id(), label("T1", None), NOW), Ok(Told::Again));
            assert_eq!(step(record).parked, None);
            assert_eq!(step(record).wait.as_ref().unwrap().why, WaitReason::Requested);
        }
    }

    #[test]
    fn a_voided_label_stays_voided() {
        let mut record = told(None, written);

        assert_eq!(void_label(&mut record, &id(), NOW), Ok(Told::Voided));
        record.saved();
        assert_eq!(void_label(&mut record, &id(), NOW), Ok(Told::Nothing));
        assert_eq!(tell_label(&mut record, &id(), label("T1", None), NOW), Err(LabelRefused::Voided(id())));

        assert!(!record.has_changes());
        assert_eq!(void_label(&mut order(), &id(), NOW), Err(LabelRefused::Unknown(id())));
    }

    #[test]
    fn a_call_on_its_way_is_not_disturbed() {
        let mut record =
            told(None, |step| step.wait(NOW, NOW + jiff::SignedDuration::from_secs(60), WaitReason::InFlight));
        let before = step(&record).clone();

        tell_label(&mut record, &id(), label("T2", None), NOW).unwrap();

        assert_eq!(step(&record), &before);
        let mut commit = crate::record::Commit::default();
        record.stage(&mut commit);
        let checked = commit.writes.iter().find(|write| write.body.is_none());
        assert!(checked.is_some(), "the write depends on the step as it was seen");
    }

    #[test]
    fn an_order_has_so_many_labels_and_no_more() {
        let mut record = order();
        for n in 0..MAX_LABELS {
            tell_label(&mut record, &format!("se-{n}").parse().unwrap(), label("T1", None), NOW).unwrap();
        }

        assert_eq!(
            tell_label(&mut record, &"new".parse().unwrap(), label("T1", None), NOW),
            Err(LabelRefused::TooMany)
        );
        assert!(tell_label(&mut record, &"se-7".parse().unwrap(), label("T2", None), NOW).is_ok());
    }
}
