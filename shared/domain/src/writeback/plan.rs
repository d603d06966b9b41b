//! What has to be done so that the customer sees what was shipped: a plain function.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::allocate::allocate;
use super::carriers;
use super::shipment::{Lines, Shipment};
use crate::channel::{DestinationOrder, ShownFulfillment};
use crate::code::Code;
use crate::id::{FulfillmentId, FulfillmentOrderId, FulfillmentOrderLineItemId, LineItemId, LocationId};
use crate::registry::{LocationMap, WithoutTracking};
use crate::step::WaitReason;

/// One tracking number of a fulfillment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
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

/// Other tracking for a fulfillment that is there. Frozen in the ledger before the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingUpdate {
    pub fulfillment: FulfillmentId,
    pub tracking: Vec<TrackingInfo>,
    /// Whether the shop mails the customer about it.
    #[serde(default)]
    pub notify_customer: bool,
}

/// One call that changes what the customer sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WritebackCall {
    Overwrite(TrackingUpdate),
    Create(FulfillmentDraft),
}

impl WritebackCall {
    /// The tracking that it shows.
    #[must_use]
    pub fn tracking(&self) -> &[TrackingInfo] {
        match self {
            Self::Overwrite(update) => &update.tracking,
            Self::Create(draft) => &draft.tracking,
        }
    }

    /// Whether it mails the customer.
    #[must_use]
    pub fn notifies(&self) -> bool {
        match self {
            Self::Overwrite(update) => update.notify_customer,
            Self::Create(draft) => draft.notify_customer,
        }
    }

    pub(super) fn set_notify(&mut self, notify: bool) {
        match self {
            Self::Overwrite(update) => update.notify_customer = notify,
            Self::Create(draft) => draft.notify_customer = notify,
        }
    }
}

/// What to do about one shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WritebackPlan {
    /// It concerns none of our lines.
    Nothing(&'static str),
    /// The destination shows it already, in these fulfillments.
    AlreadyThere(Vec<FulfillmentId>),
    /// Make these calls, in this order.
    Write(Vec<WritebackCall>),
    /// Not yet, and why.
    NotYet(WaitReason),
    /// It was called off. What the destination still shows of it waits for another shipment to take over.
    CalledOff { standing: Vec<FulfillmentId> },
    /// It cannot be written, and why.
    Impossible { code: Code, detail: String },
}

/// Which destination fulfillments were written for what, by our own record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Written {
    /// For this shipment.
    pub here: Vec<FulfillmentId>,
    /// For shipments that were called off: another may take them over.
    pub orphaned: Vec<FulfillmentId>,
    /// For others: they show somebody else's goods, whatever their number.
    pub elsewhere: Vec<FulfillmentId>,
    /// The tracking that was written for this shipment, if it is known to be shown.
    pub shown_as: Option<Vec<TrackingInfo>>,
    /// Those of `elsewhere` that a label tool told of, if this shipment is a source store's, or the other way
    /// round: under the same number both mean the same parcel.
    pub told_otherwise: Vec<FulfillmentId>,
}

/// How the shops want it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Terms {
    pub locations: LocationMap,
    pub overwrite: bool,
    pub fulfil_without_tracking: bool,
    /// Whether the part of a shipment that fits its order is shown without the rest.
    pub split_ok: bool,
    /// Whether a first call may mail the customer.
    pub notify: bool,
}

impl Terms {
    /// Those of a connection that is gone: nobody is mailed.
    #[must_use]
    pub fn default_for(locations: LocationMap) -> Self {
        Self { locations, overwrite: true, fulfil_without_tracking: false, split_ok: false, notify: false }
    }

    /// Those of a connection.
    #[must_use]
    pub fn of(settings: &crate::registry::ConnectionSettings, locations: LocationMap) -> Self {
        Self {
            locations,
            overwrite: settings.overwrite_tracking,
            fulfil_without_tracking: settings.without_tracking == WithoutTracking::FulfilNow,
            split_ok: settings.split_ok,
            notify: settings.notify_customer,
        }
    }
}

/// Plans the writeback of `shipment`.
#[must_use]
pub fn plan_writeback(
    shipment: &Shipment,
    destination: &DestinationOrder,
    written: &Written,
    terms: &Terms,
) -> WritebackPlan {
    let lines = shipment.lines_at(destination, written);
    let Shown { there, missing, renumbered, replaces } = compare(shipment, &lines, destination, written);
    if shipment.voided {
        return WritebackPlan::CalledOff { standing: there };
    }
    if lines.is_empty() {
        return nothing_left(shipment, destination, written);
    }
    if shipment.tracking.is_empty() && !terms.fulfil_without_tracking {
        return WritebackPlan::NotYet(WaitReason::AwaitingTracking);
    }
    if renumbered.is_empty() && missing.is_empty() {
        return WritebackPlan::AlreadyThere(there);
    }
    let tracking = shipment.tracking_for_shopify();
    if let Some(unlinked) = tracking.iter().find(|info| !is_trackable(info)) {
        let company = unlinked.company.as_deref().unwrap_or_default();
        let hint = carriers::looks_like(&unlinked.number).map(|name| format!("; the number looks like {name}'s"));
        let what = "is no carrier that Shopify links: add the tracking URL where it was shipped";
        return impossible(Code::IncompleteTracking, format!("`{company}` {what}{}", hint.unwrap_or_default()));
    }
    if replaces && !terms.overwrite {
        return impossible(
            Code::OverwriteRejected,
            "its tracking changed, and the connection forbids to replace it: correct it in the destination store",
        );
    }
    if destination.cancelled && !missing.is_empty() {
        return impossible(Code::OrderCancelled, "the destination order is cancelled");
    }
    let update = |fulfillment| TrackingUpdate { fulfillment, tracking: tracking.clone(), notify_customer: false };
    let mut calls: Vec<WritebackCall> = renumbered.into_iter().map(update).map(WritebackCall::Overwrite).collect();
    if !missing.is_empty() {
        match allocate(shipment, (&there, &missing), destination, terms) {
            Ok(drafts) => calls.extend(drafts.into_iter().map(WritebackCall::Create)),
            // Of a shipment that was split, the part that is shown gets its other number all the same.
            Err(_) if terms.split_ok && !calls.is_empty() => {}
            Err(why_not) => return why_not,
        }
    }
    WritebackPlan::Write(calls)
}

