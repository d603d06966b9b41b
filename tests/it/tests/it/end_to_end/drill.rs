//! Three in the morning: five hundred shipments that are not shown, of five causes. One cause is found, mended, tried and
//! redriven while functions are killed; the others stay as they are, and are purged.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use roundtrip_kit::scene::{SKU, Scene};
use roundtrip_kit::stack::eventually;
use serde_json::{Value, json};
use shopify_sim::control::{OrderPlaced, PlaceOrder, Ship};
use shopify_sim::faults::{Fault, FaultRule, UserErrorSpec, WebhookFault, WebhookFaultRule};
use shopify_sim::state::Order;
use shopify_sim::words::OrderCancelReason;

use super::command::{run, told};
use super::kills::kill_workers;

/// Orders of each cause.
const ORDERS: usize = 10;
/// Shipments of each order.
const SHIPMENTS: usize = 10;
const OF_A_CAUSE: usize = ORDERS * SHIPMENTS;
/// The place of the cause whose orders are cancelled.
const CANCELLED: usize = 2;
const LIMIT: Duration = Duration::from_secs(300);
/// Moments between kills, in milliseconds: random once, the same in each run.
const MOMENTS: [u64; 8] = [730, 210, 1490, 90, 1130, 410, 1760, 350];

/// Why shipments are not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The store refuses, and will until it is mended.
    Stocktaking,
    /// The store refuses in other words, this once.
    Odd,
    /// A carrier that Shopify does not know, and no URL.
    HorseAndCart,
    Cancelled,
    /// Somebody has shipped the order by hand.
    ShippedByHand,
}

impl Cause {
    const ALL: [Self; 5] = [Self::Odd, Self::HorseAndCart, Self::Cancelled, Self::ShippedByHand, Self::Stocktaking];

    fn code(self) -> &'static str {
        match self {
            Self::Stocktaking | Self::Odd => "REJECTED",
            Self::HorseAndCart => "INCOMPLETE_TRACKING",
            Self::Cancelled => "ORDER_CANCELLED",
            Self::ShippedByHand => "ALREADY_SHIPPED",
        }
    }

    fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Stocktaking => Some("The location is closed for stocktaking"),
            Self::Odd => Some("Something odd"),
            Self::HorseAndCart | Self::Cancelled | Self::ShippedByHand => None,
        }
    }
}

struct Night {
    scene: Scene,
    orders: BTreeMap<usize, Vec<OrderPlaced>>,
}

impl Night {
    /// All orders are pushed; nothing is shipped yet.
    async fn begin() -> Self {
        let scene = Scene::new(true).await;
        let mut orders = BTreeMap::new();
        for n in 0..Cause::ALL.len() {
            let mut placed = Vec::new();
            for _ in 0..ORDERS {
                let units = u32::try_from(SHIPMENTS).unwrap();
                placed.push(scene.sim().place_order(&scene.moon, &PlaceOrder::of(&[(SKU, units)])).await.unwrap());
            }
            scene.delivered().await;
            orders.insert(n, placed);
        }
        let all = Cause::ALL.len() * ORDERS;
        scene.run_until("all are pushed", LIMIT, || async { scene.source_orders().await.len() == all }).await;
        scene.settle().await;
        Self { scene, orders }
    }

    /// The source orders of a cause.
    async fn sources(&self, n: usize) -> Vec<Order> {
        let names: BTreeSet<&str> = self.orders[&n].iter().map(|order| order.name.as_str()).collect();
        let mut sources = self.scene.source_orders().await;
        sources.retain(|order| {
            order.note.as_deref().and_then(|note| note.rsplit(' ').next()).is_some_and(|name| names.contains(name))
        });
        sources
    }

