//! What is typed, up to the simulator.

use std::process::Command;

use shopify_sim::faults::Fault;

use crate::shop::{DOMAIN, Shop};

/// Types a command; says what it prints.
async fn typed(shop: &Shop, words: &[&str]) -> String {
    let (url, words) = (shop.sim.url(), words.iter().map(ToString::to_string).collect::<Vec<_>>());
    let run = move || Command::new(env!("CARGO_BIN_EXE_shopify-sim")).args(["--url", &url]).args(words).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn each_fault_of_a_call_can_be_typed() {
    let shop = Shop::open().await;
    let cases = [
        ("status:503", Fault::Status { status: 503, retry_after_secs: None }),
        ("status:429:2", Fault::Status { status: 429, retry_after_secs: Some(2) }),
        ("throttled", Fault::Throttled),
        ("internal-error", Fault::InternalError { effect: false }),
        ("internal-error-after", Fault::InternalError { effect: true }),
        ("hang:500", Fault::Hang { ms: 500 }),
        ("lose-answer", Fault::LoseAnswer { hang_ms: 0 }),
        ("lose-answer:500", Fault::LoseAnswer { hang_ms: 500 }),
        ("land-late:500", Fault::LandLate { ms: 500 }),
        ("hold-answer:500", Fault::HoldAnswer { ms: 500 }),
        ("access-denied:write_orders", Fault::AccessDenied { scope: "write_orders".to_owned() }),
    ];
    for (words, fault) in cases {
        typed(&shop, &["fault", "call", words, "--shop", DOMAIN, "--operation", "OrderCreate"]).await;
        let plan = shop.client.faults().await.unwrap();
        assert_eq!(plan.calls.last().map(|rule| &rule.fault), Some(&fault), "{words}");
        assert_eq!(plan.calls.last().and_then(|rule| rule.operation.as_deref()), Some("OrderCreate"));
    }
}

#[tokio::test]
async fn a_shop_of_two_locations_and_work_that_moves_between_them_can_be_typed() {
    let shop = Shop::open().await;
    let sun = "sun-supply.myshopify.com";

    let locations = ["--location", "East", "--location", "West"];
    let skus = ["--sku", "DRUM=30@East", "--sku", "FLUTE=12@West"];
    typed(&shop, &[&["shop", "create", sun][..], &locations, &skus].concat()).await;
    typed(&shop, &["order", "place", sun, "DRUM:2", "FLUTE"]).await;
    let before = shop.client.show_order(sun, "1001").await.unwrap();
    typed(&shop, &["move", sun, "1001", "West"]).await;

    let after = shop.client.show_order(sun, "1001").await.unwrap();
    let open = after.fulfillment_orders.iter().filter(|it| it.is_fulfillable());
    assert_eq!(before.fulfillment_orders.len(), 2);
    assert_eq!(open.map(|it| it.remaining()).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn what_happens_to_a_shop_and_its_orders_can_be_typed() {
    let shop = Shop::open().await;
    let order = shop.place(&[("MOON-1", 2)]).await;

    let settings = "--index-lag-ms 700 --taken-key drop-silently --refuse-overwrite true";
    let words: Vec<&str> = ["shop", "set", DOMAIN].into_iter().chain(settings.split(' ')).collect();
    typed(&shop, &words).await;
    typed(&shop, &["edit", DOMAIN, "1001", "MOON-1", "1"]).await;
    typed(&shop, &["hold", DOMAIN, "1001", "--reason", "awaiting-payment"]).await;
    typed(&shop, &["shop", "revoke-token", DOMAIN]).await;
    typed(&shop, &["shop", "uninstall", DOMAIN]).await;

    let seen = shop.client.shop(DOMAIN).await.unwrap();
    assert!(seen.settings.refuse_overwrite && !seen.installed);
    assert_eq!((seen.settings.index_lag.as_millis(), seen.access_token), (700, None));
    let order = shop.client.show_order(DOMAIN, &order).await.unwrap();
    assert_eq!((order.lines[0].current_quantity, order.fulfillment_orders[0].holds.len()), (1, 1));
}
