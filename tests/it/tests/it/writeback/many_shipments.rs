//! Orders of more shipments than are written at once.

use roundtrip_domain::code::Code;
use roundtrip_domain::id::LabelId;
use roundtrip_kit::label;

use crate::world::{HOUR, World, at};

const MANY: u32 = 45;

/// `T1` …, in the order in which they are kept.
fn numbers() -> Vec<String> {
    (1..=MANY).map(|n| format!("T{n:02}")).collect()
}

fn each_shown(world: &World) -> Vec<String> {
    let mut shown: Vec<String> = world.shown().into_iter().map(|(number, _)| number).collect();
    shown.sort();
    shown
}

#[tokio::test]
async fn shipments_that_all_lack_their_number_wait_and_are_shown_one_by_one() {
    let (world, source) = World::pushed(MANY).await;
    let mut shipments = Vec::new();
    for _ in 0..MANY {
        shipments.push(world.ship_units(&source, &[], Some(1)).await);
    }
    assert_eq!(world.run(HOUR).await, 0, "nothing comes back that was not finished");

    for (id, number) in shipments.iter().zip(numbers()).rev() {
        world.relabel(&source, *id, &[&number]).await;
    }

    assert_eq!((each_shown(&world), world.mails().len()), (numbers(), numbers().len()));
    world.comes_to_rest().await;
}

#[tokio::test]
async fn shipments_that_all_failed_do_not_keep_the_next_from_being_shown() {
    let (world, source) = World::pushed(MANY).await;
    for _ in 0..MANY - 1 {
        // Of more units than were ordered: none fits.
        world.ship_units(&source, &["X"], Some(MANY + 1)).await;
    }
    assert!(world.letters().iter().all(|letter| *letter == ("writeback", Code::ProductsMismatch)));
    assert_eq!(world.letters().len(), numbers().len() - 1);

    world.ship_units(&source, &["T"], Some(1)).await;

    assert_eq!(world.shown(), [("T".into(), 1)]);
}

#[tokio::test]
async fn a_webhook_about_many_shipments_shows_them_all() {
    let (world, source) = World::pushed(MANY).await;
    for number in numbers() {
        let id = world.ports.channel.ship(&source, None);
        world.shop(&source.shop, |shop| {
            let shipped = shop.shipped.get_mut(&source.id).unwrap().iter_mut().find(|it| it.id == id).unwrap();
            shipped.tracking = vec![crate::world::tracking(&number)];
            shipped.lines[0].1 = 1;
        });
    }

    world.source_webhook(&source).await;
    world.comes_to_rest().await;

    assert_eq!((each_shown(&world), world.mails().len()), (numbers(), numbers().len()));
}

#[tokio::test]
async fn many_labels_are_shown_whether_or_not_others_failed() {
    let world = World::known(MANY).await;
    for number in numbers() {
        let units = if number.as_str() < "T30" { MANY + 1 } else { 1 };
        let id: LabelId = number.parse().unwrap();
        label::post(&world.ports, &at(), &id, world.label_of_units(&number, units)).await;
    }

    world.drain().await;

    assert_eq!(each_shown(&world), numbers().split_off(29));
    assert_eq!(world.letters().len(), 29);
    world.comes_to_rest().await;
}
