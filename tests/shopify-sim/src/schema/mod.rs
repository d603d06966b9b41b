//! The Admin GraphQL schema, as much of it as apps that move orders use, in Shopify's own names.
//!
//! Source: Admin GraphQL schema 2026-10. A test holds every type, field, argument and enum value here
//! against it.

mod connection;
mod errors;
mod fulfillment;
mod fulfillment_order;
mod inputs;
mod line_item;
mod metafield;
mod money;
mod mutation;
mod order;
mod order_create;
mod order_search;
mod people;
mod product;
mod query;
mod scalars;
mod shop;
mod webhook;

use std::sync::Arc;

use async_graphql::{Context, EmptySubscription, Schema};

use jiff::Timestamp;

use crate::change::Change;
use crate::engine::Engine;
use crate::state::Shop;

/// The schema with its resolvers.
pub(crate) type AdminSchema = Schema<query::QueryRoot, mutation::Mutation, EmptySubscription>;

/// Builds the schema once.
pub(crate) fn admin_schema() -> AdminSchema {
    Schema::build(query::QueryRoot, mutation::Mutation::default(), EmptySubscription).finish()
}

/// The schema in GraphQL's definition language.
pub fn sdl() -> String {
    admin_schema().sdl()
}

/// Whose shop a request is about.
pub(crate) struct Caller {
    pub(crate) engine: Arc<Engine>,
    pub(crate) domain: String,
}

/// Older orders are shown only with the scope `read_all_orders`. Source: Admin GraphQL schema 2026-10, `Order`.
const SHOWN_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(60 * 24);

impl Caller {
    /// Whether the app may see an order that was placed then.
    fn sees(&self, placed_at: Timestamp) -> bool {
        let sees_all = || self.engine.config.scopes.iter().any(|scope| scope == "read_all_orders");
        placed_at >= Timestamp::now() - SHOWN_FOR || sees_all()
    }
}

/// Reads the caller's shop.
fn read<T>(ctx: &Context<'_>, read: impl FnOnce(&Shop) -> T) -> async_graphql::Result<T> {
    let caller = ctx.data::<Caller>()?;
    caller.engine.shop(&caller.domain, read).ok_or_else(|| errors::internal("the shop is gone"))
}

/// Changes the caller's shop.
fn change<T>(ctx: &Context<'_>, act: impl FnOnce(&mut Change<'_>) -> T) -> async_graphql::Result<T> {
    let caller = ctx.data::<Caller>()?;
    caller.engine.change(&caller.domain, act).ok_or_else(|| errors::internal("the shop is gone"))
}
