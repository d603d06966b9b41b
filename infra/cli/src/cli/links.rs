//! Product links as they are asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use roundtrip_api::links::PutLink;
use roundtrip_domain::id::{ShopDomain, VariantId};
use roundtrip_domain::registry::MatchBy;

use crate::pairs;

#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// The store that sells to the customer.
    pub(crate) destination: ShopDomain,
    /// The store that holds the goods.
    pub(crate) source: ShopDomain,
    /// Destination variant and source variant, e.g. 5512345678901=6612345678901.
    #[arg(required_unless_present = "csv", conflicts_with = "csv", value_name = "VARIANT=VARIANT", value_parser = pairs::pair)]
    pub(crate) pairs: Vec<PutLink>,
    /// A CSV file with the columns destination_variant and source_variant; or destination_sku, source_sku in the place of
    /// either.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LinksCommand {
    /// Link what carries the same SKU or barcode in both stores, and report what does not or does so twice.
    Match(MatchArgs),
    /// The links between two stores.
    List(ListLinks),
    /// Take a link away.
    Remove {
        /// The store that sells to the customer.
        destination: ShopDomain,
        /// The store that holds the goods.
        source: ShopDomain,
        /// The destination's variant.
        variant: VariantId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct MatchArgs {
    /// The store that sells to the customer.
    pub(crate) destination: ShopDomain,
    /// The store that holds the goods.
    pub(crate) source: ShopDomain,
    /// What both variants have to carry.
    #[arg(long, value_enum)]
    pub(crate) by: By,
    /// Link nothing: only report.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the whole report to a CSV file.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum By {
    Sku,
    Barcode,
}

impl From<By> for MatchBy {
    fn from(by: By) -> Self {
        match by {
            By::Sku => Self::Sku,
            By::Barcode => Self::Barcode,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListLinks {
    /// The store that sells to the customer.
    pub(crate) destination: ShopDomain,
    /// The store that holds the goods.
    pub(crate) source: ShopDomain,
    /// Only those by which nothing is pushed, and why.
    #[arg(long)]
    pub(crate) trouble: bool,
}
