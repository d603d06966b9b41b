//! Exceptions: what somebody must own, and for how long it may be nobody's.

use roundtrip_domain::code::Code;
use roundtrip_domain::dead_letters::{self, list};
use roundtrip_domain::exceptions::{
    Assignment, Exception, ExceptionCode, Filter, Incident, OwnerRule, Ownership, What, exceptions, incidents, unowned,
};
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::jobs::{Job, Work, begin};
use roundtrip_domain::ports::{Exceptions, Ledger, LedgerError};
use roundtrip_domain::push::PushState;
use roundtrip_domain::record::{OrderRecord, Row, WarningCode};
use roundtrip_domain::step::{Dismissed, Step};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use crate::world::{DAY, HOUR, MINUTE, World, at, mars};

const NUMBER: &str = "9400111899223100001234";

impl World {
    async fn exceptions(&self, filter: Filter) -> Vec<Exception> {
        exceptions(&self.ports.ledger, &filter, self.now()).await.unwrap().exceptions
    }

    /// The codes of all exceptions, oldest first.
    async fn open(&self) -> Vec<ExceptionCode> {
        self.exceptions(Filter::default()).await.iter().map(|it| it.what.code()).collect()
    }

    async fn incidents(&self) -> Vec<Incident> {
        incidents(&self.ports.ledger, &Filter::default(), self.now()).await.unwrap().incidents
    }

    async fn unowned(&self) -> usize {
        unowned(&self.ports.ledger, self.now()).await.unwrap()
    }

    /// Somebody takes a cause for so many days.
    async fn take(&self, cause: &str, owner: &str, days: u32) {
        let (at, until) = (self.now(), self.now() + DAY * days);
        let owner = owner.parse().unwrap();
        let assignment = Assignment { cause: cause.into(), owner, until, at, by: "ada".into() };
        self.ports.ledger.assign(&assignment).await.unwrap();
    }

    async fn dismiss(&self, cause: Option<&str>, reason: &str) -> Vec<String> {
        let mut record = self.ports.ledger.load(&at()).await.unwrap();
        let dismissed = Dismissed { at: self.now(), by: "ada".into(), reason: reason.into() };
        let told = record.dismiss_warnings(&record.open_warnings(cause), &dismissed);
        self.ports.ledger.save(&mut [&mut record]).await.unwrap();
        told
    }

    /// The order's only exception is its warning, with these words.
    async fn warned_of(&self) -> String {
        let open = self.exceptions(Filter::default()).await;
        let [Exception { what: What::Warned { warning, .. }, .. }] = &open[..] else { panic!("{open:?}") };
        warning.detail.clone()
    }
}

/// An order of three units, of which one is refunded after its push.
async fn reduced() -> World {
    let (world, _) = World::pushed(3).await;
    world.change_order(|order| order.lines[0].quantity = 2);
    world.order_webhook().await;
    world
}

fn rule(code: Option<ExceptionCode>, owner: &str) -> OwnerRule {
    OwnerRule { code, owner: owner.parse().unwrap() }
}

fn owners(incident: &Incident) -> Vec<String> {
    incident.owners.iter().map(|owned| owned.owner.to_string()).collect()
}

#[tokio::test]
async fn what_is_parked_and_what_changed_after_the_push_are_exceptions_until_they_are_mended() {
    let (world, source) = World::pushed(2).await;
    assert_eq!(world.open().await, []);

    world.fail_next(&moon(), &[Fault::Refused]);
    world.ship(&source, &[NUMBER]).await;
    world.change_order(|order| order.lines[0].quantity = 1);
    world.order_webhook().await;
    // What was shipped is more than is left of it.
    let both = [ExceptionCode::Parked(Code::ProductsMismatch), ExceptionCode::Warned(WarningCode::ReducedAfterPush)];
    assert_eq!(world.open().await, both);
    let exceptions = world.exceptions(Filter::default()).await;
    assert!(exceptions.iter().all(|it| it.what.order() == Some(at()) && it.owned.is_none()), "{exceptions:?}");
    assert_eq!((exceptions[0].what.failed_at(), exceptions[1].what.failed_at()), (&moon(), &sun()));

    world.change_order(|order| order.lines[0].quantity = 2);
    world.order_webhook().await;
    assert_eq!(world.open().await, [], "the stores agree again, and the shipment is shown");
}

