//! Matching variants by what they carry: linked where one of the source carries it, never guessed where none or several do.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Variant;
use super::judge::{Finding, judge_among};
use crate::channel::{Channel, ChannelError};
use crate::id::{ShopDomain, VariantId};
use crate::ports::{LedgerError, Registry};
use crate::registry::{LinkChange, LinkedBy, MatchBy, ProductLink};

/// What came of matching.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub linked: Vec<Matched>,
    pub ambiguous: Vec<Ambiguous>,
    pub missing: Vec<Missing>,
}

/// One variant of the source carries what the destination's does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    pub destination: Variant,
    pub source: Variant,
    pub value: String,
}

/// Several do: a person has to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguous {
    pub destination: Variant,
    pub value: String,
    pub sources: Vec<Variant>,
}

/// None does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub destination: Variant,
    pub why: WhyMissing,
}

/// Why a variant has no match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyMissing {
    /// It carries nothing to go by.
    NoValue,
    NotAtSource {
        value: String,
    },
}

/// Ties each destination variant to the one source variant that carries the same. Compared as it is written, but for
/// blanks around it.
#[must_use]
pub fn match_variants(destination: &[Variant], source: &[Variant], by: MatchBy) -> Report {
    let mut carriers: BTreeMap<&str, BTreeMap<VariantId, &Variant>> = BTreeMap::new();
    for variant in source {
        if let Some(value) = variant.value(by) {
            carriers.entry(value).or_default().insert(variant.id, variant);
        }
    }
    let mut report = Report::default();
    for destination in destination.iter().cloned() {
        let Some(value) = destination.value(by).map(ToOwned::to_owned) else {
            report.missing.push(Missing { destination, why: WhyMissing::NoValue });
            continue;
        };
        let sources: Vec<&Variant> =
            carriers.get(value.as_str()).into_iter().flat_map(|found| found.values().copied()).collect();
        match sources.as_slice() {
            [] => report.missing.push(Missing { destination, why: WhyMissing::NotAtSource { value } }),
            [source] => report.linked.push(Matched { destination, source: (*source).clone(), value }),
            several => {
                let sources = several.iter().map(|variant| (*variant).clone()).collect();
                report.ambiguous.push(Ambiguous { destination, value, sources });
            }
        }
    }
    report
}

/// What is to be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRequest {
    pub destination: ShopDomain,
    pub source: ShopDomain,
    pub by: MatchBy,
    /// Where the page of the destination's variants begins.
    pub after: Option<String>,
}

/// What a match reports, and what of it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchPlan {
    pub report: Report,
    /// Variants whose link a person chose, or that another source store ships: left as they are.
    pub kept: usize,
    pub changes: Vec<LinkChange>,
}

/// Decides what a match does to the links that are `known`. One that goes by a value which several source variants, or
/// none, are found to carry keeps its variants and is in trouble. One that a person chose always keeps them, and is judged.
#[must_use]
pub fn plan_match(
    asked: &MatchRequest,
    destination: &[Variant],
    source: &[Variant],
    known: &BTreeMap<VariantId, ProductLink>,
    now: Timestamp,
) -> MatchPlan {
    let by = asked.by;
    let (kept, open): (Vec<&Variant>, Vec<&Variant>) =
        destination.iter().partition(|variant| known.get(&variant.id).is_some_and(|link| is_kept(asked, link)));
    let open: Vec<Variant> = open.into_iter().cloned().collect();
    let report = match_variants(&open, source, by);

    let linked = report.linked.iter().map(|Matched { destination, source, value }| {
        let link = ProductLink {
            destination_product: Some(destination.product),
            source_product: Some(source.product),
            by: LinkedBy::Matched { by, value: value.clone() },
            ..ProductLink::given((asked.destination.clone(), destination.id), (asked.source.clone(), source.id))
        };
        LinkChange { before: known.get(&destination.id).cloned(), after: Some(link) }
    });
    // A link by another value than the destination's variant carries now is still right as long as its source says so.
    let troubled = |variant: &Variant, value: &str, finding: Finding| {
        let before = known.get(&variant.id).filter(|link| link.by.value() == Some((by, value)))?;
        let trouble = Some(finding.since(before.trouble.as_ref(), now));
        Some(LinkChange { before: Some(before.clone()), after: Some(ProductLink { trouble, ..before.clone() }) })
    };
    let doubled = report.ambiguous.iter().filter_map(|Ambiguous { destination, value, sources }| {
        let linked_to = known.get(&destination.id)?.source_variant;
        let (own, others): (Vec<&Variant>, Vec<&Variant>) = sources.iter().partition(|variant| variant.id == linked_to);
        // Its own variant lost the value: that others drop it, too, does not give it back.
        let finding = match own.is_empty() {
            true => Finding::not_found(format!("variant {linked_to} does not carry the {by} `{value}` any more")),
            false => Finding::duplicate(by, value, &others),
        };
        troubled(destination, value, finding)
    });
    let lost = report.missing.iter().filter_map(|Missing { destination, why }| match why {
        WhyMissing::NoValue => None,
        WhyMissing::NotAtSource { value } => troubled(destination, value, Finding::nobody_carries(by, value)),
    });
    let chosen = kept.iter().filter_map(|variant| {
        let before = known.get(&variant.id).filter(|link| is_looked_at(asked, link))?;
        let trouble = judge_among(before, source).map(|finding| finding.since(before.trouble.as_ref(), now));
        Some(LinkChange { before: Some(before.clone()), after: Some(ProductLink { trouble, ..before.clone() }) })
    });
    let is_change = |change: &LinkChange| match (&change.before, &change.after) {
        (Some(before), Some(after)) => !before.is_same(after),
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    };
    let changes = linked.chain(doubled).chain(lost).chain(chosen).filter(is_change).collect();
    MatchPlan { report, kept: kept.len(), changes }
}

