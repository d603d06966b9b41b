//! One batch of queue messages: each is handled by itself, and one that fails does not take the others
//! along.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use roundtrip_aws::CAUSE_ID;
use roundtrip_domain::ports::ParkedMessage;
use roundtrip_domain::task::{Queue, Task};
use roundtrip_domain::{Outcome, Unfinished, error_chain};
use tracing::Instrument as _;

use crate::telemetry;

/// How long a call may sleep for a shop's rate limit, if the batch is that shop's alone.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long calls of this batch may sleep: not at all where other shops' messages wait behind.
#[must_use]
pub fn patience(event: &SqsEvent) -> Duration {
    let mut shops = event.records.iter().filter_map(parse).map(|task| task.subject.shop().clone());
    let Some(first) = shops.next() else { return Duration::ZERO };
    if shops.all(|shop| shop == first) { PATIENCE } else { Duration::ZERO }
}

/// Handles the messages, those about different subjects at the same time: a slow call holds up nobody else's order.
/// Reports those that must be delivered again.
///
/// Each runs as a task of its own, so that a panic over one order is that order's failure alone.
pub async fn handle<F>(queue: Queue, event: SqsEvent, work: impl Fn(Task) -> F) -> SqsBatchResponse
where
    F: Future<Output = Result<Outcome, Unfinished>> + Send + 'static,
{
    let mut subjects: BTreeMap<String, Vec<&SqsMessage>> = BTreeMap::new();
    for message in &event.records {
        // Of one order one after the other: the second mostly finds nothing left to do.
        let subject = parse(message).map_or_else(|| message_id(message).to_owned(), |task| task.subject.to_string());
        subjects.entry(subject).or_default().push(message);
    }
    let all = subjects.into_values().map(async |messages| {
        let mut failed = Vec::new();
        for message in messages {
            if !handle_one(queue, message, &work).await {
                failed.push(message_id(message));
            }
        }
        failed
    });
    let mut response = SqsBatchResponse::default();
    for id in join_all(all).await.into_iter().flatten() {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id.to_owned();
        response.batch_item_failures.push(failure);
    }
    response
}

fn message_id(message: &SqsMessage) -> &str {
    message.message_id.as_deref().unwrap_or_default()
}

/// Says whether the message is done with.
async fn handle_one<F>(queue: Queue, message: &SqsMessage, work: &impl Fn(Task) -> F) -> bool
where
    F: Future<Output = Result<Outcome, Unfinished>> + Send + 'static,
{
    let started = Instant::now();
    let id = message_id(message);
    let attempt = message.attributes.get("ApproximateReceiveCount").map_or("1", String::as_str);
    let Some(task) = parse(message) else {
        let cause_id = message.message_attributes.get(CAUSE_ID).and_then(|cause| cause.string_value.as_deref());
        tracing::error!(
            queue = queue.name(),
            message.id = id,
            task.cause_id = cause_id,
            task.attempt = attempt,
            "a message is no task of ours; it goes to the dead-letter queue after ten deliveries"
        );
        telemetry::count("UnreadableTask", "queue", queue.name());
        return false;
    };
    // Whatever is logged on the way says which task it was for.
    let span = tracing::info_span!(
        "task",
        queue = queue.name(),
        shop.domain = task.subject.shop().as_str(),
        task.subject = %task.subject,
        task.trigger = %task.trigger,
        task.cause_id = task.cause_id,
        message.id = id,
    );
    let result = tokio::spawn(work(task.clone()).instrument(span)).await;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    /// The one wide line of a task.
    macro_rules! line {
        ($level:ident, $($end:tt)+) => {
            tracing::$level!(
                queue = queue.name(),
                shop.domain = task.subject.shop().as_str(),
                task.subject = %task.subject,
                task.trigger = %task.trigger,
                task.cause_id = task.cause_id,
                task.attempt = attempt,
                duration_ms,
                $($end)+
            )
        };
    }
    let is_done = match result {
        Ok(Ok(outcome)) => {
            line!(info, outcome = %outcome, "task handled");
            true
        }
        Ok(Err(error)) => {
            line!(warn, error = error_chain(&error), "task not finished; it will be delivered again");
            false
        }
        Err(panic) => {
            line!(error, error = %panic, "a bug: the task panicked; it will be delivered again");
            false
        }
    };
    if !is_done {
        telemetry::count("UnfinishedTask", "queue", queue.name());
    }
    is_done
}

