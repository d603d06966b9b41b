//! The test of the test: protocols that are broken on purpose are seen to be.

use std::time::Duration;

use roundtrip_domain::record::{Commit, RowKey, Write};
use roundtrip_domain::step::StepId;
use roundtrip_kit::explore::Law;
use roundtrip_kit::fake::MemoryLedger;
use serde_json::{Value, json};

use super::{breaks, scenes};

/// The part of a step's row at `path`, where the row has it.
fn part<'a>(write: &'a mut Write, path: &str) -> Option<&'a mut Value> {
    write.body.as_mut()?.pointer_mut(path)
}

#[test]
fn without_waits_a_late_call_makes_two_orders() {
    let mut scenario = scenes::push();
    scenario.ports.waits.quarantine = Duration::ZERO;
    scenario.ports.waits.verify_interval = Duration::ZERO;

    breaks(&scenario, Law::OneOrderPerKey, 1);
}

#[test]
fn two_looks_at_once_miss_an_order_that_the_index_does_not_show_yet() {
    let mut scenario = scenes::push();
    scenario.ports.waits.verify_interval = Duration::ZERO;

    breaks(&scenario, Law::OneOrderPerKey, 2);
}

#[test]
fn without_a_quarantine_a_late_call_is_shown_twice() {
    let mut scenario = scenes::writeback();
    scenario.ports.waits.quarantine = Duration::ZERO;

    breaks(&scenario, Law::NeverMoreThanShipped, 1);
}

/// Whoever writes last wins.
fn ignore_versions(ledger: &MemoryLedger, commit: &mut Commit) {
    for write in &mut commit.writes {
        write.expected = ledger.version(&write.order, &write.key);
    }
}

#[test]
fn without_versions_two_workers_both_claim() {
    let mut push = scenes::push();
    push.tamper = ignore_versions;
    let mut writeback = scenes::writeback();
    writeback.tamper = ignore_versions;

    breaks(&push, Law::OneOrderPerKey, 1);
    breaks(&writeback, Law::NeverMoreThanShipped, 1);
}

#[test]
fn create_then_record_makes_two_orders() {
    let mut scenario = scenes::push();
    scenario.tamper = |ledger, commit| {
        commit.writes.retain_mut(|write| part(write, "/state/type").is_none_or(|state| *state != "sent"));
        ignore_versions(ledger, commit);
    };

    breaks(&scenario, Law::OneOrderPerKey, 1);
}

#[test]
fn a_ledger_that_forgets_who_was_mailed_mails_twice() {
    let mut scenario = scenes::writeback_from_two_locations();
    scenario.tamper = |_, commit| {
        let marks = commit.writes.iter_mut().filter_map(|write| part(write, "/state/mailed"));
        marks.for_each(|mailed| *mailed = json!([]));
    };

    breaks(&scenario, Law::OneMailPerNumber, 1);
}

#[test]
fn a_ledger_that_forgets_wake_ups_loses_what_failed() {
    let mut scenario = scenes::push();
    scenario.tamper = |_, commit| {
        for write in &mut commit.writes {
            if part(write, "/wait/why").is_some_and(|why| *why != "publishing") {
                write.due = None;
            }
        }
    };

    breaks(&scenario, Law::NothingLost, 1);
}

#[test]
fn what_is_marked_as_announced_before_it_is_may_never_be() {
    let mut scenario = scenes::push();
    scenario.tamper = |_, commit| {
        for write in &mut commit.writes {
            if let Some(announced) = part(write, "/parked/announced") {
                *announced = json!(true);
                write.due = None;
            }
        }
    };

    breaks(&scenario, Law::NothingLost, 2);
}

#[test]
fn a_ledger_that_forgets_to_look_again_leaves_a_source_order_standing() {
    let mut scenario = scenes::cancelled_source();
    scenario.tamper = |_, commit| {
        let cancels = |write: &&mut Write| matches!(write.key, RowKey::Step(StepId::Cancel { .. }));
        commit.writes.iter_mut().filter(cancels).for_each(|write| write.due = None);
    };

    breaks(&scenario, Law::NothingLost, 1);
}
