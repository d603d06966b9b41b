//! How shops and their connections behave: each change is a version, with who made it and when.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use roundtrip_api::problem::ProblemCode;
use roundtrip_api::settings::{
    ConnectionAnswer, Existing, GivenOwner, PutConnection, PutSettings, SettingsAnswer, SettingsTried, SettingsWritten,
    VersionsAnswer,
};
use roundtrip_domain::exceptions::OwnerRule;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::LedgerError;
use roundtrip_domain::push::looks_like_email;
use roundtrip_domain::registry::{
    Connection, ConnectionSettings, EmailContact, ShippingRate, Shop, ShopSettings, UnitPrice,
};
use roundtrip_domain::resync::{
    Asked, MAX_LOOKBACK_DAYS, Occasion, first_run, is_unpushed, promise_run, read_from_now_on,
};
use rust_decimal::Decimal;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::exceptions::known;
use super::extract::{Json, Path};
use super::request::RequestId;
use super::resync;
use super::shops::{ShopPath, registered};
use crate::compose::Api;

/// More rates than anybody has.
const MAX_RATES: usize = 50;
/// More rules than there are codes.
const MAX_RULES: usize = 50;

/// Changes how a store is treated. A field that is left out stays as it is.
#[utoipa::path(put, path = "/v1/shops/{shop}/settings", tag = "settings", params(ShopPath), request_body = PutSettings,
    responses((status = 200, body = SettingsAnswer)))]
pub(super) async fn put_shop(
    operator: Operator,
    State(api): State<Arc<Api>>,
    request: RequestId,
    Path(ShopPath { shop: domain }): Path<ShopPath>,
    Json(body): Json<PutSettings>,
) -> Answer<SettingsAnswer> {
    let known = registered(&api, &domain).await?;
    let before = &known.shop.settings;
    let now = Timestamp::now();
    let [include_existing, dry_run, tracks] =
        [body.include_existing, body.dry_run, body.tracking_sync].map(|given| given == Some(true));
    let settings = shop_settings(body, &known.shop, now)?;
    if dry_run {
        let mut tried = known.clone();
        tried.shop.settings = settings;
        let since = now - SignedDuration::from_hours(24 * i64::from(MAX_LOOKBACK_DAYS));
        let (orders, is_all) = api.ledger.count_open(&domain, since, |summary| is_unpushed(summary, &tried)).await?;
        let existing = Existing { orders, or_more: !is_all };
        let tried = SettingsTried { shop: domain, dry_run: true, existing };
        return Ok((StatusCode::OK, Json(SettingsAnswer::Tried(tried))));
    }
    let may_relax =
        known.offers_orders() && before.auto_push && settings.auto_push && judges_otherwise(&settings, before);
    let occasion = match (include_existing, may_relax) {
        (true, _) => Some(Occasion::Unpushed),
        (false, true) => Some(Occasion::Settings),
        (false, false) => None,
    };
    let wish = occasion.map(|occasion| resync::wish(&request, &operator, (occasion, MAX_LOOKBACK_DAYS)));
    let mut change = known.shop.settings_change.clone();
    if settings != *before {
        promise(&api, &domain, wish.as_ref()).await?;
        change = change.next(now, &operator.name);
        api.ledger.put_shop_settings(&domain, &settings, &change).await.map_err(changed_meanwhile)?;
        tracing::info!(
            shop.domain = domain.as_str(),
            settings.version = change.version,
            actor = operator.name,
            "shop settings written"
        );
    }
    // Also of a request that is repeated because it had no answer.
    if tracks {
        read_from_now_on(&api.ledger, &api.tasks, &domain, now).await?;
    }
    let run_id = match wish {
        Some(wish) => Some(resync::ask(&api, &domain, &wish).await?),
        None => None,
    };
    let written = SettingsWritten { shop: domain, settings, settings_change: change, run_id };
    Ok((StatusCode::OK, Json(SettingsAnswer::Written(written))))
}

