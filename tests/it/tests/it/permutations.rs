//! Webhooks in any order, early or late, doubled or with a lost answer in between: what the ledger says in the
//! end follows from what happened in the shops, not from the order in which it was told.

use std::collections::BTreeMap;

use roundtrip_domain::code::Code;
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::order::FinancialStatus;
use roundtrip_domain::push::PushState;
use roundtrip_domain::record::{Tab, WarningCode};
use roundtrip_domain::task::Queue;
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use crate::world::{HOUR, ORDER, World, at, tracking};

/// What happens to the order, in the order in which it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Created,
    Paid,
    Updated,
    /// The source store ships what it has of the order.
    Fulfilled,
    Cancelled,
}

const EVENTS: [Event; 5] = [Event::Created, Event::Paid, Event::Updated, Event::Fulfilled, Event::Cancelled];

fn permutations(of: &[Event]) -> Vec<Vec<Event>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |(n, first): (usize, &Event)| {
        let rest: Vec<Event> = [&of[..n], &of[n + 1..]].concat();
        permutations(&rest).into_iter().map(|rest| [&[*first], rest.as_slice()].concat()).collect::<Vec<_>>()
    };
    of.iter().enumerate().flat_map(with_first).collect()
}

/// All that is to be the same in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    tab: Tab,
    financial_status: FinancialStatus,
    tags: Vec<String>,
    pushes: Vec<&'static str>,
    warnings: Vec<WarningCode>,
    refusals: usize,
    writebacks: Vec<(&'static str, Option<Code>)>,
    letters: Vec<(&'static str, Code)>,
    mails: Vec<String>,
    events: Vec<&'static str>,
}

/// An order and its webhooks, some of which are still on their way.
struct Story {
    world: World,
    happened: usize,
    has_arrived: Vec<Event>,
    has_shipped: bool,
    is_shipment_told: bool,
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        world.change_order(|order| order.financial_status = FinancialStatus::Pending);
        Self { world, happened: 0, has_arrived: Vec::new(), has_shipped: false, is_shipment_told: false }
    }

    /// Everything up to `event` has happened by now.
    fn happens(&mut self, event: Event) {
        while self.happened <= event as usize {
            match EVENTS[self.happened] {
                Event::Created | Event::Fulfilled => {}
                Event::Paid => self.world.change_order(|order| order.financial_status = FinancialStatus::Paid),
                Event::Updated => self.world.change_order(|order| order.note = Some("ring twice".into())),
                Event::Cancelled => self.world.cancel_order(),
            }
            self.happened += 1;
            self.source_ships();
        }
    }

    /// The source store ships as soon as it has something, from its time on.
    fn source_ships(&mut self) {
        let Some(source) = self.source().filter(|_| self.happened > Event::Fulfilled as usize) else { return };
        if !self.has_shipped {
            self.world.ports.channel.ship(&source, Some(tracking("T1")));
            self.has_shipped = true;
        }
    }

    fn source(&self) -> Option<OrderRef> {
        let id = self.world.shop(&sun(), |shop| shop.pushed.first().map(|(order, _)| order.id))?;
        Some(OrderRef { shop: sun(), id })
    }

    /// The webhook of `event` comes, with what the order was like when it was sent.
    async fn arrives(&mut self, event: Event) {
        let mut webhook = self.world.webhook(&at());
        webhook.seen_updated_at = self.world.shop(&moon(), |shop| Some(shop.orders[&OrderId::new(ORDER)].updated_at));
        self.world.tell(Queue::OrderPush, webhook).await;
        self.has_arrived.push(event);
        self.source_ships();
        if self.has_shipped && !self.is_shipment_told && self.has_arrived.contains(&Event::Fulfilled) {
            self.is_shipment_told = true;
            self.world.source_webhook(&self.source().unwrap()).await;
        }
    }

    async fn end(&self) -> End {
        self.world.run(HOUR).await;
        self.world.comes_to_rest().await;
        let (record, summary) = (self.world.record().await, self.world.summary().await);
        // A push that was tried in vain is as one that was never tried.
        let pushes = record.pushes.values().map(|row| row.get().state.name());
        let mut events: Vec<_> = self.world.ports.tasks.sent().events.iter().map(|event| event.kind.name()).collect();
        events.sort_unstable();
        End {
            tab: summary.tab,
            financial_status: summary.financial_status,
            tags: self.world.order_tags(),
            pushes: pushes.filter(|state| *state != PushState::not_pushed().name()).collect(),
            warnings: summary.warnings.iter().map(|warning| warning.code).collect(),
            refusals: summary.refusals.len(),
            writebacks: self.world.writebacks().await,
            letters: self.world.letters(),
            mails: self.world.mails(),
            events,
        }
    }
}

