//! Product links: given in pairs, matched page by page, listed, taken away.

mod given;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_domain::Unfinished;
use roundtrip_domain::channel::ChannelError;
use roundtrip_domain::id::{ShopDomain, VariantId};
use roundtrip_domain::links::{
    Ambiguous, LinksAsked, MatchError, MatchRequest, Matched, Missing, Report, Variant, WhyMissing, match_page,
    write_links,
};
use roundtrip_domain::ports::{LedgerError, Registry};
use roundtrip_domain::registry::{ConnectedShop, LinkChange, MatchBy, ProductLink};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::Operator;
use super::error::{ApiError, parsed};
use super::shops::{Answer, Body, registered};
use crate::compose::Api;

pub(super) use given::link;

const DEFAULT_LIMIT: u16 = 100;
const MAX_LIMIT: u16 = 250;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PostMatch {
    destination: String,
    source: String,
    by: MatchBy,
    #[serde(default)]
    after: Option<String>,
    /// Only say what would be linked.
    #[serde(default)]
    dry_run: bool,
}

/// Links one page of the destination's variants to those source variants that alone carry the same.
pub(super) async fn match_one_page(operator: Operator, State(api): State<Arc<Api>>, body: Body<PostMatch>) -> Answer {
    let Json(body) = body?;
    let destination: ShopDomain = parsed("destination", &body.destination)?;
    let source: ShopDomain = parsed("source", &body.source)?;
    if body.after.as_deref().is_some_and(|cursor| !is_cursor(cursor)) {
        return Err(no_cursor());
    }
    let shop = connected(&api, &destination, &source).await?;
    let asked = MatchRequest { destination, source, by: body.by, after: body.after };
    let page = match_page(&api.ledger, &api.channel, &asked, Timestamp::now()).await.map_err(|error| match error {
        MatchError::Channel(ChannelError::NoAnswer { message, .. } | ChannelError::Refused { message, .. })
            if asked.after.is_some() && message.to_lowercase().contains("cursor") =>
        {
            no_cursor()
        }
        MatchError::Channel(error) => error.into(),
        MatchError::Ledger(error) => error.into(),
    })?;
    let plan = page.plan;
    let run_id = if body.dry_run { None } else { write(&api, &shop, &plan.changes, &operator).await? };
    tracing::info!(
        shop.domain = asked.destination.as_str(),
        source.domain = asked.source.as_str(),
        linked = plan.report.linked.len(),
        ambiguous = plan.report.ambiguous.len(),
        missing = plan.report.missing.len(),
        kept = plan.kept,
        written = if body.dry_run { 0 } else { plan.changes.len() },
        actor = operator.name,
        "variants matched"
    );
    let mut answer = report(&plan.report);
    answer["kept"] = json!(plan.kept);
    answer["next"] = json!(page.next);
    answer["dry_run"] = json!(body.dry_run);
    answer["run_id"] = json!(run_id);
    Ok((StatusCode::OK, Json(answer)))
}

fn report(report: &Report) -> Value {
    let linked = |it: &Matched| {
        json!({
            "destination_variant": it.destination.id, "title": it.destination.title, "value": it.value,
            "source_variant": it.source.id, "source_title": it.source.title,
        })
    };
    let ambiguous = |it: &Ambiguous| {
        json!({
            "destination_variant": it.destination.id, "title": it.destination.title, "value": it.value,
            "source_variants": it.sources.iter().map(candidate).collect::<Vec<_>>(),
        })
    };
    let missing = |it: &Missing| {
        let (why, value) = match &it.why {
            WhyMissing::NoValue => ("no_value", None),
            WhyMissing::NotAtSource { value } => ("not_at_source", Some(value)),
        };
        json!({ "destination_variant": it.destination.id, "title": it.destination.title, "value": value, "why": why })
    };
    json!({
        "linked": report.linked.iter().map(linked).collect::<Vec<_>>(),
        "ambiguous": report.ambiguous.iter().map(ambiguous).collect::<Vec<_>>(),
        "missing": report.missing.iter().map(missing).collect::<Vec<_>>(),
    })
}

/// A variant that may be meant.
fn candidate(variant: &Variant) -> Value {
    json!({ "id": variant.id, "product": variant.product, "title": variant.title })
}

