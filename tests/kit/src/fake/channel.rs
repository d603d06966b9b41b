//! Shops in memory: just enough of a channel to try the protocols against every way a call can end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::channel::{
    Channel, ChannelError, DestinationOrder, HasKeyDefinition, KeyLookup, OrdersPage, OrdersQuery, ShippedFulfillment,
    ShippedOrder, ShownFulfillment, SubscriptionGap, VariantsPage,
};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{
    FulfillmentId, FulfillmentOrderId, LocationId, OrderId, OrderRef, ProductId, ShopDomain, VariantId,
};
use roundtrip_domain::links::Variant;
use roundtrip_domain::order::{FulfillmentState, Order, SourceOrder};
use roundtrip_domain::ports::{Clock, after};
use roundtrip_domain::push::{Cancellation, OrderDraft, OrderKey, destination_line};
use roundtrip_domain::registry::{MatchBy, ShopFacts};
use roundtrip_domain::writeback::{FulfillmentDraft, TrackingInfo, TrackingUpdate};

use super::shop::{FakeShop, Late, Tagging};
use super::{ManualClock, Meanwhile, lock};

/// How the next mutation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done: the rate limit.
    Throttled,
    /// Nothing is done: no connection.
    Unreachable,
    /// Nothing is done: refused, in words that nobody knows.
    Refused,
    /// Nothing is done: the app lacks a scope.
    Denied,
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
    meanwhile: Meanwhile,
    clock: ManualClock,
}

impl FakeChannel {
    /// No shops yet.
    #[must_use]
    pub fn new(clock: ManualClock) -> Self {
        Self { shops: Arc::default(), meanwhile: Meanwhile::default(), clock }
    }

    /// While the next change is on its way, this happens: done at the shop, but not yet answered.
    pub fn meanwhile(&self, what: impl FnOnce() + Send + 'static) {
        self.meanwhile.set(0, what);
    }

    /// A shop, to look at or to change.
    pub fn shop<R>(&self, domain: &ShopDomain, f: impl FnOnce(&mut FakeShop) -> R) -> R {
        let mut shops = lock(&self.shops);
        let shop = shops.entry(domain.clone()).or_default();
        shop.land(self.clock.now());
        f(shop)
    }

    /// Shops of their own that hold the same.
    #[must_use]
    pub fn fork(&self, clock: ManualClock) -> Self {
        Self { shops: Arc::new(Mutex::new(lock(&self.shops).clone())), clock, meanwhile: Meanwhile::default() }
    }

    /// When the next late call has its effect.
    #[must_use]
    pub fn next_landing(&self) -> Option<Timestamp> {
        lock(&self.shops).values().flat_map(|shop| &shop.late).map(|(at, _)| *at).min()
    }

    /// All that the shops hold, as a text; not which calls were made.
    ///
    /// # Errors
    /// Only those of `out`.
    pub fn write_state(&self, out: &mut impl fmt::Write) -> fmt::Result {
        for (domain, shop) in &mut *lock(&self.shops) {
            let calls = std::mem::take(&mut shop.calls);
            writeln!(out, "{domain} {shop:?}")?;
            shop.calls = calls;
        }
        Ok(())
    }

