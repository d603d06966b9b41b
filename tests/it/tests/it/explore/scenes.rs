//! What is explored: orders on their way, and what happens to them meanwhile.

use std::time::Duration;

use roundtrip_domain::Outcome;
use roundtrip_domain::channel::ShippedFulfillment;
use roundtrip_domain::id::{LabelId, LineItemId, LocationId, OrderId, OrderRef, ShipmentId, ShopDomain};
use roundtrip_domain::order::{FulfillmentState, Order};
use roundtrip_domain::ports::{Clock, Ledger};
use roundtrip_domain::push::push_order;
use roundtrip_domain::record::{OrderRecord, PushRequest, RequestState, Row};
use roundtrip_domain::registry::ProductLink;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::{Label, LabelLine, Phase, write_back};
use roundtrip_kit::explore::{Scenario, ready};
use roundtrip_kit::fake::{self, FakePorts, Fault};
use roundtrip_kit::label;
use roundtrip_kit::order::{connected, connection, line, link, moon, paid_order, shop, sun};

use super::usps;

const SECOND: Duration = Duration::from_secs(1);
const ORDER: OrderId = OrderId::new(42);

fn at() -> OrderRef {
    OrderRef { shop: moon(), id: ORDER }
}

fn webhook(order: OrderRef) -> Task {
    Task::new(Trigger::Webhook, "event", Subject::Order(order))
}

/// A webhook about the order as it is now; like the real ones, it says when that was changed.
fn webhook_of_now(ports: &FakePorts) -> Task {
    let seen_updated_at = ports.channel.shop(&moon(), |shop| Some(shop.orders.get(&ORDER)?.updated_at));
    Task { seen_updated_at, ..webhook(at()) }
}

fn placed() -> FakePorts {
    fake::placed(ORDER.number())
}

/// The webhook about the order, twice.
fn push_of(ports: FakePorts) -> Scenario {
    let told = (Queue::OrderPush, webhook_of_now(&ports));
    Scenario::new(ports, at(), vec![sun()], vec![told.clone(), told])
}

pub(super) fn push() -> Scenario {
    push_of(placed())
}

/// No webhook told of the order, and two schedules fire at once.
pub(super) fn resynced_twice() -> Scenario {
    let ports = placed();
    // Long enough ago not to be left to its webhook.
    ports.clock.advance(Duration::from_secs(3600));
    let scheduled =
        |n: u32| (Queue::Resync, Task::new(Trigger::Resync, format!("run-{n}"), Subject::Shop { shop: moon() }));
    Scenario::new(ports, at(), vec![sun()], vec![scheduled(1), scheduled(2)])
}

/// A second line, which mars holds.
pub(super) fn push_to_two() -> Scenario {
    let ports = placed();
    let mars = shop("mars");
    ports.ledger.put_shop(connected(mars.clone(), ports.clock.now()));
    ports.ledger.put_connection(onwards(moon(), mars.clone()));
    ports.ledger.put_link(ProductLink { source: mars.clone(), ..link(2) });
    change(&ports, |order| order.lines.push(line(2)));
    let mut scenario = push_of(ports);
    scenario.sources.push(mars);
    scenario
}

fn onwards(destination: ShopDomain, source: ShopDomain) -> roundtrip_domain::registry::Connection {
    roundtrip_domain::registry::Connection { destination, source, ..connection(true) }
}

fn change(ports: &FakePorts, change: impl FnOnce(&mut Order)) {
    ports.channel.shop(&moon(), |shop| change(shop.orders.get_mut(&ORDER).unwrap()));
}

/// Pushed by hand; a webhook about the order comes beside.
pub(super) fn requested_push() -> Scenario {
    let ports = placed();
    ports.ledger.put_connection(connection(false));
    let now = ports.clock.now();
    let request = PushRequest {
        source: sun(),
        group: 1,
        shipping_fee: None,
        requested_at: now,
        requested_by: "ada".into(),
        state: RequestState::Open { due: now },
    };
    let mut record = OrderRecord::empty(at());
    record.requests.insert("request-1".into(), Row::new(request));
    ready(ports.ledger.save(&mut [&mut record])).unwrap();
    let mut scenario = push_of(ports);
    scenario.tasks[0].1.trigger = Trigger::Request;
    scenario
}

