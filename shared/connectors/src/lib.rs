//! The systems outside: one folder or file each, with what it says on the wire and how we ask it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod chat;
pub mod shopify;
