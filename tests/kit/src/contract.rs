//! What every ledger must do: run by the one in memory and by the one on DynamoDB. And what every channel
//! must: run by the fake shops and by Shopify's API.

mod channel;

use std::time::Duration;

use jiff::Timestamp;
use roundtrip_domain::code::Code;
use roundtrip_domain::exceptions::Assignment;
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::jobs::{Job, JobState, Work};
use roundtrip_domain::order::SourceOrder;
use roundtrip_domain::ports::{Exceptions, Jobs, Ledger, LedgerError, ParkedSteps, WarnedPage};
use roundtrip_domain::push::PushState;
use roundtrip_domain::record::{
    OrderRecord, Origin, PushRequest, RequestState, Row, RowKey, Summary, Warning, WarningCode,
};
use roundtrip_domain::step::{Dismissed, Failure, Step, StepId, WaitReason};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};

use crate::order::{moon, sun};
pub use channel::{cancellations, tracking_and_tags, tracking_of_a_cancelled_fulfillment};

/// The whole contract, against an empty ledger.
///
/// # Panics
/// Where the ledger breaks it.
pub async fn ledger(ledger: &(impl Ledger + ParkedSteps + Exceptions + Jobs)) {
    what_was_saved_is_read_back(ledger).await;
    a_write_depends_on_the_version_that_was_read(ledger).await;
    a_save_is_all_or_nothing(ledger).await;
    a_row_that_is_only_held_must_not_have_changed(ledger).await;
    two_parties_cannot_both_write_an_origin(ledger).await;
    what_waits_is_due_when_its_time_has_come(ledger).await;
    a_row_that_its_worker_wrote_is_not_postponed(ledger).await;
    a_step_of_a_shop_is_versioned(ledger).await;
    rows_of_many_orders_are_read_in_batches(ledger).await;
    what_is_parked_is_listed_oldest_first_until_it_goes_again(ledger).await;
    orders_are_listed_while_somebody_has_to_own_a_warning(ledger).await;
    whoever_takes_a_cause_last_has_it(ledger).await;
    a_job_is_versioned_and_listed_while_it_is_open(ledger).await;
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time")
}

fn order(id: u64) -> OrderRef {
    OrderRef { shop: moon(), id: OrderId::new(id) }
}

fn event(order: &OrderRef) -> HistoryEvent {
    let task = Task::new(Trigger::Webhook, "event-1", Subject::Order(order.clone()));
    HistoryEvent::moved(at(0), &task, "look", "a", "b")
}

async fn saved(ledger: &impl Ledger, id: u64, state: PushState) -> OrderRecord {
    let mut record = OrderRecord::empty(order(id));
    record.pushes.insert((sun(), 1), Row::new(Step::new(state)));
    record.log(event(&record.at));
    ledger.save(&mut [&mut record]).await.expect("a first save");
    record
}

fn push(record: &mut OrderRecord) -> &mut Row<Step<PushState>> {
    record.pushes.get_mut(&(sun(), 1)).expect("the push step")
}

async fn what_was_saved_is_read_back(ledger: &impl Ledger) {
    let mut record = saved(ledger, 1, PushState::not_pushed()).await;
    let request = PushRequest {
        source: sun(),
        group: 1,
        shipping_fee: None,
        requested_at: at(0),
        requested_by: "ada".into(),
        state: RequestState::Open { due: at(0) },
    };
    record.requests.insert("request-1".into(), Row::new(request));
    ledger.save(&mut [&mut record]).await.expect("a second save");

    let read = ledger.load(&order(1)).await.expect("a read");

    assert_eq!(read, record);
    assert_eq!(ledger.load(&order(999)).await.expect("a read"), OrderRecord::empty(order(999)));
}

async fn a_write_depends_on_the_version_that_was_read(ledger: &impl Ledger) {
    let mut first = saved(ledger, 2, PushState::not_pushed()).await;
    let mut second = ledger.load(&order(2)).await.expect("a read");

    push(&mut first).change().attempts = 1;
    push(&mut second).change().attempts = 2;
    ledger.save(&mut [&mut first]).await.expect("the first write");
    let late = ledger.save(&mut [&mut second]).await;

    assert!(matches!(late, Err(LedgerError::Conflict)), "{late:?}");
    let read = ledger.load(&order(2)).await.expect("a read");
    assert_eq!(read.pushes[&(sun(), 1)].get().attempts, 1);
}

