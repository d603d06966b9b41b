//! Pairs as a person gives them, by id or by SKU, and the variants that they mean.

use std::collections::{BTreeMap, BTreeSet};

use super::Variant;
use crate::channel::{Channel, ChannelError};
use crate::id::{ShopDomain, VariantId};
use crate::registry::{LinkedBy, MatchBy, ProductLink};

/// One side of a pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Id(VariantId),
    /// Without blanks around it.
    Sku(String),
}

/// A destination variant and the source variant that is to be shipped for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub destination: Side,
    pub source: Side,
}

/// What pairs mean, by their position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    pub resolved: Vec<(usize, Resolved)>,
    pub unresolved: Vec<(usize, Unresolved)>,
}

/// Both variants of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    pub link: ProductLink,
    pub destination: Variant,
    pub source: Variant,
}

/// A side that does not mean one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    pub shop: ShopDomain,
    pub is_destination: bool,
    pub side: Side,
    /// None: no variant is meant. Several: a person has to choose.
    pub candidates: Vec<Variant>,
}

/// Asks both shops for the variants that the pairs mean; none is ever guessed.
///
/// # Errors
/// A shop does not answer.
pub async fn resolve(
    channel: &impl Channel,
    destination: &ShopDomain,
    source: &ShopDomain,
    pairs: &[Pair],
) -> Result<Resolution, ChannelError> {
    let sold = Catalog::read(channel, destination, pairs.iter().map(|pair| &pair.destination)).await?;
    let held = Catalog::read(channel, source, pairs.iter().map(|pair| &pair.source)).await?;
    let mut resolution = Resolution::default();
    for (n, pair) in pairs.iter().enumerate() {
        let found = (sold.find(&pair.destination), held.find(&pair.source));
        let unresolved = |shop: &ShopDomain, is_destination, side: &Side, candidates: &[&Variant]| Unresolved {
            shop: shop.clone(),
            is_destination,
            side: side.clone(),
            candidates: candidates.iter().map(|variant| (*variant).clone()).collect(),
        };
        match (found.0.as_slice(), found.1.as_slice()) {
            ([sold], [held]) => {
                let by = match &pair.source {
                    Side::Id(_) => LinkedBy::Given,
                    Side::Sku(sku) => LinkedBy::Named { sku: sku.clone() },
                };
                let link = ProductLink {
                    destination_product: Some(sold.product),
                    source_product: Some(held.product),
                    by,
                    ..ProductLink::given((destination.clone(), sold.id), (source.clone(), held.id))
                };
                let resolved = Resolved { link, destination: (*sold).clone(), source: (*held).clone() };
                resolution.resolved.push((n, resolved));
            }
            ([_], several) => {
                resolution.unresolved.push((n, unresolved(source, false, &pair.source, several)));
            }
            (several, _) => {
                resolution.unresolved.push((n, unresolved(destination, true, &pair.destination, several)));
            }
        }
    }
    Ok(resolution)
}

/// The variants of a shop that somebody asks for.
struct Catalog {
    by_id: BTreeMap<VariantId, Variant>,
}

impl Catalog {
    async fn read(
        channel: &impl Channel,
        shop: &ShopDomain,
        sides: impl Iterator<Item = &Side>,
    ) -> Result<Self, ChannelError> {
        let (mut ids, mut skus) = (BTreeSet::new(), BTreeSet::new());
        for side in sides {
            match side {
                Side::Id(id) => {
                    ids.insert(*id);
                }
                Side::Sku(sku) => {
                    skus.insert(sku.clone());
                }
            }
        }
        let (ids, skus): (Vec<VariantId>, Vec<String>) = (ids.into_iter().collect(), skus.into_iter().collect());
        let mut found = Vec::new();
        if !ids.is_empty() {
            found.extend(channel.variants_of(shop, &ids).await?);
        }
        if !skus.is_empty() {
            found.extend(channel.variants_by(shop, MatchBy::Sku, &skus).await?);
        }
        Ok(Self { by_id: found.into_iter().map(|variant| (variant.id, variant)).collect() })
    }

    fn find(&self, side: &Side) -> Vec<&Variant> {
        match side {
            Side::Id(id) => self.by_id.get(id).into_iter().collect(),
            Side::Sku(sku) => {
                let carries = |variant: &&Variant| variant.value(MatchBy::Sku) == Some(sku.as_str());
                self.by_id.values().filter(carries).collect()
            }
        }
    }
}
