//! Calls that go wrong, stores that are away: nothing is cancelled blindly, and nothing is forgotten.

use roundtrip_domain::code::Code;
use roundtrip_domain::ports::Registry;
use roundtrip_domain::push::CancelPhase;
use roundtrip_domain::registry::Paused;
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::task::Queue;
use roundtrip_domain::{FAILED_CANCEL_TAG, Outcome};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use super::{calls, cancel, cancel_by_hand, ends_cancelled, is_cancelled, pushed, step, waits_for, warned};
use crate::world::{DAY, HOUR, MINUTE, at};

#[tokio::test]
async fn a_call_whose_answer_is_lost_is_found_out_and_made_again_only_if_it_was_lost_itself() {
    for (fault, expected) in [(Fault::AnswerLost, 1), (Fault::LandsLate(MINUTE), 1), (Fault::RequestLost, 2)] {
        let (world, _) = pushed().await;
        world.fail_next(&sun(), &[fault]);

        cancel(&world).await;
        assert_eq!(waits_for(&world).await, Some(WaitReason::Verifying), "{fault:?}");

        ends_cancelled(&world).await;
        assert_eq!((calls(&world), world.letters()), (expected, vec![]), "{fault:?}");
    }
}

#[tokio::test]
async fn a_throttled_cancellation_waits_and_counts_nothing() {
    let (world, _) = pushed().await;
    world.fail_next(&sun(), &[Fault::Throttled; 7]);
    world.fail_questions(&sun(), &[Fault::Throttled; 2]);

    cancel(&world).await;
    assert_eq!((waits_for(&world).await, step(&world, &sun()).await.attempts), (Some(WaitReason::Throttled), 0));

    ends_cancelled(&world).await;
    assert_eq!(world.letters(), []);
}

#[tokio::test]
async fn a_cancellation_that_is_denied_is_parked_told_and_tagged_until_its_redrive_goes_through() {
    let (world, _) = pushed().await;
    world.fail_next(&sun(), &[Fault::Denied; 5]);

    cancel(&world).await;
    assert_eq!(waits_for(&world).await, Some(WaitReason::Backoff));
    world.run(HOUR).await;

    assert_eq!((calls(&world), world.letters()), (5, vec![("cancel", Code::AccessDenied)]));
    assert_eq!((world.order_tags(), world.summary().await.system_tags.len()), (vec![FAILED_CANCEL_TAG.to_owned()], 1));
    assert_eq!(warned(&world).await, ["cancelled here, but cancelling it there failed: cancel it there too"]);
    let told: Vec<String> = world.events("PushFailed").into_iter().map(|event| event.id).collect();
    assert_eq!(told, ["PushFailed/moon.myshopify.com/42/cancel/sun.myshopify.com/1@0"]);
    world.order_webhook().await;
    world.comes_to_rest().await;
    assert_eq!(calls(&world), 5, "a parked step rests");

    world.redrive().await;
    world.redrive().await;

    ends_cancelled(&world).await;
    assert_eq!((calls(&world), world.letters().len()), (6, 1));
}

#[tokio::test]
async fn a_parked_cancellation_that_a_person_carries_out_by_hand_is_done() {
    let (world, source) = pushed().await;
    world.fail_next(&sun(), &[Fault::Refused]);
    cancel(&world).await;
    assert_eq!(world.letters(), [("cancel", Code::Rejected)]);

    cancel_by_hand(&world, &source).await;
    world.redrive().await;

    ends_cancelled(&world).await;
    assert_eq!(calls(&world), 1);
}

#[tokio::test]
async fn a_store_that_takes_a_cancellation_and_does_not_carry_it_out_is_parked() {
    let (world, _) = pushed().await;
    world.shop(&sun(), |shop| shop.ignores_cancellations = true);

    cancel(&world).await;
    world.run(HOUR).await;

    assert_eq!((calls(&world), world.letters()), (5, vec![("cancel", Code::ChannelUnavailable)]));
    world.shop(&sun(), |shop| shop.ignores_cancellations = false);
    world.redrive().await;
    ends_cancelled(&world).await;
}