/// A shipment of whatever was left, when nothing is.
fn nothing_left(shipment: &Shipment, destination: &DestinationOrder, written: &Written) -> WritebackPlan {
    match shipment.lines {
        Lines::These(_) => WritebackPlan::Nothing("no line of ours"),
        Lines::Rest if destination.fulfillment_orders.is_empty() => WritebackPlan::NotYet(WaitReason::Routing),
        Lines::Rest => {
            let shown = destination.fulfillments.iter().filter(|shown| shown.state.is_live());
            let same: Vec<FulfillmentId> =
                shown.filter(|shown| same_numbers(&shown.tracking, &shipment.tracking)).map(|shown| shown.id).collect();
            if same.is_empty() {
                return impossible(Code::AlreadyShipped, "nothing of the order is left to fulfill");
            }
            WritebackPlan::AlreadyThere(same.into_iter().filter(|id| !written.elsewhere.contains(id)).collect())
        }
    }
}

/// What of a shipment the destination shows.
struct Shown {
    there: Vec<FulfillmentId>,
    missing: Vec<(LineItemId, u32)>,
    /// Those of `there` that show other tracking than it has now.
    renumbered: Vec<FulfillmentId>,
    /// Whether any of these shows a number: one that had none is only completed.
    replaces: bool,
}

fn compare(
    shipment: &Shipment,
    lines: &[(LineItemId, u32)],
    destination: &DestinationOrder,
    written: &Written,
) -> Shown {
    let mut missing: BTreeMap<LineItemId, u32> = BTreeMap::new();
    for (line, quantity) in lines {
        *missing.entry(*line).or_default() += quantity;
    }
    let (mut there, mut renumbered, mut replaces) = (Vec::new(), Vec::new(), false);
    // What we wrote for it ourselves claims its lines first, whatever its number; then what shows its
    // number; then what was written for a shipment that was called off.
    let rank = |shown: &ShownFulfillment| {
        if written.here.contains(&shown.id) {
            Some(0)
        } else if written.elsewhere.contains(&shown.id) {
            None
        } else if same_numbers(&shown.tracking, &shipment.tracking) {
            Some(1)
        } else {
            written.orphaned.contains(&shown.id).then_some(2)
        }
    };
    let live = destination.fulfillments.iter().filter(|fulfillment| fulfillment.state.is_live());
    let mut candidates: Vec<(u8, &ShownFulfillment)> =
        live.clone().filter_map(|shown| Some((rank(shown)?, shown))).collect();
    candidates.sort_by_key(|(rank, _)| *rank);
    // Another carrier or link for the same number. Told by our own record: shops spell both as they like.
    let corrected = written.shown_as.as_ref().is_some_and(|shown| *shown != shipment.tracking_for_shopify());
    for (rank, shown) in candidates {
        let fits = shown.lines.iter().all(|(line, n)| missing.get(line).is_some_and(|left| left >= n));
        if !fits || shown.lines.is_empty() {
            continue;
        }
        if !same_numbers(&shown.tracking, &shipment.tracking) || (rank == 0 && corrected) {
            renumbered.push(shown.id);
            replaces |= !shown.tracking.is_empty();
        }
        for (line, quantity) in &shown.lines {
            missing.entry(*line).and_modify(|left| *left -= quantity);
        }
        there.push(shown.id);
    }
    let same_parcel = |shown: &&ShownFulfillment| {
        written.told_otherwise.contains(&shown.id) && same_numbers(&shown.tracking, &shipment.tracking)
    };
    for (line, quantity) in live.filter(same_parcel).flat_map(|shown| &shown.lines) {
        missing.entry(*line).and_modify(|left| *left = left.saturating_sub(*quantity));
    }
    missing.retain(|_, left| *left > 0);
    Shown { there, missing: missing.into_iter().collect(), renumbered, replaces }
}

/// Whether some live fulfillment of the destination shows `number`.
pub(super) fn shows(destination: &DestinationOrder, number: &str) -> bool {
    let live = destination.fulfillments.iter().filter(|fulfillment| fulfillment.state.is_live());
    live.flat_map(|fulfillment| &fulfillment.tracking).any(|info| plain(&info.number) == plain(number))
}

/// A number without what shops add or change when they show it.
pub(super) fn plain(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_uppercase).collect()
}

pub(super) fn same_numbers(shown: &[TrackingInfo], shipped: &[TrackingInfo]) -> bool {
    let numbers = |tracking: &[TrackingInfo]| {
        let mut numbers: Vec<String> = tracking.iter().map(|info| plain(&info.number)).collect();
        numbers.sort();
        numbers
    };
    numbers(shown) == numbers(shipped)
}

/// Whether the customer gets a link: from a URL, a carrier that Shopify links, or, where no carrier is
/// named at all, the format of the number, which Shopify recognises by itself.
fn is_trackable(info: &TrackingInfo) -> bool {
    info.url.is_some() || info.company.as_deref().is_none_or(|name| carriers::known(name).is_some())
}

pub(super) fn impossible(code: Code, detail: impl Into<String>) -> WritebackPlan {
    WritebackPlan::Impossible { code, detail: detail.into() }
}
