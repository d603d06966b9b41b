//! [`Channel`] over Shopify's Admin API, and what its parts share.

use std::str::FromStr;

use roundtrip_domain::channel::{
    Channel, ChannelError, DestinationOrder, HasKeyDefinition, KeyLookup, OrdersPage, OrdersQuery, ShippedOrder,
    ShownFulfillment, SubscriptionGap, VariantsPage,
};
use roundtrip_domain::id::{FulfillmentId, FulfillmentOrderId, OrderId, OrderRef, ProductId, ShopDomain, VariantId};
use roundtrip_domain::links::Variant;
use roundtrip_domain::order::{Order, SourceOrder};
use roundtrip_domain::ports::{Clock, Credentials};
use roundtrip_domain::push::{Cancellation, OrderDraft, OrderKey};
use roundtrip_domain::registry::{MatchBy, ShopFacts};
use roundtrip_domain::writeback::{FulfillmentDraft, TrackingUpdate};

use super::transport::ShopifyApi;

impl<V: Credentials, K: Clock> Channel for ShopifyApi<V, K> {
    async fn order(&self, order: &OrderRef) -> Result<Option<Order>, ChannelError> {
        self.read_order(order).await
    }

    async fn create_order(&self, source: &ShopDomain, draft: &OrderDraft) -> Result<SourceOrder, ChannelError> {
        self.create_source_order(source, draft).await
    }

    async fn find_order(&self, source: &ShopDomain, key: &OrderKey) -> Result<KeyLookup, ChannelError> {
        self.find_source_order(source, key).await
    }

    async fn cancel_order(&self, order: &OrderRef, cancellation: &Cancellation) -> Result<(), ChannelError> {
        self.cancel_source_order(order, cancellation).await
    }

    async fn shipped(&self, order: &OrderRef) -> Result<Option<ShippedOrder>, ChannelError> {
        self.read_shipped(order).await
    }

    async fn destination(&self, order: &OrderRef) -> Result<Option<DestinationOrder>, ChannelError> {
        self.read_destination(order).await
    }

    async fn shown(&self, order: &OrderRef) -> Result<Option<Vec<ShownFulfillment>>, ChannelError> {
        self.read_shown(order).await
    }

    async fn create_fulfillment(
        &self,
        shop: &ShopDomain,
        draft: &FulfillmentDraft,
    ) -> Result<FulfillmentId, ChannelError> {
        self.create_one_fulfillment(shop, draft).await
    }

    async fn update_tracking(&self, shop: &ShopDomain, update: &TrackingUpdate) -> Result<(), ChannelError> {
        self.replace_tracking(shop, update).await
    }

    async fn add_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        self.add_order_tags(order, tags).await
    }

    async fn remove_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        self.remove_order_tags(order, tags).await
    }

    async fn order_of(
        &self,
        shop: &ShopDomain,
        fulfillment_order: FulfillmentOrderId,
    ) -> Result<Option<OrderId>, ChannelError> {
        self.owner_of(shop, fulfillment_order).await
    }

    async fn orders(&self, shop: &ShopDomain, query: &OrdersQuery) -> Result<OrdersPage, ChannelError> {
        self.read_orders(shop, query).await
    }

    async fn variants(&self, shop: &ShopDomain, after: Option<&str>) -> Result<VariantsPage, ChannelError> {
        self.read_variants(shop, after).await
    }

    async fn variants_by(
        &self,
        shop: &ShopDomain,
        by: MatchBy,
        values: &[String],
    ) -> Result<Vec<Variant>, ChannelError> {
        self.find_variants(shop, by, values).await
    }

    async fn variants_of(&self, shop: &ShopDomain, ids: &[VariantId]) -> Result<Vec<Variant>, ChannelError> {
        self.read_variants_of(shop, ids).await
    }

    async fn product(&self, shop: &ShopDomain, id: ProductId) -> Result<Option<Vec<Variant>>, ChannelError> {
        self.read_product(shop, id).await
    }

    async fn facts(&self, shop: &ShopDomain) -> Result<(ShopFacts, HasKeyDefinition), ChannelError> {
        self.read_facts(shop).await
    }

    async fn define_order_key(&self, shop: &ShopDomain) -> Result<(), ChannelError> {
        self.create_key_definition(shop).await
    }

    async fn subscription_gaps(&self, shop: &ShopDomain) -> Result<Vec<SubscriptionGap>, ChannelError> {
        self.read_subscription_gaps(shop).await
    }

    async fn subscribe(&self, shop: &ShopDomain, gap: &SubscriptionGap) -> Result<(), ChannelError> {
        self.close_subscription_gap(shop, gap).await
    }
}

/// A part of an answer that does not parse: the answer is as good as none.
pub(super) fn parse<T: FromStr>(shop: &ShopDomain, text: &str) -> Result<T, ChannelError>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|error: T::Err| ChannelError::NoAnswer {
        shop: shop.clone(),
        message: "the answer does not parse".into(),
        request_id: None,
        source: Some(Box::new(error)),
    })
}

pub(super) fn unreadable(shop: &ShopDomain, message: &str) -> ChannelError {
    ChannelError::NoAnswer { shop: shop.clone(), message: message.into(), request_id: None, source: None }
}
