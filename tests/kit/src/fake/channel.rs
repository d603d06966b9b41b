//! Shops in memory: just enough of a channel to try the protocols against every way a call can end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::channel::{
    Channel, ChannelError, DestinationOrder, FulfillmentOrder, FulfillmentOrderLine, HasKeyDefinition, KeyLookup,
    ShippedFulfillment, ShippedOrder, ShownFulfillment,
};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{
    FulfillmentId, FulfillmentOrderId, FulfillmentOrderLineItemId, LineItemId, LocationId, OrderId, OrderRef,
    ShopDomain,
};
use roundtrip_domain::order::{FulfillmentOrderStatus, FulfillmentState, Line, Order, SourceOrder};
use roundtrip_domain::ports::{Clock, after};
use roundtrip_domain::push::{OrderDraft, OrderKey, destination_line};
use roundtrip_domain::registry::ShopFacts;
use roundtrip_domain::writeback::{FulfillmentDraft, TrackingInfo, TrackingUpdate};

use super::{ManualClock, lock};

/// How the next mutation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done: the rate limit.
    Throttled,
    /// Nothing is done: no connection.
    Unreachable,
    /// Nothing is done: refused, in words that nobody knows.
    Refused,
    /// Nothing is done, now and later: the shop lets us in no more.
    Revoked,
    /// All is done, but the answer is lost.
    AnswerLost,
    /// Nothing is done, and the answer is lost.
    RequestLost,
    /// The answer is lost, and all is done so much later.
    LandsLate(Duration),
}

/// The shops. Clones share them.
#[derive(Debug, Clone)]
pub struct FakeChannel {
    shops: Arc<Mutex<BTreeMap<ShopDomain, FakeShop>>>,
    meanwhile: Arc<Mutex<Meanwhile>>,
    clock: ManualClock,
}

/// What happens while the next change is on its way.
#[derive(Default)]
struct Meanwhile(Option<Box<dyn FnOnce() + Send>>);

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Meanwhile({})", if self.0.is_some() { "something" } else { "nothing" })
    }
}

/// One shop's memory.
#[derive(Debug, Default)]
pub struct FakeShop {
    /// The destination orders, as a merchant would see them.
    pub orders: BTreeMap<OrderId, Order>,
    /// The orders that were pushed here, by the draft they were made from.
    pub pushed: Vec<(SourceOrder, OrderDraft)>,
    /// What was shipped of them.
    pub shipped: BTreeMap<OrderId, Vec<ShippedFulfillment>>,
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
    pub lacks_definition: bool,
    /// Whether it refuses to replace the tracking of a fulfillment.
    pub rejects_overwrite: bool,
    /// Whether it takes other tracking for a fulfillment without a word, and goes on showing the old.
    pub ignores_overwrite: bool,
    /// Whether it does not let us in any more: the token is revoked, or the shop is frozen.
    pub revoked: bool,
    /// Calls made, by name.
    pub calls: Vec<&'static str>,
    late: Vec<(Timestamp, Late)>,
    next_id: u64,
}

#[derive(Debug)]
enum Late {
    Order(Box<OrderDraft>),
    Fulfillment(FulfillmentDraft),
    Tracking(TrackingUpdate),
    Tags(OrderId, Tagging),
}

/// A change of an order's tags.
#[derive(Debug, Clone)]
enum Tagging {
    Add(Vec<String>),
    Remove(Vec<String>),
}

impl FakeChannel {
    /// No shops yet.
    #[must_use]
    pub fn new(clock: ManualClock) -> Self {
        Self { shops: Arc::default(), meanwhile: Arc::default(), clock }
    }

    /// While the next change is on its way, this happens: done at the shop, but not yet answered.
    pub fn meanwhile(&self, what: impl FnOnce() + Send + 'static) {
        lock(&self.meanwhile).0 = Some(Box::new(what));
    }

    /// A shop, to look at or to change.
    pub fn shop<R>(&self, domain: &ShopDomain, f: impl FnOnce(&mut FakeShop) -> R) -> R {
        let mut shops = lock(&self.shops);
        let shop = shops.entry(domain.clone()).or_default();
        shop.land(self.clock.now());
        f(shop)
    }

    /// A source merchant ships all lines of an order.
    pub fn ship(&self, source: &OrderRef, tracking: Option<TrackingInfo>) -> FulfillmentId {
        self.shop(&source.shop, |shop| {
            let id = FulfillmentId::new(shop.new_id());
            let draft = shop.pushed.iter().find(|(order, _)| order.id == source.id).map(|(_, draft)| draft);
            let lines = draft.into_iter().flat_map(|draft| &draft.lines);
            let lines = lines.filter_map(|line| Some((destination_line(&line.properties)?, line.quantity))).collect();
            let fulfillment = ShippedFulfillment {
                id,
                state: FulfillmentState::Success,
                location: Some(LocationId::new(1)),
                tracking: tracking.into_iter().collect(),
                lines,
            };
            shop.shipped.entry(source.id).or_default().push(fulfillment);
            id
        })
    }

