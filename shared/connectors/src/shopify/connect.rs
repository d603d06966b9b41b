//! Connecting a shop: its facts, our metafield definition, our webhook subscriptions.

use std::collections::BTreeSet;

use roundtrip_domain::channel::{ChannelError, HasKeyDefinition, SubscriptionGap};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::{Clock, Credentials};
use roundtrip_domain::registry::{Location, ShopFacts};
use serde_json::{Value, json};

use super::ORDER_KEY;
use super::answer::{self, Asked};
use super::channel::{parse, unreadable};
use super::classify::{self, Operation};
use super::transport::ShopifyApi;
use super::webhook::TOPICS;
use super::wire::{
    DefinitionCreateData, ShopFactsData, SubscriptionCreateData, SubscriptionDeleteData, SubscriptionWire,
    SubscriptionsData,
};

const SHOP_FACTS: &str = include_str!("queries/shop_facts.graphql");
const DEFINITION_CREATE: &str = include_str!("queries/order_key_definition_create.graphql");
const SUBSCRIPTIONS: &str = include_str!("queries/webhook_subscriptions.graphql");
const SUBSCRIPTION_CREATE: &str = include_str!("queries/webhook_subscription_create.graphql");
const SUBSCRIPTION_DELETE: &str = include_str!("queries/webhook_subscription_delete.graphql");

impl<V: Credentials, K: Clock> ShopifyApi<V, K> {
    pub(super) async fn read_facts(&self, shop: &ShopDomain) -> Result<(ShopFacts, HasKeyDefinition), ChannelError> {
        let (data, answer): (ShopFactsData, _) = self.exchange(shop, Asked::Question, SHOP_FACTS, json!({})).await?;
        if data.locations.page_info.has_next_page {
            return Err(unreadable(shop, "more than 100 locations"));
        }
        let locations = data.locations.nodes.into_iter().map(|location| {
            Ok(Location { id: parse(shop, &location.id)?, name: location.name, active: location.is_active })
        });
        let facts = ShopFacts {
            name: data.shop.name,
            currency: parse(shop, &data.shop.currency_code)?,
            time_zone: data.shop.iana_timezone,
            contact_email: data.shop.contact_email,
            development: data.shop.plan.partner_development,
            points_per_second: answer::restore_rate(&answer).unwrap_or(ShopFacts::LEAST_POINTS_PER_SECOND),
            scopes: data.current_app_installation.access_scopes.into_iter().map(|scope| scope.handle).collect(),
            locations: locations.collect::<Result<_, ChannelError>>()?,
            connected_at: self.now(),
        };
        Ok((facts, HasKeyDefinition(data.metafield_definition.is_some())))
    }

    pub(super) async fn create_key_definition(&self, shop: &ShopDomain) -> Result<(), ChannelError> {
        let variables = json!({ "definition": {
            "name": "Roundtrip order key",
            "description": "Ties an order to the order in another store that it was made for. Do not change it.",
            "key": ORDER_KEY,
            "type": "id",
            "ownerType": "ORDER",
        } });
        let (data, request_id): (DefinitionCreateData, _) = self.send(shop, DEFINITION_CREATE, variables).await?;
        let errors = data.metafield_definition_create.user_errors;
        classify::check(shop, Operation::MetafieldDefinitionCreate, &errors, request_id)?;
        Ok(())
    }

    pub(super) async fn read_subscription_gaps(&self, shop: &ShopDomain) -> Result<Vec<SubscriptionGap>, ChannelError> {
        let uri = self.webhook_uri(shop)?;
        let there = self.subscriptions_to(shop, uri).await?;
        let gaps = TOPICS.iter().filter_map(|topic| {
            let mut of_topic = there.iter().filter(|there| there.topic == topic.subscription);
            let wrong = match of_topic.next() {
                Some(there) if there.is_as(topic.include_fields) => return None,
                there => there.map(|there| there.id.clone()),
            };
            Some(SubscriptionGap { topic: topic.name, wrong })
        });
        Ok(gaps.collect())
    }

    pub(super) async fn close_subscription_gap(
        &self,
        shop: &ShopDomain,
        gap: &SubscriptionGap,
    ) -> Result<(), ChannelError> {
        let uri = self.webhook_uri(shop)?;
        let Some(topic) = TOPICS.iter().find(|topic| topic.name == gap.topic) else {
            return Err(unreadable(shop, "a topic that is not ours"));
        };
        if let Some(id) = &gap.wrong {
            let (data, request_id): (SubscriptionDeleteData, _) =
                self.send(shop, SUBSCRIPTION_DELETE, json!({ "id": id })).await?;
            let errors = data.webhook_subscription_delete.user_errors;
            classify::check(shop, Operation::WebhookSubscriptionDelete, &errors, request_id)?;
        }
        let variables = json!({
            "topic": topic.subscription,
            "webhookSubscription": subscription_input(uri, topic.include_fields),
        });
        let (data, request_id): (SubscriptionCreateData, _) = self.send(shop, SUBSCRIPTION_CREATE, variables).await?;
        let errors = data.webhook_subscription_create.user_errors;
        classify::check(shop, Operation::WebhookSubscriptionCreate, &errors, request_id)?;
        Ok(())
    }

    fn webhook_uri(&self, shop: &ShopDomain) -> Result<&str, ChannelError> {
        self.config.webhook_url.as_deref().ok_or_else(|| ChannelError::Refused {
            shop: shop.clone(),
            code: Code::Rejected,
            message: "this function has no WEBHOOK_URL: see its environment in template.yaml".into(),
            request_id: None,
        })
    }

    /// Those that deliver to us; another stack of the same app may have its own.
    async fn subscriptions_to(&self, shop: &ShopDomain, uri: &str) -> Result<Vec<SubscriptionWire>, ChannelError> {
        let mut subscriptions = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let data: SubscriptionsData = self.ask(shop, SUBSCRIPTIONS, json!({ "after": after })).await?;
            let page = data.webhook_subscriptions;
            subscriptions.extend(page.nodes.into_iter().filter(|subscription| subscription.uri == uri));
            match page.page_info.end_cursor.filter(|_| page.page_info.has_next_page) {
                Some(cursor) => after = Some(cursor),
                None => return Ok(subscriptions),
            }
        }
    }
}

impl SubscriptionWire {
    /// Whether it delivers just `include_fields`, always, and as JSON. Shopify's own library for Node compares what the
    /// API lists with what is wanted in the same way.
    fn is_as(&self, include_fields: &[&str]) -> bool {
        let fields: BTreeSet<&str> = self.include_fields.iter().map(String::as_str).collect();
        let wanted: BTreeSet<&str> = include_fields.iter().copied().collect();
        let is_filtered = self.filter.as_deref().is_some_and(|filter| !filter.is_empty());
        fields == wanted && !is_filtered && self.format == "JSON"
    }
}

/// Only what a task needs travels: no name or address ever enters our queue or an access log.
fn subscription_input(uri: &str, include_fields: &[&str]) -> Value {
    let mut input = json!({ "uri": uri, "format": "JSON" });
    if !include_fields.is_empty() {
        input["includeFields"] = json!(include_fields);
    }
    input
}
