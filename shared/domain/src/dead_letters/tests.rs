//! Names of dead letters, their causes, and pages of them.

use super::*;
use crate::step::Look;

fn letter(id: &str, code: Code, message: &str) -> DeadLetter {
    let at = Timestamp::UNIX_EPOCH;
    let failure = Failure { at, code, message: message.into(), request_id: None };
    DeadLetter {
        id: id.parse().unwrap(),
        code,
        parked_at: at,
        attempts: 1,
        first_failure: Some(failure.clone()),
        last_failure: Some(failure),
    }
}

#[test]
fn a_name_is_read_back_as_the_step_it_names() {
    for text in [
        "moon.myshopify.com/5001/push/sun.myshopify.com/1@0",
        "moon.myshopify.com/5001/writeback/sun.myshopify.com/7/9@3",
        "moon.myshopify.com/5001/look/shipments@12",
        "moon.myshopify.com/5001/label/se-1@0",
        "moon.myshopify.com/connect@2",
        "moon.myshopify.com/resync@0",
    ] {
        assert_eq!(text.parse::<DeadLetterId>().unwrap().to_string(), text);
    }
    for bad in [
        "",
        "@",
        "moon.myshopify.com/5001@0",
        "moon.myshopify.com/5001/look",
        "moon/5001/look@0",
        "moon.myshopify.com/5001/look@x",
    ] {
        assert!(bad.parse::<DeadLetterId>().is_err(), "{bad}");
    }
}

#[test]
fn its_task_names_whose_worker_goes_on_with_it() {
    let subject = |id: &str| id.parse::<DeadLetterId>().unwrap().redrive().subject.to_string();

    assert_eq!(subject("moon.myshopify.com/5001/push/sun.myshopify.com/1@0"), "order moon.myshopify.com/5001");
    assert_eq!(subject("moon.myshopify.com/5001/writeback/sun.myshopify.com/7/9@0"), "order sun.myshopify.com/7");
    assert_eq!(subject("moon.myshopify.com/5001/label/se-1@0"), "order moon.myshopify.com/5001");
    assert_eq!(subject("moon.myshopify.com/connect@0"), "shop moon.myshopify.com");
    let task = "moon.myshopify.com/5001/look@7".parse::<DeadLetterId>().unwrap().redrive();
    assert!(crate::look::is_redrive_of(&task, &StepId::Look(Look::Order), 7));
}

#[test]
fn one_cause_has_one_name_whatever_the_order() {
    let push = |order: u64, source: &str, code, message: &str| {
        letter(&format!("moon.myshopify.com/{order}/push/{source}.myshopify.com/1@0"), code, message).cause()
    };
    let rejected = push(1, "sun", Code::Rejected, "variant 12 of `Mug` cannot be sold");

    assert_eq!(rejected.len(), 8);
    assert_eq!(push(2, "sun", Code::Rejected, "variant 3456 of `Tee` cannot be sold"), rejected);
    assert_ne!(push(2, "sun", Code::Rejected, "phone is invalid"), rejected);
    assert_ne!(push(2, "mars", Code::Rejected, "variant 12 of `Mug` cannot be sold"), rejected);
    assert_ne!(push(2, "sun", Code::AccessDenied, "variant 12 of `Mug` cannot be sold"), rejected);
    // An outage shows in many ways.
    assert_eq!(
        push(1, "sun", Code::ChannelUnavailable, "no answer within 10 s"),
        push(2, "sun", Code::ChannelUnavailable, "503 Service Unavailable")
    );
}

#[test]
fn it_has_to_do_with_the_stores_on_both_sides() {
    let concerns = |id: &str, shop: &str| {
        id.parse::<DeadLetterId>().unwrap().concerns(&format!("{shop}.myshopify.com").parse().unwrap())
    };
    for id in [
        "moon.myshopify.com/5001/push/sun.myshopify.com/1@0",
        "moon.myshopify.com/5001/cancel/sun.myshopify.com/1@0",
        "moon.myshopify.com/5001/writeback/sun.myshopify.com/7/9@0",
    ] {
        assert!(concerns(id, "moon") && concerns(id, "sun") && !concerns(id, "mars"), "{id}");
    }
    assert!(!concerns("moon.myshopify.com/5001/look@0", "sun"));
}

/// Owners and the commands in mails name it: it must not change with a release.
#[test]
fn the_name_of_a_cause_stays() {
    let cause = |code, message| letter("moon.myshopify.com/5001/push/sun.myshopify.com/1@0", code, message).cause();

    assert_eq!(cause(Code::Rejected, "line 1 cannot be sold"), "8c276e44");
    assert_eq!(cause(Code::ChannelUnavailable, "no answer"), "1859bfc7");
}
