//! `roundtrip`: the operator's and merchant's command, a client of the ops-api.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
mod cli;
mod out;
mod pairs;
mod print;
mod run;
mod stack;
mod target;
mod token;
mod trouble;
mod typed;
mod wait;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::out::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    match run::run(cli).await {
        Ok(Output { text, ok }) => {
            out::print(&text);
            if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(trouble) => {
            if json && let Some(answer) = trouble.answer() {
                out::print(answer);
            }
            eprintln!("{trouble}");
            trouble.exit_code()
        }
    }
}
