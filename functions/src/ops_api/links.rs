//! Product links: given in pairs, matched page by page, listed, taken away.

pub(super) mod given;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::links::{
    AmbiguousRow, Candidate, LinkRemoved, LinkedRow, LinksAnswer, ListedLink, MatchAnswer, MissingRow, PostMatch,
    WhyMissing,
};
use roundtrip_api::problem::ProblemCode;
use roundtrip_domain::Unfinished;
use roundtrip_domain::channel::ChannelError;
use roundtrip_domain::id::{ShopDomain, VariantId};
use roundtrip_domain::links::{
    self, Ambiguous, LinksAsked, MatchError, MatchRequest, Matched, Missing, Variant, match_page, write_links,
};
use roundtrip_domain::ports::{LedgerError, Registry};
use roundtrip_domain::registry::{ConnectedShop, LinkChange, ProductLink};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path, Query, page_limit};
use super::request::RequestId;
use super::shops::registered;
use crate::compose::Api;

/// More than anybody chooses from: a value that stands for none is on all of them.
const MAX_CANDIDATES: usize = 10;
const DEFAULT_LIMIT: u16 = 100;

/// Links one page of the destination's variants to those source variants that alone carry the same SKU or barcode, and
/// reports the others: nothing is guessed.
#[utoipa::path(post, path = "/v1/links/match", tag = "product links", request_body = PostMatch,
    responses((status = 200, body = MatchAnswer)))]
pub(super) async fn match_one_page(
    operator: Operator,
    State(api): State<Arc<Api>>,
    request: RequestId,
    Json(PostMatch { destination, source, by, after, dry_run }): Json<PostMatch>,
) -> Answer<MatchAnswer> {
    if after.as_deref().is_some_and(|cursor| !is_cursor(cursor)) {
        return Err(no_cursor());
    }
    let shop = connected(&api, &destination, &source).await?;
    let asked = MatchRequest { destination, source, by, after };
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
    let run_id = if dry_run { None } else { write(&api, &shop, &plan.changes, (request, &operator)).await? };
    tracing::info!(
        shop.domain = asked.destination.as_str(),
        source.domain = asked.source.as_str(),
        linked = plan.report.linked.len(),
        ambiguous = plan.report.ambiguous.len(),
        missing = plan.report.missing.len(),
        kept = plan.kept,
        written = if dry_run { 0 } else { plan.changes.len() },
        actor = operator.name,
        "variants matched"
    );
    let answer = MatchAnswer {
        linked: plan.report.linked.into_iter().map(linked).collect(),
        ambiguous: plan.report.ambiguous.into_iter().map(ambiguous).collect(),
        missing: plan.report.missing.into_iter().map(missing).collect(),
        kept: plan.kept,
        next: page.next,
        dry_run,
        run_id,
    };
    Ok((StatusCode::OK, Json(answer)))
}

fn linked(it: Matched) -> LinkedRow {
    LinkedRow {
        destination_variant: it.destination.id,
        title: it.destination.title,
        value: it.value,
        source_variant: it.source.id,
        source_title: it.source.title,
    }
}

fn ambiguous(it: Ambiguous) -> AmbiguousRow {
    let source_variants = it.sources.iter().take(MAX_CANDIDATES).map(candidate).collect();
    let Variant { id: destination_variant, title, .. } = it.destination;
    AmbiguousRow { destination_variant, title, value: it.value, source_variants }
}

fn missing(it: Missing) -> MissingRow {
    let (why, value) = match it.why {
        links::WhyMissing::NoValue => (WhyMissing::NoValue, None),
        links::WhyMissing::NotAtSource { value } => (WhyMissing::NotAtSource, Some(value)),
    };
    MissingRow { destination_variant: it.destination.id, title: it.destination.title, value, why }
}

/// A variant that may be meant.
fn candidate(variant: &Variant) -> Candidate {
    Candidate { id: variant.id, product: variant.product, title: variant.title.clone() }
}

/// Shopify's are base64; what else they may be, it does not say.
fn is_cursor(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    (1..=1000).contains(&text.len()) && text.bytes().all(plain)
}

