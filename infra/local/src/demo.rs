//! The demo: two stores that sell, two that ship, and orders on their way there and back, over the
//! stack that `make up` deployed.
#![allow(clippy::print_stdout)] // It prints.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Parser;
use roundtrip_kit::stack::{Stack, Store, Stores, eventually};
use serde_json::json;
use shopify_sim::control::{PlaceOrder, Ship};
use shopify_sim::faults::{WebhookFault, WebhookFaultRule};
use shopify_sim::state::Order;

/// Orders on their way through Roundtrip.
#[derive(Parser)]
struct Options {
    /// How many orders are placed.
    #[arg(long, default_value_t = 20)]
    orders: usize,
    /// Milliseconds between two orders.
    #[arg(long, default_value_t = 1000)]
    every_ms: u64,
}

/// Orders of which no webhook tells.
const LOST: usize = 3;
/// After this long an order that is not home is reported as such.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options = Options::parse();
    let stack = match Stack::connect().await {
        Ok(stack) => stack,
        Err(error) => {
            println!("{error}");
            std::process::exit(1);
        }
    };
    let mut demo = Demo::open(stack).await;
    demo.run(&options).await;
    demo.summary();
    let all_found = demo.lose_webhooks().await;
    demo.look_around();
    if !all_found || demo.journeys.iter().any(|journey| journey.written_back.is_none()) {
        std::process::exit(1);
    }
}

/// One order, and when it reached what.
struct Journey {
    destination: usize,
    source: usize,
    id: u64,
    name: String,
    number: String,
    placed: Instant,
    pushed: Option<Instant>,
    shipped: Option<Instant>,
    written_back: Option<Instant>,
}

struct Demo {
    stack: Stack,
    start: Instant,
    destinations: Vec<Store>,
    sources: Vec<Store>,
    journeys: Vec<Journey>,
}

impl Demo {
    /// Opens four stores, connects each destination with each source, and links their products.
    async fn open(stack: Stack) -> Self {
        // The ledger outlives the simulator's stores, so each demo has stores of its own.
        let run = jiff::Timestamp::now().as_second() % 1_000_000;
        let store = |name: &str, skus: &[&str]| {
            let mut store = Store::new(&format!("{}-{run}", name.to_lowercase().replace(' ', "-")), skus);
            store.name = name.to_owned();
            store
        };
        let sources = vec![store("Sun Supply", &["MUG", "LAMP"]), store("Comet Crafts", &["KITE", "DRUM"])];
        let everything = ["MUG", "LAMP", "KITE", "DRUM"];
        let destinations = vec![store("Moon Shop", &everything), store("Mars Market", &everything)];
        println!("Connecting two stores that sell and two that ship:");
        let all: Vec<Store> = destinations.iter().chain(&sources).cloned().collect();
        let stores = Stores::open(&stack, &all).await;
        for destination in &destinations {
            for source in &sources {
                let links: Vec<(&str, &str)> =
                    source.sells.iter().map(|(sku, _)| (sku.as_str(), sku.as_str())).collect();
                stores.connect(&stack, &destination.domain, &source.domain, true, &links).await;
                println!("  {} ({}) → {} ({})", destination.name, destination.domain, source.name, source.domain);
            }
        }
        println!();
        Self { stack, start: Instant::now(), destinations, sources, journeys: Vec::new() }
    }

