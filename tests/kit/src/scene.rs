//! One end-to-end test: two stores of its own, and the check that it leaves no message behind.

use std::collections::BTreeMap;
use std::time::Duration;

use roundtrip_domain::id::{OrderId, OrderRef, ShopDomain};
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::record::OrderRecord;
use roundtrip_domain::resync::ResyncState;
use roundtrip_domain::step::{Step, StepId};
use serde_json::{Value, json};
use shopify_sim::client::SimClient;
use shopify_sim::control::{OrderPlaced, PlaceOrder, Ship};
use shopify_sim::faults::{WebhookFault, WebhookFaultRule};
use shopify_sim::state::Order;
use tokio::sync::{Mutex, MutexGuard};

use crate::stack::{Stack, Store, Stores, eventually};

/// Queues are shared, so end-to-end tests run one after the other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// How long anything may take that needs no wait of its own.
pub const SOON: Duration = Duration::from_secs(20);

/// How long work may take to come to rest. A task that did not end is hidden for 48 seconds, `QueueVisibility` of the stack on
/// this machine: so long that two in a row are no failure.
const AT_REST: Duration = Duration::from_secs(150);

/// A destination store `moon` that sells what the source store `sun` holds.
#[derive(Debug)]
pub struct Scene {
    pub stack: Stack,
    pub moon: String,
    pub sun: String,
    pub stores: Stores,
    /// What lay in the queues before: somebody's earlier experiments.
    before: BTreeMap<String, u32>,
    _turn: MutexGuard<'static, ()>,
}

/// What the stores of a scene sell.
pub const SKU: &str = "MUG";
/// Sold by the moon, held by nobody else.
pub const UNLINKED: &str = "POSTER";

impl Scene {
    /// Opens both stores and connects them.
    ///
    /// # Panics
    /// If no stack is up, or an earlier test left work in the queues.
    pub async fn new(auto_push: bool) -> Self {
        let turn = ONE_AT_A_TIME.lock().await;
        let stack = Stack::connect().await.unwrap_or_else(|error| panic!("{error}"));
        stack.sim.clear_faults().await.expect("the simulator answers");
        stack.messages.settle(AT_REST).await;
        let before = stack.messages.left().await;
        // The ledger outlives the simulator's shops: each scene has shops that nobody had before.
        let run = jiff::Timestamp::now().as_millisecond();
        let (moon, sun) =
            (Store::new(&format!("moon-{run}"), &[SKU, UNLINKED]), Store::new(&format!("sun-{run}"), &[SKU]));
        let stores = Stores::open(&stack, &[moon.clone(), sun.clone()]).await;
        stores.connect(&stack, &moon.domain, &sun.domain, auto_push, &[(SKU, SKU)]).await;
        let scene = Self { stack, moon: moon.domain, sun: sun.domain, stores, before, _turn: turn };
        scene.is_read(&[&scene.moon, &scene.sun]).await;
        scene
    }

    /// Opens another source store, which ships the moon's `sku`; returns its domain.
    ///
    /// # Panics
    /// If it cannot be opened or connected.
    pub async fn add_source(&mut self, name: &str, sku: &str) -> String {
        let store = Store::new(&self.moon.replace("moon", name).replace(".myshopify.com", ""), &[sku]);
        let opened = Stores::open(&self.stack, std::slice::from_ref(&store)).await;
        self.stores = std::mem::replace(&mut self.stores, Stores::none()).and(opened);
        self.stores.connect(&self.stack, &self.moon, &store.domain, true, &[(sku, sku)]).await;
        self.is_read(&[&self.moon, &store.domain]).await;
        store.domain
    }

    /// Waits until the stores were read, as connecting them asks for: that is not to find what a test does next, nor to fail
    /// where a test has calls fail.
    async fn is_read(&self, stores: &[&str]) {
        for store in stores {
            let domain: ShopDomain = store.parse().expect("a shop's domain");
            eventually(&format!("{store} is read"), AT_REST, || async {
                let step = self.stack.ledger.shop_step(&domain, &StepId::Resync).await.expect("the ledger can be read");
                step.filter(|(step, _): &(Step<ResyncState>, _)| step.wait.is_none())
            })
            .await;
        }
    }

    /// An order of the moon in the ledger.
    ///
    /// # Panics
    /// If the ledger cannot be read.
    pub async fn record(&self, order: u64) -> OrderRecord {
        self.ledger_record(&self.moon, order).await
    }

    /// An order of any shop in the ledger.
    ///
    /// # Panics
    /// If the ledger cannot be read.
    pub async fn ledger_record(&self, shop: &str, order: u64) -> OrderRecord {
        let at = OrderRef { shop: shop.parse().expect("a shop's domain"), id: OrderId::new(order) };
        self.stack.ledger.load(&at).await.expect("the ledger can be read")
    }

    /// Runs due work and the queues until `done` says so.
    ///
    /// # Panics
    /// With `what`, if that does not come within `limit`.
    pub async fn run_until<F>(&self, what: &str, limit: Duration, mut done: impl FnMut() -> F)
    where
        F: Future<Output = bool>,
    {
        eventually(what, limit, || {
            let done = done();
            async move {
                self.stack.run_due_work().await;
                tokio::time::sleep(Duration::from_millis(500)).await;
                done.await.then_some(())
            }
        })
        .await;
    }

