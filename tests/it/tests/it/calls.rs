//! What a plain order may cost in calls, on the real adapters.

use roundtrip_domain::Outcome;
use roundtrip_kit::measure::{plain_order, resync_of};

#[tokio::test]
async fn a_plain_order_stays_within_its_calls() {
    let costs = plain_order().await;

    for cost in &costs {
        assert!(matches!(cost.outcome, Outcome::Done(_)), "{cost:?}");
        let (shopify, dynamodb) = match cost.what {
            "push" => (2, 6),
            "writeback" => (4, 6),
            "push, another webhook" | "writeback, another webhook" => (1, 4),
            other => panic!("{other} has no budget"),
        };
        assert!(cost.shopify.len() <= shopify, "{cost:?}");
        assert!(cost.dynamodb.len() <= dynamodb, "{cost:?}");
    }
    let read = costs[0].shopify.iter().find(|(operation, _)| operation == "OrderForPush").expect("the order is read");
    assert!(read.1 <= 40, "the push read asks for {} points", read.1);
}

#[tokio::test]
async fn a_resync_takes_a_call_for_each_page_of_250_orders_and_one_more() {
    let cost = resync_of(260).await;

    assert_eq!(cost.shopify.len(), 2 + 1, "{:?}", cost.shopify);
    assert!(cost.shopify.iter().all(|(operation, points)| operation == "OrdersPage" && *points <= 40), "{cost:?}");
}
