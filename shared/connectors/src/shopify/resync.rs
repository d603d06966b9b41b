//! A page of a shop's orders.

use std::fmt::Write as _;

use jiff::Timestamp;
use roundtrip_domain::channel::{ChannelError, OrdersPage, OrdersQuery};
use roundtrip_domain::id::{OrderRef, ShopDomain};
use roundtrip_domain::order::{FinancialStatus, OrderFulfillment};
use roundtrip_domain::ports::{Clock, Credentials};
use roundtrip_domain::resync::{OrderSight, Pass, ShipmentSight};
use serde_json::{Value, json};

use super::answer::{self, Asked};
use super::channel::{parse, unreadable};
use super::orders::fulfillment;
use super::transport::ShopifyApi;
use super::wire::{OrderSightWire, OrdersData};

const ORDERS_PAGE: &str = include_str!("queries/orders_page.graphql");

impl<V: Credentials, K: Clock> ShopifyApi<V, K> {
    pub(super) async fn read_orders(&self, shop: &ShopDomain, query: &OrdersQuery) -> Result<OrdersPage, ChannelError> {
        let (data, answer): (OrdersData, _) =
            self.exchange(shop, Asked::Question, ORDERS_PAGE, variables(query)).await?;
        let Some(budget) = answer::budget(&answer) else {
            return Err(unreadable(shop, "the answer does not say what the rate limit has left"));
        };
        let page = data.orders;
        let orders = page.nodes.into_iter().map(|wire| sight(shop, wire)).collect::<Result<_, _>>()?;
        let next = page.page_info.has_next_page.then_some(page.page_info.end_cursor).flatten();
        Ok(OrdersPage { orders, next, budget })
    }
}

fn variables(query: &OrdersQuery) -> Value {
    let (field, sort_key) = match query.pass {
        Pass::Created => ("created_at", "CREATED_AT"),
        Pass::Updated => ("updated_at", "UPDATED_AT"),
    };
    // Whole seconds, as Shopify's clock has them.
    let second = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut search = format!("{field}:>='{}' {field}:<='{}'", second(query.from), second(query.until));
    if let Some(moment) = query.placed_before {
        let _ = write!(search, " created_at:<'{}'", second(moment));
    }
    json!({ "after": query.after, "query": search, "sortKey": sort_key })
}

fn sight(shop: &ShopDomain, wire: OrderSightWire) -> Result<OrderSight, ChannelError> {
    let shipment = |wire| {
        let OrderFulfillment { id, state, tracking } = fulfillment(shop, wire)?;
        Ok(ShipmentSight::of(id, &state, &tracking))
    };
    Ok(OrderSight {
        at: OrderRef { shop: shop.clone(), id: parse(shop, &wire.id)? },
        created_at: wire.created_at,
        updated_at: wire.updated_at,
        cancelled_at: wire.cancelled_at,
        financial_status: wire.display_financial_status.unwrap_or_else(|| FinancialStatus::Unknown("NONE".into())),
        fulfillment_status: wire.display_fulfillment_status,
        shipments: wire.fulfillments.into_iter().map(shipment).collect::<Result<_, ChannelError>>()?,
    })
}
