//! Links that a person gives, by ids or by SKUs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use roundtrip_api::links::{LinksPut, PutLink, PutLinks, UnresolvedRow};
use roundtrip_domain::id::VariantId;
use roundtrip_domain::links::{Pair, Resolution, Resolved, Side, Unresolved, resolve};
use roundtrip_domain::registry::LinkChange;

use super::{candidate, connected, known, write};
use crate::compose::Api;
use crate::ops_api::Answer;
use crate::ops_api::auth::Operator;
use crate::ops_api::error::ApiError;
use crate::ops_api::extract::Json;
use crate::ops_api::request::RequestId;

/// At most this many in one request: Shopify charges two points for each variant, and the smallest bucket holds a thousand.
const MAX_LINKS: usize = 250;
/// More than any SKU needs. What Shopify takes is documented nowhere.
const MAX_SKU: usize = 255;

/// Ties destination variants to the source variants that are shipped for them, each by its id or by its SKU.
#[utoipa::path(post, path = "/v1/links", tag = "product links", request_body = PutLinks, responses(
    (status = 201, body = LinksPut, description = "Some are linked."),
    (status = 200, body = LinksPut, description = "None is: no SKU means one variant."),
))]
pub(in crate::ops_api) async fn link(
    operator: Operator,
    State(api): State<Arc<Api>>,
    request: RequestId,
    Json(PutLinks { destination, source, links }): Json<PutLinks>,
) -> Answer<LinksPut> {
    if links.is_empty() || links.len() > MAX_LINKS {
        let text = format!("{} links in one request: send 1 to {MAX_LINKS}", links.len());
        return Err(ApiError::field("links", text));
    }
    let pairs: Result<Vec<Pair>, ApiError> = links.into_iter().enumerate().map(|(n, link)| pair(n, link)).collect();
    let pairs = pairs?;
    let shop = connected(&api, &destination, &source).await?;
    let resolution = resolve(&api.channel, &destination, &source, &pairs).await?;
    refuse_unknown_ids(&resolution)?;
    refuse_doubles(&resolution)?;
    let variants: Vec<VariantId> = resolution.resolved.iter().map(|(_, it)| it.link.destination_variant).collect();
    let mut known = known(&api, &destination, &variants).await?;
    let changes = resolution.resolved.iter().filter_map(|(_, Resolved { link, .. })| {
        let before = known.remove(&link.destination_variant);
        let is_new = before.as_ref().is_none_or(|before| !before.is_same(link));
        is_new.then(|| LinkChange { before, after: Some(link.clone()) })
    });
    let changes: Vec<LinkChange> = changes.collect();
    let run_id = write(&api, &shop, &changes, (request, &operator)).await?;
    tracing::info!(
        shop.domain = destination.as_str(),
        source.domain = source.as_str(),
        links = resolution.resolved.len(),
        unresolved = resolution.unresolved.len(),
        written = changes.len(),
        actor = operator.name,
        "product links written"
    );
    let status = if resolution.resolved.is_empty() { StatusCode::OK } else { StatusCode::CREATED };
    let (missing, ambiguous): (Vec<_>, Vec<_>) =
        resolution.unresolved.iter().partition(|(_, it)| it.candidates.is_empty());
    let answer = LinksPut {
        linked: resolution.resolved.len(),
        ambiguous: ambiguous.into_iter().map(unresolved).collect(),
        missing: missing.into_iter().map(unresolved).collect(),
        run_id,
    };
    Ok((status, Json(answer)))
}

fn unresolved((n, it): &(usize, Unresolved)) -> UnresolvedRow {
    let value = match &it.side {
        Side::Id(id) => id.to_string(),
        Side::Sku(sku) => sku.clone(),
    };
    let field = if it.is_destination { "destination_sku" } else { "source_sku" }.to_owned();
    let variants = it.candidates.iter().map(candidate).collect();
    UnresolvedRow { row: n + 1, field, shop: it.shop.clone(), value, variants }
}

/// Nothing is linked beside a mistake: an id is copied, and one that is wrong is seldom alone.
fn refuse_unknown_ids(resolution: &Resolution) -> Result<(), ApiError> {
    let unknown = resolution.unresolved.iter().find_map(|(n, it)| match it.side {
        Side::Id(id) => Some((n, it, id)),
        Side::Sku(_) => None,
    });
    let Some((n, it, id)) = unknown else { return Ok(()) };
    let side = if it.is_destination { "destination_variant" } else { "source_variant" };
    let text = format!("{} has no variant {id}: correct it, nothing was linked", it.shop);
    Err(ApiError::field(format!("links[{n}].{side}"), text))
}

fn refuse_doubles(resolution: &Resolution) -> Result<(), ApiError> {
    let mut seen: BTreeMap<VariantId, usize> = BTreeMap::new();
    for (n, Resolved { link, .. }) in &resolution.resolved {
        let variant = link.destination_variant;
        if let Some(before) = seen.insert(variant, *n) {
            let text = format!("{variant} stands in links[{before}] already: give each variant once");
            return Err(ApiError::field(format!("links[{n}].destination_variant"), text));
        }
    }
    Ok(())
}

fn pair(n: usize, link: PutLink) -> Result<Pair, ApiError> {
    let PutLink { destination_variant, destination_sku, source_variant, source_sku } = link;
    Ok(Pair {
        destination: side(&format!("links[{n}].destination"), destination_variant, destination_sku.as_deref())?,
        source: side(&format!("links[{n}].source"), source_variant, source_sku.as_deref())?,
    })
}

fn side(at: &str, id: Option<VariantId>, sku: Option<&str>) -> Result<Side, ApiError> {
    match (id, sku.map(str::trim)) {
        (Some(id), None) => Ok(Side::Id(id)),
        (None, Some("")) => Err(ApiError::field(format!("{at}_sku"), "it is empty: give a SKU, or the id")),
        (None, Some(sku)) if sku.chars().count() > MAX_SKU => {
            Err(ApiError::field(format!("{at}_sku"), format!("it is too long: give at most {MAX_SKU} characters")))
        }
        (None, Some(sku)) => Ok(Side::Sku(sku.to_owned())),
        (None, None) | (Some(_), Some(_)) => {
            let text = "both are given, or none: give either the variant's id or its SKU";
            Err(ApiError::field(format!("{at}_variant"), text))
        }
    }
}
