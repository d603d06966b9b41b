//! Webhook topics: GraphQL's name and the header's.

use async_graphql::Enum;
use serde::{Deserialize, Serialize};

macro_rules! topics {
    ($($name:ident $slashed:literal)*) => {
        /// What a webhook is about. In JSON it is written as in the `X-Shopify-Topic` header.
        ///
        /// Source: Admin GraphQL schema 2026-10, `WebhookSubscriptionTopic`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum, Serialize, Deserialize)]
        #[graphql(name = "WebhookSubscriptionTopic")]
        pub enum Topic { $(#[serde(rename = $slashed)] $name),* }

        impl Topic {
            /// The header's name: `orders/create`.
            pub fn slashed(self) -> &'static str {
                match self { $(Self::$name => $slashed),* }
            }
        }
    };
}

topics! {
    OrdersCreate "orders/create"
    OrdersPaid "orders/paid"
    OrdersUpdated "orders/updated"
    OrdersEdited "orders/edited"
    OrdersCancelled "orders/cancelled"
    OrdersFulfilled "orders/fulfilled"
    OrdersPartiallyFulfilled "orders/partially_fulfilled"
    OrdersDelete "orders/delete"
    RefundsCreate "refunds/create"
    FulfillmentsCreate "fulfillments/create"
    FulfillmentsUpdate "fulfillments/update"
    FulfillmentEventsCreate "fulfillment_events/create"
    FulfillmentOrdersPlacedOnHold "fulfillment_orders/placed_on_hold"
    FulfillmentOrdersHoldReleased "fulfillment_orders/hold_released"
    FulfillmentOrdersOrderRoutingComplete "fulfillment_orders/order_routing_complete"
    FulfillmentOrdersMoved "fulfillment_orders/moved"
    FulfillmentOrdersSplit "fulfillment_orders/split"
    FulfillmentOrdersCancelled "fulfillment_orders/cancelled"
    FulfillmentHoldsAdded "fulfillment_holds/added"
    FulfillmentHoldsReleased "fulfillment_holds/released"
    ProductsCreate "products/create"
    ProductsUpdate "products/update"
    ProductsDelete "products/delete"
    InventoryLevelsUpdate "inventory_levels/update"
    LocationsCreate "locations/create"
    LocationsUpdate "locations/update"
    CustomersCreate "customers/create"
    CustomersUpdate "customers/update"
    ShopUpdate "shop/update"
    AppUninstalled "app/uninstalled"
    AppScopesUpdate "app/scopes_update"
    BulkOperationsFinish "bulk_operations/finish"
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.slashed())
    }
}
