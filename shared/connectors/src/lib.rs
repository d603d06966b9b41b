//! The systems outside: one folder each, with what it says on the wire and how we ask it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod shopify;
