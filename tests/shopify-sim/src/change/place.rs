//! An order comes in.

use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{Change, Refusal, mail, now};
use crate::codes::CurrencyCode;
use crate::state::{
    Attribute, Customer, LineItem, MailKind, MailingAddress, Metafield, Money, MoneyBag, Order, ShippingLine, TakenKey,
    TaxLine,
};
use crate::webhooks::Topic;
use crate::words::OrderDisplayFinancialStatus;

/// An order as it is asked for, by a customer or by an app.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewOrder {
    pub(crate) name: Option<String>,
    pub(crate) lines: Vec<NewLine>,
    /// `None`: paid exactly if `transactions` cover the total.
    pub(crate) financial_status: Option<OrderDisplayFinancialStatus>,
    pub(crate) paid_by_transactions: Decimal,
    pub(crate) presentment_currency: Option<CurrencyCode>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) processed_at: Option<Timestamp>,
    pub(crate) test: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) note: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) po_number: Option<String>,
    pub(crate) source_name: Option<String>,
    pub(crate) source_identifier: Option<String>,
    pub(crate) source_url: Option<String>,
    pub(crate) custom_attributes: Vec<Attribute>,
    pub(crate) discount_codes: Vec<String>,
    pub(crate) total_discounts: Decimal,
    pub(crate) taxes_included: bool,
    pub(crate) tax_lines: Vec<TaxLine>,
    pub(crate) shipping_lines: Vec<ShippingLine>,
    pub(crate) customer: Option<Customer>,
    pub(crate) shipping_address: Option<MailingAddress>,
    pub(crate) billing_address: Option<MailingAddress>,
    pub(crate) metafields: Vec<Metafield>,
    pub(crate) send_receipt: bool,
}

/// A line as it is asked for; what is missing comes from the variant.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewLine {
    pub(crate) variant_id: Option<u64>,
    pub(crate) quantity: u32,
    pub(crate) price: Option<MoneyBag>,
    pub(crate) title: Option<String>,
    pub(crate) sku: Option<String>,
    pub(crate) vendor: Option<String>,
    pub(crate) requires_shipping: Option<bool>,
    pub(crate) taxable: bool,
    pub(crate) custom_attributes: Vec<Attribute>,
    pub(crate) tax_lines: Vec<TaxLine>,
}