    async fn run(&mut self, options: &Options) {
        self.start = Instant::now();
        let mut next = Instant::now();
        while !self.is_over(options) {
            if self.journeys.len() < options.orders && Instant::now() >= next {
                self.place().await;
                next += Duration::from_millis(options.every_ms);
            }
            self.look().await;
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    fn is_over(&self, options: &Options) -> bool {
        let open = |journey: &&Journey| journey.written_back.is_none() && journey.placed.elapsed() < PATIENCE;
        self.journeys.len() >= options.orders && !self.journeys.iter().any(|journey| open(&journey))
    }

    fn say(&self, what: &str, text: &str) {
        println!("{:>6.1} s  {what:<13} {text}", self.start.elapsed().as_secs_f64());
    }

    async fn place(&mut self) {
        let n = self.journeys.len();
        let (destination, source) = (n % self.destinations.len(), n / 2 % self.sources.len());
        let (sku, _) = &self.sources[source].sells[n % 2];
        let quantity = u32::try_from(n % 3 + 1).unwrap_or(1);
        let domain = &self.destinations[destination].domain;
        let placed = self.stack.sim.place_order(domain, &PlaceOrder::of(&[(sku, quantity)])).await.expect("an order");
        let seller = &self.destinations[destination].name;
        self.say("placed", &format!("{seller} {}: {quantity} × {sku}", placed.name));
        self.journeys.push(Journey {
            destination,
            source,
            id: placed.id,
            name: placed.name,
            number: format!("94001118992231{:08}", placed.id % 100_000_000),
            placed: Instant::now(),
            pushed: None,
            shipped: None,
            written_back: None,
        });
    }

    /// Looks at the stores as their merchants do, ships what has arrived, and says what is new.
    async fn look(&mut self) {
        let sold = self.orders(&self.destinations).await;
        let arrived = self.orders(&self.sources).await;
        for n in 0..self.journeys.len() {
            self.look_at(n, &sold, &arrived).await;
        }
    }

    async fn orders(&self, stores: &[Store]) -> BTreeMap<String, Vec<Order>> {
        let mut orders = BTreeMap::new();
        for store in stores {
            orders.insert(store.domain.clone(), self.stack.sim.orders(&store.domain).await.expect("orders"));
        }
        orders
    }

    async fn look_at(&mut self, n: usize, sold: &BTreeMap<String, Vec<Order>>, arrived: &BTreeMap<String, Vec<Order>>) {
        let journey = &self.journeys[n];
        let (seller, shipper) = (&self.destinations[journey.destination], &self.sources[journey.source]);
        let label = format!("{} {}", seller.name, journey.name);
        let origin = format!("{}, order {}", seller.name, journey.name);
        let source = arrived[&shipper.domain].iter().find(|o| o.note.as_deref() == Some(origin.as_str()));
        let shown = sold[&seller.domain].iter().find(|order| order.id == journey.id);
        let home = shown.is_some_and(|order| {
            order
                .fulfillments
                .iter()
                .flat_map(|f| &f.tracking_info)
                .any(|t| t.number.as_deref() == Some(&journey.number))
        });
        let (pushed, shipped, back) = (journey.pushed, journey.shipped, journey.written_back);
        let now = Instant::now();
        match (source, pushed, shipped, back) {
            (Some(source), None, _, _) => {
                self.say("pushed", &format!("{label} → {} {}", shipper.name, source.name));
                self.journeys[n].pushed = Some(now);
            }
            // The merchant of the source store takes a moment to pack.
            (Some(source), Some(at), None, _) if at.elapsed() > Duration::from_millis(700) => {
                let goods = Ship::all("usps", &journey.number);
                let id = source.id.to_string();
                self.stack.sim.ship(&shipper.domain, &id, &goods).await.expect("a shipment");
                self.say("shipped", &format!("{} {} with USPS {}", shipper.name, source.name, journey.number));
                self.journeys[n].shipped = Some(now);
            }
            (_, _, Some(_), None) if home => {
                let seconds = journey.placed.elapsed().as_secs_f64();
                let text = format!("{label}: USPS {}, {seconds:.1} s after it was placed", journey.number);
                self.say("written back", &text);
                self.journeys[n].written_back = Some(now);
            }
            _ => {}
        }
    }

    fn summary(&self) {
        let between = |from: fn(&Journey) -> Option<Instant>, to: fn(&Journey) -> Option<Instant>| {
            let mut times: Vec<f64> = self
                .journeys
                .iter()
                .filter_map(|journey| Some((to(journey)? - from(journey)?).as_secs_f64()))
                .collect();
            times.sort_by(f64::total_cmp);
            match times.as_slice() {
                [] => "–".to_owned(),
                times => format!("median {:.1} s, longest {:.1} s", times[times.len() / 2], times[times.len() - 1]),
            }
        };
        let count = |reached: fn(&Journey) -> Option<Instant>| self.journeys.iter().filter_map(reached).count();
        let total = self.journeys.len();
        println!("\n{total} orders in {:.0} s:", self.start.elapsed().as_secs_f64());
        println!(
            "  pushed        {:>3} of {total}   {}",
            count(|j| j.pushed),
            between(|j| Some(j.placed), |j| j.pushed)
        );
        let back = between(|j| j.shipped, |j| j.written_back);
        println!("  written back  {:>3} of {total}   {back} after they were shipped", count(|j| j.written_back));
        for journey in self.journeys.iter().filter(|journey| journey.written_back.is_none()) {
            let store = &self.destinations[journey.destination].domain;
            println!(
                "  not home: order {} of {store}; why: roundtrip --local order show {store} {}",
                journey.name, journey.id
            );
        }
    }

    /// Orders of which no webhook tells are placed, and a resync has to find just those. Whether it did.
    async fn lose_webhooks(&self) -> bool {
        let store = &self.destinations[0];
        println!("\nWebhooks of {} are lost now, on purpose:", store.name);
        let lost = WebhookFaultRule {
            shop: Some(store.domain.clone()),
            topic: None,
            skip: 0,
            count: u32::MAX,
            fault: WebhookFault::Drop,
        };
        self.stack.sim.add_webhook_fault(&lost).await.expect("the simulator takes it");
        for (sku, _) in store.sells.iter().take(LOST) {
            let placed =
                self.stack.sim.place_order(&store.domain, &PlaceOrder::of(&[(sku, 1)])).await.expect("an order");
            self.say("placed", &format!("{} {}: 1 × {sku}, and nobody hears of it", store.name, placed.name));
        }
        self.stack.sim.clear_faults().await.expect("the simulator answers");
        // A resync leaves alone what changed a moment ago.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let path = format!("/v1/shops/{}/resync", store.domain);
        let begun = self.stack.api.post(&path, json!({})).await.body["run_id"].clone();
        let run = eventually("the resync ends", PATIENCE, async || {
            self.stack.run_due_work().await;
            let shown = self.stack.api.get(&path).await.body;
            (shown["state"] == "done" && shown["run"]["id"] == begun).then(|| shown["run"].clone())
        })
        .await;
        let number = |field: &str| run[field].as_u64().unwrap_or_default();
        let (scanned, calls, found, fixed) = (number("scanned"), number("calls"), number("found"), number("fixed"));
        self.say(
            "resync",
            &format!("{}: {scanned} orders read in {calls} calls, {found} found, {fixed} fixed", store.name),
        );
        (found, fixed) == (LOST as u64, LOST as u64)
    }

    fn look_around(&self) {
        let (store, order) = (&self.destinations[0].domain, self.journeys.first().map_or(0, |journey| journey.id));
        let sim = &self.stack.described.sim_url;
        println!("\nThe stack stays up. Look around:");
        println!("  cargo run -q -p roundtrip-cli -- --local order list {store}");
        println!("  cargo run -q -p roundtrip-cli -- --local order show {store} {order}");
        println!("  cargo run -q -p shopify-sim -- --url {sim} order list {store}");
        println!("  cargo run -q -p roundtrip-cli -- --local resync {store} --show");
        println!("  python3 infra/local/stack.py logs order-push");
        println!("Stop it with `make down`.");
    }
}