#[tokio::test]
async fn what_is_nobodys_is_counted_after_a_day_and_not_once_it_is_taken() {
    let world = reduced().await;
    let since = world.exceptions(Filter::default()).await[0].what.since();

    world.ports.clock.advance(DAY - MINUTE);
    assert_eq!(world.unowned().await, 0, "not yet a day");
    world.ports.clock.advance(MINUTE * 2);
    assert_eq!(world.unowned().await, 1);

    let [incident] = &world.incidents().await[..] else { panic!("one cause") };
    assert_eq!((incident.count, incident.unowned, incident.oldest.since()), (1, 1, since));
    world.take(&incident.cause, "warehouse", 2).await;
    assert_eq!(world.unowned().await, 0);
    let [incident] = &world.incidents().await[..] else { panic!("one cause") };
    assert_eq!((owners(incident), incident.unowned), (vec!["warehouse".to_owned()], 0));
}

#[tokio::test]
async fn who_took_something_has_it_for_a_time_and_then_it_is_told_of_again() {
    let world = reduced().await;
    let cause = world.exceptions(Filter::default()).await[0].what.cause();
    world.take(&cause, "ada", 2).await;

    world.ports.clock.advance(DAY * 2 - MINUTE);
    assert_eq!(world.unowned().await, 0);
    world.ports.clock.advance(MINUTE);
    assert_eq!(world.unowned().await, 1, "older than a day, and nobody's at once");

    world.take(&cause, "bob", 2).await;
    world.ports.ledger.release(&cause).await.unwrap();
    assert_eq!(world.unowned().await, 1, "given back");
}

#[tokio::test]
async fn whoever_takes_a_cause_has_what_fails_of_it_meanwhile() {
    let (world, source) = World::pushed(2).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    world.ship(&source, &[NUMBER]).await;
    let cause = world.exceptions(Filter::default()).await[0].what.cause();
    world.take(&cause, "ada", 7).await;

    world.fail_next(&moon(), &[Fault::Refused]);
    world.ship(&source, &["9400111899223100009999"]).await;

    let [incident] = &world.incidents().await[..] else { panic!("one cause") };
    assert_eq!((incident.count, owners(incident), incident.unowned), (2, vec!["ada".to_owned()], 0));
}

#[tokio::test]
async fn a_rule_of_the_store_names_an_owner_by_code_and_another_for_the_rest() {
    let (world, source) = World::pushed(2).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    world.ship(&source, &[NUMBER]).await;
    world.change_order(|order| order.lines[0].quantity = 1);
    world.order_webhook().await;
    world.ports.clock.advance(DAY * 2);
    assert_eq!(world.unowned().await, 2);
    let whose = async || {
        let exceptions = world.exceptions(Filter::default()).await;
        exceptions.iter().map(|it| it.owned.as_ref().map(|owned| owned.owner.to_string())).collect::<Vec<_>>()
    };
    let named = |name: &str| Some(name.to_owned());

    let mismatch = rule(Some(ExceptionCode::Parked(Code::ProductsMismatch)), "ada");
    world.shop_settings(|settings| settings.owners = vec![mismatch.clone()]).await;
    assert_eq!((whose().await, world.unowned().await), (vec![named("ada"), None], 1));
    world.shop_settings(|settings| settings.owners = vec![rule(None, "office"), mismatch]).await;
    assert_eq!((whose().await, world.unowned().await), (vec![named("ada"), named("office")], 0));

    let cause = world.exceptions(Filter::default()).await[0].what.cause();
    world.take(&cause, "bob", 1).await;
    assert_eq!(whose().await, [named("bob"), named("office")], "who took it comes first");
}

