//! What the event bus carries: a rule of our own copies it to a queue of our own.

use aws_sdk_eventbridge::types::Target;
use roundtrip_aws::SdkConfig;
use roundtrip_domain::event::DomainEvent;
use serde_json::json;

use super::Described;
use super::tap::TapQueue;

/// Listens from the moment it is opened.
#[derive(Debug, Clone)]
pub struct EventTap {
    queue: TapQueue,
    bridge: aws_sdk_eventbridge::Client,
    bus: String,
    rule: String,
    shop: String,
}

impl EventTap {
    /// Listens to what happens in `shop`.
    ///
    /// # Panics
    /// If rule or queue cannot be made.
    pub async fn open(described: &Described, sdk: &SdkConfig, shop: &str) -> Self {
        let bridge = aws_sdk_eventbridge::Client::new(sdk);
        let rule = format!("kit-{}", shop.split('.').next().unwrap_or(shop));
        let queue = TapQueue::open(sdk, &rule).await;
        let pattern = json!({ "source": ["roundtrip"], "detail": { "shop": [shop] } });
        let put = bridge.put_rule().name(&rule).event_bus_name(&described.stack).event_pattern(pattern.to_string());
        put.send().await.expect("a rule is made");
        let target = Target::builder().id("queue").arn(&queue.arn).build().expect("id and ARN are set");
        let put = bridge.put_targets().rule(&rule).event_bus_name(&described.stack).targets(target);
        put.send().await.expect("the rule has its target");
        Self { queue, bridge, bus: described.stack.clone(), rule, shop: shop.to_owned() }
    }

    /// The events so far; each is given once.
    ///
    /// # Panics
    /// If the queue cannot be read, or holds what is no event of ours.
    pub async fn take(&self) -> Vec<DomainEvent> {
        let mut events = Vec::new();
        for envelope in self.queue.take().await {
            let event: DomainEvent = serde_json::from_value(envelope["detail"].clone()).expect("our event");
            assert_eq!(
                (&envelope["source"], &envelope["detail-type"]),
                (&json!("roundtrip"), &json!(event.kind.name()))
            );
            assert_eq!(event.shop.as_str(), self.shop);
            events.push(event);
        }
        events
    }

    /// Takes rule and queue away.
    ///
    /// # Panics
    /// If they cannot be.
    pub async fn close(self) {
        let remove = self.bridge.remove_targets().rule(&self.rule).event_bus_name(&self.bus).ids("queue");
        remove.send().await.expect("the target is removed");
        let delete = self.bridge.delete_rule().name(&self.rule).event_bus_name(&self.bus);
        delete.send().await.expect("the rule is deleted");
        self.queue.close().await;
    }
}
