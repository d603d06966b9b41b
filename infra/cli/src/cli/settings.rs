//! Settings as they are typed, and as the API takes them: what is left out stays as it is.

use clap::{Args, ValueEnum};
use roundtrip_domain::id::ShopDomain;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::typed::{Contact, OwnerOf, Price, Rate, Seconds};

/// `shop settings`: without any, they are shown.
#[derive(Debug, Args, Serialize)]
pub(crate) struct ShopSettingsArgs {
    /// The permanent domain, e.g. moon-shop.myshopify.com.
    #[serde(skip)]
    pub(crate) domain: ShopDomain,
    /// Show every version, who made it and when.
    #[arg(long)]
    #[serde(skip)]
    pub(crate) versions: bool,
    /// Offer its orders for push.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    order_sync: Option<Switch>,
    /// Push paid orders without being asked, to each source store whose connection does not say otherwise.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_push: Option<Switch>,
    /// With --auto-push on: also what was placed before and may be pushed.
    #[arg(long)]
    #[serde(skip_serializing_if = "is_off")]
    include_existing: bool,
    /// With --include-existing: only say how many orders that are.
    #[arg(long, requires = "include_existing")]
    #[serde(skip_serializing_if = "is_off")]
    pub(crate) dry_run: bool,
    /// Whose e-mail address goes with an order: customer, admin, or an address.
    #[arg(long, value_name = "WHO")]
    #[serde(skip_serializing_if = "Option::is_none")]
    email_contact: Option<Contact>,
    /// A flat fee from a value of the goods on, e.g. 100.00=10.00; several may be given, all are set anew.
    #[arg(long = "shipping-rate", value_name = "VALUE=FEE")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shipping_rates: Vec<Rate>,
    /// Charge nothing for shipping.
    #[arg(long, conflicts_with = "shipping_rates")]
    #[serde(rename = "shipping_rates", skip_serializing_if = "is_off", serialize_with = "empty")]
    no_shipping_rates: bool,
    /// Push what one source store holds while the rest of the order stays.
    #[arg(long)]
    #[serde(rename = "allow_partial_push", skip_serializing_if = "Option::is_none")]
    partial_push: Option<Switch>,
    /// Push only orders with a valid e-mail address of the customer.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    require_email: Option<Switch>,
    /// Push what is left of an order of which a part was refunded.
    #[arg(long)]
    #[serde(rename = "allow_partially_refunded", skip_serializing_if = "Option::is_none")]
    partially_refunded: Option<Switch>,
    /// Push test orders.
    #[arg(long)]
    #[serde(rename = "allow_test", skip_serializing_if = "Option::is_none")]
    test_orders: Option<Switch>,
    /// How far back a backfill may reach: 7 days, or as far as the store shows its orders.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanName>,
    /// Keep what is shipped of its own orders as shipments.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_sync: Option<Switch>,
    /// Who sees to what needs somebody, by its code, e.g. LOCATION_UNMAPPED=warehouse; `*=NAME` for all others. Several may
    /// be given, all are set anew.
    #[arg(long = "owner", value_name = "CODE=NAME")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    owners: Vec<OwnerOf>,
    /// What needs somebody belongs to nobody as a rule.
    #[arg(long, conflicts_with = "owners")]
    #[serde(rename = "owners", skip_serializing_if = "is_off", serialize_with = "empty")]
    no_owners: bool,
}

/// `connect`.
#[derive(Debug, Args, Serialize)]
pub(crate) struct ConnectArgs {
    /// The store that sells to the customer.
    destination: ShopDomain,
    /// The store that holds the goods.
    source: ShopDomain,
    /// Push to it without being asked, where the destination store does so at all.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_push: Option<Switch>,
    /// How old an order is at least when it is pushed without being asked for: 10m, 1h30m, or seconds.
    #[arg(long, value_name = "TIME")]
    #[serde(rename = "grace_secs", skip_serializing_if = "Option::is_none")]
    grace: Option<Seconds>,
    /// Whose unit prices the source order carries: source, destination, or so many percent of the destination's: 80%.
    #[arg(long, value_name = "WHOSE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price: Option<Price>,
    /// How much of the source store's currency one of the destination's is worth.
    #[arg(long, value_name = "RATE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange_rate: Option<Decimal>,
    /// What a pushed order does to the source store's stock.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<Stock>,
    /// Let the destination store mail the customer when tracking is first written.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_customer: Option<Switch>,
    /// What becomes of a shipment without a tracking number: it waits for it, or is shown at once.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    without_tracking: Option<Untracked>,
    /// Replace a number that the destination store shows when the label was made again.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    overwrite_tracking: Option<Switch>,
    /// Of a shipment that no longer fits its order, show the part that does.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    split_ok: Option<Switch>,
    /// Cancel the source order when its order is cancelled, as long as nothing of it was shipped.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_source: Option<Switch>,
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

impl Serialize for Switch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self == Self::On)
    }
}

/// A label of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum PlanName {
    Free,
    Paid,
}

/// What an order does to stock: nothing, or it is taken from it, never or even below nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Stock {
    Bypass,
    DecrementObeyingPolicy,
    DecrementIgnoringPolicy,
}

/// What becomes of a shipment without a tracking number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Untracked {
    Wait,
    FulfilNow,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's
fn is_off(switch: &bool) -> bool {
    !switch
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's
fn empty<S: Serializer>(_: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq([(); 0])
}