async fn a_save_is_all_or_nothing(ledger: &impl Ledger) {
    let mut stale = saved(ledger, 3, PushState::not_pushed()).await;
    let mut fresh = stale.clone();
    push(&mut fresh).change().attempts = 1;
    ledger.save(&mut [&mut fresh]).await.expect("a write");
    let mut other = saved(ledger, 4, PushState::not_pushed()).await;

    push(&mut other).change().attempts = 7;
    push(&mut stale).change().attempts = 7;
    let both = ledger.save(&mut [&mut other, &mut stale]).await;

    assert!(matches!(both, Err(LedgerError::Conflict)), "{both:?}");
    let read = ledger.load(&order(4)).await.expect("a read");
    assert_eq!(read.pushes[&(sun(), 1)].get().attempts, 0, "the other half was not written either");
}

async fn a_row_that_is_only_held_must_not_have_changed(ledger: &impl Ledger) {
    let mut stale = saved(ledger, 5, PushState::not_pushed()).await;
    let mut fresh = stale.clone();
    push(&mut fresh).change().attempts = 1;
    ledger.save(&mut [&mut fresh]).await.expect("a write");

    push(&mut stale).hold();
    stale.log(event(&stale.at));
    let held = ledger.save(&mut [&mut stale]).await;

    assert!(matches!(held, Err(LedgerError::Conflict)), "{held:?}");
}

async fn two_parties_cannot_both_write_an_origin(ledger: &impl Ledger) {
    let source = OrderRef { shop: sun(), id: OrderId::new(50) };
    let mut heard = OrderRecord::empty(source.clone());
    heard.origin = Some(Row::new(Origin::Unclaimed { seen_at: at(0), expires_at: at(100) }));
    ledger.save(&mut [&mut heard]).await.expect("the first origin");

    let mut record = saved(ledger, 6, PushState::not_pushed()).await;
    record.claim(source, Origin::Pushed { destination: record.at.clone(), group: 1, received: None });
    record.log(event(&record.at));
    let claimed = ledger.save(&mut [&mut record]).await;

    assert!(matches!(claimed, Err(LedgerError::Conflict)), "{claimed:?}");
}

async fn what_waits_is_due_when_its_time_has_come(ledger: &impl Ledger) {
    let mut record = saved(ledger, 7, PushState::not_pushed()).await;
    push(&mut record).change().wait(at(0), at(10), WaitReason::Backoff);
    ledger.save(&mut [&mut record]).await.expect("a wait");

    let early = ledger.due(at(9), 100).await.expect("what is due");
    let due = ledger.due(at(10), 100).await.expect("what is due");
    push(&mut record).change().wait = None;
    ledger.save(&mut [&mut record]).await.expect("the end of the wait");
    let after = ledger.due(at(10), 100).await.expect("what is due");

    let of = |rows: &[roundtrip_domain::ports::DueRow]| {
        let subject = Subject::Order(order(7));
        rows.iter().filter(|row| row.wake_up.subject == subject && row.wake_up.queue == Queue::OrderPush).count()
    };
    assert_eq!((of(&early), of(&due), of(&after)), (0, 1, 0));
}

async fn a_row_that_its_worker_wrote_is_not_postponed(ledger: &impl Ledger) {
    let mut record = saved(ledger, 8, PushState::not_pushed()).await;
    push(&mut record).change().wait(at(0), at(20), WaitReason::Backoff);
    ledger.save(&mut [&mut record]).await.expect("a wait");
    let of = |rows: Vec<roundtrip_domain::ports::DueRow>| {
        rows.into_iter().find(|row| row.wake_up.subject == Subject::Order(order(8)))
    };
    let row = of(ledger.due(at(20), 100).await.expect("what is due")).expect("it is due");

    ledger.postpone(&row, at(90)).await.expect("a postponement");
    assert!(of(ledger.due(at(20), 100).await.expect("what is due")).is_none(), "postponed");
    push(&mut record).change().wait(at(0), at(30), WaitReason::Backoff);
    ledger.save(&mut [&mut record]).await.expect("a postponement is no change of version");
    ledger.postpone(&row, at(95)).await.expect("a postponement that comes too late");

    assert!(of(ledger.due(at(30), 100).await.expect("what is due")).is_some(), "the worker's wait stands");
}

