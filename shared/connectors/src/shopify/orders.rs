//! Orders: read one, create one, look for one by its key.

use roundtrip_domain::channel::{ChannelError, KeyLookup};
use roundtrip_domain::id::{OrderRef, ShopDomain};
use roundtrip_domain::money::Money;
use roundtrip_domain::order::{
    Address, Attribute, CancelReason, FinancialStatus, FulfillmentOrderBrief, Line, Order, OrderFulfillment,
    PersonName, SourceOrder,
};
use roundtrip_domain::ports::{Clock, Credentials};
use roundtrip_domain::push::{Cancellation, OrderDraft, OrderKey};
use roundtrip_domain::writeback::TrackingInfo;
use serde_json::json;

use super::ORDER_KEY;
use super::channel::{parse, unreadable};
use super::classify::{self, Operation};
use super::order_create::order_create_variables;
use super::transport::ShopifyApi;
use super::wire::{
    AddressWire, AttributeWire, FulfillmentBrief, FulfillmentOrderBriefWire, LineWire, MoneyBag, OrderByKeyData,
    OrderCancelData, OrderCreateData, OrderData, OrderLines, OrderName, OrderWire, Page, TagsAddData, TagsRemoveData,
    TrackingWire,
};

const ORDER_FOR_PUSH: &str = include_str!("queries/order_for_push.graphql");
const ORDER_LINES_PAGE: &str = include_str!("queries/order_lines_page.graphql");
const ORDER_CREATE: &str = include_str!("queries/order_create.graphql");
const ORDER_CANCEL: &str = include_str!("queries/order_cancel.graphql");
const ORDER_BY_KEY: &str = include_str!("queries/order_by_key.graphql");
const TAGS_ADD: &str = include_str!("queries/tags_add.graphql");
const TAGS_REMOVE: &str = include_str!("queries/tags_remove.graphql");

/// Source: a live answer of `orderCancel`.
const MAX_STAFF_NOTE_CHARS: usize = 255;

impl<V: Credentials, K: Clock> ShopifyApi<V, K> {
    pub(super) async fn read_order(&self, at: &OrderRef) -> Result<Option<Order>, ChannelError> {
        let data: OrderData<OrderWire> = self.ask(&at.shop, ORDER_FOR_PUSH, json!({ "id": at.id.gid() })).await?;
        let Some(mut wire) = data.order else { return Ok(None) };
        let mut page = wire.line_items.page_info.has_next_page.then(|| wire.line_items.page_info.end_cursor.clone());
        while let Some(Some(cursor)) = page {
            let variables = json!({ "id": at.id.gid(), "after": cursor });
            let data: OrderData<OrderLines> = self.ask(&at.shop, ORDER_LINES_PAGE, variables).await?;
            let Some(more) = data.order else { return Ok(None) };
            if more.updated_at != wire.updated_at {
                // Lines of two different states do not make one order; whoever asked asks again.
                return Err(unreadable(&at.shop, "the order changed while its lines were read"));
            }
            let Page { nodes, page_info } = more.line_items;
            wire.line_items.nodes.extend(nodes);
            page = page_info.has_next_page.then_some(page_info.end_cursor);
        }
        order(at, wire).map(Some)
    }

    pub(super) async fn create_source_order(
        &self,
        source: &ShopDomain,
        draft: &OrderDraft,
    ) -> Result<SourceOrder, ChannelError> {
        let (data, request_id): (OrderCreateData, _) =
            self.send(source, ORDER_CREATE, order_create_variables(draft)).await?;
        let payload = data.order_create;
        classify::check(source, Operation::OrderCreate, &payload.user_errors, request_id)?;
        match payload.order {
            Some(order) => source_order(source, order),
            None => Err(unreadable(source, "orderCreate answered neither with an order nor with an error")),
        }
    }

    pub(super) async fn find_source_order(
        &self,
        source: &ShopDomain,
        key: &OrderKey,
    ) -> Result<KeyLookup, ChannelError> {
        let variables = json!({
            "identifier": { "customId": { "key": ORDER_KEY, "value": key } },
            "search": format!("source_identifier:'{key}'"),
            "definition": { "ownerType": "ORDER", "key": ORDER_KEY },
        });
        let data: OrderByKeyData = match self.ask(source, ORDER_BY_KEY, variables).await {
            // Without the definition Shopify does not look at all.
            Err(error) if classify::lacks_definition(&error) => return Ok(KeyLookup::Inconclusive),
            other => other?,
        };
        // The search matches loosely; only an order that carries exactly our key is ours.
        let searched = data.orders.nodes.into_iter().filter(|o| o.source_identifier.as_deref() == Some(key.as_str()));
        let mut found: Vec<SourceOrder> = Vec::new();
        for order in data.order_by_identifier.into_iter().chain(searched) {
            let order = source_order(source, order)?;
            if !found.iter().any(|known| known.id == order.id) {
                found.push(order);
            }
        }
        Ok(match (found.len(), data.metafield_definition) {
            (0, None) => KeyLookup::Inconclusive,
            (0, Some(_)) => KeyLookup::Absent,
            (1, _) => KeyLookup::Found(found.remove(0)),
            _ => KeyLookup::Several(found),
        })
    }

