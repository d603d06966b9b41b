//! What a push would send and what would keep it from going: found out without a write, and without a change in any shop.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PushState;
use super::draft::{MAX_TAG_CHARS, OrderDraft};
use super::plan::{PushMode, PushPlan, plan_push};
use super::ready::{not_connected, partial, refusals};
use super::refusal::Refusal;
use super::rest::rest;
use super::rules::{Verdict, groups, looks_like_email, verdicts};
use super::use_case::View;
use crate::id::{LineItemId, ShopDomain};
use crate::money::Money;
use crate::order::Order;
use crate::record::{OrderRecord, Row};
use crate::registry::{ConnectedShop, EmailContact, Links};
use crate::settings::Waits;

/// The push of one source shop's part, as it would be.
#[derive(Debug, Clone, PartialEq)]
pub struct DryRun {
    pub source: ShopDomain,
    /// What every rule says.
    pub verdicts: Vec<Verdict>,
    /// What would go; `None`: nothing may.
    pub push: Option<(PushPlan, OrderDraft)>,
    /// Lines that would not go with it.
    pub withheld: Vec<WithheldLine>,
    pub warnings: Vec<DryRunWarning>,
}

/// A line that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithheldLine {
    pub line: LineItemId,
    pub title: String,
    /// The source shop that has it, or else holds it; `None`: it is linked to none.
    pub source: Option<ShopDomain>,
}

/// What whoever pushes should know before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DryRunWarning {
    pub code: DryRunWarningCode,
    pub detail: String,
}

/// The kinds of [`DryRunWarning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DryRunWarningCode {
    /// The source shop has its part already: nothing would be sent.
    AlreadyPushed,
    /// A push is under way, or its outcome is not known yet: nothing would be sent now.
    UnderWay,
    /// It would wait.
    Waits,
    /// Two shops may mail the customer about one parcel.
    DoubleMail,
    /// An address that Shopify would refuse is left out.
    EmailLeftOut,
    /// A tag is longer than Shopify takes; the note has it whole.
    TagCut,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

/// What pushing `order` to `source`, or to every source shop that holds some of it, would do. `shipping_fee`: what a person
/// says that shipping costs.
#[must_use]
pub fn dry_run(
    record: &OrderRecord,
    (order, links, shop): (Order, Links, ConnectedShop),
    (source, shipping_fee): (Option<&ShopDomain>, Option<&Money>),
    waits: &Waits,
    now: Timestamp,
) -> Vec<DryRun> {
    let links = Links { left: record.left_lines(), ..links };
    let view = View { order, links, shop };
    let sources: BTreeSet<ShopDomain> = match source {
        Some(source) => BTreeSet::from([source.clone()]),
        None => groups(&view.order, &view.links).into_keys().collect(),
    };
    let is_alone = source.is_some();
    sources.iter().map(|source| of(record, &view, (source, shipping_fee, is_alone), waits, now)).collect()
}

fn of(
    record: &OrderRecord,
    view: &View,
    (source, shipping_fee, is_alone): (&ShopDomain, Option<&Money>, bool),
    waits: &Waits,
    now: Timestamp,
) -> DryRun {
    let withheld = withheld(view, source);
    let Some(connection) = view.shop.connection(source) else {
        let refusal = failed(not_connected(view, source));
        return DryRun { source: source.clone(), verdicts: vec![refusal], push: None, withheld, warnings: Vec::new() };
    };
    let case = view.case(connection, shipping_fee.cloned());
    let mut verdicts = verdicts(&case);
    let plan = plan_push(&case, 1, PushMode::Manual).ok();
    // Nothing speaks against this part: another may keep it back.
    let mut kept_back = if plan.is_some() { refusals(record, view, source) } else { Vec::new() };
    if is_alone && kept_back.is_empty() && plan.is_some() {
        kept_back.extend(left_behind(record, view, source));
    }
    let plan = plan.filter(|_| kept_back.is_empty());
    verdicts.extend(kept_back.into_iter().map(failed));
    let push = plan.map(|plan| {
        let draft = view.draft(&plan);
        (plan, draft)
    });
    let draft = push.as_ref().map(|(_, draft)| draft);
    let mut warnings: Vec<DryRunWarning> = state(record, source).into_iter().collect();
    if let Some((until, why)) = rest(view, &(source.clone(), 1), true, waits, now) {
        let detail = format!("it would wait until {until} at least: {}", why.name());
        warnings.push(DryRunWarning { code: DryRunWarningCode::Waits, detail });
    }
    warnings.extend(draft.into_iter().flat_map(|draft| of_draft(view, draft, connection.settings.notify_customer)));
    DryRun { source: source.clone(), verdicts, push, withheld, warnings }
}