    fn ask<R>(
        &self,
        domain: &ShopDomain,
        name: &'static str,
        f: impl FnOnce(&mut FakeShop) -> R,
    ) -> Result<R, ChannelError> {
        self.shop(domain, |shop| {
            shop.calls.push(name);
            match shop.fault(|shop| shop.query_faults.pop_front()) {
                None => Ok(f(shop)),
                Some(fault) => Err(error(fault, domain)),
            }
        })
    }

    fn mutate<R>(
        &self,
        domain: &ShopDomain,
        name: &'static str,
        late: impl FnOnce() -> Late,
        f: impl FnOnce(&mut FakeShop) -> R,
    ) -> Result<R, ChannelError> {
        let now = self.clock.now();
        let answer = self.shop(domain, |shop| {
            shop.calls.push(name);
            let Some(fault) = shop.fault(|shop| shop.mutation_faults.pop_front()) else { return Ok(f(shop)) };
            match fault {
                Fault::AnswerLost => {
                    f(shop);
                }
                Fault::LandsLate(by) => shop.late.push((after(now, by), late())),
                Fault::Throttled | Fault::Unreachable | Fault::Refused | Fault::Revoked | Fault::RequestLost => {}
            }
            Err(error(fault, domain))
        });
        let meanwhile = lock(&self.meanwhile).0.take();
        meanwhile.into_iter().for_each(|what| what());
        answer
    }

    fn tag(&self, order: &OrderRef, name: &'static str, tagging: Tagging) -> Result<(), ChannelError> {
        let now = self.clock.now();
        let late = || Late::Tags(order.id, tagging.clone());
        let done = self.mutate(&order.shop, name, late, |shop| shop.tag(order.id, &tagging, now))?;
        done.map_err(|why| refused(&order.shop, Code::Rejected, why))
    }
}

fn error(fault: Fault, shop: &ShopDomain) -> ChannelError {
    let shop = shop.clone();
    match fault {
        Fault::Throttled => ChannelError::Throttled { shop, retry_after: Duration::from_secs(5), request_id: None },
        Fault::Unreachable => ChannelError::Unreachable { shop, source: "connection refused".into() },
        Fault::Refused => refused(&shop, Code::Rejected, "is odd"),
        Fault::Revoked => ChannelError::ShopUnavailable {
            shop,
            message: "Invalid API key or access token".into(),
            request_id: Some("request-1".into()),
        },
        Fault::AnswerLost | Fault::RequestLost | Fault::LandsLate(_) => ChannelError::NoAnswer {
            shop,
            message: "timed out".into(),
            request_id: Some("request-1".into()),
            source: None,
        },
    }
}

fn refused(shop: &ShopDomain, code: Code, message: &str) -> ChannelError {
    ChannelError::Refused { shop: shop.clone(), code, message: message.to_owned(), request_id: None }
}

impl FakeShop {
    /// How the next call goes wrong, if it does.
    fn fault(&mut self, next: impl FnOnce(&mut Self) -> Option<Fault>) -> Option<Fault> {
        if self.revoked {
            return Some(Fault::Revoked);
        }
        let fault = next(self);
        self.revoked = fault == Some(Fault::Revoked);
        fault
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        5000 + self.next_id
    }

    /// Late calls whose time has come have their effect.
    fn land(&mut self, now: Timestamp) {
        let (landed, waiting) = std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = waiting;
        for (at, late) in landed {
            match late {
                Late::Order(draft) => {
                    self.create_order(*draft);
                }
                Late::Fulfillment(draft) => {
                    self.create_fulfillment(&draft);
                }
                // Nobody hears any more whether it was refused.
                Late::Tracking(update) => drop(self.update_tracking(&update)),
                Late::Tags(order, tagging) => drop(self.tag(order, &tagging, at)),
            }
        }
    }

    fn create_order(&mut self, draft: OrderDraft) -> SourceOrder {
        let id = self.new_id();
        let order = SourceOrder { id: OrderId::new(id), name: format!("#{id}") };
        self.pushed.push((order.clone(), draft));
        order
    }

    /// A fulfillment order's line has its line's own number.
    fn create_fulfillment(&mut self, draft: &FulfillmentDraft) -> FulfillmentId {
        let id = FulfillmentId::new(self.new_id());
        self.sent_from.extend(draft.location.map(|location| (id, location)));
        for lines in &draft.lines {
            let order = OrderId::new(lines.fulfillment_order.number() / LOCATIONS);
            let lines = lines.lines.iter().map(|(line, n)| (LineItemId::new(line.number()), *n)).collect();
            let shown =
                ShownFulfillment { id, state: FulfillmentState::Success, tracking: draft.tracking.clone(), lines };
            self.shown.entry(order).or_default().push(shown);
        }
        if draft.notify_customer {
            self.mails.extend(draft.tracking.iter().map(|info| info.number.clone()));
        }
        id
    }

