//! One shop in memory: what it holds, and what it does when it is called.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::channel::{
    Budget, DestinationOrder, FulfillmentOrder, FulfillmentOrderLine, OrdersPage, OrdersQuery, ShippedFulfillment,
    ShownFulfillment, VariantsPage,
};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{
    FulfillmentId, FulfillmentOrderId, FulfillmentOrderLineItemId, LineItemId, LocationId, OrderId, OrderRef,
    ShopDomain, VariantId,
};
use roundtrip_domain::links::Variant;
use roundtrip_domain::order::{
    FinancialStatus, FulfillmentOrderStatus, FulfillmentState, FulfillmentStatus, Line, Order, SourceOrder,
};
use roundtrip_domain::ports::after;
use roundtrip_domain::push::{Cancellation, OrderDraft};
use roundtrip_domain::resync::{OrderSight, Pass, ShipmentSight};
use roundtrip_domain::writeback::{FulfillmentDraft, TrackingUpdate};

use super::Fault;

/// Orders of one page. Source: our own query.
const PAGE: usize = 250;
/// What the shop sends itself, or we for it.
pub const MANUAL: &str = "manual";
/// Older orders are hidden.
const SHOWN: Duration = Duration::from_secs(60 * 24 * 3600);
/// How long a shop takes to cancel an order that it was asked to.
const CANCELS_IN: Duration = Duration::from_secs(1);
/// More than any test has.
const LOCATIONS: u64 = 100;

/// One shop's memory.
#[derive(Debug, Clone, Default)]
pub struct FakeShop {
    /// The destination orders, as a merchant would see them.
    pub orders: BTreeMap<OrderId, Order>,
    /// What it sells, in the order of the ids.
    pub variants: Vec<Variant>,
    /// Which of them a search does not find: the index lags.
    pub unsearchable: Vec<VariantId>,
    /// The orders that were pushed here, by the draft they were made from.
    pub pushed: Vec<(SourceOrder, OrderDraft)>,
    /// Since when each of them is there.
    pub made_at: BTreeMap<OrderId, Timestamp>,
    /// When one of them changed since.
    pub changed_at: BTreeMap<OrderId, Timestamp>,
    /// What its rate limit has left for a resync, if less than all.
    pub points_left: Option<u32>,
    /// Which of them a look for their key does not find, and until when: the index lags.
    pub not_indexed: BTreeMap<OrderId, Timestamp>,
    /// What was shipped of them.
    pub shipped: BTreeMap<OrderId, Vec<ShippedFulfillment>>,
    /// Which of them are cancelled, since when, and what was said with it.
    pub cancelled: BTreeMap<OrderId, (Timestamp, Option<Cancellation>)>,
    /// The fulfillments that destination orders show.
    pub shown: BTreeMap<OrderId, Vec<ShownFulfillment>>,
    /// From where those of them were sent that we made.
    pub sent_from: BTreeMap<FulfillmentId, LocationId>,
    /// Whose fulfillment orders are on hold.
    pub held: Vec<OrderId>,
    /// Where a line is stocked, if not at location 1.
    pub stocked_at: BTreeMap<LineItemId, LocationId>,
    /// Of a line that is stocked at several locations: how many units each is to send.
    pub split: BTreeMap<LineItemId, Vec<(LocationId, u32)>>,
    /// Mails to customers, by tracking number.
    pub mails: Vec<String>,
    /// Mutations fail like this, one by one.
    pub mutation_faults: VecDeque<Fault>,
    /// Questions fail like this, one by one.
    pub query_faults: VecDeque<Fault>,
    /// The next question of this name fails like this.
    pub fails_at: Option<(&'static str, Fault)>,
    pub lacks_definition: bool,
    /// The topics that it does not tell us of.
    pub unsubscribed: Vec<&'static str>,
    /// Whether it refuses to replace the tracking of a fulfillment.
    pub rejects_overwrite: bool,
    /// Whether it takes other tracking for a fulfillment without a word, and goes on showing the old.
    pub ignores_overwrite: bool,
    /// Whether it takes a cancellation without a word, and does not carry it out.
    pub ignores_cancellations: bool,
    /// Whether it shows us orders of more than 60 days ago.
    pub shows_all: bool,
    /// Whether it does not let us in any more: the token is revoked, or the shop is frozen.
    pub revoked: bool,
    /// Calls made, by name.
    pub calls: Vec<&'static str>,
    pub(super) late: Vec<(Timestamp, Late)>,
    next_id: u64,
}

/// A call that has its effect later.
#[derive(Debug, Clone)]
pub(super) enum Late {
    Order(Box<OrderDraft>),
    Fulfillment(FulfillmentDraft),
    Tracking(TrackingUpdate),
    Tags(OrderId, Tagging),
    Cancel(OrderId, Cancellation),
}

/// A change of an order's tags.
#[derive(Debug, Clone)]
pub(super) enum Tagging {
    Add(Vec<String>),
    Remove(Vec<String>),
}

impl FakeShop {
    /// The variants that a search finds.
    pub(super) fn indexed_variants(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().filter(|variant| !self.unsearchable.contains(&variant.id))
    }

