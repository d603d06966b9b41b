//! Orders, and the statuses that follow from what happened to them.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Customer, Fulfillment, FulfillmentOrder, Mail, MailingAddress, Metafield, Money, MoneyBag};
use crate::codes::CurrencyCode;
use crate::words::{
    FulfillmentOrderStatus, FulfillmentStatus, OrderCancelReason, OrderDisplayFinancialStatus,
    OrderDisplayFulfillmentStatus,
};

/// An order with everything that hangs on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub id: u64,
    pub number: u32,
    /// `#1001`
    pub name: String,
    pub created_at: Timestamp,
    /// Whole seconds, moved by each change.
    pub updated_at: Timestamp,
    pub processed_at: Timestamp,
    pub cancelled_at: Option<Timestamp>,
    pub cancel_reason: Option<OrderCancelReason>,
    /// How an app asked for it to be cancelled. It stands until that is carried out.
    pub cancel_request: Option<CancelRequest>,
    pub edited: bool,
    pub test: bool,
    pub tags: Vec<String>,
    pub note: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub po_number: Option<String>,
    pub source_name: Option<String>,
    pub source_identifier: Option<String>,
    pub source_url: Option<String>,
    pub currency: CurrencyCode,
    pub presentment_currency: CurrencyCode,
    pub financial_status: OrderDisplayFinancialStatus,
    pub custom_attributes: Vec<Attribute>,
    pub discount_codes: Vec<String>,
    pub total_discounts: MoneyBag,
    pub taxes_included: bool,
    pub tax_lines: Vec<TaxLine>,
    pub shipping_lines: Vec<ShippingLine>,
    pub customer: Option<Customer>,
    pub shipping_address: Option<MailingAddress>,
    pub billing_address: Option<MailingAddress>,
    pub lines: Vec<LineItem>,
    /// Empty until routing ran.
    pub fulfillment_orders: Vec<FulfillmentOrder>,
    pub fulfillments: Vec<Fulfillment>,
    pub refunds: Vec<Refund>,
    pub metafields: Vec<Metafield>,
    /// What the customer was told, in order.
    pub mails: Vec<Mail>,
    /// From when on the search index shows the order.
    pub indexed_from: Timestamp,
}

/// How an app wants an order to be cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    pub reason: OrderCancelReason,
    pub refund: bool,
    /// Kept and not acted on: there is no stock.
    pub restock: bool,
    pub notify_customer: bool,
    pub staff_note: Option<String>,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineItem {
    pub id: u64,
    pub title: String,
    pub variant_title: Option<String>,
    pub sku: Option<String>,
    pub vendor: Option<String>,
    pub variant_id: Option<u64>,
    pub product_id: Option<u64>,
    /// As ordered.
    pub quantity: u32,
    /// After edits and refunds.
    pub current_quantity: u32,
    pub price: MoneyBag,
    pub requires_shipping: bool,
    pub taxable: bool,
    pub custom_attributes: Vec<Attribute>,
    pub tax_lines: Vec<TaxLine>,
}

/// A hidden or visible note: key and value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub key: String,
    pub value: String,
}

/// A tax on a line, on shipping or on the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaxLine {
    pub title: String,
    /// 0.05 is 5 %.
    pub rate: Decimal,
    pub price: MoneyBag,
}

/// The shipping that the customer chose and paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShippingLine {
    pub id: u64,
    pub title: String,
    pub code: Option<String>,
    pub source: Option<String>,
    pub price: MoneyBag,
    pub tax_lines: Vec<TaxLine>,
}

/// Units given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    pub id: u64,
    pub created_at: Timestamp,
    /// Line item and quantity.
    pub lines: Vec<(u64, u32)>,
}

impl Order {
    /// The line of that id.
    pub fn line(&self, id: u64) -> Option<&LineItem> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// Units of a line that were sent and not called back.
    pub fn fulfilled_quantity(&self, line_item_id: u64) -> u32 {
        let live = self.fulfillments.iter().filter(|fulfillment| fulfillment.status == FulfillmentStatus::Success);
        live.flat_map(|fulfillment| &fulfillment.lines)
            .filter(|line| line.line_item_id == line_item_id)
            .map(|line| line.quantity)
            .sum()
    }

    /// Where the goods stand.
    pub fn display_fulfillment_status(&self) -> OrderDisplayFulfillmentStatus {
        let sent: u32 = self.lines.iter().map(|line| self.fulfilled_quantity(line.id)).sum();
        let left: u32 =
            self.lines.iter().map(|line| line.current_quantity.saturating_sub(self.fulfilled_quantity(line.id))).sum();
        let is = |status| self.fulfillment_orders.iter().any(|it| it.status == status);
        if left == 0 && sent > 0 {
            OrderDisplayFulfillmentStatus::Fulfilled
        } else if sent > 0 {
            OrderDisplayFulfillmentStatus::PartiallyFulfilled
        } else if is(FulfillmentOrderStatus::OnHold) {
            OrderDisplayFulfillmentStatus::OnHold
        } else if is(FulfillmentOrderStatus::InProgress) {
            OrderDisplayFulfillmentStatus::InProgress
        } else {
            OrderDisplayFulfillmentStatus::Unfulfilled
        }
    }

    /// Goods as ordered, before discounts.
    pub fn goods_total(&self) -> MoneyBag {
        self.lines.iter().fold(self.zero(), |sum, line| sum.plus(line.price.times(line.quantity)))
    }

    /// Goods that are still part of the order.
    pub fn current_goods_total(&self) -> MoneyBag {
        self.lines.iter().fold(self.zero(), |sum, line| sum.plus(line.price.times(line.current_quantity)))
    }

    /// What shipping costs the customer.
    pub fn shipping_total(&self) -> MoneyBag {
        self.shipping_lines.iter().fold(self.zero(), |sum, line| sum.plus(line.price))
    }

    /// Tax of lines and shipping, or of the whole order where it is given so.
    pub fn tax_total(&self) -> MoneyBag {
        let parts = self.lines.iter().flat_map(|line| &line.tax_lines);
        let parts = parts.chain(self.shipping_lines.iter().flat_map(|line| &line.tax_lines)).chain(&self.tax_lines);
        parts.fold(self.zero(), |sum, tax| sum.plus(tax.price))
    }

    /// What the customer pays for the order as ordered.
    pub fn total(&self) -> MoneyBag {
        let net = self.goods_total().plus(self.shipping_total()).minus(self.total_discounts);
        if self.taxes_included { net } else { net.plus(self.tax_total()) }
    }

    /// What the customer pays for what is left of the order.
    pub fn current_total(&self) -> MoneyBag {
        self.total().minus(self.goods_total().minus(self.current_goods_total()))
    }

    /// Nothing, in this order's currencies.
    pub fn zero(&self) -> MoneyBag {
        let zero = |currency| Money { amount: Decimal::ZERO, currency };
        MoneyBag { shop: zero(self.currency), presentment: zero(self.presentment_currency) }
    }

    /// Mails that told the customer of something sent.
    pub fn shipping_mails(&self) -> usize {
        self.mails.iter().filter(|mail| !mail.tracking_numbers.is_empty()).count()
    }

    /// Mails to the customer that told of `tracking_number`.
    pub fn mails_about(&self, tracking_number: &str) -> usize {
        self.mails.iter().filter(|mail| mail.tracking_numbers.iter().any(|number| number == tracking_number)).count()
    }
}
