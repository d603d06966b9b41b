//! What people are told: a queue of our own has subscribed to their topic.

use aws_sdk_sqs::types::QueueAttributeName;
use roundtrip_aws::SdkConfig;
use serde_json::{Value, json};

use super::Described;

/// Listens from the moment it is opened.
#[derive(Debug, Clone)]
pub struct NotificationTap {
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
    subscription: String,
    queue_url: String,
}

impl NotificationTap {
    /// Subscribes.
    ///
    /// # Panics
    /// If queue or subscription cannot be made.
    pub async fn open(described: &Described, sdk: &SdkConfig) -> Self {
        let (sns, sqs) = (aws_sdk_sns::Client::new(sdk), aws_sdk_sqs::Client::new(sdk));
        let queue = sqs.create_queue().queue_name("kit-notifications").send().await.expect("a queue is made");
        let queue_url = queue.queue_url.expect("a queue has a URL");
        let arn = QueueAttributeName::QueueArn;
        let asked = sqs.get_queue_attributes().queue_url(&queue_url).attribute_names(arn.clone());
        let attributes = asked.send().await.expect("the queue says its ARN").attributes.unwrap_or_default();
        let topic = &described.topics["notifications"];
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage",
            "Resource": attributes[&arn], "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
        }] });
        let set = sqs.set_queue_attributes().queue_url(&queue_url);
        let set = set.attributes(QueueAttributeName::Policy, policy.to_string()).send().await;
        set.expect("the topic may send to the queue");
        let subscribe = sns.subscribe().topic_arn(topic).protocol("sqs");
        let subscribed = subscribe.endpoint(&attributes[&arn]).return_subscription_arn(true).send().await;
        let subscription = subscribed.expect("the topic takes the queue").subscription_arn.expect("an ARN");
        Self { sns, sqs, subscription, queue_url }
    }

    /// Subject and text of each notification so far; each is given once.
    ///
    /// # Panics
    /// If the queue cannot be read.
    pub async fn take(&self) -> Vec<(String, String)> {
        let mut told = Vec::new();
        loop {
            let received =
                self.sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10).send().await;
            let messages = received.expect("the queue can be read").messages.unwrap_or_default();
            if messages.is_empty() {
                return told;
            }
            for message in messages {
                let envelope: Value = serde_json::from_str(&message.body.unwrap_or_default()).expect("SNS sends JSON");
                let text = |field: &str| envelope[field].as_str().unwrap_or_default().to_owned();
                told.push((text("Subject"), text("Message")));
                let receipt = message.receipt_handle.unwrap_or_default();
                let deleted = self.sqs.delete_message().queue_url(&self.queue_url).receipt_handle(receipt).send().await;
                deleted.expect("a message can be deleted");
            }
        }
    }

    /// Takes subscription and queue away.
    ///
    /// # Panics
    /// If they cannot be.
    pub async fn close(self) {
        self.sns.unsubscribe().subscription_arn(&self.subscription).send().await.expect("it is unsubscribed");
        self.sqs.delete_queue().queue_url(&self.queue_url).send().await.expect("the queue is deleted");
    }
}
