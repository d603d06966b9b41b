//! Which parts of an order may go now, and why the others may not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::PushState;
use super::asked::{requested, requested_fee};
use super::plan::{PushMode, PushPlan, plan_push};
use super::record::Against;
use super::refusal::{Refusal, RefusalReason};
use super::rules::groups;
use super::settle::PushId;
use super::use_case::View;
use crate::code::Code;
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
    let is_whole = || sources(view).iter().all(|source| record.has_left_for(source) || goes(source));
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
        let by_itself = id.1 == 1 && record.goes_by_itself(&view.shop.shop, connection);
        (asked || by_itself).then_some((id, asked))
    });
    wanted.collect()
}

/// The source shops that hold something of the order.
fn sources(view: &View) -> BTreeSet<ShopDomain> {
    groups(&view.order, &view.links).into_keys().collect()
}

/// What would go of group `id`, or why nothing may.
fn plan(record: &OrderRecord, view: &View, (source, group): &PushId, asked: bool) -> Result<PushPlan, Vec<Refusal>> {
    let Some(connection) = view.shop.connection(source) else {
        return Err(vec![not_connected(view, source)]);
    };
    let shipping_fee = requested_fee(record, source, *group).filter(|_| asked);
    let mode = if asked { PushMode::Manual } else { PushMode::Automatic };
    plan_push(&view.case(connection, shipping_fee), *group, mode)
}

pub(super) fn not_connected(view: &View, source: &ShopDomain) -> Refusal {
    Refusal {
        reason: RefusalReason::NotConnected,
        observed: format!("no connection from {} to {source}", view.order.at.shop),
        required: "a connection: POST /v1/connections".into(),
    }
}

/// Why `source` does not get its part; empty if it could.
pub(super) fn refusals(record: &OrderRecord, view: &View, source: &ShopDomain) -> Vec<Refusal> {
    // With the fee that somebody gave: only one in another currency could speak against it.
    let requested = requested(record);
    let of = |source: &ShopDomain| {
        let id = (source.clone(), 1);
        plan(record, view, &id, requested.contains(&id)).err().unwrap_or_default()
    };
    let own = of(source);
    if !own.is_empty() || !view.is_pushed_whole() {
        return own;
    }
    let mut others = sources(view).into_iter().filter(|other| other != source && !record.has_left_for(other));
    let kept_back_by = others.find_map(|other| match (parked(record, &other), of(&other).is_empty()) {
        (Some(_), _) => Some(partial(&other, "failed")),
        (None, false) => Some(partial(&other, "may not be pushed")),
        (None, true) => None,
    });
    kept_back_by.into_iter().collect()
}

/// Why the part of `source` waits for a person, if it does.
fn parked(record: &OrderRecord, source: &ShopDomain) -> Option<Code> {
    let of_source = record.pushes.iter().filter(|((of, _), _)| of == source);
    of_source.filter_map(|(_, row)| row.get().parked.as_ref()).map(|parked| parked.code).next()
}

/// What speaks against what was asked for, by source shop, as long as the order is as it was seen.
pub(super) fn against_requests(record: &OrderRecord, view: &View) -> BTreeMap<ShopDomain, Against> {
    // Parts of an order that is pushed whole which stay, and with which code they are parked, if they are.
    let wanted: BTreeSet<ShopDomain> = wanted(record, view).into_iter().map(|((source, _), _)| source).collect();
    let left = sources(view).into_iter().filter(|source| view.is_pushed_whole() && !record.has_left_for(source));
    let staying = left.filter_map(|source| {
        let code = parked(record, &source);
        (code.is_some() || !wanted.contains(&source)).then_some((source, code))
    });
    let staying: Vec<(ShopDomain, Option<Code>)> = staying.collect();
    let against = |source: &ShopDomain| {
        let others = || staying.iter().filter(|(other, _)| other != source);
        if let Some(code) = others().find_map(|(_, code)| *code) {
            return Against::Parked(code);
        }
        match (refusals(record, view, source), others().next()) {
            (refusals, _) if !refusals.is_empty() => Against::Rules(refusals),
            (_, Some((other, _))) => Against::Rules(vec![partial(other, "was not asked for")]),
            (_, None) => Against::Nothing,
        }
    };
    let asked = requested(record).into_iter().map(|(source, _)| source);
    asked
        .map(|source| {
            let against = against(&source);
            (source, against)
        })
        .collect()
}

pub(super) fn partial(other: &ShopDomain, why: &str) -> Refusal {
    Refusal {
        reason: RefusalReason::PartialPushDisabled,
        observed: format!("the part of {other} {why}"),
        required: "all parts of the order, or the store's setting `allow_partial_push`".into(),
    }
}
