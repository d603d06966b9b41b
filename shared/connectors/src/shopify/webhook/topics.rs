//! The topics that we subscribe to, and where each body names its subject.

use roundtrip_domain::task::Queue;

/// One topic that we handle.
#[derive(Debug)]
pub struct Topic {
    /// As in the `X-Shopify-Topic` header.
    pub name: &'static str,
    /// As in `WebhookSubscriptionTopic`.
    pub(in crate::shopify) subscription: &'static str,
    pub queue: Queue,
    pub(super) subject: SubjectAt,
    /// What a delivery carries; empty: all of it, where Shopify's filter would cut off the root.
    pub(in crate::shopify) include_fields: &'static [&'static str],
}

/// Where a topic's body names its subject.
#[derive(Debug, Clone, Copy)]
pub(super) enum SubjectAt {
    /// `id` is the order, `updated_at` its time.
    Order,
    /// `order_id` is the order.
    OrderIdField,
    /// `order_edit.order_id` is the order.
    OrderEdit,
    /// `fulfillment_order.id` is a fulfillment order; nothing names the order.
    FulfillmentOrder,
    /// `id` is a product.
    Product,
}

const ORDER_FIELDS: &[&str] = &["id", "updated_at"];
const FULFILLMENT_FIELDS: &[&str] = &["id", "order_id", "updated_at"];
/// No time: stock changes with each sale, and a delivery of which none of these fields changed may be left out.
/// Source: webhook best practices.
const PRODUCT_FIELDS: &[&str] = &["id", "variants.id", "variants.sku", "variants.barcode"];
const REFUND_FIELDS: &[&str] = &["id", "order_id", "created_at"];

const fn topic(
    name: &'static str,
    subscription: &'static str,
    queue: Queue,
    subject: SubjectAt,
    include_fields: &'static [&'static str],
) -> Topic {
    Topic { name, subscription, queue, subject, include_fields }
}

/// Every topic that we subscribe to: its queue, and where its body names the subject.
pub const TOPICS: &[Topic] = {
    use Queue::{OrderPush, TrackingWriteback};
    use SubjectAt::{FulfillmentOrder, Order, OrderEdit, OrderIdField, Product};
    &[
        topic("orders/create", "ORDERS_CREATE", OrderPush, Order, ORDER_FIELDS),
        topic("orders/paid", "ORDERS_PAID", OrderPush, Order, ORDER_FIELDS),
        topic("orders/updated", "ORDERS_UPDATED", OrderPush, Order, ORDER_FIELDS),
        topic("orders/edited", "ORDERS_EDITED", OrderPush, OrderEdit, &[]),
        topic("orders/cancelled", "ORDERS_CANCELLED", OrderPush, Order, ORDER_FIELDS),
        topic("orders/fulfilled", "ORDERS_FULFILLED", OrderPush, Order, ORDER_FIELDS),
        topic("orders/partially_fulfilled", "ORDERS_PARTIALLY_FULFILLED", OrderPush, Order, ORDER_FIELDS),
        topic("refunds/create", "REFUNDS_CREATE", OrderPush, OrderIdField, REFUND_FIELDS),
        topic("fulfillments/create", "FULFILLMENTS_CREATE", TrackingWriteback, OrderIdField, FULFILLMENT_FIELDS),
        topic("fulfillments/update", "FULFILLMENTS_UPDATE", TrackingWriteback, OrderIdField, FULFILLMENT_FIELDS),
        topic(
            "fulfillment_orders/placed_on_hold",
            "FULFILLMENT_ORDERS_PLACED_ON_HOLD",
            OrderPush,
            FulfillmentOrder,
            &[],
        ),
        topic("fulfillment_orders/hold_released", "FULFILLMENT_ORDERS_HOLD_RELEASED", OrderPush, FulfillmentOrder, &[]),
        topic(
            "fulfillment_orders/order_routing_complete",
            "FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE",
            OrderPush,
            FulfillmentOrder,
            &[],
        ),
        topic("products/create", "PRODUCTS_CREATE", OrderPush, Product, PRODUCT_FIELDS),
        topic("products/update", "PRODUCTS_UPDATE", OrderPush, Product, PRODUCT_FIELDS),
        topic("products/delete", "PRODUCTS_DELETE", OrderPush, Product, &[]),
    ]
};
