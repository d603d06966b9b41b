//! One webhook on its way: sent, retried, given up, and what became of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{Event, Topic, sign};
use crate::engine::Engine;
use crate::faults::WebhookFault;
use crate::state::{Ids, Shop};

/// The version that webhooks are written in.
const API_VERSION: &str = "2026-10";
/// How long a webhook that is to be overtaken waits for the one that overtakes it.
const OVERTAKEN_WITHIN: Duration = Duration::from_secs(5);

/// What is known of one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// `X-Shopify-Webhook-Id`: the same in every attempt.
    pub webhook_id: String,
    /// `X-Shopify-Event-Id`: the same for every subscription.
    pub event_id: String,
    pub shop: String,
    pub topic: Topic,
    pub uri: String,
    pub subscription_id: u64,
    pub triggered_at: Timestamp,
    /// The raw body, as signed.
    pub body: String,
    pub attempts: Vec<Attempt>,
    /// Nothing more will be sent by itself.
    pub finished: bool,
}

/// One POST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub at: Timestamp,
    /// `None`: no answer.
    pub status: Option<u16>,
}

impl Attempt {
    /// Whether Shopify would take it as received.
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl Delivery {
    /// Whether any attempt was received.
    pub fn is_delivered(&self) -> bool {
        self.attempts.iter().any(Attempt::is_success)
    }
}

/// All deliveries so far.
#[derive(Default)]
pub(crate) struct Deliveries {
    /// By webhook id, which ascend.
    list: Mutex<BTreeMap<String, Delivery>>,
    /// Wakes whoever waits to be overtaken.
    sent: Notify,
}

impl Deliveries {
    fn list(&self) -> MutexGuard<'_, BTreeMap<String, Delivery>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.list().values().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.list().retain(|_, delivery| !delivery.finished);
    }

    /// Writes down what must be sent to whom. Returns the new deliveries' webhook ids.
    pub(crate) fn prepare(&self, shop: &Shop, ids: &mut Ids, events: Vec<Event>) -> Vec<String> {
        let mut due = Vec::new();
        for event in events {
            let subscribers: Vec<_> = shop.subscriptions.iter().filter(|it| it.topic == event.topic).collect();
            if subscribers.is_empty() {
                continue;
            }
            let event_id = uuid(ids);
            for subscription in subscribers {
                let webhook_id = uuid(ids);
                due.push(webhook_id.clone());
                let delivery = Delivery {
                    webhook_id: webhook_id.clone(),
                    event_id: event_id.clone(),
                    shop: shop.domain.clone(),
                    topic: event.topic,
                    uri: subscription.uri.clone(),
                    subscription_id: subscription.id,
                    triggered_at: event.at,
                    body: event.body.to_string(),
                    attempts: Vec::new(),
                    finished: false,
                };
                self.list().insert(webhook_id, delivery);
            }
        }
        due
    }

    fn get(&self, webhook_id: &str) -> Option<Delivery> {
        self.list().get(webhook_id).cloned()
    }

    fn update(&self, webhook_id: &str, change: impl FnOnce(&mut Delivery)) {
        if let Some(delivery) = self.list().get_mut(webhook_id) {
            change(delivery);
        }
    }
}

/// Sends a webhook until it is received or given up.
pub(crate) async fn deliver(engine: Arc<Engine>, webhook_id: String) {
    let Some(delivery) = engine.deliveries.get(&webhook_id) else {
        return;
    };
    let overtaken = engine.deliveries.sent.notified(); // from now on, so that none is missed
    match engine.faults.webhook_fault(&delivery.shop, delivery.topic) {
        Some(WebhookFault::Drop) => {
            engine.deliveries.update(&webhook_id, |it| it.finished = true);
            return;
        }
        Some(WebhookFault::Double) => {
            attempt(&engine, &delivery).await;
        }
        Some(WebhookFault::Delay { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Some(WebhookFault::Reorder) => {
            let _ = tokio::time::timeout(OVERTAKEN_WITHIN, overtaken).await; // alone: sent late all the same
        }
        None => {}
    }
    let mut pauses = engine.config.webhook_retry.iter();
    let received = loop {
        if attempt(&engine, &delivery).await {
            break true;
        }
        match pauses.next() {
            Some(pause) => tokio::time::sleep(*pause).await,
            None => break false,
        }
        let installed = engine.shop(&delivery.shop, |shop| shop.installed) == Some(true);
        if !installed && delivery.topic != Topic::AppUninstalled {
            break true; // uninstalled meanwhile: nobody to tell
        }
    };
    engine.deliveries.update(&webhook_id, |it| it.finished = true);
    if !received {
        let mut world = engine.world();
        if let Some(shop) = world.shops.get_mut(&delivery.shop) {
            shop.subscriptions.retain(|it| it.id != delivery.subscription_id);
        }
    }
}

/// Sends a webhook once more, as Shopify sometimes does by itself. `false`: there is no such webhook.
pub(crate) async fn redeliver(engine: &Arc<Engine>, webhook_id: &str) -> bool {
    let Some(delivery) = engine.deliveries.get(webhook_id) else {
        return false;
    };
    attempt(engine, &delivery).await;
    true
}

/// One POST; whether it was received.
async fn attempt(engine: &Engine, delivery: &Delivery) -> bool {
    let request = engine.http.post(&delivery.uri);
    let request = request
        .header("Content-Type", "application/json")
        .header("User-Agent", "Shopify-Captain-Hook")
        .header("X-Shopify-Topic", delivery.topic.slashed())
        .header("X-Shopify-Hmac-Sha256", sign(delivery.body.as_bytes(), &engine.config.client_secret))
        .header("X-Shopify-Shop-Domain", &delivery.shop)
        .header("X-Shopify-API-Version", API_VERSION)
        .header("X-Shopify-Webhook-Id", &delivery.webhook_id)
        .header("X-Shopify-Event-Id", &delivery.event_id)
        .header("X-Shopify-Triggered-At", delivery.triggered_at.to_string());
    let status = match request.body(delivery.body.clone()).send().await {
        Ok(answer) => Some(answer.status().as_u16()),
        Err(_) => None,
    };
    let attempt = Attempt { at: Timestamp::now(), status };
    let received = attempt.is_success();
    engine.deliveries.update(&delivery.webhook_id, |it| it.attempts.push(attempt));
    engine.deliveries.sent.notify_waiters();
    received
}

/// An id in the shape of Shopify's.
fn uuid(ids: &mut Ids) -> String {
    let number = ids.take();
    format!("{:08x}-{:04x}-4000-8000-{number:012x}", number as u32, (number >> 32) as u16)
}