    /// The simulator.
    pub fn sim(&self) -> &SimClient {
        &self.stack.sim
    }

    /// A customer of the moon buys one mug.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn place(&self) -> OrderPlaced {
        self.sim().place_order(&self.moon, &PlaceOrder::of(&[(SKU, 1)])).await.expect("an order is placed")
    }

    /// All that the sun has.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn source_orders(&self) -> Vec<Order> {
        self.sim().orders(&self.sun).await.expect("the simulator answers")
    }

    /// The moon's order as its merchant sees it.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn destination_order(&self, id: u64) -> Order {
        self.sim().show_order(&self.moon, &id.to_string()).await.expect("the simulator answers")
    }

    /// Waits until the ledger says that the order was pushed; returns the source order.
    pub async fn pushed(&self, order: &OrderPlaced) -> Order {
        eventually(&format!("{} is pushed", order.name), SOON, || async {
            let shown = self.stack.api.order(&self.moon, order.id).await?;
            (shown["pushes"][0]["state"] == "confirmed").then_some(())
        })
        .await;
        let mut orders = self.source_orders().await;
        orders.retain(|source| source.note.as_deref().is_some_and(|note| note.ends_with(&order.name)));
        assert_eq!(orders.len(), 1, "exactly one source order for {}", order.name);
        orders.remove(0)
    }

    /// All webhooks of a store are lost from now on.
    ///
    /// # Panics
    /// If the simulator does not answer.
    pub async fn go_silent(&self, shop: &str) {
        let fault = WebhookFault::Drop;
        let lost = WebhookFaultRule { shop: Some(shop.to_owned()), topic: None, skip: 0, count: 100, fault };
        self.sim().add_webhook_fault(&lost).await.expect("the simulator answers");
    }

    /// A run over a store's orders, to its end.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn resynced(&self, shop: &str) -> Value {
        let begun = self.stack.api.post(&format!("/v1/shops/{shop}/resync"), json!({})).await;
        assert_eq!(begun.status, 202, "{begun:?}");
        self.run_of(shop, &begun.body).await
    }

    /// The run that `begun` names, when it has ended.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn run_of(&self, shop: &str, begun: &Value) -> Value {
        let path = format!("/v1/shops/{shop}/runs/{}", begun["run_id"].as_str().expect("a run's id"));
        eventually(&format!("{shop} is read"), Duration::from_secs(120), || async {
            self.stack.run_due_work().await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            let shown = self.stack.api.get(&path).await.body["run"].clone();
            (shown["state"] == "done").then_some(shown)
        })
        .await
    }

    /// The sun's merchant ships a source order whole.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn ship(&self, source: &Order, number: &str) {
        let goods = Ship::all("usps", number);
        self.sim().ship(&self.sun, &source.id.to_string(), &goods).await.expect("the goods are sent");
    }

    /// Waits until the ledger says that the tracking was written back; returns the destination order.
    pub async fn written_back(&self, order: &OrderPlaced) -> Order {
        eventually(&format!("{} is written back", order.name), SOON, || async {
            let shown = self.ledger_order(order).await?;
            (shown["writebacks"][0]["state"] == "written").then_some(())
        })
        .await;
        self.destination_order(order.id).await
    }

    /// The order as the API shows it; `None` while the ledger does not know it.
    pub async fn ledger_order(&self, order: &OrderPlaced) -> Option<Value> {
        self.stack.api.order(&self.moon, order.id).await
    }

    /// The messages that this test has left so far, by queue.
    pub async fn left_behind(&self) -> BTreeMap<String, u32> {
        more_than(&self.before, self.stack.messages.left().await)
    }

    /// Waits until every webhook is delivered.
    ///
    /// # Panics
    /// If that does not come.
    pub async fn delivered(&self) {
        eventually("every webhook is delivered", AT_REST, || async {
            let deliveries = self.sim().deliveries().await.expect("the simulator answers");
            deliveries.iter().all(|delivery| delivery.finished).then_some(())
        })
        .await;
    }

    /// Waits until every webhook is delivered and no work is left.
    ///
    /// # Panics
    /// If that does not come.
    pub async fn settle(&self) {
        self.delivered().await;
        self.stack.messages.settle(AT_REST).await;
    }
}

fn more_than(before: &BTreeMap<String, u32>, now: BTreeMap<String, u32>) -> BTreeMap<String, u32> {
    now.into_iter().filter(|(queue, count)| before.get(queue).is_none_or(|known| count > known)).collect()
}

impl Drop for Scene {
    /// A test that leaves messages behind has failed, whatever it asserted.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let stack = self.stack.clone();
        let check = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                // The SDK's connections belong to the test's runtime: make new ones.
                let messages = Stack::connect().await.unwrap_or_else(|error| panic!("{error}")).messages;
                drop(stack);
                messages.settle(AT_REST).await;
                messages.left().await
            })
        });
        let mut left = more_than(&self.before, check.join().expect("the queues can be counted"));
        // What a schedule has begun since the work queues were empty is not the test's.
        left.retain(|queue, _| queue.ends_with("-dlq"));
        assert!(left.is_empty(), "the test left messages behind: {left:?}");
    }
}
