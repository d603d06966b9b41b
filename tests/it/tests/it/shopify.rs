//! The Shopify connector against the simulator, over HTTP: what the use cases' fakes cannot show.

use std::time::Duration;

use roundtrip_connectors::shopify::{ShopifyApi, ShopifyConfig};
use roundtrip_domain::channel::{Channel, ChannelError};
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_kit::fake::MemoryVault;
use roundtrip_kit::measure::WallClock;
use roundtrip_kit::order::moon;
use shopify_sim::control::{NewShop, PlaceOrder};
use shopify_sim::{Sim, SimClient, SimConfig};

type Api = ShopifyApi<MemoryVault, WallClock>;

/// Its bucket fills slowly, so that a busy machine does not refill it between two calls.
async fn shop(sku: &str) -> (Sim, SimClient, Api) {
    let config = SimConfig { restore_rate: 20, ..SimConfig::default() };
    let vault = MemoryVault::new(&config.client_id, &config.client_secret);
    let sim = Sim::start(config).await.unwrap();
    let client = sim.client();
    client.create_shop(&NewShop::selling(moon().as_str(), &[sku])).await.unwrap();
    let config = ShopifyConfig {
        endpoint: format!("{}/{{shop}}", sim.url()).parse().unwrap(),
        api_version: "2026-10".into(),
        webhook_url: None,
        call_timeout: Duration::from_secs(10),
    };
    (sim, client, ShopifyApi::new(config, vault, WallClock).unwrap())
}

async fn place(client: &SimClient, lines: &[(&str, u32)]) -> OrderRef {
    let placed = client.place_order(moon().as_str(), &PlaceOrder::of(lines)).await.unwrap();
    OrderRef { shop: moon(), id: OrderId::new(placed.id) }
}

#[tokio::test]
async fn an_order_with_more_lines_than_one_answer_holds_is_read_whole() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1); 60]).await;

    let read = api.order(&order).await.unwrap().unwrap();

    assert_eq!(read.lines.len(), 60);
    assert_eq!(client.call_count(moon().as_str(), "OrderLinesPage").await.unwrap(), 1);
}

#[tokio::test]
async fn a_short_throttle_is_slept_out_only_by_who_has_patience() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1)]).await;
    api.order(&order).await.unwrap();

    client.drain_bucket(moon().as_str(), 0).await.unwrap();
    let impatient = api.order(&order).await;
    assert!(matches!(impatient, Err(ChannelError::Throttled { .. })), "{impatient:?}");

    client.drain_bucket(moon().as_str(), 0).await.unwrap();
    api.set_patience(Duration::from_secs(2));
    assert!(api.order(&order).await.unwrap().is_some());
}
