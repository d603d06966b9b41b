//! Which fulfillment orders are fulfilled by what was shipped: all of it, or nothing, unless the connection lets
//! it be split; and never by a guess.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{DraftLines, FulfillmentDraft, Terms, WritebackPlan, impossible};
use super::shipment::Shipment;
use crate::channel::{DestinationOrder, FulfillmentOrder};
use crate::code::Code;
use crate::id::{FulfillmentId, FulfillmentOrderLineItemId, LineItemId, LocationId};
use crate::order::FulfillmentOrderStatus;
use crate::registry::Place;
use crate::step::WaitReason;

/// Drafts, one for each location and delivery method, that fulfill just what is `missing` of `shipment` beside what
/// is `there`; or, if the connection lets it be split, as much of it as the order still takes.
///
/// From which location a line goes is clear if only one waits for it, or if all that wait for it get all
/// they want; otherwise where it was sent from has to be mapped.
///
/// # Errors
/// The plan that says why it cannot be done (yet).
pub(super) fn allocate(
    shipment: &Shipment,
    (there, missing): (&[FulfillmentId], &[(LineItemId, u32)]),
    destination: &DestinationOrder,
    terms: &Terms,
) -> Result<Vec<FulfillmentDraft>, WritebackPlan> {
    if destination.fulfillment_orders.is_empty() {
        return Err(WritebackPlan::NotYet(WaitReason::Routing));
    }
    let fitting = match explain_shortage(there, missing, destination) {
        None => missing.to_vec(),
        Some(why) if terms.split_ok && is_for_good(&why) => {
            let fitting = fitting(missing, destination);
            if fitting.is_empty() {
                return Err(why);
            }
            fitting
        }
        Some(why) => return Err(why),
    };
    let from = shipment.from.as_ref();
    let mapped = from.and_then(|place| terms.locations.get(place));
    let mut drafts: BTreeMap<(Option<LocationId>, Option<String>), Vec<DraftLines>> = BTreeMap::new();
    for (line, wanted) in &fitting {
        let waiting = Waiting::of(destination, *line);
        let chosen = match mapped {
            Some(location) => {
                let there = waiting.at(location);
                if there.sum() < *wanted {
                    return Err(not_at_location(*line, *wanted, (from, location), &waiting));
                }
                there
            }
            None if waiting.locations().len() > 1 && waiting.sum() > *wanted => {
                return Err(unmapped(*line, *wanted, from, &waiting));
            }
            None => waiting,
        };
        let mut left = *wanted;
        for (order, id, remaining) in chosen.0 {
            let take = left.min(remaining);
            if take > 0 {
                left -= take;
                let draft = drafts.entry((order.location, order.delivery_method.clone())).or_default();
                add_line(draft, order, id, take);
            }
        }
    }
    let tracking = shipment.tracking_for_shopify();
    let drafts = drafts.into_iter().map(|((location, delivery_method), lines)| FulfillmentDraft {
        location,
        delivery_method,
        lines,
        tracking: tracking.clone(),
        notify_customer: false,
    });
    Ok(drafts.collect())
}

/// The open fulfillment orders that wait for one line, and how many each wants.
struct Waiting<'a>(Vec<(&'a FulfillmentOrder, FulfillmentOrderLineItemId, u32)>);

impl<'a> Waiting<'a> {
    fn of(destination: &'a DestinationOrder, line: LineItemId) -> Self {
        let open = destination.fulfillment_orders.iter().filter(|order| order.can_fulfill);
        let lines = open.flat_map(|order| order.lines.iter().map(move |waiting| (order, waiting)));
        let lines = lines.filter(|(_, waiting)| waiting.line == line && waiting.remaining > 0);
        Self(lines.map(|(order, waiting)| (order, waiting.id, waiting.remaining)).collect())
    }

    fn at(&self, location: LocationId) -> Self {
        Self(self.0.iter().filter(|(order, ..)| order.location == Some(location)).copied().collect())
    }

    fn sum(&self) -> u32 {
        self.0.iter().map(|(_, _, remaining)| remaining).sum()
    }

    fn locations(&self) -> BTreeSet<Option<LocationId>> {
        self.0.iter().map(|(order, ..)| order.location).collect()
    }

    /// `2 at 11, 1 at 12`.
    fn words(&self) -> String {
        let places = self.locations().into_iter().map(|location| {
            let here = self.0.iter().filter(|(order, ..)| order.location == location);
            let name = location.map_or_else(|| "a deleted location".to_owned(), |id| format!("location {id}"));
            format!("{} at {name}", here.map(|(_, _, remaining)| remaining).sum::<u32>())
        });
        places.collect::<Vec<_>>().join(", ")
    }
}

