//! Line items and what they are of.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::money::{MoneyBag, TaxLine};
use super::product::{Product, ProductVariant};
use crate::state::{self, gid};

#[derive(SimpleObject)]
pub(crate) struct Attribute {
    key: String,
    value: Option<String>,
}

impl From<&state::Attribute> for Attribute {
    fn from(it: &state::Attribute) -> Self {
        Self { key: it.key.clone(), value: Some(it.value.clone()) }
    }
}

#[derive(SimpleObject)]
pub(crate) struct DiscountAllocation {
    allocated_amount_set: MoneyBag,
}

pub(crate) struct LineItem {
    order: Arc<state::Order>,
    at: usize,
}

impl LineItem {
    pub(crate) fn all(order: &Arc<state::Order>) -> impl Iterator<Item = (u64, Self)> + '_ {
        order.lines.iter().enumerate().map(|(at, line)| (line.id, Self { order: Arc::clone(order), at }))
    }

    pub(crate) fn find(order: &Arc<state::Order>, id: u64) -> Option<Self> {
        let at = order.lines.iter().position(|line| line.id == id)?;
        Some(Self { order: Arc::clone(order), at })
    }

    fn line(&self) -> &state::LineItem {
        &self.order.lines[self.at]
    }

    fn left(&self) -> u32 {
        self.line().current_quantity.saturating_sub(self.order.fulfilled_quantity(self.line().id))
    }
}

#[Object]
impl LineItem {
    pub(crate) async fn id(&self) -> ID {
        gid("LineItem", self.line().id).into()
    }
    async fn title(&self) -> &str {
        &self.line().title
    }
    async fn name(&self) -> &str {
        &self.line().title
    }
    async fn variant_title(&self) -> Option<&String> {
        self.line().variant_title.as_ref()
    }
    async fn sku(&self) -> Option<&String> {
        self.line().sku.as_ref()
    }
    async fn vendor(&self) -> Option<&String> {
        self.line().vendor.as_ref()
    }
    async fn quantity(&self) -> u32 {
        self.line().quantity
    }
    async fn current_quantity(&self) -> u32 {
        self.line().current_quantity
    }
    async fn unfulfilled_quantity(&self) -> u32 {
        self.left()
    }
    async fn non_fulfillable_quantity(&self) -> u32 {
        0
    }
    async fn refundable_quantity(&self) -> u32 {
        self.line().current_quantity
    }
    async fn requires_shipping(&self) -> bool {
        self.line().requires_shipping
    }
    async fn taxable(&self) -> bool {
        self.line().taxable
    }
    async fn is_gift_card(&self) -> bool {
        false
    }
    async fn custom_attributes(&self) -> Vec<Attribute> {
        self.line().custom_attributes.iter().map(Attribute::from).collect()
    }
    async fn original_unit_price_set(&self) -> MoneyBag {
        self.line().price.into()
    }
    async fn discounted_unit_price_set(&self) -> MoneyBag {
        self.line().price.into()
    }
    /// The order's discount, shared out by what lines cost.
    async fn discount_allocations(&self) -> Vec<DiscountAllocation> {
        let (off, goods) = (self.order.total_discounts, self.order.goods_total().shop.amount);
        if off.shop.amount.is_zero() || goods.is_zero() {
            return Vec::new();
        }
        let share = self.line().price.times(self.line().quantity).shop.amount / goods;
        vec![DiscountAllocation { allocated_amount_set: off.map(|amount| (amount * share).round_dp(2)).into() }]
    }
    async fn original_total_set(&self) -> MoneyBag {
        self.line().price.times(self.line().quantity).into()
    }
    async fn tax_lines(&self, #[graphql(name = "first")] first: Option<i32>) -> Vec<TaxLine> {
        let first = first.and_then(|first| usize::try_from(first).ok()).unwrap_or(usize::MAX);
        self.line().tax_lines.iter().take(first).map(TaxLine::from).collect()
    }
    /// `null` once the shop no longer sells it.
    async fn variant(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<ProductVariant>> {
        let Some(id) = self.line().variant_id else {
            return Ok(None);
        };
        super::read(ctx, |shop| shop.variant(id).cloned().map(ProductVariant))
    }
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Product>> {
        let Some(id) = self.line().variant_id else {
            return Ok(None);
        };
        super::read(ctx, |shop| shop.variant(id).map(|variant| Product::of(shop, variant)))
    }
}