    /// A source merchant ships all lines of an order.
    pub fn ship(&self, source: &OrderRef, tracking: Option<TrackingInfo>) -> FulfillmentId {
        let now = self.clock.now();
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
            shop.changed_at.insert(source.id, now);
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
            let named = shop.fails_at.take_if(|(at, _)| *at == name).map(|(_, fault)| fault);
            match shop.fault(|shop| named.or_else(|| shop.query_faults.pop_front())) {
                None => Ok(f(shop)),
                Some(fault) => Err(error(fault, domain)),
            }
        })
    }

    /// A question about one order, which may be hidden.
    fn ask_of<R>(
        &self,
        order: &OrderRef,
        name: &'static str,
        f: impl FnOnce(&mut FakeShop) -> Option<R>,
    ) -> Result<Option<R>, ChannelError> {
        let now = self.clock.now();
        self.ask(&order.shop, name, |shop| if shop.shows(order.id, now) { f(shop) } else { None })
    }

    fn mutate<R>(
        &self,
        domain: &ShopDomain,
        name: &'static str,
        late: impl FnOnce() -> Late,
        f: impl FnOnce(&mut FakeShop, Timestamp) -> R,
    ) -> Result<R, ChannelError> {
        let now = self.clock.now();
        let answer = self.shop(domain, |shop| {
            shop.calls.push(name);
            let Some(fault) = shop.fault(|shop| shop.mutation_faults.pop_front()) else { return Ok(f(shop, now)) };
            match fault {
                Fault::AnswerLost => {
                    f(shop, now);
                }
                Fault::LandsLate(by) => shop.late.push((after(now, by), late())),
                Fault::Throttled
                | Fault::Unreachable
                | Fault::Refused
                | Fault::Denied
                | Fault::Revoked
                | Fault::RequestLost => {}
            }
            Err(error(fault, domain))
        });
        self.meanwhile.happen();
        answer
    }

    fn tag(&self, order: &OrderRef, name: &'static str, tagging: Tagging) -> Result<(), ChannelError> {
        let late = || Late::Tags(order.id, tagging.clone());
        let done = self.mutate(&order.shop, name, late, |shop, now| shop.tag(order.id, &tagging, now))?;
        done.map_err(|why| refused(&order.shop, Code::Rejected, why))
    }
}

