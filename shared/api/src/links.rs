//! Product links: which source variant is shipped for which destination variant.

use roundtrip_domain::id::{ProductId, ShopDomain, VariantId};
use roundtrip_domain::registry::{LinkTrouble, LinkedBy, MatchBy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/links`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutLinks {
    pub destination: ShopDomain,
    pub source: ShopDomain,
    #[schema(min_items = 1, max_items = 250)]
    pub links: Vec<PutLink>,
}

/// Two variants, each by its id or by its SKU.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutLink {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_variant: Option<VariantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 255)]
    pub destination_sku: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_variant: Option<VariantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 255)]
    pub source_sku: Option<String>,
}

/// What came of the pairs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LinksPut {
    /// How many are linked as was asked for, whether they were before or not.
    pub linked: usize,
    /// SKUs that several variants carry.
    #[serde(default)]
    pub ambiguous: Vec<UnresolvedRow>,
    /// SKUs that no variant carries.
    #[serde(default)]
    pub missing: Vec<UnresolvedRow>,
    /// The run over the destination's orders that wait for these links.
    #[serde(default)]
    pub run_id: Option<String>,
}

/// A pair that does not mean one variant on each side.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UnresolvedRow {
    /// From 1 on.
    pub row: usize,
    /// `destination_sku` or `source_sku`.
    pub field: String,
    pub shop: ShopDomain,
    pub value: String,
    /// Those that carry it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Candidate>,
}

/// A variant that may be meant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Candidate {
    pub id: VariantId,
    pub product: ProductId,
    pub title: String,
}

/// `POST /v1/links/match`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostMatch {
    pub destination: ShopDomain,
    pub source: ShopDomain,
    pub by: MatchBy,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only say what would be linked.
    #[serde(default)]
    pub dry_run: bool,
}

/// What came of one page of the destination's variants.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct MatchAnswer {
    pub linked: Vec<LinkedRow>,
    pub ambiguous: Vec<AmbiguousRow>,
    pub missing: Vec<MissingRow>,
    /// Links that a person chose: no match puts another in their place.
    pub kept: usize,
    /// Where the next page starts. `null`: this was the last.
    pub next: Option<String>,
    pub dry_run: bool,
    /// The run over the destination's orders that wait for these links.
    #[serde(default)]
    pub run_id: Option<String>,
}

/// One source variant alone carries the same.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LinkedRow {
    pub destination_variant: VariantId,
    pub title: String,
    pub value: String,
    pub source_variant: VariantId,
    pub source_title: String,
}

/// Several source variants carry the same: none is linked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AmbiguousRow {
    pub destination_variant: VariantId,
    pub title: String,
    pub value: String,
    /// Ten of them at most.
    pub source_variants: Vec<Candidate>,
}

/// No source variant carries the same.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MissingRow {
    pub destination_variant: VariantId,
    pub title: String,
    /// `null`: the variant carries none itself.
    pub value: Option<String>,
    pub why: WhyMissing,
}

/// Why a variant has no counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyMissing {
    NoValue,
    NotAtSource,
}

/// `GET /v1/connections/{destination}/{source}/links`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LinksAnswer {
    pub links: Vec<ListedLink>,
    /// Where the next page starts: its `after`. `null`: this was the last.
    pub next: Option<VariantId>,
}

/// A link in a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ListedLink {
    pub destination_variant: VariantId,
    #[serde(default)]
    pub destination_product: Option<ProductId>,
    pub source_variant: VariantId,
    #[serde(default)]
    pub source_product: Option<ProductId>,
    pub by: LinkedBy,
    /// Why nothing is pushed by it.
    pub trouble: Option<LinkTrouble>,
}

/// A link that was taken away.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LinkRemoved {
    pub removed: ListedLink,
    /// The run over the destination's orders that it was for.
    #[serde(default)]
    pub run_id: Option<String>,
}
