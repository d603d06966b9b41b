//! Shops: opened, shown, set.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};

use super::products::put_variant;
use super::{Answer, CommandError, Count, NewShop, SettingsChange, ShopView, change};
use crate::cost::Bucket;
use crate::engine::Engine;
use crate::state::{Ids, Location, Shop, World};

pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Json<Vec<ShopView>> {
    Json(engine.world().shops.values().map(view).collect())
}

pub(super) async fn show(State(engine): State<Arc<Engine>>, Path(shop): Path<String>) -> Answer<ShopView> {
    let token = engine.mint_token(&shop);
    let mut shown = engine.shop(&shop, view).ok_or(CommandError::NoSuchShop)?;
    shown.access_token = token;
    Ok(Json(shown))
}

pub(super) async fn create(State(engine): State<Arc<Engine>>, Json(new): Json<NewShop>) -> Answer<ShopView> {
    let domain = new.domain.clone();
    let Some(handle) = domain.strip_suffix(".myshopify.com").filter(|handle| !handle.is_empty()) else {
        return Err(CommandError::Invalid("a shop's domain ends with .myshopify.com".to_owned()));
    };
    {
        let mut world = engine.world();
        let World { shops, ids } = &mut *world;
        if shops.contains_key(&domain) {
            return Err(CommandError::Invalid(format!("{domain} exists")));
        }
        shops.insert(domain.clone(), open(&engine, ids, handle, new)?);
    }
    show(State(engine), Path(domain)).await
}

fn open(engine: &Engine, ids: &mut Ids, handle: &str, new: NewShop) -> Result<Shop, CommandError> {
    let names = if new.locations.is_empty() { vec!["Shop location".to_owned()] } else { new.locations };
    let mut shop = Shop {
        id: ids.take(),
        name: if new.name.is_empty() { handle.to_owned() } else { new.name },
        currency: new.currency,
        contact_email: if new.contact_email.is_empty() { format!("owner@{handle}.example") } else { new.contact_email },
        timezone: new.timezone,
        plan: new.plan,
        partner_development: new.partner_development,
        locations: names.into_iter().map(|name| Location { id: ids.take(), name, active: true }).collect(),
        variants: Vec::new(),
        settings: engine.config.shop,
        orders: BTreeMap::new(),
        owners: HashMap::new(),
        unique_values: HashMap::new(),
        definitions: Vec::new(),
        subscriptions: Vec::new(),
        tokens: BTreeSet::new(),
        installed: true,
        bucket: Bucket::new(engine.config.bucket, engine.config.restore_rate),
        recent_creates: VecDeque::new(),
        last_order_number: 0,
        domain: new.domain,
    };
    apply(engine, &mut shop, new.settings);
    for variant in new.variants {
        put_variant(&mut shop, ids, variant)?;
    }
    Ok(shop)
}

pub(super) async fn set(
    State(engine): State<Arc<Engine>>,
    Path(shop): Path<String>,
    Json(settings): Json<SettingsChange>,
) -> Answer<ShopView> {
    change(&engine, &shop, |change| {
        apply(&engine, change.shop, settings);
        Ok(Json(view(change.shop)))
    })
}

fn apply(engine: &Engine, shop: &mut Shop, to: SettingsChange) {
    let settings = &mut shop.settings;
    settings.routing_delay = to.routing_delay_ms.map_or(settings.routing_delay, Duration::from_millis);
    settings.index_lag = to.index_lag_ms.map_or(settings.index_lag, Duration::from_millis);
    settings.taken_key = to.taken_key.unwrap_or(settings.taken_key);
    settings.refuse_overwrite = to.refuse_overwrite.unwrap_or(settings.refuse_overwrite);
    settings.cancel_delay = to.cancel_delay_ms.map_or(settings.cancel_delay, Duration::from_millis);
    if let Some(limit) = to.order_creates_per_minute {
        settings.order_creates_per_minute = (limit > 0).then_some(limit);
    }
    if to.bucket.is_some() || to.restore_rate.is_some() {
        shop.bucket = Bucket::new(
            to.bucket.unwrap_or(engine.config.bucket),
            to.restore_rate.unwrap_or(engine.config.restore_rate),
        );
    }
}

/// Leaves only so many points in the bucket.
pub(super) async fn drain(
    State(engine): State<Arc<Engine>>,
    Path(shop): Path<String>,
    Json(left): Json<Count>,
) -> Answer<Count> {
    change(&engine, &shop, |change| {
        change.shop.bucket.drain_to(u32::try_from(left.count).unwrap_or(u32::MAX));
        Ok(Json(left))
    })
}

fn view(shop: &Shop) -> ShopView {
    ShopView {
        id: shop.id,
        domain: shop.domain.clone(),
        name: shop.name.clone(),
        currency: shop.currency,
        locations: shop.locations.clone(),
        variants: shop.variants.clone(),
        settings: shop.settings,
        subscriptions: shop.subscriptions.clone(),
        installed: shop.installed,
        order_count: shop.orders.len(),
        access_token: None,
    }
}
