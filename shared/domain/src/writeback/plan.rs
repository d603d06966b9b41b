//! What has to be written so that the customer sees what was shipped: a plain function.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::carriers;
use crate::channel::{DestinationOrder, FulfillmentOrder, LineList, ShippedFulfillment, ShownFulfillment};
use crate::code::Code;
use crate::id::{FulfillmentId, FulfillmentOrderId, FulfillmentOrderLineItemId, LineItemId, LocationId};
use crate::order::{FulfillmentOrderStatus, FulfillmentState};

/// One tracking number of a fulfillment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrackingInfo {
    /// The carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Never blank.
    pub number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl TrackingInfo {
    /// `None` if the number is missing or blank: then there is nothing to track.
    #[must_use]
    pub fn new(company: Option<String>, number: Option<String>, url: Option<String>) -> Option<Self> {
        let text = |field: Option<String>| field.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        Some(Self { company: text(company), number: text(number)?, url: text(url) })
    }
}

/// One fulfillment to create: one location, one delivery method. Frozen in the ledger before the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentDraft {
    pub location: Option<LocationId>,
    pub delivery_method: Option<String>,
    pub lines: Vec<DraftLines>,
    pub tracking: Vec<TrackingInfo>,
    /// Whether the shop mails the customer about it.
    #[serde(default)]
    pub notify_customer: bool,
}

/// Lines of one fulfillment order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftLines {
    pub fulfillment_order: FulfillmentOrderId,
    /// Line of the fulfillment order, and how many of it.
    pub lines: Vec<(FulfillmentOrderLineItemId, u32)>,
}

/// Other tracking for a fulfillment that is there: it replaces all that the fulfillment shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingUpdate {
    pub fulfillment: FulfillmentId,
    pub tracking: Vec<TrackingInfo>,
    /// Whether the shop mails the customer about it.
    #[serde(default)]
    pub notify_customer: bool,
}

/// What to do about one source fulfillment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WritebackPlan {
    /// It concerns none of our lines, or was called off at the source.
    Nothing(&'static str),
    /// The destination shows it already, in these fulfillments.
    AlreadyThere(Vec<FulfillmentId>),
    /// Create these, in this order.
    Create(Vec<FulfillmentDraft>),
    /// Not yet, and why.
    NotYet(Code),
    /// Shopify has not split the order into fulfillment orders yet.
    Routing,
    /// It cannot be written, and why.
    Impossible { code: Code, detail: String },
}

/// Which destination fulfillments were written for what, by our own record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// For this source fulfillment.
    pub here: Vec<FulfillmentId>,
    /// For others: they show somebody else's goods, whatever their number.
    pub elsewhere: Vec<FulfillmentId>,
}

/// Plans the writeback of `shipped`.
#[must_use]
pub fn plan_writeback(
    shipped: &ShippedFulfillment,
    destination: &DestinationOrder,
    written: &Written,
) -> WritebackPlan {
    if matches!(shipped.state, FulfillmentState::Cancelled | FulfillmentState::Error | FulfillmentState::Failure) {
        return WritebackPlan::Nothing("not shipped after all");
    }
    if shipped.lines.is_empty() {
        return WritebackPlan::Nothing("no line of ours");
    }
    if shipped.tracking.is_empty() {
        return WritebackPlan::NotYet(Code::AwaitingTracking);
    }
    let Shown { there, missing, renumbered } = compare(shipped, destination, written);
    if renumbered {
        return impossible(
            Code::OverwriteRejected,
            "its tracking changed after it was written: correct it in the destination store",
        );
    }
    if missing.is_empty() {
        return WritebackPlan::AlreadyThere(there);
    }
    if destination.cancelled {
        return impossible(Code::OrderCancelled, "the destination order is cancelled");
    }
    let tracking: Vec<TrackingInfo> = shipped.tracking.iter().map(spelt_for_shopify).collect();
    if let Some(unlinked) = tracking.iter().find(|info| !is_trackable(info)) {
        let company = unlinked.company.as_deref().unwrap_or_default();
        return impossible(
            Code::IncompleteTracking,
            format!("`{company}` is no carrier that Shopify links: add the tracking URL at the source"),
        );
    }
    allocate(&missing, destination, &tracking)
}

/// What of a source fulfillment the destination shows.
struct Shown {
    there: Vec<FulfillmentId>,
    missing: Vec<(LineItemId, u32)>,
    /// What we wrote for it shows other numbers than it has now.
    renumbered: bool,
}

fn compare(shipped: &ShippedFulfillment, destination: &DestinationOrder, written: &Written) -> Shown {
    let mut missing: BTreeMap<LineItemId, u32> = BTreeMap::new();
    for (line, quantity) in &shipped.lines {
        *missing.entry(*line).or_default() += quantity;
    }
    let mut there = Vec::new();
    let mut renumbered = false;
    let is_ours = |fulfillment: &ShownFulfillment| written.here.contains(&fulfillment.id);
    let live = destination.fulfillments.iter().filter(|fulfillment| is_live(&fulfillment.state));
    let mut candidates: Vec<&ShownFulfillment> =
        live.filter(|fulfillment| !written.elsewhere.contains(&fulfillment.id)).collect();
    // What we wrote for it ourselves claims its lines first, whatever its number.
    candidates.sort_by_key(|fulfillment| !is_ours(fulfillment));
    for fulfillment in candidates {
        let same = same_numbers(&fulfillment.tracking, &shipped.tracking);
        let fits = fulfillment.lines.iter().all(|(line, n)| missing.get(line).is_some_and(|left| left >= n));
        if !fits || fulfillment.lines.is_empty() || !(same || is_ours(fulfillment)) {
            continue;
        }
        renumbered |= !same;
        for (line, quantity) in &fulfillment.lines {
            missing.entry(*line).and_modify(|left| *left -= quantity);
        }
        there.push(fulfillment.id);
    }
    missing.retain(|_, left| *left > 0);
    Shown { there, missing: missing.into_iter().collect(), renumbered }
}