    /// The shipments of a cause are sent, and fail.
    async fn fail(&self, n: usize, cause: Cause) {
        let (scene, sim) = (&self.scene, self.scene.sim());
        for order in &self.orders[&n] {
            let id = order.id.to_string();
            match cause {
                Cause::Cancelled => drop(sim.cancel(&scene.moon, &id, OrderCancelReason::Customer).await.unwrap()),
                Cause::ShippedByHand => {
                    sim.ship(&scene.moon, &id, &Ship::all("UPS", &format!("1Z{id}"))).await.unwrap();
                }
                Cause::Stocktaking | Cause::Odd | Cause::HorseAndCart => {}
            }
        }
        scene.settle().await;
        // One look at each order sees all of its shipments.
        let silence = WebhookFaultRule {
            shop: Some(scene.sun.clone()),
            topic: None,
            skip: 0,
            count: 100_000,
            fault: WebhookFault::Drop,
        };
        sim.add_webhook_fault(&silence).await.unwrap();
        let company = if cause == Cause::HorseAndCart { "Horse & Cart" } else { "usps" };
        let sources = self.sources(n).await;
        for source in &sources {
            for shipment in 0..SHIPMENTS {
                let goods = Ship::all(company, &number(source.id, shipment)).line(SKU, 1);
                sim.ship(&scene.sun, &source.id.to_string(), &goods).await.unwrap();
            }
        }
        sim.clear_faults().await.unwrap();
        if let Some(message) = cause.refusal() {
            let error = UserErrorSpec { message: message.into(), ..UserErrorSpec::default() };
            let refuse = Fault::Reject { user_errors: vec![error] };
            let rule = FaultRule { count: 100_000, ..FaultRule::next(&scene.moon, "FulfillmentCreate", refuse) };
            sim.add_fault(&rule).await.unwrap();
        }
        for source in &sources {
            let path = format!("/v1/shops/{}/orders/{}/sync", scene.sun, source.id);
            assert_eq!(scene.stack.api.post(&path, json!({})).await.status, 202);
        }
        let expected = OF_A_CAUSE * (n + 1);
        eventually(&format!("{expected} are parked"), LIMIT, || async {
            (self.parked().await == expected).then_some(())
        })
        .await;
        scene.settle().await;
        if cause != Cause::Stocktaking {
            sim.clear_faults().await.unwrap();
        }
    }

    async fn incidents(&self) -> Value {
        self.scene.stack.api.get(&format!("/v1/incidents?shop={}", self.scene.moon)).await.body
    }

    /// How many shipments are parked. The orders that were cancelled after their push need somebody as well.
    async fn parked(&self) -> usize {
        let incidents = self.incidents().await;
        let parked = incidents["incidents"].as_array().unwrap().iter().filter(|it| it["kind"] == "tracking");
        parked.map(|it| it["count"].as_u64().unwrap()).sum::<u64>().try_into().unwrap()
    }

    /// Code and count of each cause but `one`.
    async fn others(&self, one: &str) -> Vec<(String, u64)> {
        let incidents = self.incidents().await;
        let others = incidents["incidents"].as_array().unwrap().iter();
        let others = others.filter(|it| it["cause"] != one && it["kind"] == "tracking");
        let mut others: Vec<_> =
            others.map(|it| (it["code"].as_str().unwrap().to_owned(), it["count"].as_u64().unwrap())).collect();
        others.sort();
        others
    }

