//! Webhook bodies: the bare REST resource of the topic.
//!
//! Source: <https://shopify.dev/docs/api/webhooks> (trimmed to the fields that apps route and
//! decide by; the rest of a resource is left out).

use serde_json::{Value, json};

use crate::state::{
    Fulfillment, FulfillmentOrder, LineItem, MailingAddress, Order, Refund, TrackingInfo, Variant, gid,
};
use crate::words::{OrderDisplayFinancialStatus, OrderDisplayFulfillmentStatus, word};

/// orders/*
pub(crate) fn order_body(order: &Order) -> Value {
    json!({
        "id": order.id,
        "admin_graphql_api_id": gid("Order", order.id),
        "name": order.name,
        "order_number": order.number,
        "number": order.number.saturating_sub(1000),
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "processed_at": order.processed_at,
        "cancelled_at": order.cancelled_at,
        "cancel_reason": order.cancel_reason.map(lower),
        "closed_at": null,
        "currency": order.currency,
        "presentment_currency": order.presentment_currency,
        "email": order.email,
        "contact_email": order.email,
        "phone": order.phone,
        "note": order.note,
        "note_attributes": order.custom_attributes.iter().map(|it| json!({"name": it.key, "value": it.value})).collect::<Vec<_>>(),
        "tags": order.tags.join(", "),
        "test": order.test,
        "source_identifier": order.source_identifier,
        "source_name": order.source_name,
        "source_url": order.source_url,
        "financial_status": financial(order.financial_status),
        "fulfillment_status": fulfillment(order.display_fulfillment_status()),
        "total_price": order.total().shop.amount,
        "current_total_price": order.current_total().shop.amount,
        "total_discounts": order.total_discounts.shop.amount,
        "total_tax": order.tax_total().shop.amount,
        "discount_codes": order.discount_codes.iter().map(|code| json!({"code": code})).collect::<Vec<_>>(),
        "customer": order.customer.as_ref().map(|it| json!({
            "id": it.id, "first_name": it.first_name, "last_name": it.last_name, "email": it.email, "phone": it.phone,
        })),
        "shipping_address": order.shipping_address.as_ref().map(address),
        "billing_address": order.billing_address.as_ref().map(address),
        "shipping_lines": order.shipping_lines.iter().map(|it| json!({
            "id": it.id, "title": it.title, "code": it.code, "source": it.source, "price": it.price.shop.amount,
        })).collect::<Vec<_>>(),
        "line_items": order.lines.iter().map(|line| line_item(order, line)).collect::<Vec<_>>(),
        "fulfillments": order.fulfillments.iter().map(|it| fulfillment_body(order, it)).collect::<Vec<_>>(),
        "refunds": order.refunds.iter().map(|it| refund_body(order, it)).collect::<Vec<_>>(),
    })
}

fn line_item(order: &Order, line: &LineItem) -> Value {
    let sent = order.fulfilled_quantity(line.id);
    json!({
        "id": line.id,
        "admin_graphql_api_id": gid("LineItem", line.id),
        "variant_id": line.variant_id,
        "product_id": line.product_id,
        "sku": line.sku,
        "title": line.title,
        "name": line.title,
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "fulfillable_quantity": line.current_quantity.saturating_sub(sent),
        "fulfillment_status": match sent { 0 => None, sent if sent < line.quantity => Some("partial"), _ => Some("fulfilled") },
        "price": line.price.shop.amount,
        "requires_shipping": line.requires_shipping,
        "taxable": line.taxable,
        "properties": line.custom_attributes.iter().map(|it| json!({"name": it.key, "value": it.value})).collect::<Vec<_>>(),
    })
}

/// fulfillments/*
pub(crate) fn fulfillment_body(order: &Order, fulfillment: &Fulfillment) -> Value {
    let all = |pick: fn(&TrackingInfo) -> &Option<String>| -> Vec<&String> {
        fulfillment.tracking_info.iter().filter_map(|it| pick(it).as_ref()).collect()
    };
    let (numbers, urls) = (all(|it| &it.number), all(|it| &it.url));
    let lines = fulfillment.lines.iter().filter_map(|sent| {
        let mut line = line_item(order, order.line(sent.line_item_id)?);
        line["quantity"] = sent.quantity.into();
        Some(line)
    });
    json!({
        "id": fulfillment.id,
        "admin_graphql_api_id": gid("Fulfillment", fulfillment.id),
        "order_id": order.id,
        "name": fulfillment.name,
        "status": lower(fulfillment.status),
        "service": fulfillment.service,
        "location_id": fulfillment.location_id,
        "created_at": fulfillment.created_at,
        "updated_at": fulfillment.updated_at,
        "shipment_status": null,
        "tracking_company": fulfillment.tracking_info.first().and_then(|it| it.company.as_ref()),
        "tracking_number": numbers.first(),
        "tracking_numbers": numbers,
        "tracking_url": urls.first(),
        "tracking_urls": urls,
        "line_items": lines.collect::<Vec<_>>(),
    })
}

/// refunds/create
pub(crate) fn refund_body(order: &Order, refund: &Refund) -> Value {
    json!({
        "id": refund.id,
        "admin_graphql_api_id": gid("Refund", refund.id),
        "order_id": order.id,
        "created_at": refund.created_at,
        "refund_line_items": refund.lines.iter().map(|(line_item_id, quantity)| json!({
            "line_item_id": line_item_id, "quantity": quantity,
        })).collect::<Vec<_>>(),
    })
}

/// fulfillment_orders/*: names the fulfillment order and not its order.
pub(crate) fn fulfillment_order_body(it: &FulfillmentOrder) -> Value {
    json!({"fulfillment_order": {"id": gid("FulfillmentOrder", it.id), "status": lower(it.status)}})
}

/// products/*
pub(crate) fn product_body(variants: &[&Variant]) -> Value {
    let id = variants.first().map(|variant| variant.product_id);
    json!({
        "id": id,
        "admin_graphql_api_id": id.map(|id| gid("Product", id)),
        "title": variants.first().map(|variant| &variant.title),
        "status": "active",
        "variants": variants.iter().map(|it| json!({
            "id": it.id, "admin_graphql_api_id": gid("ProductVariant", it.id), "sku": it.sku, "barcode": it.barcode,
            "price": it.price,
        })).collect::<Vec<_>>(),
    })
}

/// products/delete
pub(crate) fn deleted_product_body(id: u64) -> Value {
    json!({"id": id})
}

fn address(it: &MailingAddress) -> Value {
    json!({
        "first_name": it.first_name, "last_name": it.last_name, "company": it.company, "address1": it.address1,
        "address2": it.address2, "city": it.city, "province_code": it.province_code, "zip": it.zip,
        "country_code": it.country_code, "phone": it.phone,
    })
}

fn lower<T: serde::Serialize>(value: T) -> String {
    word(value).to_lowercase()
}

fn financial(status: OrderDisplayFinancialStatus) -> String {
    lower(status)
}

/// REST knows fewer statuses than GraphQL: null, partial, fulfilled.
fn fulfillment(status: OrderDisplayFulfillmentStatus) -> Option<&'static str> {
    match status {
        OrderDisplayFulfillmentStatus::Fulfilled => Some("fulfilled"),
        OrderDisplayFulfillmentStatus::PartiallyFulfilled => Some("partial"),
        _ => None,
    }
}
