//! Dead letters as they are asked for.

use std::convert::Infallible;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use roundtrip_domain::dead_letters::DeadLetterId;
use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::task::Queue;

#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// What is parked and waits for a person, oldest first. Read from the ledger: nothing is taken off a queue.
    List(DlqList),
    /// One of them: why it stopped, and what to do.
    Show {
        /// As the list shows it.
        id: DeadLetterId,
    },
    /// Set them going again: each once, however often it is asked for. Answers with a job.
    Redrive(DlqRedrive),
    /// Take them off the list and off their queues: nothing more is done about them. Answers with a job.
    Purge(DlqPurge),
}

#[derive(Debug, Args)]
pub(crate) struct DlqPurge {
    #[command(flatten)]
    pub(crate) choice: DlqChoice,
    /// How many these are. Without it, or with another number, nothing is done.
    #[arg(long, value_name = "COUNT")]
    pub(crate) confirm: Option<usize>,
    /// Why: stands in the history of each order.
    #[arg(long)]
    pub(crate) reason: String,
    /// Wait for the outcome.
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DlqRedrive {
    #[command(flatten)]
    pub(crate) choice: DlqChoice,
    /// Only say what would be set going.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How many begin in a second.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) rate: u16,
    /// So many go first, the oldest; the others only if these succeed.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=25))]
    pub(crate) canary: u16,
    /// Why: stands in the history of each order.
    #[arg(long, required_unless_present = "dry_run")]
    pub(crate) reason: Option<String>,
    /// Wait for the outcome.
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// How far it has come, and what came of each step or order.
    Show {
        /// As the command that began it told.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DlqList {
    #[command(flatten)]
    pub(crate) filter: DlqFilter,
    /// At most so many; the API takes up to 250.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=250))]
    pub(crate) limit: Option<u16>,
    /// Where the next page starts, as the page before says.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// Which of them something is done with.
#[derive(Debug, Args)]
pub(crate) struct DlqChoice {
    /// Just these, as the list shows them.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<DeadLetterId>,
    #[command(flatten)]
    pub(crate) filter: DlqFilter,
    /// All that is parked.
    #[arg(long)]
    pub(crate) all: bool,
}

/// What they have in common.
#[derive(Debug, Args)]
pub(crate) struct DlqFilter {
    /// Those of one cause, as the list shows it.
    #[arg(long)]
    pub(crate) cause: Option<String>,
    /// Those with a code, e.g. CHANNEL_UNAVAILABLE.
    #[arg(long, value_parser = code)]
    pub(crate) code: Option<String>,
    /// Those of a queue: order-push, tracking-writeback, app-lifecycle or resync.
    #[arg(long)]
    pub(crate) queue: Option<Queue>,
    /// Those that have to do with a store: the one where the order was placed, or the one that its goods come from.
    #[arg(long)]
    pub(crate) shop: Option<ShopDomain>,
    /// Those of an order, by Shopify's id of it.
    #[arg(long)]
    pub(crate) order: Option<OrderId>,
    /// Parked since: 6h, 2d, a time, or a date in UTC.
    #[arg(long, value_name = "AGE|TIME", value_parser = moment)]
    pub(crate) since: Option<String>,
    /// Parked before: 6h ago, 2d ago, a time, or a date in UTC.
    #[arg(long, value_name = "AGE|TIME", value_parser = moment)]
    pub(crate) before: Option<String>,
}

fn code(text: &str) -> Result<String, Infallible> {
    Ok(text.to_uppercase())
}

fn moment(text: &str) -> Result<String, String> {
    moment_at(text, Timestamp::now())
}

/// As the API takes it: so long before `now`; or a time or date, which the API reads itself.
fn moment_at(text: &str, now: Timestamp) -> Result<String, String> {
    let Ok(age) = text.parse::<Span>() else { return Ok(text.to_owned()) };
    let age = age.to_duration(SpanRelativeTo::days_are_24_hours()).ok().map(SignedDuration::abs);
    let at = age.and_then(|age| now.checked_sub(age).ok());
    at.map(|at| at.to_string()).ok_or_else(|| format!("`{text}` is no age: give one like 90m, 6h or 2d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_time_before_now_and_anything_else_is_the_apis_matter() {
        let now: Timestamp = "2026-11-23T03:00:00Z".parse().unwrap();
        let at = |text: &str| moment_at(text, now);

        assert_eq!(at("90m").unwrap(), "2026-11-23T01:30:00Z");
        assert_eq!(at("2d").unwrap(), "2026-11-21T03:00:00Z");
        assert_eq!(at("6 hours ago").unwrap(), "2026-11-22T21:00:00Z");
        assert_eq!(at("2026-11-01").unwrap(), "2026-11-01");
        assert!(at("1mo").unwrap_err().contains("90m"), "months are of no length");
    }
}
