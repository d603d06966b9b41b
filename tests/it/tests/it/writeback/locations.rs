//! From where goods are sent: never guessed, and told by the map of locations where it is not clear.

use roundtrip_domain::FAILED_SHIPMENT_TAG;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{LocationId, OrderRef};
use roundtrip_domain::registry::{LocationMapping, Place};
use roundtrip_kit::order::{line, moon, sun};

use crate::world::{DAY, World, line_of, mars};

/// A line of four units, two of them waited for at location 1 and two at location 2; the source store ships
/// one from its own location 1.
async fn ambiguous() -> (World, OrderRef) {
    let (world, source) = World::pushed(4).await;
    let places = vec![(LocationId::new(1), 2), (LocationId::new(2), 2)];
    world.shop(&moon(), |shop| shop.split.insert(line_of(1), places));
    world.ship_units(&source, &["T1"], Some(1)).await;
    (world, source)
}

/// Says that location 1 of the sun stands for this location of the moon.
fn map_to(world: &World, location: u64) {
    let from = Place::Location { shop: sun(), location: LocationId::new(1) };
    let mapping = LocationMapping { from, to: LocationId::new(location) };
    world.ports.ledger.put_locations(&moon(), vec![mapping].into());
}

/// From which locations the moon's fulfillments were sent.
fn sent_from(world: &World) -> Vec<u64> {
    world.shop(&moon(), |shop| shop.sent_from.values().map(|location| location.number()).collect())
}

#[tokio::test]
async fn a_place_that_nobody_mapped_is_asked_about_and_not_tried_again_blindly() {
    let (world, source) = ambiguous().await;
    assert_eq!(world.letters(), [("writeback", Code::LocationUnmapped)]);
    let step = world.writeback().await;
    assert_eq!((step.attempts, world.order_tags()), (1, vec![FAILED_SHIPMENT_TAG.to_owned()]));
    assert_eq!(
        step.last_failure.unwrap().message,
        "1 of line 101 came from sun.myshopify.com/1, and 2 at location 1, 2 at location 2 are waited for: \
         map the place to a location"
    );

    for _ in 0..3 {
        world.source_webhook(&source).await;
        world.order_webhook().await;
    }
    world.comes_to_rest().await;

    assert_eq!((world.calls(&moon(), "create_fulfillment"), world.letters().len()), (0, 1));
}

#[tokio::test]
async fn once_it_is_mapped_whatever_comes_shows_the_shipment() {
    for wake_up in ["redrive", "webhook of the source", "webhook of the order"] {
        let (world, source) = ambiguous().await;
        map_to(&world, 2);

        match wake_up {
            "redrive" => world.redrive().await,
            "webhook of the source" => world.source_webhook(&source).await,
            _ => world.order_webhook().await,
        }

        assert_eq!((world.shown(), sent_from(&world)), (vec![("T1".into(), 1)], vec![2]), "{wake_up}");
        assert_eq!((world.mails(), world.order_tags()), (vec!["T1".to_owned()], vec![]), "{wake_up}");
        world.comes_to_rest().await;
    }
}

#[tokio::test]
async fn a_place_that_does_not_stock_the_product_is_asked_about() {
    let (world, source) = World::pushed(1).await;
    map_to(&world, 2);

    world.ship(&source, &["T1"]).await;
    assert_eq!(world.letters(), [("writeback", Code::ProductNotAtLocation)]);
    world.comes_to_rest().await;
    assert_eq!((world.calls(&moon(), "create_fulfillment"), world.letters().len()), (0, 1));
    map_to(&world, 1);
    world.source_webhook(&source).await;

    assert_eq!((world.shown(), world.order_tags()), (vec![("T1".into(), 1)], vec![]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn work_that_moves_to_the_mapped_location_shows_the_shipment() {
    let (world, source) = World::pushed(1).await;
    map_to(&world, 2);
    world.ship(&source, &["T1"]).await;

    world.shop(&moon(), |shop| shop.stocked_at.insert(line_of(1), LocationId::new(2)));
    world.order_webhook().await;

    assert_eq!((world.shown(), sent_from(&world)), (vec![("T1".into(), 1)], vec![2]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn where_all_is_sent_that_is_waited_for_nothing_has_to_be_mapped() {
    let (world, source) = World::pushed(4).await;
    let places = vec![(LocationId::new(1), 1), (LocationId::new(2), 3)];
    world.shop(&moon(), |shop| shop.split.insert(line_of(1), places));

    world.ship(&source, &["T1"]).await;

    assert_eq!((world.shown(), sent_from(&world)), (vec![("T1".into(), 1), ("T1".into(), 3)], vec![1, 2]));
    assert_eq!(world.mails(), ["T1"]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn two_locations_in_one_shipment_are_two_fulfillments_each_of_its_own_lines() {
    let world = World::new();
    // Two lines of one product: only the line tells them apart.
    world.change_order(|order| {
        let mut second = line(1);
        second.id = line_of(2);
        order.lines.push(second);
    });
    world.shop(&moon(), |shop| shop.stocked_at.insert(line_of(2), LocationId::new(2)));
    world.order_webhook().await;

    world.ship(&world.source_order(&sun()), &["T1"]).await;

    let lines = world.shop(&moon(), |shop| {
        let shown = shop.shown.values().flatten();
        shown.map(|shown| (shop.sent_from[&shown.id].number(), shown.lines.clone())).collect::<Vec<_>>()
    });
    assert_eq!(lines, [(1, vec![(line_of(1), 1)]), (2, vec![(line_of(2), 1)])]);
    assert_eq!((world.calls(&moon(), "create_fulfillment"), world.mails()), (2, vec!["T1".to_owned()]));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn each_source_has_places_of_its_own() {
    let (world, source) = ambiguous().await;
    world.add_source(&mars(), 2);
    world.order_webhook().await;
    map_to(&world, 2);
    world.source_webhook(&source).await;

    // Its location has the same number, but is another place.
    let of_mars = world.source_order(&mars());
    world.ship(&of_mars, &["M"]).await;

    assert_eq!(world.shown(), [("T1".into(), 1), ("M".into(), 1)]);
    assert_eq!(sent_from(&world), [2, 1]);
    world.comes_to_rest().await;
}

#[tokio::test]
async fn another_map_that_does_not_help_is_told_anew_once() {
    let (world, source) = ambiguous().await;

    map_to(&world, 7);
    for _ in 0..3 {
        world.source_webhook(&source).await;
    }
    world.run(DAY).await;

    let codes = [("writeback", Code::LocationUnmapped), ("writeback", Code::ProductNotAtLocation)];
    assert_eq!(world.letters(), codes);
    // The older of the two letters is void.
    let (queue, letter) = world.ports.tasks.sent().parked[0].clone();
    world.tell(queue, letter.task).await;
    assert_eq!(world.letters().len(), 2);
    world.comes_to_rest().await;
}
