//! Variants: a page of them, those that carry a value, those of a product.

use std::collections::BTreeMap;

use roundtrip_domain::channel::{ChannelError, VariantsPage};
use roundtrip_domain::id::{ProductId, ShopDomain, VariantId};
use roundtrip_domain::links::Variant;
use roundtrip_domain::ports::{Clock, Credentials};
use roundtrip_domain::registry::MatchBy;
use serde::Deserialize;
use serde_json::{Value, json};

use super::channel::{parse, unreadable};
use super::transport::ShopifyApi;
use super::wire::{HasId, Page};

const VARIANTS_PAGE: &str = include_str!("queries/variants_page.graphql");
const VARIANTS_BY_VALUE: &str = include_str!("queries/variants_by_value.graphql");
const VARIANTS_BY_ID: &str = include_str!("queries/variants_by_id.graphql");
const PRODUCT_VARIANTS: &str = include_str!("queries/product_variants.graphql");

/// Values of one search: most are carried by one variant, so that one page holds what it finds.
const VALUES_AT_ONCE: usize = 50;
/// A search of more may be cut off. What Shopify takes is documented nowhere.
const MAX_SEARCH_BYTES: usize = 2500;
/// A search that finds more pages than this finds something else than single variants, such as a value that stands for none.
const MAX_PAGES: usize = 4;
/// Ids of one question, of two points each.
const IDS_AT_ONCE: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VariantsData {
    product_variants: Page<VariantWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VariantWire {
    id: String,
    sku: Option<String>,
    barcode: Option<String>,
    display_name: String,
    product: HasId,
}

#[derive(Debug, Deserialize)]
struct NodesData {
    nodes: Vec<Option<Value>>,
}

#[derive(Debug, Deserialize)]
struct ProductData {
    product: Option<ProductWire>,
}

#[derive(Debug, Deserialize)]
struct ProductWire {
    variants: Page<OwnVariantWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnVariantWire {
    id: String,
    sku: Option<String>,
    barcode: Option<String>,
    display_name: String,
}

impl<V: Credentials, K: Clock> ShopifyApi<V, K> {
    pub(super) async fn read_variants(
        &self,
        shop: &ShopDomain,
        after: Option<&str>,
    ) -> Result<VariantsPage, ChannelError> {
        let data: VariantsData = self.ask(shop, VARIANTS_PAGE, json!({ "after": after })).await?;
        let Page { nodes, page_info } = data.product_variants;
        let variants = nodes.into_iter().map(|wire| variant(shop, wire)).collect::<Result<_, _>>()?;
        Ok(VariantsPage { variants, next: page_info.has_next_page.then_some(page_info.end_cursor).flatten() })
    }

    pub(super) async fn find_variants(
        &self,
        shop: &ShopDomain,
        by: MatchBy,
        values: &[String],
    ) -> Result<Vec<Variant>, ChannelError> {
        let values: Vec<&str> = values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).collect();
        let mut found: BTreeMap<VariantId, Variant> = BTreeMap::new();
        let mut searches = batches(by, &values);
        while let Some(values) = searches.pop() {
            let (variants, is_whole) = self.search_variants(shop, &search(by, &values)).await?;
            // The search matches loosely; only what carries exactly the value is meant.
            let exact = variants.into_iter().filter(|it| it.value(by).is_some_and(|value| values.contains(&value)));
            found.extend(exact.map(|variant| (variant.id, variant)));
            if is_whole {
                continue;
            }
            // What several carry, no more of them would decide. Of the others one carrier may be cut off.
            let is_several = |value: &str| found.values().filter(|it| it.value(by) == Some(value)).nth(1).is_some();
            let open: Vec<&str> = values.iter().copied().filter(|value| !is_several(value)).collect();
            match open.as_slice() {
                [] => {}
                _ if open.len() < values.len() => searches.push(open),
                [value] => return Err(unreadable(shop, &too_loose(by, value))),
                _ => searches.extend(open.chunks(open.len().div_ceil(2)).map(ToOwned::to_owned)),
            }
        }
        Ok(found.into_values().collect())
    }

    /// What one search finds, and whether that is all of it.
    async fn search_variants(&self, shop: &ShopDomain, search: &str) -> Result<(Vec<Variant>, bool), ChannelError> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let variables = json!({ "query": search, "after": after });
            let data: VariantsData = self.ask(shop, VARIANTS_BY_VALUE, variables).await?;
            let Page { nodes, page_info } = data.product_variants;
            for wire in nodes {
                found.push(variant(shop, wire)?);
            }
            match page_info.end_cursor.filter(|_| page_info.has_next_page) {
                Some(next) => after = Some(next),
                None => return Ok((found, true)),
            }
        }
        Ok((found, false))
    }

    pub(super) async fn read_variants_of(
        &self,
        shop: &ShopDomain,
        ids: &[VariantId],
    ) -> Result<Vec<Variant>, ChannelError> {
        let mut found = Vec::new();
        for some in ids.chunks(IDS_AT_ONCE) {
            let ids: Vec<String> = some.iter().map(|id| id.gid()).collect();
            let data: NodesData = self.ask(shop, VARIANTS_BY_ID, json!({ "ids": ids })).await?;
            for node in data.nodes.into_iter().flatten() {
                let wire = serde_json::from_value(node).map_err(|_| unreadable(shop, "a variant does not parse"))?;
                found.push(variant(shop, wire)?);
            }
        }
        Ok(found)
    }

    pub(super) async fn read_product(
        &self,
        shop: &ShopDomain,
        id: ProductId,
    ) -> Result<Option<Vec<Variant>>, ChannelError> {
        let mut variants = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let data: ProductData = self.ask(shop, PRODUCT_VARIANTS, json!({ "id": id.gid(), "after": after })).await?;
            let Some(ProductWire { variants: Page { nodes, page_info } }) = data.product else { return Ok(None) };
            for OwnVariantWire { id: variant, sku, barcode, display_name } in nodes {
                variants.push(Variant { id: parse(shop, &variant)?, product: id, title: display_name, sku, barcode });
            }
            match page_info.end_cursor.filter(|_| page_info.has_next_page) {
                Some(next) => after = Some(next),
                None => return Ok(Some(variants)),
            }
        }
    }
}

