//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::record::Tab;

use crate::pairs::Pair;

/// Keeps Shopify stores in step: register stores, link products, see and push orders.
#[derive(Debug, Parser)]
#[command(name = "roundtrip", version, max_term_width = 100)]
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
    /// Make a bearer token for the API, and print nothing else.
    Token(TokenArgs),
    /// Stores: add, show.
    #[command(subcommand)]
    Shop(ShopCommand),
    /// Connect a destination store with a source store, or change how they are connected.
    Connect(ConnectArgs),
    /// Tie variants of a destination store to the source store's variants that are shipped for them.
    Link(LinkArgs),
    /// Orders: list, show, push.
    #[command(subcommand)]
    Order(OrderCommand),
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// Who will be asking: stands in the history of orders.
    #[arg(long, env = "USER", default_value = "operator")]
    pub(crate) name: String,
    /// How long it is valid.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=720))]
    pub(crate) hours: u16,
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
pub(crate) struct ConnectArgs {
    /// The store that sells to the customer.
    pub(crate) destination: ShopDomain,
    /// The store that holds the goods.
    pub(crate) source: ShopDomain,
    /// Push paid orders without being asked.
    #[arg(long)]
    pub(crate) auto_push: Option<Switch>,
    /// Let the destination store mail the customer when tracking is first written.
    #[arg(long)]
    pub(crate) notify_customer: Option<Switch>,
    /// Whose unit prices the source order carries.
    #[arg(long)]
    pub(crate) unit_price: Option<Price>,
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// One of the two stores of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Price {
    Source,
    Destination,
}

#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// The store that sells to the customer.
    pub(crate) destination: ShopDomain,
    /// The store that holds the goods.
    pub(crate) source: ShopDomain,
    /// Destination variant and source variant, e.g. 5512345678901=6612345678901.
    #[arg(required_unless_present = "csv", conflicts_with = "csv", value_name = "VARIANT=VARIANT")]
    pub(crate) pairs: Vec<Pair>,
    /// A CSV file with the columns destination_variant and source_variant.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrderCommand {
    /// The orders of a store, newest first.
    List(OrderList),
    /// One order with all that is known of it, and its history.
    Show {
        /// The store where the order was placed.
        shop: ShopDomain,
        /// Shopify's order id.
        id: OrderId,
    },
    /// Ask for an order's lines to be pushed to a source store.
    Push(OrderPush),
}

#[derive(Debug, Args)]
pub(crate) struct OrderList {
    /// The store where the orders were placed.
    pub(crate) shop: ShopDomain,
    /// not-pushed, partially-pushed, pushed or cancelled; without it, the newest of all.
    #[arg(long)]
    pub(crate) tab: Option<Tab>,
    /// At most so many; the API takes up to 250.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=250))]
    pub(crate) limit: Option<u16>,
    /// Where the next page starts, as the page before says.
    #[arg(long, requires = "tab", value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OrderPush {
    /// The store where the order was placed.
    pub(crate) shop: ShopDomain,
    /// Shopify's order id.
    pub(crate) id: OrderId,
    /// The source store.
    #[arg(long, value_name = "SHOP")]
    pub(crate) source: ShopDomain,
    /// Wait for the outcome.
    #[arg(long)]
    pub(crate) wait: bool,
}

impl Switch {
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

impl Price {
    /// As the API takes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_arguments_contradict_each_other_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_for_all_commands_may_stand_anywhere() {
        let cli = parse("roundtrip shop show moon.myshopify.com --json --local").unwrap();

        assert!(cli.json && cli.to.local);
    }

    #[test]
    fn what_does_not_parse_is_told_before_anything_is_asked() {
        for (line, told) in [
            ("roundtrip shop show moon", "moon-shop.myshopify.com"),
            ("roundtrip order show moon.myshopify.com #1001", "give the number"),
            ("roundtrip order list moon.myshopify.com --tab open", "not-pushed, partially-pushed"),
            ("roundtrip order list moon.myshopify.com --after x", "--tab"),
            ("roundtrip order list moon.myshopify.com --limit 251", "1..=250"),
            ("roundtrip link moon.myshopify.com sun.myshopify.com", "VARIANT=VARIANT"),
            ("roundtrip link moon.myshopify.com sun.myshopify.com 1-2", "12=34"),
            ("roundtrip link moon.myshopify.com sun.myshopify.com 1=2 --csv f", "--csv"),
            ("roundtrip connect moon.myshopify.com sun.myshopify.com --auto-push yes", "on, off"),
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(told), "{line}: {error}");
        }
    }

    #[test]
    fn a_token_in_the_environment_is_not_shown_in_the_help() {
        let token = Cli::command().get_arguments().find(|arg| arg.get_id() == "token").cloned().unwrap();

        assert!(token.is_hide_env_values_set());
    }
}
