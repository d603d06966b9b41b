use std::rc::Rc;
use std::time::Duration;

use roundtrip_domain::event::DomainEvent;
use roundtrip_domain::ports::{EventError, Events, ParkedMessage, QueueError, Tasks};
use roundtrip_domain::task::{Queue, Task};

use super::super::choice::Kind;
use super::super::wire::Wire;
use crate::fake::MemoryTasks;

/// The queues and the event bus, watched.
#[derive(Debug, Clone)]
pub(in super::super) struct WatchedTasks {
    pub(super) tasks: MemoryTasks,
    pub(super) wire: Rc<Wire>,
}

fn down(queue: Queue) -> QueueError {
    QueueError { queue, source: "the queue is down".into() }
}

impl Tasks for WatchedTasks {
    async fn send(&self, queue: Queue, task: &Task) -> Result<(), QueueError> {
        let effect = self.tasks.send(queue, task);
        self.wire.call(Kind::Send, "tasks.send", format_args!("{queue} {}", task.subject), effect, || down(queue)).await
    }

    async fn send_later(&self, queue: Queue, task: &Task, delay: Duration) -> Result<(), QueueError> {
        let effect = self.tasks.send_later(queue, task, delay);
        let about = format_args!("{queue} {} after {delay:?}", task.subject);
        self.wire.call(Kind::Send, "tasks.send_later", about, effect, || down(queue)).await
    }

    async fn park(&self, queue: Queue, message: &ParkedMessage) -> Result<(), QueueError> {
        let effect = self.tasks.park(queue, message);
        self.wire.call(Kind::Send, "tasks.park", &message.step, effect, || down(queue)).await
    }
}

impl Events for WatchedTasks {
    async fn publish(&self, event: &DomainEvent) -> Result<(), EventError> {
        let effect = self.tasks.publish(event);
        let away = || EventError { event: event.kind.name(), source: "the bus is down".into() };
        self.wire.call(Kind::Send, "events.publish", &event.id, effect, away).await
    }
}
