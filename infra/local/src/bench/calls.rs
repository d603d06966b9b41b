//! What an order costs in calls: counted, not timed.

use roundtrip_kit::measure::{Cost, plain_order, resync_of};

/// Source: docs/ARCHITECTURE.md, "Numbers".
const BUDGETS: [(&str, usize, usize); 2] = [("push", 2, 6), ("writeback", 4, 6)];

/// Prints what each task of a plain order calls.
pub(crate) async fn print() {
    let costs = plain_order().await;
    println!("Calls for a plain order with one source store, by a warm worker\n");
    println!("{:<28} {:>13} {:>8} {:>14}", "task", "Shopify calls", "points", "DynamoDB calls");
    for Cost { what, shopify, dynamodb, .. } in &costs {
        let budget = BUDGETS.iter().find(|(name, _, _)| name == what);
        let of = |count: usize, limit: Option<usize>| match limit {
            Some(limit) => format!("{count} of {limit}"),
            None => count.to_string(),
        };
        let points: u32 = shopify.iter().map(|(_, points)| points).sum();
        println!(
            "{what:<28} {:>13} {points:>8} {:>14}",
            of(shopify.len(), budget.map(|budget| budget.1)),
            of(dynamodb.len(), budget.map(|budget| budget.2)),
        );
    }
    println!();
    for Cost { what, shopify, dynamodb, .. } in &costs {
        let asked: Vec<String> = shopify.iter().map(|(operation, points)| format!("{operation} ({points})")).collect();
        println!("{what}: {}; {}", asked.join(", "), dynamodb.join(", "));
    }
    resyncs().await;
}

/// Orders of one run.
const ORDERS: usize = 1000;

async fn resyncs() {
    let pages = ORDERS.div_ceil(250);
    let Cost { shopify, dynamodb, .. } = resync_of(ORDERS).await;
    let points: u32 = shopify.iter().map(|(_, points)| points).sum();
    println!(
        "\nA resync of {ORDERS} orders, all unknown: {} Shopify calls of {} ({pages} pages of 250, and a look at older ones \
         that changed), {points} points, {} DynamoDB calls",
        shopify.len(),
        pages + 1,
        dynamodb.len()
    );
}
