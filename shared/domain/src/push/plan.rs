//! May it be pushed, and what exactly would go: decided without a single call.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::key::OrderKey;
use crate::id::{LineItemId, ShopDomain, VariantId};
use crate::money::{Currency, Money};
use crate::order::{FinancialStatus, Order};
use crate::record::Tab;
use crate::registry::{Connection, Links, UnitPrice};

/// Shopify takes no input array with more elements. Source: error code MAX_INPUT_SIZE_EXCEEDED.
pub const MAX_LINES: usize = 250;

/// What will be sent to one source shop. Frozen in the ledger before the call, and free of personal
/// data: names and addresses are read from Shopify when they are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushPlan {
    pub key: OrderKey,
    pub lines: Vec<PlannedLine>,
    /// In the source shop's currency. Never what the customer paid for shipping.
    pub shipping_fee: Money,
    pub settings_version: u64,
    /// `updatedAt` of the order it was made from.
    pub order_updated_at: Timestamp,
}

impl PushPlan {
    /// How many of each destination line go.
    #[must_use]
    pub fn quantities(&self) -> Vec<(LineItemId, u32)> {
        self.lines.iter().map(|line| (line.destination_line, line.quantity)).collect()
    }
}

/// One line that goes to the source shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLine {
    pub destination_line: LineItemId,
    pub source_variant: VariantId,
    pub quantity: u32,
    pub requires_shipping: bool,
    /// `None`: the source variant's own price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}

/// One reason why an order is not pushed, with what was seen and what would be needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub reason: RefusalReason,
    pub observed: String,
    pub required: String,
}

/// The rules of eligibility, each by the name of its failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalReason {
    NotPaid,
    InvalidCustomerName,
    InvalidCustomerAddress,
    InvalidCustomerEmail,
    ZeroValue,
    NoSyncedProduct,
    TestOrder,
    OrderCancelled,
    /// The order is itself one that was pushed here.
    AlreadyAPush,
    /// No connection to the source shop that was asked for.
    NotConnected,
    TooManyLines,
    CurrencyMismatch,
    /// The shop has no such order (any more).
    OrderGone,
    /// Written by a newer release.
    #[serde(other)]
    Unknown,
}

/// The lines of `order` by the source shop that holds them; lines that are not linked, or of which
/// nothing is left, are in none.
#[must_use]
pub fn groups(order: &Order, links: &Links) -> BTreeMap<ShopDomain, Vec<LineItemId>> {
    let mut groups: BTreeMap<ShopDomain, Vec<LineItemId>> = BTreeMap::new();
    for line in order.lines.iter().filter(|line| line.quantity > 0) {
        if let Some(link) = line.variant.and_then(|variant| links.by_variant.get(&variant)) {
            groups.entry(link.source.clone()).or_default().push(line.id);
        }
    }
    groups
}

