use std::fmt::{Debug, Display};
use std::rc::Rc;

use roundtrip_domain::channel::{
    Channel, ChannelError, DestinationOrder, HasKeyDefinition, KeyLookup, OrdersPage, OrdersQuery, ShippedOrder,
    ShownFulfillment, SubscriptionGap, VariantsPage,
};
use roundtrip_domain::id::{FulfillmentId, FulfillmentOrderId, OrderId, OrderRef, ProductId, ShopDomain, VariantId};
use roundtrip_domain::links::Variant;
use roundtrip_domain::order::{Order, SourceOrder};
use roundtrip_domain::push::{Cancellation, OrderDraft, OrderKey};
use roundtrip_domain::registry::{MatchBy, ShopFacts};
use roundtrip_domain::writeback::{FulfillmentDraft, TrackingUpdate};

use super::super::choice::{Decision, INDEX_LAG, Kind};
use super::super::wire::Wire;
use crate::fake::FakeChannel;

/// The shops, watched. Their faults are the fake's own.
#[derive(Debug, Clone)]
pub(in super::super) struct WatchedChannel {
    pub(super) channel: FakeChannel,
    pub(super) wire: Rc<Wire>,
}

impl WatchedChannel {
    async fn ask<R: Debug>(
        &self,
        shop: &ShopDomain,
        name: &'static str,
        about: impl Display,
        effect: impl Future<Output = Result<R, ChannelError>>,
    ) -> Result<R, ChannelError> {
        let fault = self.wire.point(Kind::Question, name, &about).await;
        self.channel.shop(shop, |shop| shop.query_faults.extend(fault));
        self.answer(shop, name, effect).await
    }

    async fn mutate<R: Debug>(
        &self,
        shop: &ShopDomain,
        name: &'static str,
        about: impl Display,
        effect: impl Future<Output = Result<R, ChannelError>>,
    ) -> Result<R, ChannelError> {
        let fault = self.wire.point(Kind::Mutation, name, &about).await;
        self.channel.shop(shop, |shop| shop.mutation_faults.extend(fault));
        self.answer(shop, name, effect).await
    }

    async fn answer<R: Debug>(
        &self,
        shop: &ShopDomain,
        name: &'static str,
        effect: impl Future<Output = Result<R, ChannelError>>,
    ) -> Result<R, ChannelError> {
        let answer = effect.await;
        let left = self.channel.shop(shop, |shop| shop.query_faults.len() + shop.mutation_faults.len());
        assert_eq!(left, 0, "{name} of the fake goes wrong when it is told to");
        self.wire.answered(answer)
    }
}

/// From now on the index lags behind the orders of `key`.
fn hide(channel: &FakeChannel, source: &ShopDomain, key: &OrderKey) {
    channel.shop(source, |shop| {
        let of_key = shop.pushed.iter().filter(|(_, draft)| draft.key == *key);
        let until = of_key.filter_map(|(order, _)| Some((order.id, *shop.made_at.get(&order.id)? + INDEX_LAG)));
        shop.not_indexed.extend(until);
    });
}

impl Channel for WatchedChannel {
    async fn order(&self, order: &OrderRef) -> Result<Option<Order>, ChannelError> {
        self.ask(&order.shop, "channel.order", order, self.channel.order(order)).await
    }

    async fn create_order(&self, source: &ShopDomain, draft: &OrderDraft) -> Result<SourceOrder, ChannelError> {
        self.mutate(source, "channel.create_order", source, self.channel.create_order(source, draft)).await
    }

    async fn find_order(&self, source: &ShopDomain, key: &OrderKey) -> Result<KeyLookup, ChannelError> {
        let kind = Kind::LookUp(source.clone(), key.clone());
        match self.wire.decision(kind, "channel.find_order", source).await {
            Decision::Lag => hide(&self.channel, source, key),
            Decision::Fault(fault) => self.channel.shop(source, |shop| shop.query_faults.push_back(fault)),
            _ => {}
        }
        self.answer(source, "channel.find_order", self.channel.find_order(source, key)).await
    }