/// Once the push is claimed, `edit` changes the order, and a webhook tells of it.
fn push_with(edit: fn(&FakePorts) -> Vec<(Queue, Task)>) -> Scenario {
    let mut scenario = push();
    scenario.tasks.pop();
    scenario.meanwhile = edit;
    scenario
}

pub(super) fn edited_push() -> Scenario {
    push_with(|ports| {
        let edited = ports.channel.shop(&moon(), |shop| shop.orders[&ORDER].note.is_some());
        let edits = !edited && is_claimed(ports);
        edits.then(|| changed(ports, |order| order.note = Some("Ring twice".into()))).into_iter().collect()
    })
}

pub(super) fn cancelled_push() -> Scenario {
    let mut scenario = push_with(cancels_once_claimed);
    scenario.called_off = true;
    scenario
}

fn cancels_once_claimed(ports: &FakePorts) -> Vec<(Queue, Task)> {
    let cancelled = ports.channel.shop(&moon(), |shop| shop.orders[&ORDER].cancelled_at.is_some());
    let cancels = !cancelled && is_claimed(ports);
    cancels.then(|| changed(ports, |order| order.cancelled_at = Some(order.updated_at))).into_iter().collect()
}

/// The sun tells once of an order that is cancelled there.
fn tells_of_its_own(ports: &FakePorts) -> Vec<(Queue, Task)> {
    let tells = ports.channel.shop(&sun(), |shop| {
        let (id, _) = shop.cancelled.first_key_value()?;
        shop.changed_at.remove(id)?;
        Some((Queue::OrderPush, webhook(OrderRef { shop: sun(), id: *id })))
    });
    tells.into_iter().collect()
}

/// Cancelled once its push is claimed, and at the sun as well.
pub(super) fn cancelled_push_and_source() -> Scenario {
    let mut scenario = cancelled_push();
    scenario.cancels_source = true;
    scenario.ports.ledger.put_connection(cancelling());
    scenario.meanwhile = |ports| [cancels_once_claimed(ports), tells_of_its_own(ports)].concat();
    scenario
}

fn cancelling() -> roundtrip_domain::registry::Connection {
    let mut connection = connection(true);
    connection.settings.cancel_source = true;
    connection
}

/// Cancelled after its push, of which two webhooks tell. The sun tells of what becomes of its own.
pub(super) fn cancelled_source() -> Scenario {
    let ports = placed();
    ports.ledger.put_connection(cancelling());
    ready(push_order(&ports, &webhook(at()))).unwrap();
    let told = changed(&ports, |order| order.cancelled_at = Some(order.updated_at));
    let mut scenario = Scenario::new(ports, at(), vec![sun()], vec![told.clone(), told]);
    (scenario.called_off, scenario.cancels_source) = (true, true);
    scenario.meanwhile = tells_of_its_own;
    scenario
}

fn is_claimed(ports: &FakePorts) -> bool {
    !ready(ports.ledger.load(&at())).unwrap().pushes.is_empty()
}

/// The order changes, and this is the webhook about it.
fn changed(ports: &FakePorts, edit: impl FnOnce(&mut Order)) -> (Queue, Task) {
    // Two changes within one second carry the same time.
    ports.clock.advance(SECOND);
    let now = ports.clock.now();
    change(ports, |order| {
        order.updated_at = now;
        edit(order);
    });
    (Queue::OrderPush, webhook_of_now(ports))
}

/// Pushed and shipped; the webhook about it comes twice.
fn writeback_of(ports: FakePorts) -> Scenario {
    ready(push_order(&ports, &webhook(at()))).unwrap();
    let shipped = ship(&ports, "T1");
    Scenario::new(ports, at(), vec![sun()], vec![shipped.clone(), shipped])
}