/// Has the run begin soon, before what it is for is written: whoever dies between the two does not leave the orders asleep.
async fn promise(api: &Api, shop: &ShopDomain, wish: Option<&Asked>) -> Result<(), ApiError> {
    match wish {
        Some(wish) => Ok(promise_run(&api.ledger, shop, wish).await?),
        None => Ok(()),
    }
}

/// Whether other settings may judge orders otherwise, or send other things of them.
fn judges_otherwise(settings: &ShopSettings, before: &ShopSettings) -> bool {
    let ShopSettings { plan, tracking_sync, order_sync, order_sync_since, auto_push_since, ref owners, .. } = *before;
    let owners = owners.clone();
    let judging =
        ShopSettings { plan, tracking_sync, order_sync, order_sync_since, auto_push_since, owners, ..settings.clone() };
    judging != *before
}

/// The settings of `shop` with what was given.
fn shop_settings(given: PutSettings, shop: &Shop, now: Timestamp) -> Result<ShopSettings, ApiError> {
    let before = &shop.settings;
    let include_existing = given.include_existing == Some(true);
    if include_existing && !given.auto_push.unwrap_or(before.auto_push) {
        return Err(ApiError::field("include_existing", "no order goes by itself: switch `auto_push` on with it"));
    }
    if given.dry_run == Some(true) && !include_existing {
        return Err(ApiError::field("dry_run", "there is nothing to count: give it with `include_existing`"));
    }
    let settings = ShopSettings {
        order_sync: given.order_sync.unwrap_or(before.order_sync),
        order_sync_since: before.order_sync_since,
        auto_push: given.auto_push.unwrap_or(before.auto_push),
        auto_push_since: before.auto_push_since,
        email_contact: given.email_contact.map_or_else(|| before.email_contact.clone(), EmailContact::trimmed),
        shipping_rates: given.shipping_rates.unwrap_or_else(|| before.shipping_rates.clone()),
        allow_partial_push: given.allow_partial_push.unwrap_or(before.allow_partial_push),
        require_email: given.require_email.unwrap_or(before.require_email),
        allow_partially_refunded: given.allow_partially_refunded.unwrap_or(before.allow_partially_refunded),
        allow_test: given.allow_test.unwrap_or(before.allow_test),
        plan: given.plan.unwrap_or(before.plan),
        tracking_sync: given.tracking_sync.unwrap_or(before.tracking_sync),
        owners: given.owners.map_or_else(|| Ok(before.owners.clone()), owner_rules)?,
    };
    if settings.auto_push && !settings.order_sync {
        return Err(ApiError::new(
            ProblemCode::OrderSyncOff,
            "orders of this store are not offered for push, so none goes by itself",
            "switch `order_sync` on, in the same request if you like",
        ));
    }
    if let EmailContact::Custom { email } = &settings.email_contact
        && !looks_like_email(email)
    {
        return Err(ApiError::field("email_contact.email", "it is no e-mail address: give one of the form name@host"));
    }
    check_rates(shop, &settings.shipping_rates)?;
    let switched = |is_on: bool, was_on: bool, since| if is_on && !was_on { whole_second(now) } else { since };
    Ok(ShopSettings {
        order_sync_since: switched(settings.order_sync, before.order_sync, settings.order_sync_since),
        auto_push_since: switched(settings.auto_push, before.auto_push, settings.auto_push_since),
        ..settings
    })
}

/// Whole seconds, as an order's time has them.
fn whole_second(now: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(now.as_second()).ok()
}

fn check_rates(shop: &Shop, rates: &[ShippingRate]) -> Result<(), ApiError> {
    if rates.len() > MAX_RATES {
        let text = format!("{} rates: give at most {MAX_RATES}", rates.len());
        return Err(ApiError::field("shipping_rates", text));
    }
    // A store that is not connected yet has told no currency: most have two decimals.
    let decimals = shop.facts.as_ref().map_or(2, |facts| facts.currency.decimals());
    for rate in rates {
        check_amount("shipping_rates.from", rate.from, decimals)?;
        check_amount("shipping_rates.fee", rate.fee, decimals)?;
    }
    let values: BTreeSet<Decimal> = rates.iter().map(|rate| rate.from).collect();
    if values.len() < rates.len() {
        return Err(ApiError::field("shipping_rates.from", "two rates begin at one value: give each value once"));
    }
    Ok(())
}