/// A task, or a dead letter that somebody moved back: it carries the task that sets its step going again.
fn parse(message: &SqsMessage) -> Option<Task> {
    let body = message.body.as_deref()?;
    let parked = || serde_json::from_str::<ParkedMessage>(body).ok().map(|parked| parked.task);
    serde_json::from_str(body).ok().or_else(parked)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex};

    use aws_lambda_events::event::sqs::SqsMessageAttribute;
    use roundtrip_domain::id::{OrderId, OrderRef};
    use roundtrip_domain::task::{Subject, Trigger};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    fn message(id: &str, body: impl Into<String>) -> SqsMessage {
        let mut message = SqsMessage::default();
        message.message_id = Some(id.to_owned());
        message.body = Some(body.into());
        message
    }

    fn task(shop: &str, id: u64) -> String {
        let order = OrderRef { shop: shop.parse().unwrap(), id: OrderId::new(id) };
        serde_json::to_string(&Task::new(Trigger::Webhook, "e", Subject::Order(order))).unwrap()
    }

    fn event(records: Vec<SqsMessage>) -> SqsEvent {
        let mut event = SqsEvent::default();
        event.records = records;
        event
    }

    fn failures(response: &SqsBatchResponse) -> Vec<&str> {
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
    }

    #[tokio::test]
    async fn a_message_that_panics_or_is_rubbish_does_not_take_the_others_along() {
        let (_lines, _logging) = Lines::kept();
        let batch = event(vec![
            message("good", task("moon.myshopify.com", 1)),
            message("rubbish", "{\"v\":1}"),
            message("panics", task("moon.myshopify.com", 13)),
            message("also good", task("moon.myshopify.com", 2)),
        ]);

        let response = handle(Queue::OrderPush, batch, |task| async move {
            assert!(!task.subject.to_string().ends_with("/13"), "the thirteenth order");
            Ok(Outcome::Done("done"))
        })
        .await;

        assert_eq!(failures(&response).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["panics", "rubbish"]));
    }

    #[tokio::test]
    async fn a_slow_order_does_not_hold_up_the_others_but_its_own_next_message() {
        let (_lines, _logging) = Lines::kept();
        let (release, held) = tokio::sync::watch::channel(false);
        let batch = event(vec![
            message("slow", task("moon.myshopify.com", 1)),
            message("after it", task("moon.myshopify.com", 1)),
            message("another", task("moon.myshopify.com", 2)),
        ]);
        let order = Arc::new(Mutex::new(Vec::new()));

        let noted = Arc::clone(&order);
        let response = handle(Queue::OrderPush, batch, move |task| {
            let (release, mut held, noted) = (release.clone(), held.clone(), Arc::clone(&noted));
            async move {
                let id = task.subject.to_string();
                if id.ends_with("/1") {
                    held.wait_for(|is_over| *is_over).await.unwrap();
                } else {
                    release.send(true).unwrap();
                }
                noted.lock().unwrap().push(id.rsplit('/').next().unwrap().to_owned());
                Ok(Outcome::Done("done"))
            }
        })
        .await;

        assert!(failures(&response).is_empty());
        assert_eq!(*order.lock().unwrap(), ["2", "1", "1"]);
    }

    #[tokio::test]
    async fn whatever_is_logged_on_the_way_says_which_task_it_was_for() {
        let (lines, _logging) = Lines::kept();

        let batch = event(vec![message("m-1", task("moon.myshopify.com", 7))]);
        handle(Queue::OrderPush, batch, |_| async {
            tracing::warn!("a store is slow");
            Ok(Outcome::Done("done"))
        })
        .await;

        let line = lines.find("a store is slow");
        let told =
            ["queue", "shop.domain", "task.subject", "task.cause_id", "message.id"].map(|it| line["span"][it].clone());
        let expected = ["order-push", "moon.myshopify.com", "order moon.myshopify.com/7", "e", "m-1"];
        assert_eq!(told, expected, "{line}");
    }

    #[tokio::test]
    async fn a_message_that_is_no_task_is_told_with_what_set_it_off() {
        let (lines, _logging) = Lines::kept();
        let mut rubbish = message("m-2", "{}");
        let mut cause = SqsMessageAttribute::default();
        cause.string_value = Some("e-2".into());
        rubbish.message_attributes.insert(CAUSE_ID.into(), cause);

        handle(Queue::OrderPush, event(vec![rubbish]), |_| async { Ok(Outcome::Done("done")) }).await;

        let line = lines.find("a message is no task of ours");
        assert_eq!((&line["task.cause_id"], &line["message.id"]), (&"e-2".into(), &"m-2".into()), "{line}");
    }

    /// What was logged.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        /// What this test logs, as long as the guard lives. Each test that logs keeps its lines, whether it looks at them or not: a
        /// line that is first come upon where nobody listens is remembered as one that nobody wants.
        fn kept() -> (Self, tracing::subscriber::DefaultGuard) {
            let lines = Self::default();
            let logging = tracing::subscriber::set_default(telemetry::subscriber(lines.clone()));
            (lines, logging)
        }

        fn find(&self, part: &str) -> serde_json::Value {
            let all = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            let line = all.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {all}"));
            serde_json::from_str(line).unwrap()
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_call_sleeps_only_where_no_other_shop_waits() {
        let one = event(vec![message("a", task("moon.myshopify.com", 1)), message("b", task("moon.myshopify.com", 2))]);
        let two = event(vec![message("a", task("moon.myshopify.com", 1)), message("b", task("sun.myshopify.com", 2))]);

        assert_eq!(patience(&one), PATIENCE);
        assert_eq!(patience(&two), Duration::ZERO);
    }
}
