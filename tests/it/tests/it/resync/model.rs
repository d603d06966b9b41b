//! A thousand orders over six days, their webhooks lost, doubled, overtaken and late as chance has it: after one
//! resync the ledger says of each what Shopify says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use roundtrip_domain::id::FulfillmentId;
use roundtrip_domain::order::{FinancialStatus, FulfillmentState, OrderFulfillment};

use super::*;

const ORDERS: u64 = 1000;

/// What happens to an order.
#[derive(Debug, Clone, Copy)]
enum Change {
    Paid,
    Shipped,
    Cancelled,
    Noted,
}

/// What becomes of its webhook: how long after the change it comes, each time.
type Fate = Vec<u64>;

fn change_of() -> impl Strategy<Value = Change> {
    prop_oneof![Just(Change::Paid), Just(Change::Shipped), Just(Change::Cancelled), Just(Change::Noted)]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(vec![1]),
        2 => Just(vec![]),
        1 => Just(vec![1, 2]),
        1 => (60_u64..3600).prop_map(|late| vec![late]),
        1 => Just(vec![24 * 3600]),
    ]
}

/// When it is placed, in seconds from the start, with its webhook's fate; and what happens so much later.
fn life() -> impl Strategy<Value = (u64, Fate, Vec<(u64, Change, Fate)>)> {
    let changes = proptest::collection::vec((1_u64..40_000, change_of(), fate()), 0..4);
    (0_u64..5 * 24 * 3600, fate(), changes)
}

enum Happening {
    Placed,
    Changed(Change),
    Told,
}

fn happen(world: &World, id: u64, what: Change) {
    change(world, id, |order| match what {
        Change::Paid => order.financial_status = FinancialStatus::Paid,
        Change::Shipped => {
            order.fulfillment_status = FulfillmentStatus::Fulfilled;
            let tracking = vec![crate::world::tracking(&format!("T{id}"))];
            let sent = OrderFulfillment { id: FulfillmentId::new(id), state: FulfillmentState::Success, tracking };
            order.fulfillments = vec![sent];
        }
        Change::Cancelled => order.cancelled_at = Some(order.updated_at),
        Change::Noted => order.note = Some(format!("note at {}", order.updated_at)),
    });
}

#[tokio::test]
async fn after_one_resync_the_ledger_says_of_each_order_what_shopify_says() {
    let mut chance = TestRunner::new(Config { rng_seed: RngSeed::Fixed(42), ..Config::default() });
    let mut agenda: BTreeMap<u64, Vec<(u64, Happening)>> = BTreeMap::new();
    let mut plan = |at: u64, id: u64, what: Happening| agenda.entry(at).or_default().push((id, what));
    for id in 1..=ORDERS {
        let (placed_at, told, changes) = life().new_tree(&mut chance).unwrap().current();
        plan(placed_at, id, Happening::Placed);
        told.iter().for_each(|late| plan(placed_at + late, id, Happening::Told));
        for (later, what, told) in changes {
            plan(placed_at + later, id, Happening::Changed(what));
            told.iter().for_each(|late| plan(placed_at + later + late, id, Happening::Told));
        }
    }
    let world = World::new();
    world.settings(|settings| settings.auto_push = false).await;
    let start = world.now();

    let end = 6 * 24 * 3600 + 40_000;
    for (second, happenings) in agenda.range(..end) {
        world.ports.clock.advance_to(after(start, Duration::from_secs(*second)));
        for (id, what) in happenings {
            match what {
                Happening::Placed => placed(&world, *id, world.now()),
                Happening::Changed(what) => happen(&world, *id, *what),
                Happening::Told => {
                    let order = OrderRef { shop: moon(), id: OrderId::new(*id) };
                    world.tell(Queue::OrderPush, world.webhook(&order)).await;
                }
            }
        }
    }
    world.ports.clock.advance(HOUR);
    let behind = differing(&world).await;
    let run = resynced(&world, 1).await;

    assert!(behind > 100, "only {behind} orders were missed");
    assert_eq!((differing(&world).await, sums(&run)), (0, (behind, behind)), "{run:?}");
    assert_eq!((u64::from(run.scanned), run.calls), (ORDERS, 4 + 1));
}

/// Of how many orders the ledger says something else than Shopify.
async fn differing(world: &World) -> u32 {
    let orders = world.shop(&moon(), |shop| shop.orders.clone());
    let mut differing = 0;
    for order in orders.values().filter(|order| order.at.id.number() <= ORDERS) {
        let known = world.ports.ledger.load(&order.at).await.unwrap().summary.map(|row| row.get().clone());
        let same = known.is_some_and(|known| {
            (known.updated_at, known.cancelled_at, known.financial_status, known.fulfillment_status)
                == (
                    order.updated_at,
                    order.cancelled_at,
                    order.financial_status.clone(),
                    order.fulfillment_status.clone(),
                )
                && known.tracking_numbers == order.tracking_numbers()
        });
        differing += u32::from(!same);
    }
    differing
}