/// What of `order` goes to the source shop of `connection`, or every reason why nothing does.
///
/// # Errors
/// All refusals, not just the first: the merchant should have to look only once.
pub fn plan_push(order: &Order, connection: &Connection, links: &Links, group: u32) -> Result<PushPlan, Vec<Refusal>> {
    let mut refusals = refusals(order, connection);
    let lines = planned_lines(order, connection, links);
    if lines.is_empty() {
        refusals.push(refusal(
            RefusalReason::NoSyncedProduct,
            format!("no line is linked to {}", connection.source),
            "at least one linked product",
        ));
    }
    if lines.len() > MAX_LINES {
        refusals.push(refusal(
            RefusalReason::TooManyLines,
            format!("{} lines", lines.len()),
            format!("at most {MAX_LINES} lines for one store"),
        ));
    }
    let Some(currency) = source_currency(connection, links) else {
        refusals.push(refusal(
            RefusalReason::NotConnected,
            format!("{} has not told its currency yet", connection.source),
            "a source store that is connected: POST /v1/shops",
        ));
        return Err(refusals);
    };
    let priced_in = lines.iter().find_map(|line| line.unit_price.as_ref()).map(|price| &price.currency);
    if let Some(other) = priced_in.filter(|priced_in| **priced_in != currency) {
        refusals.push(refusal(
            RefusalReason::CurrencyMismatch,
            format!("prices in {other}"),
            format!("prices in {currency}, the source store's currency"),
        ));
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    Ok(PushPlan {
        key: OrderKey::new(&order.at, &connection.source, group),
        lines,
        shipping_fee: Money::zero(currency),
        settings_version: connection.settings_version,
        order_updated_at: order.updated_at,
    })
}

fn source_currency(connection: &Connection, links: &Links) -> Option<Currency> {
    Some(links.sources.get(&connection.source)?.facts.as_ref()?.currency.clone())
}

fn planned_lines(order: &Order, connection: &Connection, links: &Links) -> Vec<PlannedLine> {
    let linked = order.lines.iter().filter(|line| line.quantity > 0).filter_map(|line| {
        let link = links.by_variant.get(&line.variant?)?;
        (link.source == connection.source).then_some((line, link))
    });
    linked
        .map(|(line, link)| PlannedLine {
            destination_line: line.id,
            source_variant: link.source_variant,
            quantity: line.quantity,
            requires_shipping: line.requires_shipping,
            unit_price: match connection.settings.unit_price {
                UnitPrice::Source => None,
                UnitPrice::Destination => Some(line.unit_price.clone()),
            },
        })
        .collect()
}

/// The rules that look at the order alone. Source: the conditions of Syncio's Order Sync, and those
/// that keep test orders, cancelled orders and our own pushes from going out.
fn refusals(order: &Order, connection: &Connection) -> Vec<Refusal> {
    let mut found = Vec::new();
    if !is_paid(order, connection) {
        let required = if connection.settings.allow_partially_refunded { "PAID or PARTIALLY_REFUNDED" } else { "PAID" };
        found.push(refusal(RefusalReason::NotPaid, order.financial_status.as_str(), required));
    }
    if order.cancelled_at.is_some() {
        found.push(refusal(RefusalReason::OrderCancelled, "cancelled", "an order that stands"));
    }
    if order.test {
        found.push(refusal(RefusalReason::TestOrder, "test order", "a real order"));
    }
    if order.order_key.is_some() {
        found.push(refusal(RefusalReason::AlreadyAPush, "carries our order key", "an order placed in this store"));
    }
    if order.total.amount <= rust_decimal::Decimal::ZERO {
        found.push(refusal(RefusalReason::ZeroValue, order.total.to_string(), "more than 0"));
    }
    found.extend(customer_refusals(order));
    found
}

fn is_paid(order: &Order, connection: &Connection) -> bool {
    match order.financial_status {
        FinancialStatus::Paid => true,
        // What is left of it was paid; the lines carry only what is left.
        FinancialStatus::PartiallyRefunded => connection.settings.allow_partially_refunded,
        FinancialStatus::Authorized
        | FinancialStatus::Expired
        | FinancialStatus::PartiallyPaid
        | FinancialStatus::Pending
        | FinancialStatus::Refunded
        | FinancialStatus::Voided
        | FinancialStatus::Unknown(_) => false,
    }
}

/// What is missing is named by its field; what is there is never repeated, it is personal data.
fn customer_refusals(order: &Order) -> Vec<Refusal> {
    let filled = |field: &Option<String>| field.as_deref().is_some_and(|text| !text.trim().is_empty());
    let mut found = Vec::new();
    let address = order.shipping_address.clone().unwrap_or_default();
    let named = filled(&address.first_name)
        || filled(&address.last_name)
        || order.customer.as_ref().is_some_and(|name| name.full().is_some());
    if !named {
        found.push(refusal(
            RefusalReason::InvalidCustomerName,
            "no first or last name",
            "a name on the shipping address or the customer",
        ));
    }
    let missing: Vec<&str> =
        [("address1", &address.address1), ("city", &address.city), ("country", &address.country_code)]
            .into_iter()
            .filter(|(_, field)| !filled(field))
            .map(|(name, _)| name)
            .collect();
    if !missing.is_empty() {
        found.push(refusal(
            RefusalReason::InvalidCustomerAddress,
            format!("shipping address without {}", missing.join(", ")),
            "address1, city and country (if the store shows them: does the app have access to protected customer data?)",
        ));
    }
    if !order.email.as_deref().is_some_and(looks_like_email) {
        found.push(refusal(
            RefusalReason::InvalidCustomerEmail,
            "no valid e-mail address",
            "one of the form name@host",
        ));
    }
    found
}

/// Whether Shopify could take it: one `@` with something on both sides and no blanks. Anything stricter
/// turns real customers away.
fn looks_like_email(text: &str) -> bool {
    let text = text.trim();
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}

fn refusal(reason: RefusalReason, observed: impl Into<String>, required: impl Into<String>) -> Refusal {
    Refusal { reason, observed: observed.into(), required: required.into() }
}

/// In which tab an order stands: `wanted` are the source shops that its lines are linked to, `confirmed`
/// those that have it.
#[must_use]
pub fn tab(cancelled: bool, wanted: &BTreeSet<ShopDomain>, confirmed: &BTreeSet<ShopDomain>) -> Tab {
    if cancelled {
        Tab::Cancelled
    } else if confirmed.is_empty() {
        Tab::NotPushed
    } else if wanted.is_subset(confirmed) {
        Tab::Pushed
    } else {
        Tab::PartiallyPushed
    }
}
