//! The table: one line a number, one column a function, medians with their spread.

use std::time::Duration;

use crate::Column;
use crate::cpu_share::{PERIOD, in_portions, portion};
use crate::measure::Start;

/// A number, its budget for our function, and how it is taken from a column.
struct Line {
    what: &'static str,
    budget: Option<(&'static str, f64)>,
    decimals: usize,
    values: fn(&Column<'_>) -> Vec<f64>,
}

/// The budgets. Source: docs/ARCHITECTURE.md, "Numbers".
const LINES: [Line; 10] = [
    line("init, CPU ms", None, 1, |column| each(column, |start| ms(start.init_cpu))),
    line("first invocation, CPU ms", None, 2, |column| each(column, |start| ms(start.first_cpu))),
    line("init + first invocation, CPU ms", Some(("≤ 15", 15.0)), 1, |column| {
        each(column, |start| ms(start.init_cpu + start.first_cpu))
    }),
    line("first invocation, ms", None, 2, |column| each(column, |start| ms(start.first_wall))),
    line("first invocation at 128 MB, ms", Some(("≤ 10", 10.0)), 1, at_share),
    line("warm invocation, CPU ms", Some(("≤ 1", 1.0)), 2, |column| each(column, |start| ms(start.warm_cpu))),
    line("peak memory, MiB", Some(("≤ 16", 16.0)), 1, |column| each(column, |start| mib(start.peak_memory_bytes))),
    line("artefact, MB", Some(("< 10", 10.0)), 2, |column| vec![mb(column.subject.artefact_bytes)]),
    line("zip, MB", Some(("≤ 5", 5.0)), 2, |column| vec![mb(column.subject.zip_bytes)]),
    line("calls to AWS in init", None, 0, |column| vec![count(column.starts[0].init_calls)]),
];

const fn line(
    what: &'static str,
    budget: Option<(&'static str, f64)>,
    decimals: usize,
    values: fn(&Column<'_>) -> Vec<f64>,
) -> Line {
    Line { what, budget, decimals, values }
}

/// Prints all columns side by side.
pub(crate) fn print(columns: &[Column<'_>]) {
    println!(
        "\nwebhook-intake: median (least to most) of fresh starts on this machine, AWS's part played over plain HTTP\n"
    );
    print!("{:<32} {:>6}", "", "budget");
    for column in columns {
        print!(" {:>24}", format!("{} ({} starts)", column.subject.name, column.starts.len()));
    }
    println!();
    for Line { what, budget, decimals, values } in &LINES {
        print!("{what:<32} {:>6}", budget.map_or("", |budget| budget.0));
        for column in columns {
            print!(" {:>24}", spread(&mut values(column), *decimals));
        }
        let ours = median(&mut (values)(&columns[0]));
        println!("{}", if budget.is_some_and(|budget| ours > budget.1) { "   over budget" } else { "" });
    }
    println!("\nEach delivery led to 200 and one call to AWS, with the one task; a forged one to 401 and none.");
    let portions = format!("{:.1} ms of CPU every {} ms", ms(portion()), PERIOD.as_millis());
    match &columns[0].at_share {
        Ok(_) => println!("At 128 MB: measured, in a control group that gets {portions} after init."),
        Err(reason) => println!("At 128 MB: computed, for {portions} ({reason})."),
    }
}

fn each(column: &Column<'_>, value: fn(&Start) -> f64) -> Vec<f64> {
    column.starts.iter().map(value).collect()
}

fn at_share(column: &Column<'_>) -> Vec<f64> {
    match &column.at_share {
        Ok(walls) => walls.iter().copied().map(ms).collect(),
        Err(_) => each(column, |start| ms(in_portions(start.first_cpu))),
    }
}

fn spread(values: &mut [f64], decimals: usize) -> String {
    let middle = median(values);
    match values {
        [_] => format!("{middle:.decimals$}"),
        [least, .., most] => format!("{middle:.decimals$} ({least:.decimals$}–{most:.decimals$})"),
        [] => "–".to_owned(),
    }
}

/// Sorts the values and gives the middle one.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[allow(clippy::cast_precision_loss)] // To one decimal.
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[allow(clippy::cast_precision_loss)] // To two decimals.
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[allow(clippy::cast_precision_loss)] // A handful.
fn count(calls: usize) -> f64 {
    calls as f64
}
