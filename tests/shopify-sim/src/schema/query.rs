//! What can be asked.

use async_graphql::{Context, ID, Object};

use super::connection::{Page, Wanted, by_id};
use super::errors::{coded, number};
use super::fulfillment::Fulfillment;
use super::fulfillment_order::FulfillmentOrder;
use super::inputs::{MetafieldDefinitionIdentifierInput, OrderIdentifierInput};
use super::metafield::MetafieldDefinition;
use super::order::{Node, Order};
use super::order_search::{after as after_cursor, search as search_orders};
use super::product::{Product, ProductVariant, search};
use super::shop::{AppInstallation, Location, Shop};
use super::webhook::WebhookSubscription;
use crate::state::{full_namespace, parse_gid};
use crate::webhooks::Topic;
use crate::words::{OrderSortKeys, ProductVariantSortKeys};

/// Source: answers to look-ups by an identifier without a definition.
const NO_ID_DEFINITION: &str = "Metafield definition of type 'id' is required when using custom ids.";

pub(crate) struct QueryRoot;

#[Object]
impl QueryRoot {
    async fn order(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Order>> {
        Order::find(ctx, number("Order", &id)?)
    }

    /// Consistent at once, unlike search.
    async fn order_by_identifier(
        &self,
        ctx: &Context<'_>,
        identifier: OrderIdentifierInput,
    ) -> async_graphql::Result<Option<Order>> {
        let wanted = match identifier {
            OrderIdentifierInput::Id(id) => return Order::find(ctx, number("Order", &id)?),
            OrderIdentifierInput::CustomId(wanted) => wanted,
        };
        let namespace = full_namespace(wanted.namespace.as_deref());
        let found = super::read(ctx, |shop| {
            let defined = shop.definition(&namespace, &wanted.key).is_some_and(|definition| definition.is_unique());
            defined.then(|| {
                shop.unique_values.get(&(namespace.clone(), wanted.key.clone(), wanted.value.clone())).copied()
            })
        })?;
        match found {
            Some(Some(id)) => Order::find(ctx, id),
            Some(None) => Ok(None),
            None => Err(coded(NO_ID_DEFINITION, "NOT_FOUND")),
        }
    }

    /// Goes by the search index, which lags.
    #[allow(clippy::too_many_arguments)] // Shopify's
    async fn orders(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        query: Option<String>,
        sort_key: Option<OrderSortKeys>,
        reverse: Option<bool>,
    ) -> async_graphql::Result<Page<Order>> {
        let (sort, backwards) = (sort_key.unwrap_or(OrderSortKeys::ProcessedAt), reverse.unwrap_or_default());
        let mut found = super::read(ctx, |shop| search_orders(shop, query.as_deref(), sort, backwards))?;
        let caller = ctx.data::<super::Caller>()?;
        found.retain(|(_, order)| caller.sees(order.created_at));
        let has_previous = after.is_some();
        let found = match after {
            Some(last) => after_cursor(found, &last, sort, backwards)?,
            None => found,
        };
        let found = found.into_iter().map(|(cursor, order)| (cursor, Order(order))).collect();
        let mut page = Wanted { first, after: None, last, before, reverse: None }.page(found)?;
        page.has_previous_page |= has_previous;
        Ok(page)
    }

    async fn fulfillment_order(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<FulfillmentOrder>> {
        let id = number("FulfillmentOrder", &id)?;
        super::read(ctx, |shop| FulfillmentOrder::find(shop.owner_of(id)?, id))
    }

    async fn fulfillment(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Fulfillment>> {
        let id = number("Fulfillment", &id)?;
        super::read(ctx, |shop| Fulfillment::find(shop.owner_of(id)?, id))
    }

    async fn node(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Node>> {
        if parse_gid("Order", &id).is_some() {
            return Ok(Order::find(ctx, number("Order", &id)?)?.map(Node::Order));
        }
        if parse_gid("ProductVariant", &id).is_some() {
            let id = number("ProductVariant", &id)?;
            return super::read(ctx, |shop| shop.variant(id).cloned().map(ProductVariant).map(Node::ProductVariant));
        }
        if let Ok(id) = number("Product", &id) {
            return super::read(ctx, |shop| Product::find(shop, id).map(Node::Product));
        }
        if let Ok(id) = number("FulfillmentOrder", &id) {
            return super::read(ctx, |shop| {
                Some(Node::FulfillmentOrder(FulfillmentOrder::find(shop.owner_of(id)?, id)?))
            });
        }
        let id = number("Fulfillment", &id)?;
        super::read(ctx, |shop| Some(Node::Fulfillment(Fulfillment::find(shop.owner_of(id)?, id)?)))
    }

    /// What is not there is null, in its place.
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> async_graphql::Result<Vec<Option<Node>>> {
        let mut nodes = Vec::new();
        for id in ids {
            nodes.push(self.node(ctx, id).await?);
        }
        Ok(nodes)
    }

    async fn product(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Product>> {
        let id = number("Product", &id)?;
        super::read(ctx, |shop| Product::find(shop, id))
    }

    /// In the order of their ids, whatever is asked for.
    #[allow(clippy::too_many_arguments)] // Shopify's
    async fn product_variants(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
        query: Option<String>,
        #[graphql(name = "sortKey")] _sort_key: Option<ProductVariantSortKeys>,
    ) -> async_graphql::Result<Page<ProductVariant>> {
        let found = super::read(ctx, |shop| search(shop, query.as_deref()))?;
        let found = by_id(found.into_iter().map(|it| (it.id, ProductVariant(it))));
        Wanted { first, after, last, before, reverse }.page(found)
    }

    async fn shop(&self, ctx: &Context<'_>) -> async_graphql::Result<Shop> {
        super::read(ctx, |shop| Shop::from(shop))
    }

    async fn current_app_installation(&self, ctx: &Context<'_>) -> async_graphql::Result<AppInstallation> {
        super::read(ctx, |shop| AppInstallation(shop.id))
    }

    async fn location(&self, ctx: &Context<'_>, id: Option<ID>) -> async_graphql::Result<Option<Location>> {
        let id = id.map(|id| number("Location", &id)).transpose()?;
        super::read(ctx, |shop| shop.locations.iter().find(|it| id.is_none_or(|id| it.id == id)).cloned().map(Location))
    }

    #[allow(clippy::too_many_arguments)] // Shopify's
    async fn locations(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
        include_inactive: Option<bool>,
    ) -> async_graphql::Result<Page<Location>> {
        let inactive = include_inactive.unwrap_or_default();
        let all = super::read(ctx, |shop| {
            by_id(shop.locations.iter().filter(|it| it.active || inactive).map(|it| (it.id, Location(it.clone()))))
        })?;
        Wanted { first, after, last, before, reverse }.page(all)
    }

    async fn metafield_definition(
        &self,
        ctx: &Context<'_>,
        identifier: Option<MetafieldDefinitionIdentifierInput>,
    ) -> async_graphql::Result<Option<MetafieldDefinition>> {
        let Some(wanted) = identifier else {
            return Ok(None);
        };
        let namespace = full_namespace(wanted.namespace.as_deref());
        super::read(ctx, |shop| {
            let found = shop.definition(&namespace, &wanted.key).filter(|it| it.owner_type == wanted.owner_type);
            found.map(MetafieldDefinition::from)
        })
    }

    #[allow(clippy::too_many_arguments)] // Shopify's
    async fn webhook_subscriptions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
        topics: Option<Vec<Topic>>,
        uri: Option<String>,
    ) -> async_graphql::Result<Page<WebhookSubscription>> {
        let all = super::read(ctx, |shop| {
            let wanted =
                shop.subscriptions.iter().filter(|it| topics.as_ref().is_none_or(|topics| topics.contains(&it.topic)));
            let wanted = wanted.filter(|it| uri.as_ref().is_none_or(|uri| *uri == it.uri));
            by_id(wanted.map(|it| (it.id, WebhookSubscription::from(it))))
        })?;
        Wanted { first, after, last, before, reverse }.page(all)
    }

    async fn webhook_subscription(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<Option<WebhookSubscription>> {
        let id = number("WebhookSubscription", &id)?;
        super::read(ctx, |shop| shop.subscriptions.iter().find(|it| it.id == id).map(WebhookSubscription::from))
    }
}
