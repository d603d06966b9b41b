//! Webhook subscriptions.

use async_graphql::{ID, InputObject, SimpleObject};

use super::scalars::{DateTime, UnsignedInt64};
use crate::change::Refusal;
use crate::engine::Engine;
use crate::state::{self, Shop, gid};
use crate::webhooks::Topic;
use crate::words::WebhookSubscriptionFormat;

#[derive(SimpleObject)]
pub(crate) struct ApiVersion {
    handle: String,
}

#[derive(SimpleObject)]
pub(crate) struct WebhookSubscription {
    id: ID,
    legacy_resource_id: UnsignedInt64,
    topic: Topic,
    uri: String,
    format: WebhookSubscriptionFormat,
    name: Option<String>,
    filter: Option<String>,
    include_fields: Vec<String>,
    metafield_namespaces: Vec<String>,
    api_version: ApiVersion,
    created_at: DateTime,
    updated_at: DateTime,
}

impl From<&state::WebhookSubscription> for WebhookSubscription {
    fn from(it: &state::WebhookSubscription) -> Self {
        Self {
            id: gid("WebhookSubscription", it.id).into(),
            legacy_resource_id: UnsignedInt64(it.id),
            topic: it.topic,
            uri: it.uri.clone(),
            format: it.format,
            name: it.name.clone(),
            filter: it.filter.clone(),
            include_fields: it.include_fields.clone(),
            metafield_namespaces: Vec::new(),
            api_version: ApiVersion { handle: "2026-10".to_owned() },
            created_at: DateTime(it.created_at),
            updated_at: DateTime(it.updated_at),
        }
    }
}

/// Filters and included fields are remembered and shown, but bodies are always sent whole and always.
#[derive(InputObject)]
pub(crate) struct WebhookSubscriptionInput {
    pub(crate) uri: Option<String>,
    pub(crate) format: Option<WebhookSubscriptionFormat>,
    pub(crate) filter: Option<String>,
    pub(crate) include_fields: Option<Vec<String>>,
    pub(crate) metafield_namespaces: Option<Vec<String>>,
    pub(crate) name: Option<String>,
}

/// Whether a shop may be told to send a topic there.
///
/// Source of the messages and of the field, which still has the argument's old name: live answers of
/// `webhookSubscriptionCreate`, 2026-04.
pub(crate) fn check(
    engine: &Engine,
    shop: &Shop,
    topic: Topic,
    input: &WebhookSubscriptionInput,
    own_id: Option<u64>,
) -> Result<String, Refusal> {
    let refuse = |message: &str| Err(Refusal::new(&["webhookSubscription", "callbackUrl"], message));
    let uri = input.uri.clone().unwrap_or_default();
    if uri.starts_with("arn:") || uri.starts_with("pubsub://") {
        return refuse("Address is not a valid AWS ARN"); // no cloud here to send to
    }
    let Ok(parsed) = reqwest::Url::parse(&uri) else {
        return refuse("Address is invalid");
    };
    let host = parsed.host_str().unwrap_or_default();
    if parsed.scheme() == "http" && !engine.config.allow_http {
        return refuse("Address protocol http:// is not supported");
    }
    if !matches!(parsed.scheme(), "http" | "https") || host.is_empty() {
        return refuse("Address is invalid");
    }
    let shopifys = ["shopify.com", "myshopify.com", "shopify.io"]
        .iter()
        .any(|domain| host == *domain || host.ends_with(&format!(".{domain}")));
    let internal =
        host == "localhost" || host.ends_with(".localhost") || host.ends_with(".internal") || host.ends_with(".local");
    if shopifys || (internal && !engine.config.allow_http) {
        return refuse("Address cannot be a Shopify or an internal domain");
    }
    let others = shop.subscriptions.iter().filter(|it| Some(it.id) != own_id);
    for other in others {
        if other.topic == topic && other.uri == uri {
            return refuse("Address for this topic has already been taken");
        }
        if input.name.is_some() && other.name == input.name {
            return Err(Refusal::new(&["webhookSubscription", "name"], "Name already exists, no duplicate allowed"));
        }
    }
    Ok(uri)
}
