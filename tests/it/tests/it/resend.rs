//! Resends and purges: what a person decides about tracking, and about what is parked for good.

use roundtrip_domain::code::Code;
use roundtrip_domain::dead_letters::{Filter, list, sweep};
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::jobs::{Fate, Job, JobState, Work, advance, begin, fates_of};
use roundtrip_domain::order::FulfillmentStatus;
use roundtrip_domain::ports::{Jobs, Ledger};
use roundtrip_domain::step::WaitReason;
use roundtrip_domain::task::Queue;
use roundtrip_domain::writeback::TrackingInfo;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use crate::world::{HOUR, MINUTE, World, at, tracking};

const NUMBER: &str = "9400111899223100001234";

impl World {
    async fn begin_job(&self, id: &str, work: Work) -> Job {
        let job = Job::new(id.into(), (self.now(), "ada".into()), "the customer asks".into(), work);
        begin(&self.ports.ledger, &self.ports.tasks, job, self.now()).await.unwrap()
    }

    async fn resend(&self, id: &str) -> Job {
        let job = self.begin_job(id, Work::Resend(vec![at()])).await;
        self.drain().await;
        job
    }

    async fn fates_of(&self, id: &str) -> Vec<Fate> {
        let (job, _) = self.ports.ledger.job(id).await.unwrap().unwrap();
        fates_of(&self.ports.ledger, &job).await.unwrap()
    }

    async fn minute(&self, id: &str) -> Job {
        self.ports.clock.advance(MINUTE);
        let went = advance(&self.ports.ledger, &self.ports.tasks, (id, 500), self.now()).await.unwrap();
        self.drain().await;
        went.unwrap().0
    }

    fn told_of(&self, word: &str) -> Vec<String> {
        let history = self.ports.ledger.history(&at());
        let told = history.into_iter().filter(|event| event.after == word);
        told.map(|event| format!("{} {}: {}", event.actor, event.cause_id, event.detail.unwrap_or_default())).collect()
    }
}

/// An order whose tracking could not be shown, until somebody mends it.
async fn failed() -> World {
    let (world, source) = World::pushed(1).await;
    world.fail_next(&moon(), &[Fault::Refused]);
    world.ship(&source, &[NUMBER]).await;
    assert_eq!(world.writebacks().await, [("pending", Some(Code::Rejected))]);
    assert_eq!(world.order_tags(), ["Failed Shipment Notification"]);
    world
}

