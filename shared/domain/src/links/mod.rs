//! Product links: matched by SKU or barcode, never guessed, and looked after when a product changes.

mod judge;
mod matching;
mod resolve;
mod use_case;
mod wake;
mod watch;

use crate::id::{ProductId, VariantId};
use crate::registry::MatchBy;

pub use judge::{Finding, ProductSight, judge};
pub use matching::{
    Ambiguous, MatchError, MatchPage, MatchPlan, MatchRequest, Matched, Missing, Report, WhyMissing, match_page,
    match_variants, plan_match,
};
pub use resolve::{Pair, Resolution, Resolved, Side, Unresolved, resolve};
pub(crate) use use_case::look_at_product;
pub use wake::{LinksAsked, write_links};
pub use watch::Watch;

/// A variant as the channel shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub id: VariantId,
    pub product: ProductId,
    /// Product and variant, as a merchant reads them.
    pub title: String,
    pub sku: Option<String>,
    pub barcode: Option<String>,
}

impl Variant {
    /// What it carries, without blanks around it; `None`: nothing.
    #[must_use]
    pub fn value(&self, by: MatchBy) -> Option<&str> {
        let value = match by {
            MatchBy::Sku => &self.sku,
            MatchBy::Barcode => &self.barcode,
        };
        value.as_deref().map(str::trim).filter(|value| !value.is_empty())
    }
}
