//! Two hundred orders while three calls in ten fail, the same three in each run: nothing is lost, nothing is
//! doubled, and what could not be done is parked and goes through when it is redriven.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use roundtrip_domain::push::PushState;
use roundtrip_domain::record::OrderRecord;
use roundtrip_domain::writeback::Phase;
use roundtrip_kit::scene::{SKU, Scene, UNLINKED};
use serde_json::Value;
use shopify_sim::control::{OrderPlaced, PlaceOrder, Ship};
use shopify_sim::faults::{Chaos, Fault, WebhookFault};
use shopify_sim::state::Order;

const ORDERS: usize = 200;
/// The local engine starts a process for each webhook that comes at the same time.
const AT_ONCE: usize = 10;
/// Many times what it takes: on a busy machine the local engine is slow, and this is no measure of it.
const LIMIT: Duration = Duration::from_secs(900);

/// All that a call can come to, with and without an effect. What lands late lands within the quarantine.
fn chaos() -> Chaos {
    Chaos {
        shop: None,
        seed: 20_261_122,
        probability: 0.3,
        faults: vec![
            Fault::Status { status: 500, retry_after_secs: None },
            Fault::Status { status: 503, retry_after_secs: None },
            Fault::Status { status: 429, retry_after_secs: Some(1) },
            Fault::Throttled,
            Fault::InternalError { effect: true },
            Fault::InternalError { effect: false },
            Fault::LoseAnswer { hang_ms: 0 },
            Fault::Hang { ms: 20 },
            Fault::LandLate { ms: 2_000 },
        ],
        webhook_faults: vec![WebhookFault::Double, WebhookFault::Reorder, WebhookFault::Delay { ms: 300 }],
    }
}

struct Run {
    scene: Scene,
    mars: String,
    orders: Vec<OrderPlaced>,
}

impl Run {
    /// Each third order has goods from both source stores.
    async fn place() -> Self {
        let mut scene = Scene::new(true).await;
        let mars = scene.add_source("mars", UNLINKED).await;
        scene.sim().set_chaos(&chaos()).await.unwrap();
        let mut orders = Vec::new();
        for n in 0..ORDERS {
            let goods: &[(&str, u32)] = if n.is_multiple_of(3) { &[(SKU, 1), (UNLINKED, 2)] } else { &[(SKU, 1)] };
            orders.push(scene.sim().place_order(&scene.moon, &PlaceOrder::of(goods)).await.unwrap());
            if n % AT_ONCE == AT_ONCE - 1 {
                scene.delivered().await;
            }
        }
        Self { scene, mars, orders }
    }

    async fn records(&self) -> Vec<OrderRecord> {
        let mut records = Vec::new();
        for order in &self.orders {
            records.push(self.scene.record(order.id).await);
        }
        records
    }

    /// Runs until `settled` is true of each order, and nothing of it waits any more.
    async fn settle(&self, what: &str, settled: impl Fn(usize, &OrderRecord) -> bool) {
        self.scene
            .run_until(what, LIMIT, || async {
                let records = self.records().await;
                records.iter().enumerate().all(|(n, record)| settled(n, record) && !record.is_pending())
            })
            .await;
        self.scene.stack.messages.settle(LIMIT).await;
    }

    /// The source orders of both stores, by what their note says of their origin.
    async fn source_orders(&self) -> BTreeMap<(String, String), Vec<Order>> {
        let mut by_origin: BTreeMap<(String, String), Vec<Order>> = BTreeMap::new();
        for shop in [&self.scene.sun, &self.mars] {
            for order in self.scene.sim().orders(shop).await.unwrap() {
                let name =
                    order.note.as_deref().and_then(|note| note.rsplit(' ').next()).unwrap_or_default().to_owned();
                by_origin.entry((shop.clone(), name)).or_default().push(order);
            }
        }
        by_origin
    }

    /// How many source stores the `n`th order goes to.
    fn stores(n: usize) -> usize {
        if n.is_multiple_of(3) { 2 } else { 1 }
    }

    async fn dead_letters(&self) -> Vec<(&'static str, Value)> {
        let mut letters = Vec::new();
        for queue in ["order-push", "tracking-writeback"] {
            for shop in [&self.scene.moon, &self.scene.sun, &self.mars] {
                let taken = self.scene.stack.messages.take_dead_letters(queue, shop).await;
                letters.extend(taken.into_iter().map(|letter| (queue, letter)));
            }
        }
        letters
    }

    /// Takes the letters and puts them back, as an operator's redrive does, until none is left: of a call that was in doubt
    /// three times a person decides once more. Returns how many there were at first.
    async fn redrive(&self, settled: impl Fn(usize, &OrderRecord) -> bool) -> usize {
        let mut letters = self.dead_letters().await;
        let first = letters.len();
        let mut rounds = 0;
        while !letters.is_empty() {
            rounds += 1;
            assert!(rounds <= 3, "still parked after three redrives: {letters:#?}");
            for (queue, letter) in &letters {
                self.scene.stack.messages.send(queue, &[letter.to_string()]).await;
            }
            self.scene.stack.messages.settle(LIMIT).await;
            self.settle("what was redriven is done, or parked again", &settled).await;
            letters = self.dead_letters().await;
        }
        first
    }
}