#[tokio::test]
async fn tracking_that_failed_is_shown_once_it_is_sent_again_and_the_tag_goes() {
    let world = failed().await;

    world.resend("job-1").await;

    assert_eq!(world.shown(), [(NUMBER.to_owned(), 1)]);
    assert_eq!(world.order_tags(), Vec::<String>::new());
    assert_eq!(world.fates_of("job-1").await, [Fate::Done]);
    assert!(matches!(world.minute("job-1").await.state, JobState::Done { .. }));
    assert_eq!(world.told_of("resend requested"), ["ada job-1: the customer asks"]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn asked_for_twice_it_is_shown_and_mailed_once() {
    let world = failed().await;
    world.settings(|settings| settings.notify_customer = true).await;

    world.begin_job("job-1", Work::Resend(vec![at()])).await;
    world.begin_job("job-2", Work::Resend(vec![at()])).await;
    world.drain().await;

    assert_eq!((world.shown(), world.mails()), (vec![(NUMBER.to_owned(), 1)], vec![NUMBER.to_owned()]));
    assert_eq!((world.fates_of("job-1").await, world.fates_of("job-2").await), (vec![Fate::Done], vec![Fate::Done]));
    world.resend("job-3").await;
    assert_eq!(world.calls(&moon(), "create_fulfillment"), 2, "the one that failed, and the other");
    assert_eq!(world.mails().len(), 1);
}

#[tokio::test]
async fn tracking_that_is_shown_is_only_looked_at() {
    let (world, source) = World::pushed(1).await;
    world.ship(&source, &[NUMBER]).await;
    let (creates, looks) = (world.calls(&moon(), "create_fulfillment"), world.all_calls(&moon()));

    world.resend("job-1").await;

    assert_eq!(world.calls(&moon(), "create_fulfillment"), creates);
    assert!(world.all_calls(&moon()) > looks, "what the shop shows was read");
    assert_eq!((world.shown().len(), world.fates_of("job-1").await), (1, vec![Fate::Done]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn tracking_that_somebody_took_away_is_shown_again_without_another_mail() {
    let (world, source) = World::pushed(1).await;
    world.settings(|settings| settings.notify_customer = true).await;
    world.ship(&source, &[NUMBER]).await;
    world.shop(&moon(), |shop| shop.shown.clear());
    world.change_order(|order| order.fulfillments.clear());

    world.resend("job-1").await;

    assert_eq!((world.shown(), world.mails().len()), (vec![(NUMBER.to_owned(), 1)], 1));
    assert_eq!(world.fates_of("job-1").await, [Fate::Done]);
}

#[tokio::test]
async fn what_fails_again_is_told_with_its_code() {
    let world = failed().await;
    world.fail_next(&moon(), &[Fault::Refused]);

    world.resend("job-1").await;

    assert_eq!(world.fates_of("job-1").await, [Fate::Failed(Code::Rejected)]);
    let done = world.minute("job-1").await;
    assert!(matches!(done.state, JobState::Done { .. }));
    assert_eq!(world.order_tags(), ["Failed Shipment Notification"]);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_no_success_until_it_is_seen() {
    let world = failed().await;
    world.fail_next(&moon(), &[Fault::AnswerLost]);

    world.resend("job-1").await;
    assert_eq!(world.fates_of("job-1").await, [Fate::Running]);
    world.run(HOUR).await;

    assert_eq!((world.fates_of("job-1").await, world.shown().len()), (vec![Fate::Done], 1));
}

#[tokio::test]
async fn a_resend_whose_messages_are_lost_goes_on_by_itself() {
    let world = failed().await;
    world.ports.tasks.sent().down = true;
    world.begin_job("job-1", Work::Resend(vec![at()])).await;
    world.ports.tasks.sent().down = false;
    assert_eq!(world.writeback().await.wait.map(|wait| wait.why), Some(WaitReason::Requested));

    world.run(MINUTE).await;

    assert_eq!((world.fates_of("job-1").await, world.shown().len()), (vec![Fate::Done], 1));
}

#[tokio::test]
async fn of_an_order_of_which_nothing_was_shipped_its_stores_are_asked() {
    let (world, source) = World::pushed(1).await;
    world.resend("job-1").await;
    assert_eq!(world.fates_of("job-1").await, [Fate::Dropped]);
    // No webhook tells of it.
    world.ports.channel.ship(&source, tracking(NUMBER).into());
    world.ports.clock.advance(HOUR);

    world.resend("job-2").await;

    assert_eq!(world.shown().len(), 1);
    assert_eq!(world.fates_of("job-2").await, [Fate::Done]);
}

#[tokio::test]
async fn an_order_that_is_not_known_harms_no_other() {
    let world = failed().await;
    let unknown = OrderRef { shop: moon(), id: OrderId::new(4711) };

    world.begin_job("job-1", Work::Resend(vec![unknown, at()])).await;
    world.drain().await;

    assert_eq!(world.fates_of("job-1").await[1], Fate::Done);
}

#[tokio::test]
async fn what_is_purged_stands_in_no_list_keeps_its_failures_and_can_be_asked_for_anew() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    let ledger = &world.ports.ledger;
    let letters = list(ledger, &Filter::default(), None, 10).await.unwrap().letters;
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };

    world.begin_job("job-1", Work::Purge(vec![letter.id.clone()])).await;

    assert!(list(ledger, &Filter::default(), None, 10).await.unwrap().letters.is_empty());
    let swept = sweep(ledger, &world.ports.tasks, world.now()).await.unwrap();
    assert_eq!((swept.removed, world.fates_of("job-1").await), (1, vec![Fate::Done]));
    let step = world.push(&sun()).await;
    assert_eq!(step.last_failure, letter.last_failure, "kept");
    let told = world.told_of("dismissed");
    assert!(told.len() == 1 && told[0].starts_with("ada job-1: the customer asks; it had failed 1 times, last: "));

    world.order_webhook().await;
    assert_eq!(world.made_at(&sun()).len(), 0, "a webhook does not set it going");
    world.request(&sun(), "r-1").await;
    world.drain().await;
    assert_eq!(world.made_at(&sun()).len(), 1);
    assert!(matches!(world.minute("job-1").await.state, JobState::Done { .. }));
}

#[tokio::test]
async fn a_purge_leaves_alone_what_goes_again_and_what_was_parked_anew() {
    let world = World::new();
    world.fail_next(&sun(), &[Fault::Refused, Fault::Refused]);
    world.order_webhook().await;
    let ledger = &world.ports.ledger;
    let before = list(ledger, &Filter::default(), None, 10).await.unwrap().letters;
    let letters: Vec<_> = before.into_iter().map(|letter| letter.id).collect();
    // Parked anew, under another name.
    world.begin_job("job-1", Work::Redrive(letters.clone())).await;
    world.drain().await;

    world.begin_job("job-2", Work::Purge(letters)).await;

    let after = list(ledger, &Filter::default(), None, 10).await.unwrap().letters;
    assert_eq!(after.iter().map(|letter| letter.id.generation).collect::<Vec<_>>(), [1]);
    assert_eq!(world.fates_of("job-2").await, [Fate::Dropped], "it goes again: nothing was purged");
    assert!(world.told_of("dismissed").is_empty());
    let record = ledger.load(&at()).await.unwrap();
    assert!(record.pushes.values().all(|row| row.get().parked.as_ref().unwrap().is_listed()));
}

#[tokio::test]
async fn a_carrier_that_was_corrected_meanwhile_is_shown_corrected() {
    let (world, source) = World::pushed(1).await;
    let id = world.ship(&source, &[NUMBER]).await;
    // Its webhook is lost.
    let corrected = TrackingInfo::new(Some("UPS".into()), Some(NUMBER.into()), None).unwrap();
    world.shop(&sun(), |shop| {
        let shipped = shop.shipped.get_mut(&source.id).unwrap();
        shipped.iter_mut().find(|it| it.id == id).unwrap().tracking = vec![corrected.clone()];
    });

    world.resend("job-1").await;

    let shown = world.shop(&moon(), |shop| shop.shown[&at().id][0].tracking.clone());
    assert_eq!(shown[0].company, corrected.company);
    assert_eq!((world.shown().len(), world.fates_of("job-1").await), (1, vec![Fate::Done]));
}

#[tokio::test]
async fn an_order_whose_source_order_is_gone_keeps_what_is_known_of_it() {
    let (world, source) = World::pushed(1).await;
    world.ship(&source, &[NUMBER]).await;
    let before = world.writeback().await.state;
    world.shop(&sun(), |shop| shop.pushed.retain(|(order, _)| order.id != source.id));

    world.resend("job-1").await;
    world.run(HOUR).await;

    assert_eq!(world.writeback().await.state.phase, before.phase);
    assert_eq!(world.fates_of("job-1").await, [Fate::Dropped], "whether it is shown, nobody has seen");
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_failed_shipment_whose_order_is_gone_is_not_waited_for() {
    let world = failed().await;
    world.shop(&moon(), |shop| shop.orders.clear());

    world.resend("job-1").await;
    world.run(HOUR).await;

    assert_eq!(world.fates_of("job-1").await, [Fate::Dropped]);
    assert!(matches!(world.minute("job-1").await.state, JobState::Done { .. }));
}

#[tokio::test]
async fn a_resend_that_was_held_up_says_no_more_than_was_seen() {
    let (world, source) = World::pushed(1).await;
    world.ship(&source, &[NUMBER]).await;
    world.shop(&sun(), |shop| shop.query_faults.push_back(Fault::Throttled));
    world.begin_job("job-1", Work::Resend(vec![at()])).await;
    world.drain().await;
    world.shop(&sun(), |shop| shop.pushed.retain(|(order, _)| order.id != source.id));

    world.run(HOUR).await;

    assert_eq!(world.fates_of("job-1").await, [Fate::Dropped]);
}

#[tokio::test]
async fn what_nobody_could_look_for_is_looked_for_once_somebody_can() {
    let (world, source) = World::pushed(1).await;
    world.ship(&source, &[NUMBER]).await;
    world.fail_questions(&sun(), &[Fault::RequestLost; 20]);
    world.resend("job-1").await;
    world.run(HOUR).await;
    world.shop(&sun(), |shop| shop.query_faults.clear());
    assert_eq!(world.fates_of("job-1").await, [Fate::Failed(Code::ChannelUnavailable)]);

    world.redrive().await;
    world.run(HOUR).await;

    assert_eq!(world.fates_of("job-1").await, [Fate::Done]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn of_an_order_that_its_shop_hides_from_us_nobody_says_that_its_tracking_is_shown() {
    let (world, source) = World::pushed(1).await;
    world.ship(&source, &[NUMBER]).await;
    world.change_order(|order| order.fulfillment_status = FulfillmentStatus::Fulfilled);
    world.order_webhook().await;
    world.ports.clock.advance(61 * 24 * HOUR);

    world.resend("job-1").await;
    world.run(HOUR).await;
    assert_eq!(world.fates_of("job-1").await, [Fate::Dropped]);

    world.give_all_orders(&moon()).await;
    world.give_all_orders(&sun()).await;
    world.resend("job-2").await;
    world.run(HOUR).await;
    assert_eq!(world.fates_of("job-2").await, [Fate::Done]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn nobody_says_what_came_of_it_before_the_source_order_was_looked_at() {
    let (world, source) = World::pushed(1).await;
    world.ports.channel.ship(&source, tracking(NUMBER).into());
    world.ports.clock.advance(HOUR);
    world.begin_job("job-1", Work::Resend(vec![at()])).await;

    // The order is looked at first.
    let (of_orders, others): (Vec<_>, Vec<_>) = std::mem::take(&mut world.ports.tasks.sent().work)
        .into_iter()
        .partition(|(queue, _)| *queue == Queue::OrderPush);
    assert_eq!((of_orders.len(), others.len()), (1, 1));
    world.ports.tasks.sent().work = of_orders;
    world.drain().await;
    assert_eq!(world.fates_of("job-1").await, [Fate::Running]);

    world.ports.tasks.sent().work = others;
    world.drain().await;
    assert_eq!((world.fates_of("job-1").await, world.shown().len()), (vec![Fate::Done], 1));
}

#[tokio::test]
async fn an_order_of_many_shipments_is_sent_again_in_parts() {
    let (world, source) = World::pushed(90).await;
    let numbers: Vec<String> = (0..90).map(|n| format!("94001118992231{n:08}")).collect();
    world.fail_next(&moon(), &[Fault::Refused; 200]);
    for number in &numbers {
        world.ship_units(&source, &[number], Some(1)).await;
    }
    assert_eq!(world.writebacks().await.iter().filter(|(_, code)| code.is_some()).count(), 90);
    world.shop(&moon(), |shop| shop.mutation_faults.clear());

    world.resend("job-1").await;
    world.run(HOUR).await;

    assert_eq!((world.shown().len(), world.fates_of("job-1").await), (90, vec![Fate::Done]));
    assert_eq!(world.told_of("resend requested").len(), 1);
}

#[tokio::test]
async fn a_source_order_that_cannot_be_read_is_told_as_a_failure() {
    let (world, source) = World::pushed(1).await;
    world.fail_questions(&sun(), &[Fault::RequestLost; 20]);
    world.source_webhook(&source).await;
    world.run(HOUR).await;
    assert_eq!(world.order_tags(), ["Failed Shipment Notification"]);

    world.begin_job("job-1", Work::Resend(vec![at()])).await;
    assert_eq!(world.fates_of("job-1").await, [Fate::Running], "it is to be read again");
    world.drain().await;
    world.run(HOUR).await;

    assert_eq!(world.fates_of("job-1").await, [Fate::Failed(Code::ChannelUnavailable)]);
}
