//! Incidents as they are asked for, and taken.

use clap::{Args, Subcommand};
use roundtrip_domain::exceptions::Owner;
use roundtrip_domain::id::ShopDomain;

#[derive(Debug, Args)]
pub(crate) struct IncidentArgs {
    /// Only what has to do with this store, on either side.
    #[arg(long)]
    pub(crate) shop: Option<ShopDomain>,
    /// Only what belongs to somebody.
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<Owner>,
    /// Only what belongs to nobody.
    #[arg(long, conflicts_with = "owner")]
    pub(crate) unowned: bool,
    #[command(subcommand)]
    pub(crate) command: Option<IncidentCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// All exceptions of one cause, oldest first.
    Show {
        /// As the list shows it.
        cause: String,
        /// At most so many; the API takes up to 250.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=250))]
        limit: Option<u16>,
    },
    /// Take a cause, or say who does: what failed of it, and what does meanwhile.
    Own {
        /// As the list shows it.
        cause: String,
        /// Who sees to it: a person or a team. You, if left out.
        #[arg(long, value_name = "NAME")]
        to: Option<Owner>,
        /// For how long. What is there still belongs to nobody again then.
        #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=90))]
        days: u16,
    },
    /// Nobody has taken this cause any more.
    Release {
        /// As the list shows it.
        cause: String,
    },
}
