//! Fulfillments: what a source shop shipped, what the destination shows, and creating one.

use roundtrip_domain::channel::{
    ChannelError, DestinationOrder, FulfillmentOrder, FulfillmentOrderLine, ShippedFulfillment, ShippedOrder,
    ShownFulfillment, SourceOrder,
};
use roundtrip_domain::id::{FulfillmentId, FulfillmentOrderId, LineItemId, OrderId, OrderRef, ShopDomain};
use roundtrip_domain::ports::{Clock, Credentials};
use roundtrip_domain::push::destination_line;
use roundtrip_domain::writeback::FulfillmentDraft;
use serde_json::{Value, json};

use super::channel::{parse, unreadable};
use super::classify;
use super::orders::{attributes, tracking};
use super::transport::ShopifyApi;
use super::wire::{
    DestinationOrderWire, FulfillmentCreateData, FulfillmentOrderOwnerData, FulfillmentOrderWire, OrderData, PageInfo,
    ShownFulfillmentWire, SourceFulfillmentWire, SourceOrderWire,
};

const SOURCE_ORDER: &str = include_str!("queries/source_order.graphql");
const DESTINATION_ORDER: &str = include_str!("queries/destination_order.graphql");
const FULFILLMENT_CREATE: &str = include_str!("queries/fulfillment_create.graphql");
const FULFILLMENT_ORDER_OWNER: &str = include_str!("queries/fulfillment_order_owner.graphql");

impl<V: Credentials, K: Clock> ShopifyApi<V, K> {
    pub(super) async fn read_shipped(&self, at: &OrderRef) -> Result<Option<ShippedOrder>, ChannelError> {
        let data: OrderData<SourceOrderWire> = self.ask(&at.shop, SOURCE_ORDER, json!({ "id": at.id.gid() })).await?;
        let Some(wire) = data.order else { return Ok(None) };
        let fulfillments = wire.fulfillments.into_iter().map(|f| shipped(&at.shop, f));
        Ok(Some(ShippedOrder {
            order: SourceOrder { id: parse(&at.shop, &wire.id)?, name: wire.name },
            updated_at: wire.updated_at,
            cancelled: wire.cancelled_at.is_some(),
            fulfillments: fulfillments.collect::<Result<_, _>>()?,
        }))
    }

    pub(super) async fn read_destination(&self, at: &OrderRef) -> Result<Option<DestinationOrder>, ChannelError> {
        let variables = json!({ "id": at.id.gid() });
        let data: OrderData<DestinationOrderWire> = self.ask(&at.shop, DESTINATION_ORDER, variables).await?;
        let Some(wire) = data.order else { return Ok(None) };
        complete(&at.shop, &wire.fulfillment_orders.page_info)?;
        let fulfillments = wire.fulfillments.into_iter().map(|f| shown(&at.shop, f));
        let orders = wire.fulfillment_orders.nodes.into_iter().map(|o| fulfillment_order(&at.shop, o));
        Ok(Some(DestinationOrder {
            name: wire.name,
            updated_at: wire.updated_at,
            cancelled: wire.cancelled_at.is_some(),
            fulfillments: fulfillments.collect::<Result<_, _>>()?,
            fulfillment_orders: orders.collect::<Result<_, _>>()?,
        }))
    }

    pub(super) async fn create_one_fulfillment(
        &self,
        shop: &ShopDomain,
        draft: &FulfillmentDraft,
    ) -> Result<FulfillmentId, ChannelError> {
        let data: FulfillmentCreateData = self.ask(shop, FULFILLMENT_CREATE, fulfillment_variables(draft)).await?;
        let payload = data.fulfillment_create;
        classify::check(shop, &payload.user_errors)?;
        match payload.fulfillment {
            Some(fulfillment) => parse(shop, &fulfillment.id),
            None => Err(unreadable(shop, "fulfillmentCreate answered neither with a fulfillment nor with an error")),
        }
    }

    pub(super) async fn owner_of(
        &self,
        shop: &ShopDomain,
        id: FulfillmentOrderId,
    ) -> Result<Option<OrderId>, ChannelError> {
        let variables = json!({ "id": id.gid() });
        let data: FulfillmentOrderOwnerData = self.ask(shop, FULFILLMENT_ORDER_OWNER, variables).await?;
        data.fulfillment_order.map(|owner| parse(shop, &owner.order.id)).transpose()
    }
}