    /// Lets a job go on, each moment with other functions killed, until it has ended.
    async fn while_killed(&self, job: &str) -> (Value, usize) {
        let start = Instant::now();
        let (mut killed, mut moments) = (0, MOMENTS.iter().cycle());
        loop {
            let going_on = self.scene.stack.run_dead_letters();
            let killing = async {
                // Later on it is left in peace, to come to its end.
                if start.elapsed() < Duration::from_secs(30) {
                    tokio::time::sleep(Duration::from_millis(*moments.next().unwrap())).await;
                    killed += kill_workers("dead-letters") + kill_workers("tracking-writeback");
                }
            };
            tokio::join!(going_on, killing);
            self.scene.stack.run_due_work().await;
            let shown = self.scene.stack.api.get(&format!("/v1/jobs/{job}")).await.body;
            if shown["state"] != "running" {
                return (shown, killed);
            }
            assert!(start.elapsed() < LIMIT, "{shown:#}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

fn number(source: u64, shipment: usize) -> String {
    format!("94001{:09}{shipment:02}", source % 1_000_000_000)
}

#[tokio::test]
async fn five_hundred_of_five_causes_are_sorted_and_the_mended_one_comes_home_though_functions_are_killed() {
    let night = Night::begin().await;
    let scene = &night.scene;
    for (n, cause) in Cause::ALL.into_iter().enumerate() {
        night.fail(n, cause).await;
    }

    // Found by its cause.
    let shown = told(scene, "incident --shop MOON").await;
    assert!(shown.starts_with("510 exceptions, 6 causes\n"), "{shown}");
    assert_eq!(shown.matches("\n100 x ").count(), 5, "{shown}");
    assert!(shown.contains("\n10 x CANCELLED_AFTER_PUSH: order at "), "{shown}");
    assert_eq!((shown.matches("  owner ").count(), shown.matches("nobody").count()), (6, 6), "{shown}");
    let incidents = night.incidents().await;
    let words = Cause::Stocktaking.refusal().unwrap();
    let mended =
        incidents["incidents"].as_array().unwrap().iter().find(|it| it["last_failure"].to_string().contains(words));
    let mended = mended.unwrap_or_else(|| panic!("{shown}"));
    let cause = mended["cause"].as_str().unwrap();
    let others = night.others(cause).await;
    let mut expected: Vec<_> = Cause::ALL[..4].iter().map(|it| (it.code().to_owned(), OF_A_CAUSE as u64)).collect();
    expected.sort();
    assert_eq!(others, expected);

    // Somebody takes it, and has all of it.
    let taken = told(scene, &format!("incident own {cause} --to warehouse --days 2")).await;
    assert!(taken.starts_with(&format!("{cause}: warehouse sees to 100 exceptions until ")), "{taken}");
    let shown = told(scene, &format!("incident show {cause} --limit 2")).await;
    assert_eq!((shown.matches(" warehouse ").count(), shown.contains("and 98 more")), (2, true), "{shown}");
    assert!(!told(scene, "incident --shop MOON --unowned").await.contains(cause), "it is somebody's");

    // Tried too early: the canary dies, the rest stays.
    let redrive = |reason: &str| format!("dlq redrive --cause {cause} --canary 1 --rate 50 --reason {reason} --json");
    let begun: Value = serde_json::from_str(&told(scene, &redrive("early")).await).unwrap();
    assert_eq!(begun["matched"], OF_A_CAUSE, "{begun:#}");
    let stopped = eventually("the canary stops the job", LIMIT, || async {
        scene.stack.run_dead_letters().await;
        let job = scene.stack.api.get(&format!("/v1/jobs/{}", begun["job_id"].as_str().unwrap())).await.body;
        (job["state"] == "stopped").then_some(job)
    })
    .await;
    assert_eq!((&stopped["sent"], &stopped["parked"]), (&json!(1), &json!(OF_A_CAUSE - 1)), "{stopped:#}");

    // Mended, and redriven.
    scene.sim().clear_faults().await.unwrap();
    let begun: Value = serde_json::from_str(&told(scene, &redrive("mended")).await).unwrap();
    assert_eq!(begun["matched"], OF_A_CAUSE, "all of it is still there: {begun:#}");
    let again: Value = serde_json::from_str(&told(scene, &redrive("again")).await).unwrap();
    let (ended, killed) = night.while_killed(begun["job_id"].as_str().unwrap()).await;
    assert!(killed >= 5, "{killed} processes were killed");
    assert_eq!((&ended["state"], &ended["done"]), (&json!("done"), &json!(OF_A_CAUSE)), "{ended:#}");
    if let Some(job) = again["job_id"].as_str() {
        night.while_killed(job).await;
    }
    scene.run_until("nothing waits", LIMIT, || async { night.parked().await == 4 * OF_A_CAUSE }).await;
    scene.settle().await;

    // All home, each once, each mailed about once.
    let last = Cause::ALL.len() - 1;
    let mut sent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in night.sources(last).await {
        let name = source.note.as_deref().and_then(|note| note.rsplit(' ').next()).unwrap().to_owned();
        sent.insert(name, (0..SHIPMENTS).map(|shipment| number(source.id, shipment)).collect());
    }
    for order in &night.orders[&last] {
        let home = scene.destination_order(order.id).await;
        let shown = home.fulfillments.iter().flat_map(|it| &it.tracking_info).filter_map(|info| info.number.clone());
        let shown: Vec<String> = shown.collect();
        assert_eq!(shown.iter().cloned().collect::<BTreeSet<_>>(), sent[&order.name], "{}", order.name);
        assert_eq!((shown.len(), home.shipping_mails()), (SHIPMENTS, SHIPMENTS), "{}", order.name);
        assert!(home.tags.is_empty(), "{}: {:?}", order.name, home.tags);
    }
    assert_eq!(night.others(cause).await, expected, "the others are as they were");

    // The rest will never be mended.
    let refused = run(scene, "dlq purge --shop MOON --reason gone --confirm 1").await;
    assert!(refused.code == 1 && refused.err.contains("400 dead letters would be purged"), "{refused:?}");
    let begun: Value =
        serde_json::from_str(&told(scene, "dlq purge --shop MOON --reason gone --confirm 400 --json").await).unwrap();
    let (ended, _) = night.while_killed(begun["job_id"].as_str().unwrap()).await;
    assert_eq!(ended["verdict"], "400 of 400 purged", "{ended:#}");
    assert_eq!(night.parked().await, 0);

    // Nobody cancels the orders at their source store, and somebody says that this is as it should be.
    for order in &night.orders[&CANCELLED] {
        let line = format!("order dismiss-warnings MOON {} --reason gone", order.id);
        assert!(told(scene, &line).await.starts_with("1 warning of order "), "{}", order.name);
    }
    assert_eq!(night.incidents().await["count"], 0);
    eventually("their letters are taken off", LIMIT, || async {
        scene.stack.run_dead_letters().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        scene.left_behind().await.is_empty().then_some(())
    })
    .await;
}
