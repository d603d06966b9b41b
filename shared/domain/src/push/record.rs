//! Writing down what an order looks like now.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::cancel;
use super::plan::tab;
use super::ready::refusals;
use super::rules::groups;
use super::use_case::View;
use super::warnings::warnings;
use super::{PushState, Refusal};
use crate::code::Code;
use crate::history::HistoryEvent;
use crate::id::ShopDomain;
use crate::order::Order;
use crate::ports::after;
use crate::record::{
    GroupRefusals, OrderRecord, Personal, RequestState, Row, Summary, SummaryLine, Tab, Warning, remembered,
};
use crate::task::Task;

/// How long a customer's name is kept for the lists. Source: scenario "Privacy" (default 60 days).
const PERSONAL_TTL: Duration = Duration::from_secs(60 * 24 * 3600);

/// Brings summary and personal item up to date with `order`, unless the ledger is ahead of it.
pub(super) fn record_order(record: &mut OrderRecord, view: &View, task: &Task, now: Timestamp) {
    let order = &view.order;
    // Before the warnings are written, which tell of it.
    cancel::note(record, view, now);
    let mut summary = summary(record, view);
    let known = record.summary.as_ref().map(|row| row.get().warnings.clone()).unwrap_or_default();
    summary.warnings = remembered(summary.warnings, &known, now);
    match &mut record.summary {
        None => {
            let event = HistoryEvent::moved(now, task, "order", "unknown", state(&summary));
            record.summary = Some(Row::new(summary));
            record.log(event);
        }
        // Equal is accepted: Shopify's clock has whole seconds.
        Some(row) if row.get().updated_at <= summary.updated_at && *row.get() != summary => {
            let (before, after) = (state(row.get()), state(&summary));
            let is_new = |warning: &&Warning| !known.iter().any(|known| known.says_the_same(warning));
            let new: Vec<Warning> = summary.warnings.iter().filter(is_new).cloned().collect();
            *row.change() = summary;
            if before != after {
                record.log(HistoryEvent::moved(now, task, "order", before, after));
            }
            for Warning { source, source_order, detail, .. } in new {
                let detail = format!("{} at {source}: {detail}", source_order.name);
                record.log(HistoryEvent::moved(now, task, "order", "as pushed", "changed").with_detail(detail));
            }
        }
        Some(_) => {}
    }
    record_personal(record, order, now);
}

/// Whether the ledger knows a later state of the order than the one that was read.
pub(super) fn is_ahead_of(record: &OrderRecord, order: &Order) -> bool {
    record.summary.as_ref().is_some_and(|row| row.get().updated_at > order.updated_at)
}

/// Whether the ledger knows another state of the order than the one that was read. Its time alone does not
/// tell: two changes within one second carry the same.
pub(super) fn is_other_than(record: &OrderRecord, view: &View) -> bool {
    let facts = |summary: &Summary| Summary {
        shipped: false,
        badges: Vec::new(),
        own_tags: BTreeSet::new(),
        system_tags: BTreeSet::new(),
        warnings: Vec::new(),
        refusals: Vec::new(),
        tab: Tab::NotPushed,
        listed: true,
        ..summary.clone()
    };
    record.summary.as_ref().is_some_and(|row| facts(row.get()) != facts(&summary(record, view)))
}

fn record_personal(record: &mut OrderRecord, order: &Order, now: Timestamp) {
    let name = order.customer.as_ref().and_then(crate::order::PersonName::full);
    let known = record.personal.as_ref().map(Row::get);
    let redacted = known.is_some_and(|personal| personal.redacted);
    if redacted || known.map_or(name.is_none(), |personal| personal.customer_name == name) {
        return;
    }
    let personal = Personal { customer_name: name, expires_at: after(now, PERSONAL_TTL), redacted: false };
    match &mut record.personal {
        Some(row) => *row.change() = personal,
        None => record.personal = Some(Row::new(personal)),
    }
}

