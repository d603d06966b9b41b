//! What people are told: a queue of our own has subscribed to their topic.

use aws_sdk_sqs::types::QueueAttributeName;
use roundtrip_aws::SdkConfig;
use serde_json::{Value, json};

use super::Described;
use super::tap::TapQueue;

/// Listens from the moment it is opened.
#[derive(Debug, Clone)]
pub struct NotificationTap {
    sns: aws_sdk_sns::Client,
    queue: TapQueue,
    subscription: String,
}

impl NotificationTap {
    /// Subscribes.
    ///
    /// # Panics
    /// If queue or subscription cannot be made.
    pub async fn open(described: &Described, sdk: &SdkConfig) -> Self {
        let sns = aws_sdk_sns::Client::new(sdk);
        let queue = TapQueue::open(sdk, "kit-notifications").await;
        let topic = &described.topics["notifications"];
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage",
            "Resource": queue.arn, "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
        }] });
        let set = queue.sqs.set_queue_attributes().queue_url(&queue.url);
        let set = set.attributes(QueueAttributeName::Policy, policy.to_string()).send().await;
        set.expect("the topic may send to the queue");
        let subscribe = sns.subscribe().topic_arn(topic).protocol("sqs");
        let subscribed = subscribe.endpoint(&queue.arn).return_subscription_arn(true).send().await;
        let subscription = subscribed.expect("the topic takes the queue").subscription_arn.expect("an ARN");
        Self { sns, queue, subscription }
    }

    /// Subject and text of each notification so far; each is given once.
    ///
    /// # Panics
    /// If the queue cannot be read.
    pub async fn take(&self) -> Vec<(String, String)> {
        let envelopes = self.queue.take().await.into_iter();
        let text = |envelope: &Value, field: &str| envelope[field].as_str().unwrap_or_default().to_owned();
        envelopes.map(|envelope| (text(&envelope, "Subject"), text(&envelope, "Message"))).collect()
    }

    /// Takes subscription and queue away.
    ///
    /// # Panics
    /// If they cannot be.
    pub async fn close(self) {
        self.sns.unsubscribe().subscription_arn(&self.subscription).send().await.expect("it is unsubscribed");
        self.queue.close().await;
    }
}