#[tokio::test]
async fn a_warning_that_was_seen_to_is_no_exception_until_something_else_differs() {
    let world = reduced().await;
    assert_eq!(world.warned_of().await, "Product 1: 3 pushed, 2 left");

    let told = world.dismiss(None, "taken out by hand").await;
    assert_eq!(told, ["#5001 at sun.myshopify.com: Product 1: 3 pushed, 2 left"]);
    assert_eq!(world.dismiss(None, "again").await, Vec::<String>::new());
    world.change_order(|order| order.tags.push("seen".into()));
    world.order_webhook().await;
    assert_eq!(world.open().await, [], "another look changes nothing");
    assert_eq!(world.summary().await.warnings[0].dismissed.as_ref().unwrap().reason, "taken out by hand");

    world.ports.clock.advance(DAY * 3);
    world.change_order(|order| order.lines[0].quantity = 1);
    world.order_webhook().await;
    assert_eq!(world.warned_of().await, "Product 1: 3 pushed, 1 left");
    assert_eq!(world.unowned().await, 0, "it is new");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_cancelled_order_is_an_exception_unless_a_step_of_ours_sees_to_it_and_is_counted_once() {
    let (world, _) = World::pushed(1).await;
    world.cancel_order();
    world.order_webhook().await;
    assert_eq!(world.open().await, [ExceptionCode::Warned(WarningCode::CancelledAfterPush)]);

    world.settings(|settings| settings.cancel_source = true).await;
    world.fail_next(&sun(), &[Fault::Refused]);
    world.change_order(|order| order.tags.push("seen".into()));
    world.order_webhook().await;
    assert_eq!(world.open().await, [ExceptionCode::Parked(Code::Rejected)], "its dead letter stands for it");

    world.redrive().await;
    assert_eq!(world.open().await, [], "it is cancelled");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_one_store_saw_to_is_still_open_at_the_other() {
    let world = World::new();
    world.add_source(&mars(), 2);
    world.order_webhook().await;
    world.cancel_order();
    world.order_webhook().await;
    let causes: Vec<String> = world.exceptions(Filter::default()).await.iter().map(|it| it.what.cause()).collect();
    assert_eq!(causes.len(), 2);

    let told = world.dismiss(Some(&causes[0]), "called the sun").await;

    assert_eq!(told.len(), 1);
    let open = world.exceptions(Filter::default()).await;
    assert_eq!(open.iter().map(|it| it.what.cause()).collect::<Vec<_>>(), causes[1..]);
}

#[tokio::test]
async fn what_differs_since_somebody_looked_is_not_dismissed() {
    let world = reduced().await;
    let seen = world.ports.ledger.load(&at()).await.unwrap().open_warnings(None);
    world.change_order(|order| order.lines[0].quantity = 1);
    world.order_webhook().await;

    let mut record = world.ports.ledger.load(&at()).await.unwrap();
    let told = record.dismiss_warnings(&seen, &Dismissed { at: world.now(), by: "ada".into(), reason: "so".into() });

    assert_eq!(told, Vec::<String>::new());
    assert_eq!(record.open_warnings(None)[0].detail, "Product 1: 3 pushed, 1 left");
}

#[tokio::test]
async fn who_purges_a_failed_cancellation_has_decided_about_its_warning() {
    let (world, _) = World::pushed(1).await;
    world.settings(|settings| settings.cancel_source = true).await;
    world.fail_next(&sun(), &[Fault::Refused]);
    world.cancel_order();
    world.order_webhook().await;
    assert_eq!(world.open().await, [ExceptionCode::Parked(Code::Rejected)]);

    let letters = list(&world.ports.ledger, &dead_letters::Filter::default(), None, 9).await.unwrap().letters;
    let letters = letters.into_iter().map(|letter| letter.id).collect();
    let job = Job::new("job-1".into(), (world.now(), "ada".into()), "called off by phone".into(), Work::Purge(letters));
    begin(&world.ports.ledger, &world.ports.tasks, job, world.now()).await.unwrap();
    world.change_order(|order| order.tags.push("seen".into()));
    world.order_webhook().await;

    assert_eq!(world.open().await, []);
    let warning = world.summary().await.warnings.remove(0);
    assert_eq!(warning.dismissed.expect("dismissed").reason, "called off by phone");
    world.comes_to_rest().await;
}

/// A worker that read an older list than the summary says, or a newer one, must not write its own.
#[tokio::test]
async fn the_list_of_warnings_depends_on_the_summary_that_it_copies() {
    let world = reduced().await;
    let mut late = world.ports.ledger.load(&at()).await.unwrap();
    world.change_order(|order| order.lines[0].quantity = 3);
    world.order_webhook().await;
    late.warned = world.ports.ledger.load(&at()).await.unwrap().warned;
    late.look.change().attempts = 1;

    let saved = world.ports.ledger.save(&mut [&mut late]).await;

    assert!(matches!(saved, Err(LedgerError::Conflict)), "{saved:?}");
    assert_eq!(world.open().await, []);
}

/// A question about what is a day old reads no more for all that is younger.
#[tokio::test]
async fn what_is_younger_is_not_read_for_what_is_old() {
    let world = World::new();
    let before = world.now();
    for id in 1000..1600 {
        let mut record = OrderRecord::empty(OrderRef { shop: moon(), id: OrderId::new(id) });
        let mut push = Step::new(PushState::not_pushed());
        push.park(Code::TooManyLines, before + MINUTE, before, None);
        record.pushes.insert((sun(), 1), Row::new(push));
        world.ports.ledger.save(&mut [&mut record]).await.unwrap();
    }
    let calls = async |filter: Filter| {
        world.ports.ledger.take_calls();
        let found = world.exceptions(filter).await.len();
        (found, world.ports.ledger.take_calls())
    };

    let (all, of_all) = calls(Filter::default()).await;
    let (old, of_old) = calls(Filter { before: Some(before), ..Filter::default() }).await;

    assert_eq!((all, old), (600, 0));
    // Two more pages of the 600, who took what, and the rules of their store.
    assert_eq!(of_all, of_old + 4);
}

#[tokio::test]
async fn exceptions_are_found_by_what_is_known_of_them() {
    let (world, _) = World::pushed(2).await;
    world.add_source(&mars(), 2);
    world.fail_next(&mars(), &[Fault::Refused]);
    world.order_webhook().await;
    world.ports.clock.advance(HOUR);
    let later = world.now();
    world.change_order(|order| order.lines[0].quantity = 1);
    world.order_webhook().await;
    let codes = [ExceptionCode::Parked(Code::Rejected), ExceptionCode::Warned(WarningCode::ReducedAfterPush)];
    assert_eq!(world.open().await, codes);
    let warning = world.exceptions(Filter::default()).await.remove(1).what;
    world.take(&warning.cause(), "ada", 1).await;

    let none = Filter::default;
    for (filter, found) in [
        (Filter { cause: Some(warning.cause()), ..none() }, &codes[1..]),
        (Filter { code: Some(codes[0]), ..none() }, &codes[..1]),
        (Filter { shop: Some(moon()), ..none() }, &codes[..]),
        (Filter { shop: Some(sun()), ..none() }, &codes[1..]),
        (Filter { shop: Some(mars()), ..none() }, &codes[..1]),
        (Filter { order: Some(at().id), ..none() }, &codes[..]),
        (Filter { order: Some(OrderId::new(7)), ..none() }, &[]),
        (Filter { before: Some(later), ..none() }, &codes[..1]),
        (Filter { ownership: Some(Ownership::Nobody), ..none() }, &codes[..1]),
        (Filter { ownership: Some(Ownership::Of("ada".parse().unwrap())), ..none() }, &codes[1..]),
    ] {
        let what = format!("{filter:?}");
        let shown: Vec<ExceptionCode> = world.exceptions(filter).await.iter().map(|it| it.what.code()).collect();
        assert_eq!(shown, found, "{what}");
    }
}