/// Whether a match leaves a link as it is.
fn is_kept(asked: &MatchRequest, link: &ProductLink) -> bool {
    link.by.is_chosen() || link.source != asked.source
}

/// Whether a match can tell how a link that a person chose stands: not by a value that it does not search for.
fn is_looked_at(asked: &MatchRequest, link: &ProductLink) -> bool {
    link.source == asked.source && link.by.is_chosen() && link.by.value().is_none_or(|(by, _)| by == asked.by)
}

/// One page of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchPage {
    pub plan: MatchPlan,
    /// Where the next page begins; `None`: this was the last one.
    pub next: Option<String>,
}

/// Why a page could not be matched.
#[derive(Debug, thiserror::Error)]
pub enum MatchError {
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Reads a page of the destination's variants, and what the source has for them. Writes nothing.
///
/// # Errors
/// A shop or the ledger does not answer; nothing was changed.
pub async fn match_page(
    registry: &impl Registry,
    channel: &impl Channel,
    asked: &MatchRequest,
    now: Timestamp,
) -> Result<MatchPage, MatchError> {
    let page = channel.variants(&asked.destination, asked.after.as_deref()).await?;
    let ids: Vec<VariantId> = page.variants.iter().map(|variant| variant.id).collect();
    let known = registry.links(&asked.destination, &ids, &[]).await?.by_variant;
    let is_kept = |variant: &&Variant| known.get(&variant.id).is_some_and(|link| is_kept(asked, link));
    let chosen: Vec<&ProductLink> = known.values().filter(|link| is_looked_at(asked, link)).collect();
    let named = chosen.iter().filter_map(|link| link.by.value()).map(|(_, value)| value);
    let carried = page.variants.iter().filter(|it| !is_kept(it)).filter_map(|variant| variant.value(asked.by));
    let values: BTreeSet<&str> = carried.chain(named).collect();
    let values: Vec<String> = values.into_iter().map(ToOwned::to_owned).collect();
    let mut source = channel.variants_by(&asked.source, asked.by, &values).await?;
    // The search is a moment behind: before a link loses its variant, that is asked for itself.
    let matched = known.values().filter(|link| link.source == asked.source && !link.by.is_chosen());
    let missed = matched.filter(|link| source.iter().all(|variant| variant.id != link.source_variant));
    let asked_for: BTreeSet<VariantId> = missed.chain(chosen).map(|link| link.source_variant).collect();
    if !asked_for.is_empty() {
        let ids: Vec<VariantId> = asked_for.iter().copied().collect();
        source.retain(|variant| !asked_for.contains(&variant.id));
        source.extend(channel.variants_of(&asked.source, &ids).await?);
    }
    Ok(MatchPage { plan: plan_match(asked, &page.variants, &source, &known, now), next: page.next })
}

#[cfg(test)]
mod tests;