    pub(super) async fn cancel_source_order(
        &self,
        at: &OrderRef,
        cancellation: &Cancellation,
    ) -> Result<(), ChannelError> {
        let reason = match &cancellation.reason {
            // A word of a later version, which this one does not take.
            CancelReason::Unknown(_) => &CancelReason::Other,
            known => known,
        };
        let variables = json!({
            "orderId": at.id.gid(),
            "reason": reason,
            "restock": cancellation.restock,
            "staffNote": cancellation.staff_note.chars().take(MAX_STAFF_NOTE_CHARS).collect::<String>(),
        });
        let (data, request_id): (OrderCancelData, _) = self.send(&at.shop, ORDER_CANCEL, variables).await?;
        let payload = data.order_cancel;
        classify::check(&at.shop, Operation::OrderCancel, &payload.order_cancel_user_errors, request_id)?;
        Ok(())
    }

    pub(super) async fn add_order_tags(&self, at: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        let variables = json!({ "id": at.id.gid(), "tags": tags });
        let (data, request_id): (TagsAddData, _) = self.send(&at.shop, TAGS_ADD, variables).await?;
        classify::check(&at.shop, Operation::TagsAdd, &data.tags_add.user_errors, request_id)?;
        Ok(())
    }

    pub(super) async fn remove_order_tags(&self, at: &OrderRef, tags: &[String]) -> Result<(), ChannelError> {
        let variables = json!({ "id": at.id.gid(), "tags": tags });
        let (data, request_id): (TagsRemoveData, _) = self.send(&at.shop, TAGS_REMOVE, variables).await?;
        classify::check(&at.shop, Operation::TagsRemove, &data.tags_remove.user_errors, request_id)?;
        Ok(())
    }
}

fn source_order(shop: &ShopDomain, wire: OrderName) -> Result<SourceOrder, ChannelError> {
    Ok(SourceOrder { id: parse(shop, &wire.id)?, name: wire.name })
}

fn order(at: &OrderRef, wire: OrderWire) -> Result<Order, ChannelError> {
    let shop = &at.shop;
    let lines: Result<Vec<Line>, ChannelError> = wire.line_items.nodes.into_iter().map(|l| line(shop, l)).collect();
    let fulfillments: Result<_, ChannelError> = wire.fulfillments.into_iter().map(|f| fulfillment(shop, f)).collect();
    let ours = |text: &String| text.parse::<OrderKey>().is_ok();
    Ok(Order {
        at: at.clone(),
        name: wire.name,
        created_at: wire.created_at,
        updated_at: wire.updated_at,
        cancelled_at: wire.cancelled_at,
        cancel_reason: wire.cancel_reason,
        test: wire.test,
        financial_status: wire.display_financial_status.unwrap_or_else(|| FinancialStatus::Unknown("NONE".into())),
        fulfillment_status: wire.display_fulfillment_status,
        tags: wire.tags,
        note: wire.note,
        attributes: attributes(wire.custom_attributes),
        email: wire.email,
        phone: wire.phone,
        customer: wire.customer.map(|customer| PersonName { first: customer.first_name, last: customer.last_name }),
        shipping_address: wire.shipping_address.map(address),
        billing_address: wire.billing_address.map(address),
        shipping_method: wire.shipping_line.map(|line| line.title),
        total: money(shop, wire.total_price_set)?,
        lines: lines?,
        order_key: wire.order_key.map(|field| field.value).or(wire.source_identifier).filter(ours),
        fulfillments: fulfillments?,
        fulfillment_orders: wire.fulfillment_orders.nodes.into_iter().map(brief).collect(),
    })
}

fn brief(wire: FulfillmentOrderBriefWire) -> FulfillmentOrderBrief {
    FulfillmentOrderBrief { status: wire.status, fulfill_at: wire.fulfill_at }
}

pub(super) fn fulfillment(shop: &ShopDomain, wire: FulfillmentBrief) -> Result<OrderFulfillment, ChannelError> {
    Ok(OrderFulfillment { id: parse(shop, &wire.id)?, state: wire.status, tracking: tracking(wire.tracking_info) })
}

fn line(shop: &ShopDomain, wire: LineWire) -> Result<Line, ChannelError> {
    Ok(Line {
        id: parse(shop, &wire.id)?,
        title: wire.title,
        sku: wire.sku,
        variant: wire.variant.map(|variant| parse(shop, &variant.id)).transpose()?,
        quantity: wire.current_quantity,
        requires_shipping: wire.requires_shipping,
        unit_price: money(shop, wire.original_unit_price_set)?,
        attributes: attributes(wire.custom_attributes),
    })
}

fn money(shop: &ShopDomain, wire: MoneyBag) -> Result<Money, ChannelError> {
    let MoneyBag { shop_money } = wire;
    Ok(Money { amount: shop_money.amount, currency: parse(shop, &shop_money.currency_code)? })
}

fn address(wire: AddressWire) -> Address {
    Address {
        first_name: wire.first_name,
        last_name: wire.last_name,
        company: wire.company,
        address1: wire.address1,
        address2: wire.address2,
        city: wire.city,
        province_code: wire.province_code,
        zip: wire.zip,
        country_code: wire.country_code_v2,
        phone: wire.phone,
    }
}

pub(super) fn attributes(wire: Vec<AttributeWire>) -> Vec<Attribute> {
    wire.into_iter().filter_map(|a| Some(Attribute { key: a.key, value: a.value? })).collect()
}

/// The tracking infos that have a number.
pub(super) fn tracking(wire: Vec<TrackingWire>) -> Vec<TrackingInfo> {
    wire.into_iter().filter_map(|info| TrackingInfo::new(info.company, info.number, info.url)).collect()
}