async fn a_step_of_a_shop_is_versioned(ledger: &impl Ledger) {
    let mut step = Step::new(());
    step.wait(at(0), at(0), WaitReason::Requested);

    assert!(ledger.shop_step::<()>(&moon(), &StepId::Connect).await.expect("a read").is_none());
    ledger.save_shop_step(&moon(), &StepId::Connect, &step, 0).await.expect("a first write");
    let again = ledger.save_shop_step(&moon(), &StepId::Connect, &step, 0).await;

    assert!(matches!(again, Err(LedgerError::Conflict)), "{again:?}");
    let (read, version) =
        ledger.shop_step::<()>(&moon(), &StepId::Connect).await.expect("a read").expect("it is there");
    assert_eq!((read, version), (step, 1));
    let due = ledger.due(at(1), 100).await.expect("what is due");
    assert!(due.iter().any(|row| row.wake_up.subject == Subject::Shop { shop: moon() }));
}

async fn rows_of_many_orders_are_read_in_batches(ledger: &impl Ledger) {
    for id in 500..630 {
        saved(ledger, id, PushState::not_pushed()).await;
    }
    let step = RowKey::Step(StepId::Push { source: sun(), group: 1 });
    let keys: Vec<_> = (500..640).map(|id| (order(id), step.clone())).collect();

    let known = ledger.load_rows(&keys).await.expect("a read");

    assert_eq!(known.len(), 130);
    assert!(known.values().all(|record| record.pushes.contains_key(&(sun(), 1)) && record.summary.is_none()));
    assert!(ledger.load_rows(&[]).await.expect("a read of nothing").is_empty());
}

async fn what_is_parked_is_listed_oldest_first_until_it_goes_again(ledger: &(impl Ledger + ParkedSteps)) {
    let failure = |second| Failure { at: at(second), code: Code::Rejected, message: "no".into(), request_id: None };
    let park = |step: &mut Step<PushState>, second| {
        step.fail(failure(second), |_| Duration::ZERO);
        step.park(Code::Rejected, at(second), at(second + 60), None);
    };
    for (id, second) in [(81, 3), (82, 1)] {
        let mut record = saved(ledger, id, PushState::not_pushed()).await;
        park(push(&mut record).change(), second);
        ledger.save(&mut [&mut record]).await.expect("a parked step");
    }
    let mut resync: Step<()> = Step::new(());
    resync.park(Code::AccessDenied, at(2), at(62), None);
    ledger.save_shop_step(&moon(), &StepId::Resync, &resync, 0).await.expect("a parked step of the shop");

    let all = ledger.parked(&moon(), None, 10).await.expect("the list");
    let ids: Vec<String> = all.letters.iter().map(|placed| placed.letter.id.to_string()).collect();
    let push_of = |id: u64| format!("{}/{id}/push/{}/1@0", moon(), sun());
    assert_eq!(ids, [push_of(82), format!("{}/resync@0", moon()), push_of(81)]);
    assert_eq!(all.next, None);
    let oldest = &all.letters[0].letter;
    assert_eq!((oldest.code, oldest.parked_at, oldest.attempts), (Code::Rejected, at(1), 1));
    assert_eq!(oldest.last_failure, Some(failure(1)));
    assert!(ledger.parked(&sun(), None, 10).await.expect("the list").letters.is_empty());

    let first = ledger.parked(&moon(), None, 2).await.expect("a page");
    let next = first.next.as_deref().expect("there is more");
    let second = ledger.parked(&moon(), Some(next), 2).await.expect("a page");
    assert_eq!((first.letters.len(), second.letters.as_slice(), second.next), (2, &all.letters[2..], None));

    let mut record = ledger.load(&order(82)).await.expect("the order");
    push(&mut record).change().reopen();
    ledger.save(&mut [&mut record]).await.expect("it goes again");
    assert_eq!(ledger.parked(&moon(), None, 10).await.expect("the list").letters, all.letters[1..]);
}

