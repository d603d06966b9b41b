//! What a worker sends: tasks to the queues, events to the bus. Each event is counted.

use std::time::Duration;

use roundtrip_aws::{EventBus, SqsTasks};
use roundtrip_domain::event::{DomainEvent, EventKind};
use roundtrip_domain::ports::{EventError, Events, ParkedMessage, QueueError, Tasks};
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
        self.tasks.park(queue, message).await
    }
}

impl Events for Outbox {
    async fn publish(&self, event: &DomainEvent) -> Result<(), EventError> {
        self.events.publish(event).await?;
        telemetry::count("DomainEvent", "type", event.kind.name());
        // The average is the share of pushes that failed, of those that came to an end.
        match event.kind {
            EventKind::OrderPushed { .. } => telemetry::value("PushFailure", "Count", 0),
            EventKind::PushFailed { .. } => telemetry::value("PushFailure", "Count", 1),
            _ => {}
        }
        Ok(())
    }
}