/// The sun ships all of its first order, and this is the webhook about it.
fn ship(ports: &FakePorts, number: &str) -> (Queue, Task) {
    let source = OrderRef { shop: sun(), id: ports.channel.shop(&sun(), |shop| shop.pushed[0].0.id) };
    ports.channel.ship(&source, usps(number));
    (Queue::TrackingWriteback, webhook(source))
}

pub(super) fn writeback() -> Scenario {
    writeback_of(placed())
}

/// Two lines in one parcel, which the moon keeps at two locations.
pub(super) fn writeback_from_two_locations() -> Scenario {
    let ports = placed();
    ports.ledger.put_link(link(2));
    change(&ports, |order| order.lines.push(line(2)));
    ports.channel.shop(&moon(), |shop| shop.stocked_at.insert(LineItemId::new(102), LocationId::new(2)));
    writeback_of(ports)
}

/// Two units in two parcels.
pub(super) fn two_parcels(numbers: [&str; 2]) -> Scenario {
    let ports = placed();
    change(&ports, |order| order.lines[0].quantity = 2);
    let scenario = writeback_of(ports);
    ship(&scenario.ports, "T2");
    scenario.ports.channel.shop(&sun(), |shop| {
        for (parcel, number) in shop.shipped.values_mut().flatten().zip(numbers) {
            parcel.tracking = usps(number).into_iter().collect();
            parcel.lines[0].1 = 1;
        }
    });
    scenario
}

/// A webhook about the destination order comes beside.
pub(super) fn writeback_beside_a_change() -> Scenario {
    let mut scenario = writeback();
    scenario.tasks[1] = (Queue::OrderPush, webhook(at()));
    scenario
}

/// Once the writeback waits for it, the hold ends, and a webhook tells of it.
pub(super) fn writeback_on_hold() -> Scenario {
    let mut scenario = writeback();
    scenario.tasks.pop();
    scenario.ports.channel.shop(&moon(), |shop| shop.held.push(ORDER));
    scenario.meanwhile = |ports| {
        let held = ports.channel.shop(&moon(), |shop| !shop.held.is_empty());
        let ends = held && has_writeback(ports);
        let end = || {
            ports.channel.shop(&moon(), |shop| shop.held.clear());
            changed(ports, |_| {})
        };
        ends.then(end).into_iter().collect()
    };
    scenario
}

/// Once the writeback waits for it, the number comes, and a webhook tells of it.
pub(super) fn writeback_without_number() -> Scenario {
    let mut scenario = writeback();
    scenario.tasks.pop();
    scenario.ports.channel.shop(&sun(), |shop| {
        shop.shipped.values_mut().flatten().for_each(|parcel| parcel.tracking.clear());
    });
    scenario.meanwhile = |ports| {
        let waits = has_writeback(ports);
        ports.channel.shop(&sun(), |shop| {
            let (id, parcels) = shop.shipped.iter_mut().next().unwrap();
            let comes = waits && parcels[0].tracking.is_empty();
            let come = || {
                parcels[0].tracking.extend(usps("T1"));
                (Queue::TrackingWriteback, webhook(OrderRef { shop: sun(), id: *id }))
            };
            comes.then(come).into_iter().collect()
        })
    };
    scenario
}

/// The merchant took a unit off the order, and puts it back once the other is shown.
pub(super) fn split_writeback() -> Scenario {
    let ports = placed();
    let mut connection = connection(true);
    connection.settings.split_ok = true;
    ports.ledger.put_connection(connection);
    change(&ports, |order| order.lines[0].quantity = 2);
    let mut scenario = writeback_of(ports);
    scenario.tasks.pop();
    change(&scenario.ports, |order| order.lines[0].quantity = 1);
    scenario.meanwhile = |ports| {
        let is_shown = ports.channel.shop(&moon(), |shop| shop.shown.values().any(|shown| !shown.is_empty()));
        let is_short = ports.channel.shop(&moon(), |shop| shop.orders[&ORDER].lines[0].quantity == 1);
        let put_back = || changed(ports, |order| order.lines[0].quantity = 2);
        (is_shown && is_short).then(put_back).into_iter().collect()
    };
    scenario
}

