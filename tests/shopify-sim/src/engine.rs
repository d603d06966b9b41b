//! The one thing that all requests share: the world under its lock, and what must happen after a change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::{Change, NewOrder, Refusal};
use crate::config::SimConfig;
use crate::faults::Faults;
use crate::schema::{AdminSchema, admin_schema};
use crate::state::{CancelRequest, Shop, World};
use crate::webhooks::{Deliveries, deliver};

pub(crate) struct Engine {
    pub(crate) config: SimConfig,
    pub(crate) schema: AdminSchema,
    pub(crate) faults: Faults,
    pub(crate) deliveries: Deliveries,
    pub(crate) http: reqwest::Client,
    world: Mutex<World>,
    calls: Mutex<BTreeMap<(String, String), Calls>>,
}

/// How often one shop was asked one thing, and what that cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// The shop's domain.
    pub shop: String,
    /// The GraphQL operation's name.
    pub operation: String,
    /// Requests that arrived, whatever came of them.
    pub count: u64,
    /// Points of the answers that were given.
    pub actual_cost: u64,
    /// Points that each request asked for, at most.
    pub max_requested_cost: u32,
    /// Requests answered with THROTTLED because the bucket was short.
    pub throttled: u64,
    /// What the latest request said, e.g. to compare it with what was promised.
    #[serde(default)]
    pub last_variables: serde_json::Value,
}

impl Engine {
    pub(crate) fn new(config: SimConfig) -> reqwest::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            config,
            schema: admin_schema(),
            faults: Faults::default(),
            deliveries: Deliveries::default(),
            http: crate::webhooks::http_client()?,
            world: Mutex::default(),
            calls: Mutex::default(),
        }))
    }

    /// The world, for as short as possible and never across an await.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a shop.
    pub(crate) fn shop<T>(&self, domain: &str, read: impl FnOnce(&Shop) -> T) -> Option<T> {
        self.world().shops.get(domain).map(read)
    }

    /// Changes a shop, and sends what that caused to whoever subscribed.
    pub(crate) fn change<T>(self: &Arc<Self>, domain: &str, act: impl FnOnce(&mut Change<'_>) -> T) -> Option<T> {
        let (value, due) = {
            let mut world = self.world();
            let World { shops, ids } = &mut *world;
            let shop = shops.get_mut(domain)?;
            let mut change = Change { shop, ids, events: Vec::new() };
            let value = act(&mut change);
            let events = change.events;
            let due = self.deliveries.prepare(shop, ids, events);
            (value, due)
        };
        for delivery in due {
            tokio::spawn(deliver(Arc::clone(self), delivery));
        }
        Some(value)
    }

    /// Places an order and has it routed, now or after the shop's delay.
    pub(crate) fn place_order(self: &Arc<Self>, domain: &str, new: NewOrder) -> Option<Result<u64, Refusal>> {
        let (placed, delay) = self.change(domain, |change| {
            let delay = change.shop.settings.routing_delay;
            let placed = change.place_order(new);
            if let (Ok(id), true) = (&placed, delay.is_zero()) {
                change.route(*id);
            }
            (placed, delay)
        })?;
        if let (Ok(id), false) = (&placed, delay.is_zero()) {
            let (engine, domain, id) = (Arc::clone(self), domain.to_owned(), *id);
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                engine.change(&domain, |change| change.route(id));
            });
        }
        Some(placed)
    }

    /// Takes a cancellation, and carries it out after the shop's delay.
    pub(crate) fn cancel_order(
        self: &Arc<Self>,
        domain: &str,
        order: u64,
        request: CancelRequest,
    ) -> Option<Result<(), Refusal>> {
        let (taken, delay) = self
            .change(domain, |change| (change.take_cancellation(order, request), change.shop.settings.cancel_delay))?;
        if taken.is_ok() {
            let (engine, domain) = (Arc::clone(self), domain.to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                engine.change(&domain, |change| change.carry_out_cancellation(order));
            });
        }
        Some(taken)
    }

    /// Counts a request.
    pub(crate) fn count(&self, shop: &str, operation: &str, act: impl FnOnce(&mut Calls)) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = calls.entry((shop.to_owned(), operation.to_owned()));
        act(entry.or_insert_with(|| Calls {
            shop: shop.to_owned(),
            operation: operation.to_owned(),
            ..Calls::default()
        }));
    }

    pub(crate) fn calls(&self) -> Vec<Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn reset_calls(&self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A new access token for a shop that has the app, or `None`.
    pub(crate) fn mint_token(&self, domain: &str) -> Option<String> {
        let mut world = self.world();
        let World { shops, ids } = &mut *world;
        let shop = shops.get_mut(domain).filter(|shop| shop.installed)?;
        let token = format!("shpat_sim_{}_{}", shop.id, ids.take());
        shop.tokens.insert(token.clone());
        Some(token)
    }

    /// An id that looks like Shopify's request ids.
    pub(crate) fn request_id(&self) -> String {
        let number = self.world().ids.take();
        format!("{:08x}-0000-4000-8000-{number:012x}-{}", number as u32, Timestamp::now().as_second())
    }
}