fn variant(shop: &ShopDomain, wire: VariantWire) -> Result<Variant, ChannelError> {
    Ok(Variant {
        id: parse(shop, &wire.id)?,
        product: parse(shop, &wire.product.id)?,
        title: wire.display_name,
        sku: wire.sku,
        barcode: wire.barcode,
    })
}

fn too_loose(by: MatchBy, value: &str) -> String {
    format!(
        "more variants than can be read have something to do with the {by} `{value}`: link the variant that carries it by its id"
    )
}

/// `values` in parts of as many as a search takes.
fn batches<'a>(by: MatchBy, values: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut batches: Vec<(Vec<&str>, usize)> = Vec::new();
    for value in values {
        let bytes = " OR ".len() + term(by, value).len();
        match batches.last_mut() {
            Some((batch, total)) if batch.len() < VALUES_AT_ONCE && *total + bytes <= MAX_SEARCH_BYTES => {
                batch.push(value);
                *total += bytes;
            }
            _ => batches.push((vec![value], bytes)),
        }
    }
    batches.into_iter().map(|(batch, _)| batch).collect()
}

fn search(by: MatchBy, values: &[&str]) -> String {
    let terms: Vec<String> = values.iter().map(|value| term(by, value)).collect();
    terms.join(" OR ")
}

fn term(by: MatchBy, value: &str) -> String {
    let field = match by {
        MatchBy::Sku => "sku",
        MatchBy::Barcode => "barcode",
    };
    format!("{field}:{}", quoted(value))
}

/// A value that no character of it can end. Source: shopify.dev, "Shopify API search syntax".
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        let search = search(MatchBy::Sku, &[r#"A" OR sku:""#, r"B\"]);

        assert_eq!(search, r#"sku:"A\" OR sku:\"" OR sku:"B\\""#);
    }

    #[test]
    fn many_values_make_several_searches_none_of_them_too_long() {
        let long = "x".repeat(255);
        let values: Vec<&str> = std::iter::repeat_n("A-1", 120).chain(std::iter::repeat_n(long.as_str(), 20)).collect();

        let batches = batches(MatchBy::Barcode, &values);

        assert_eq!(batches.concat(), values);
        assert!(batches.iter().all(|it| it.len() <= 50 && search(MatchBy::Barcode, it).len() <= MAX_SEARCH_BYTES));
    }
}
