//! Fulfillments: what a source shop shipped, what the destination shows, and creating one.

use roundtrip_domain::channel::{
    ChannelError, DestinationOrder, FulfillmentOrder, FulfillmentOrderLine, ShippedFulfillment, ShippedOrder,
    ShownFulfillment,
};
use roundtrip_domain::id::{FulfillmentId, FulfillmentOrderId, OrderId, OrderRef, ShopDomain};
use roundtrip_domain::order::SourceOrder;
use roundtrip_domain::ports::{Clock, Credentials};
use roundtrip_domain::push::destination_line;
use roundtrip_domain::writeback::{FulfillmentDraft, MAX_NUMBERS, TrackingInfo, TrackingUpdate};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::channel::{parse, unreadable};
use super::classify::{self, Operation};
use super::orders::{attributes, tracking};
use super::transport::ShopifyApi;
use super::wire::{
    DestinationOrderWire, FulfillmentCreateData, FulfillmentOrderOwnerData, FulfillmentOrderWire, FulfillmentsWire,
    OrderData, ShownFulfillmentWire, SourceFulfillmentWire, SourceOrderWire, TrackingUpdateData,
};

const SOURCE_ORDER: &str = include_str!("queries/source_order.graphql");
const DESTINATION_ORDER: &str = include_str!("queries/destination_order.graphql");
const DESTINATION_FULFILLMENTS: &str = include_str!("queries/destination_fulfillments.graphql");
const FULFILLMENT_CREATE: &str = include_str!("queries/fulfillment_create.graphql");
const FULFILLMENT_TRACKING_UPDATE: &str = include_str!("queries/fulfillment_tracking_update.graphql");
const FULFILLMENT_ORDER_OWNER: &str = include_str!("queries/fulfillment_order_owner.graphql");

/// Lines asked for at first: most orders have no more.
const FEW_LINES: u32 = 20;
/// Lines asked for if there are more. No pushed order has more: see `MAX_LINES`.
const MANY_LINES: u32 = 250;
/// Fulfillments of an order that are read. The queries ask for one more: a list without pages does not say that
/// it goes on.
const MAX_FULFILLMENTS: usize = 50;

impl<V: Credentials, K: Clock> ShopifyApi<V, K> {
    pub(super) async fn read_shipped(&self, at: &OrderRef) -> Result<Option<ShippedOrder>, ChannelError> {
        let wire: Option<SourceOrderWire> = self.ask_by_lines(at, SOURCE_ORDER, is_whole_source).await?;
        let Some(wire) = wire else { return Ok(None) };
        let fulfillments = wire.fulfillments.into_iter().map(|f| shipped(&at.shop, f));
        Ok(Some(ShippedOrder {
            order: SourceOrder { id: parse(&at.shop, &wire.id)?, name: wire.name },
            updated_at: wire.updated_at,
            cancelled: wire.cancelled_at.is_some(),
            fulfillments: fulfillments.collect::<Result<_, _>>()?,
        }))
    }

    pub(super) async fn read_destination(&self, at: &OrderRef) -> Result<Option<DestinationOrder>, ChannelError> {
        let wire: Option<DestinationOrderWire> = self.ask_by_lines(at, DESTINATION_ORDER, is_whole_destination).await?;
        let Some(wire) = wire else { return Ok(None) };
        let orders = wire.fulfillment_orders.nodes.into_iter().map(|o| fulfillment_order(&at.shop, o));
        Ok(Some(DestinationOrder {
            updated_at: wire.updated_at,
            cancelled: wire.cancelled_at.is_some(),
            fulfillments: all_shown(&at.shop, wire.fulfillments)?,
            fulfillment_orders: orders.collect::<Result<_, _>>()?,
        }))
    }

    pub(super) async fn read_shown(&self, at: &OrderRef) -> Result<Option<Vec<ShownFulfillment>>, ChannelError> {
        let whole = |wire: &FulfillmentsWire| are_whole(&wire.fulfillments);
        let wire: Option<FulfillmentsWire> = self.ask_by_lines(at, DESTINATION_FULFILLMENTS, whole).await?;
        wire.map(|wire| all_shown(&at.shop, wire.fulfillments)).transpose()
    }

    /// Asks about an order with few lines first, and once more with many if there are more.
    async fn ask_by_lines<D: DeserializeOwned>(
        &self,
        at: &OrderRef,
        document: &'static str,
        is_whole: impl Fn(&D) -> bool,
    ) -> Result<Option<D>, ChannelError> {
        for lines in [FEW_LINES, MANY_LINES] {
            let variables = json!({ "id": at.id.gid(), "lines": lines });
            let data: OrderData<D> = self.ask(&at.shop, document, variables).await?;
            match data.order {
                Some(order) if !is_whole(&order) => {}
                other => return Ok(other),
            }
        }
        // A list that goes on would be planned with half of the facts.
        Err(unreadable(
            &at.shop,
            "more lines, fulfillment orders, fulfillments (50) or tracking numbers (20) than one answer holds",
        ))
    }