/// Once it is shown, or on its way, the parcel gets another number, and a webhook tells of it.
pub(super) fn renumbered_writeback() -> Scenario {
    let mut scenario = writeback();
    scenario.tasks.pop();
    replaces_t1(&mut scenario);
    scenario.meanwhile = |ports| relabel(ports, |parcel| parcel.tracking[0].number = "T2".into());
    scenario
}

/// One of two units is sent. Once it is shown, or on its way, the parcel is called off and made again with another
/// number.
pub(super) fn replaced_writeback() -> Scenario {
    let ports = placed();
    change(&ports, |order| order.lines[0].quantity = 2);
    let mut scenario = writeback_of(ports);
    one_unit_each(&scenario.ports);
    scenario.tasks.pop();
    replaces_t1(&mut scenario);
    scenario.meanwhile = |ports| {
        let mut told = relabel(ports, |parcel| parcel.state = FulfillmentState::Cancelled);
        if !told.is_empty() {
            told.push(ship(ports, "T2"));
            one_unit_each(ports);
        }
        told
    };
    scenario
}

fn one_unit_each(ports: &FakePorts) {
    ports.channel.shop(&sun(), |shop| shop.shipped.values_mut().flatten().for_each(|parcel| parcel.lines[0].1 = 1));
}

/// The parcel is T1 at first. What is called off waits a day for what replaces it.
fn replaces_t1(scenario: &mut Scenario) {
    scenario.earlier_numbers = vec!["T1".into()];
    scenario.settles_within = Duration::from_secs(26 * 3600);
}

/// Changes the sun's only parcel, once, when a writeback knows of it.
fn relabel(ports: &FakePorts, change: impl FnOnce(&mut ShippedFulfillment)) -> Vec<(Queue, Task)> {
    let is_known = has_writeback(ports);
    ports.channel.shop(&sun(), |shop| {
        let (id, parcels) = shop.shipped.iter_mut().next().unwrap();
        let [parcel] = parcels.as_mut_slice() else { return vec![] };
        let as_it_was = parcel.state == FulfillmentState::Success && parcel.tracking[0].number == "T1";
        if !is_known || !as_it_was {
            return vec![];
        }
        change(parcel);
        vec![(Queue::TrackingWriteback, webhook(OrderRef { shop: sun(), id: *id }))]
    })
}

/// A label tool bought a label for the order, which nobody pushes, and said so twice.
pub(super) fn label() -> Scenario {
    let ports = placed();
    ports.ledger.put_connection(connection(false));
    ready(push_order(&ports, &webhook(at()))).unwrap();
    post(&ports, "L1", "T1");
    let posted = ports.tasks.sent().work.drain(..).next().expect("it was told");
    Scenario::new(ports, at(), vec![], vec![posted.clone(), posted])
}

/// Once it is shown, or on its way, the label is voided, and another bought.
pub(super) fn label_made_again() -> Scenario {
    let mut scenario = label();
    scenario.tasks.pop();
    replaces_t1(&mut scenario);
    scenario.meanwhile = |ports| {
        if is_on_its_way(ports, "L1") && !is_posted(ports, "L2") {
            ready(label::void(ports, &at(), &label_id("L1")));
            post(ports, "L2", "T2");
        }
        vec![]
    };
    scenario
}

fn post(ports: &FakePorts, id: &str, number: &str) {
    let lines = Some(vec![LabelLine { line: LineItemId::new(101), quantity: 1 }]);
    let posted = Label { lines, ..label::label(ports, &[number]) };
    ready(label::post(ports, &at(), &label_id(id), posted));
}

fn label_id(id: &str) -> LabelId {
    id.parse().unwrap()
}

fn is_on_its_way(ports: &FakePorts, id: &str) -> bool {
    let record = ready(ports.ledger.load(&at())).unwrap();
    let row = record.writebacks.get(&ShipmentId::Label(label_id(id)));
    row.is_some_and(|row| row.get().state.phase != Phase::Pending)
}

