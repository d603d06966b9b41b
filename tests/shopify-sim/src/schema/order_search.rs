//! `orders(query: …)`: the search index over a shop's orders.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

use super::connection::cursor;
use super::errors::coded;
use crate::state::{Order, Shop};
use crate::words::{OrderDisplayFulfillmentStatus, OrderSortKeys, word};

/// One condition of a search: all must hold.
struct Term {
    not: bool,
    field: String,
    /// `=`, `<`, `<=`, `>`, `>=`
    comparison: &'static str,
    value: String,
}

/// Orders that the index knows and the query means, sorted, each with its cursor.
///
/// Source: Admin GraphQL schema 2026-10, `QueryRoot.orders(query:)`, for the filters' names.
pub(crate) fn search(
    shop: &Shop,
    query: Option<&str>,
    sort: OrderSortKeys,
    reverse: bool,
) -> Vec<(String, Arc<Order>)> {
    let terms = parse(query.unwrap_or_default());
    let now = Timestamp::now();
    let known = shop.orders.values().filter(|order| order.indexed_from <= now);
    let mut found: Vec<(String, Arc<Order>)> = Vec::new();
    for order in known.filter(|order| terms.iter().all(|term| term.holds(order))) {
        found.push((sort_value(order, sort), Arc::clone(order)));
    }
    if reverse {
        found.sort_by_key(|(value, order)| Reverse((value.clone(), order.id)));
    } else {
        found.sort_by_key(|(value, order)| (value.clone(), order.id));
    }
    found.into_iter().map(|(value, order)| (cursor(order.id, &value), order)).collect()
}

/// Leaves out what a page before has shown. Goes by the sorted values, not by position: an order that
/// changed meanwhile has moved, as in Shopify.
pub(crate) fn after(
    found: Vec<(String, Arc<Order>)>,
    last: &str,
    sort: OrderSortKeys,
    reverse: bool,
) -> async_graphql::Result<Vec<(String, Arc<Order>)>> {
    use base64::Engine as _;
    let bad = || coded("Invalid cursor for current pagination sort.", "BAD_REQUEST");
    let json = base64::engine::general_purpose::STANDARD.decode(last).map_err(|_| bad())?;
    let json: serde_json::Value = serde_json::from_slice(&json).map_err(|_| bad())?;
    let id = json["last_id"].as_u64().ok_or_else(bad)?;
    let value = json["last_value"].as_str().ok_or_else(bad)?.to_owned();
    let is_after = |order: &Order| {
        let here = (sort_value(order, sort), order.id);
        if reverse { here < (value.clone(), id) } else { here > (value.clone(), id) }
    };
    Ok(found.into_iter().filter(|(_, order)| is_after(order)).collect())
}

fn sort_value(order: &Order, sort: OrderSortKeys) -> String {
    let number = match sort {
        OrderSortKeys::CreatedAt => order.created_at.as_second(),
        OrderSortKeys::ProcessedAt => order.processed_at.as_second(),
        OrderSortKeys::UpdatedAt => order.updated_at.as_second(),
        OrderSortKeys::Id => order.id as i64,
        OrderSortKeys::OrderNumber => order.number.into(),
    };
    format!("{number:020}")
}

/// Splits at spaces outside quotes. `AND` is what stands between terms anyway.
fn parse(query: &str) -> Vec<Term> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in query.chars() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (_, character) => word.push(character),
        }
    }
    words.push(word);
    words.iter().filter(|word| !word.is_empty() && *word != "AND").map(|word| term(word)).collect()
}

fn term(said: &str) -> Term {
    let (not, said) = said.strip_prefix('-').map_or((false, said), |rest| (true, rest));
    let (field, value) = said.split_once(':').unwrap_or(("default", said));
    let comparison = ["<=", ">=", "<", ">"].into_iter().find(|sign| value.starts_with(sign));
    let value = value.strip_prefix(comparison.unwrap_or_default()).unwrap_or(value);
    Term { not, field: field.to_lowercase(), comparison: comparison.unwrap_or("="), value: value.to_owned() }
}

impl Term {
    fn holds(&self, order: &Order) -> bool {
        self.matches(order) != self.not
    }

    fn matches(&self, order: &Order) -> bool {
        let is = |text: &str| text.eq_ignore_ascii_case(&self.value);
        match self.field.as_str() {
            "source_identifier" => order.source_identifier.as_deref().is_some_and(is),
            "name" => is(&order.name) || is(order.name.trim_start_matches('#')),
            "id" => order.id.to_string() == self.value,
            "tag" => order.tags.iter().any(|tag| is(tag)),
            "tag_not" => !order.tags.iter().any(|tag| is(tag)),
            "email" => order.email.as_deref().is_some_and(is),
            "test" => order.test.to_string() == self.value,
            "financial_status" => is(&word(order.financial_status)),
            "fulfillment_status" => self.fulfillment_status(order.display_fulfillment_status()),
            "status" => match self.value.to_lowercase().as_str() {
                "cancelled" => order.cancelled_at.is_some(),
                "open" => order.cancelled_at.is_none(),
                "closed" => false,
                _ => true,
            },
            "updated_at" => self.compares(order.updated_at),
            "created_at" => self.compares(order.created_at),
            "processed_at" => self.compares(order.processed_at),
            "default" => is(&order.name) || order.email.as_deref().is_some_and(is),
            _ => true, // Shopify ignores filters that it does not know, with a warning
        }
    }

    fn fulfillment_status(&self, status: OrderDisplayFulfillmentStatus) -> bool {
        match self.value.to_lowercase().as_str() {
            "shipped" | "fulfilled" => status == OrderDisplayFulfillmentStatus::Fulfilled,
            "partial" => status == OrderDisplayFulfillmentStatus::PartiallyFulfilled,
            "unshipped" | "unfulfilled" => !matches!(
                status,
                OrderDisplayFulfillmentStatus::Fulfilled | OrderDisplayFulfillmentStatus::PartiallyFulfilled
            ),
            other => word(status).eq_ignore_ascii_case(other),
        }
    }

    fn compares(&self, at: Timestamp) -> bool {
        let said = self.value.parse::<Timestamp>().or_else(|_| format!("{}T00:00:00Z", self.value).parse());
        let Ok(said) = said else { return false };
        match self.comparison {
            "<=" => at <= said,
            ">=" => at >= said,
            "<" => at < said,
            ">" => at > said,
            _ => at == said,
        }
    }
}
