//! What a worker sends: tasks to the queues, events to the bus. What is parked and each event is counted.

use std::time::Duration;

use roundtrip_aws::{EventBus, SqsTasks};
use roundtrip_domain::event::{DomainEvent, EventKind};
use roundtrip_domain::ports::{EventError, Events, ParkedMessage, QueueError, Tasks};
use roundtrip_domain::step::StepId;
use roundtrip_domain::task::{Queue, Task};

use crate::telemetry;

/// See the module.
#[derive(Debug, Clone)]
pub struct Outbox {
    pub tasks: SqsTasks,
    pub events: EventBus,
}

impl Tasks for Outbox {
    async fn send(&self, queue: Queue, task: &Task) -> Result<(), QueueError> {
        self.tasks.send(queue, task).await
    }

    async fn send_later(&self, queue: Queue, task: &Task, delay: Duration) -> Result<(), QueueError> {
        self.tasks.send_later(queue, task, delay).await
    }

    async fn park(&self, queue: Queue, message: &ParkedMessage) -> Result<(), QueueError> {
        self.tasks.park(queue, message).await?;
        telemetry::count("StepParked", "queue", queue.name());
        Ok(())
    }
}

impl Events for Outbox {
    async fn publish(&self, event: &DomainEvent) -> Result<(), EventError> {
        self.events.publish(event).await?;
        telemetry::count("DomainEvent", "type", event.kind.name());
        if let Some(failed) = push_failed(&event.kind) {
            telemetry::value("PushFailure", "Count", u8::from(failed));
        }
        Ok(())
    }
}

/// Whether a push that came to an end has failed, so that the average is the share; `None`: it is none. An order that cannot be
/// read and a cancellation that fails are told as failed too, but never as done: as pushes they would make any share 100 %.
fn push_failed(kind: &EventKind) -> Option<bool> {
    match kind {
        EventKind::OrderPushed { .. } => Some(false),
        EventKind::PushFailed { failure, .. } => matches!(failure.step, StepId::Push { .. }).then_some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_pushes_count_among_the_pushes() {
        let failed = |step: &str| {
            let kind = json!({ "type": "PushFailed", "order": "42", "step": step, "code": "REJECTED", "attempts": 1 });
            push_failed(&serde_json::from_value(kind).unwrap())
        };
        let source_order = json!({ "shop": "sun.myshopify.com", "id": "9", "name": "#9" });
        let pushed = json!({ "type": "OrderPushed", "order": "42", "source_order": source_order });
        let healed = json!({ "type": "SubscriptionsHealed", "topics": [] });

        assert_eq!(failed("push/sun.myshopify.com/1"), Some(true));
        assert_eq!(failed("cancel/sun.myshopify.com/1"), None);
        assert_eq!(failed("look"), None);
        assert_eq!(push_failed(&serde_json::from_value(pushed).unwrap()), Some(false));
        assert_eq!(push_failed(&serde_json::from_value(healed).unwrap()), None);
    }
}