    pub(super) async fn create_one_fulfillment(
        &self,
        shop: &ShopDomain,
        draft: &FulfillmentDraft,
    ) -> Result<FulfillmentId, ChannelError> {
        let (data, request_id): (FulfillmentCreateData, _) =
            self.send(shop, FULFILLMENT_CREATE, fulfillment_variables(draft)).await?;
        let payload = data.fulfillment_create;
        classify::check(shop, Operation::FulfillmentCreate, &payload.user_errors, request_id)?;
        match payload.fulfillment {
            Some(fulfillment) => parse(shop, &fulfillment.id),
            None => Err(unreadable(shop, "fulfillmentCreate answered neither with a fulfillment nor with an error")),
        }
    }

    pub(super) async fn replace_tracking(
        &self,
        shop: &ShopDomain,
        update: &TrackingUpdate,
    ) -> Result<(), ChannelError> {
        let variables = json!({
            "fulfillmentId": update.fulfillment.gid(),
            "trackingInfoInput": tracking_input(&update.tracking),
            "notifyCustomer": update.notify_customer,
        });
        let (data, request_id): (TrackingUpdateData, _) =
            self.send(shop, FULFILLMENT_TRACKING_UPDATE, variables).await?;
        let errors = data.fulfillment_tracking_info_update.user_errors;
        classify::check(shop, Operation::FulfillmentTrackingInfoUpdate, &errors, request_id)?;
        Ok(())
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
    let mut fulfillment = json!({
        "lineItemsByFulfillmentOrder": lines.collect::<Vec<_>>(),
        "notifyCustomer": draft.notify_customer,
    });
    if !draft.tracking.is_empty() {
        fulfillment["trackingInfo"] = tracking_input(&draft.tracking);
    }
    json!({ "fulfillment": fulfillment })
}

fn tracking_input(tracking: &[TrackingInfo]) -> Value {
    let mut input = json!({ "numbers": tracking.iter().map(|info| &info.number).collect::<Vec<_>>() });
    // One company applies to all numbers. Source: FulfillmentTrackingInput.
    if let Some(company) = tracking.iter().find_map(|info| info.company.as_deref()) {
        input["company"] = json!(company);
    }
    // Shopify pairs URLs with numbers by position: all of them, or none.
    let urls: Vec<&str> = tracking.iter().filter_map(|info| info.url.as_deref()).collect();
    if urls.len() == tracking.len() {
        input["urls"] = json!(urls);
    }
    input
}

fn shipped(shop: &ShopDomain, wire: SourceFulfillmentWire) -> Result<ShippedFulfillment, ChannelError> {
    // Lines that did not come from us carry no property of ours, and are nobody's business here.
    let lines = wire.fulfillment_line_items.nodes.into_iter().filter_map(|item| {
        let line = destination_line(&attributes(item.line_item.custom_attributes))?;
        Some((line, item.quantity.unwrap_or(0)))
    });
    Ok(ShippedFulfillment {
        id: parse(shop, &wire.id)?,
        state: wire.status,
        location: wire.location.map(|location| parse(shop, &location.id)).transpose()?,
        tracking: tracking(wire.tracking_info),
        lines: lines.collect(),
    })
}

fn all_shown(shop: &ShopDomain, wire: Vec<ShownFulfillmentWire>) -> Result<Vec<ShownFulfillment>, ChannelError> {
    wire.into_iter().map(|fulfillment| shown(shop, fulfillment)).collect()
}

fn shown(shop: &ShopDomain, wire: ShownFulfillmentWire) -> Result<ShownFulfillment, ChannelError> {
    let lines = wire.fulfillment_line_items.nodes.into_iter();
    let lines = lines.map(|item| Ok((parse(shop, &item.line_item.id)?, item.quantity.unwrap_or(0))));
    Ok(ShownFulfillment {
        id: parse(shop, &wire.id)?,
        state: wire.status,
        service: wire.service.map(|service| service.handle),
        tracking: tracking(wire.tracking_info),
        lines: lines.collect::<Result<_, ChannelError>>()?,
    })
}

fn fulfillment_order(shop: &ShopDomain, wire: FulfillmentOrderWire) -> Result<FulfillmentOrder, ChannelError> {
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

fn is_whole_source(order: &SourceOrderWire) -> bool {
    let is_whole = |fulfillment: &SourceFulfillmentWire| {
        !fulfillment.fulfillment_line_items.page_info.has_next_page && fulfillment.tracking_info.len() <= MAX_NUMBERS
    };
    order.fulfillments.len() <= MAX_FULFILLMENTS && order.fulfillments.iter().all(is_whole)
}

fn is_whole_destination(order: &DestinationOrderWire) -> bool {
    let orders = &order.fulfillment_orders;
    let lines_are_whole = orders.nodes.iter().all(|order| !order.line_items.page_info.has_next_page);
    !orders.page_info.has_next_page && lines_are_whole && are_whole(&order.fulfillments)
}

fn are_whole(fulfillments: &[ShownFulfillmentWire]) -> bool {
    let is_whole = |fulfillment: &ShownFulfillmentWire| {
        !fulfillment.fulfillment_line_items.page_info.has_next_page && fulfillment.tracking_info.len() <= MAX_NUMBERS
    };
    fulfillments.len() <= MAX_FULFILLMENTS && fulfillments.iter().all(is_whole)
}