impl Change<'_> {
    /// Makes the order. Its fulfillment orders come when it is routed.
    pub(crate) fn place_order(&mut self, new: NewOrder) -> Result<u64, Refusal> {
        let lines = new
            .lines
            .into_iter()
            .enumerate()
            .map(|(at, line)| self.line_item(at, line))
            .collect::<Result<Vec<_>, _>>()?;
        let id = self.ids.take();
        let metafields = self.claim_unique_values(id, new.metafields)?;
        self.shop.last_order_number += 1;
        let number = 1000 + self.shop.last_order_number;
        let currency = self.shop.currency;
        let created_at = new.created_at.unwrap_or_else(now);
        let mut order = Order {
            id,
            number,
            name: new.name.unwrap_or_else(|| format!("#{number}")),
            created_at,
            updated_at: created_at,
            processed_at: new.processed_at.unwrap_or(created_at),
            cancelled_at: None,
            cancel_reason: None,
            cancel_request: None,
            edited: false,
            test: new.test,
            tags: new.tags,
            note: new.note,
            email: new.email,
            phone: new.phone,
            po_number: new.po_number,
            source_name: new.source_name,
            source_identifier: new.source_identifier,
            source_url: new.source_url,
            currency,
            presentment_currency: new.presentment_currency.unwrap_or(currency),
            financial_status: OrderDisplayFinancialStatus::Pending,
            custom_attributes: new.custom_attributes,
            discount_codes: new.discount_codes,
            total_discounts: MoneyBag::of(new.total_discounts, currency),
            taxes_included: new.taxes_included,
            tax_lines: new.tax_lines,
            shipping_lines: new.shipping_lines,
            customer: new.customer,
            shipping_address: new.shipping_address,
            billing_address: new.billing_address,
            lines,
            fulfillment_orders: Vec::new(),
            fulfillments: Vec::new(),
            refunds: Vec::new(),
            metafields,
            mails: Vec::new(),
            indexed_from: Timestamp::now() + self.shop.settings.index_lag,
        };
        order.tags.sort_by_key(|tag| tag.to_lowercase());
        order.shipping_lines.iter_mut().for_each(|line| line.id = self.ids.take());
        if let Some(customer) = order.customer.as_mut().filter(|customer| customer.id == 0) {
            customer.id = self.ids.take();
        }
        let covered = !new.paid_by_transactions.is_zero() && new.paid_by_transactions >= order.total().shop.amount;
        let by_transactions =
            if covered { OrderDisplayFinancialStatus::Paid } else { OrderDisplayFinancialStatus::Pending };
        order.financial_status = new.financial_status.unwrap_or(by_transactions);
        if new.send_receipt {
            mail(&mut order, MailKind::OrderConfirmation, None, Vec::new());
        }
        let paid = order.financial_status == OrderDisplayFinancialStatus::Paid;
        self.shop.orders.insert(id, Arc::new(order));
        self.order_happened(
            id,
            if paid {
                &[Topic::OrdersCreate, Topic::OrdersPaid, Topic::OrdersUpdated]
            } else {
                &[Topic::OrdersCreate, Topic::OrdersUpdated]
            },
        );
        Ok(id)
    }

    fn line_item(&mut self, at: usize, new: NewLine) -> Result<LineItem, Refusal> {
        let field = |name: &str| ["order".to_owned(), "lineItems".to_owned(), at.to_string(), name.to_owned()];
        let variant = match new.variant_id {
            Some(id) => Some(self.shop.variant(id).cloned().ok_or_else(|| Refusal {
                field: field("variantId").to_vec(),
                message: "Variant does not exist".to_owned(), // no recording known
                code: "INVALID",
            })?),
            None => None,
        };
        let title =
            new.title.or_else(|| variant.as_ref().map(|it| it.title.clone())).filter(|title| !title.trim().is_empty());
        // Source: live answer of orderCreate to a line without title and variant.
        let title = title.ok_or_else(|| Refusal::new(&["order"], "Line items Title can't be blank"))?;
        let price = new.price.unwrap_or_else(|| {
            MoneyBag::of(variant.as_ref().map(|it| it.price).unwrap_or_default(), self.shop.currency)
        });
        Ok(LineItem {
            id: self.ids.take(),
            title,
            variant_title: None,
            sku: new.sku.or_else(|| variant.as_ref().map(|it| it.sku.clone())),
            vendor: new.vendor,
            variant_id: new.variant_id,
            product_id: variant.as_ref().map(|it| it.product_id),
            quantity: new.quantity,
            current_quantity: new.quantity,
            price,
            requires_shipping: new
                .requires_shipping
                .unwrap_or_else(|| variant.as_ref().is_none_or(|it| it.requires_shipping)),
            taxable: new.taxable,
            custom_attributes: new.custom_attributes,
            tax_lines: new.tax_lines,
        })
    }

    /// Keeps unique metafields unique, in the way the shop is set to.
    fn claim_unique_values(&mut self, order_id: u64, metafields: Vec<Metafield>) -> Result<Vec<Metafield>, Refusal> {
        let mut kept = Vec::new();
        for (at, mut metafield) in metafields.into_iter().enumerate() {
            let definition = self.shop.definition(&metafield.namespace, &metafield.key);
            if let Some(definition) = definition {
                metafield.kind.clone_from(&definition.kind);
            }
            let unique = definition.is_some_and(|definition| definition.is_unique());
            let value = (metafield.namespace.clone(), metafield.key.clone(), metafield.value.clone());
            if unique && self.shop.unique_values.contains_key(&value) {
                match self.shop.settings.taken_key {
                    // Text and field are unverified: nothing is recorded for orderCreate.
                    TakenKey::Refuse => {
                        let at = at.to_string();
                        return Err(Refusal::new(
                            &["order", "metafields", &at, "value"],
                            "Value has already been taken.",
                        ));
                    }
                    TakenKey::DropSilently => continue,
                }
            }
            if unique {
                self.shop.unique_values.insert(value, order_id);
            }
            metafield.id = self.ids.take();
            kept.push(metafield);
        }
        Ok(kept)
    }
}

impl NewLine {
    /// A price in one currency.
    pub(crate) fn priced(mut self, amount: Decimal, currency: CurrencyCode) -> Self {
        let money = Money { amount, currency };
        self.price = Some(MoneyBag { shop: money, presentment: money });
        self
    }
}
