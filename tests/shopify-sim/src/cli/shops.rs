//! `shop …`

use clap::{Args, Subcommand};
use rust_decimal::Decimal;
use shopify_sim::SimClient;
use shopify_sim::codes::CurrencyCode;
use shopify_sim::control::{NewShop, NewVariant, SettingsChange, VariantChange};
use shopify_sim::state::TakenKey;
use shopify_sim::webhooks::Topic;
use shopify_sim::words::parse_word;

use super::Done;
use super::print::{Out, lines};

#[derive(Subcommand)]
pub(crate) enum ShopVerb {
    /// Open a shop that has the app.
    Create(Create),
    /// All shops.
    List,
    /// One shop; with --json also an access token.
    Show { shop: String },
    /// Change how a shop behaves.
    Set(Set),
    /// Sell a variant, or change the one of that SKU.
    Sell {
        shop: String,
        /// SKU=PRICE[@LOCATION]
        #[arg(value_parser = variant)]
        variant: NewVariant,
        #[arg(long)]
        barcode: Option<String>,
        /// Another variant of the same product, by id or SKU.
        #[arg(long)]
        beside: Option<String>,
    },
    /// Give a variant another SKU or barcode: also one that another variant has.
    Relabel {
        shop: String,
        /// Id or SKU.
        variant: String,
        #[arg(long)]
        sku: Option<String>,
        /// Empty: none.
        #[arg(long)]
        barcode: Option<String>,
    },
    /// Take a variant out of its product; the last one takes the product along.
    Drop {
        shop: String,
        /// Id or SKU.
        variant: String,
    },
    /// Delete a product with all its variants.
    DropProduct { shop: String, product: u64 },
    /// Make every access token of a shop worthless.
    RevokeToken { shop: String },
    /// Remove the app.
    Uninstall { shop: String },
    /// Bring the app back.
    Install { shop: String },
    /// Delete the webhook subscriptions, as Shopify does when deliveries fail for hours.
    Unsubscribe {
        shop: String,
        /// Those of one topic, e.g. orders/paid.
        #[arg(long, value_parser = super::faults::topic)]
        topic: Option<Topic>,
    },
}

#[derive(Args)]
pub(crate) struct Create {
    /// e.g. moon-shop.myshopify.com
    domain: String,
    /// What people call it.
    #[arg(long, default_value = "")]
    name: String,
    /// Its own currency.
    #[arg(long, default_value = "USD", value_parser = currency)]
    currency: CurrencyCode,
    /// Its plan, as merchants see it.
    #[arg(long, default_value = "Basic")]
    plan: String,
    /// Whom Shopify writes to.
    #[arg(long, default_value = "")]
    contact_email: String,
    /// A location; the first one stocks what says nothing else.
    #[arg(long = "location")]
    locations: Vec<String>,
    /// SKU=PRICE[@LOCATION]
    #[arg(long = "sku", value_parser = variant)]
    variants: Vec<NewVariant>,
}

#[derive(Args)]
pub(crate) struct Set {
    shop: String,
    /// How long a new order has no fulfillment orders.
    #[arg(long)]
    routing_delay_ms: Option<u64>,
    /// How long search does not see a new order.
    #[arg(long)]
    index_lag_ms: Option<u64>,
    /// refuse or drop-silently
    #[arg(long, value_parser = taken_key)]
    taken_key: Option<TakenKey>,
    /// Whether fulfillmentTrackingInfoUpdate refuses every update: true or false
    #[arg(long)]
    refuse_overwrite: Option<bool>,
    /// How long an order that an app had cancelled still stands.
    #[arg(long)]
    cancel_delay_ms: Option<u64>,
    /// 0 takes the limit away.
    #[arg(long)]
    order_creates_per_minute: Option<u32>,
    /// Points a second.
    #[arg(long)]
    restore_rate: Option<u32>,
    /// Points at most.
    #[arg(long)]
    bucket: Option<u32>,
}

impl ShopVerb {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        match self {
            Self::Create(new) => {
                let new = NewShop {
                    domain: new.domain,
                    name: new.name,
                    currency: new.currency,
                    plan: new.plan,
                    contact_email: new.contact_email,
                    locations: new.locations,
                    variants: new.variants,
                    ..NewShop::default()
                };
                out.shop(&sim.create_shop(&new).await?)
            }
            Self::List => {
                let shops = sim.shops().await?;
                out.say(&shops, || {
                    lines(&shops, "no shops", |shop| {
                        format!("{}  {}  {} orders", shop.domain, shop.name, shop.order_count)
                    })
                })
            }
            Self::Show { shop } => out.shop(&sim.shop(&shop).await?),
            Self::Set(it) => {
                let settings = SettingsChange {
                    routing_delay_ms: it.routing_delay_ms,
                    index_lag_ms: it.index_lag_ms,
                    taken_key: it.taken_key,
                    refuse_overwrite: it.refuse_overwrite,
                    cancel_delay_ms: it.cancel_delay_ms,
                    order_creates_per_minute: it.order_creates_per_minute,
                    restore_rate: it.restore_rate,
                    bucket: it.bucket,
                };
                out.shop(&sim.set(&it.shop, &settings).await?)
            }
            Self::Sell { shop, variant, barcode, beside } => {
                let variant = NewVariant { barcode, beside, ..variant };
                let sold = sim.set_variant(&shop, &variant).await?;
                out.say(&sold, || format!("{}  {}  variant {}", sold.sku, sold.price, sold.id))
            }
            Self::Relabel { shop, variant, sku, barcode } => {
                let changed = sim.change_variant(&shop, &variant, &VariantChange { sku, barcode }).await?;
                let barcode = changed.barcode.as_deref().unwrap_or("none");
                out.say(&changed, || format!("variant {}  SKU {}  barcode {barcode}", changed.id, changed.sku))
            }
            Self::Drop { shop, variant } => out.count("variant deleted", sim.delete_variant(&shop, &variant).await?),
            Self::DropProduct { shop, product } => {
                out.count("variants deleted", sim.delete_product(&shop, product).await?)
            }
            Self::RevokeToken { shop } => out.count("tokens revoked", sim.revoke_tokens(&shop).await?),
            Self::Uninstall { shop } => out.count("subscriptions gone with the app", sim.uninstall(&shop).await?),
            Self::Unsubscribe { shop, topic } => {
                out.count("subscriptions deleted", sim.unsubscribe(&shop, topic).await?)
            }
            Self::Install { shop } => out.count("app installed", sim.install(&shop).await?),
        }
    }
}

fn currency(said: &str) -> Result<CurrencyCode, String> {
    parse_word(said).ok_or_else(|| format!("{said} is not a currency"))
}

pub(super) fn taken_key(said: &str) -> Result<TakenKey, String> {
    match said {
        "refuse" => Ok(TakenKey::Refuse),
        "drop-silently" => Ok(TakenKey::DropSilently),
        _ => Err("refuse or drop-silently".to_owned()),
    }
}

/// `SKU=PRICE[@LOCATION]`
fn variant(said: &str) -> Result<NewVariant, String> {
    let (sku, rest) = said.split_once('=').ok_or("write SKU=PRICE[@LOCATION]")?;
    let (price, location) =
        rest.split_once('@').map_or((rest, None), |(price, location)| (price, Some(location.to_owned())));
    let price: Decimal = price.parse().map_err(|_| format!("{price} is not a price"))?;
    Ok(NewVariant { location, ..NewVariant::of(sku, price) })
}
