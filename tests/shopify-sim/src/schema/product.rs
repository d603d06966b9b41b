//! Products and their variants.

use async_graphql::{Context, ID, Object};

use super::connection::{Page, Wanted, by_id};
use super::scalars::{Money, UnsignedInt64};
use crate::state::{self, Shop, gid};

pub(crate) struct ProductVariant(pub(crate) state::Variant);

#[Object]
impl ProductVariant {
    pub(crate) async fn id(&self) -> ID {
        gid("ProductVariant", self.0.id).into()
    }
    async fn legacy_resource_id(&self) -> UnsignedInt64 {
        UnsignedInt64(self.0.id)
    }
    async fn sku(&self) -> Option<&str> {
        Some(&self.0.sku)
    }
    async fn barcode(&self) -> Option<&String> {
        self.0.barcode.as_ref()
    }
    async fn title(&self) -> &str {
        "Default Title"
    }
    async fn display_name(&self) -> &str {
        &self.0.title
    }
    async fn price(&self) -> Money {
        Money(self.0.price)
    }
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Product> {
        super::read(ctx, |shop| Product::of(shop, &self.0))
    }
}

/// A product as it was when the question arrived.
pub(crate) struct Product {
    id: u64,
    title: String,
    variants: Vec<state::Variant>,
}

impl Product {
    /// The product of a variant.
    pub(crate) fn of(shop: &Shop, variant: &state::Variant) -> Self {
        let variants: Vec<state::Variant> = shop.variants_of(variant.product_id).cloned().collect();
        let title = variants.first().unwrap_or(variant).title.clone();
        Self { id: variant.product_id, title, variants }
    }

    pub(crate) fn find(shop: &Shop, id: u64) -> Option<Self> {
        shop.variants_of(id).next().map(|variant| Self::of(shop, variant))
    }
}

#[Object]
impl Product {
    pub(crate) async fn id(&self) -> ID {
        gid("Product", self.id).into()
    }
    async fn title(&self) -> &str {
        &self.title
    }
    async fn handle(&self) -> String {
        self.title.to_lowercase().replace(' ', "-")
    }
    async fn variants(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        reverse: Option<bool>,
    ) -> async_graphql::Result<Page<ProductVariant>> {
        let all = by_id(self.variants.iter().map(|it| (it.id, ProductVariant(it.clone()))));
        Wanted { first, after, last, before, reverse }.page(all)
    }
}

/// Variants that a search means: `sku:"A" OR barcode:"B"`.
///
/// Source: Admin GraphQL schema 2026-10, `QueryRoot.productVariants(query:)`, for the filters' names. How loosely it
/// matches is documented nowhere; here without regard to case, and what goes on after a dash as well (unverified).
pub(crate) fn search(shop: &Shop, query: Option<&str>) -> Vec<state::Variant> {
    let terms = terms(query.unwrap_or_default());
    let means = |variant: &state::Variant| {
        let is = |text: &str, value: &str| {
            let (text, value) = (text.to_lowercase(), value.to_lowercase());
            text == value || text.starts_with(&format!("{value}-"))
        };
        terms.iter().any(|(field, value)| match field.as_str() {
            "sku" => is(&variant.sku, value),
            "barcode" => variant.barcode.as_deref().is_some_and(|barcode| is(barcode, value)),
            "id" => variant.id.to_string() == *value,
            "product_id" => variant.product_id.to_string() == *value,
            _ => true, // Shopify ignores filters that it does not know, with a warning
        })
    };
    let mut found: Vec<state::Variant> =
        shop.variants.iter().filter(|variant| terms.is_empty() || means(variant)).cloned().collect();
    found.sort_by_key(|variant| variant.id);
    found
}

/// Field and value of each term; a backslash takes the meaning from what follows it.
fn terms(query: &str) -> Vec<(String, String)> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut characters = query.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.extend(characters.next()),
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    words.push(word);
    let terms = words.iter().filter(|word| !word.is_empty() && *word != "OR");
    terms.filter_map(|term| term.split_once(':')).map(|(field, value)| (field.to_owned(), value.to_owned())).collect()
}
