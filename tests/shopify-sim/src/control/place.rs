//! A customer buys.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use rust_decimal::Decimal;

use super::{Answer, CommandError, OrderPlaced, PlaceOrder};
use crate::change::{NewLine, NewOrder};
use crate::codes::{CountryCode, CurrencyCode};
use crate::engine::Engine;
use crate::state::{Customer, MailingAddress, MoneyBag, ShippingLine, Shop, TaxLine, gid};
use crate::words::OrderDisplayFinancialStatus;

pub(super) async fn place(
    State(engine): State<Arc<Engine>>,
    Path(shop): Path<String>,
    Json(order): Json<PlaceOrder>,
) -> Answer<OrderPlaced> {
    if order.lines.is_empty() {
        return Err(CommandError::Invalid("an order needs a line".to_owned()));
    }
    let new = engine.shop(&shop, |shop| new_order(shop, order)).ok_or(CommandError::NoSuchShop)?;
    let id = engine.place_order(&shop, new).ok_or(CommandError::NoSuchShop)??;
    let name = engine.shop(&shop, |shop| shop.order(id).map(|order| order.name.clone())).flatten().unwrap_or_default();
    Ok(Json(OrderPlaced { id, gid: gid("Order", id), name }))
}

fn new_order(shop: &Shop, order: PlaceOrder) -> NewOrder {
    let currency = shop.currency;
    let lines: Vec<NewLine> = order
        .lines
        .into_iter()
        .map(|line| {
            let variant = shop.variant_by(&line.variant);
            let price = line.price.or_else(|| variant.map(|it| it.price)).unwrap_or(Decimal::TEN);
            let title = variant.is_none().then_some(line.variant);
            let variant_id = variant.map(|it| it.id);
            let tax = order.tax_rate.map(|rate| tax_line(rate, price * Decimal::from(line.quantity), currency));
            let new = NewLine {
                variant_id,
                quantity: line.quantity,
                title,
                taxable: true,
                custom_attributes: line.properties,
                tax_lines: tax.into_iter().collect(),
                ..NewLine::default()
            };
            new.priced(price, currency)
        })
        .collect();
    let (title, price) = order.shipping.unwrap_or_else(|| ("Standard".to_owned(), Decimal::from(5)));
    let email = order.email.unwrap_or_else(|| "customer@example.com".to_owned());
    let address = order.shipping_address.unwrap_or_else(somewhere);
    let (code, off) = order.discount.map_or((None, Decimal::ZERO), |(code, off)| (Some(code), off));
    NewOrder {
        lines,
        financial_status: Some(order.financial_status.unwrap_or(OrderDisplayFinancialStatus::Paid)),
        created_at: order.at,
        presentment_currency: order.presentment_currency,
        test: order.test,
        tags: order.tags,
        note: order.note,
        customer: Some(Customer {
            id: 0,
            first_name: address.first_name.clone(),
            last_name: address.last_name.clone(),
            email: Some(email.clone()),
            phone: order.phone.clone(),
        }),
        email: Some(email),
        phone: order.phone,
        source_name: Some("web".to_owned()),
        custom_attributes: order.custom_attributes,
        discount_codes: code.into_iter().collect(),
        total_discounts: off,
        shipping_lines: vec![ShippingLine {
            id: 0,
            title: title.clone(),
            code: Some(title),
            source: Some("shopify".to_owned()),
            price: MoneyBag::of(price, currency),
            tax_lines: Vec::new(),
        }],
        billing_address: Some(order.billing_address.unwrap_or_else(|| address.clone())),
        shipping_address: Some(address),
        send_receipt: true,
        ..NewOrder::default()
    }
}

fn tax_line(rate: Decimal, on: Decimal, currency: CurrencyCode) -> TaxLine {
    TaxLine { title: "State tax".to_owned(), rate, price: MoneyBag::of((rate * on).round_dp(2), currency) }
}

fn somewhere() -> MailingAddress {
    let some = |text: &str| Some(text.to_owned());
    MailingAddress {
        first_name: some("Ada"),
        last_name: some("Lovelace"),
        company: None,
        address1: some("12 Analytical Row"),
        address2: None,
        city: some("Portland"),
        province_code: some("OR"),
        zip: some("97201"),
        country_code: Some(CountryCode::US),
        phone: some("+15035550100"),
    }
}
