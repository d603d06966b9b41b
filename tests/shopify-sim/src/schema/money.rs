//! Money, taxes, shipping lines.

use async_graphql::{ID, SimpleObject};
use rust_decimal::prelude::ToPrimitive;

use super::scalars::Decimal;
use crate::codes::CurrencyCode;
use crate::state::{self, gid};

#[derive(SimpleObject)]
pub(crate) struct MoneyV2 {
    amount: Decimal,
    currency_code: CurrencyCode,
}

#[derive(SimpleObject)]
pub(crate) struct MoneyBag {
    shop_money: MoneyV2,
    presentment_money: MoneyV2,
}

impl From<state::MoneyBag> for MoneyBag {
    fn from(bag: state::MoneyBag) -> Self {
        let money = |money: state::Money| MoneyV2 { amount: Decimal(money.amount), currency_code: money.currency };
        Self { shop_money: money(bag.shop), presentment_money: money(bag.presentment) }
    }
}

#[derive(SimpleObject)]
pub(crate) struct TaxLine {
    title: String,
    rate: Option<f64>,
    rate_percentage: Option<f64>,
    price_set: MoneyBag,
}

impl From<&state::TaxLine> for TaxLine {
    fn from(tax: &state::TaxLine) -> Self {
        let rate = tax.rate.to_f64();
        Self {
            title: tax.title.clone(),
            rate,
            rate_percentage: rate.map(|rate| rate * 100.0),
            price_set: tax.price.into(),
        }
    }
}

#[derive(SimpleObject)]
pub(crate) struct ShippingLine {
    id: Option<ID>,
    title: String,
    code: Option<String>,
    source: Option<String>,
    carrier_identifier: Option<String>,
    custom: bool,
    original_price_set: MoneyBag,
    discounted_price_set: MoneyBag,
    tax_lines: Vec<TaxLine>,
}

impl From<&state::ShippingLine> for ShippingLine {
    fn from(line: &state::ShippingLine) -> Self {
        Self {
            id: Some(gid("ShippingLine", line.id).into()),
            title: line.title.clone(),
            code: line.code.clone(),
            source: line.source.clone(),
            carrier_identifier: None,
            custom: false,
            original_price_set: line.price.into(),
            discounted_price_set: line.price.into(),
            tax_lines: line.tax_lines.iter().map(TaxLine::from).collect(),
        }
    }
}