/// The ends of all stories, by how many orders were made and how many shipments are shown: of each kind there
/// is but one end.
#[derive(Default)]
struct Ends(BTreeMap<(usize, usize), End>);

impl Ends {
    async fn add(&mut self, story: Story, order: &[Event]) {
        let end = story.end().await;
        let made = (story.world.made_at(&sun()).len(), story.world.shown().len());
        assert!(made.0 <= 1, "{} source orders after {order:?}", made.0);
        let known = self.0.entry(made).or_insert_with(|| end.clone());
        assert_eq!(*known, end, "after {order:?}");
    }
}

#[tokio::test]
async fn webhooks_that_come_when_all_is_over_end_alike_in_any_order() {
    let mut ends = Ends::default();
    for order in permutations(&EVENTS) {
        let mut story = Story::new();
        story.happens(Event::Cancelled);

        for event in &order {
            story.arrives(*event).await;
        }

        ends.add(story, &order).await;
    }
    assert_eq!(ends.0.keys().collect::<Vec<_>>(), [&(0, 0)], "cancelled before anybody heard of it");
}

#[tokio::test]
async fn webhooks_of_an_order_that_stands_end_alike_in_any_order() {
    let standing = &EVENTS[..4];
    let mut ends = Ends::default();
    for order in permutations(standing) {
        let mut story = Story::new();

        for event in &order {
            story.happens(*event);
            story.arrives(*event).await;
        }
        story.arrives(Event::Fulfilled).await;

        ends.add(story, &order).await;
    }
    let end = &ends.0[&(1, 1)];
    assert_eq!((ends.0.len(), end.tab, &end.writebacks[..]), (1, Tab::Pushed, &[("written", None)][..]));
}

/// Each webhook comes as soon as the permutation lets it, and what it tells of has just happened.
async fn told_at_once(ends: &mut Ends, faults: &[Fault], times: usize) {
    for order in permutations(&EVENTS) {
        let mut story = Story::new();
        story.world.fail_next(&sun(), faults);

        for event in &order {
            story.happens(*event);
            for _ in 0..times {
                story.arrives(*event).await;
            }
        }

        ends.add(story, &order).await;
    }
}

/// Things happen one after the other, and at each turn the permutation's webhook comes, or later, when what it
/// tells of has happened.
async fn told_in_turn(ends: &mut Ends, faults: &[Fault]) {
    for order in permutations(&EVENTS) {
        let mut story = Story::new();
        story.world.fail_next(&sun(), faults);

        for turn in 0..EVENTS.len() {
            story.happens(EVENTS[turn]);
            let can_come = order[..=turn].iter().filter(|event| **event as usize <= turn);
            for event in can_come.filter(|event| !story.has_arrived.contains(event)).copied().collect::<Vec<_>>() {
                story.arrives(event).await;
            }
        }

        ends.add(story, &order).await;
    }
}

#[tokio::test]
async fn webhooks_that_come_in_between_end_alike_in_any_order() {
    let mut ends = Ends::default();

    told_at_once(&mut ends, &[], 1).await;
    told_in_turn(&mut ends, &[]).await;

    assert!(ends.0.values().all(|end| end.tab == Tab::Cancelled));
    // Pushed or not, shown or not, by whether the cancellation was there first.
    let warned = |end: &End| end.warnings.len();
    let ends: Vec<_> = ends.0.iter().map(|(made, end)| (*made, warned(end), end.letters.clone())).collect();
    let order_cancelled = vec![("writeback", Code::OrderCancelled)];
    assert_eq!(ends, [((0, 0), 0, vec![]), ((1, 0), 1, order_cancelled), ((1, 1), 1, vec![])]);
}

#[tokio::test]
async fn webhooks_that_come_twice_end_as_those_that_come_once() {
    let mut ends = Ends::default();

    told_at_once(&mut ends, &[], 1).await;
    told_at_once(&mut ends, &[], 2).await;
}

#[tokio::test]
async fn a_push_without_an_answer_ends_as_one_with_an_answer() {
    for fault in [Fault::AnswerLost, Fault::Throttled, Fault::Unreachable] {
        let mut ends = Ends::default();

        told_at_once(&mut ends, &[], 1).await;
        told_at_once(&mut ends, &[fault], 1).await;
        told_in_turn(&mut ends, &[fault]).await;
    }
}
