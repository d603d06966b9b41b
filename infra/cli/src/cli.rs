//! What can be typed.

mod dead_letters;
mod incidents;
mod links;
mod resend;
mod settings;

use clap::{Args, Parser, Subcommand, ValueEnum};
use roundtrip_domain::id::{LabelId, OrderId, ShopDomain};
use roundtrip_domain::record::Tab;
use rust_decimal::Decimal;

use crate::typed::{Mapping, Units};

pub(crate) use dead_letters::{DlqChoice, DlqCommand, DlqFilter, DlqList, DlqPurge, DlqRedrive, JobCommand};
pub(crate) use incidents::{IncidentArgs, IncidentCommand};
pub(crate) use links::{LinkArgs, LinksCommand, ListLinks, MatchArgs};
pub(crate) use resend::OrderResend;
pub(crate) use settings::{ConnectArgs, ShopSettingsArgs};

/// For scripts.
const EXIT_CODES: &str = "Exit codes: 0, what was asked for has happened; 1, it has not (the error and its remedy stand on \
standard error; with --wait, the outcome is not the one that was asked for); 2, the command was not typed or set up right.";

/// Keeps Shopify stores in step: register stores, link products, see and push orders, tell of labels.
#[derive(Debug, Parser)]
#[command(name = "roundtrip", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) to: To,
    /// Print the API's answer as it came.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which API, and as whom.
