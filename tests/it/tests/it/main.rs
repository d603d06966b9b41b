//! The integration tests: one binary, so that they link once.
#![allow(clippy::unwrap_used)]

mod at_once;
mod burst;
mod calls;
mod chaos;
mod cli;
mod connect;
mod dry_run;
mod due;
mod end_to_end;
mod event_schema;
mod events;
mod explore;
mod intake;
mod jobs;
mod labels;
mod ledger;
mod links;
mod many_orders;
mod ops_api;
mod paused;
mod permutations;
mod push;
mod regressions;
mod resync;
mod schema;
mod shipments;
mod shopify;
mod structure;
mod sweep;
mod sync;
mod tags;
mod template;
mod wall;
mod world;
mod writeback;
