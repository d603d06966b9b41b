//! Stores in the simulator, connected and linked through the API, as a user would.

use std::collections::BTreeMap;

use serde_json::json;
use shopify_sim::control::{NewShop, NewVariant};

use super::Stack;

/// One store to be opened.
#[derive(Debug, Clone)]
pub struct Store {
    pub domain: String,
    pub name: String,
    /// SKU and price.
    pub sells: Vec<(String, String)>,
}

impl Store {
    /// `<name>.myshopify.com`, selling `skus` at 10.00 each.
    #[must_use]
    pub fn new(name: &str, skus: &[&str]) -> Self {
        Self {
            domain: format!("{name}.myshopify.com"),
            name: name.to_owned(),
            sells: skus.iter().map(|sku| ((*sku).to_owned(), "10.00".to_owned())).collect(),
        }
    }
}

/// Stores that are open and connected to Roundtrip.
#[derive(Debug, Clone)]
pub struct Stores {
    variants: BTreeMap<(String, String), u64>,
}

/// SKU of the destination, SKU of the source.
pub type Link<'a> = (&'a str, &'a str);

impl Stores {
    /// Opens the stores in the simulator and connects each.
    ///
    /// # Panics
    /// If a store cannot be opened or connected.
    pub async fn open(stack: &Stack, stores: &[Store]) -> Self {
        let mut variants = BTreeMap::new();
        for store in stores {
            let sells = store.sells.iter().map(|(sku, price)| NewVariant::of(sku, price.parse().expect("a price")));
            let shop = NewShop {
                domain: store.domain.clone(),
                name: store.name.clone(),
                variants: sells.collect(),
                ..NewShop::default()
            };
            let opened = stack.sim.create_shop(&shop).await.expect("the simulator opens a shop");
            for variant in opened.variants {
                variants.insert((store.domain.clone(), variant.sku), variant.id);
            }
            stack.api.connect_shop(&store.domain).await;
        }
        Self { variants }
    }

    /// No store yet.
    #[must_use]
    pub fn none() -> Self {
        Self { variants: BTreeMap::new() }
    }

    /// The same with other stores beside.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.variants.extend(others.variants);
        self
    }

    /// Connects a destination with a source and links variants by SKU.
    ///
    /// # Panics
    /// If the API refuses.
    pub async fn connect(&self, stack: &Stack, destination: &str, source: &str, auto_push: bool, links: &[Link<'_>]) {
        let settings = json!({ "order_sync": true, "auto_push": true });
        let path = format!("/v1/shops/{destination}/settings");
        let answer = stack.api.send(reqwest::Method::PUT, &path, Some(settings)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = json!({ "destination": destination, "source": source, "auto_push": auto_push });
        let answer = stack.api.post("/v1/connections", body).await;
        assert!(answer.status < 300, "{}", answer.body);
        let pairs: Vec<_> = links
            .iter()
            .map(|(to, from)| {
                json!({
                    "destination_variant": self.variant(destination, to).to_string(),
                    "source_variant": self.variant(source, from).to_string(),
                })
            })
            .collect();
        let body = json!({ "destination": destination, "source": source, "links": pairs });
        let answer = stack.api.post("/v1/links", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    /// The variant of a SKU.
    ///
    /// # Panics
    /// If the store does not sell it.
    #[must_use]
    pub fn variant(&self, domain: &str, sku: &str) -> u64 {
        let known = self.variants.get(&(domain.to_owned(), sku.to_owned()));
        *known.unwrap_or_else(|| panic!("{domain} does not sell {sku}"))
    }
}
