//! How answers look to a person.

mod awaited;
mod dead_letters;
mod dry_run;
mod exceptions;
mod history;
mod incidents;
mod links;
mod list;
mod order;
mod places;
mod resend;
mod resync;
mod settings;
mod shop;
mod step;
mod sync;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use roundtrip_domain::money::Money;
use roundtrip_domain::step::Failure;
use serde::Serialize;
use serde_json::Value;

pub(crate) use dead_letters::{dead_letter, dead_letters, job, purge, redrive};
pub(crate) use dry_run::dry_run;
pub(crate) use exceptions::{exceptions, owner};
pub(crate) use incidents::incidents;
pub(crate) use links::{links, links_made, match_csv, matched};
pub(crate) use list::{counts, orders, orders_csv, received, tags};
pub(crate) use order::{dismissed, order, outcome};
pub(crate) use places::{locations, new_locations};
pub(crate) use resend::{resend, to_confirm};
pub(crate) use resync::{one_run, resync};
pub(crate) use settings::{connection, existing, shop_settings, versions};
pub(crate) use shop::shop;
pub(crate) use sync::sync;

/// A point in time, in UTC to the second: the same in every terminal, and in logs.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A failed attempt: when, why, and the id that Shopify's support asks for.
fn failure(failure: &Failure) -> String {
    let request = failure.request_id.as_ref().map(|id| format!(" (Shopify's request {id})")).unwrap_or_default();
    format!("{}  {}: {}{request}", time(failure.at), failure.code, failure.message)
}

/// The name under which the API stores and shows one of its words; a person searches for it.
fn name(word: &impl Serialize) -> String {
    let name = serde_json::to_value(word).ok();
    name.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// An amount with two decimals at least: Shopify leaves out zeros at the end.
fn money(money: &Money) -> String {
    let amount = money.amount.to_string();
    let decimals = amount.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let zero = if decimals == 1 { "0" } else { "" };
    format!("{amount}{zero} {}", money.currency)
}

/// What somebody typed into a store is no formula for whoever opens the file in a spreadsheet.
fn plain(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

/// A page of a list, and how to ask for the next.
fn with_next(mut text: String, next: Option<&String>) -> String {
    if let Some(next) = next {
        text.push_str(&format!("\nmore: --after '{next}'"));
    }
    text
}

/// A table without lines, aligned by what the terminal shows.
fn table() -> Table {
    let mut table = Table::new();
    // Not fitted to the terminal: a wrapped id or tracking number cannot be copied.
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The table as text, each line indented by `indent` blanks, without blanks at the ends.
fn lay_out(mut table: Table, right: &[usize], indent: usize) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
        if right.contains(&column.index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let margin = " ".repeat(indent);
    table.lines().map(|line| format!("{margin}{line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Labels and what they say, two blanks in.
fn labelled(pairs: &[(&str, String)]) -> String {
    let mut table = table();
    for (label, text) in pairs {
        table.add_row([*label, text]);
    }
    lay_out(table, &[], 2)
}
