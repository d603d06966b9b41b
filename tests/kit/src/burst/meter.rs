//! Shops that charge for each call, as Shopify does, and now and then say no by chance.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use roundtrip_domain::channel::{
    Budget, Channel, ChannelError, DestinationOrder, HasKeyDefinition, KeyLookup, OrdersPage, OrdersQuery,
    ShippedOrder, ShownFulfillment, SubscriptionGap, VariantsPage,
};
use roundtrip_domain::id::{FulfillmentId, FulfillmentOrderId, OrderId, OrderRef, ProductId, ShopDomain, VariantId};
use roundtrip_domain::links::Variant;
use roundtrip_domain::order::{Order, SourceOrder};
use roundtrip_domain::ports::{Clock, after};
use roundtrip_domain::push::{Cancellation, OrderDraft, OrderKey};
use roundtrip_domain::registry::{MatchBy, ShopFacts};
use roundtrip_domain::writeback::{FulfillmentDraft, TrackingUpdate};

use super::SHOPIFY_CALL;
use crate::fake::{FakeChannel, ManualClock};

/// What shops allow.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Points that come back in a second.
    pub points_per_second: u32,
    /// Points that a shop's bucket holds.
    pub bucket: u32,
    /// Of a hundred calls, so many are throttled by chance.
    pub throttled_percent: u64,
    /// A development store takes so many new orders a minute.
    pub new_orders_per_minute: Option<usize>,
    /// How long a call may wait for the rate limit. Source: `functions/src/batch.rs`.
    pub patience: Duration,
}

/// The fake shops behind their limits.
#[derive(Debug, Clone)]
pub struct Metered {
    pub shops: FakeChannel,
    clock: ManualClock,
    meter: Arc<Mutex<Meter>>,
}

#[derive(Debug)]
struct Meter {
    limits: Limits,
    buckets: BTreeMap<ShopDomain, (f64, Timestamp)>,
    created: BTreeMap<ShopDomain, Vec<Timestamp>>,
    dice: u64,
    calls: u32,
    throttled: u32,
    /// What the calls of the task that runs have taken so far.
    spent: Duration,
}

impl Metered {
    /// Full buckets.
    #[must_use]
    pub fn new(shops: FakeChannel, clock: ManualClock, limits: Limits) -> Self {
        let meter = Meter {
            limits,
            buckets: BTreeMap::new(),
            created: BTreeMap::new(),
            dice: 20_261_127,
            calls: 0,
            throttled: 0,
            spent: Duration::ZERO,
        };
        Self { shops, clock, meter: Arc::new(Mutex::new(meter)) }
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the calls since the last time took.
    pub(super) fn take_spent(&self) -> Duration {
        std::mem::take(&mut self.meter().spent)
    }

    /// Calls so far, and how many of them were throttled.
    #[must_use]
    pub fn calls(&self) -> (u32, u32) {
        let meter = self.meter();
        (meter.calls, meter.throttled)
    }

    /// Takes `points` out of the shop's bucket, after a short wait if that helps.
    fn pay(&self, shop: &ShopDomain, points: u32) -> Result<(), ChannelError> {
        let now = self.clock.now();
        let mut meter = self.meter();
        let mut waited = false;
        loop {
            meter.calls += 1;
            meter.spent += SHOPIFY_CALL;
            let at = after(now, meter.spent);
            let wait = if meter.is_unlucky() {
                Some(Duration::from_secs(1))
            } else {
                meter.missing(shop, points, at).map(|missing| missing.mul_f64(1.1) + Duration::from_millis(50))
            };
            let Some(wait) = wait else { return Ok(()) };
            meter.throttled += 1;
            if waited || wait > meter.limits.patience {
                return Err(ChannelError::Throttled { shop: shop.clone(), retry_after: wait, request_id: None });
            }
            waited = true;
            meter.spent += wait;
        }
    }

    /// What the shop's bucket holds after the task's calls so far.
    fn budget(&self, shop: &ShopDomain) -> Budget {
        let meter = self.meter();
        let Limits { points_per_second, bucket, .. } = meter.limits;
        let available = meter.buckets.get(shop).map_or(bucket, |(left, _)| left.floor() as u32);
        Budget { available, maximum: bucket, restore_rate: points_per_second }
    }

    fn admit_order(&self, shop: &ShopDomain) -> Result<(), ChannelError> {
        let at = after(self.clock.now(), self.meter().spent);
        let mut meter = self.meter();
        let Some(limit) = meter.limits.new_orders_per_minute else { return Ok(()) };
        let created = meter.created.entry(shop.clone()).or_default();
        created.retain(|made| at.duration_since(*made) < SignedDuration::from_mins(1));
        if created.len() >= limit {
            let retry_after = Duration::from_secs(60);
            return Err(ChannelError::Throttled { shop: shop.clone(), retry_after, request_id: None });
        }
        created.push(at);
        Ok(())
    }
}

/// The time for a task whose calls take as long as the meter says.
#[derive(Debug, Clone)]
pub(super) struct TaskClock(pub(super) Metered);

impl Clock for TaskClock {
    fn now(&self) -> Timestamp {
        after(self.0.clock.now(), self.0.meter().spent)
    }
}

impl Meter {
    /// How long until the bucket holds `points`; takes them if it does.
    fn missing(&mut self, shop: &ShopDomain, points: u32, at: Timestamp) -> Option<Duration> {
        let full = f64::from(self.limits.bucket);
        let rate = f64::from(self.limits.points_per_second);
        let (left, since) = self.buckets.entry(shop.clone()).or_insert((full, at));
        // Tasks that overlap look into the bucket in the order in which they began.
        let passed = at.duration_since(*since).as_secs_f64().max(0.0);
        *left = (*left + passed * rate).min(full);
        *since = at.max(*since);
        let missing = f64::from(points) - *left;
        if missing > 0.0 {
            return Some(Duration::from_secs_f64(missing / rate));
        }
        *left -= f64::from(points);
        None
    }

