//! The ledger's contract, by the ledger in memory and by the one on DynamoDB; and what only the real
//! one has: lists, history, the registry.

use roundtrip_aws::{Page, Part};
use roundtrip_domain::id::{OrderId, OrderRef, VariantId};
use roundtrip_domain::ports::{Clock, Ports};
use roundtrip_domain::ports::{Ledger, Registry};
use roundtrip_domain::push::push_order;
use roundtrip_domain::record::{OrderFilter, Summary, Tab};
use roundtrip_domain::registry::LinkChange;
use roundtrip_domain::task::{Subject, Task, Trigger};
use roundtrip_kit::order::{connected, connection, link, moon, paid_order, sun};
use roundtrip_kit::{contract, dynamodb, fake};

#[tokio::test]
async fn the_ledger_in_memory_keeps_the_contract() {
    contract::ledger(&fake::MemoryLedger::default()).await;
}

#[tokio::test]
async fn the_ledger_on_dynamodb_keeps_the_contract() {
    contract::ledger(&dynamodb::ledger().await).await;
}

#[tokio::test]
async fn a_shop_is_read_with_both_sides_of_its_connections() {
    let ledger = dynamodb::ledger().await;
    let now = jiff::Timestamp::now();
    assert!(ledger.register_shop(&connected(moon(), now)).await.unwrap(), "new");
    assert!(!ledger.register_shop(&connected(moon(), now)).await.unwrap(), "known");
    ledger.register_shop(&connected(sun(), now)).await.unwrap();
    ledger.put_connection(&connection(true)).await.unwrap();
    ledger.change_links(&[LinkChange::first(link(1))]).await.unwrap();

    let destination = ledger.shop(&moon()).await.unwrap().unwrap();
    let source = ledger.shop(&sun()).await.unwrap().unwrap();

    assert_eq!(destination.outbound, [connection(true)]);
    assert_eq!(source.inbound, [moon()]);
    assert_eq!(ledger.shop(&roundtrip_kit::order::shop("mars")).await.unwrap(), None);
}

#[tokio::test]
async fn links_are_read_in_batches_of_any_size() {
    let ledger = dynamodb::ledger().await;
    let links: Vec<LinkChange> = (1..=230).map(link).map(LinkChange::first).collect();
    ledger.change_links(&links).await.unwrap();

    let wanted: Vec<VariantId> = (1..=250).map(VariantId::new).collect();
    let found = ledger.links(&moon(), &wanted, &[sun()]).await.unwrap();

    assert_eq!(found.by_variant.len(), 230);
    assert!(found.sources.is_empty(), "the sun was never registered");
}

#[tokio::test]
async fn lists_are_paged_newest_first_and_follow_an_order_from_tab_to_tab() {
    let fakes = fake::ports();
    let ports = Ports {
        ledger: dynamodb::ledger().await,
        channel: fakes.channel.clone(),
        tasks: fakes.tasks.clone(),
        clock: fakes.clock.clone(),
        waits: fakes.waits,
    };
    let now = ports.clock.now();
    ports.ledger.register_shop(&connected(moon(), now)).await.unwrap();
    ports.ledger.register_shop(&connected(sun(), now)).await.unwrap();
    ports.ledger.put_connection(&connection(false)).await.unwrap();
    ports.ledger.change_links(&[LinkChange::first(link(1))]).await.unwrap();
    for id in 1..=5 {
        fakes.clock.advance(std::time::Duration::from_secs(60));
        let order = paid_order(id, fakes.clock.now());
        fakes.channel.shop(&moon(), |shop| shop.orders.insert(order.at.id, order));
        let at = OrderRef { shop: moon(), id: OrderId::new(id) };
        push_order(&ports, &Task::new(Trigger::Webhook, "e", Subject::Order(at))).await.unwrap();
    }

    let list = async |tabs: &[Tab], after: Option<&str>| {
        let part = Part { limit: 3, after, ..Part::default() };
        ports.ledger.list_orders(&moon(), tabs, &OrderFilter::default(), part).await.unwrap()
    };
    let first = list(&[Tab::NotPushed], None).await;
    let second = list(&[Tab::NotPushed], first.next.as_deref()).await;

    let ids = |page: &Page<Summary>| page.orders.iter().map(|o| o.id.number()).collect::<Vec<_>>();
    assert_eq!((ids(&first), ids(&second)), (vec![5, 4, 3], vec![2, 1]));
    assert_eq!(second.next, None);

    let mut automatic = connection(true);
    automatic.settings_change.version = 2;
    ports.ledger.put_connection(&automatic).await.unwrap();
    let at = OrderRef { shop: moon(), id: OrderId::new(3) };
    push_order(&ports, &Task::new(Trigger::Webhook, "e", Subject::Order(at.clone()))).await.unwrap();

    let mut counts = Vec::new();
    for tab in Tab::ALL {
        counts.push(ports.ledger.count_orders(&moon(), tab).await.unwrap());
    }
    assert_eq!(counts, [4, 0, 1, 0]);
    assert_eq!(ids(&list(&[Tab::Pushed], None).await), [3]);
    let newest = list(&Tab::ALL, None).await;
    let oldest = list(&Tab::ALL, newest.next.as_deref()).await;
    assert_eq!((ids(&newest), ids(&oldest), oldest.next), (vec![5, 4, 3], vec![2, 1], None), "of all tabs as well");
    let history = ports.ledger.history(&at, 10).await.unwrap();
    let moves: Vec<(&str, &str)> = history.iter().rev().map(|e| (e.what.as_str(), e.after.as_str())).collect();
    assert_eq!(
        moves,
        [
            ("order", "PAID, UNFULFILLED"),
            ("push/sun.myshopify.com/1", "sent"),
            ("push/sun.myshopify.com/1", "confirmed")
        ]
    );
    assert!(ports.ledger.load(&at).await.unwrap().personal.is_some());
}
