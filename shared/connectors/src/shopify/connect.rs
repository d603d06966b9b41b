//! Connecting a shop: its facts, our metafield definition, our webhook subscriptions.

use std::collections::BTreeSet;

use roundtrip_domain::channel::{ChannelError, HasKeyDefinition};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::{Clock, Credentials};
use roundtrip_domain::registry::{Location, ShopFacts};
use serde_json::{Value, json};

use super::ORDER_KEY;
use super::answer::{self, Asked};
use super::channel::{parse, unreadable};
use super::classify::{self, Done, Operation};
use super::transport::ShopifyApi;
use super::webhook::TOPICS;
use super::wire::{DefinitionCreateData, ShopFactsData, SubscriptionCreateData, SubscriptionsData};

const SHOP_FACTS: &str = include_str!("queries/shop_facts.graphql");
const DEFINITION_CREATE: &str = include_str!("queries/order_key_definition_create.graphql");
const SUBSCRIPTIONS: &str = include_str!("queries/webhook_subscriptions.graphql");
const SUBSCRIPTION_CREATE: &str = include_str!("queries/webhook_subscription_create.graphql");

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

    pub(super) async fn create_subscriptions(&self, shop: &ShopDomain) -> Result<u32, ChannelError> {
        let Some(uri) = self.config.webhook_url.as_deref() else {
            return Err(ChannelError::Refused {
                shop: shop.clone(),
                code: Code::Rejected,
                message: "this function has no WEBHOOK_URL: see its environment in template.yaml".into(),
                request_id: None,
            });
        };
        let there = self.subscribed_topics(shop, uri).await?;
        let mut created = 0;
        for topic in TOPICS.iter().filter(|topic| !there.contains(topic.subscription)) {
            let variables = json!({
                "topic": topic.subscription,
                "webhookSubscription": subscription_input(uri, topic.include_fields),
            });
            let (data, request_id): (SubscriptionCreateData, _) =
                self.send(shop, SUBSCRIPTION_CREATE, variables).await?;
            let errors = data.webhook_subscription_create.user_errors;
            match classify::check(shop, Operation::WebhookSubscriptionCreate, &errors, request_id)? {
                Done::Now => created += 1,
                Done::Before => {}
            }
        }
        Ok(created)
    }

    async fn subscribed_topics(&self, shop: &ShopDomain, uri: &str) -> Result<BTreeSet<String>, ChannelError> {
        let mut topics = BTreeSet::new();
        let mut after: Option<String> = None;
        loop {
            let data: SubscriptionsData = self.ask(shop, SUBSCRIPTIONS, json!({ "after": after })).await?;
            let page = data.webhook_subscriptions;
            topics.extend(page.nodes.into_iter().filter(|s| s.uri == uri).map(|s| s.topic));
            match page.page_info.end_cursor.filter(|_| page.page_info.has_next_page) {
                Some(cursor) => after = Some(cursor),
                None => return Ok(topics),
            }
        }
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
