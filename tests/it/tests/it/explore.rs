//! Whatever call a worker dies at, whichever answer is lost or late, whoever goes first: the laws of push and
//! writeback hold, every way through with up to so many faults.
//!
//! A law that is broken is told by the shortest run that breaks it, point by point, with the script that
//! replays it.

mod broken;
mod scenes;

use std::io::Write;

use roundtrip_domain::writeback::TrackingInfo;
use roundtrip_kit::explore::{Law, Scenario, explore};
use roundtrip_kit::order::{moon, sun};

fn hold(what: &str, scenario: &Scenario, faults: usize) {
    match explore(scenario, faults) {
        // Past the capture of passing tests, so that it is seen.
        Ok(explored) => {
            let _ = writeln!(std::io::stderr(), "{what}, up to {faults} faults: {explored}");
        }
        Err(replay) => panic!("{what}:\n{replay}"),
    }
}

/// Facts, each with its scene and how many faults it is tried with.
macro_rules! laws_hold {
    ($($fact:ident($scene:expr, $faults:expr);)*) => {
        $(
            #[test]
            fn $fact() {
                hold(stringify!($fact), &$scene, $faults);
            }
        )*

        #[test]
        #[ignore = "takes hours"]
        fn with_one_fault_more_the_laws_hold_too() {
            $(hold(stringify!($fact), &$scene, $faults + 1);)*
        }
    };
}

laws_hold! {
    a_push_makes_one_order(scenes::push(), 3);
    a_push_to_two_source_stores_makes_one_order_at_each(scenes::push_to_two(), 3);
    a_push_that_was_requested_makes_one_order(scenes::requested_push(), 3);
    an_order_that_is_edited_meanwhile_is_pushed_once(scenes::edited_push(), 3);
    an_order_that_is_cancelled_meanwhile_is_pushed_once_or_never(scenes::cancelled_push(), 3);
    an_order_that_is_cancelled_is_cancelled_at_its_source(scenes::cancelled_source(), 3);
    an_order_that_is_cancelled_meanwhile_is_cancelled_at_its_source(scenes::cancelled_push_and_source(), 2);
    a_cancellation_is_done_or_parked_at_its_last_attempt(scenes::last_attempt(&scenes::cancelled_source(), &sun()), 3);
    a_redriven_cancellation_is_done(scenes::redriven(&scenes::cancelled_source(), &sun()), 2);
    a_push_is_done_or_parked_at_its_last_attempt(scenes::last_attempt(&scenes::push(), &sun()), 3);
    a_requested_push_is_done_or_parked_at_its_last_attempt(scenes::last_attempt(&scenes::requested_push(), &sun()), 3);
    an_order_is_read_or_parked_at_the_last_attempt(scenes::last_look(&scenes::push(), &moon()), 3);
    a_requested_order_is_read_or_parked_at_the_last_attempt(scenes::last_look(&scenes::requested_push(), &moon()), 3);
    a_redriven_push_makes_one_order(scenes::redriven(&scenes::push(), &sun()), 3);
    a_redriven_requested_push_makes_one_order(scenes::redriven(&scenes::requested_push(), &sun()), 2);
    an_order_that_two_schedules_find_at_once_is_pushed_by_one_run(scenes::resynced_twice(), 3);
    a_writeback_shows_what_was_shipped(scenes::writeback(), 3);
    a_writeback_from_two_locations_mails_once(scenes::writeback_from_two_locations(), 3);
    two_parcels_are_both_shown(scenes::two_parcels(["T1", "T2"]), 3);
    two_parcels_of_one_number_are_both_shown(scenes::two_parcels(["T1", "T1"]), 3);
    a_writeback_goes_through_beside_a_change_of_its_order(scenes::writeback_beside_a_change(), 3);
    a_writeback_goes_through_when_a_hold_ends(scenes::writeback_on_hold(), 3);
    a_writeback_goes_through_when_its_number_comes(scenes::writeback_without_number(), 3);
    a_parcel_that_is_split_is_shown_whole_in_the_end(scenes::split_writeback(), 2);
    a_parcel_that_gets_another_number_is_shown_with_that(scenes::renumbered_writeback(), 3);
    a_parcel_that_is_called_off_and_made_again_is_shown_once(scenes::replaced_writeback(), 2);
    a_label_is_shown(scenes::label(), 3);
    a_label_that_is_voided_and_bought_again_is_shown_once(scenes::label_made_again(), 2);
    a_writeback_is_done_or_parked_at_its_last_attempt(scenes::last_attempt(&scenes::writeback(), &moon()), 3);
    a_source_order_is_read_or_parked_at_the_last_attempt(scenes::last_look(&scenes::writeback(), &sun()), 3);
    a_redriven_writeback_shows_what_was_shipped(scenes::redriven(&scenes::writeback(), &moon()), 2);
    a_shipment_before_the_confirmation_is_shown(scenes::shipped_at_once(), 3);
    a_shipment_before_the_confirmation_is_shown_beside_a_second_push(scenes::shipped_at_once_pushed_twice(), 3);
    a_shipment_from_a_shop_in_both_roles_is_shown(scenes::both_roles(), 3);
}

/// Up to three faults break `law`, and it takes `faults`.
fn breaks(scenario: &Scenario, law: Law, faults: usize) {
    let replay = explore(scenario, 3).expect_err("a law is broken");

    let broken = replay.broken.as_ref().map(|broken| broken.law);
    assert_eq!((broken, replay.script.len()), (Some(law), faults), "{replay}");
}

fn usps(number: &str) -> Option<TrackingInfo> {
    TrackingInfo::new(Some("usps".into()), Some(number.into()), None)
}
