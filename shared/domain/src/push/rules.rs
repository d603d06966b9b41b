//! May it be pushed? An ordered list of rules, each a plain function of the case. All are asked, whatever the first one
//! says: the merchant should have to look only once.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::fee::{FeeRule, flat_rate};
use super::refusal::RefusalReason;
use crate::id::{LineItemId, ShopDomain};
use crate::money::{Currency, Money};
use crate::order::{Address, FinancialStatus, Line, Order, PersonName};
use crate::registry::{Connection, EmailContact, LinkTroubleCode, Links, ProductLink, Shop, UnitPrice};

/// Shopify takes no input array with more elements. Source: error code MAX_INPUT_SIZE_EXCEEDED.
pub const MAX_LINES: usize = 250;

/// The rules in the order in which they are told, each by the name of its failure.
pub static RULES: [Rule; 17] = [
    Rule { reason: RefusalReason::OrderSyncOff, check: order_sync },
    Rule { reason: RefusalReason::NotPaid, check: paid },
    Rule { reason: RefusalReason::OrderCancelled, check: stands },
    Rule { reason: RefusalReason::TestOrder, check: real },
    Rule { reason: RefusalReason::AlreadyAPush, check: not_a_push },
    Rule { reason: RefusalReason::ZeroValue, check: value },
    Rule { reason: RefusalReason::ProtectedDataHidden, check: shown },
    Rule { reason: RefusalReason::InvalidCustomerName, check: name },
    Rule { reason: RefusalReason::InvalidCustomerAddress, check: address },
    Rule { reason: RefusalReason::InvalidCustomerEmail, check: email },
    Rule { reason: RefusalReason::ContactEmailMissing, check: contact_email },
    Rule { reason: RefusalReason::NoSyncedProduct, check: synced_product },
    Rule { reason: RefusalReason::SkuNotFound, check: linked_variant_is_there },
    Rule { reason: RefusalReason::DuplicateSku, check: linked_variant_is_the_only_one },
    Rule { reason: RefusalReason::TooManyLines, check: few_lines },
    Rule { reason: RefusalReason::NotConnected, check: source_connected },
    Rule { reason: RefusalReason::CurrencyMismatch, check: same_currency },
];

/// One rule.
pub struct Rule {
    /// Its failure.
    pub reason: RefusalReason,
    check: fn(&Case<'_>) -> Finding,
}

/// What a rule found.
struct Finding {
    passed: bool,
    observed: String,
    required: String,
}

/// What a rule says of a case: what was seen, and what is needed. No personal data: what is missing is named by its
/// field, what is there is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub rule: RefusalReason,
    pub passed: bool,
    pub observed: String,
    pub required: String,
}

/// An order and the source store that some of it may go to.
pub struct Case<'a> {
    pub order: &'a Order,
    /// The destination.
    pub shop: &'a Shop,
    pub connection: &'a Connection,
    pub links: &'a Links,
    /// What a person says that shipping costs, in the source shop's currency.
    pub shipping_fee: Option<Money>,
}

/// The lines of `order` by the source shop that holds them; lines that are not linked, or of which
/// nothing is left, are in none.
#[must_use]
pub fn groups(order: &Order, links: &Links) -> BTreeMap<ShopDomain, Vec<LineItemId>> {
    let mut groups: BTreeMap<ShopDomain, Vec<LineItemId>> = BTreeMap::new();
    for (line, link) in linked(order, links) {
        groups.entry(link.source.clone()).or_default().push(line.id);
    }
    groups
}

/// The lines of which something is left and that a source shop holds; not those that another one has got.
fn linked<'a>(order: &'a Order, links: &'a Links) -> impl Iterator<Item = (&'a Line, &'a ProductLink)> {
    let lines = order.lines.iter().filter(|line| line.quantity > 0);
    let linked = lines.filter_map(|line| Some((line, links.of(line)?)));
    linked.filter(|(line, link)| links.source_of(line) == Some(&link.source))
}

/// What every rule says, in their order.
#[must_use]
pub fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let verdict = |rule: &Rule| {
        let Finding { passed, observed, required } = (rule.check)(case);
        Verdict { rule: rule.reason, passed, observed, required }
    };
    RULES.iter().map(verdict).collect()
}

