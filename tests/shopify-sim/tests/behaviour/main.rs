//! What the simulator promises to whoever builds on it.
#![allow(clippy::unwrap_used)]

mod cancellations;
mod cli;
mod cost;
mod faults;
mod fulfillments;
mod keys;
mod products;
mod shop;
mod tracking;
mod webhooks;
mod work;