async fn orders_are_listed_while_somebody_has_to_own_a_warning(ledger: &(impl Ledger + Exceptions)) {
    let warning = |since| Warning {
        code: WarningCode::ReducedAfterPush,
        source: sun(),
        source_order: SourceOrder { id: OrderId::new(9), name: "#9".into() },
        detail: "2 pushed, 1 left".into(),
        since: Some(at(since)),
        in_hand: false,
        dismissed: None,
    };
    for (id, since) in [(71, 3), (72, 1), (73, 2)] {
        let mut record = OrderRecord::empty(order(id));
        record.summary = Some(Row::new(summary(&format!("#{id}"), vec![warning(since)])));
        ledger.save(&mut [&mut record]).await.expect("an order with a warning");
    }
    let of = |page: &WarnedPage| page.orders.iter().map(|(at, it)| (at.id, it.name.clone())).collect::<Vec<_>>();
    let listed = |id: u64| (OrderId::new(id), format!("#{id}"));

    let all = ledger.warned(&moon(), None, 10).await.expect("the list");
    assert_eq!((of(&all), &all.next), (vec![listed(72), listed(73), listed(71)], &None));
    assert_eq!(all.orders[0].1.open, [warning(1)]);
    let first = ledger.warned(&moon(), None, 2).await.expect("a page");
    let next = first.next.as_deref().expect("there is more");
    let second = ledger.warned(&moon(), Some(next), 2).await.expect("a page");
    assert_eq!((first.orders.len(), of(&second), second.next), (2, vec![listed(71)], None));
    assert!(ledger.warned(&sun(), None, 10).await.expect("the list").orders.is_empty());

    let mut record = ledger.load(&order(72)).await.expect("the order");
    let dismissed = Dismissed { at: at(5), by: "ada".into(), reason: "seen to".into() };
    assert_eq!(record.dismiss_warnings(&record.open_warnings(None), &dismissed).len(), 1);
    ledger.save(&mut [&mut record]).await.expect("it is dismissed");
    assert_eq!(ledger.load(&order(72)).await.expect("the order"), record, "all of it is read back");
    let mut record = ledger.load(&order(73)).await.expect("the order");
    record.summary.as_mut().expect("its summary").change().warnings = Vec::new();
    ledger.save(&mut [&mut record]).await.expect("the stores agree again");

    assert_eq!(of(&ledger.warned(&moon(), None, 10).await.expect("the list")), [listed(71)]);
}

fn summary(name: &str, warnings: Vec<Warning>) -> Summary {
    serde_json::from_value(serde_json::json!({
        "name": name, "created_at": at(0), "updated_at": at(0), "cancelled_at": null, "test": false,
        "financial_status": "PAID", "fulfillment_status": "UNFULFILLED",
        "total": { "amount": "20.00", "currency": "EUR" }, "shipping_method": null, "tags": [], "lines": [],
        "tracking_numbers": [], "tab": "pushed", "warnings": warnings,
    }))
    .expect("a summary")
}

async fn whoever_takes_a_cause_last_has_it(ledger: &impl Exceptions) {
    let taken = |cause: &str, owner: &str| Assignment {
        cause: cause.into(),
        owner: owner.parse().expect("a name"),
        until: at(1_000_000),
        at: at(0),
        by: "ada".into(),
    };
    assert_eq!(ledger.assignments().await.expect("nobody"), []);

    ledger.assign(&taken("5f3a91c2", "ada")).await.expect("it is taken");
    ledger.assign(&taken("91c25f3a", "warehouse")).await.expect("another");
    ledger.assign(&taken("5f3a91c2", "bob")).await.expect("by somebody else");
    let both = [taken("5f3a91c2", "bob"), taken("91c25f3a", "warehouse")];
    assert_eq!(ledger.assignments().await.expect("the list"), both);

    ledger.release("5f3a91c2").await.expect("it is given back");
    ledger.release("5f3a91c2").await.expect("twice");
    assert_eq!(ledger.assignments().await.expect("the list"), both[1..]);
}

async fn a_job_is_versioned_and_listed_while_it_is_open(ledger: &(impl Ledger + Jobs)) {
    let id = format!("{}/91/push/{}/1@0", moon(), sun()).parse().expect("a name");
    let first = Job::new("job-1".into(), (at(1), "ada".into()), "the sun is back".into(), Work::Redrive(vec![id]));
    let second = Job { id: "job-2".into(), asked_at: at(0), ..first.clone() };
    ledger.save_job(&first, 0, &[]).await.expect("a new job");
    ledger.save_job(&second, 0, &[]).await.expect("another");
    assert!(matches!(ledger.save_job(&first, 0, &[]).await, Err(LedgerError::Conflict)), "it is there already");
    assert_eq!(ledger.job("job-1").await.expect("the job"), Some((first.clone(), 1)));
    assert_eq!(ledger.job("job-3").await.expect("no job"), None);
    assert_eq!(ledger.open_jobs().await.expect("the list"), ["job-2", "job-1"]);

    let done = Job { state: JobState::Done { at: at(9) }, sent: 1, ..first.clone() };
    ledger.save_job(&done, 1, &[(order(91), event(&order(91)))]).await.expect("it goes on");
    assert!(matches!(ledger.save_job(&first, 1, &[]).await, Err(LedgerError::Conflict)), "somebody was faster");
    assert_eq!(ledger.job("job-1").await.expect("the job"), Some((done, 2)));
    assert_eq!(ledger.open_jobs().await.expect("the list"), ["job-2"]);
}