impl<'a> Case<'a> {
    /// The lines that would go.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&'a Line, &'a ProductLink)> {
        let source = &self.connection.source;
        linked(self.order, self.links).filter(move |(_, link)| link.source == *source)
    }

    /// The source shop's currency, once it has told it.
    pub(super) fn currency(&self) -> Option<&'a Currency> {
        Some(&self.links.sources.get(&self.connection.source)?.facts.as_ref()?.currency)
    }

    /// What a line costs there; `None`: the currencies differ, and nobody gave a rate.
    pub(super) fn unit_price(&self, line: &Line) -> Option<Option<Money>> {
        let price = match self.connection.settings.unit_price {
            UnitPrice::Source => return Some(None),
            UnitPrice::Destination => line.unit_price.clone(),
            UnitPrice::Percentage(percent) => line.unit_price.percentage(percent)?,
        };
        self.exchanged(&price).map(Some)
    }

    /// The shipping fee, and by which rule; `None`: the currencies differ, and nobody gave a rate.
    pub(super) fn fee(&self) -> Option<(Money, FeeRule)> {
        if let Some(fee) = &self.shipping_fee {
            return Some((fee.clone(), FeeRule::Manual));
        }
        let of_line = |(line, _): (&Line, _)| line.unit_price.amount.checked_mul(Decimal::from(line.quantity));
        let value = self.lines().map(of_line).try_fold(Decimal::ZERO, |sum, value| sum.checked_add(value?))?;
        let rate = flat_rate(&self.shop.settings.shipping_rates, value);
        let rule = rate.map_or(FeeRule::None, |rate| FeeRule::Rate { from: rate.from });
        let fee = match rate.filter(|rate| !rate.fee.is_zero()) {
            Some(rate) => self.exchanged(&Money { amount: rate.fee, currency: self.order.total.currency.clone() })?,
            // Nothing is nothing in every currency.
            None => Money::zero(self.currency()?.clone()),
        };
        Some((fee, rule))
    }

    fn exchanged(&self, amount: &Money) -> Option<Money> {
        amount.exchanged(self.currency()?, self.connection.settings.exchange_rate)
    }
}

impl Finding {
    fn new(passed: bool, observed: impl Into<String>, required: impl Into<String>) -> Self {
        Self { passed, observed: observed.into(), required: required.into() }
    }
}

fn order_sync(case: &Case<'_>) -> Finding {
    let on = case.shop.settings.order_sync;
    Finding::new(on, if on { "order sync is on" } else { "order sync is off" }, "the store's setting `order_sync`")
}

fn paid(case: &Case<'_>) -> Finding {
    let partly = case.shop.settings.allow_partially_refunded;
    let passed = match case.order.financial_status {
        FinancialStatus::Paid => true,
        // What is left of it was paid; the lines carry only what is left.
        FinancialStatus::PartiallyRefunded => partly,
        FinancialStatus::Authorized
        | FinancialStatus::Expired
        | FinancialStatus::PartiallyPaid
        | FinancialStatus::Pending
        | FinancialStatus::Refunded
        | FinancialStatus::Voided
        | FinancialStatus::Unknown(_) => false,
    };
    let required = if partly { "PAID or PARTIALLY_REFUNDED" } else { "PAID" };
    Finding::new(passed, case.order.financial_status.as_str(), required)
}

fn stands(case: &Case<'_>) -> Finding {
    let stands = case.order.cancelled_at.is_none();
    Finding::new(stands, if stands { "stands" } else { "cancelled" }, "an order that stands")
}

fn real(case: &Case<'_>) -> Finding {
    let passed = !case.order.test || case.shop.settings.allow_test;
    let required = if case.shop.settings.allow_test { "any order" } else { "a real order" };
    Finding::new(passed, if case.order.test { "test order" } else { "real order" }, required)
}

fn not_a_push(case: &Case<'_>) -> Finding {
    let passed = case.order.order_key.is_none();
    let observed = if passed { "carries no order key" } else { "carries our order key" };
    Finding::new(passed, observed, "an order placed in this store")
}

fn value(case: &Case<'_>) -> Finding {
    Finding::new(case.order.total.amount > Decimal::ZERO, case.order.total.to_string(), "more than 0")
}

fn is_filled(field: &Option<String>) -> bool {
    field.as_deref().is_some_and(|text| !text.trim().is_empty())
}

fn shown(case: &Case<'_>) -> Finding {
    let Order { customer, email, shipping_address, .. } = case.order;
    let is_empty = shipping_address.clone().unwrap_or_default() == Address::default();
    let is_hidden = *customer == Some(PersonName { first: None, last: None }) && email.is_none() && is_empty;
    let observed = if is_hidden { "a customer without name, address and e-mail" } else { "what the store shows" };
    Finding::new(!is_hidden, observed, "access to protected customer data, and a customer who was not redacted")
}

