//! What the event bus carries: a rule of our own copies it to a queue of our own.

use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use roundtrip_aws::SdkConfig;
use roundtrip_domain::event::DomainEvent;
use serde_json::{Value, json};

use super::Described;

/// Listens from the moment it is opened.
#[derive(Debug, Clone)]
pub struct EventTap {
    sqs: aws_sdk_sqs::Client,
    bridge: aws_sdk_eventbridge::Client,
    bus: String,
    rule: String,
    queue_url: String,
    shop: String,
}

impl EventTap {
    /// Listens to what happens in `shop`.
    ///
    /// # Panics
    /// If rule or queue cannot be made.
    pub async fn open(described: &Described, sdk: &SdkConfig, shop: &str) -> Self {
        let (sqs, bridge) = (aws_sdk_sqs::Client::new(sdk), aws_sdk_eventbridge::Client::new(sdk));
        let rule = format!("kit-{}", shop.split('.').next().unwrap_or(shop));
        let queue = sqs.create_queue().queue_name(&rule).send().await.expect("a queue is made");
        let queue_url = queue.queue_url.expect("a queue has a URL");
        let arn = QueueAttributeName::QueueArn;
        let asked = sqs.get_queue_attributes().queue_url(&queue_url).attribute_names(arn.clone());
        let attributes = asked.send().await.expect("the queue says its ARN").attributes.unwrap_or_default();
        let pattern = json!({ "source": ["roundtrip"], "detail": { "shop": [shop] } });
        let put = bridge.put_rule().name(&rule).event_bus_name(&described.stack).event_pattern(pattern.to_string());
        put.send().await.expect("a rule is made");
        let target = Target::builder().id("queue").arn(&attributes[&arn]).build().expect("id and ARN are set");
        let put = bridge.put_targets().rule(&rule).event_bus_name(&described.stack).targets(target);
        put.send().await.expect("the rule has its target");
        Self { sqs, bridge, bus: described.stack.clone(), rule, queue_url, shop: shop.to_owned() }
    }

    /// The events so far; each is given once.
    ///
    /// # Panics
    /// If the queue cannot be read, or holds what is no event of ours.
    pub async fn take(&self) -> Vec<DomainEvent> {
        let mut events = Vec::new();
        loop {
            let received =
                self.sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10).send().await;
            let messages = received.expect("the queue can be read").messages.unwrap_or_default();
            if messages.is_empty() {
                return events;
            }
            for message in messages {
                let envelope: Value =
                    serde_json::from_str(&message.body.unwrap_or_default()).expect("an event is JSON");
                let event: DomainEvent = serde_json::from_value(envelope["detail"].clone()).expect("our event");
                assert_eq!(
                    (&envelope["source"], &envelope["detail-type"]),
                    (&json!("roundtrip"), &json!(event.kind.name()))
                );
                assert_eq!(event.shop.as_str(), self.shop);
                events.push(event);
                let receipt = message.receipt_handle.unwrap_or_default();
                let deleted = self.sqs.delete_message().queue_url(&self.queue_url).receipt_handle(receipt).send().await;
                deleted.expect("a message can be deleted");
            }
        }
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
        self.sqs.delete_queue().queue_url(&self.queue_url).send().await.expect("the queue is deleted");
    }
}