#[tokio::test]
async fn a_source_order_that_cannot_be_read_is_not_cancelled_blindly() {
    let (world, _) = pushed().await;
    world.fail_questions(&sun(), &[Fault::Unreachable; 5]);

    cancel(&world).await;
    world.run(HOUR).await;

    assert_eq!((calls(&world), world.letters()), (0, vec![("cancel", Code::ChannelUnavailable)]));
    world.redrive().await;
    ends_cancelled(&world).await;
}

#[tokio::test]
async fn a_paused_source_store_is_not_called_and_its_order_is_cancelled_when_it_is_back() {
    let (world, _) = pushed().await;
    let paused = Paused { since: world.now(), message: "Invalid API key or access token".into() };
    world.ports.ledger.pause(&sun(), &paused).await.unwrap();
    let before = world.all_calls(&sun());

    cancel(&world).await;
    world.run(DAY).await;
    assert_eq!((waits_for(&world).await, world.all_calls(&sun())), (Some(WaitReason::ShopPaused), before));
    assert_eq!(step(&world, &sun()).await.attempts, 0);
    let facts = world.ports.ledger.shop(&sun()).await.unwrap().unwrap().shop.facts.expect("it was connected");
    world.ports.ledger.record_facts(&sun(), &facts).await.unwrap();

    ends_cancelled(&world).await;
    assert_eq!((calls(&world), world.letters()), (1, vec![]));
}

#[tokio::test]
async fn a_source_store_that_lets_us_in_no_more_is_asked_again_when_it_does() {
    let (world, _) = pushed().await;
    world.shop(&sun(), |shop| shop.revoked = true);

    cancel(&world).await;
    assert_eq!((waits_for(&world).await, step(&world, &sun()).await.attempts), (Some(WaitReason::ShopPaused), 0));
    world.run(HOUR).await;
    world.shop(&sun(), |shop| shop.revoked = false);
    world.ask_to_connect(&sun()).await;

    ends_cancelled(&world).await;
}

#[tokio::test]
async fn a_source_order_that_is_gone_stands_no_more_and_one_that_is_hidden_is_parked() {
    let (gone, _) = pushed().await;
    gone.shop(&sun(), |shop| shop.pushed.clear());
    cancel(&gone).await;
    gone.comes_to_rest().await;
    assert_eq!((step(&gone, &sun()).await.state.phase, warned(&gone).await), (CancelPhase::Gone, vec![]));

    let (hidden, _) = pushed().await;
    hidden.shop(&moon(), |shop| shop.shows_all = true);
    hidden.ports.clock.advance(61 * DAY);
    cancel(&hidden).await;
    hidden.run(HOUR).await;
    assert_eq!((calls(&hidden), hidden.letters()), (0, vec![("cancel", Code::AccessDenied)]));
}

#[tokio::test]
async fn a_cancellation_goes_on_while_the_destination_store_cannot_be_read() {
    let (world, _) = pushed().await;
    world.fail_next(&sun(), &[Fault::Unreachable]);
    cancel(&world).await;
    world.fail_questions(&moon(), &[Fault::Unreachable; 99]);
    world.order_webhook().await;

    world.run(HOUR).await;

    assert_eq!(world.letters(), [("look", Code::ChannelUnavailable)]);
    assert!(is_cancelled(&world, &sun()).await);
}

#[tokio::test]
async fn the_task_says_what_its_cancellation_waits_for() {
    let (world, _) = pushed().await;
    world.fail_next(&sun(), &[Fault::Refused]);
    world.cancel_order();

    let outcome = world.handle(Queue::OrderPush, &world.webhook(&at())).await.unwrap();

    assert_eq!(outcome, Outcome::Park { code: Code::Rejected });
}
