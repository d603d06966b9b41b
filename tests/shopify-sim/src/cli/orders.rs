//! `order …`, and what merchants do with orders.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use shopify_sim::SimClient;
use shopify_sim::control::{ChangeTracking, PlaceLine, PlaceOrder, Ship};
use shopify_sim::words::{FulfillmentHoldReason, OrderCancelReason, OrderDisplayFinancialStatus, parse_word};

use super::Done;
use super::print::{Out, lines, order_line};

#[derive(Subcommand)]
pub(crate) enum OrderVerb {
    /// A customer buys.
    Place(Place),
    /// All orders of a shop.
    List { shop: String },
    /// One order with its lines, goods and mails.
    Show(OrderArg),
}

#[derive(Args)]
pub(crate) struct Place {
    shop: String,
    /// SKU[:QUANTITY] …
    #[arg(required = true, value_parser = line)]
    lines: Vec<(String, u32)>,
    /// Leave it unpaid.
    #[arg(long)]
    unpaid: bool,
    /// A test order.
    #[arg(long)]
    test: bool,
    /// The customer's address.
    #[arg(long)]
    email: Option<String>,
    /// The customer's note.
    #[arg(long)]
    note: Option<String>,
    /// A tag.
    #[arg(long = "tag")]
    tags: Vec<String>,
    /// When it was placed, such as 2026-09-01T08:00:00Z, if not now.
    #[arg(long)]
    at: Option<Timestamp>,
    /// Place so many.
    #[arg(long, default_value_t = 1)]
    repeat: u32,
}

/// An order of a shop: gid, number, `#1001` or `1001`.
#[derive(Args)]
pub(crate) struct OrderArg {
    pub(super) shop: String,
    pub(super) order: String,
}

#[derive(Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    of: OrderArg,
    /// customer, declined, fraud, inventory, other, staff
    #[arg(long, default_value = "customer", value_parser = said::<OrderCancelReason>)]
    reason: OrderCancelReason,
}

#[derive(Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    of: OrderArg,
    /// SKU or line item id.
    line: String,
    /// Units from now on.
    quantity: u32,
}

#[derive(Args)]
pub(crate) struct Refund {
    #[command(flatten)]
    of: OrderArg,
    /// SKU[:QUANTITY] …
    #[arg(required = true, value_parser = line)]
    lines: Vec<(String, u32)>,
}

#[derive(Args)]
pub(crate) struct Hold {
    #[command(flatten)]
    of: OrderArg,
    /// e.g. awaiting-payment, high-risk-of-fraud, other
    #[arg(long, default_value = "other", value_parser = said::<FulfillmentHoldReason>)]
    reason: FulfillmentHoldReason,
}

#[derive(Args)]
pub(crate) struct Move {
    #[command(flatten)]
    of: OrderArg,
    /// The location's name.
    location: String,
}

#[derive(Args)]
pub(crate) struct ShipArgs {
    #[command(flatten)]
    of: OrderArg,
    /// SKU[:QUANTITY] …; none: all that is left there.
    #[arg(value_parser = line)]
    lines: Vec<(String, u32)>,
    /// The carrier, in Shopify's spelling.
    #[arg(long)]
    company: Option<String>,
    /// A tracking number; several are allowed.
    #[arg(long = "number")]
    numbers: Vec<String>,
    /// Its page; by position.
    #[arg(long = "tracking-url")]
    urls: Vec<String>,
    /// The location's name.
    #[arg(long)]
    location: Option<String>,
    /// Write to the customer.
    #[arg(long)]
    notify: bool,
    /// The fulfillment service that sends it, if not the shop itself.
    #[arg(long)]
    service: Option<String>,
}

#[derive(Args)]
pub(crate) struct Tracking {
    shop: String,
    /// Its number.
    fulfillment: u64,
    /// The carrier, in Shopify's spelling.
    #[arg(long)]
    company: Option<String>,
    /// A tracking number; several are allowed.
    #[arg(long = "number")]
    numbers: Vec<String>,
    /// Its page; by position.
    #[arg(long = "tracking-url")]
    urls: Vec<String>,
    /// Write to the customer.
    #[arg(long)]
    notify: bool,
}

#[derive(Args)]
pub(crate) struct Unship {
    pub(super) shop: String,
    /// Its number.
    pub(super) fulfillment: u64,
}

impl OrderVerb {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        match self {
            Self::Place(place) => place.run(sim, out).await,
            Self::List { shop } => {
                let orders = sim.orders(&shop).await?;
                out.say(&orders, || lines(&orders, "no orders", order_line))
            }
            Self::Show(it) => out.whole_order(&sim.show_order(&it.shop, &it.order).await?),
        }
    }
}

impl Place {
    async fn run(self, sim: &SimClient, out: Out) -> Done {
        let lines = self.lines.into_iter().map(|(variant, quantity)| PlaceLine {
            variant,
            quantity,
            price: None,
            properties: Vec::new(),
        });
        let order = PlaceOrder {
            lines: lines.collect(),
            financial_status: self.unpaid.then_some(OrderDisplayFinancialStatus::Pending),
            test: self.test,
            email: self.email,
            note: self.note,
            tags: self.tags,
            at: self.at,
            ..PlaceOrder::default()
        };
        for _ in 0..self.repeat {
            let placed = sim.place_order(&self.shop, &order).await?;
            out.say(&placed, || format!("{}  {}", placed.name, placed.gid))?;
        }
        Ok(())
    }
}

impl Cancel {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        out.order(&sim.cancel(&self.of.shop, &self.of.order, self.reason).await?)
    }
}

impl Edit {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        out.order(&sim.edit(&self.of.shop, &self.of.order, &self.line, self.quantity).await?)
    }
}

impl Refund {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        let lines: Vec<(&str, u32)> = self.lines.iter().map(|(line, quantity)| (line.as_str(), *quantity)).collect();
        out.order(&sim.refund(&self.of.shop, &self.of.order, &lines).await?)
    }
}

impl Hold {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        out.order(&sim.hold(&self.of.shop, &self.of.order, self.reason).await?)
    }
}

impl Move {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        out.order(&sim.move_work(&self.of.shop, &self.of.order, &self.location).await?)
    }
}

impl ShipArgs {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        let goods = Ship {
            lines: self.lines,
            location: self.location,
            company: self.company,
            numbers: self.numbers,
            urls: self.urls,
            notify_customer: self.notify,
            service: self.service,
        };
        out.shipped(&sim.ship(&self.of.shop, &self.of.order, &goods).await?)
    }
}

impl Tracking {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        let tracking = ChangeTracking {
            company: self.company,
            numbers: self.numbers,
            urls: self.urls,
            notify_customer: self.notify,
        };
        out.shipped(&sim.update_tracking(&self.shop, self.fulfillment, &tracking).await?)
    }
}

/// `SKU[:QUANTITY]`
fn line(said: &str) -> Result<(String, u32), String> {
    match said.rsplit_once(':') {
        Some((sku, quantity)) => {
            Ok((sku.to_owned(), quantity.parse().map_err(|_| format!("{quantity} is not a quantity"))?))
        }
        None => Ok((said.to_owned(), 1)),
    }
}

fn said<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, String> {
    parse_word(name).ok_or_else(|| format!("{name} is not one of Shopify's words for this"))
}