fn owner_rules(given: Vec<GivenOwner>) -> Result<Vec<OwnerRule>, ApiError> {
    if given.len() > MAX_RULES {
        return Err(ApiError::field("owners", format!("{} rules: give at most {MAX_RULES}", given.len())));
    }
    let mut rules: Vec<OwnerRule> = Vec::with_capacity(given.len());
    for (n, GivenOwner { code, owner }) in given.into_iter().enumerate() {
        let field = format!("owners[{n}].code");
        let code = code.map(|code| known(&field, &code)).transpose()?;
        if rules.iter().any(|before| before.code == code) {
            let code = code.map_or_else(|| "all others".to_owned(), |code| code.to_string());
            return Err(ApiError::field(field, format!("two rules are for {code}: give each once")));
        }
        rules.push(OwnerRule { code, owner });
    }
    Ok(rules)
}

/// Refuses what no shop of that currency could charge.
pub(super) fn check_amount(field: &'static str, amount: Decimal, decimals: u32) -> Result<(), ApiError> {
    if amount.is_sign_negative() && !amount.is_zero() {
        return Err(ApiError::unprocessable(field, format!("{amount} is less than nothing: give 0 or more")));
    }
    if amount.normalize().scale() > decimals {
        let text = format!("{amount} has more decimals than the currency: give at most {decimals}");
        return Err(ApiError::unprocessable(field, text));
    }
    Ok(())
}

/// Connects a destination store with a source store, or changes how they are connected. A field that is left out stays
/// as it is.
#[utoipa::path(post, path = "/v1/connections", tag = "settings", request_body = PutConnection, responses(
    (status = 201, body = ConnectionAnswer, description = "They are connected now."),
    (status = 200, body = ConnectionAnswer, description = "They were connected before."),
))]
pub(super) async fn put_connection(
    operator: Operator,
    State(api): State<Arc<Api>>,
    request: RequestId,
    Json(body): Json<PutConnection>,
) -> Answer<ConnectionAnswer> {
    let (destination, source) = (body.destination.clone(), body.source.clone());
    if destination == source {
        return Err(ApiError::field("source", "it is the destination itself: give another shop"));
    }
    let shop = registered(&api, &destination).await?;
    let kept_orders = shop.shop.facts.is_none() || shop.keeps_orders();
    let source_shop = registered(&api, &source).await?;
    let was_source = source_shop.shop.facts.is_none() || !source_shop.inbound.is_empty();
    if body.auto_push == Some(true) && !shop.shop.settings.auto_push {
        return Err(ApiError::new(
            ProblemCode::AutoPushOff,
            format!("{destination} pushes nothing by itself, so a connection cannot"),
            format!("switch it on for the store first: PUT /v1/shops/{destination}/settings"),
        ));
    }
    let known = shop.connection(&source);
    let now = Timestamp::now();
    let settings = connection_settings(&body, known.map(|it| &it.settings), now)?;
    let is_new = known.is_none();
    let prices = |it: &ConnectionSettings| (it.unit_price, it.exchange_rate, it.inventory);
    let are_new = known.is_some_and(|known| prices(&known.settings) != prices(&settings));
    let wish = (shop.shop.settings.auto_push && are_new)
        .then(|| resync::wish(&request, &operator, (Occasion::Settings, MAX_LOOKBACK_DAYS)));
    promise(&api, &destination, wish.as_ref()).await?;
    let connection = match known {
        Some(known) if known.settings == settings => known.clone(),
        known => {
            let settings_change = known.map(|it| it.settings_change.clone()).unwrap_or_default();
            let settings_change = settings_change.next(now, &operator.name);
            let connection = Connection { destination, source, settings, settings_change };
            api.ledger.put_connection(&connection).await.map_err(changed_meanwhile)?;
            tracing::info!(
                shop.domain = connection.destination.as_str(),
                source.domain = connection.source.as_str(),
                settings.version = connection.settings_change.version,
                actor = operator.name,
                "connection written"
            );
            connection
        }
    };
    // A shop that is not connected itself yet is read when it is.
    if shop.shop.settings.order_sync && !kept_orders {
        read_from_now_on(&api.ledger, &api.tasks, &connection.destination, now).await?;
    }
    if !was_source {
        read_from_now_on(&api.ledger, &api.tasks, &connection.source, now).await?;
    }
    // If an earlier request had no answer, its runs may not have been asked for.
    for shop in [&connection.destination, &connection.source] {
        first_run(&api.ledger, &api.tasks, shop, now).await?;
    }
    if let Some(wish) = wish {
        resync::ask(&api, &connection.destination, &wish).await?;
    }
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(ConnectionAnswer { connection })))
}

