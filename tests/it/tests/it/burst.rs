//! The busiest ten minutes of the year, on a virtual clock: nothing is lost, nothing is doubled, the backlog drains as
//! fast as the shop's rate limit allows, and another shop hardly notices.

use std::io::Write;
use std::time::Duration;

use roundtrip_domain::resync::Run;
use roundtrip_kit::burst::{Burst, Limits, Read, Report, Resynced, percentile, run};

const STANDARD: Limits = Limits {
    points_per_second: 100,
    bucket: 2000,
    throttled_percent: 10,
    new_orders_per_minute: None,
    patience: Duration::from_secs(2),
};

/// Past the capture of passing tests: the numbers are what this is for.
fn show(what: &str, report: &Report) {
    let seconds = |wait: Duration| format!("{:.1} s", wait.as_secs_f64());
    let waits = |waits: &[Duration]| [50, 95, 100].map(|percent| seconds(percentile(waits, percent))).join(" / ");
    let _ = writeln!(
        std::io::stderr(),
        "{what}: {} pushed, {} doubled, {} parked, drained after {}; {} calls, {} of them throttled; {} tasks queued at most\n  \
         from order to push, p50 / p95 / longest: {}; in the other shop: {}",
        report.pushed,
        report.doubled,
        report.parked,
        seconds(report.drained_after),
        report.calls,
        report.throttled,
        report.most_queued,
        waits(&report.waits),
        waits(&report.trickle_waits),
    );
}

#[tokio::test]
async fn five_thousand_orders_in_ten_minutes_all_go_once_at_the_restore_rate() {
    let over = Duration::from_secs(600);
    let quiet = run(Burst { orders: 0, trickle: 50, over, limits: STANDARD, read: None }).await;
    let burst = run(Burst { orders: 5000, trickle: 50, over, limits: STANDARD, read: None }).await;

    show("a quiet day  ", &quiet);
    show("the busy day ", &burst);
    assert_eq!((burst.pushed, burst.doubled, burst.parked, burst.due), (5050, 0, 0, 0));
    // Each order is read for 40 points at least once; what came in the bucket is spent at once.
    let least = Duration::from_secs((5000 * 40 - 2000) / 100);
    assert!(burst.drained_after >= least);
    assert!(burst.drained_after < least * 2, "{:?} instead of {least:?}", burst.drained_after);
    let delay = percentile(&burst.trickle_waits, 95).saturating_sub(percentile(&quiet.trickle_waits, 95));
    assert!(delay < Duration::from_secs(60), "the other shop waits {delay:?} longer");
}

#[tokio::test]
async fn a_development_store_gets_five_orders_a_minute_and_all_of_them() {
    let limits = Limits { new_orders_per_minute: Some(5), throttled_percent: 0, ..STANDARD };

    let report = run(Burst { orders: 60, trickle: 0, over: Duration::from_secs(60), limits, read: None }).await;

    show("development  ", &report);
    assert_eq!((report.pushed, report.doubled, report.parked), (60, 0, 0));
    assert!(report.drained_after >= Duration::from_secs(11 * 60), "sixty at five a minute");
}

#[tokio::test]
async fn fifty_thousand_orders_are_resynced_beside_pushes_that_hardly_notice() {
    let read = Read { known: 49_900, missed: 100 };
    let over = Duration::from_secs(1200);
    let pushes =
        Burst { orders: 300, trickle: 0, over, limits: Limits { throttled_percent: 0, ..STANDARD }, read: None };

    let alone = run(pushes).await;
    let beside = run(Burst { read: Some(read), ..pushes }).await;

    show("pushes alone ", &alone);
    show("with a resync", &beside);
    let resynced = beside.resynced.expect("it was read");
    show_resync(&resynced);
    let Run { scanned, found, fixed, calls, .. } = resynced.run;
    assert_eq!((found, fixed), (100, 100));
    // Those at which a list ends are read twice, and what is placed in the run's first second is read as well.
    assert!((50_000..50_010).contains(&scanned), "{scanned} were read");
    assert_eq!(calls, 50_000 / 250 + 1 + 1, "one list more than 25,000 orders, and one for older ones that changed");
    assert!(resynced.most_held < 20_000, "{} bytes in one row", resynced.most_held);
    assert_eq!((beside.pushed, beside.doubled, beside.parked), (300, 0, 0));
    let delay = percentile(&beside.waits, 95).saturating_sub(percentile(&alone.waits, 95));
    assert!(delay < Duration::from_secs(2), "a push waits {delay:?} longer");
}

fn show_resync(resynced: &Resynced) {
    let Resynced { run, read_after, most_held } = resynced;
    let _ = writeln!(
        std::io::stderr(),
        "  {} orders read in {} calls and {:.0} s, {} found, {} fixed; {most_held} bytes held at most",
        run.scanned,
        run.calls,
        read_after.as_secs_f64(),
        run.found,
        run.fixed,
    );
}