    /// A page of the variants; it begins behind the id that `after` says.
    pub(super) fn variants_page(&self, after: Option<&str>) -> VariantsPage {
        let after: u64 = after.and_then(|after| after.parse().ok()).unwrap_or_default();
        let rest: Vec<&Variant> = self.variants.iter().filter(|variant| variant.id.number() > after).collect();
        let variants: Vec<Variant> = rest.iter().take(PAGE).map(|variant| (*variant).clone()).collect();
        let last = variants.last().map(|variant| variant.id.to_string());
        VariantsPage { next: last.filter(|_| rest.len() > PAGE), variants }
    }

    /// How the next call goes wrong, if it does.
    pub(super) fn fault(&mut self, next: impl FnOnce(&mut Self) -> Option<Fault>) -> Option<Fault> {
        if self.revoked {
            return Some(Fault::Revoked);
        }
        let fault = next(self);
        self.revoked = fault == Some(Fault::Revoked);
        fault
    }

    /// Whether it shows us an order, if it has it. Source: Shopify's `Order`, on the scope `read_all_orders`.
    pub(super) fn shows(&self, id: OrderId, now: Timestamp) -> bool {
        let placed_at = self.orders.get(&id).map(|order| order.created_at).or_else(|| self.made_at.get(&id).copied());
        self.shows_all || placed_at.is_none_or(|placed_at| after(placed_at, SHOWN) >= now)
    }

    pub(super) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        5000 + self.next_id
    }

    /// Late calls whose time has come have their effect.
    pub(super) fn land(&mut self, now: Timestamp) {
        let (landed, waiting) = std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = waiting;
        for (at, late) in landed {
            match late {
                Late::Order(draft) => {
                    self.create_order(*draft, at);
                }
                Late::Fulfillment(draft) => {
                    self.create_fulfillment(&draft);
                }
                // Nobody hears any more whether it was refused.
                Late::Tracking(update) => drop(self.update_tracking(&update)),
                Late::Tags(order, tagging) => drop(self.tag(order, &tagging, at)),
                Late::Cancel(order, cancellation) => self.cancel(order, Some(cancellation), at),
            }
        }
    }

    pub(super) fn create_order(&mut self, draft: OrderDraft, now: Timestamp) -> SourceOrder {
        let id = self.new_id();
        let order = SourceOrder { id: OrderId::new(id), name: format!("#{id}") };
        self.made_at.insert(order.id, now);
        self.pushed.push((order.clone(), draft));
        order
    }

    /// A fulfillment order's line has its line's own number.
    pub(super) fn create_fulfillment(&mut self, draft: &FulfillmentDraft) -> FulfillmentId {
        let id = FulfillmentId::new(self.new_id());
        self.sent_from.extend(draft.location.map(|location| (id, location)));
        for lines in &draft.lines {
            let order = Self::order_of(lines.fulfillment_order);
            let lines = lines.lines.iter().map(|(line, n)| (LineItemId::new(line.number()), *n)).collect();
            let shown = ShownFulfillment {
                id,
                state: FulfillmentState::Success,
                service: Some(MANUAL.to_owned()),
                tracking: draft.tracking.clone(),
                lines,
            };
            self.shown.entry(order).or_default().push(shown);
        }
        if draft.notify_customer {
            self.mails.extend(draft.tracking.iter().map(|info| info.number.clone()));
        }
        id
    }