/// The settings `known` with what was given; `None`: of a new connection.
fn connection_settings(
    given: &PutConnection,
    known: Option<&ConnectionSettings>,
    now: Timestamp,
) -> Result<ConnectionSettings, ApiError> {
    let before = known.cloned().unwrap_or_default();
    let settings = ConnectionSettings {
        auto_push: given.auto_push.unwrap_or(before.auto_push),
        auto_push_since: before.auto_push_since,
        notify_customer: given.notify_customer.unwrap_or(before.notify_customer),
        unit_price: given.unit_price.unwrap_or(before.unit_price),
        exchange_rate: given.exchange_rate.unwrap_or(before.exchange_rate),
        inventory: given.inventory.unwrap_or(before.inventory),
        grace_secs: given.grace_secs.unwrap_or(before.grace_secs),
        without_tracking: given.without_tracking.unwrap_or(before.without_tracking),
        overwrite_tracking: given.overwrite_tracking.unwrap_or(before.overwrite_tracking),
        split_ok: given.split_ok.unwrap_or(before.split_ok),
        cancel_source: given.cancel_source.unwrap_or(before.cancel_source),
    };
    if settings.exchange_rate.is_some_and(|rate| rate <= Decimal::ZERO) {
        let text = "it must be more than 0: so much of the source store's currency for one of the destination's";
        return Err(ApiError::unprocessable("exchange_rate", text));
    }
    if let UnitPrice::Percentage(percent) = settings.unit_price
        && !(Decimal::ZERO..=Decimal::ONE_THOUSAND).contains(&percent)
    {
        return Err(ApiError::unprocessable("unit_price.percentage", format!("{percent} %: give 0 to 1000")));
    }
    // What was placed before there was a connection waits for a person as well.
    let switched_on = settings.auto_push && !known.is_some_and(|known| known.auto_push);
    Ok(if switched_on { ConnectionSettings { auto_push_since: whole_second(now), ..settings } } else { settings })
}

/// All versions of a store's settings and of those of its connections, newest first.
#[utoipa::path(get, path = "/v1/shops/{shop}/settings/versions", tag = "settings", params(ShopPath),
    responses((status = 200, body = VersionsAnswer)))]
pub(super) async fn versions(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(ShopPath { shop }): Path<ShopPath>,
) -> Answer<VersionsAnswer> {
    registered(&api, &shop).await?;
    let versions = api.ledger.settings_versions(&shop).await?;
    Ok((StatusCode::OK, Json(VersionsAnswer { shop, versions })))
}

fn changed_meanwhile(error: LedgerError) -> ApiError {
    match error {
        LedgerError::Conflict => ApiError::new(
            ProblemCode::SettingsChanged,
            "somebody else has changed these settings at the same time",
            "look at them, and repeat the request",
        ),
        other => other.into(),
    }
}
