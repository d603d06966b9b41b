//! Pages of lists.

use async_graphql::OutputType;
use async_graphql::connection::{Connection, Edge, EmptyFields};

use super::errors::coded;

/// The most that one page may hold.
///
/// Source: <https://shopify.dev/docs/api/usage/pagination-graphql>
const MAX_PAGE: usize = 250;

/// A page of `T`.
pub(crate) type Page<T> = Connection<String, T, EmptyFields, EmptyFields>;

/// What part of a list was asked for.
pub(crate) struct Wanted {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<String>,
    pub(crate) reverse: Option<bool>,
}

impl Wanted {
    /// Cuts the page out of all items, each with its cursor.
    pub(crate) fn page<T: OutputType>(self, mut items: Vec<(String, T)>) -> async_graphql::Result<Page<T>> {
        if self.reverse == Some(true) {
            items.reverse();
        }
        let position = |cursor: &str| {
            items
                .iter()
                .position(|(it, _)| it == cursor)
                .ok_or_else(|| coded("Invalid cursor for current pagination sort.", "BAD_REQUEST"))
        };
        let start = self.after.as_deref().map(position).transpose()?.map_or(0, |at| at + 1);
        let end = self.before.as_deref().map(position).transpose()?.unwrap_or(items.len()).max(start);
        let (start, end) = match (self.first, self.last) {
            (Some(first), _) => (start, end.min(start + size(first)?)),
            (None, Some(last)) => (start.max(end.saturating_sub(size(last)?)), end),
            (None, None) => {
                return Err(coded("you must provide one of first or last", "BAD_REQUEST"));
            }
        };
        let mut page = Connection::new(start > 0, end < items.len());
        page.edges = items.drain(start..end).map(|(cursor, node)| Edge::new(cursor, node)).collect();
        Ok(page)
    }
}

fn size(said: i32) -> async_graphql::Result<usize> {
    let size = usize::try_from(said).ok().filter(|size| *size <= MAX_PAGE);
    size.ok_or_else(|| coded(&format!("first cannot exceed {MAX_PAGE}"), "BAD_REQUEST"))
}

/// Pairs items with cursors made of their ids.
pub(crate) fn by_id<T>(items: impl IntoIterator<Item = (u64, T)>) -> Vec<(String, T)> {
    items.into_iter().map(|(id, item)| (cursor(id, &id.to_string()), item)).collect()
}

/// A cursor as Shopify makes them: the last id and the value that the list is sorted by.
pub(crate) fn cursor(last_id: u64, last_value: &str) -> String {
    use base64::Engine as _;
    let cursor = serde_json::json!({"last_id": last_id, "last_value": last_value});
    base64::engine::general_purpose::STANDARD.encode(cursor.to_string())
}