fn is_posted(ports: &FakePorts, id: &str) -> bool {
    ready(ports.ledger.load(&at())).unwrap().labels.contains_key(&label_id(id))
}

fn has_writeback(ports: &FakePorts) -> bool {
    !ready(ports.ledger.load(&at())).unwrap().writebacks.is_empty()
}

/// The sun ships as soon as it has the order.
pub(super) fn shipped_at_once() -> Scenario {
    push_with(|ports| {
        let ships = ports.channel.shop(&sun(), |shop| !shop.pushed.is_empty() && shop.shipped.is_empty());
        ships.then(|| ship(ports, "T1")).into_iter().collect()
    })
}

pub(super) fn shipped_at_once_pushed_twice() -> Scenario {
    let mut scenario = shipped_at_once();
    scenario.tasks = push().tasks;
    scenario
}

/// The sun sells as well, what mars holds: it tells of the order as of any, and ships at once.
pub(super) fn both_roles() -> Scenario {
    let mut scenario = push_with(|ports| {
        let now = ports.clock.now();
        let made = ports.channel.shop(&sun(), |shop| {
            let (order, draft) = shop.pushed.first().filter(|(order, _)| !shop.orders.contains_key(&order.id))?;
            let at = OrderRef { shop: sun(), id: order.id };
            let order_key = Some(draft.key.as_str().to_owned());
            let order = Order { at: at.clone(), order_key, ..paid_order(order.id.number(), now) };
            shop.orders.insert(at.id, order);
            Some(at)
        });
        made.into_iter().flat_map(|at| [(Queue::OrderPush, webhook(at)), ship(ports, "T1")]).collect()
    });
    scenario.ports.ledger.put_shop(connected(shop("mars"), scenario.ports.clock.now()));
    scenario.ports.ledger.put_connection(onwards(sun(), shop("mars")));
    scenario.tasks.truncate(1);
    scenario
}

/// Four calls to change `shop` failed before.
pub(super) fn last_attempt(scenario: &Scenario, shop: &ShopDomain) -> Scenario {
    after_failures(scenario, shop, |shop| shop.mutation_faults.extend([Fault::Unreachable; 4]))
}

/// Four questions to `shop` failed before.
pub(super) fn last_look(scenario: &Scenario, shop: &ShopDomain) -> Scenario {
    after_failures(scenario, shop, |shop| shop.query_faults.extend([Fault::Unreachable; 4]))
}

fn after_failures(scenario: &Scenario, shop: &ShopDomain, fail: fn(&mut fake::FakeShop)) -> Scenario {
    scenario.ports.channel.shop(shop, fail);
    for _ in 0..4 {
        work(scenario);
        scenario.ports.clock.advance(scenario.ports.waits.backoff(4));
    }
    scenario.clone()
}

/// `shop` refused, and an operator moved the dead letter back, twice.
pub(super) fn redriven(scenario: &Scenario, shop: &ShopDomain) -> Scenario {
    scenario.ports.channel.shop(shop, |shop| shop.mutation_faults.push_back(Fault::Refused));
    work(scenario);
    let letters = std::mem::take(&mut scenario.ports.tasks.sent().parked);
    let (queue, letter) = letters.into_iter().next().expect("it was parked");
    let mut scenario = scenario.clone();
    scenario.tasks = vec![(queue, letter.task.clone()), (queue, letter.task), scenario.tasks.remove(1)];
    scenario
}

/// The first task is done.
fn work(scenario: &Scenario) -> Outcome {
    let (queue, task) = &scenario.tasks[0];
    match queue {
        Queue::OrderPush => ready(push_order(&scenario.ports, task)).unwrap(),
        Queue::TrackingWriteback => ready(write_back(&scenario.ports, task)).unwrap(),
        Queue::AppLifecycle | Queue::Resync => unreachable!("nobody connects a shop here"),
    }
}
