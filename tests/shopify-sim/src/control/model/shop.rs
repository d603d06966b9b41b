//! Shops in commands and answers.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::codes::CurrencyCode;
use crate::state::{Location, ShopSettings, TakenKey, Variant, WebhookSubscription};

/// A shop to be opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct NewShop {
    /// `moon-shop.myshopify.com`
    pub domain: String,
    /// Empty: from the domain.
    pub name: String,
    /// The shop's own currency.
    pub currency: CurrencyCode,
    /// As merchants see it, e.g. `Basic`, `Shopify Plus`.
    pub plan: String,
    /// Whether it is a development store.
    pub partner_development: bool,
    /// Empty: owner@<domain>
    pub contact_email: String,
    /// IANA's name.
    pub timezone: String,
    /// Names; the first one is where variants are stocked unless they say otherwise. Empty: one.
    pub locations: Vec<String>,
    /// What it sells.
    pub variants: Vec<NewVariant>,
    /// Other than the simulator's defaults.
    pub settings: SettingsChange,
}

impl Default for NewShop {
    fn default() -> Self {
        Self {
            domain: String::new(),
            name: String::new(),
            currency: CurrencyCode::USD,
            plan: "Basic".to_owned(),
            partner_development: false,
            contact_email: String::new(),
            timezone: "America/New_York".to_owned(),
            locations: Vec::new(),
            variants: Vec::new(),
            settings: SettingsChange::default(),
        }
    }
}

impl NewShop {
    /// A shop in dollars with one location and these SKUs at 10.00 each.
    pub fn selling(domain: &str, skus: &[&str]) -> Self {
        let variants = skus.iter().map(|sku| NewVariant::of(sku, Decimal::TEN)).collect();
        Self { domain: domain.to_owned(), variants, ..Self::default() }
    }
}

/// A variant to be sold, or to be changed if the SKU is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewVariant {
    /// Stock keeping unit.
    pub sku: String,
    #[serde(default)]
    pub barcode: Option<String>,
    /// Another variant of its product, by id or SKU; `None`: a product of its own.
    #[serde(default)]
    pub beside: Option<String>,
    /// In the shop's currency.
    pub price: Decimal,
    /// `None`: the SKU.
    #[serde(default)]
    pub title: Option<String>,
    /// Name of the location that stocks it; `None`: the first.
    #[serde(default)]
    pub location: Option<String>,
    /// Whether it must be sent.
    #[serde(default = "yes")]
    pub requires_shipping: bool,
}

fn yes() -> bool {
    true
}

impl NewVariant {
    /// A variant at the first location.
    pub fn of(sku: &str, price: Decimal) -> Self {
        Self {
            sku: sku.to_owned(),
            barcode: None,
            beside: None,
            price,
            title: None,
            location: None,
            requires_shipping: true,
        }
    }
}

/// What a variant carries from now on; the rest stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VariantChange {
    pub sku: Option<String>,
    /// Empty: none.
    pub barcode: Option<String>,
}

/// Settings to change; the others stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsChange {
    pub routing_delay_ms: Option<u64>,
    pub index_lag_ms: Option<u64>,
    pub taken_key: Option<TakenKey>,
    pub refuse_overwrite: Option<bool>,
    pub cancel_delay_ms: Option<u64>,
    /// 0 takes the limit away.
    pub order_creates_per_minute: Option<u32>,
    /// Points a second; fills the bucket.
    pub restore_rate: Option<u32>,
    /// Points at most; fills the bucket.
    pub bucket: Option<u32>,
}

/// A shop as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShopView {
    pub id: u64,
    pub domain: String,
    pub name: String,
    pub currency: CurrencyCode,
    pub locations: Vec<Location>,
    pub variants: Vec<Variant>,
    pub settings: ShopSettings,
    pub subscriptions: Vec<WebhookSubscription>,
    pub installed: bool,
    pub order_count: usize,
    /// One that works now, made for this answer.
    pub access_token: Option<String>,
}

impl ShopView {
    /// `gid://shopify/ProductVariant/…` of a SKU.
    pub fn variant_gid(&self, sku: &str) -> Option<String> {
        let found = self.variants.iter().find(|variant| variant.sku == sku)?;
        Some(crate::state::gid("ProductVariant", found.id))
    }
}
