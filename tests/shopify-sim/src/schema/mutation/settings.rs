//! Mutations of what a shop is set to: webhook subscriptions and metafield definitions.

use async_graphql::{Context, ID, Object, SimpleObject};
use jiff::Timestamp;

use super::super::errors::{MetafieldDefinitionCreateUserError, UserError, number};
use super::super::inputs::MetafieldDefinitionInput;
use super::super::metafield::MetafieldDefinition;
use super::super::webhook::{WebhookSubscription, WebhookSubscriptionInput, check};
use super::super::{Caller, change};
use crate::change::{Change, Refusal};
use crate::state::{self, full_namespace, gid};
use crate::webhooks::Topic;
use crate::words::{WebhookSubscriptionFormat, word};

#[derive(Default)]
pub(crate) struct Settings;

#[derive(SimpleObject)]
struct WebhookSubscriptionCreatePayload {
    webhook_subscription: Option<WebhookSubscription>,
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct WebhookSubscriptionUpdatePayload {
    webhook_subscription: Option<WebhookSubscription>,
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct WebhookSubscriptionDeletePayload {
    deleted_webhook_subscription_id: Option<ID>,
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct MetafieldDefinitionCreatePayload {
    created_definition: Option<MetafieldDefinition>,
    user_errors: Vec<MetafieldDefinitionCreateUserError>,
}

#[Object]
impl Settings {
    async fn webhook_subscription_create(
        &self,
        ctx: &Context<'_>,
        topic: Topic,
        webhook_subscription: WebhookSubscriptionInput,
    ) -> async_graphql::Result<Option<WebhookSubscriptionCreatePayload>> {
        let engine = &ctx.data::<Caller>()?.engine;
        let done = change(ctx, |change| {
            let uri = check(engine, change.shop, topic, &webhook_subscription, None)?;
            let now = crate::change::now();
            let new = state::WebhookSubscription {
                id: change.ids.take(),
                topic,
                uri,
                format: webhook_subscription.format.unwrap_or(WebhookSubscriptionFormat::Json),
                name: webhook_subscription.name,
                filter: webhook_subscription.filter,
                include_fields: webhook_subscription.include_fields.unwrap_or_default(),
                created_at: now,
                updated_at: now,
            };
            let shown = WebhookSubscription::from(&new);
            change.shop.subscriptions.push(new);
            Ok::<_, Refusal>(shown)
        })?;
        Ok(Some(match done {
            Ok(created) => {
                WebhookSubscriptionCreatePayload { webhook_subscription: Some(created), user_errors: Vec::new() }
            }
            Err(refusal) => {
                WebhookSubscriptionCreatePayload { webhook_subscription: None, user_errors: vec![refusal.into()] }
            }
        }))
    }

    async fn webhook_subscription_update(
        &self,
        ctx: &Context<'_>,
        id: ID,
        webhook_subscription: WebhookSubscriptionInput,
    ) -> async_graphql::Result<Option<WebhookSubscriptionUpdatePayload>> {
        let engine = &ctx.data::<Caller>()?.engine;
        let id = number("WebhookSubscription", &id)?;
        let done = change(ctx, |change| {
            let found = change.shop.subscriptions.iter().find(|it| it.id == id);
            let topic =
                found.map(|it| it.topic).ok_or_else(|| Refusal::new(&["id"], "Webhook subscription does not exist"))?;
            let uri = check(engine, change.shop, topic, &webhook_subscription, Some(id))?;
            let found = change.shop.subscriptions.iter_mut().find(|it| it.id == id);
            Ok::<_, Refusal>(found.map(|it| {
                it.uri = uri;
                it.updated_at = Timestamp::now();
                WebhookSubscription::from(&*it)
            }))
        })?;
        Ok(Some(match done {
            Ok(updated) => WebhookSubscriptionUpdatePayload { webhook_subscription: updated, user_errors: Vec::new() },
            Err(refusal) => {
                WebhookSubscriptionUpdatePayload { webhook_subscription: None, user_errors: vec![refusal.into()] }
            }
        }))
    }

    async fn webhook_subscription_delete(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<Option<WebhookSubscriptionDeletePayload>> {
        let number = number("WebhookSubscription", &id)?;
        let deleted = change(ctx, |change| {
            let before = change.shop.subscriptions.len();
            change.shop.subscriptions.retain(|it| it.id != number);
            before != change.shop.subscriptions.len()
        })?;
        let refusal = || vec![Refusal::new(&["id"], "Webhook subscription does not exist").into()];
        let user_errors = if deleted { Vec::new() } else { refusal() };
        let deleted = deleted.then(|| gid("WebhookSubscription", number).into());
        Ok(Some(WebhookSubscriptionDeletePayload { deleted_webhook_subscription_id: deleted, user_errors }))
    }

    async fn metafield_definition_create(
        &self,
        ctx: &Context<'_>,
        definition: MetafieldDefinitionInput,
    ) -> async_graphql::Result<Option<MetafieldDefinitionCreatePayload>> {
        Ok(Some(match change(ctx, |change| define(change, definition))? {
            Ok(created) => {
                MetafieldDefinitionCreatePayload { created_definition: Some(created), user_errors: Vec::new() }
            }
            Err(refusal) => {
                MetafieldDefinitionCreatePayload { created_definition: None, user_errors: vec![refusal.into()] }
            }
        }))
    }
}

fn define(change: &mut Change<'_>, input: MetafieldDefinitionInput) -> Result<MetafieldDefinition, Refusal> {
    let namespace = full_namespace(input.namespace.as_deref());
    if change.shop.definition(&namespace, &input.key).is_some() {
        let owner = word(input.owner_type);
        let owner = format!("{}{}", &owner[..1], owner[1..].to_lowercase());
        let message = format!("Key is in use for {owner} metafields on the '{namespace}' namespace.");
        return Err(Refusal::coded(&["definition", "key"], message, "TAKEN"));
    }
    let in_use = change
        .shop
        .orders
        .values()
        .any(|order| order.metafields.iter().any(|it| it.namespace == namespace && it.key == input.key));
    if in_use && input.kind == "id" {
        // Values that exist may not be unique. No recording known.
        let message = "Unstructured metafields already exist for this owner type, namespace, and key.";
        return Err(Refusal::coded(&["definition"], message, "UNSTRUCTURED_ALREADY_EXISTS"));
    }
    let created = state::MetafieldDefinition {
        id: change.ids.take(),
        owner_type: input.owner_type,
        namespace,
        key: input.key,
        name: input.name,
        kind: input.kind,
        created_at: Timestamp::now(),
    };
    let shown = MetafieldDefinition::from(&created);
    change.shop.definitions.push(created);
    Ok(shown)
}