    async fn cancel_order(&self, order: &OrderRef, cancellation: &Cancellation) -> Result<(), ChannelError> {
        self.mutate(&order.shop, "channel.cancel_order", order, self.channel.cancel_order(order, cancellation)).await
    }

    async fn shipped(&self, order: &OrderRef) -> Result<Option<ShippedOrder>, ChannelError> {
        self.ask(&order.shop, "channel.shipped", order, self.channel.shipped(order)).await
    }

    async fn destination(&self, order: &OrderRef) -> Result<Option<DestinationOrder>, ChannelError> {
        self.ask(&order.shop, "channel.destination", order, self.channel.destination(order)).await
    }

    async fn shown(&self, order: &OrderRef) -> Result<Option<Vec<ShownFulfillment>>, ChannelError> {
        self.ask(&order.shop, "channel.shown", order, self.channel.shown(order)).await
    }

    async fn create_fulfillment(
        &self,
        shop: &ShopDomain,
        draft: &FulfillmentDraft,
    ) -> Result<FulfillmentId, ChannelError> {
        self.mutate(shop, "channel.create_fulfillment", shop, self.channel.create_fulfillment(shop, draft)).await
    }

    async fn update_tracking(&self, shop: &ShopDomain, update: &TrackingUpdate) -> Result<(), ChannelError> {
        self.mutate(shop, "channel.update_tracking", shop, self.channel.update_tracking(shop, update)).await
    }

    async fn add_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        self.mutate(&order.shop, "channel.add_tags", tags.join(", "), self.channel.add_tags(order, tags)).await
    }

    async fn remove_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        self.mutate(&order.shop, "channel.remove_tags", tags.join(", "), self.channel.remove_tags(order, tags)).await
    }

    async fn order_of(
        &self,
        shop: &ShopDomain,
        fulfillment_order: FulfillmentOrderId,
    ) -> Result<Option<OrderId>, ChannelError> {
        self.ask(shop, "channel.order_of", shop, self.channel.order_of(shop, fulfillment_order)).await
    }

    async fn orders(&self, shop: &ShopDomain, query: &OrdersQuery) -> Result<OrdersPage, ChannelError> {
        self.ask(shop, "channel.orders", shop, self.channel.orders(shop, query)).await
    }

    async fn variants(&self, shop: &ShopDomain, after: Option<&str>) -> Result<VariantsPage, ChannelError> {
        self.ask(shop, "channel.variants", shop, self.channel.variants(shop, after)).await
    }

    async fn variants_by(
        &self,
        shop: &ShopDomain,
        by: MatchBy,
        values: &[String],
    ) -> Result<Vec<Variant>, ChannelError> {
        self.ask(shop, "channel.variants_by", shop, self.channel.variants_by(shop, by, values)).await
    }

    async fn variants_of(&self, shop: &ShopDomain, ids: &[VariantId]) -> Result<Vec<Variant>, ChannelError> {
        self.ask(shop, "channel.variants_of", shop, self.channel.variants_of(shop, ids)).await
    }

    async fn product(&self, shop: &ShopDomain, id: ProductId) -> Result<Option<Vec<Variant>>, ChannelError> {
        self.ask(shop, "channel.product", shop, self.channel.product(shop, id)).await
    }

    async fn facts(&self, shop: &ShopDomain) -> Result<(ShopFacts, HasKeyDefinition), ChannelError> {
        self.ask(shop, "channel.facts", shop, self.channel.facts(shop)).await
    }

    async fn define_order_key(&self, shop: &ShopDomain) -> Result<(), ChannelError> {
        self.ask(shop, "channel.define_order_key", shop, self.channel.define_order_key(shop)).await
    }

    async fn subscription_gaps(&self, shop: &ShopDomain) -> Result<Vec<SubscriptionGap>, ChannelError> {
        self.ask(shop, "channel.subscription_gaps", shop, self.channel.subscription_gaps(shop)).await
    }

    async fn subscribe(&self, shop: &ShopDomain, gap: &SubscriptionGap) -> Result<(), ChannelError> {
        self.ask(shop, "channel.subscribe", shop, self.channel.subscribe(shop, gap)).await
    }
}
