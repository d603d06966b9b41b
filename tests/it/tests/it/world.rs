//! Shops in memory and one order between them; queues and due work run by themselves.

mod labels;
mod sight;
mod time;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::change_shop_step;
use roundtrip_domain::channel::{ShippedFulfillment, ShownFulfillment};
use roundtrip_domain::connect::ConnectState;
use roundtrip_domain::id::{FulfillmentId, LineItemId, OrderId, OrderRef, ShopDomain, VariantId};
use roundtrip_domain::order::{
    FulfillmentOrderBrief, FulfillmentOrderStatus, FulfillmentState, FulfillmentStatus, Order, OrderFulfillment,
};
use roundtrip_domain::ports::{Clock, Ledger, Registry};
use roundtrip_domain::record::{PushRequest, RequestState, Row};
use roundtrip_domain::registry::{Connection, ConnectionSettings, ProductLink, ShopSettings};
use roundtrip_domain::resync::{Asked, Occasion, ResyncState, Run, Window};
use roundtrip_domain::step::{Step, StepId, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::TrackingInfo;
use roundtrip_kit::fake::{self, FakePorts, FakeShop, Fault, MANUAL};
use roundtrip_kit::order::{connected, connection, facts, line, moon, shop, sun};

pub(crate) use labels::label_id;

/// The order of the moon that each test is about.
pub(crate) const ORDER: u64 = 42;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// See the module. Each kind of product `n` is one line of the order, `n + 100`.
pub(crate) struct World {
    pub(crate) ports: FakePorts,
    /// Messages that were not finished, with how often they were delivered: they come again.
    unfinished: RefCell<Vec<(Queue, Task, u32)>>,
    events: Cell<u32>,
}

pub(crate) fn at() -> OrderRef {
    OrderRef { shop: moon(), id: OrderId::new(ORDER) }
}

pub(crate) fn mars() -> ShopDomain {
    shop("mars")
}

pub(crate) fn venus() -> ShopDomain {
    shop("venus")
}

/// The line of product `n`.
pub(crate) fn line_of(n: u64) -> LineItemId {
    LineItemId::new(n + 100)
}

pub(crate) fn tracking(number: &str) -> TrackingInfo {
    TrackingInfo::new(Some("USPS".into()), Some(number.into()), None).unwrap()
}

impl World {
    /// The world of these ports.
    pub(crate) fn over(ports: &FakePorts) -> Self {
        Self { ports: ports.clone(), unfinished: RefCell::default(), events: Cell::default() }
    }

    /// A moon that sells what the sun holds, pushed without being asked for, and a paid order of one unit.
    pub(crate) fn new() -> Self {
        Self::over(&fake::placed(ORDER))
    }

    /// The same, its order of so many units.
    pub(crate) fn with_units(units: u32) -> Self {
        let world = Self::new();
        world.change_order(|order| order.lines[0].quantity = units);
        world
    }

    /// The same, its order already pushed; and the source order.
    pub(crate) async fn pushed(units: u32) -> (Self, OrderRef) {
        let world = Self::with_units(units);
        world.order_webhook().await;
        let source = world.source_order(&sun());
        (world, source)
    }

    /// Another source store, which holds product `n`; the order has one unit of it.
    pub(crate) fn add_source(&self, source: &ShopDomain, n: u64) {
        self.ports.ledger.put_shop(connected(source.clone(), self.now()));
        let mut to_source = connection(true);
        to_source.source = source.clone();
        self.ports.ledger.put_connection(to_source);
        let tie = ProductLink::given((moon(), VariantId::new(n)), (source.clone(), VariantId::new(n + 1000)));
        self.ports.ledger.put_link(tie);
        self.change_order(|order| order.lines.push(line(n)));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Looks at a shop, or changes it.
    pub(crate) fn shop<R>(&self, shop: &ShopDomain, f: impl FnOnce(&mut FakeShop) -> R) -> R {
        self.ports.channel.shop(shop, f)
    }

    /// How the moon is connected to each of its sources.
    pub(crate) async fn outbound(&self) -> Vec<Connection> {
        self.ports.ledger.shop(&moon()).await.unwrap().unwrap().outbound
    }

    /// Changes how the moon is connected to each of its sources.
    pub(crate) async fn settings(&self, change: impl Fn(&mut ConnectionSettings)) {
        for mut connection in self.outbound().await {
            change(&mut connection.settings);
            self.ports.ledger.put_connection(connection);
        }
    }

    /// Changes how the moon is treated.
    pub(crate) async fn shop_settings(&self, change: impl FnOnce(&mut ShopSettings)) {
        let mut shop = self.ports.ledger.shop(&moon()).await.unwrap().unwrap().shop;
        change(&mut shop.settings);
        self.ports.ledger.put_shop(shop);
    }

    /// A person or a customer changes the order; its webhook comes when the test says so.
    pub(crate) fn change_order<R>(&self, change: impl FnOnce(&mut Order) -> R) -> R {
        self.ports.clock.advance(Duration::from_secs(1));
        let now = self.now();
        self.shop(&moon(), |shop| {
            let order = shop.orders.get_mut(&OrderId::new(ORDER)).expect("the order");
            order.updated_at = now;
            change(order)
        })
    }

    pub(crate) fn cancel_order(&self) {
        self.change_order(|order| order.cancelled_at = Some(order.updated_at));
    }

    /// The order's one fulfillment order comes into this state.
    pub(crate) fn set_work(&self, status: FulfillmentOrderStatus, fulfill_at: Option<Timestamp>) {
        self.set_works(&[(status, fulfill_at)]);
    }

    /// The order's fulfillment orders come into these states. For a fulfillment they count as one.
    pub(crate) fn set_works(&self, works: &[(FulfillmentOrderStatus, Option<Timestamp>)]) {
        let brief = |(status, fulfill_at): &(FulfillmentOrderStatus, _)| FulfillmentOrderBrief {
            status: status.clone(),
            fulfill_at: *fulfill_at,
        };
        self.change_order(|order| order.fulfillment_orders = works.iter().map(brief).collect());
        let held = works.iter().any(|(status, _)| *status == FulfillmentOrderStatus::OnHold);
        self.shop(&moon(), |shop| {
            shop.held.retain(|order| order.number() != ORDER);
            shop.held.extend(held.then_some(OrderId::new(ORDER)));
        });
    }

    /// The next changes that a shop is asked for go wrong like this.
    pub(crate) fn fail_next(&self, shop: &ShopDomain, faults: &[Fault]) {
        self.shop(shop, |shop| shop.mutation_faults.extend(faults));
    }

    /// The next questions that a shop is asked go wrong like this.
    pub(crate) fn fail_questions(&self, shop: &ShopDomain, faults: &[Fault]) {
        self.shop(shop, |shop| shop.query_faults.extend(faults));
    }

    /// The source store ships its whole order under `numbers`, and its webhook comes.
    pub(crate) async fn ship(&self, source: &OrderRef, numbers: &[&str]) -> FulfillmentId {
        self.ship_units(source, numbers, None).await
    }

    /// The source store ships so many units of each line.
    pub(crate) async fn ship_units(&self, source: &OrderRef, numbers: &[&str], units: Option<u32>) -> FulfillmentId {
        let id = self.ports.channel.ship(source, None);
        self.change_shipment(source, id, |shipped| {
            shipped.tracking = numbers.iter().map(|number| tracking(number)).collect();
            shipped.lines.iter_mut().for_each(|(_, quantity)| *quantity = units.unwrap_or(*quantity));
        })
        .await;
        id
    }

    /// The source store changes what it says of a shipment, and its webhook comes.
    pub(crate) async fn change_shipment(
        &self,
        source: &OrderRef,
        id: FulfillmentId,
        change: impl FnOnce(&mut ShippedFulfillment),
    ) {
        self.shop(&source.shop, |shop| {
            let shipped = shop.shipped.get_mut(&source.id).expect("something was shipped");
            change(shipped.iter_mut().find(|shipped| shipped.id == id).expect("the shipment"));
        });
        self.source_webhook(source).await;
    }

    /// The label was voided and made again on the same fulfillment.
    pub(crate) async fn relabel(&self, source: &OrderRef, id: FulfillmentId, numbers: &[&str]) {
        let other = numbers.iter().map(|number| tracking(number)).collect();
        self.change_shipment(source, id, |shipped| shipped.tracking = other).await;
    }

    /// The source store cancels a fulfillment.
    pub(crate) async fn call_off(&self, source: &OrderRef, id: FulfillmentId) {
        self.change_shipment(source, id, |shipped| shipped.state = FulfillmentState::Cancelled).await;
    }

    /// The destination's merchant ships one unit of the first line by hand.
    pub(crate) fn ship_by_hand(&self, number: &str) {
        self.shop(&moon(), |shop| {
            let shown = shop.shown.entry(OrderId::new(ORDER)).or_default();
            shown.push(ShownFulfillment {
                id: FulfillmentId::new(77 + shown.len() as u64),
                state: FulfillmentState::Success,
                service: Some(MANUAL.to_owned()),
                tracking: vec![tracking(number)],
                lines: vec![(line_of(1), 1)],
            });
        });
    }

    /// The order's own shop shows so many units of a line as sent, with these numbers: a person or another app did that.
    pub(crate) fn ship_here(
        &self,
        line: u64,
        units: u32,
        numbers: &[&str],
        status: FulfillmentStatus,
    ) -> FulfillmentId {
        self.ship_lines_here(&[(line, units)], numbers, status)
    }

    /// The same of several lines.
    pub(crate) fn ship_lines_here(
        &self,
        lines: &[(u64, u32)],
        numbers: &[&str],
        status: FulfillmentStatus,
    ) -> FulfillmentId {
        let lines: Vec<(LineItemId, u32)> = lines.iter().map(|(line, units)| (line_of(*line), *units)).collect();
        let tracking: Vec<TrackingInfo> = numbers.iter().map(|number| tracking(number)).collect();
        let id = self.shop(&moon(), |shop| {
            let shown = shop.shown.entry(OrderId::new(ORDER)).or_default();
            let id = FulfillmentId::new(900 + shown.len() as u64);
            shown.push(ShownFulfillment {
                id,
                state: FulfillmentState::Success,
                service: Some(MANUAL.to_owned()),
                tracking: tracking.clone(),
                lines,
            });
            id
        });
        self.change_order(|order| {
            order.fulfillment_status = status;
            order.fulfillments.push(OrderFulfillment { id, state: FulfillmentState::Success, tracking });
        });
        id
    }

    /// What the order's own shop shows of a fulfillment changes.
    pub(crate) fn renumber_here(&self, id: FulfillmentId, state: &FulfillmentState, numbers: &[&str]) {
        let all: Vec<TrackingInfo> = numbers.iter().map(|number| tracking(number)).collect();
        self.shop(&moon(), |shop| {
            let shown = shop.shown.values_mut().flatten().find(|shown| shown.id == id).expect("it is shown");
            (shown.state, shown.tracking) = (state.clone(), all.clone());
        });
        self.change_order(|order| {
            let shown = order.fulfillments.iter_mut().find(|shown| shown.id == id).expect("it is shown");
            (shown.state, shown.tracking) = (state.clone(), all);
        });
    }

    /// A webhook of the order comes, and what follows from it at once.
    pub(crate) async fn order_webhook(&self) {
        self.tell(Queue::OrderPush, self.webhook(&at())).await;
    }

    /// A webhook about what a source order has shipped.
    pub(crate) async fn source_webhook(&self, source: &OrderRef) {
        self.tell(Queue::TrackingWriteback, self.webhook(source)).await;
    }

    pub(crate) fn webhook(&self, order: &OrderRef) -> Task {
        self.events.set(self.events.get() + 1);
        Task::new(Trigger::Webhook, format!("event-{}", self.events.get()), Subject::Order(order.clone()))
    }

    /// A message comes, and what follows from it at once.
    pub(crate) async fn tell(&self, queue: Queue, task: Task) {
        self.ports.tasks.sent().work.push((queue, task));
        self.drain().await;
    }

    /// A person asks for a push, as ops-api writes it down. The message is not handled yet.
    pub(crate) async fn request(&self, source: &ShopDomain, id: &str) {
        let now = self.now();
        let mut record = self.ports.ledger.load(&at()).await.unwrap();
        let request = PushRequest {
            source: source.clone(),
            group: 1,
            shipping_fee: None,
            requested_at: now,
            requested_by: "ada".into(),
            state: RequestState::Open { due: now },
        };
        record.requests.insert(id.into(), Row::new(request));
        self.ports.ledger.save(&mut [&mut record]).await.unwrap();
        let task = Task::new(Trigger::Request, id, Subject::Order(at()));
        self.ports.tasks.sent().work.push((Queue::OrderPush, task));
    }

    /// The shops' orders were read before: connecting them does not read them at once.
    pub(crate) async fn were_read(&self) {
        let now = self.now();
        let occasion = Occasion::FirstConnection;
        let asked = Asked { id: "earlier".into(), at: now, by: "ada".into(), occasion, days: 7 };
        let window = Window::of(&asked, now, None, Duration::ZERO, false);
        let past = vec![Run::begin(asked, now, window)];
        let state = ResyncState { past, last_success: Some(now), ..ResyncState::default() };
        for shop in [moon(), sun()] {
            let step = Step::new(state.clone());
            self.ports.ledger.save_shop_step(&shop, &StepId::Resync, &step, 0).await.unwrap();
        }
    }

    /// A person asks for a shop to be connected, as ops-api writes it down.
    pub(crate) async fn ask_to_connect(&self, shop: &ShopDomain) {
        let now = self.now();
        let connect = |step: &mut Step<ConnectState>| {
            step.reopen();
            step.wait(now, now, WaitReason::Requested);
        };
        change_shop_step(&self.ports.ledger, shop, &StepId::Connect, connect).await.unwrap();
        let task = Task::new(Trigger::Request, "connect", Subject::Shop { shop: shop.clone() });
        self.tell(Queue::AppLifecycle, task).await;
    }

    /// The app is given the scope to read orders of any age, and the shop is connected again.
    pub(crate) async fn give_all_orders(&self, shop: &ShopDomain) {
        self.shop(shop, |shop| shop.shows_all = true);
        let mut facts = facts(self.now());
        facts.scopes = vec!["read_orders".into(), "read_all_orders".into()];
        self.ports.ledger.record_facts(shop, &facts).await.unwrap();
    }

    /// The newest dead letter is moved back to its queue.
    pub(crate) async fn redrive(&self) {
        let (queue, letter) = self.ports.tasks.sent().parked.last().cloned().expect("a dead letter");
        self.tell(queue, letter.task).await;
    }
}
