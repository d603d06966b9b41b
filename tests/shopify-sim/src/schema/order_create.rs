//! `orderCreate`: from what an app sends to an order, and what it refuses.

mod parts;

use async_graphql::{Context, SimpleObject};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use self::parts::{customer, discount, new_line, taxes};
use super::errors::OrderCreateUserError;
use super::inputs::{OrderCreateOptionsInput, OrderCreateOrderInput};
use super::order::Order;
use super::{Caller, errors};
use crate::change::{NewOrder, Refusal};
use crate::codes::CurrencyCode;
use crate::state::{self, Attribute, full_namespace};
use crate::words::{OrderTransactionKind, OrderTransactionStatus, parse_word, word};

#[derive(SimpleObject)]
pub(crate) struct OrderCreatePayload {
    order: Option<Order>,
    user_errors: Vec<OrderCreateUserError>,
}

/// Source: answer of development and trial stores beyond 5 orders a minute.
const TOO_MANY: &str = "Too many attempts. Please try again later.";
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// Source: Admin GraphQL schema 2026-10, description of the order's note.
const MAX_NOTE: usize = 5000;

pub(crate) fn create(
    ctx: &Context<'_>,
    order: OrderCreateOrderInput,
    options: Option<OrderCreateOptionsInput>,
) -> async_graphql::Result<OrderCreatePayload> {
    let caller = ctx.data::<Caller>()?;
    let receipt = options.and_then(|options| options.send_receipt).unwrap_or_default();
    let refused = |refusal: Refusal| Ok(OrderCreatePayload { order: None, user_errors: vec![refusal.into()] });
    if let Some(refusal) = super::change(ctx, |change| limit(change.shop))? {
        return refused(refusal);
    }
    let currency = super::read(ctx, |shop| shop.currency)?;
    let new = match new_order(order, currency, receipt) {
        Ok(new) => new,
        Err(refusal) => return refused(refusal),
    };
    match caller.engine.place_order(&caller.domain, new) {
        Some(Ok(id)) => Ok(OrderCreatePayload { order: Order::find(ctx, id)?, user_errors: Vec::new() }),
        Some(Err(refusal)) => refused(refusal),
        None => Err(errors::internal("the shop is gone")),
    }
}

/// Counts a try, and refuses it where the shop allows only so many a minute.
fn limit(shop: &mut state::Shop) -> Option<Refusal> {
    let limit = shop.settings.order_creates_per_minute?;
    let now = Timestamp::now();
    while shop.recent_creates.front().is_some_and(|at| now.duration_since(*at) > MINUTE) {
        shop.recent_creates.pop_front();
    }
    if shop.recent_creates.len() >= limit as usize {
        return Some(Refusal::new(&[], TOO_MANY));
    }
    shop.recent_creates.push_back(now);
    None
}

fn new_order(input: OrderCreateOrderInput, currency: CurrencyCode, send_receipt: bool) -> Result<NewOrder, Refusal> {
    let lines = input.line_items.unwrap_or_default();
    if lines.is_empty() {
        // Source: live answer of orderCreate, order-create validation.
        return Err(Refusal::new(&["order", "lineItems"], "Line items must have at least one line item"));
    }
    if input.note.as_ref().is_some_and(|note| note.chars().count() > MAX_NOTE) {
        return Err(Refusal::new(&["order", "note"], "Note is too long (maximum is 5000 characters)"));
    }
    if input.email.as_ref().is_some_and(|email| !email.contains('@')) {
        return Err(Refusal::new(&["order", "email"], "Email is invalid"));
    }
    let customer = input.customer.map(customer);
    let email = input.email.or_else(|| customer.as_ref().and_then(|it| it.email.clone()));
    let lines =
        lines.into_iter().enumerate().map(|(at, line)| new_line(at, line, currency)).collect::<Result<Vec<_>, _>>()?;
    let goods: Decimal = lines
        .iter()
        .map(|line| line.price.map(|price| price.shop.amount).unwrap_or_default() * Decimal::from(line.quantity))
        .sum();
    let (discount_codes, total_discounts) = discount(input.discount_code, goods);
    let shipping = input.shipping_lines.unwrap_or_default();
    let shipping_lines = shipping.into_iter().map(|line| state::ShippingLine {
        id: 0,
        title: line.title,
        code: line.code,
        source: line.source,
        price: line.price_set.into(),
        tax_lines: taxes(line.tax_lines, currency),
    });
    let transactions = input.transactions.unwrap_or_default().into_iter().filter(|it| {
        matches!(it.kind, None | Some(OrderTransactionKind::Sale | OrderTransactionKind::Capture))
            && matches!(it.status, None | Some(OrderTransactionStatus::Success))
    });
    let metafields = input.metafields.unwrap_or_default().into_iter().map(|it| state::Metafield {
        id: 0,
        namespace: full_namespace(it.namespace.as_deref()),
        key: it.key.unwrap_or_default(),
        kind: it.kind.unwrap_or_default(),
        value: it.value.unwrap_or_default(),
    });
    Ok(NewOrder {
        name: input.name,
        created_at: None,
        financial_status: input.financial_status.and_then(|status| parse_word(&word(status))),
        paid_by_transactions: transactions.map(|it| it.amount_set.shop_money.amount.0).sum(),
        presentment_currency: input.presentment_currency,
        processed_at: input.processed_at.map(|at| at.0.min(Timestamp::now())), // clamped since 2026-07
        test: input.test.unwrap_or_default(),
        tags: input.tags.unwrap_or_default(),
        note: input.note,
        email,
        phone: input.phone,
        po_number: input.po_number,
        source_name: input.source_name,
        source_identifier: input.source_identifier,
        source_url: input.source_url.map(|url| url.0),
        custom_attributes: input
            .custom_attributes
            .unwrap_or_default()
            .into_iter()
            .map(|it| Attribute { key: it.key, value: it.value })
            .collect(),
        discount_codes,
        total_discounts,
        taxes_included: input.taxes_included.unwrap_or_default(),
        tax_lines: taxes(input.tax_lines, currency),
        shipping_lines: shipping_lines.collect(),
        customer,
        shipping_address: input.shipping_address.map(state::MailingAddress::from),
        billing_address: input.billing_address.map(state::MailingAddress::from),
        metafields: metafields.collect(),
        send_receipt,
        lines,
    })
}