fn no_cursor() -> ApiError {
    ApiError::field("after", "it is no cursor of this store's variants: give the `next` of the page before")
}

/// Which connection.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ConnectionPath {
    /// The store that sells.
    destination: ShopDomain,
    /// The store that holds the goods.
    source: ShopDomain,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only those in trouble.
    #[serde(default)]
    #[param(required = false)]
    trouble: bool,
    /// The `next` of the page before.
    after: Option<VariantId>,
    #[param(minimum = 1, maximum = 250, default = 100)]
    limit: Option<u16>,
}

/// The links of a connection, page by page: all, or those in trouble.
#[utoipa::path(get, path = "/v1/connections/{destination}/{source}/links", tag = "product links",
    params(ConnectionPath, ListQuery), responses((status = 200, body = LinksAnswer)))]
pub(super) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(ConnectionPath { destination, source }): Path<ConnectionPath>,
    Query(query): Query<ListQuery>,
) -> Answer<LinksAnswer> {
    let limit = page_limit(query.limit.unwrap_or(DEFAULT_LIMIT))?;
    connected(&api, &destination, &source).await?;
    let page = api.ledger.list_links(&destination, &source, (query.trouble, limit.into()), query.after).await?;
    Ok((StatusCode::OK, Json(LinksAnswer { links: page.links.into_iter().map(shown).collect(), next: page.next })))
}

fn shown(link: ProductLink) -> ListedLink {
    ListedLink {
        destination_variant: link.destination_variant,
        destination_product: link.destination_product,
        source_variant: link.source_variant,
        source_product: link.source_product,
        by: link.by,
        trouble: link.trouble,
    }
}

/// Which link.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct LinkPath {
    /// The store that sells.
    destination: ShopDomain,
    /// The store that holds the goods.
    source: ShopDomain,
    /// The destination's.
    variant: VariantId,
}

/// Takes a link away.
#[utoipa::path(delete, path = "/v1/connections/{destination}/{source}/links/{variant}", tag = "product links",
    params(LinkPath), responses((status = 200, body = LinkRemoved)))]
pub(super) async fn remove(
    operator: Operator,
    State(api): State<Arc<Api>>,
    request: RequestId,
    Path(LinkPath { destination, source, variant }): Path<LinkPath>,
) -> Answer<LinkRemoved> {
    let shop = connected(&api, &destination, &source).await?;
    let known = known(&api, &destination, &[variant]).await?;
    let Some(link) = known.get(&variant).filter(|link| link.source == source) else {
        let what = format!("variant {variant} of {destination} is not linked to {source}");
        let remedy = format!("its links: GET /v1/connections/{destination}/{source}/links");
        return Err(ApiError::not_found(what, remedy));
    };
    let change = LinkChange { before: Some(link.clone()), after: None };
    let run_id = write(&api, &shop, &[change], (request, &operator)).await?;
    tracing::info!(
        shop.domain = destination.as_str(),
        source.domain = source.as_str(),
        variant.id = %variant,
        actor = operator.name,
        "product link removed"
    );
    Ok((StatusCode::OK, Json(LinkRemoved { removed: shown(link.clone()), run_id })))
}

/// The destination, if it is connected with `source`.
async fn connected(api: &Api, destination: &ShopDomain, source: &ShopDomain) -> Result<ConnectedShop, ApiError> {
    let shop = registered(api, destination).await?;
    if shop.connection(source).is_none() {
        return Err(ApiError::new(
            ProblemCode::NotConnected,
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
    (RequestId(id), operator): (RequestId, &Operator),
) -> Result<Option<String>, ApiError> {
    let asked = LinksAsked { id, by: operator.name.clone(), at: Timestamp::now() };
    write_links(&api.ledger, &api.tasks, destination, changes, asked).await.map_err(|error| match error {
        Unfinished::Ledger(LedgerError::Conflict) => ApiError::new(
            ProblemCode::LinksChanged,
            "somebody else has changed one of these links at the same time",
            "repeat the request: what is linked already stays as it is",
        ),
        other => other.into(),
    })
}
