//! Prints the numbers to hold: what an order costs in calls, and what `webhook-intake` costs in time and space, beside
//! the same function written for Node.
#![allow(clippy::print_stdout)] // It prints.

mod calls;
mod cpu_share;
mod deliveries;
mod host;
mod measure;
mod process;
mod subject;
mod table;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use cpu_share::CpuShare;
use measure::Start;
use subject::Subject;

/// How often a function is started afresh. Node's starts are slow, and their spread is small beside the difference.
const STARTS: usize = 10;
const NODE_STARTS: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    calls::print().await;
    match intake().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            println!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

async fn intake() -> Result<(), String> {
    if !Path::new("/proc/self/schedstat").exists() {
        println!("\nwebhook-intake is not measured: what a process uses is read from Linux's /proc.");
        return Ok(());
    }
    println!("\nBuilding webhook-intake as it is deployed (three to six minutes the first time) …");
    let rust = Subject::rust()?;
    println!("Bundling the same function for Node …");
    let node = Subject::node().inspect_err(|reason| println!("Node is left out: {reason}")).ok();
    let mut columns = vec![column(&rust, STARTS).await?];
    if let Some(node) = &node {
        columns.push(column(node, NODE_STARTS).await?);
    }
    table::print(&columns);
    Ok(())
}

/// All that was measured of one subject.
struct Column<'a> {
    subject: &'a Subject,
    starts: Vec<Start>,
    /// How long first invocations took at the CPU share of 128 MB, or why this machine cannot say.
    at_share: Result<Vec<Duration>, String>,
}

async fn column(subject: &Subject, count: usize) -> Result<Column<'_>, String> {
    println!("Starting {} {count} times, and {count} times more for the CPU share of 128 MB …", subject.name);
    let mut starts = Vec::new();
    for _ in 0..count {
        starts.push(measure::start(subject).await?);
    }
    let at_share = match CpuShare::is_possible() {
        Ok(()) => Ok(first_invocations_at_share(subject, count).await?),
        Err(reason) => Err(reason),
    };
    Ok(Column { subject, starts, at_share })
}

async fn first_invocations_at_share(subject: &Subject, count: usize) -> Result<Vec<Duration>, String> {
    let mut walls = Vec::new();
    for _ in 0..count {
        walls.push(measure::first_invocation_at(&CpuShare::of_128_mb()?, subject).await?);
    }
    Ok(walls)
}
