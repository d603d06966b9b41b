//! The integration tests: one binary, so that they link once.
#![allow(clippy::unwrap_used)]

mod calls;
mod connect;
mod due;
mod end_to_end;
mod ledger;
mod push;
mod schema;
mod template;
mod writeback;
