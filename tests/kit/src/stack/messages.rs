//! What lies in the queues.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use roundtrip_aws::SdkConfig;
use serde_json::Value;

use super::Described;

/// The work queues and the dead-letter queues.
#[derive(Debug, Clone)]
pub struct Messages {
    client: Client,
    work: BTreeMap<String, String>,
    dead_letter: BTreeMap<String, String>,
}

impl Messages {
    pub(super) fn new(described: &Described, sdk: &SdkConfig) -> Self {
        Self { client: Client::new(sdk), work: described.queues.clone(), dead_letter: described.dlqs.clone() }
    }

    /// Messages in a queue: waiting, and being handled.
    async fn count(&self, url: &str) -> u32 {
        let waiting = QueueAttributeName::ApproximateNumberOfMessages;
        let handled = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        let names = [waiting.clone(), handled.clone()];
        let answer = self.client.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
        let attributes = answer.send().await.expect("the queue tells its numbers").attributes.unwrap_or_default();
        [waiting, handled].iter().filter_map(|name| attributes.get(name)?.parse::<u32>().ok()).sum()
    }

    /// What is left, by queue; dead-letter queues under `<name>-dlq`.
    pub async fn left(&self) -> BTreeMap<String, u32> {
        let mut left = BTreeMap::new();
        let dead = self.dead_letter.iter().map(|(name, url)| (format!("{name}-dlq"), url));
        for (name, url) in self.work.iter().map(|(name, url)| (name.clone(), url)).chain(dead) {
            let count = self.count(url).await;
            if count > 0 {
                left.insert(name, count);
            }
        }
        left
    }

    /// Waits until the work queues are empty.
    ///
    /// # Panics
    /// If they are not within `limit`.
    pub async fn settle(&self, limit: Duration) {
        let start = Instant::now();
        loop {
            let left: BTreeMap<_, _> =
                self.left().await.into_iter().filter(|(name, _)| !name.ends_with("-dlq")).collect();
            if left.is_empty() {
                return;
            }
            assert!(start.elapsed() < limit, "after {limit:?} there is still work: {left:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Puts messages on a work queue, ten at a time.
    ///
    /// # Panics
    /// If the queue does not take them.
    pub async fn send(&self, queue: &str, bodies: &[String]) {
        for ten in bodies.chunks(10) {
            let entries = ten.iter().enumerate().map(|(n, body)| {
                let entry = SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body(body);
                entry.build().expect("id and body are set")
            });
            let sent = self.client.send_message_batch().queue_url(&self.work[queue]);
            let sent = sent.set_entries(Some(entries.collect())).send().await.expect("the queue takes messages");
            assert!(sent.failed().is_empty(), "{:?}", sent.failed());
        }
    }

    /// Forgets all that lies on a work queue, also what is being handled.
    ///
    /// # Panics
    /// If the queue cannot be emptied.
    pub async fn purge(&self, queue: &str) {
        self.client.purge_queue().queue_url(&self.work[queue]).send().await.expect("the queue can be emptied");
    }

    /// Takes every message about `shop` off a dead-letter queue; others stay. What the sweep looks at just now is waited for.
    ///
    /// # Panics
    /// If the queue cannot be read, or somebody else keeps its messages.
    pub async fn take_dead_letters(&self, queue: &str, shop: &str) -> Vec<Value> {
        let url = &self.dead_letter[queue];
        let (mut bodies, mut others) = (Vec::new(), Vec::new());
        let start = Instant::now();
        loop {
            let receive = self.client.receive_message().queue_url(url).message_attribute_names("All");
            let received = receive.max_number_of_messages(10).visibility_timeout(120).send().await;
            let messages = received.expect("the queue can be read").messages.unwrap_or_default();
            if messages.is_empty() {
                if self.count(url).await as usize <= others.len() {
                    break;
                }
                assert!(start.elapsed() < Duration::from_secs(60), "somebody keeps messages of {queue}-dlq");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            for message in messages {
                let mut body: Value = serde_json::from_str(&message.body.unwrap_or_default()).unwrap_or(Value::Null);
                for (name, value) in message.message_attributes.unwrap_or_default() {
                    body["attributes"][name] = value.string_value.into();
                }
                let receipt = message.receipt_handle.unwrap_or_default();
                if body["task"]["subject"]["shop"] == shop {
                    let deleted = self.client.delete_message().queue_url(url).receipt_handle(receipt).send().await;
                    deleted.expect("a message can be deleted");
                    bodies.push(body);
                } else {
                    others.push(receipt);
                }
            }
        }
        // For whoever asks next.
        for receipt in others {
            let shown = self.client.change_message_visibility().queue_url(url).receipt_handle(receipt);
            shown.visibility_timeout(0).send().await.expect("a message can be shown again");
        }
        bodies
    }
}
