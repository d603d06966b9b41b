//! The integration tests: one binary, so that they link once.
#![allow(clippy::unwrap_used)]

mod calls;
mod cli;
mod connect;
mod due;
mod end_to_end;
mod event_schema;
mod intake;
mod ledger;
mod push;
mod regressions;
mod schema;
mod shopify;
mod structure;
mod template;
mod writeback;
