//! An order whose lines several source stores hold: one push each, and each by itself.

use roundtrip_domain::Waits;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::VariantId;
use roundtrip_domain::ports::Registry;
use roundtrip_domain::push::{PushState, dry_run};
use roundtrip_domain::record::{RequestState, Tab};
use roundtrip_domain::registry::ProductLink;
use roundtrip_domain::{FAILED_PUSH_TAG, Outcome};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{moon, sun};

use crate::world::{World, at, line_of, mars, venus};

/// One line of the sun's, one of the mars', one of the venus'.
fn three_stores() -> World {
    let world = World::new();
    world.add_source(&mars(), 2);
    world.add_source(&venus(), 3);
    world
}

/// The same, each store pushed only when a person asks.
async fn by_hand() -> World {
    let world = three_stores();
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;
    world
}

#[tokio::test]
async fn each_store_gets_one_order_of_its_own_lines() {
    let world = three_stores();

    world.order_webhook().await;

    for (source, product) in [(sun(), 1), (mars(), 2), (venus(), 3)] {
        let made = world.made_at(&source);
        assert_eq!(made.len(), 1, "{source}");
        assert_eq!(made[0].lines.len(), 1, "{source}");
        assert_eq!(made[0].lines[0].variant.number(), product + 1000);
    }
    assert_eq!(world.tab().await, Tab::Pushed);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn an_order_is_partly_pushed_until_every_store_has_its_part() {
    let world = by_hand().await;
    assert_eq!(world.tab().await, Tab::NotPushed);

    let mut tabs = Vec::new();
    for (n, source) in [mars(), sun(), venus()].iter().enumerate() {
        world.request(source, &format!("request-{n}")).await;
        world.drain().await;
        tabs.push(world.tab().await);
    }

    assert_eq!(tabs, [Tab::PartiallyPushed, Tab::PartiallyPushed, Tab::Pushed]);
    assert_eq!([sun(), mars(), venus()].map(|source| world.made_at(&source).len()), [1, 1, 1]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_store_that_was_not_asked_for_gets_nothing() {
    let world = by_hand().await;

    world.request(&sun(), "request-1").await;
    world.comes_to_rest().await;

    assert_eq!([sun(), mars(), venus()].map(|source| world.made_at(&source).len()), [1, 0, 0]);
}

#[tokio::test]
async fn requests_at_once_for_all_stores_make_one_order_each() {
    let world = by_hand().await;

    for n in 0..4 {
        for source in [sun(), mars(), venus()] {
            world.request(&source, &format!("{source}-{n}")).await;
        }
    }
    world.drain().await;

    assert_eq!(world.tab().await, Tab::Pushed);
    for source in [sun(), mars(), venus()] {
        let made = world.source_order(&source).id;
        for n in 0..4 {
            let answer = world.request_state(&format!("{source}-{n}")).await;
            assert!(matches!(&answer, RequestState::Done { order } if order.id == made), "{answer:?}");
        }
    }
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_store_that_refuses_does_not_keep_the_others_from_their_part() {
    let world = three_stores();
    world.fail_next(&mars(), &[Fault::Refused]);

    let outcome = world.handle(roundtrip_domain::task::Queue::OrderPush, &world.webhook(&at())).await.unwrap();

    assert_eq!(outcome, Outcome::Park { code: Code::Rejected });
    assert_eq!([sun(), mars(), venus()].map(|source| world.made_at(&source).len()), [1, 0, 1]);
    assert_eq!(world.tab().await, Tab::PartiallyPushed);
    assert_eq!(world.order_tags(), [FAILED_PUSH_TAG]);
    assert_eq!(world.letters(), [("push", Code::Rejected)]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_redrive_of_the_one_that_failed_completes_the_order() {
    let world = three_stores();
    world.fail_next(&mars(), &[Fault::Refused]);
    world.order_webhook().await;

    world.redrive().await;

    assert_eq!(world.tab().await, Tab::Pushed);
    assert_eq!([sun(), mars(), venus()].map(|source| world.made_at(&source).len()), [1, 1, 1]);
    assert_eq!(world.order_tags(), Vec::<String>::new());
    assert_eq!(world.letters().len(), 1);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_store_that_gives_no_answer_is_looked_into_while_the_others_go_on() {
    let world = three_stores();
    world.fail_next(&sun(), &[Fault::AnswerLost]);
    world.fail_next(&mars(), &[Fault::RequestLost]);

    world.order_webhook().await;
    assert!(matches!(world.push(&sun()).await.state, PushState::Verifying { .. }));
    assert!(matches!(world.push(&venus()).await.state, PushState::Confirmed { .. }));
    world.comes_to_rest().await;

    assert_eq!([sun(), mars(), venus()].map(|source| world.made_at(&source).len()), [1, 1, 1]);
    assert_eq!(world.tab().await, Tab::Pushed);
}

#[tokio::test]
async fn the_tracking_of_each_store_comes_home_to_its_own_lines() {
    let world = three_stores();
    world.order_webhook().await;

    world.ship(&world.source_order(&venus()), &["V"]).await;
    world.ship(&world.source_order(&sun()), &["S"]).await;
    assert_eq!(world.shown(), [("V".into(), 1), ("S".into(), 1)]);
    world.ship(&world.source_order(&mars()), &["M"]).await;

    let lines = world.shop(&moon(), |shop| {
        let shown = shop.shown.values().flatten();
        shown.map(|shown| (shown.tracking[0].number.clone(), shown.lines[0].0)).collect::<Vec<_>>()
    });
    assert_eq!(lines, [("V".into(), line_of(3)), ("S".into(), line_of(1)), ("M".into(), line_of(2))]);
    assert_eq!(world.mails(), ["V", "S", "M"]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn one_number_that_two_stores_give_is_shown_for_both_and_mailed_about_once() {
    let world = three_stores();
    world.order_webhook().await;

    world.ship(&world.source_order(&sun()), &["T"]).await;
    world.ship(&world.source_order(&mars()), &["T"]).await;

    assert_eq!((world.shown(), world.mails()), (vec![("T".into(), 1), ("T".into(), 1)], vec!["T".into()]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn a_store_whose_lines_were_all_called_off_is_not_waited_for() {
    let world = by_hand().await;
    world.request(&sun(), "request-1").await;
    world.request(&mars(), "request-2").await;
    world.drain().await;
    assert_eq!(world.tab().await, Tab::PartiallyPushed);

    world.change_order(|order| order.lines[2].quantity = 0);
    world.order_webhook().await;

    assert_eq!(world.tab().await, Tab::Pushed);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn what_left_for_one_store_is_not_bought_again_from_another_it_is_linked_to_since() {
    for fault in [None, Some(Fault::AnswerLost)] {
        let world = World::new();
        world.add_source(&mars(), 2);
        world.shop(&sun(), |shop| shop.mutation_faults.extend(fault));
        world.order_webhook().await;
        assert_eq!((world.made_at(&sun()).len(), world.made_at(&mars()).len()), (1, 1), "{fault:?}");

        let other = ProductLink::given((moon(), VariantId::new(1)), (mars(), VariantId::new(1001)));
        world.ports.ledger.put_link(other);
        world.change_order(|order| order.note = Some("later".into()));
        world.order_webhook().await;

        assert_eq!((world.made_at(&sun()).len(), world.made_at(&mars()).len()), (1, 1), "{fault:?}");
        assert_eq!(world.made_at(&mars())[0].lines.len(), 1);
        world.comes_to_rest().await;
        assert_eq!((world.tab().await, world.made_at(&mars()).len()), (Tab::Pushed, 1));
    }
}

#[tokio::test]
async fn a_dry_run_says_who_has_a_line_whoever_it_is_linked_to_since() {
    let world = World::new();
    world.add_source(&mars(), 2);
    world.fail_next(&mars(), &[Fault::Refused]);
    world.order_webhook().await;
    let other = ProductLink::given((moon(), VariantId::new(1)), (mars(), VariantId::new(1001)));
    world.ports.ledger.put_link(other);

    let shop = world.ports.ledger.shop(&moon()).await.unwrap().unwrap();
    let order = world.shop(&moon(), |shop| shop.orders[&at().id].clone());
    let links = world.ports.ledger.links(&moon(), &[1, 2].map(VariantId::new), &[sun(), mars()]).await.unwrap();
    let parts =
        dry_run(&world.record().await, (order, links, shop), (Some(&mars()), None), &Waits::default(), world.now());

    let [part] = parts.as_slice() else { panic!("{parts:?}") };
    let goes: Vec<_> = part.push.iter().flat_map(|(plan, _)| plan.quantities()).collect();
    assert_eq!(goes, [(line_of(2), 1)]);
    let withheld: Vec<_> = part.withheld.iter().map(|line| (line.line, line.source.clone())).collect();
    assert_eq!(withheld, [(line_of(1), Some(sun()))]);
}

#[tokio::test]
async fn what_was_not_pushed_goes_where_it_is_linked_to_since() {
    let world = World::new();
    world.settings(|settings| settings.auto_push = false).await;
    world.add_source(&mars(), 2);
    world.settings(|settings| settings.auto_push = false).await;
    world.order_webhook().await;

    let other = ProductLink::given((moon(), VariantId::new(1)), (mars(), VariantId::new(1001)));
    world.ports.ledger.put_link(other);
    world.request(&mars(), "request-1").await;
    world.drain().await;

    assert_eq!((world.made_at(&sun()).len(), world.made_at(&mars())[0].lines.len()), (0, 2));
    assert_eq!(world.tab().await, Tab::Pushed);
}
