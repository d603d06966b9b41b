//! What each command does: ask the API, show the answer.

mod dead_letters;
mod incidents;
mod labels;
mod links;
mod orders;
mod resend;
mod resync;
mod shops;

use clap::CommandFactory as _;
use jiff::Timestamp;
use roundtrip_api::READ_SCOPE;
use serde_json::json;

use crate::api::Answer;
use crate::cli::{Cli, Command, JobCommand, LabelCommand, OrderCommand, ShopCommand, To, TokenArgs};
use crate::out::Output;
use crate::stack::Stack;
use crate::token;
use crate::trouble::Trouble;

/// Runs one command.
pub(crate) async fn run(cli: Cli) -> Result<Output, Trouble> {
    let Cli { to, json, command } = cli;
    match command {
        Command::Completions { shell } => Ok(Output::done(completions(shell))),
        Command::Token(args) => make_token(&to, json, &args).await,
        Command::Shop(ShopCommand::Add(args)) => shops::add(&to.api().await?, json, &args).await,
        Command::Shop(ShopCommand::Show { domain }) => shops::show(&to.api().await?, json, &domain).await,
        Command::Shop(ShopCommand::Locations(args)) => shops::locations(&to.api().await?, json, &args).await,
        Command::Connect(args) => shops::connect(&to.api().await?, json, &args).await,
        Command::Link(args) => links::link(&to.api().await?, json, &args).await,
        Command::Links(command) => links::run(&to.api().await?, json, &command).await,
        Command::Order(OrderCommand::List(args)) => orders::list(&to.api().await?, json, &args).await,
        Command::Order(OrderCommand::Counts { shop }) => orders::counts(&to.api().await?, json, &shop).await,
        Command::Order(OrderCommand::Show { shop, id }) => orders::show(&to.api().await?, json, &shop, id).await,
        Command::Order(OrderCommand::Push(args)) => orders::push(&to.api().await?, json, &args).await,
        Command::Order(OrderCommand::DryRun(args)) => orders::dry_run(&to.api().await?, json, &args).await,
        Command::Order(OrderCommand::Sync(args)) => orders::sync(&to.api().await?, json, &args).await,
        Command::Order(OrderCommand::Resend(args)) => resend::run(&to.api().await?, json, &args).await,
        Command::Order(OrderCommand::Tag(args)) => orders::tag(&to.api().await?, json, &args).await,
        Command::Order(OrderCommand::DismissWarnings(args)) => {
            orders::dismiss_warnings(&to.api().await?, json, &args).await
        }
        Command::Order(OrderCommand::Received(args)) => orders::received(&to.api().await?, json, &args).await,
        Command::Shop(ShopCommand::Settings(args)) => shops::settings(&to.api().await?, json, &args).await,
        Command::Backfill(args) => resync::backfill(&to.api().await?, json, &args).await,
        Command::Resync(args) => resync::resync(&to.api().await?, json, &args).await,
        Command::Label(LabelCommand::Add(args)) => labels::add(&to, json, &args).await,
        Command::Incident(args) => incidents::run(&to.api().await?, json, &args).await,
        Command::Dlq(command) => dead_letters::run(&to.api().await?, json, &command).await,
        Command::Job(JobCommand::Show { id }) => dead_letters::job(&to.api().await?, json, &id).await,
        Command::Label(LabelCommand::Void { shop, order, label }) => {
            labels::void(&to.api().await?, json, &shop, order, &label).await
        }
    }
}

/// Of what may be typed for a query, what was.
fn given(typed: impl Iterator<Item = (&'static str, Option<String>)>) -> Vec<(&'static str, String)> {
    typed.filter_map(|(name, value)| Some((name, value?))).collect()
}

fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "roundtrip", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

async fn make_token(to: &To, json: bool, args: &TokenArgs) -> Result<Output, Trouble> {
    let secret = match args.secret_id.as_deref().filter(|id| !id.is_empty() && !to.local) {
        Some(id) => token::secret(id).await?,
        None if to.local || Stack::is_named() => token::local_secret(&Stack::read()?).await?,
        None => {
            let remedy =
                "give --secret-id <OperatorSecretId of the stack> or set ROUNDTRIP_OPERATOR_SECRET_ID; or --local";
            return Err(Trouble::usage("no operator secret to sign with", remedy));
        }
    };
    let scope = args.read_only.then_some(READ_SCOPE);
    let token = token::sign((&args.name, scope), args.hours, &secret, Timestamp::now())?;
    Ok(Output::done(if json { json!({ "token": token.expose() }).to_string() } else { token.expose().to_owned() }))
}

/// The answer as it came, or as `show` puts it.
fn shown(answer: Answer, json: bool, show: impl FnOnce(&Answer) -> Result<String, Trouble>) -> Result<Output, Trouble> {
    if json { Ok(Output::done(answer.raw)) } else { show(&answer).map(Output::done) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_learns_every_command() {
        for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
            let script = completions(shell);
            for word in ["links", "dry-run", "received", "backfill", "completions", "release"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