fn unmapped(line: LineItemId, wanted: u32, from: Option<&Place>, waiting: &Waiting<'_>) -> WritebackPlan {
    let place = from.map_or_else(|| "a place that was not named".to_owned(), ToString::to_string);
    let detail = format!(
        "{wanted} of line {line} came from {place}, and {} are waited for: map the place to a location",
        waiting.words()
    );
    impossible(Code::LocationUnmapped, detail)
}

fn not_at_location(
    line: LineItemId,
    wanted: u32,
    (from, location): (Option<&Place>, LocationId),
    waiting: &Waiting<'_>,
) -> WritebackPlan {
    let place = from.map(ToString::to_string).unwrap_or_default();
    let detail = format!(
        "{wanted} of line {line} came from {place}, which is mapped to location {location}; but {} are waited for: \
         move the fulfillment order there, or map the place to another location",
        waiting.words()
    );
    impossible(Code::ProductNotAtLocation, detail)
}

fn add_line(draft: &mut Vec<DraftLines>, order: &FulfillmentOrder, line: FulfillmentOrderLineItemId, quantity: u32) {
    match draft.iter_mut().find(|lines| lines.fulfillment_order == order.id) {
        Some(lines) => lines.lines.push((line, quantity)),
        None => draft.push(DraftLines { fulfillment_order: order.id, lines: vec![(line, quantity)] }),
    }
}

/// What of `missing` the destination waits for now.
fn fitting(missing: &[(LineItemId, u32)], destination: &DestinationOrder) -> Vec<(LineItemId, u32)> {
    let fitting = missing.iter().map(|(line, wanted)| (*line, Waiting::of(destination, *line).sum().min(*wanted)));
    fitting.filter(|(_, quantity)| *quantity > 0).collect()
}

/// Whether no hold that ends and no right that is granted will make room for it.
fn is_for_good(why: &WritebackPlan) -> bool {
    matches!(why, WritebackPlan::Impossible { code: Code::ProductsMismatch | Code::AlreadyShipped, .. })
}

/// Why the destination does not wait for all of `missing`, if it does not: held, fulfilled by somebody else, or
/// no longer ordered.
fn explain_shortage(
    there: &[FulfillmentId],
    missing: &[(LineItemId, u32)],
    destination: &DestinationOrder,
) -> Option<WritebackPlan> {
    let is_short = |(line, wanted): &&(LineItemId, u32)| Waiting::of(destination, *line).sum() < *wanted;
    let short: Vec<(LineItemId, u32)> = missing.iter().filter(is_short).copied().collect();
    if short.is_empty() {
        return None;
    }
    let closed_to_us = |order: &&FulfillmentOrder| !is_held(order) && !order.can_fulfill;
    let not_ours = |line: LineItemId| -> u32 {
        let lines = destination.fulfillment_orders.iter().filter(closed_to_us).flat_map(|order| &order.lines);
        lines.filter(|waiting| waiting.line == line).map(|waiting| waiting.remaining).sum()
    };
    let waiting = |line: LineItemId, held: bool| -> u32 {
        let orders = destination.fulfillment_orders.iter().filter(|order| is_held(order) == held);
        let lines = orders.filter(|order| held || order.can_fulfill).flat_map(|order| &order.lines);
        lines.filter(|waiting| waiting.line == line).map(|waiting| waiting.remaining).sum()
    };
    let fulfilled = |line: LineItemId| -> u32 {
        let live = destination.fulfillments.iter().filter(|fulfillment| fulfillment.state.is_live());
        let others = live.filter(|fulfillment| !there.contains(&fulfillment.id));
        let lines = others.flat_map(|fulfillment| &fulfillment.lines).filter(|(shown, _)| *shown == line);
        lines.map(|(_, quantity)| quantity).sum()
    };
    if short.iter().all(|(line, wanted)| waiting(*line, true) + waiting(*line, false) >= *wanted) {
        return Some(WritebackPlan::NotYet(WaitReason::OnHold));
    }
    let differences = short.iter().map(|(line, wanted)| {
        let (open, done) = (waiting(*line, false) + waiting(*line, true), fulfilled(*line));
        format!("line {line}: {wanted} shipped, {open} left to fulfill, {done} fulfilled otherwise")
    });
    let detail = differences.collect::<Vec<_>>().join("; ");
    if short.iter().all(|(line, wanted)| fulfilled(*line) >= *wanted) {
        return Some(impossible(Code::AlreadyShipped, detail));
    }
    if short.iter().all(|(line, wanted)| waiting(*line, false) + not_ours(*line) >= *wanted) {
        let what = "waits in a fulfillment order that Shopify does not let us fulfill: grant the app its scope, or \
                    have its location accept it";
        return Some(impossible(Code::AccessDenied, format!("what was shipped {what}")));
    }
    Some(impossible(Code::ProductsMismatch, detail))
}

fn is_held(order: &FulfillmentOrder) -> bool {
    matches!(order.status, FulfillmentOrderStatus::OnHold | FulfillmentOrderStatus::Scheduled)
}
