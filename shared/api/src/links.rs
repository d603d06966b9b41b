//! Product links: which source variant is shipped for which destination variant.

use roundtrip_domain::id::{ShopDomain, VariantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/links`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutLinks {
    pub destination: ShopDomain,
    pub source: ShopDomain,
    #[schema(min_items = 1, max_items = 1000)]
    pub links: Vec<VariantPair>,
}

/// A destination variant and the source variant that is shipped for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantPair {
    pub destination_variant: VariantId,
    pub source_variant: VariantId,
}

/// What was linked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LinksAnswer {
    pub linked: usize,
}