fn error(fault: Fault, shop: &ShopDomain) -> ChannelError {
    let shop = shop.clone();
    match fault {
        Fault::Throttled => ChannelError::Throttled { shop, retry_after: Duration::from_secs(5), request_id: None },
        Fault::Unreachable => ChannelError::Unreachable { shop, source: "connection refused".into() },
        Fault::Refused => refused(&shop, Code::Rejected, "is odd"),
        Fault::Denied => ChannelError::AccessDenied {
            shop,
            message: "This action requires merchant approval for write_orders scope.".into(),
            request_id: Some("request-1".into()),
        },
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
    let request_id = Some("request-1".to_owned());
    ChannelError::Refused { shop: shop.clone(), code, message: message.to_owned(), request_id }
}

impl Channel for FakeChannel {
    async fn order(&self, order: &OrderRef) -> Result<Option<Order>, ChannelError> {
        self.ask_of(order, "order", |shop| shop.orders.get(&order.id).cloned())
    }

    async fn create_order(&self, source: &ShopDomain, draft: &OrderDraft) -> Result<SourceOrder, ChannelError> {
        let late = || Late::Order(Box::new(draft.clone()));
        self.mutate(source, "create_order", late, |shop, now| shop.create_order(draft.clone(), now))
    }

    async fn find_order(&self, source: &ShopDomain, key: &OrderKey) -> Result<KeyLookup, ChannelError> {
        let now = self.clock.now();
        self.ask(source, "find_order", |shop| {
            let indexed = |order: &SourceOrder| shop.not_indexed.get(&order.id).is_none_or(|until| *until <= now);
            let of_key = shop.pushed.iter().filter(|(order, draft)| draft.key == *key && indexed(order));
            let mut found: Vec<SourceOrder> = of_key.map(|(order, _)| order.clone()).collect();
            match found.len() {
                0 if shop.lacks_definition => KeyLookup::Inconclusive,
                0 => KeyLookup::Absent,
                1 => KeyLookup::Found(found.remove(0)),
                _ => KeyLookup::Several(found),
            }
        })
    }

    async fn cancel_order(&self, order: &OrderRef, cancellation: &Cancellation) -> Result<(), ChannelError> {
        let late = || Late::Cancel(order.id, cancellation.clone());
        let done = self
            .mutate(&order.shop, "cancel_order", late, |shop, now| shop.ask_to_cancel(order.id, cancellation, now))?;
        done.map_err(|(code, why)| refused(&order.shop, code, why))
    }

    async fn shipped(&self, order: &OrderRef) -> Result<Option<ShippedOrder>, ChannelError> {
        let now = self.clock.now();
        self.ask_of(order, "shipped", |shop| {
            let (source, _) = shop.pushed.iter().find(|(pushed, _)| pushed.id == order.id)?;
            let fulfillments = shop.shipped.get(&order.id).cloned().unwrap_or_default();
            let cancelled = shop.cancelled.contains_key(&order.id);
            Some(ShippedOrder { order: source.clone(), updated_at: now, cancelled, fulfillments })
        })
    }

    async fn destination(&self, order: &OrderRef) -> Result<Option<DestinationOrder>, ChannelError> {
        self.ask_of(order, "destination", |shop| {
            let order = shop.orders.get(&order.id)?.clone();
            Some(shop.destination(&order))
        })
    }

    async fn shown(&self, order: &OrderRef) -> Result<Option<Vec<ShownFulfillment>>, ChannelError> {
        self.ask_of(order, "shown", |shop| {
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
        self.mutate(shop, "create_fulfillment", late, |shop, _| shop.create_fulfillment(draft))
    }

    async fn update_tracking(&self, shop: &ShopDomain, update: &TrackingUpdate) -> Result<(), ChannelError> {
        let late = || Late::Tracking(update.clone());
        let done = self.mutate(shop, "update_tracking", late, |fake, _| fake.update_tracking(update))?;
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
        let id = FakeShop::order_of(fulfillment_order);
        self.ask(shop, "order_of", |shop| shop.orders.contains_key(&id).then_some(id))
    }

    async fn orders(&self, shop: &ShopDomain, query: &OrdersQuery) -> Result<OrdersPage, ChannelError> {
        let now = self.clock.now();
        self.ask(shop, "orders", |fake| fake.page(shop, query, now))
    }

    async fn variants(&self, shop: &ShopDomain, after: Option<&str>) -> Result<VariantsPage, ChannelError> {
        self.ask(shop, "variants", |shop| shop.variants_page(after))
    }

    async fn variants_by(
        &self,
        shop: &ShopDomain,
        by: MatchBy,
        values: &[String],
    ) -> Result<Vec<Variant>, ChannelError> {
        let carries = |variant: &&Variant| variant.value(by).is_some_and(|value| values.iter().any(|it| it == value));
        self.ask(shop, "variants_by", |shop| shop.indexed_variants().filter(carries).cloned().collect())
    }

    async fn variants_of(&self, shop: &ShopDomain, ids: &[VariantId]) -> Result<Vec<Variant>, ChannelError> {
        self.ask(shop, "variants_of", |shop| {
            ids.iter().filter_map(|id| shop.variants.iter().find(|variant| variant.id == *id)).cloned().collect()
        })
    }

    async fn product(&self, shop: &ShopDomain, id: ProductId) -> Result<Option<Vec<Variant>>, ChannelError> {
        self.ask(shop, "product", |shop| {
            let variants: Vec<Variant> = shop.variants.iter().filter(|it| it.product == id).cloned().collect();
            (!variants.is_empty()).then_some(variants)
        })
    }

    async fn facts(&self, shop: &ShopDomain) -> Result<(ShopFacts, HasKeyDefinition), ChannelError> {
        let now = self.clock.now();
        self.ask(shop, "facts", |fake| (super::super::order::facts(now), HasKeyDefinition(!fake.lacks_definition)))
    }

    async fn define_order_key(&self, shop: &ShopDomain) -> Result<(), ChannelError> {
        self.ask(shop, "define_order_key", |shop| shop.lacks_definition = false)
    }

    async fn subscription_gaps(&self, shop: &ShopDomain) -> Result<Vec<SubscriptionGap>, ChannelError> {
        self.ask(shop, "subscription_gaps", |shop| {
            shop.unsubscribed.iter().map(|topic| SubscriptionGap { topic, wrong: None }).collect()
        })
    }

    async fn subscribe(&self, shop: &ShopDomain, gap: &SubscriptionGap) -> Result<(), ChannelError> {
        self.ask(shop, "subscribe", |shop| shop.unsubscribed.retain(|topic| *topic != gap.topic))
    }
}
