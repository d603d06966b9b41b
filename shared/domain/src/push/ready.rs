//! Which parts of an order may go now, and why the others may not.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::PushState;
use super::asked::{requested, requested_fee};
use super::plan::{PushMode, PushPlan, Wish, plan_push};
use super::rules::{Refusal, RefusalReason, groups};
use super::settle::PushId;
use super::use_case::View;
use crate::id::ShopDomain;
use crate::record::{OrderRecord, Row};

/// The groups that are wanted, and against which nothing speaks, with their plans; and whether a person asked. Where
/// the shop pushes orders whole: all of them, or none.
pub(super) fn ready(record: &OrderRecord, view: &View, now: Timestamp) -> Vec<(PushId, PushPlan, bool)> {
    let wanted = wanted(record, view).into_iter();
    let ready = wanted.filter_map(|(id, asked)| {
        let plan = plan(record, view, &id, asked).ok()?;
        let step = record.pushes.get(&id).map(Row::get);
        let may_go = step.is_none_or(|step| {
            let not_pushed = matches!(step.state, PushState::NotPushed { .. });
            not_pushed && !step.is_resting(now) && step.is_open_to(&view.inputs(&plan))
        });
        may_go.then_some((id, plan, asked))
    });
    let ready: Vec<(PushId, PushPlan, bool)> = ready.collect();
    let goes = |source: &ShopDomain| ready.iter().any(|((of, _), ..)| of == source);
    let is_whole = || sources(view).iter().all(|source| has_left(record, source) || goes(source));
    if !view.is_pushed_whole() || is_whole() { ready } else { Vec::new() }
}

/// The groups that somebody asked for (`true`), or that go by themselves.
fn wanted(record: &OrderRecord, view: &View) -> Vec<(PushId, bool)> {
    let requested = requested(record);
    let mut candidates: BTreeSet<PushId> = sources(view).into_iter().map(|source| (source, 1)).collect();
    candidates.extend(requested.iter().cloned());
    let wanted = candidates.into_iter().filter_map(|id| {
        let connection = view.shop.connection(&id.0)?;
        let asked = requested.contains(&id);
        let by_itself = id.1 == 1 && view.shop.shop.pushes_by_itself(connection, view.order.created_at);
        (asked || by_itself).then_some((id, asked))
    });
    wanted.collect()
}

/// The source shops that hold something of the order.
fn sources(view: &View) -> BTreeSet<ShopDomain> {
    groups(&view.order, &view.links).into_keys().collect()
}

/// Whether the part of `source` is there, or a call for it is or may be under way.
fn has_left(record: &OrderRecord, source: &ShopDomain) -> bool {
    let mut of_source = record.pushes.iter().filter(|((of, _), _)| of == source);
    of_source.any(|(_, row)| !matches!(row.get().state, PushState::NotPushed { .. }))
}

/// What would go of group `id`, or why nothing may.
fn plan(record: &OrderRecord, view: &View, (source, group): &PushId, asked: bool) -> Result<PushPlan, Vec<Refusal>> {
    let Some(connection) = view.shop.connection(source) else {
        return Err(vec![Refusal {
            reason: RefusalReason::NotConnected,
            observed: format!("no connection from {} to {source}", view.order.at.shop),
            required: "a connection: POST /v1/connections".into(),
        }]);
    };
    let wish = if asked {
        let shipping_fee = requested_fee(record, source, *group);
        Wish { group: *group, mode: PushMode::Manual, shipping_fee }
    } else {
        Wish::automatic(*group)
    };
    plan_push(&view.case(connection), &wish)
}

/// Why `source` does not get its part; empty if it could.
pub(super) fn refusals(record: &OrderRecord, view: &View, source: &ShopDomain) -> Vec<Refusal> {
    let of = |source: &ShopDomain| plan(record, view, &(source.clone(), 1), false).err().unwrap_or_default();
    let own = of(source);
    if !own.is_empty() || !view.is_pushed_whole() {
        return own;
    }
    let mut others = sources(view).into_iter().filter(|other| other != source && !has_left(record, other));
    let kept_back_by = others.find_map(|other| match (is_parked(record, &other), of(&other).is_empty()) {
        (true, _) => Some(partial(&other, "failed")),
        (false, false) => Some(partial(&other, "may not be pushed")),
        (false, true) => None,
    });
    kept_back_by.into_iter().collect()
}

/// Whether the part of `source` waits for a person.
fn is_parked(record: &OrderRecord, source: &ShopDomain) -> bool {
    record.pushes.iter().any(|((of, _), row)| of == source && row.get().parked.is_some())
}

/// What speaks against a request, as long as the order is as it was seen.
pub(super) struct Stays {
    by_rules: Vec<(ShopDomain, Vec<Refusal>)>,
    /// Another part of an order that is pushed whole: nobody asked for it, or it failed.
    other: Option<(ShopDomain, &'static str)>,
}

/// Why what stays does so.
pub(super) fn stays(record: &OrderRecord, view: &View) -> Stays {
    let asked: BTreeSet<ShopDomain> = requested(record).into_iter().map(|(source, _)| source).collect();
    let by_rules = asked.iter().map(|source| (source.clone(), refusals(record, view, source))).collect();
    if !view.is_pushed_whole() {
        return Stays { by_rules, other: None };
    }
    let wanted: BTreeSet<ShopDomain> = wanted(record, view).into_iter().map(|((source, _), _)| source).collect();
    let mut left = sources(view).into_iter().filter(|source| !has_left(record, source));
    let other = left.find_map(|source| {
        let why = match (is_parked(record, &source), wanted.contains(&source)) {
            (true, _) => "failed",
            (false, false) => "was not asked for",
            (false, true) => return None,
        };
        Some((source, why))
    });
    Stays { by_rules, other }
}

impl Stays {
    /// The reasons against the part of `source`.
    pub(super) fn against(&self, source: &ShopDomain) -> Vec<Refusal> {
        let by_rules = self.by_rules.iter().find(|(of, _)| of == source).map(|(_, refusals)| refusals.clone());
        match (by_rules.unwrap_or_default(), &self.other) {
            (refusals, Some((other, why))) if refusals.is_empty() && other != source => vec![partial(other, why)],
            (refusals, _) => refusals,
        }
    }
}

fn partial(other: &ShopDomain, why: &str) -> Refusal {
    Refusal {
        reason: RefusalReason::PartialPushDisabled,
        observed: format!("the part of {other} {why}"),
        required: "all parts of the order, or the store's setting `allow_partial_push`".into(),
    }
}
