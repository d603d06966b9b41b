//! The work queues and their dead-letter queues on SQS.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityError;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use futures_util::future::join_all;
use jiff::Timestamp;
use roundtrip_domain::ports::{Letter, Letters, ParkedMessage, QueueError, Tasks};
use roundtrip_domain::task::{Queue, Task};

/// The message attribute that carries a webhook's event id, or a request's id.
pub const CAUSE_ID: &str = "cause_id";

/// Where the queues are. A function has only those that it may send to.
#[derive(Debug, Clone, Default)]
pub struct QueueUrls {
    pub work: BTreeMap<Queue, String>,
    pub dead_letter: BTreeMap<Queue, String>,
}

/// The `Tasks` port on SQS.
#[derive(Debug, Clone)]
pub struct SqsTasks {
    client: Client,
    urls: QueueUrls,
}

impl SqsTasks {
    /// Sends to `urls`.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig, urls: QueueUrls) -> Self {
        Self { client: Client::new(config), urls }
    }

    /// Opens the connection that the first message will go by. SQS refuses a batch without entries, so nothing is sent,
    /// and the right to send a message is all that it takes.
    /// Source: SQS Developer Guide, "Amazon SQS batch actions"; API Reference, `SendMessageBatch`.
    pub async fn warm_up(&self) {
        let Some(url) = self.urls.work.values().next() else { return };
        // Refused or not, the connection is open then. If it is not, the first message will say why.
        let _ = self.client.send_message_batch().queue_url(url).set_entries(Some(Vec::new())).send().await;
    }

    fn url(urls: &BTreeMap<Queue, String>, queue: Queue) -> Result<&str, QueueError> {
        urls.get(&queue).map(String::as_str).ok_or_else(|| QueueError {
            queue,
            source: "this function has no URL for it: see its environment in template.yaml".into(),
        })
    }
}

impl Tasks for SqsTasks {
    async fn send(&self, queue: Queue, task: &Task) -> Result<(), QueueError> {
        self.send_later(queue, task, Duration::ZERO).await
    }

    async fn send_later(&self, queue: Queue, task: &Task, delay: Duration) -> Result<(), QueueError> {
        let body = serde_json::to_string(task).map_err(|error| QueueError { queue, source: error.into() })?;
        self.client
            .send_message()
            .queue_url(Self::url(&self.urls.work, queue)?)
            // Fair queues: one shop's flood does not delay the others.
            .message_group_id(task.subject.shop().as_str())
            .set_delay_seconds(delay_seconds(delay))
            .set_message_attributes(Some(attributes(task)))
            .message_body(body)
            .send()
            .await
            .map_err(|error| QueueError { queue, source: Box::new(error) })?;
        Ok(())
    }

    async fn park(&self, queue: Queue, message: &ParkedMessage) -> Result<(), QueueError> {
        let body = serde_json::to_string(message).map_err(|error| QueueError { queue, source: error.into() })?;
        let shop = message.task.subject.shop().as_str();
        self.client
            .send_message()
            .queue_url(Self::url(&self.urls.dead_letter, queue)?)
            .message_group_id(shop)
            .message_attributes("code", attribute(message.code.name()))
            .message_attributes("shop", attribute(shop))
            .message_attributes("step", attribute(&message.step.to_string()))
            .message_body(body)
            .send()
            .await
            .map_err(|error| QueueError { queue, source: Box::new(error) })?;
        Ok(())
    }
}

/// What set the task off, beside its body: for whoever reads a queue without reading bodies, and for a worker that cannot
/// understand the body. SQS takes no empty value.
fn attributes(task: &Task) -> HashMap<String, MessageAttributeValue> {
    let told = [(CAUSE_ID, task.cause_id.clone()), ("trigger", task.trigger.to_string())];
    let told = told.into_iter().filter(|(_, value)| !value.is_empty());
    told.map(|(name, value)| (name.to_owned(), attribute(&value))).collect()
}

/// How long a letter that is looked at is hidden: so long that one run does not get it twice. At its end the run shows it
/// again; one that dies hides it no longer than this.
const HIDDEN_SECS: i32 = 20;

impl Letters for SqsTasks {
    async fn receive(&self, queue: Queue) -> Result<Vec<Letter>, QueueError> {
        let receive = self.client.receive_message().queue_url(Self::url(&self.urls.dead_letter, queue)?);
        let receive = receive
            .max_number_of_messages(10)
            .visibility_timeout(HIDDEN_SECS)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let received = receive.send().await.map_err(|error| QueueError { queue, source: Box::new(error) })?;
        Ok(received.messages.unwrap_or_default().into_iter().filter_map(letter).collect())
    }

    async fn show_again(&self, queue: Queue, letters: &[Letter]) -> Result<(), QueueError> {
        let url = Self::url(&self.urls.dead_letter, queue)?;
        // No batch: the local engine refuses one to every role, so that nothing would show that the real role is enough.
        for ten in letters.chunks(10) {
            let shown = ten.iter().map(|letter| {
                let change = self.client.change_message_visibility().queue_url(url);
                change.receipt_handle(&letter.receipt).visibility_timeout(0).send()
            });
            for shown in join_all(shown).await {
                match shown {
                    Err(error) if !error.as_service_error().is_some_and(is_not_held) => {
                        return Err(QueueError { queue, source: Box::new(error) });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    async fn remove(&self, queue: Queue, letter: &Letter) -> Result<(), QueueError> {
        let delete = self.client.delete_message().queue_url(Self::url(&self.urls.dead_letter, queue)?);
        let deleted = delete.receipt_handle(&letter.receipt).send().await;
        deleted.map(|_| ()).map_err(|error| QueueError { queue, source: Box::new(error) })
    }
}

/// Whether its time is over, or somebody else got it meanwhile: it shows itself again then.
fn is_not_held(error: &ChangeMessageVisibilityError) -> bool {
    error.is_message_not_inflight() || error.is_receipt_handle_is_invalid()
}

fn letter(message: Message) -> Option<Letter> {
    let sent = message.attributes.as_ref().and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
    // Without a time it is none of SQS's; the epoch makes it the oldest, which is done with first.
    let sent_at = sent.and_then(|millis| Timestamp::from_millisecond(millis.parse().ok()?).ok());
    Some(Letter {
        receipt: message.receipt_handle?,
        sent_at: sent_at.unwrap_or(Timestamp::UNIX_EPOCH),
        body: message.body.unwrap_or_default(),
    })
}

/// `None`: none; the queue's own is zero. Source: SQS API, `DelaySeconds`, 0 to 900.
fn delay_seconds(delay: Duration) -> Option<i32> {
    i32::try_from(delay.as_secs().min(900)).ok().filter(|seconds| *seconds > 0)
}

fn attribute(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().expect("the data type is set")
}

#[cfg(test)]
mod tests {
    use roundtrip_domain::id::ShopDomain;
    use roundtrip_domain::task::{Subject, Trigger};

    use super::*;

    fn told(cause_id: &str) -> BTreeMap<String, String> {
        let shop: ShopDomain = "moon.myshopify.com".parse().unwrap();
        let attributes = attributes(&Task::new(Trigger::Webhook, cause_id, Subject::Shop { shop }));
        attributes.into_iter().map(|(name, value)| (name, value.string_value.unwrap())).collect()
    }

    #[test]
    fn a_message_says_beside_its_body_what_set_it_off() {
        assert_eq!(
            told("e-1"),
            BTreeMap::from([("cause_id".into(), "e-1".into()), ("trigger".into(), "webhook".into())])
        );
        assert_eq!(told("").len(), 1, "SQS takes no empty value");
    }
}