/// Of an order that is pushed whole: the part that nobody asks for.
fn left_behind(record: &OrderRecord, view: &View, source: &ShopDomain) -> Option<Refusal> {
    let goes = |other: &ShopDomain| {
        let by_itself = |connection| record.goes_by_itself(&view.shop.shop, connection);
        view.shop.connection(other).is_some_and(by_itself)
            || record.open_requests().any(|(_, request)| request.source == *other)
    };
    let mut others = groups(&view.order, &view.links).into_keys().filter(|other| other != source);
    let left = others.find(|other| !record.has_left_for(other) && !goes(other));
    left.filter(|_| view.is_pushed_whole()).map(|other| partial(&other, "was not asked for"))
}

fn failed(Refusal { reason: rule, observed, required }: Refusal) -> Verdict {
    Verdict { rule, passed: false, observed, required }
}

fn withheld(view: &View, source: &ShopDomain) -> Vec<WithheldLine> {
    let left = view.order.lines.iter().filter(|line| line.quantity > 0);
    let withheld = left.filter(|line| view.links.source_of(line) != Some(source));
    let lines = withheld.map(|line| WithheldLine {
        line: line.id,
        title: line.title.clone(),
        source: view.links.source_of(line).cloned(),
    });
    lines.collect()
}

/// How far a push of this part has come before.
fn state(record: &OrderRecord, source: &ShopDomain) -> Option<DryRunWarning> {
    match &record.pushes.get(&(source.clone(), 1)).map(Row::get)?.state {
        PushState::NotPushed { .. } => None,
        PushState::Confirmed { order, .. } => Some(DryRunWarning {
            code: DryRunWarningCode::AlreadyPushed,
            detail: format!("{source} has it as {} ({}): nothing would be sent", order.name, order.id),
        }),
        PushState::Sent { .. } | PushState::Verifying { .. } => Some(DryRunWarning {
            code: DryRunWarningCode::UnderWay,
            detail: "a push is under way: nothing would be sent until its outcome is known".into(),
        }),
    }
}

/// What is worth knowing of what would be sent.
fn of_draft(view: &View, draft: &OrderDraft, notify_customer: bool) -> Vec<DryRunWarning> {
    let shop = &view.shop.shop;
    let mut warnings = Vec::new();
    let mut warn = |code, detail: String| warnings.push(DryRunWarning { code, detail });
    if shop.settings.email_contact == EmailContact::Customer {
        if draft.email.is_some() && notify_customer {
            let detail = "the customer's address goes with the order, and this store mails about shipments as well: choose \
                          another `email_contact`, or switch the connection's `notify_customer` off";
            warn(DryRunWarningCode::DoubleMail, detail.into());
        }
        let given = view.order.email.as_deref().is_some_and(|email| !email.trim().is_empty());
        if given && !view.order.email.as_deref().is_some_and(looks_like_email) {
            let detail = "the customer's e-mail address is not of the form name@host: it would be left out";
            warn(DryRunWarningCode::EmailLeftOut, detail.into());
        }
    }
    let name = shop.facts.as_ref().map_or(shop.domain.as_str(), |facts| facts.name.as_str());
    for text in [name, &view.order.name].into_iter().filter(|text| text.chars().count() > MAX_TAG_CHARS) {
        let detail = format!("`{text}` would be a tag of its first {MAX_TAG_CHARS} characters");
        warn(DryRunWarningCode::TagCut, detail);
    }
    warnings
}