fn fulfillment_variables(draft: &FulfillmentDraft) -> Value {
    let lines = draft.lines.iter().map(|lines| {
        let items = lines.lines.iter().map(|(id, quantity)| json!({ "id": id.gid(), "quantity": quantity }));
        json!({
            "fulfillmentOrderId": lines.fulfillment_order.gid(),
            "fulfillmentOrderLineItems": items.collect::<Vec<_>>(),
        })
    });
    // One company applies to all numbers. Source: FulfillmentTrackingInput.
    let company = draft.tracking.iter().find_map(|info| info.company.as_deref());
    let urls: Vec<&str> = draft.tracking.iter().filter_map(|info| info.url.as_deref()).collect();
    let mut tracking = json!({ "numbers": draft.tracking.iter().map(|info| &info.number).collect::<Vec<_>>() });
    if let Some(company) = company {
        tracking["company"] = json!(company);
    }
    // Shopify pairs URLs with numbers by position: all of them, or none.
    if urls.len() == draft.tracking.len() {
        tracking["urls"] = json!(urls);
    }
    json!({ "fulfillment": {
        "lineItemsByFulfillmentOrder": lines.collect::<Vec<_>>(),
        "trackingInfo": tracking,
        "notifyCustomer": draft.notify_customer,
    } })
}

fn shipped(shop: &ShopDomain, wire: SourceFulfillmentWire) -> Result<ShippedFulfillment, ChannelError> {
    complete(shop, &wire.fulfillment_line_items.page_info)?;
    let mut lines: Vec<(LineItemId, u32)> = Vec::new();
    let mut foreign_units = 0;
    for item in wire.fulfillment_line_items.nodes {
        let quantity = item.quantity.unwrap_or(0);
        match destination_line(&attributes(item.line_item.custom_attributes)) {
            Some(line) => lines.push((line, quantity)),
            None => foreign_units += quantity,
        }
    }
    Ok(ShippedFulfillment {
        id: parse(shop, &wire.id)?,
        state: wire.status,
        location: wire.location.map(|location| parse(shop, &location.id)).transpose()?,
        tracking: tracking(wire.tracking_info),
        lines,
        foreign_units,
    })
}

fn shown(shop: &ShopDomain, wire: ShownFulfillmentWire) -> Result<ShownFulfillment, ChannelError> {
    complete(shop, &wire.fulfillment_line_items.page_info)?;
    let lines = wire.fulfillment_line_items.nodes.into_iter();
    let lines = lines.map(|item| Ok((parse(shop, &item.line_item.id)?, item.quantity.unwrap_or(0))));
    Ok(ShownFulfillment {
        id: parse(shop, &wire.id)?,
        state: wire.status,
        tracking: tracking(wire.tracking_info),
        lines: lines.collect::<Result<_, ChannelError>>()?,
    })
}

fn fulfillment_order(shop: &ShopDomain, wire: FulfillmentOrderWire) -> Result<FulfillmentOrder, ChannelError> {
    complete(shop, &wire.line_items.page_info)?;
    let lines = wire.line_items.nodes.into_iter().map(|line| {
        Ok(FulfillmentOrderLine {
            id: parse(shop, &line.id)?,
            line: parse(shop, &line.line_item.id)?,
            remaining: line.remaining_quantity,
        })
    });
    Ok(FulfillmentOrder {
        id: parse(shop, &wire.id)?,
        status: wire.status,
        location: wire.assigned_location.location.map(|location| parse(shop, &location.id)).transpose()?,
        delivery_method: wire.delivery_method.map(|method| method.method_type),
        can_fulfill: wire.supported_actions.iter().any(|supported| supported.action == "CREATE_FULFILLMENT"),
        lines: lines.collect::<Result<_, ChannelError>>()?,
    })
}

/// A list that goes on would be planned with half of the facts.
fn complete(shop: &ShopDomain, page: &PageInfo) -> Result<(), ChannelError> {
    if page.has_next_page {
        return Err(unreadable(shop, "more lines or fulfillment orders than one answer holds"));
    }
    Ok(())
}