fn name(case: &Case<'_>) -> Finding {
    let address = case.order.shipping_address.as_ref();
    let on_address = address.is_some_and(|address| is_filled(&address.first_name) || is_filled(&address.last_name));
    let passed = on_address || case.order.customer.as_ref().is_some_and(|name| name.full().is_some());
    Finding::new(
        passed,
        if passed { "a name" } else { "no first or last name" },
        "a name on the shipping address or the customer",
    )
}

fn address(case: &Case<'_>) -> Finding {
    let address = case.order.shipping_address.clone().unwrap_or_default();
    let missing: Vec<&str> =
        [("address1", &address.address1), ("city", &address.city), ("country", &address.country_code)]
            .into_iter()
            .filter(|(_, field)| !is_filled(field))
            .map(|(name, _)| name)
            .collect();
    let observed = match missing.as_slice() {
        [] => "complete".to_owned(),
        missing => format!("shipping address without {}", missing.join(", ")),
    };
    Finding::new(missing.is_empty(), observed, "address1, city and country")
}

fn email(case: &Case<'_>) -> Finding {
    let valid = case.order.email.as_deref().is_some_and(looks_like_email);
    let observed = if valid { "a valid e-mail address" } else { "no valid e-mail address" };
    if case.shop.settings.require_email {
        Finding::new(valid, observed, "one of the form name@host")
    } else {
        Finding::new(true, observed, "none: the store's setting `require_email` is off")
    }
}

fn contact_email(case: &Case<'_>) -> Finding {
    match &case.shop.settings.email_contact {
        EmailContact::Customer => Finding::new(true, "the customer's", "nothing"),
        EmailContact::Custom { .. } => Finding::new(true, "the one that the settings name", "nothing"),
        EmailContact::Admin => {
            let known = case.shop.facts.as_ref().and_then(|facts| facts.contact_email.as_deref());
            let passed = known.is_some_and(looks_like_email);
            let observed = if passed { "the store's own" } else { "the store shows no contact e-mail" };
            Finding::new(passed, observed, "the store's contact e-mail, or another `email_contact`")
        }
    }
}

/// Whether Shopify could take it: one `@` with something on both sides and no blanks. Anything stricter
/// turns real customers away.
#[must_use]
pub fn looks_like_email(text: &str) -> bool {
    let text = text.trim();
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}

fn synced_product(case: &Case<'_>) -> Finding {
    let source = &case.connection.source;
    match case.lines().count() {
        0 => Finding::new(false, format!("no line is linked to {source}"), "at least one linked product"),
        n => Finding::new(true, format!("{n} lines are linked to {source}"), "at least one linked product"),
    }
}

fn linked_variant_is_there(case: &Case<'_>) -> Finding {
    untroubled(
        case,
        |code| code != LinkTroubleCode::DuplicateSku,
        "source variants that are there, as they were linked",
    )
}

fn linked_variant_is_the_only_one(case: &Case<'_>) -> Finding {
    untroubled(case, |code| code == LinkTroubleCode::DuplicateSku, "a SKU or barcode that one source variant carries")
}

/// Whether no link of the case is in such trouble.
fn untroubled(case: &Case<'_>, is_such: impl Fn(LinkTroubleCode) -> bool, required: &str) -> Finding {
    let trouble = |(line, link): (&Line, &'_ ProductLink)| {
        let trouble = link.trouble.as_ref().filter(|trouble| is_such(trouble.code))?;
        Some(format!("{}: {}", line.sku.as_deref().unwrap_or(&line.title), trouble.detail))
    };
    let troubles: Vec<String> = case.lines().filter_map(trouble).collect();
    let observed = if troubles.is_empty() { "no product link says otherwise".to_owned() } else { troubles.join("; ") };
    Finding::new(troubles.is_empty(), observed, required)
}

fn few_lines(case: &Case<'_>) -> Finding {
    let lines = case.lines().count();
    Finding::new(lines <= MAX_LINES, format!("{lines} lines"), format!("at most {MAX_LINES} lines for one store"))
}

fn source_connected(case: &Case<'_>) -> Finding {
    let source = &case.connection.source;
    let required = "a source store that is connected: POST /v1/shops";
    match case.currency() {
        Some(currency) => Finding::new(true, format!("{source} sells in {currency}"), required),
        None => Finding::new(false, format!("{source} has not told its currency yet"), required),
    }
}

fn same_currency(case: &Case<'_>) -> Finding {
    let Some(currency) = case.currency() else { return Finding::new(true, "not known yet", "nothing") };
    let passed = case.lines().all(|(line, _)| case.unit_price(line).is_some()) && case.fee().is_some();
    let observed = format!("prices in {}", case.order.total.currency);
    let required =
        format!("prices in {currency}, the source store's currency, or an `exchange_rate` of the connection");
    Finding::new(passed, observed, required)
}