    /// Why it was refused, if it was. A cancelled fulfillment takes it and shows nothing of it.
    fn update_tracking(&mut self, update: &TrackingUpdate) -> Result<(), &'static str> {
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
    fn tag(&mut self, order: OrderId, tagging: &Tagging, now: Timestamp) -> Result<(), &'static str> {
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

    /// One fulfillment order for each location; its id is the order's number and the location's.
    fn destination(&self, order: &Order) -> DestinationOrder {
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

/// More than any test has.
const LOCATIONS: u64 = 100;

impl Channel for FakeChannel {
    async fn order(&self, order: &OrderRef) -> Result<Option<Order>, ChannelError> {
        self.ask(&order.shop, "order", |shop| shop.orders.get(&order.id).cloned())
    }

    async fn create_order(&self, source: &ShopDomain, draft: &OrderDraft) -> Result<SourceOrder, ChannelError> {
        let late = || Late::Order(Box::new(draft.clone()));
        self.mutate(source, "create_order", late, |shop| shop.create_order(draft.clone()))
    }

    async fn find_order(&self, source: &ShopDomain, key: &OrderKey) -> Result<KeyLookup, ChannelError> {
        self.ask(source, "find_order", |shop| {
            let mut found: Vec<SourceOrder> =
                shop.pushed.iter().filter(|(_, draft)| draft.key == *key).map(|(order, _)| order.clone()).collect();
            match found.len() {
                0 if shop.lacks_definition => KeyLookup::Inconclusive,
                0 => KeyLookup::Absent,
                1 => KeyLookup::Found(found.remove(0)),
                _ => KeyLookup::Several(found),
            }
        })
    }

    async fn shipped(&self, order: &OrderRef) -> Result<Option<ShippedOrder>, ChannelError> {
        let now = self.clock.now();
        self.ask(&order.shop, "shipped", |shop| {
            let (source, _) = shop.pushed.iter().find(|(pushed, _)| pushed.id == order.id)?;
            let fulfillments = shop.shipped.get(&order.id).cloned().unwrap_or_default();
            Some(ShippedOrder { order: source.clone(), updated_at: now, cancelled: false, fulfillments })
        })
    }

    async fn destination(&self, order: &OrderRef) -> Result<Option<DestinationOrder>, ChannelError> {
        self.ask(&order.shop, "destination", |shop| {
            let order = shop.orders.get(&order.id)?.clone();
            Some(shop.destination(&order))
        })
    }

    async fn shown(&self, order: &OrderRef) -> Result<Option<Vec<ShownFulfillment>>, ChannelError> {
        self.ask(&order.shop, "shown", |shop| {
            shop.orders.get(&order.id)?;
            Some(shop.shown.get(&order.id).cloned().unwrap_or_default())
        })
    }

    async fn create_fulfillment(
        &self,
        shop: &ShopDomain,
        draft: &FulfillmentDraft,
    ) -> Result<FulfillmentId, ChannelError> {
        let late = || Late::Fulfillment(draft.clone());
        self.mutate(shop, "create_fulfillment", late, |shop| shop.create_fulfillment(draft))
    }

    async fn update_tracking(&self, shop: &ShopDomain, update: &TrackingUpdate) -> Result<(), ChannelError> {
        let late = || Late::Tracking(update.clone());
        let done = self.mutate(shop, "update_tracking", late, |fake| fake.update_tracking(update))?;
        done.map_err(|why| refused(shop, Code::OverwriteRejected, why))
    }

    async fn add_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        self.tag(order, "add_tags", Tagging::Add(tags.to_vec()))
    }

    async fn remove_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        self.tag(order, "remove_tags", Tagging::Remove(tags.to_vec()))
    }

    async fn order_of(
        &self,
        shop: &ShopDomain,
        fulfillment_order: FulfillmentOrderId,
    ) -> Result<Option<OrderId>, ChannelError> {
        let id = OrderId::new(fulfillment_order.number() / LOCATIONS);
        self.ask(shop, "order_of", |shop| shop.orders.contains_key(&id).then_some(id))
    }

    async fn facts(&self, shop: &ShopDomain) -> Result<(ShopFacts, HasKeyDefinition), ChannelError> {
        let now = self.clock.now();
        self.ask(shop, "facts", |fake| (super::super::order::facts(now), HasKeyDefinition(!fake.lacks_definition)))
    }

    async fn define_order_key(&self, shop: &ShopDomain) -> Result<(), ChannelError> {
        self.ask(shop, "define_order_key", |shop| shop.lacks_definition = false)
    }

    async fn subscribe(&self, shop: &ShopDomain) -> Result<u32, ChannelError> {
        self.ask(shop, "subscribe", |_| 13)
    }
}
