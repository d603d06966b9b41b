//! A hundred thousand orders: what a page, a search and a count of them read.

use jiff::{SignedDuration, Timestamp};
use roundtrip_aws::{DynamoLedger, Part};
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::record::{Commit, List, Listing, OrderFilter, RowKey, Summary, Tab, Write};
use roundtrip_kit::dynamodb;
use roundtrip_kit::order::{euros, moon};

const ORDERS: u64 = 100_000;
/// What DynamoDB writes together.
const AT_ONCE: usize = 100;
const RARE: &str = "lost in the post";

fn begin() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// One order a minute, each tenth in another tab than most, two with a rare tag: the newest and the oldest.
fn summary(id: u64) -> Summary {
    let created_at = begin() + SignedDuration::from_mins(i64::try_from(id).unwrap());
    Summary {
        name: format!("#{id}"),
        created_at,
        updated_at: created_at,
        cancelled_at: None,
        test: false,
        financial_status: "PAID".to_owned().into(),
        fulfillment_status: "UNFULFILLED".to_owned().into(),
        total: euros("10.00"),
        shipping_method: Some("Standard".into()),
        tags: if id == 1 || id == ORDERS { vec![RARE.into()] } else { Vec::new() },
        lines: Vec::new(),
        tracking_numbers: Vec::new(),
        tab: if id.is_multiple_of(10) { Tab::NotPushed } else { Tab::Pushed },
        listed: true,
        shipped: false,
        badges: Vec::new(),
        own_tags: Default::default(),
        system_tags: Default::default(),
        warnings: Vec::new(),
        refusals: Vec::new(),
    }
}

async fn fill(ledger: &DynamoLedger) {
    let ids: Vec<u64> = (1..=ORDERS).collect();
    for some in ids.chunks(AT_ONCE) {
        let write = |id: &u64| {
            let summary = summary(*id);
            let listed =
                Listing { list: List::Tab(summary.tab), at: summary.created_at, name: Some(summary.name.clone()) };
            Write {
                order: OrderRef { shop: moon(), id: OrderId::new(*id) },
                key: RowKey::Summary,
                expected: 0,
                body: Some(serde_json::to_value(&summary).unwrap()),
                due: None,
                listed: Some(listed),
                expires_at: None,
            }
        };
        let commit = Commit { writes: some.iter().map(write).collect(), history: Vec::new() };
        ledger.commit(commit).await.unwrap();
    }
}

#[tokio::test]
async fn a_page_of_a_hundred_thousand_orders_takes_a_bounded_number_of_reads() {
    let (ledger, calls) = dynamodb::counted_ledger().await;
    fill(&ledger).await;
    let all = OrderFilter::default();
    let rare = OrderFilter { tag: Some(RARE.into()), ..all.clone() };
    let part = Part { limit: 50, ..Part::default() };
    let _filling = calls.take();

    let page = ledger.list_orders(&moon(), &[Tab::Pushed], &all, part).await.unwrap();
    assert_eq!((page.orders.len(), page.orders[0].id), (50, OrderId::new(99_999)));
    assert_eq!(calls.take(), ["Query"], "one tab");

    let page = ledger.list_orders(&moon(), &Tab::ALL, &all, part).await.unwrap();
    assert_eq!((page.orders.len(), page.orders[0].id), (50, OrderId::new(ORDERS)));
    let middle = format!("{}#0", "2026-02-04T17:20:00.000Z");
    let deep = Part { after: Some(&middle), ..part };
    assert_eq!(ledger.list_orders(&moon(), &Tab::ALL, &all, deep).await.unwrap().orders.len(), 50);
    assert_eq!(calls.take().len(), 8, "all tabs, at the beginning and in the middle");

    let found =
        ledger.find_numbered::<Summary>(&moon(), &Tab::ALL.map(List::Tab), &RowKey::Summary, "777").await.unwrap();
    assert_eq!(found.iter().map(|order| order.row.name.as_str()).collect::<Vec<_>>(), ["#777"]);
    assert_eq!(calls.take().len(), 9, "an order by its number: with and without its sign in four tabs, and its row");

    let (mut after, mut found, mut pages): (Option<String>, Vec<u64>, usize) = (None, Vec::new(), 0);
    loop {
        let part = Part { after: after.as_deref(), ..part };
        let page = ledger.list_orders(&moon(), &Tab::ALL, &rare, part).await.unwrap();
        assert!(calls.take().len() <= 4 * 20, "what hardly anything gets through");
        found.extend(page.orders.iter().map(|order| order.id.number()));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, [ORDERS, 1]);
    assert!(pages <= 25, "{pages} pages");

    assert_eq!(ledger.count_orders(&moon(), Tab::Pushed).await.unwrap(), 90_000);
    let reads = calls.take().len();
    assert!(reads <= 20, "{reads} reads for a count of 90,000");
}