    /// Why it was refused, if it was. A cancelled fulfillment takes it and shows nothing of it.
    pub(super) fn update_tracking(&mut self, update: &TrackingUpdate) -> Result<(), &'static str> {
        if self.rejects_overwrite {
            return Err("Tracking cannot be replaced.");
        }
        if self.ignores_overwrite {
            return Ok(());
        }
        let parts = self.shown.values_mut().flatten().filter(|shown| shown.id == update.fulfillment);
        let parts: Vec<&mut ShownFulfillment> = parts.collect();
        if parts.is_empty() {
            return Err("Fulfillment does not exist.");
        }
        let mut is_shown = false;
        for part in parts.into_iter().filter(|part| part.state != FulfillmentState::Cancelled) {
            part.tracking.clone_from(&update.tracking);
            is_shown = true;
        }
        if is_shown && update.notify_customer {
            self.mails.extend(update.tracking.iter().map(|info| info.number.clone()));
        }
        Ok(())
    }

    /// Why it was refused, if it was.
    pub(super) fn tag(&mut self, order: OrderId, tagging: &Tagging, now: Timestamp) -> Result<(), &'static str> {
        let order = self.orders.get_mut(&order).ok_or("Order does not exist")?;
        let before = order.tags.clone();
        match tagging {
            Tagging::Add(tags) => {
                let new = tags.iter().filter(|tag| !before.contains(tag)).cloned();
                order.tags.extend(new);
            }
            Tagging::Remove(tags) => order.tags.retain(|tag| !tags.contains(tag)),
        }
        if order.tags != before {
            order.updated_at = now;
        }
        Ok(())
    }

    /// It is done in a moment. Why it was refused, if it was.
    pub(super) fn ask_to_cancel(
        &mut self,
        order: OrderId,
        cancellation: &Cancellation,
        now: Timestamp,
    ) -> Result<(), (Code, &'static str)> {
        if !self.pushed.iter().any(|(pushed, _)| pushed.id == order) {
            return Err((Code::Rejected, "Order does not exist"));
        }
        if self.is_shipped(order) {
            return Err((Code::AlreadyShipped, "Cannot cancel an order that has outstanding fulfillments"));
        }
        let is_under_way = |late: &Late| matches!(late, Late::Cancel(of, _) if *of == order);
        if self.ignores_cancellations {
            return Ok(());
        }
        if !self.cancelled.contains_key(&order) && !self.late.iter().any(|(_, late)| is_under_way(late)) {
            self.late.push((after(now, CANCELS_IN), Late::Cancel(order, cancellation.clone())));
        }
        Ok(())
    }

    /// Its merchant cancels an order that was pushed here, or we had it cancelled.
    pub fn cancel(&mut self, order: OrderId, cancellation: Option<Cancellation>, now: Timestamp) {
        if !self.is_shipped(order) {
            self.cancelled.entry(order).or_insert((now, cancellation));
            self.changed_at.insert(order, now);
        }
    }

    fn is_shipped(&self, order: OrderId) -> bool {
        self.shipped.get(&order).into_iter().flatten().any(|sent| sent.state.is_live())
    }

    /// A page of all orders, those that were placed here and those that were pushed here.
    pub(super) fn page(&self, at: &ShopDomain, query: &OrdersQuery, now: Timestamp) -> OrdersPage {
        let placed = self.orders.values().map(|order| OrderSight {
            at: order.at.clone(),
            created_at: order.created_at,
            updated_at: order.updated_at,
            cancelled_at: order.cancelled_at,
            financial_status: order.financial_status.clone(),
            fulfillment_status: order.fulfillment_status.clone(),
            shipments: self
                .shown
                .get(&order.at.id)
                .into_iter()
                .flatten()
                .map(|it| ShipmentSight::of(it.id, &it.state, &it.tracking))
                .collect(),
        });
        let pushed = self.pushed.iter().filter(|(order, _)| !self.orders.contains_key(&order.id)).map(|(order, _)| {
            let made_at = self.made_at.get(&order.id).copied().unwrap_or_default();
            OrderSight {
                at: OrderRef { shop: at.clone(), id: order.id },
                created_at: made_at,
                updated_at: self.changed_at.get(&order.id).copied().unwrap_or(made_at),
                cancelled_at: self.cancelled.get(&order.id).map(|(at, _)| *at),
                financial_status: FinancialStatus::Paid,
                fulfillment_status: FulfillmentStatus::Unfulfilled,
                shipments: self
                    .shipped
                    .get(&order.id)
                    .into_iter()
                    .flatten()
                    .map(|it| ShipmentSight::of(it.id, &it.state, &it.tracking))
                    .collect(),
            }
        });
        let moment = |order: &OrderSight| match query.pass {
            Pass::Created => order.created_at,
            Pass::Updated => order.updated_at,
        };
        let within = |order: &OrderSight| {
            let is_hidden = !self.shows(order.at.id, now);
            let is_old = query.placed_before.is_none_or(|before| order.created_at < before);
            !is_hidden && is_old && (query.from..=query.until).contains(&moment(order))
        };
        let mut found: Vec<OrderSight> = placed.chain(pushed).filter(within).collect();
        found.sort_by_key(|order| (moment(order), order.at.id));
        let begin = query.after.as_ref().map_or(0, |after| after.parse().expect("one of our cursors"));
        let rest = found.len().saturating_sub(begin + PAGE);
        let budget = Budget { available: self.points_left.unwrap_or(2000), maximum: 2000, restore_rate: 100 };
        OrdersPage {
            orders: found.into_iter().skip(begin).take(PAGE).collect(),
            next: (rest > 0).then(|| (begin + PAGE).to_string()),
            budget,
        }
    }

    /// Whose fulfillment order it is.
    pub(super) fn order_of(fulfillment_order: FulfillmentOrderId) -> OrderId {
        OrderId::new(fulfillment_order.number() / LOCATIONS)
    }

    /// One fulfillment order for each location; its id is the order's number and the location's.
    pub(super) fn destination(&self, order: &Order) -> DestinationOrder {
        let shown = self.shown.get(&order.at.id).cloned().unwrap_or_default();
        let mut by_location: BTreeMap<LocationId, Vec<FulfillmentOrderLine>> = BTreeMap::new();
        for line in &order.lines {
            for (location, remaining) in self.waiting_for(line, &shown) {
                by_location.entry(location).or_default().push(FulfillmentOrderLine {
                    id: FulfillmentOrderLineItemId::new(line.id.number()),
                    line: line.id,
                    remaining,
                });
            }
        }
        let held = self.held.contains(&order.at.id);
        let fulfillment_orders = by_location.into_iter().map(|(location, lines)| {
            let open = !held && lines.iter().any(|line| line.remaining > 0);
            let status = match (held, open) {
                (true, _) => FulfillmentOrderStatus::OnHold,
                (false, true) => FulfillmentOrderStatus::Open,
                (false, false) => FulfillmentOrderStatus::Closed,
            };
            FulfillmentOrder {
                id: FulfillmentOrderId::new(order.at.id.number() * LOCATIONS + location.number()),
                status,
                location: Some(location),
                delivery_method: Some("SHIPPING".into()),
                can_fulfill: open,
                lines,
            }
        });
        DestinationOrder {
            updated_at: order.updated_at,
            cancelled: order.cancelled_at.is_some(),
            fulfillment_orders: fulfillment_orders.collect(),
            fulfillments: shown,
        }
    }

    /// How many of `line` each location has still to send: a cancelled fulfillment gives its units back.
    fn waiting_for(&self, line: &Line, shown: &[ShownFulfillment]) -> Vec<(LocationId, u32)> {
        let stocked_at = self.stocked_at.get(&line.id).copied().unwrap_or(LocationId::new(1));
        let mut waiting = self.split.get(&line.id).cloned().unwrap_or_else(|| vec![(stocked_at, line.quantity)]);
        for part in shown.iter().filter(|part| part.state != FulfillmentState::Cancelled) {
            let from = self.sent_from.get(&part.id);
            let mut sent: u32 = part.lines.iter().filter(|(id, _)| *id == line.id).map(|(_, n)| n).sum();
            for (_, remaining) in waiting.iter_mut().filter(|(at, _)| from.is_none_or(|from| from == at)) {
                let taken = sent.min(*remaining);
                *remaining -= taken;
                sent -= taken;
            }
        }
        waiting
    }
}
