//! Fulfillment orders.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::connection::{Page, Wanted, by_id};
use super::line_item::LineItem;
use super::order::Order;
use super::product::ProductVariant;
use super::scalars::{DateTime, Url};
use super::shop::Location;
use crate::codes::CountryCode;
use crate::state::{self, gid};
use crate::words::{
    DeliveryMethodType, FulfillmentHoldReason, FulfillmentOrderAction, FulfillmentOrderRequestStatus,
    FulfillmentOrderStatus,
};

#[derive(SimpleObject)]
pub(crate) struct FulfillmentOrderAssignedLocation {
    name: String,
    country_code: CountryCode,
    location: Option<Location>,
}

#[derive(SimpleObject)]
pub(crate) struct FulfillmentOrderSupportedAction {
    action: FulfillmentOrderAction,
    external_url: Option<Url>,
}

#[derive(SimpleObject)]
pub(crate) struct DeliveryMethod {
    id: ID,
    method_type: DeliveryMethodType,
}

#[derive(SimpleObject)]
pub(crate) struct FulfillmentHold {
    id: ID,
    reason: FulfillmentHoldReason,
    reason_notes: Option<String>,
    handle: Option<String>,
    display_reason: String,
    held_by_requesting_app: bool,
}

impl From<&state::FulfillmentHold> for FulfillmentHold {
    fn from(hold: &state::FulfillmentHold) -> Self {
        Self {
            id: gid("FulfillmentHold", hold.id).into(),
            reason: hold.reason,
            reason_notes: hold.notes.clone(),
            handle: hold.handle.clone(),
            display_reason: crate::words::word(hold.reason).to_lowercase().replace('_', " "),
            held_by_requesting_app: hold.by_app,
        }
    }
}

pub(crate) struct FulfillmentOrder {
    order: Arc<state::Order>,
    at: usize,
}

impl FulfillmentOrder {
    pub(crate) fn all(order: &Arc<state::Order>) -> impl Iterator<Item = (u64, Self)> + '_ {
        order.fulfillment_orders.iter().enumerate().map(|(at, it)| (it.id, Self { order: Arc::clone(order), at }))
    }

    pub(crate) fn find(order: &Arc<state::Order>, id: u64) -> Option<Self> {
        Self::all(order).find(|(it, _)| *it == id).map(|(_, it)| it)
    }

    fn it(&self) -> &state::FulfillmentOrder {
        &self.order.fulfillment_orders[self.at]
    }
}

#[Object]
impl FulfillmentOrder {
    pub(crate) async fn id(&self) -> ID {
        gid("FulfillmentOrder", self.it().id).into()
    }
    async fn status(&self) -> FulfillmentOrderStatus {
        self.it().status
    }
    async fn request_status(&self) -> FulfillmentOrderRequestStatus {
        FulfillmentOrderRequestStatus::Unsubmitted
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.it().created_at)
    }
    async fn updated_at(&self) -> DateTime {
        DateTime(self.it().updated_at)
    }
    async fn fulfill_at(&self) -> Option<DateTime> {
        None
    }
    async fn fulfill_by(&self) -> Option<DateTime> {
        None
    }
    async fn order(&self) -> Order {
        Order(Arc::clone(&self.order))
    }
    async fn order_id(&self) -> ID {
        gid("Order", self.order.id).into()
    }
    async fn order_name(&self) -> &str {
        &self.order.name
    }
    async fn order_processed_at(&self) -> DateTime {
        DateTime(self.order.processed_at)
    }
    async fn assigned_location(&self, ctx: &Context<'_>) -> async_graphql::Result<FulfillmentOrderAssignedLocation> {
        let id = self.it().location_id;
        let location = super::read(ctx, |shop| shop.location(id).cloned())?;
        let name = location.as_ref().map(|it| it.name.clone()).unwrap_or_default();
        Ok(FulfillmentOrderAssignedLocation { name, country_code: CountryCode::US, location: location.map(Location) })
    }
    async fn delivery_method(&self) -> Option<DeliveryMethod> {
        Some(DeliveryMethod { id: gid("DeliveryMethod", self.it().id).into(), method_type: self.it().method })
    }
    async fn supported_actions(&self) -> Vec<FulfillmentOrderSupportedAction> {
        let actions = self.it().supported_actions().into_iter();
        actions.map(|action| FulfillmentOrderSupportedAction { action, external_url: None }).collect()
    }
    async fn fulfillment_holds(&self) -> Vec<FulfillmentHold> {
        self.it().holds.iter().map(FulfillmentHold::from).collect()
    }
    async fn line_items(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
    ) -> async_graphql::Result<Page<FulfillmentOrderLineItem>> {
        let lines = self
            .it()
            .lines
            .iter()
            .map(|line| (line.id, FulfillmentOrderLineItem { order: Arc::clone(&self.order), line: *line }));
        Wanted { first, after, last, before, reverse }.page(by_id(lines))
    }
}

pub(crate) struct FulfillmentOrderLineItem {
    order: Arc<state::Order>,
    line: state::FulfillmentOrderLine,
}

impl FulfillmentOrderLineItem {
    fn item(&self) -> Option<&state::LineItem> {
        self.order.line(self.line.line_item_id)
    }
}

#[Object]
impl FulfillmentOrderLineItem {
    pub(crate) async fn id(&self) -> ID {
        gid("FulfillmentOrderLineItem", self.line.id).into()
    }
    async fn total_quantity(&self) -> u32 {
        self.line.total
    }
    async fn remaining_quantity(&self) -> u32 {
        self.line.remaining
    }
    async fn requires_shipping(&self) -> bool {
        self.item().is_some_and(|line| line.requires_shipping)
    }
    async fn sku(&self) -> Option<String> {
        self.item().and_then(|line| line.sku.clone())
    }
    async fn product_title(&self) -> String {
        self.item().map(|line| line.title.clone()).unwrap_or_default()
    }
    async fn line_item(&self) -> async_graphql::Result<LineItem> {
        LineItem::find(&self.order, self.line.line_item_id)
            .ok_or_else(|| super::errors::internal("work without its line"))
    }
    async fn variant(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<ProductVariant>> {
        let Some(id) = self.item().and_then(|line| line.variant_id) else {
            return Ok(None);
        };
        super::read(ctx, |shop| shop.variant(id).cloned().map(ProductVariant))
    }
}
