//! A Shopify that behaves like Shopify: several shops in one process, with the Admin API, its cost and
//! throttling, webhooks, and faults on command.
//!
//! Three doors: [`Sim`] starts it inside a test, the `shopify-sim` command starts it as a process, and
//! [`SimClient`] moves it from anywhere. It speaks Shopify's own GraphQL types; a test compares them with
//! the real schema. It is loopback only and keeps everything in memory.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod admin;
mod change;
pub mod client;
pub mod codes;
mod config;
pub mod control;
pub mod cost;
mod engine;
pub mod faults;
pub mod schema;
mod server;
pub mod state;
pub mod webhooks;
pub mod words;

pub use client::{SimClient, SimError};
pub use config::SimConfig;
pub use server::{Sim, StartError};
pub use webhooks::sign;