#[derive(Debug, Args)]
pub(crate) struct To {
    /// The API's address: the stack's output `ApiUrl`.
    #[arg(long, global = true, env = "ROUNDTRIP_API", value_name = "URL")]
    pub(crate) api: Option<String>,
    /// A bearer token; `roundtrip token` makes one.
    #[arg(long, global = true, env = "ROUNDTRIP_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Speak to the local stack, with a token made on the spot. Needs .local/stack.json, or another file in
    /// ROUNDTRIP_STACK; with that set, this is the default where no `--api` is given.
    #[arg(long, global = true)]
    pub(crate) local: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print what lets a shell complete this command: bash, zsh, fish, elvish or powershell.
    Completions { shell: clap_complete::Shell },
    /// Make a bearer token for the API, and print nothing else.
    Token(TokenArgs),
    /// Stores: add, show, settings, locations.
    #[command(subcommand)]
    Shop(ShopCommand),
    /// Connect a destination store with a source store, or change how they are connected.
    Connect(ConnectArgs),
    /// Tie variants of a destination store to the source store's variants that are shipped for them.
    Link(LinkArgs),
    /// Product links: match, list, remove.
    #[command(subcommand)]
    Links(LinksCommand),
    /// Orders: list, counts, show, push, dry-run, sync, resend, tag, dismiss-warnings, received.
    #[command(subcommand)]
    Order(OrderCommand),
    /// Compare a store's recent orders with what is known of them, and have looked at what no webhook told of.
    Resync(ResyncArgs),
    /// Read a store's orders of the days before it was connected. No customer is mailed.
    Backfill(BackfillArgs),
    /// What needs somebody now, by cause: how many, since when, whose, what to do, and the commands that do it.
    ///
    /// Without a command: all of them. `show` lists the exceptions of one, `own` says who sees to it.
    Incident(IncidentArgs),
    /// Dead letters, what is parked and waits for a person: list, show, redrive, purge.
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// Redrives, resends and purges that were begun: show.
    #[command(subcommand)]
    Job(JobCommand),
    /// Labels of a label tool: add, void.
    #[command(subcommand)]
    Label(LabelCommand),
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// Who will be asking: stands in the history of orders.
    #[arg(long, env = "USER", default_value = "operator")]
    pub(crate) name: String,
    /// How long it is valid.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=720))]
    pub(crate) hours: u16,
    /// It may look and change nothing.
    #[arg(long)]
    pub(crate) read_only: bool,
    /// The operator secret in Secrets Manager: the stack's output `OperatorSecretId`. Read with the usual AWS
    /// credentials and region.
    #[arg(long, env = "ROUNDTRIP_OPERATOR_SECRET_ID", value_name = "ID")]
    pub(crate) secret_id: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ShopCommand {
    /// Register a store and connect it; for one that is known, mend its connection.
    Add(ShopAdd),
    /// How far connecting has come, what the store says of itself, and its connections.
    Show {
        /// The permanent domain, e.g. moon-shop.myshopify.com.
        domain: ShopDomain,
    },
    /// How a store is treated, whoever it is connected with; only what is typed is changed.
    Settings(ShopSettingsArgs),
    /// Which location of a destination store stands for which place that goods are sent from.
    Locations(ShopLocations),
}

#[derive(Debug, Args)]
pub(crate) struct ShopAdd {
    /// The permanent domain, e.g. moon-shop.myshopify.com.
    pub(crate) domain: ShopDomain,
    /// Read an Admin API token from standard input, instead of using the app's own grant.
    #[arg(long)]
    pub(crate) access_token_stdin: bool,
    /// Wait until it is connected.
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShopLocations {
    /// The store that sells to the customer.
    pub(crate) domain: ShopDomain,
    /// All places anew: <shop>.myshopify.com/<location id>, or a warehouse's name, and the location of the store
    /// that stands for it. Without any, the map is shown.
    #[arg(value_name = "PLACE=LOCATION")]
    pub(crate) mappings: Vec<Mapping>,
    /// Take all places out.
    #[arg(long, conflicts_with = "mappings")]
    pub(crate) clear: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrderCommand {
    /// The orders of a store, newest first.
    List(OrderList),
    /// How many orders of a store stand in each tab.
    Counts {
        /// The store where the orders were placed.
        shop: ShopDomain,
    },
    /// One order with all that is known of it, and its history.
    Show {
        /// The store where the order was placed.
        shop: ShopDomain,
        /// Shopify's order id.
        id: OrderId,
    },
    /// Ask for an order's lines to be pushed to a source store.
    Push(OrderPush),
    /// What a push would send, what speaks against it, and what to know before. Nothing is sent or written.
    DryRun(OrderDryRun),
    /// Look at an order now, and at what was shipped of it.
    Sync(OrderSync),
    /// Show the tracking of orders again: of those where that failed, or of any. Nobody is mailed twice about a number.
    Resend(OrderResend),
    /// Put your own tags on an order, or take them off. No store shows them.
    Tag(OrderTag),
    /// Say that somebody saw to the warnings of an order at the source store, so that nobody has to own them.
    DismissWarnings(OrderDismissWarnings),
    /// The orders that a source store received: from whom, and how far it has come with them.
    Received(OrderReceived),
}

#[derive(Debug, Args)]
pub(crate) struct OrderTag {
    /// The store where the order was placed.
    pub(crate) shop: ShopDomain,
    /// Shopify's order id.
    pub(crate) id: OrderId,
    /// A tag to put on it; several may be given.
    #[arg(long, required_unless_present = "remove")]
    pub(crate) add: Vec<String>,
    /// A tag to take off it; several may be given.
    #[arg(long)]
    pub(crate) remove: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OrderDismissWarnings {
    /// The store where the order was placed.
    pub(crate) shop: ShopDomain,
    /// Shopify's order id.
    pub(crate) id: OrderId,
    /// Those of one cause, as `incident` shows it. All that somebody has to own, if left out.
    #[arg(long)]
    pub(crate) cause: Option<String>,
    /// What was done: stands in the history of the order.
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct OrderReceived {
    /// The store that they were pushed to.
    pub(crate) shop: ShopDomain,
    /// unfulfilled, partially-fulfilled, fulfilled or cancelled.
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// The store where they were placed.
    #[arg(long, value_name = "SHOP")]
    pub(crate) origin: Option<ShopDomain>,
    #[command(flatten)]
    pub(crate) part: ListPart,
}

/// Which part of a list of orders.
#[derive(Debug, Args)]
pub(crate) struct ListPart {
    /// As the store's merchant sees it: #1042 or 1042.
    #[arg(long)]
    pub(crate) number: Option<String>,
    /// Placed, or received, at this time or later: a time, or a date in UTC.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Placed, or received, before this time: a time, or a date in UTC.
    #[arg(long, value_name = "TIME")]
    pub(crate) before: Option<String>,
    /// At most so many; the API takes up to 250.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=250))]
    pub(crate) limit: Option<u16>,
    /// Where the next page starts, as the page before says.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// `yes` or `no`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesNo {
    Yes,
    No,
}

#[derive(Debug, Args)]
pub(crate) struct ResyncArgs {
    /// The store whose orders are read: one that sells, or one that ships.
    pub(crate) shop: ShopDomain,
    /// Wait until it is read, and what was found is fixed.
    #[arg(long)]
    pub(crate) wait: bool,
    /// Begin nothing: show the run that is under way, or the last one.
    #[arg(long, conflicts_with = "wait")]
    pub(crate) show: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackfillArgs {
    /// The store whose orders are read.
    pub(crate) shop: ShopDomain,
    /// How many days back; more than 7 take the plan `paid`, more than 60 the scope read_all_orders.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) days: u16,
    /// Wait until they are read, and what was found is in the ledger.
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OrderList {
    /// The store where the orders were placed.
    pub(crate) shop: ShopDomain,
    /// not-pushed, partially-pushed, pushed or cancelled; without it, the orders of all.
    #[arg(long)]
    pub(crate) tab: Option<Tab>,
    /// Those with a tag: the store's, your own, or ours, e.g. "Failed Shipment Notification".
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Those of which something was sent, or nothing.
    #[arg(long, value_name = "YES|NO")]
    pub(crate) shipped: Option<YesNo>,
    /// In Shopify's words: UNFULFILLED, PARTIALLY_FULFILLED, FULFILLED, ON_HOLD, …
    #[arg(long, value_name = "STATUS")]
    pub(crate) fulfillment: Option<String>,
    /// Those of which this source store holds something.
    #[arg(long, value_name = "SHOP")]
    pub(crate) source: Option<ShopDomain>,
    #[command(flatten)]
    pub(crate) part: ListPart,
    /// All of them, page by page, as CSV.
    #[arg(long, conflicts_with_all = ["limit", "after"])]
    pub(crate) csv: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OrderPush {
    /// The store where the order was placed.
    pub(crate) shop: ShopDomain,
    /// Shopify's order id.
    pub(crate) id: OrderId,
    /// The source store; all that hold something of the order, if left out.
    #[arg(long, value_name = "SHOP")]
    pub(crate) source: Option<ShopDomain>,
    /// What shipping costs, in the source store's currency; what the store's rates say, if left out.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) fee: Option<Decimal>,
    /// Wait for the outcome.
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OrderDryRun {
    /// The store where the order was placed.
    pub(crate) shop: ShopDomain,
    /// Shopify's order id.
    pub(crate) id: OrderId,
    /// The source store; all that hold something of the order, if left out.
    #[arg(long, value_name = "SHOP")]
    pub(crate) source: Option<ShopDomain>,
    /// What shipping costs, in the source store's currency; what the store's rates say, if left out.
    #[arg(long, value_name = "AMOUNT", requires = "source")]
    pub(crate) fee: Option<Decimal>,
}

#[derive(Debug, Args)]
pub(crate) struct OrderSync {
    /// The store whose order it is: where it was placed, or where it was pushed to.
    pub(crate) shop: ShopDomain,
    /// Shopify's order id.
    pub(crate) id: OrderId,
    /// Wait for the outcome.
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelCommand {
    /// Say that a label was bought for an order: its tracking is shown on it.
    ///
    /// Again with other tracking, what is shown is replaced. Again for a label that is parked, it is tried anew.
    Add(LabelAdd),
    /// Say that a label was deleted. What it showed stays until another label takes its place.
    Void {
        /// The store where the order was placed.
        shop: ShopDomain,
        /// Shopify's order id.
        order: OrderId,
        /// The label tool's name for it.
        label: LabelId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LabelAdd {
    /// The store where the order was placed.
    pub(crate) shop: ShopDomain,
    /// Shopify's order id.
    pub(crate) order: OrderId,
    /// The label tool's name for it: letters, digits, dots, dashes, underscores.
    pub(crate) label: LabelId,
    /// A tracking number; once for each parcel.
    #[arg(long = "number", required = true, value_name = "NUMBER")]
    pub(crate) numbers: Vec<String>,
    /// The carrier of all of them.
    #[arg(long)]
    pub(crate) company: Option<String>,
    /// Where a number can be followed; once for each number, in the same order. A carrier that Shopify knows needs none.
    #[arg(long = "url", value_name = "URL")]
    pub(crate) urls: Vec<String>,
    /// What was sent: a line of the order, and how many. Without any: all that the order still waits for.
    #[arg(long = "line", value_name = "LINE=QTY")]
    pub(crate) lines: Vec<Units>,
    /// From where it was sent, in the tool's words; `shop locations` maps it to a location.
    #[arg(long)]
    pub(crate) warehouse: Option<String>,
    /// Do not let the store mail the customer.
    #[arg(long)]
    pub(crate) no_mail: bool,
}

#[cfg(test)]
mod tests;