/// Whether each push is confirmed, or parked and so in the dead letters.
fn is_pushed_or_parked(n: usize, record: &OrderRecord) -> bool {
    let ended = record.pushes.values().filter(|row| {
        let step = row.get();
        matches!(step.state, PushState::Confirmed { .. }) || step.parked.as_ref().is_some_and(|parked| parked.announced)
    });
    ended.count() == Run::stores(n) || record.look.get().parked.is_some()
}

fn confirmed(record: &OrderRecord) -> usize {
    record.pushes.values().filter(|row| matches!(row.get().state, PushState::Confirmed { .. })).count()
}

#[allow(clippy::print_stdout)] // The numbers are worth a look.
#[tokio::test]
async fn two_hundred_orders_come_through_while_three_calls_in_ten_fail() {
    let run = Run::place().await;
    let scene = &run.scene;

    run.settle("each order is pushed or parked", is_pushed_or_parked).await;
    for orders in run.source_orders().await.values() {
        assert_eq!(orders.len(), 1, "one source order for {:?}", orders[0].note);
    }
    scene.sim().clear_faults().await.unwrap();
    let unpushed = run.redrive(is_pushed_or_parked).await;
    run.settle("what was parked is pushed", |n, record| confirmed(record) == Run::stores(n)).await;
    let sources = run.source_orders().await;
    assert_eq!(sources.len(), (0..ORDERS).map(Run::stores).sum::<usize>());

    scene.sim().set_chaos(&chaos()).await.unwrap();
    let mut numbers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for ((shop, name), orders) in &sources {
        let [order] = &orders[..] else { panic!("{name} is {} times in {shop}", orders.len()) };
        let number = format!("94001118992231{:08}", order.id % 100_000_000);
        scene.sim().ship(shop, &order.id.to_string(), &Ship::all("USPS", &number)).await.unwrap();
        let of_order = numbers.entry(name.clone()).or_default();
        of_order.insert(number);
        if numbers.len().is_multiple_of(AT_ONCE) {
            scene.delivered().await;
        }
    }
    scene
        .run_until("each shipment is written or parked", LIMIT, || async {
            for ((shop, _), orders) in &sources {
                let source = scene.ledger_record(shop, orders[0].id).await;
                let Some(roundtrip_domain::record::Origin::Pushed { destination, .. }) =
                    source.origin.as_ref().map(|row| row.get().clone())
                else {
                    return false;
                };
                let record = scene.record(destination.id.number()).await;
                let steps = record.writebacks.iter().filter(|(shipment, _)| shipment.is_of(&source.at));
                let ended = steps.filter(|(_, row)| {
                    let step = row.get();
                    matches!(step.state.phase, Phase::Written { .. }) || step.parked.is_some()
                });
                let parked = source.look_at_shipments.get().parked.is_some();
                if source.is_pending() || record.is_pending() || !(parked || ended.count() == 1) {
                    return false;
                }
            }
            true
        })
        .await;
    scene.stack.messages.settle(LIMIT).await;
    scene.sim().clear_faults().await.unwrap();
    let written = |record: &OrderRecord| {
        record.writebacks.values().filter(|row| matches!(row.get().state.phase, Phase::Written { .. })).count()
    };
    let parked = |record: &OrderRecord| record.writebacks.values().filter(|row| row.get().parked.is_some()).count();
    // One whose source order could not even be read has no step yet.
    let unwritten = run.redrive(|n, record| written(record) + parked(record) <= Run::stores(n)).await;
    run.settle("what was parked is written", |n, record| written(record) == Run::stores(n)).await;

    let mut mails = 0;
    for order in &run.orders {
        let home = scene.destination_order(order.id).await;
        let shown = home.fulfillments.iter().flat_map(|f| &f.tracking_info).filter_map(|info| info.number.clone());
        let shown: Vec<String> = shown.collect();
        assert_eq!(shown.iter().cloned().collect::<BTreeSet<_>>(), numbers[&order.name], "{}", order.name);
        assert_eq!(shown.len(), numbers[&order.name].len(), "{} shows each number once", order.name);
        mails += home.shipping_mails();
        assert!(home.tags.is_empty(), "{} is mended, and carries no tag of ours: {:?}", order.name, home.tags);
    }
    let distinct: usize = numbers.values().map(BTreeSet::len).sum();
    assert_eq!(mails, distinct, "one mail for each number");
    println!("{ORDERS} orders, {distinct} shipments; parked and redriven: {unpushed} pushes, {unwritten} writebacks");
    assert!(run.dead_letters().await.is_empty());
}
