//! A queue of our own, to which somebody copies what we listen to.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use roundtrip_aws::SdkConfig;
use serde_json::Value;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct TapQueue {
    pub(super) sqs: Client,
    pub(super) url: String,
    pub(super) arn: String,
}

impl TapQueue {
    pub(super) async fn open(sdk: &SdkConfig, name: &str) -> Self {
        let sqs = Client::new(sdk);
        let queue = sqs.create_queue().queue_name(name).send().await.expect("a queue is made");
        let url = queue.queue_url.expect("a queue has a URL");
        let arn = QueueAttributeName::QueueArn;
        let asked = sqs.get_queue_attributes().queue_url(&url).attribute_names(arn.clone());
        let mut attributes = asked.send().await.expect("the queue says its ARN").attributes.unwrap_or_default();
        let arn = attributes.remove(&arn).expect("an ARN");
        Self { sqs, url, arn }
    }

    /// The bodies so far; each is given once.
    pub(super) async fn take(&self) -> Vec<Value> {
        let mut bodies = Vec::new();
        loop {
            let received = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(10).send().await;
            let messages = received.expect("the queue can be read").messages.unwrap_or_default();
            if messages.is_empty() {
                return bodies;
            }
            for message in messages {
                bodies.push(serde_json::from_str(&message.body.unwrap_or_default()).expect("a body is JSON"));
                let receipt = message.receipt_handle.unwrap_or_default();
                let deleted = self.sqs.delete_message().queue_url(&self.url).receipt_handle(receipt).send().await;
                deleted.expect("a message can be deleted");
            }
        }
    }

    pub(super) async fn close(self) {
        self.sqs.delete_queue().queue_url(&self.url).send().await.expect("the queue is deleted");
    }
}
