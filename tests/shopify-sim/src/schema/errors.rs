//! Errors in Shopify's words: at the top for what is malformed, in `userErrors` for what is refused.

use async_graphql::{Error, ErrorExtensions, ID, Interface, SimpleObject};

use crate::change::Refusal;
use crate::state::parse_gid;
use crate::words::{
    FulfillmentOrderHoldUserErrorCode, FulfillmentOrderReleaseHoldUserErrorCode,
    MetafieldDefinitionCreateUserErrorCode, OrderCancelUserErrorCode, OrderCreateUserErrorCode, parse_word,
};

/// A top-level error with a code.
pub(crate) fn coded(message: &str, code: &'static str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

pub(crate) fn internal(message: &str) -> Error {
    coded(message, "INTERNAL_SERVER_ERROR")
}

/// The number in a gid of this kind.
///
/// Source: live answers to ids of another kind, 2026-04.
pub(crate) fn number(kind: &str, id: &ID) -> async_graphql::Result<u64> {
    let number = id.starts_with("gid://").then(|| parse_gid(kind, id)).flatten();
    number.ok_or_else(|| coded("invalid id", "RESOURCE_NOT_FOUND"))
}

/// Shopify's general refusal. It has no code.
#[derive(SimpleObject)]
pub(crate) struct UserError {
    field: Option<Vec<String>>,
    message: String,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self { field: some(refusal.field), message: refusal.message }
    }
}

/// Refusals with a code, one type for each mutation that has them.
macro_rules! coded_errors {
    ($($name:ident $code:ty)*) => {$(
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            code: Option<$code>,
            field: Option<Vec<String>>,
            message: String,
        }

        impl From<Refusal> for $name {
            fn from(refusal: Refusal) -> Self {
                Self { code: parse_word(refusal.code), field: some(refusal.field), message: refusal.message }
            }
        }
    )*};
}

coded_errors! {
    OrderCreateUserError OrderCreateUserErrorCode
    OrderCancelUserError OrderCancelUserErrorCode
    MetafieldDefinitionCreateUserError MetafieldDefinitionCreateUserErrorCode
    FulfillmentOrderHoldUserError FulfillmentOrderHoldUserErrorCode
    FulfillmentOrderReleaseHoldUserError FulfillmentOrderReleaseHoldUserErrorCode
}

fn some(field: Vec<String>) -> Option<Vec<String>> {
    (!field.is_empty()).then_some(field)
}

/// Every refusal has these.
#[derive(Interface)]
#[graphql(field(name = "field", ty = "&Option<Vec<String>>"), field(name = "message", ty = "&String"))]
#[allow(dead_code)] // the schema needs the interface; no field returns it
pub(crate) enum DisplayableError {
    User(UserError),
    OrderCreate(OrderCreateUserError),
    OrderCancel(OrderCancelUserError),
    MetafieldDefinitionCreate(MetafieldDefinitionCreateUserError),
    FulfillmentOrderHold(FulfillmentOrderHoldUserError),
    FulfillmentOrderReleaseHold(FulfillmentOrderReleaseHoldUserError),
}
