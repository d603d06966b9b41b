//! Labels that a label tool tells of, while their worker is at work and when the world is not as it should be.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use crate::world::{MINUTE, World};
use roundtrip_domain::Outcome;
use roundtrip_domain::code::Code;
use roundtrip_domain::event::DomainEvent;
use roundtrip_domain::id::{LabelId, LineItemId, OrderId, OrderRef, ShipmentId};
use roundtrip_domain::ports::{Clock, EventError, Events, Ledger, ParkedMessage, Ports, QueueError, Tasks};
use roundtrip_domain::push::push_order;
use roundtrip_domain::record::OrderRecord;
use roundtrip_domain::step::{Step, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::{
    Label, LabelLine, Phase, Told, TrackingInfo, WritebackState, tell_label, void_label, write_back,
};
use roundtrip_kit::fake::{self, FakePorts, Fault, MemoryLedger, MemoryTasks};
use roundtrip_kit::order::{connected, moon, paid_order};

fn at() -> OrderRef {
    OrderRef { shop: moon(), id: OrderId::new(42) }
}

fn se_1() -> LabelId {
    "se-1".parse().unwrap()
}

fn task() -> Task {
    Task::new(Trigger::Request, "label", Subject::Order(at()))
}

/// An order of two units that the ledger knows.
async fn placed() -> FakePorts {
    let ports = fake::ports();
    let now = ports.clock.now();
    ports.ledger.put_shop(connected(moon(), now));
    let mut order = paid_order(42, now);
    order.lines[0].quantity = 2;
    ports.channel.shop(&moon(), |shop| shop.orders.insert(OrderId::new(42), order));
    push_order(&ports, &task()).await.unwrap();
    ports
}

/// A label for some units of the order's only line.
fn label(ports: &FakePorts, number: &str, units: u32) -> Label {
    Label {
        tracking: TrackingInfo::new(Some("usps".into()), Some(number.into()), None).into_iter().collect(),
        lines: Some(vec![LabelLine { line: LineItemId::new(101), quantity: units }]),
        warehouse: None,
        notify_customer: true,
        created_at: ports.clock.now(),
        created_by: "tool".into(),
        voided_at: None,
    }
}

async fn change(ledger: &MemoryLedger, change: impl FnOnce(&mut OrderRecord) -> Told) {
    let mut record = ledger.load(&at()).await.unwrap();
    change(&mut record);
    ledger.save(&mut [&mut record]).await.unwrap();
}

async fn tell(ports: &FakePorts, number: &str, units: u32) {
    let label = label(ports, number, units);
    change(&ports.ledger, |record| tell_label(record, &se_1(), label, ports.clock.now()).unwrap()).await;
}

async fn step(ports: &FakePorts) -> Step<WritebackState> {
    ports.ledger.load(&at()).await.unwrap().writebacks[&ShipmentId::Label(se_1())].get().clone()
}

fn shown(ports: &FakePorts) -> Vec<(String, u32)> {
    World::over(ports).shown()
}

fn mails(ports: &FakePorts) -> Vec<String> {
    World::over(ports).mails()
}

/// Lets due work and the queues run; returns how many tasks they handled.
async fn run(ports: &FakePorts, minutes: u32) -> usize {
    World::over(ports).run(minutes * MINUTE).await
}

/// An outbox in whose first event somebody changes the order's record: after a call, before it is settled.
struct Meanwhile<F> {
    tasks: MemoryTasks,
    ledger: MemoryLedger,
    change: Mutex<Option<F>>,
}

impl<F: FnOnce(&mut OrderRecord) -> Told> Events for Meanwhile<F> {
    async fn publish(&self, event: &DomainEvent) -> Result<(), EventError> {
        let first = self.change.lock().unwrap().take();
        if let Some(first) = first {
            change(&self.ledger, first).await;
        }
        self.tasks.publish(event).await
    }
}

impl<F> Tasks for Meanwhile<F> {
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

/// Writes the label back while somebody does `change` between the call and its settlement.
async fn write_back_while(ports: &FakePorts, change: impl FnOnce(&mut OrderRecord) -> Told) -> Outcome {
    let (ledger, tasks) = (ports.ledger.clone(), ports.tasks.clone());
    let tasks = Meanwhile { tasks, ledger: ledger.clone(), change: Mutex::new(Some(change)) };
    let ports = Ports { ledger, channel: ports.channel.clone(), tasks, clock: ports.clock.clone(), waits: ports.waits };
    write_back(&ports, &task()).await.unwrap()
}

#[tokio::test]
async fn tracking_that_changes_while_its_call_is_under_way_is_shown_at_last() {
    let ports = placed().await;
    tell(&ports, "T1", 1).await;
    let other = label(&ports, "T2", 1);
    let now = ports.clock.now();

    let outcome = write_back_while(&ports, |record| tell_label(record, &se_1(), other, now).unwrap()).await;

    assert!(matches!(outcome, Outcome::Done(_)), "{outcome}");
    assert_eq!((shown(&ports), mails(&ports)), (vec![("T2".into(), 1)], vec!["T1".into(), "T2".into()]));
    assert!(ports.ledger.due(jiff::Timestamp::MAX, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_label_that_is_voided_while_its_call_is_under_way_waits_for_its_successor() {
    let ports = placed().await;
    tell(&ports, "T1", 1).await;
    let now = ports.clock.now();

    write_back_while(&ports, |record| void_label(record, &se_1(), now).unwrap()).await;

    assert_eq!(step(&ports).await.wait.unwrap().why, WaitReason::Replacement);
}

#[tokio::test]
async fn tracking_that_changes_while_a_call_is_in_doubt_ships_nothing_more() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::LandsLate(Duration::from_secs(90))] {
        let ports = placed().await;
        tell(&ports, "T1", 1).await;
        ports.channel.shop(&moon(), |shop| shop.mutation_faults.push_back(fault));
        write_back(&ports, &task()).await.unwrap();
        assert!(matches!(step(&ports).await.state.phase, Phase::Verifying { .. }));
        tell(&ports, "T2", 1).await;

        run(&ports, 60).await;

        assert_eq!(shown(&ports), [("T2".into(), 1)], "{fault:?}");
        assert!(mails(&ports).iter().filter(|number| *number == "T2").count() == 1, "{fault:?}: {:?}", mails(&ports));
        assert!(matches!(step(&ports).await.state.phase, Phase::Written { .. }), "{fault:?}");
    }
}

#[tokio::test]
async fn a_parked_label_is_left_alone_while_its_order_cannot_be_read() {
    let ports = placed().await;
    tell(&ports, "T1", 3).await;
    write_back(&ports, &task()).await.unwrap();
    let parked = step(&ports).await;
    assert_eq!(parked.parked.as_ref().map(|parked| parked.code), Some(Code::ProductsMismatch));
    run(&ports, 5).await;

    ports.channel.shop(&moon(), |shop| shop.query_faults.push_back(Fault::Unreachable));
    write_back(&ports, &task()).await.unwrap();
    ports.channel.shop(&moon(), |shop| shop.query_faults.push_back(Fault::Throttled));
    write_back(&ports, &task()).await.unwrap();

    assert_eq!(step(&ports).await, parked);
    assert_eq!(run(&ports, 60).await, 0, "nothing wakes for it");
    let letters: BTreeMap<_, _> =
        ports.tasks.sent().parked.iter().map(|(_, letter)| (letter.step.to_string(), letter.code)).collect();
    assert_eq!(letters, BTreeMap::from([("label/se-1".to_owned(), Code::ProductsMismatch)]));
}

#[tokio::test]
async fn a_label_that_is_corrected_goes_through() {
    let ports = placed().await;
    tell(&ports, "T1", 3).await;
    write_back(&ports, &task()).await.unwrap();

    tell(&ports, "T1", 2).await;
    write_back(&ports, &task()).await.unwrap();
    tell(&ports, "T1", 2).await;
    write_back(&ports, &task()).await.unwrap();

    assert_eq!((shown(&ports), mails(&ports)), (vec![("T1".into(), 2)], vec!["T1".into()]));
}

#[tokio::test]
async fn labels_that_are_parked_do_not_keep_the_others_waiting() {
    let ports = placed().await;
    for n in 0..45 {
        // Those that are too many sort before the one that fits.
        let (id, units) = if n < 44 { (format!("a-{n}"), 3) } else { ("z".to_owned(), 1) };
        let label = label(&ports, &format!("T{n}"), units);
        change(&ports.ledger, |record| tell_label(record, &id.parse().unwrap(), label, ports.clock.now()).unwrap())
            .await;
    }

    let outcome = write_back(&ports, &task()).await.unwrap();

    assert_eq!(outcome, Outcome::Park { code: Code::ProductsMismatch });
    assert_eq!(shown(&ports), [("T44".into(), 1)]);
    let letters = || ports.tasks.sent().parked.len();
    assert_eq!(letters(), 44);
    // What was written changed the order: each is decided anew, comes to the same, and is not told of again.
    for _ in 0..2 {
        write_back(&ports, &task()).await.unwrap();
        assert_eq!(letters(), 44);
    }
    assert_eq!(run(&ports, 10).await, 0, "nothing wakes for them");
}