fn summary(record: &OrderRecord, view: &View) -> Summary {
    let View { order, links, .. } = view;
    let known = record.summary.as_ref().map(Row::get);
    let lines: Vec<SummaryLine> = order
        .lines
        .iter()
        .map(|line| SummaryLine {
            title: line.title.clone(),
            sku: line.sku.clone(),
            variant: line.variant,
            quantity: line.quantity,
            source: links.source_of(line).cloned(),
            source_variant: links.of(line).map(|link| link.source_variant),
        })
        .collect();
    let wanted: BTreeSet<ShopDomain> = groups(order, links).into_keys().collect();
    let confirmed = confirmed(record);
    let open = wanted
        .difference(&confirmed)
        .map(|source| GroupRefusals { source: source.clone(), reasons: refusals(record, view, source) });
    Summary {
        name: order.name.clone(),
        created_at: order.created_at,
        updated_at: order.updated_at,
        cancelled_at: order.cancelled_at,
        test: order.test,
        financial_status: order.financial_status.clone(),
        fulfillment_status: order.fulfillment_status.clone(),
        total: order.total.clone(),
        shipping_method: order.shipping_method.clone(),
        tags: order.tags.clone(),
        lines,
        tracking_numbers: order.tracking_numbers(),
        shipped: known.is_some_and(|known| known.shipped),
        badges: known.map(|known| known.badges.clone()).unwrap_or_default(),
        own_tags: known.map(|known| known.own_tags.clone()).unwrap_or_default(),
        system_tags: known.map(|known| known.system_tags.clone()).unwrap_or_default(),
        warnings: warnings(record, view),
        refusals: open.filter(|group| !group.reasons.is_empty()).collect(),
        tab: tab(order.cancelled_at.is_some(), &wanted, &confirmed),
        listed: view.shop.lists(order.created_at)
            || (record.look.get().state.asked_for && view.shop.offers_orders())
            || known.is_some_and(|known| known.listed),
    }
}

/// The words by which the history tells one state of an order from another.
fn state(summary: &Summary) -> String {
    let cancelled = if summary.cancelled_at.is_some() { ", cancelled" } else { "" };
    format!("{}, {}{cancelled}", summary.financial_status, summary.fulfillment_status)
}

/// The source shops that have their part of the order.
fn confirmed(record: &OrderRecord) -> BTreeSet<ShopDomain> {
    record
        .pushes
        .iter()
        .filter(|(_, row)| matches!(row.get().state, PushState::Confirmed { .. }))
        .map(|((source, _), _)| source.clone())
        .collect()
}

/// Moves the order to the tab where it stands after a push was confirmed; says whether that is another.
pub(super) fn retab(record: &mut OrderRecord) -> Option<Tab> {
    let confirmed = confirmed(record);
    let row = record.summary.as_mut()?;
    let summary = row.get();
    let wanted = summary.lines.iter().filter(|l| l.quantity > 0).filter_map(|line| line.source.clone()).collect();
    let tab = tab(summary.cancelled_at.is_some(), &wanted, &confirmed);
    // What is there needs no reasons against it.
    if summary.refusals.iter().any(|group| confirmed.contains(&group.source)) {
        row.change().refusals.retain(|group| !confirmed.contains(&group.source));
    }
    if tab == row.get().tab {
        return None;
    }
    row.change().tab = tab;
    Some(tab)
}

/// Answers the open requests: done, failed, refused, or looked at again when their step rests no longer.
pub(super) fn answer_requests(
    record: &mut OrderRecord,
    against: impl Fn(&ShopDomain) -> Against,
    later: Timestamp,
    now: Timestamp,
) {
    let open: Vec<(String, ShopDomain, u32)> =
        record.open_requests().map(|(id, request)| (id.clone(), request.source.clone(), request.group)).collect();
    for (id, source, group) in open {
        let step = record.pushes.get_mut(&(source.clone(), group));
        let answer = match step.as_ref().map(|row| row.get()) {
            Some(step) => match (&step.state, &step.parked, &step.wait) {
                (PushState::Confirmed { order, .. }, _, _) => RequestState::Done { order: order.clone() },
                (_, Some(parked), _) => RequestState::Failed { code: parked.code },
                (_, None, Some(wait)) if wait.until > now => RequestState::Open { due: wait.until },
                (_, None, _) => against(&source).answer(later),
            },
            None => against(&source).answer(later),
        };
        if let Some(row) = step.filter(|_| !matches!(answer, RequestState::Done { .. })) {
            // Valid only while the step is as we saw it: it may just be going again, for this very request.
            row.hold();
        }
        if let Some(row) = record.requests.get_mut(&id)
            && row.get().state != answer
        {
            row.change().state = answer;
        }
    }
}

/// What speaks against a push that was asked for.
#[derive(Clone)]
pub(super) enum Against {
    Nothing,
    Rules(Vec<Refusal>),
    /// Another part of the order, without which this one does not go, is parked.
    Parked(Code),
}

impl Against {
    fn answer(self, later: Timestamp) -> RequestState {
        match self {
            Self::Nothing => RequestState::Open { due: later },
            Self::Rules(reasons) => RequestState::Refused { reasons },
            Self::Parked(code) => RequestState::Failed { code },
        }
    }
}
