//! Tracking that is to be shown again, as it is asked for.

use clap::Args;
use roundtrip_domain::id::{OrderId, ShopDomain};

use super::YesNo;

#[derive(Debug, Args)]
pub(crate) struct OrderResend {
    /// The store where the orders were placed.
    pub(crate) shop: ShopDomain,
    /// Shopify's ids of just these orders.
    #[arg(value_name = "ID", required_unless_present_any = ["tag", "shipped"], conflicts_with_all = ["tag", "shipped"])]
    pub(crate) orders: Vec<OrderId>,
    /// Those with this tag, e.g. "Failed Shipment Notification".
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Those of which something was sent, or nothing.
    #[arg(long, value_name = "YES|NO")]
    pub(crate) shipped: Option<YesNo>,
    /// Do it. Without this only the list is shown.
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Also those that have not failed.
    #[arg(long)]
    pub(crate) acknowledge_not_failed: bool,
    /// Why: stands in the history of each order.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Wait for the outcome.
    #[arg(long)]
    pub(crate) wait: bool,
}
