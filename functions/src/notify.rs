//! `notify`: tells people, by mail and in their chat, of alarms and of what happened that they have to know: what it is, how
//! much of it, since when, at which stores, and what to type.

mod message;

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sns::SnsEvent;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use roundtrip_api::incidents::IncidentsAnswer;
use roundtrip_domain::error_chain;
use roundtrip_domain::event::DomainEvent;
use roundtrip_domain::exceptions::{Filter, incidents};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::compose::{self, People};
use crate::telemetry;

pub use message::{Alarm, Message};

/// For finding the chat and writing to it: a call that ran out of time would be repeated, and people mailed twice.
const CHAT_TIMEOUT: Duration = Duration::from_secs(4);

/// What the function is called with: alarms, by their topic; or an event of the bus.
#[derive(Deserialize)]
#[serde(untagged)]
enum Call {
    Alarms(SnsEvent),
    Event { detail: Box<DomainEvent> },
}

/// Serves topic and bus until Lambda ends the process.
///
/// # Errors
/// The environment is incomplete, or the Runtime API fails.
pub async fn run() -> Result<(), Error> {
    let people = Arc::new(compose::people().await?);
    let serve = |event: LambdaEvent<Value>| {
        let people = Arc::clone(&people);
        async move {
            // Both on the heap: as one, they are nested deeper than the compiler looks.
            let messages = Box::pin(messages(&people, event.payload)).await?;
            let mut told = 0;
            for message in messages {
                Box::pin(tell(&people, &message)).await?;
                told += 1;
            }
            Ok::<_, Error>(json!({ "told": told }))
        }
    };
    lambda_runtime::run(service_fn(serve)).await
}

/// What there is to say of a call. What needs somebody is read for an alarm only; that it cannot be read is said as well.
async fn messages(people: &People, payload: Value) -> Result<Vec<Message>, Error> {
    let call = serde_json::from_value(payload).inspect_err(|_| {
        tracing::error!("a call is neither an alarm of ours nor an event of the bus");
    })?;
    match call {
        Call::Event { detail } => Ok(Message::of_event(&detail).into_iter().collect()),
        Call::Alarms(event) => {
            let mut messages = Vec::new();
            for record in event.records {
                let alarm: Alarm = serde_json::from_str(&record.sns.message)?;
                messages.extend(match alarm.is_over() {
                    true => Message::of_end(&alarm),
                    false => Some(Message::of_alarm(&alarm, open(people, &alarm).await)),
                });
            }
            Ok(messages)
        }
    }
}

/// What needs somebody; or why that cannot be told.
async fn open(people: &People, alarm: &Alarm) -> Result<IncidentsAnswer, String> {
    let found = incidents(&people.ledger, &Filter::default(), Timestamp::now()).await;
    found.map(Into::into).map_err(|error| {
        let error = error_chain(&error);
        tracing::error!(error, alarm.name = alarm.name(), "what needs somebody cannot be told");
        error
    })
}

/// By mail, then in the chat. A topic that does not take it has the whole call repeated by Lambda; a chat that does not, or
/// cannot be found, is only told of.
async fn tell(people: &People, message: &Message) -> Result<(), Error> {
    people.mail.publish(&message.subject, &message.text).await.inspect_err(|error| {
        tracing::error!(
            error = error_chain(error),
            notification.subject = message.subject,
            "a notification was not published; Lambda tries again"
        );
    })?;
    let told = timeout(CHAT_TIMEOUT, tell_chat(people, message)).await.unwrap_or_else(|late| Err(late.into()));
    if let Err(error) = told {
        tracing::error!(
            error = error_chain(&*error),
            notification.subject = message.subject,
            "a notification did not reach the chat"
        );
        telemetry::count("UnsentNotification", "sink", "chat");
    }
    tracing::info!(notification.subject = message.subject, "people were told");
    Ok(())
}

async fn tell_chat(people: &People, message: &Message) -> Result<(), Error> {
    if let Some(chat) = people.chat.open().await? {
        chat.post(&message.in_chat()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_and_events_are_told_apart_and_anything_else_is_neither() {
        let alarms = json!({ "Records": [{
            "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "arn:aws:sns:eu-central-1:1:a:b",
            "Sns": {
                "Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-central-1:1:a", "Subject": null,
                "Message": "{}", "Timestamp": "2026-11-23T03:00:00.000Z", "SignatureVersion": "1", "Signature": "s",
                "SigningCertUrl": "https://sns", "UnsubscribeUrl": "https://sns", "MessageAttributes": {},
            },
        }] });
        let event = json!({ "source": "roundtrip", "detail-type": "WebhooksMissed", "detail": {
            "version": 1, "id": "i", "at": "2026-11-23T03:00:00Z", "shop": "moon.myshopify.com",
            "type": "WebhooksMissed", "run": "r", "found": 1, "fixed": 1,
        } });

        assert!(matches!(serde_json::from_value(alarms), Ok(Call::Alarms(event)) if event.records.len() == 1));
        assert!(matches!(serde_json::from_value(event), Ok(Call::Event { .. })));
        assert!(serde_json::from_value::<Call>(json!({ "Records": "none" })).is_err());
    }
}
