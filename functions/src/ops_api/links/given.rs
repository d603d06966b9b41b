//! Links that a person gives, by ids or by SKUs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use roundtrip_domain::id::{ShopDomain, VariantId};
use roundtrip_domain::links::{Pair, Resolution, Resolved, Side, Unresolved, resolve};
use roundtrip_domain::registry::LinkChange;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::auth::Operator;
use super::super::error::{ApiError, parsed};
use super::super::shops::{Answer, Body};
use super::{candidate, connected, known, write};
use crate::compose::Api;

/// At most this many in one request: Shopify charges two points for each variant, and the smallest bucket holds a thousand.
const MAX_LINKS: usize = 250;
/// More than any SKU needs. What Shopify takes is documented nowhere.
const MAX_SKU: usize = 255;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct PutLinks {
    destination: String,
    source: String,
    links: Vec<PairBody>,
}

/// Each side by its id or by its SKU.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairBody {
    #[serde(default)]
    destination_variant: Option<String>,
    #[serde(default)]
    destination_sku: Option<String>,
    #[serde(default)]
    source_variant: Option<String>,
    #[serde(default)]
    source_sku: Option<String>,
}

/// Ties destination variants to the source variants that are shipped for them.
pub(in super::super) async fn link(operator: Operator, State(api): State<Arc<Api>>, body: Body<PutLinks>) -> Answer {
    let Json(body) = body?;
    let destination: ShopDomain = parsed("destination", &body.destination)?;
    let source: ShopDomain = parsed("source", &body.source)?;
    if body.links.is_empty() || body.links.len() > MAX_LINKS {
        let text = format!("{} links in one request: send 1 to {MAX_LINKS}", body.links.len());
        return Err(ApiError::field("links", text));
    }
    let pairs: Result<Vec<Pair>, ApiError> = body.links.iter().enumerate().map(|(n, it)| it.pair(n)).collect();
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
    let run_id = write(&api, &shop, &changes, &operator).await?;
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
    Ok((
        status,
        Json(json!({
            "linked": resolution.resolved.len(),
            "ambiguous": ambiguous.into_iter().map(unresolved).collect::<Vec<_>>(),
            "missing": missing.into_iter().map(unresolved).collect::<Vec<_>>(),
            "run_id": run_id,
        })),
    ))
}

fn unresolved((n, it): &(usize, Unresolved)) -> Value {
    let sku = match &it.side {
        Side::Id(id) => id.to_string(),
        Side::Sku(sku) => sku.clone(),
    };
    let field = if it.is_destination { "destination_sku" } else { "source_sku" };
    let mut row = json!({ "row": n + 1, "field": field, "shop": it.shop, "value": sku });
    if !it.candidates.is_empty() {
        row["variants"] = it.candidates.iter().map(candidate).collect();
    }
    row
}

/// Nothing is linked beside a mistake: an id is copied, and one that is wrong is seldom alone.
fn refuse_unknown_ids(resolution: &Resolution) -> Result<(), ApiError> {
    let unknown = resolution.unresolved.iter().find_map(|(n, it)| match it.side {
        Side::Id(id) => Some((n, it, id)),
        Side::Sku(_) => None,
    });
    let Some((n, it, id)) = unknown else { return Ok(()) };
    let field = if it.is_destination { "links.destination_variant" } else { "links.source_variant" };
    Err(ApiError::field(
        field,
        format!("row {}, {} has no variant {id}: correct it, nothing was linked", n + 1, it.shop),
    ))
}

fn refuse_doubles(resolution: &Resolution) -> Result<(), ApiError> {
    let mut seen: BTreeMap<VariantId, usize> = BTreeMap::new();
    for (n, Resolved { link, .. }) in &resolution.resolved {
        let variant = link.destination_variant;
        if let Some(before) = seen.insert(variant, *n) {
            let text =
                format!("row {}, {variant} is linked in row {} already: give each variant once", n + 1, before + 1);
            return Err(ApiError::field("links.destination_variant", text));
        }
    }
    Ok(())
}

impl PairBody {
    fn pair(&self, n: usize) -> Result<Pair, ApiError> {
        Ok(Pair {
            destination: side(
                n,
                ("links.destination_variant", self.destination_variant.as_deref()),
                ("links.destination_sku", self.destination_sku.as_deref()),
            )?,
            source: side(
                n,
                ("links.source_variant", self.source_variant.as_deref()),
                ("links.source_sku", self.source_sku.as_deref()),
            )?,
        })
    }
}

fn side(
    n: usize,
    (id_field, id): (&'static str, Option<&str>),
    (sku_field, sku): (&'static str, Option<&str>),
) -> Result<Side, ApiError> {
    let row = n + 1;
    match (id, sku.map(str::trim)) {
        (Some(id), None) => {
            let id = id.parse().map_err(|error| ApiError::field(id_field, format!("row {row}, {error}")))?;
            Ok(Side::Id(id))
        }
        (None, Some("")) => Err(ApiError::field(sku_field, format!("row {row}, it is empty: give a SKU, or the id"))),
        (None, Some(sku)) if sku.chars().count() > MAX_SKU => {
            Err(ApiError::field(sku_field, format!("row {row}, it is too long: give at most {MAX_SKU} characters")))
        }
        (None, Some(sku)) => Ok(Side::Sku(sku.to_owned())),
        (None, None) | (Some(_), Some(_)) => Err(ApiError::field(
            id_field,
            format!("row {row}, give either the variant's id or its SKU: not both or none"),
        )),
    }
}