/// Whether some live fulfillment of the destination shows `number`.
pub(super) fn shows(destination: &DestinationOrder, number: &str) -> bool {
    let live = destination.fulfillments.iter().filter(|fulfillment| is_live(&fulfillment.state));
    live.flat_map(|fulfillment| &fulfillment.tracking).any(|info| plain(&info.number) == plain(number))
}

/// A number without what shops add or change when they show it.
fn plain(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_uppercase).collect()
}

fn is_live(state: &FulfillmentState) -> bool {
    match state {
        FulfillmentState::Cancelled | FulfillmentState::Error | FulfillmentState::Failure => false,
        FulfillmentState::Open
        | FulfillmentState::Pending
        | FulfillmentState::Success
        | FulfillmentState::Unknown(_) => true,
    }
}

fn same_numbers(shown: &[TrackingInfo], shipped: &[TrackingInfo]) -> bool {
    let numbers = |tracking: &[TrackingInfo]| {
        let mut numbers: Vec<String> = tracking.iter().map(|info| plain(&info.number)).collect();
        numbers.sort();
        numbers
    };
    numbers(shown) == numbers(shipped)
}

pub(super) fn spelt_for_shopify(info: &TrackingInfo) -> TrackingInfo {
    let company = info.company.as_deref().map(|name| carriers::known(name).unwrap_or(name).to_owned());
    TrackingInfo { company, ..info.clone() }
}

/// Whether the customer gets a link: from a URL, a carrier that Shopify links, or, where no carrier is
/// named at all, the format of the number, which Shopify recognises by itself.
fn is_trackable(info: &TrackingInfo) -> bool {
    info.url.is_some() || info.company.as_deref().is_none_or(|name| carriers::known(name).is_some())
}

/// Finds for each missing line the fulfillment orders that still wait for it: all of it, or nothing.
fn allocate(missing: &[(LineItemId, u32)], destination: &DestinationOrder, tracking: &[TrackingInfo]) -> WritebackPlan {
    if destination.fulfillment_orders.is_empty() {
        return WritebackPlan::Routing;
    }
    let mut drafts: BTreeMap<(Option<LocationId>, Option<String>), Vec<DraftLines>> = BTreeMap::new();
    let mut short = Vec::new();
    for (line, wanted) in missing {
        let mut left = *wanted;
        for order in destination.fulfillment_orders.iter().filter(|order| order.can_fulfill) {
            for waiting in order.lines.iter().filter(|waiting| waiting.line == *line && waiting.remaining > 0) {
                let take = left.min(waiting.remaining);
                if take > 0 {
                    left -= take;
                    let draft = drafts.entry((order.location, order.delivery_method.clone())).or_default();
                    add_line(draft, order, waiting.id, take);
                }
            }
        }
        if left > 0 {
            short.push((*line, left));
        }
    }
    if !short.is_empty() {
        return explain_shortage(&short, destination);
    }
    let drafts = drafts.into_iter().map(|((location, delivery_method), lines)| FulfillmentDraft {
        location,
        delivery_method,
        lines,
        tracking: tracking.to_vec(),
        notify_customer: false,
    });
    WritebackPlan::Create(drafts.collect())
}

fn add_line(draft: &mut Vec<DraftLines>, order: &FulfillmentOrder, line: FulfillmentOrderLineItemId, quantity: u32) {
    match draft.iter_mut().find(|lines| lines.fulfillment_order == order.id) {
        Some(lines) => lines.lines.push((line, quantity)),
        None => draft.push(DraftLines { fulfillment_order: order.id, lines: vec![(line, quantity)] }),
    }
}

/// Why the destination does not wait for `short`: held, fulfilled by somebody else, or no longer ordered.
fn explain_shortage(short: &[(LineItemId, u32)], destination: &DestinationOrder) -> WritebackPlan {
    let held = |line: &LineItemId, wanted: u32| {
        let orders = destination.fulfillment_orders.iter().filter(|order| is_held(order));
        let waiting = orders.flat_map(|order| &order.lines).filter(|waiting| waiting.line == *line);
        waiting.map(|waiting| waiting.remaining).sum::<u32>() >= wanted
    };
    if short.iter().all(|(line, wanted)| held(line, *wanted)) {
        return WritebackPlan::NotYet(Code::OnHold);
    }
    let fulfilled = |line: &LineItemId, wanted: u32| {
        let live = destination.fulfillments.iter().filter(|fulfillment| is_live(&fulfillment.state));
        let lines = live.flat_map(|fulfillment| &fulfillment.lines).filter(|(shown, _)| shown == line);
        lines.map(|(_, quantity)| quantity).sum::<u32>() >= wanted
    };
    if short.iter().all(|(line, wanted)| fulfilled(line, *wanted)) {
        return impossible(Code::AlreadyShipped, format!("fulfilled with other tracking already: {}", LineList(short)));
    }
    impossible(Code::ProductsMismatch, format!("shipped but not (or no longer) ordered: {}", LineList(short)))
}

fn is_held(order: &FulfillmentOrder) -> bool {
    matches!(order.status, FulfillmentOrderStatus::OnHold | FulfillmentOrderStatus::Scheduled)
}

fn impossible(code: Code, detail: impl Into<String>) -> WritebackPlan {
    WritebackPlan::Impossible { code, detail: detail.into() }
}
