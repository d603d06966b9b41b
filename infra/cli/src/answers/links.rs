//! What the API answers about product links.

use roundtrip_domain::id::VariantId;
use roundtrip_domain::registry::{LinkTroubleCode, LinkedBy};
use serde::{Deserialize, Serialize};

/// `POST /v1/links`.
#[derive(Debug, Deserialize)]
pub(crate) struct LinkAnswer {
    pub(crate) linked: usize,
    #[serde(default)]
    pub(crate) ambiguous: Vec<UnresolvedRow>,
    #[serde(default)]
    pub(crate) missing: Vec<UnresolvedRow>,
}

/// A pair that does not mean one variant on each side.
#[derive(Debug, Deserialize)]
pub(crate) struct UnresolvedRow {
    pub(crate) row: usize,
    pub(crate) field: String,
    pub(crate) shop: String,
    pub(crate) value: String,
    #[serde(default)]
    pub(crate) variants: Vec<Candidate>,
}

/// A variant that may be meant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Candidate {
    pub(crate) id: VariantId,
    pub(crate) title: String,
}

/// `POST /v1/links/match`: one page.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct MatchAnswer {
    pub(crate) linked: Vec<LinkedRow>,
    pub(crate) ambiguous: Vec<AmbiguousRow>,
    pub(crate) missing: Vec<MissingRow>,
    pub(crate) kept: usize,
    pub(crate) next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LinkedRow {
    pub(crate) destination_variant: VariantId,
    pub(crate) title: String,
    pub(crate) value: String,
    pub(crate) source_variant: VariantId,
    pub(crate) source_title: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AmbiguousRow {
    pub(crate) destination_variant: VariantId,
    pub(crate) title: String,
    pub(crate) value: String,
    pub(crate) source_variants: Vec<Candidate>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MissingRow {
    pub(crate) destination_variant: VariantId,
    pub(crate) title: String,
    pub(crate) value: Option<String>,
}

/// `GET /v1/connections/{destination}/{source}/links`: one page.
#[derive(Debug, Deserialize)]
pub(crate) struct LinksAnswer {
    pub(crate) links: Vec<ListedLink>,
    pub(crate) next: Option<VariantId>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListedLink {
    pub(crate) destination_variant: VariantId,
    pub(crate) source_variant: VariantId,
    pub(crate) by: LinkedBy,
    pub(crate) trouble: Option<ListedTrouble>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListedTrouble {
    pub(crate) code: LinkTroubleCode,
    pub(crate) detail: String,
}
