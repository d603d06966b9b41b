//! The domain events' way to EventBridge.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use roundtrip_domain::event::DomainEvent;
use roundtrip_domain::ports::{EventError, Events};

/// What all our events have as their source: rules filter by it.
const SOURCE: &str = "roundtrip";

/// The `Events` port on EventBridge.
#[derive(Debug, Clone)]
pub struct EventBus {
    client: Client,
    name: String,
}

impl EventBus {
    /// Publishes on the bus `name`.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig, name: String) -> Self {
        Self { client: Client::new(config), name }
    }
}

impl Events for EventBus {
    async fn publish(&self, event: &DomainEvent) -> Result<(), EventError> {
        let kind = event.kind.name();
        let failed = |source| EventError { event: kind, source };
        let detail = serde_json::to_string(event).map_err(|error| failed(error.into()))?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(kind)
            .detail(detail)
            .build();
        let answer = self.client.put_events().entries(entry).send().await.map_err(|error| failed(Box::new(error)))?;
        // A call that went through may have refused its entry.
        match answer.entries().iter().find_map(|entry| entry.error_code()) {
            None => Ok(()),
            Some(code) => Err(failed(format!("EventBridge refused it: {code}").into())),
        }
    }
}