/// Shopify's are base64; what else they may be, it does not say.
fn is_cursor(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    (1..=1000).contains(&text.len()) && text.bytes().all(plain)
}

fn no_cursor() -> ApiError {
    ApiError::field("after", "it is no cursor of this store's variants: give the `next` of the page before")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    #[serde(default)]
    trouble: bool,
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    limit: Option<u16>,
}

/// The links of a connection, page by page: all, or those in trouble.
pub(super) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path((destination, source)): Path<(String, String)>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let destination: ShopDomain = parsed("destination", &destination)?;
    let source: ShopDomain = parsed("source", &source)?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::field("limit", format!("{limit} is out of range: give 1 to {MAX_LIMIT}")));
    }
    let after: Option<VariantId> = query.after.as_deref().map(|after| parsed("after", after)).transpose()?;
    connected(&api, &destination, &source).await?;
    let page = api.ledger.list_links(&destination, &source, (query.trouble, limit.into()), after).await?;
    let links: Vec<Value> = page.links.iter().map(shown).collect();
    Ok((StatusCode::OK, Json(json!({ "links": links, "next": page.next }))))
}

fn shown(link: &ProductLink) -> Value {
    json!({
        "destination_variant": link.destination_variant,
        "destination_product": link.destination_product,
        "source_variant": link.source_variant,
        "source_product": link.source_product,
        "by": link.by,
        "trouble": link.trouble.as_ref().map(|it| json!({ "code": it.code, "at": it.at, "detail": it.detail })),
    })
}

/// Takes a link away.
pub(super) async fn remove(
    operator: Operator,
    State(api): State<Arc<Api>>,
    Path((destination, source, variant)): Path<(String, String, String)>,
) -> Answer {
    let destination: ShopDomain = parsed("destination", &destination)?;
    let source: ShopDomain = parsed("source", &source)?;
    let variant: VariantId = parsed("variant", &variant)?;
    let shop = connected(&api, &destination, &source).await?;
    let known = known(&api, &destination, &[variant]).await?;
    let Some(link) = known.get(&variant).filter(|link| link.source == source) else {
        let what = format!("variant {variant} of {destination} is not linked to {source}");
        let remedy = format!("its links: GET /v1/connections/{destination}/{source}/links");
        return Err(ApiError::not_found(what, remedy));
    };
    let change = LinkChange { before: Some(link.clone()), after: None };
    let run_id = write(&api, &shop, &[change], &operator).await?;
    tracing::info!(
        shop.domain = destination.as_str(),
        source.domain = source.as_str(),
        variant.id = %variant,
        actor = operator.name,
        "product link removed"
    );
    Ok((StatusCode::OK, Json(json!({ "removed": shown(link), "run_id": run_id }))))
}

/// The destination, if it is connected with `source`.
async fn connected(api: &Api, destination: &ShopDomain, source: &ShopDomain) -> Result<ConnectedShop, ApiError> {
    let shop = registered(api, destination).await?;
    if shop.connection(source).is_none() {
        return Err(ApiError::conflict(
            "NOT_CONNECTED",
            format!("{destination} and {source} are not connected"),
            "connect them first: POST /v1/connections",
        ));
    }
    Ok(shop)
}

/// The links of these variants.
async fn known(
    api: &Api,
    destination: &ShopDomain,
    variants: &[VariantId],
) -> Result<BTreeMap<VariantId, ProductLink>, ApiError> {
    Ok(api.ledger.links(destination, variants, &[]).await?.by_variant)
}

/// Writes links and has the orders looked at that wait for them; the run's id, if there is one.
async fn write(
    api: &Api,
    destination: &ConnectedShop,
    changes: &[LinkChange],
    operator: &Operator,
) -> Result<Option<String>, ApiError> {
    let asked = LinksAsked { id: Uuid::now_v7().to_string(), by: operator.name.clone(), at: Timestamp::now() };
    write_links(&api.ledger, &api.tasks, destination, changes, asked).await.map_err(|error| match error {
        Unfinished::Ledger(LedgerError::Conflict) => ApiError::conflict(
            "LINKS_CHANGED",
            "somebody else has changed one of these links at the same time",
            "repeat the request: what is linked already stays as it is",
        ),
        other => other.into(),
    })
}
