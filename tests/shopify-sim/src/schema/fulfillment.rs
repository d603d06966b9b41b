//! Fulfillments.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::connection::{Page, Wanted, by_id};
use super::line_item::LineItem;
use super::order::Order;
use super::scalars::{DateTime, UnsignedInt64, Url};
use super::shop::Location;
use crate::change::MANUAL;
use crate::state::{self, gid};
use crate::words::{FulfillmentDisplayStatus, FulfillmentServiceType, FulfillmentStatus};

#[derive(SimpleObject)]
pub(crate) struct FulfillmentTrackingInfo {
    company: Option<String>,
    number: Option<String>,
    url: Option<Url>,
}

/// Who sends goods: the shop itself, or somebody for it.
#[derive(SimpleObject)]
pub(crate) struct FulfillmentService {
    handle: String,
    service_name: String,
    #[graphql(name = "type")]
    kind: FulfillmentServiceType,
}

pub(crate) struct Fulfillment {
    order: Arc<state::Order>,
    at: usize,
}

impl Fulfillment {
    pub(crate) fn all(order: &Arc<state::Order>) -> impl Iterator<Item = (u64, Self)> + '_ {
        order.fulfillments.iter().enumerate().map(|(at, it)| (it.id, Self { order: Arc::clone(order), at }))
    }

    pub(crate) fn find(order: &Arc<state::Order>, id: u64) -> Option<Self> {
        Self::all(order).find(|(it, _)| *it == id).map(|(_, it)| it)
    }

    fn it(&self) -> &state::Fulfillment {
        &self.order.fulfillments[self.at]
    }
}

#[Object]
impl Fulfillment {
    pub(crate) async fn id(&self) -> ID {
        gid("Fulfillment", self.it().id).into()
    }
    async fn legacy_resource_id(&self) -> UnsignedInt64 {
        UnsignedInt64(self.it().id)
    }
    async fn name(&self) -> &str {
        &self.it().name
    }
    async fn status(&self) -> FulfillmentStatus {
        self.it().status
    }
    async fn display_status(&self) -> Option<FulfillmentDisplayStatus> {
        Some(match self.it().status {
            FulfillmentStatus::Cancelled => FulfillmentDisplayStatus::Canceled,
            FulfillmentStatus::Success => FulfillmentDisplayStatus::Fulfilled,
            FulfillmentStatus::Error | FulfillmentStatus::Failure => FulfillmentDisplayStatus::Failure,
        })
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.it().created_at)
    }
    async fn updated_at(&self) -> DateTime {
        DateTime(self.it().updated_at)
    }
    async fn total_quantity(&self) -> u32 {
        self.it().lines.iter().map(|line| line.quantity).sum()
    }
    async fn requires_shipping(&self) -> bool {
        self.it().lines.iter().any(|line| self.order.line(line.line_item_id).is_some_and(|line| line.requires_shipping))
    }
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let id = self.it().location_id;
        super::read(ctx, |shop| shop.location(id).cloned().map(Location))
    }
    async fn service(&self) -> Option<FulfillmentService> {
        let handle = self.it().service.clone();
        let kind = if handle == MANUAL { FulfillmentServiceType::Manual } else { FulfillmentServiceType::ThirdParty };
        Some(FulfillmentService { service_name: handle.clone(), handle, kind })
    }
    async fn order(&self) -> Order {
        Order(Arc::clone(&self.order))
    }
    async fn tracking_info(&self, first: Option<i32>) -> Vec<FulfillmentTrackingInfo> {
        let first = first.and_then(|first| usize::try_from(first).ok()).unwrap_or(usize::MAX);
        let all = self.it().tracking_info.iter().take(first).cloned();
        all.map(|it| FulfillmentTrackingInfo { company: it.company, number: it.number, url: it.url.map(Url) }).collect()
    }
    async fn fulfillment_line_items(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
    ) -> async_graphql::Result<Page<FulfillmentLineItem>> {
        let lines = self
            .it()
            .lines
            .iter()
            .map(|line| (line.id, FulfillmentLineItem { order: Arc::clone(&self.order), line: *line }));
        Wanted { first, after, last, before, reverse }.page(by_id(lines))
    }
}

pub(crate) struct FulfillmentLineItem {
    order: Arc<state::Order>,
    line: state::FulfillmentLine,
}

#[Object]
impl FulfillmentLineItem {
    pub(crate) async fn id(&self) -> ID {
        gid("FulfillmentLineItem", self.line.id).into()
    }
    async fn quantity(&self) -> Option<u32> {
        Some(self.line.quantity)
    }
    async fn line_item(&self) -> async_graphql::Result<LineItem> {
        LineItem::find(&self.order, self.line.line_item_id)
            .ok_or_else(|| super::errors::internal("a fulfillment without its line"))
    }
}
