//! The integration tests: one binary, so that they link once.
#![allow(clippy::unwrap_used)]

mod at_once;
mod burst;
mod calls;
mod changed_after_push;
mod chaos;
mod cli;
mod connect;
mod due;
mod end_to_end;
mod event_schema;
mod events;
mod intake;
mod label_changes;
mod label_troubles;
mod labels;
mod ledger;
mod locations;
mod many_shipments;
mod ops_api;
mod overwrite;
mod paused;
mod permutations;
mod push;
mod regressions;
mod replaced;
mod rests;
mod schema;
mod several_stores;
mod shopify;
mod structure;
mod tags;
mod template;
mod world;
mod writeback;
