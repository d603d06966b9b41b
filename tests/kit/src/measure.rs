//! What an order costs in calls: counted by the simulator and by the SDK, on the real adapters.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use roundtrip_aws::DynamoLedger;
use roundtrip_connectors::shopify::{ShopifyApi, ShopifyConfig};
use roundtrip_domain::id::{OrderId, OrderRef, VariantId};
use roundtrip_domain::ports::{Channel, Clock, Ports, Registry};
use roundtrip_domain::push::push_order;
use roundtrip_domain::registry::{LinkChange, ProductLink, Shop};
use roundtrip_domain::resync::resync;
use roundtrip_domain::task::{Subject, Task, Trigger};
use roundtrip_domain::writeback::write_back;
use roundtrip_domain::{Outcome, Waits};
use shopify_sim::control::{NewShop, PlaceOrder, Ship};
use shopify_sim::{Sim, SimClient, SimConfig};

use crate::dynamodb::{CallCount, counted_ledger};
use crate::fake::{MemoryTasks, MemoryVault};
use crate::order::{connected, connection, moon, sun};

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// What one task cost.
#[derive(Debug, Clone)]
pub struct Cost {
    pub what: &'static str,
    pub outcome: Outcome,
    /// Operation and requested points.
    pub shopify: Vec<(String, u32)>,
    /// Operations on DynamoDB.
    pub dynamodb: Vec<String>,
}

type RealPorts = Ports<DynamoLedger, ShopifyApi<MemoryVault, WallClock>, MemoryTasks, WallClock>;

struct Bench {
    sim: Sim,
    client: SimClient,
    ports: RealPorts,
    calls: CallCount,
}

/// A plain order with one source shop on its way there and back, step by step, by a warm worker (a cold
/// one reads each shop's token once more: one GetItem and one Decrypt).
///
/// # Panics
/// If the simulator or the ledger cannot be started, or anything on the way fails.
pub async fn plain_order() -> Vec<Cost> {
    let bench = Bench::start().await;
    bench.order_and_back().await;
    bench.order_and_back().await
}

/// The resync of a shop with so many orders, none of which the ledger knows: it reads and sends, and what it found is
/// others' work.
///
/// # Panics
/// As above.
pub async fn resync_of(orders: usize) -> Cost {
    let mut bench = Bench::start().await;
    bench.ports.waits.webhook_delay = Duration::ZERO;
    for _ in 0..orders {
        bench.client.place_order(moon().as_str(), &PlaceOrder::of(&[("MUG", 1)])).await.expect("an order");
    }
    // Shopify's clock has whole seconds: an order of this one may be younger than what is asked for.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let cost = bench.cost("resync", Subject::Shop { shop: moon() }, Work::Resync).await;
    let sent = bench.ports.tasks.sent();
    assert_eq!(sent.work.len() + sent.later.len(), orders, "each is found");
    drop(sent);
    cost
}

impl Bench {
    async fn start() -> Self {
        let config = SimConfig::default();
        let vault = MemoryVault::new(&config.client_id, &config.client_secret);
        let sim = Sim::start(config).await.expect("the simulator starts");
        let client = sim.client();
        let (ledger, calls) = counted_ledger().await;
        let shopify = ShopifyConfig {
            endpoint: format!("{}/{{shop}}", sim.url()).parse().expect("the simulator's address"),
            api_version: "2026-10".into(),
            webhook_url: Some(format!("{}/nowhere", sim.url())),
            call_timeout: Duration::from_secs(5),
        };
        let channel = ShopifyApi::new(shopify, vault, WallClock).expect("a client");
        let ports = Ports { ledger, channel, tasks: MemoryTasks::default(), clock: WallClock, waits: Waits::default() };
        let bench = Self { sim, client, ports, calls };
        bench.open_shops().await;
        bench
    }

    async fn open_shops(&self) {
        let mut variants = BTreeMap::new();
        for domain in [moon(), sun()] {
            let opened = self.client.create_shop(&NewShop::selling(domain.as_str(), &["MUG"])).await.expect("a shop");
            variants.insert(domain.clone(), VariantId::new(opened.variants[0].id));
            let now = Timestamp::now();
            // What it says of itself is asked of it below.
            let shop = Shop { facts: None, ..connected(domain.clone(), now) };
            self.ports.ledger.register_shop(&shop).await.expect("a write");
            let (facts, _) = self.ports.channel.facts(&domain).await.expect("facts");
            self.ports.channel.define_order_key(&domain).await.expect("a definition");
            self.ports.ledger.record_facts(&domain, &facts).await.expect("a write");
        }
        self.ports.ledger.put_connection(&connection(true)).await.expect("a write");
        let link = ProductLink::given((moon(), variants[&moon()]), (sun(), variants[&sun()]));
        self.ports.ledger.change_links(&[LinkChange::first(link)]).await.expect("a write");
    }

    async fn order_and_back(&self) -> Vec<Cost> {
        let placed = self.client.place_order(moon().as_str(), &PlaceOrder::of(&[("MUG", 1)])).await.expect("an order");
        let order = Subject::Order(OrderRef { shop: moon(), id: OrderId::new(placed.id) });
        let push = self.cost("push", order.clone(), Work::Push).await;
        let again = self.cost("push, another webhook", order, Work::Push).await;
        let source = self.client.orders(sun().as_str()).await.expect("orders").pop().expect("the source order");
        let goods = Ship::all("USPS", &format!("94001118992231{:08}", source.id % 100_000_000));
        self.client.ship(sun().as_str(), &source.id.to_string(), &goods).await.expect("a shipment");
        let source = Subject::Order(OrderRef { shop: sun(), id: OrderId::new(source.id) });
        let back = self.cost("writeback", source.clone(), Work::Writeback).await;
        let back_again = self.cost("writeback, another webhook", source, Work::Writeback).await;
        vec![push, again, back, back_again]
    }

    async fn cost(&self, what: &'static str, subject: Subject, work: Work) -> Cost {
        let trigger = if matches!(work, Work::Resync) { Trigger::Resync } else { Trigger::Webhook };
        let task = Task::new(trigger, "bench", subject);
        self.client.reset_calls().await.expect("the simulator answers");
        let _ = self.calls.take();
        let outcome = match work {
            Work::Push => push_order(&self.ports, &task).await,
            Work::Writeback => write_back(&self.ports, &task).await,
            Work::Resync => resync(&self.ports, &task).await,
        };
        let shopify = self.client.calls().await.expect("the simulator answers");
        let calls = shopify.into_iter().flat_map(|calls| {
            std::iter::repeat_n((calls.operation, calls.max_requested_cost), usize::try_from(calls.count).unwrap_or(0))
        });
        let outcome = outcome.expect("the task is finished");
        assert!(self.sim.url().starts_with("http"), "the simulator lives as long as the bench");
        Cost { what, outcome, shopify: calls.collect(), dynamodb: self.calls.take() }
    }
}

enum Work {
    Push,
    Writeback,
    Resync,
}
