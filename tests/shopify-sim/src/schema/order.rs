//! Orders.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object};

use super::connection::{Page, Wanted, by_id};
use super::fulfillment::Fulfillment;
use super::fulfillment_order::FulfillmentOrder;
use super::line_item::{Attribute, LineItem};
use super::metafield::Metafield;
use super::money::{MoneyBag, ShippingLine, TaxLine};
use super::people::{Customer, MailingAddress};
use super::product::{Product, ProductVariant};
use super::scalars::{DateTime, UnsignedInt64};
use crate::codes::CurrencyCode;
use crate::state::{self, full_namespace, gid};
use crate::words::{OrderCancelReason, OrderDisplayFinancialStatus, OrderDisplayFulfillmentStatus};

/// Anything with an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID"))]
pub(crate) enum Node {
    Order(Order),
    LineItem(LineItem),
    Fulfillment(Fulfillment),
    FulfillmentOrder(FulfillmentOrder),
    Product(Product),
    ProductVariant(ProductVariant),
}

/// An order as it was when the question arrived.
pub(crate) struct Order(pub(crate) Arc<state::Order>);

impl Order {
    pub(crate) fn find(ctx: &Context<'_>, id: u64) -> async_graphql::Result<Option<Self>> {
        let caller = ctx.data::<super::Caller>()?;
        let order = super::read(ctx, |shop| shop.order(id).cloned())?;
        Ok(order.filter(|order| caller.sees(order.created_at)).map(Self))
    }
}

#[Object]
impl Order {
    pub(crate) async fn id(&self) -> ID {
        gid("Order", self.0.id).into()
    }
    async fn legacy_resource_id(&self) -> UnsignedInt64 {
        UnsignedInt64(self.0.id)
    }
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn number(&self) -> u32 {
        self.0.number
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }
    async fn processed_at(&self) -> DateTime {
        DateTime(self.0.processed_at)
    }
    async fn cancelled_at(&self) -> Option<DateTime> {
        self.0.cancelled_at.map(DateTime)
    }
    async fn cancel_reason(&self) -> Option<OrderCancelReason> {
        self.0.cancel_reason
    }
    async fn closed(&self) -> bool {
        false
    }
    async fn closed_at(&self) -> Option<DateTime> {
        None
    }
    async fn edited(&self) -> bool {
        self.0.edited
    }
    async fn test(&self) -> bool {
        self.0.test
    }
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }
    async fn note(&self) -> Option<&String> {
        self.0.note.as_ref()
    }
    async fn email(&self) -> Option<&String> {
        self.0.email.as_ref()
    }
    async fn phone(&self) -> Option<&String> {
        self.0.phone.as_ref()
    }
    async fn po_number(&self) -> Option<&String> {
        self.0.po_number.as_ref()
    }
    async fn source_name(&self) -> Option<&String> {
        self.0.source_name.as_ref()
    }
    async fn source_identifier(&self) -> Option<&String> {
        self.0.source_identifier.as_ref()
    }
    async fn custom_attributes(&self) -> Vec<Attribute> {
        self.0.custom_attributes.iter().map(Attribute::from).collect()
    }
    async fn currency_code(&self) -> CurrencyCode {
        self.0.currency
    }
    async fn presentment_currency_code(&self) -> CurrencyCode {
        self.0.presentment_currency
    }
    async fn display_financial_status(&self) -> Option<OrderDisplayFinancialStatus> {
        Some(self.0.financial_status)
    }
    async fn display_fulfillment_status(&self) -> OrderDisplayFulfillmentStatus {
        self.0.display_fulfillment_status()
    }
    async fn fully_paid(&self) -> bool {
        self.0.financial_status == OrderDisplayFinancialStatus::Paid
    }
    async fn unpaid(&self) -> bool {
        self.0.financial_status == OrderDisplayFinancialStatus::Pending
    }
    async fn requires_shipping(&self) -> bool {
        self.0.lines.iter().any(|line| line.requires_shipping)
    }
    async fn fulfillable(&self) -> bool {
        self.0.fulfillment_orders.iter().any(state::FulfillmentOrder::is_fulfillable)
    }
    async fn taxes_included(&self) -> bool {
        self.0.taxes_included
    }
    async fn tax_exempt(&self) -> bool {
        false
    }
    async fn discount_code(&self) -> Option<&String> {
        self.0.discount_codes.first()
    }
    async fn discount_codes(&self) -> &[String] {
        &self.0.discount_codes
    }
    async fn tax_lines(&self) -> Vec<TaxLine> {
        self.0.tax_lines.iter().map(TaxLine::from).collect()
    }
    async fn total_price_set(&self) -> MoneyBag {
        self.0.total().into()
    }
    async fn original_total_price_set(&self) -> MoneyBag {
        self.0.total().into()
    }
    async fn current_total_price_set(&self) -> MoneyBag {
        self.0.current_total().into()
    }
    async fn subtotal_price_set(&self) -> Option<MoneyBag> {
        Some(self.0.goods_total().minus(self.0.total_discounts).into())
    }
    async fn total_tax_set(&self) -> Option<MoneyBag> {
        Some(self.0.tax_total().into())
    }
    async fn total_shipping_price_set(&self) -> MoneyBag {
        self.0.shipping_total().into()
    }
    async fn total_discounts_set(&self) -> Option<MoneyBag> {
        Some(self.0.total_discounts.into())
    }
    async fn customer(&self) -> Option<Customer> {
        self.0.customer.as_ref().map(Customer::from)
    }
    async fn shipping_address(&self) -> Option<MailingAddress> {
        self.0.shipping_address.as_ref().map(|address| MailingAddress::new(self.0.id, address))
    }
    async fn billing_address(&self) -> Option<MailingAddress> {
        self.0.billing_address.as_ref().map(|address| MailingAddress::new(self.0.id, address))
    }
    async fn shipping_line(&self) -> Option<ShippingLine> {
        self.0.shipping_lines.first().map(ShippingLine::from)
    }
    async fn shipping_lines(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
    ) -> async_graphql::Result<Page<ShippingLine>> {
        let lines = self.0.shipping_lines.iter().map(|line| (line.id, ShippingLine::from(line)));
        Wanted { first, after, last, before, reverse }.page(by_id(lines))
    }
    async fn line_items(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
    ) -> async_graphql::Result<Page<LineItem>> {
        Wanted { first, after, last, before, reverse }.page(by_id(LineItem::all(&self.0)))
    }
    async fn fulfillments(&self, first: Option<i32>) -> Vec<Fulfillment> {
        let first = first.and_then(|first| usize::try_from(first).ok()).unwrap_or(usize::MAX);
        Fulfillment::all(&self.0).take(first).map(|(_, it)| it).collect()
    }
    /// Empty until routing ran.
    async fn fulfillment_orders(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
    ) -> async_graphql::Result<Page<FulfillmentOrder>> {
        Wanted { first, after, last, before, reverse }.page(by_id(FulfillmentOrder::all(&self.0)))
    }
    async fn metafield(&self, namespace: Option<String>, key: String) -> Option<Metafield> {
        let namespace = full_namespace(namespace.as_deref());
        let found = self.0.metafields.iter().find(|it| it.namespace == namespace && it.key == key);
        found.map(|it| Metafield::new(&self.0, it))
    }
    async fn metafields(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
    ) -> async_graphql::Result<Page<Metafield>> {
        let all = self.0.metafields.iter().map(|it| (it.id, Metafield::new(&self.0, it)));
        Wanted { first, after, last, before, reverse }.page(by_id(all))
    }
}
