//! What Roundtrip knows and decides, without any I/O.
//!
//! Types parse themselves; plans are plain functions over plain data ([`push::plan`], [`writeback::plan`]);
//! use cases ([`push::push_order`], [`writeback::write_back`], [`connect::connect`], [`due::release_due`]) read,
//! plan, act and record through the ports in [`ports`], and never sleep or spawn.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod channel;
pub mod code;
pub mod connect;
pub mod dead_letters;
pub mod due;
pub mod event;
pub mod exceptions;
pub mod history;
pub mod id;
pub mod jobs;
pub mod links;
pub mod money;
pub mod order;
pub mod ports;
pub mod push;
pub mod record;
pub mod registry;
pub mod resync;
pub mod secret;
pub mod shipments;
pub mod step;
pub mod sync;
pub mod task;
pub mod writeback;

mod fingerprint;
mod look;
mod settings;
mod shop_step;
mod tags;
mod wait;
mod wall;
mod work;

pub use fingerprint::fingerprint;
pub use settings::Waits;
pub use shop_step::change_shop_step;
pub use tags::{FAILED_CANCEL_TAG, FAILED_PUSH_TAG, FAILED_SHIPMENT_TAG};
pub use wall::is_outside_60_days;
pub use work::{Outcome, Unfinished, error_chain};