    /// A linear congruence is chance enough here, and the same in each run.
    fn is_unlucky(&mut self) -> bool {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % 100 < self.limits.throttled_percent
    }
}

/// Points as `make bench` counts them.
impl Channel for Metered {
    async fn order(&self, order: &OrderRef) -> Result<Option<Order>, ChannelError> {
        self.pay(&order.shop, 40)?;
        self.shops.order(order).await
    }

    async fn create_order(&self, source: &ShopDomain, draft: &OrderDraft) -> Result<SourceOrder, ChannelError> {
        self.pay(source, 10)?;
        self.admit_order(source)?;
        self.shops.create_order(source, draft).await
    }

    async fn find_order(&self, source: &ShopDomain, key: &OrderKey) -> Result<KeyLookup, ChannelError> {
        self.pay(source, 10)?;
        self.shops.find_order(source, key).await
    }

    async fn cancel_order(&self, order: &OrderRef, cancellation: &Cancellation) -> Result<(), ChannelError> {
        self.pay(&order.shop, 10)?;
        self.shops.cancel_order(order, cancellation).await
    }

    async fn shipped(&self, order: &OrderRef) -> Result<Option<ShippedOrder>, ChannelError> {
        self.pay(&order.shop, 21)?;
        self.shops.shipped(order).await
    }

    async fn destination(&self, order: &OrderRef) -> Result<Option<DestinationOrder>, ChannelError> {
        self.pay(&order.shop, 73)?;
        self.shops.destination(order).await
    }

    async fn shown(&self, order: &OrderRef) -> Result<Option<Vec<ShownFulfillment>>, ChannelError> {
        self.pay(&order.shop, 27)?;
        self.shops.shown(order).await
    }

    async fn create_fulfillment(
        &self,
        shop: &ShopDomain,
        draft: &FulfillmentDraft,
    ) -> Result<FulfillmentId, ChannelError> {
        self.pay(shop, 10)?;
        self.shops.create_fulfillment(shop, draft).await
    }

    async fn update_tracking(&self, shop: &ShopDomain, update: &TrackingUpdate) -> Result<(), ChannelError> {
        self.pay(shop, 51)?;
        self.shops.update_tracking(shop, update).await
    }

    async fn add_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        self.pay(&order.shop, 10)?;
        self.shops.add_tags(order, tags).await
    }

    async fn remove_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        self.pay(&order.shop, 10)?;
        self.shops.remove_tags(order, tags).await
    }

    async fn order_of(&self, shop: &ShopDomain, id: FulfillmentOrderId) -> Result<Option<OrderId>, ChannelError> {
        self.pay(shop, 2)?;
        self.shops.order_of(shop, id).await
    }

    async fn orders(&self, shop: &ShopDomain, query: &OrdersQuery) -> Result<OrdersPage, ChannelError> {
        self.pay(shop, 35)?;
        let page = self.shops.orders(shop, query).await?;
        Ok(OrdersPage { budget: self.budget(shop), ..page })
    }

    async fn variants(&self, shop: &ShopDomain, after: Option<&str>) -> Result<VariantsPage, ChannelError> {
        self.pay(shop, 24)?;
        self.shops.variants(shop, after).await
    }

    async fn variants_by(
        &self,
        shop: &ShopDomain,
        by: MatchBy,
        values: &[String],
    ) -> Result<Vec<Variant>, ChannelError> {
        self.pay(shop, 24)?;
        self.shops.variants_by(shop, by, values).await
    }

    async fn variants_of(&self, shop: &ShopDomain, ids: &[VariantId]) -> Result<Vec<Variant>, ChannelError> {
        self.pay(shop, u32::try_from(2 * ids.len()).unwrap_or(u32::MAX))?;
        self.shops.variants_of(shop, ids).await
    }

    async fn product(&self, shop: &ShopDomain, id: ProductId) -> Result<Option<Vec<Variant>>, ChannelError> {
        self.pay(shop, 14)?;
        self.shops.product(shop, id).await
    }

    async fn facts(&self, shop: &ShopDomain) -> Result<(ShopFacts, HasKeyDefinition), ChannelError> {
        self.shops.facts(shop).await
    }

    async fn define_order_key(&self, shop: &ShopDomain) -> Result<(), ChannelError> {
        self.shops.define_order_key(shop).await
    }

    async fn subscription_gaps(&self, shop: &ShopDomain) -> Result<Vec<SubscriptionGap>, ChannelError> {
        self.shops.subscription_gaps(shop).await
    }

    async fn subscribe(&self, shop: &ShopDomain, gap: &SubscriptionGap) -> Result<(), ChannelError> {
        self.shops.subscribe(shop, gap).await
    }
}
