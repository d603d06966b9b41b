//! The parts of an order that an app sends.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::super::inputs::{
    MoneyBagInput, OrderCreateCustomerInput, OrderCreateDiscountCodeInput, OrderCreateLineItemInput,
    OrderCreateTaxLineInput,
};
use crate::change::{NewLine, Refusal};
use crate::codes::CurrencyCode;
use crate::state::{self, Attribute, parse_gid};

pub(super) fn new_line(at: usize, line: OrderCreateLineItemInput, currency: CurrencyCode) -> Result<NewLine, Refusal> {
    let at = at.to_string();
    let variant_id = match &line.variant_id {
        Some(id) => Some(
            parse_gid("ProductVariant", id)
                .ok_or_else(|| Refusal::new(&["order", "lineItems", &at, "variantId"], "Variant does not exist"))?,
        ),
        None => None,
    };
    let quantity = u32::try_from(line.quantity).ok().filter(|quantity| *quantity > 0);
    let quantity = quantity.ok_or_else(|| {
        Refusal::new(&["order", "lineItems", &at, "quantity"], "Line items Quantity must be greater than 0")
    })?;
    Ok(NewLine {
        variant_id,
        quantity,
        price: line.price_set.map(state::MoneyBag::from),
        title: line.title,
        sku: line.sku,
        vendor: line.vendor,
        requires_shipping: Some(line.requires_shipping.unwrap_or(false)),
        taxable: line.taxable.unwrap_or(true),
        custom_attributes: line
            .properties
            .unwrap_or_default()
            .into_iter()
            .map(|it| Attribute { key: it.name, value: it.value })
            .collect(),
        tax_lines: taxes(line.tax_lines, currency),
    })
}

pub(super) fn taxes(lines: Option<Vec<OrderCreateTaxLineInput>>, currency: CurrencyCode) -> Vec<state::TaxLine> {
    let lines = lines.unwrap_or_default().into_iter();
    let price =
        |set: Option<MoneyBagInput>| set.map_or(state::MoneyBag::of(Decimal::ZERO, currency), state::MoneyBag::from);
    lines.map(|line| state::TaxLine { title: line.title, rate: line.rate.0, price: price(line.price_set) }).collect()
}

/// The code, and what it takes off.
pub(super) fn discount(input: Option<OrderCreateDiscountCodeInput>, goods: Decimal) -> (Vec<String>, Decimal) {
    let Some(input) = input else {
        return Default::default();
    };
    if let Some(fixed) = input.item_fixed_discount_code {
        return (vec![fixed.code], fixed.amount_set.map(|set| set.shop_money.amount.0).unwrap_or_default());
    }
    if let Some(percentage) = input.item_percentage_discount_code {
        let off = percentage.percentage.and_then(Decimal::from_f64).unwrap_or_default();
        return (vec![percentage.code], goods * off / Decimal::ONE_HUNDRED);
    }
    (input.free_shipping_discount_code.map(|free| free.code).into_iter().collect(), Decimal::ZERO)
}

pub(super) fn customer(input: OrderCreateCustomerInput) -> state::Customer {
    match input {
        OrderCreateCustomerInput::ToAssociate(it) => state::Customer {
            id: it.id.and_then(|id| parse_gid("Customer", &id)).unwrap_or_default(),
            email: it.email,
            ..state::Customer::default()
        },
        OrderCreateCustomerInput::ToUpsert(it) => state::Customer {
            id: it.id.and_then(|id| parse_gid("Customer", &id)).unwrap_or_default(),
            first_name: it.first_name,
            last_name: it.last_name,
            email: it.email,
            phone: it.phone,
        },
    }
}
