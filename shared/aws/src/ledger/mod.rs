//! Ledger and registry on DynamoDB.

mod exceptions;
mod history;
mod jobs;
mod keyed;
mod keys;
mod links;
mod lists;
mod orders;
mod parked;
mod registry;
mod steps;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue;
use roundtrip_domain::ports::LedgerError;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use keyed::{KeptAnswer, KeyedRequest};
pub(crate) use keys::{TOKEN as TOKEN_KEY, shop_pk as token_pk};
pub use links::LinkPage;
pub use lists::{Listed, Page, Part, is_cursor};
pub use parked::is_parked_cursor;

/// An item as the SDK gives it.
type Item = std::collections::HashMap<String, AttributeValue>;

/// The shape of the items that this release writes. Additive changes keep it.
const ITEM_VERSION: u32 = 1;

/// The names of the two tables.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Orders, steps, history, requests.
    pub ledger: String,
    /// Shops, connections, product links, tokens.
    pub registry: String,
}

/// The ledger and the registry.
#[derive(Debug, Clone)]
pub struct DynamoLedger {
    client: Client,
    tables: Tables,
}

impl DynamoLedger {
    /// A ledger in `tables`.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig, tables: Tables) -> Self {
        Self::with_client(Client::new(config), tables)
    }

    /// A ledger that speaks through `client`, e.g. one that counts its calls.
    #[must_use]
    pub fn with_client(client: Client, tables: Tables) -> Self {
        Self { client, tables }
    }
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

fn get_number(item: &Item, name: &str) -> Option<u64> {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok())
}

fn to_attribute(doing: &'static str, value: impl Serialize) -> Result<AttributeValue, LedgerError> {
    serde_dynamo::to_attribute_value(value).map_err(|source| LedgerError::Unavailable { doing, source: source.into() })
}

fn from_attribute<T: DeserializeOwned>(doing: &'static str, item: &Item, name: &str) -> Result<T, LedgerError> {
    let value = item.get(name).cloned().unwrap_or(AttributeValue::Null(true));
    serde_dynamo::from_attribute_value(value)
        .map_err(|source| LedgerError::Unavailable { doing, source: source.into() })
}

/// A failed call, by what the caller can do about it.
fn failed<E>(doing: &'static str) -> impl FnOnce(SdkError<E>) -> LedgerError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    move |error| {
        if matches!(error.code(), Some("ConditionalCheckFailedException" | "TransactionConflictException")) {
            return LedgerError::Conflict;
        }
        LedgerError::Unavailable { doing, source: Box::new(error) }
    }
}

/// A transaction is cancelled by a failed condition, or by another transaction on the same item: both
/// mean that somebody else writes here.
fn transaction_failed(error: SdkError<TransactWriteItemsError>) -> LedgerError {
    let conflicts = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
            .cancellation_reasons()
            .iter()
            .any(|reason| matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))),
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => true,
        Some(_) | None => false,
    };
    if conflicts { LedgerError::Conflict } else { LedgerError::Unavailable { doing: "write", source: Box::new(error) } }
}
