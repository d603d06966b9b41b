//! What may happen to an order, its shops and its queues.

use std::time::Duration;

use proptest::prelude::*;
use roundtrip_domain::id::{FulfillmentId, LocationId, OrderRef, ShopDomain};
use roundtrip_domain::order::FulfillmentOrderStatus::{OnHold, Open, Scheduled};
use roundtrip_domain::order::FulfillmentState;
use roundtrip_domain::ports::after;
use roundtrip_domain::push::push_order;
use roundtrip_domain::registry::{LocationMapping, Place};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::{TrackingInfo, write_back};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::label;
use roundtrip_kit::order::{moon, sun};

use crate::world::{DAY, HOUR, MINUTE, World, at, label_id, mars, tracking};

/// Something that happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    OrderWebhook,
    SourceWebhook(usize),
    Request(usize),
    Redrive(usize),
    Quantity(u32),
    Note,
    Cancel,
    Hold,
    Schedule(u32),
    Release,
    Ship(usize, u8, u32),
    ShipWithoutNumber(usize),
    Relabel(usize, u8),
    Unlinked(usize),
    CallOff(usize),
    CancelShown(usize),
    ShipByHand(u8),
    Post(u8, u8, Option<u32>),
    Void(u8),
    Map(u64),
    AutoPush(bool),
    Overwrite(bool),
    RejectOverwrite(bool),
    Split(bool),
    CancelSource(bool),
    Revoke(usize),
    LetIn(usize),
    BusDown(bool),
    Fail(usize, Fault),
    FailQuestion(usize, Fault),
    Pass(Duration),
    /// While the next change is on its way, other workers hear of the order and of its source orders.
    Meanwhile(bool),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Throttled),
        Just(Fault::Unreachable),
        Just(Fault::Refused),
        Just(Fault::AnswerLost),
        Just(Fault::RequestLost),
        Just(Fault::LandsLate(MINUTE)),
        Just(Fault::Revoked),
    ]
}

fn question_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![Just(Fault::Throttled), Just(Fault::Unreachable), Just(Fault::RequestLost), Just(Fault::Revoked)]
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        4 => Just(OrderWebhook),
        4 => (0..2_usize).prop_map(SourceWebhook),
        2 => (0..2_usize).prop_map(Request),
        2 => (0..4_usize).prop_map(Redrive),
        1 => (0..4_u32).prop_map(Quantity),
        1 => Just(Note),
        1 => Just(Cancel),
        1 => Just(Hold),
        1 => (0..3_u32).prop_map(Schedule),
        2 => Just(Release),
        6 => (0..2_usize, 0..4_u8, 1..3_u32).prop_map(|(source, number, units)| Ship(source, number, units)),
        1 => (0..2_usize).prop_map(ShipWithoutNumber),
        4 => (0..6_usize, 0..4_u8).prop_map(|(n, number)| Relabel(n, number)),
        1 => (0..6_usize).prop_map(Unlinked),
        3 => (0..6_usize).prop_map(CallOff),
        2 => (0..6_usize).prop_map(CancelShown),
        1 => (0..4_u8).prop_map(ShipByHand),
        3 => (0..3_u8, 0..4_u8, proptest::option::of(1..3_u32)).prop_map(|(id, number, units)| Post(id, number, units)),
        2 => (0..3_u8).prop_map(Void),
        1 => (1..4_u64).prop_map(Map),
        1 => any::<bool>().prop_map(AutoPush),
        1 => any::<bool>().prop_map(Overwrite),
        1 => any::<bool>().prop_map(RejectOverwrite),
        1 => any::<bool>().prop_map(Split),
        1 => any::<bool>().prop_map(CancelSource),
        1 => (0..3_usize).prop_map(Revoke),
        2 => (0..3_usize).prop_map(LetIn),
        1 => any::<bool>().prop_map(BusDown),
        4 => (0..3_usize, fault()).prop_map(|(shop, fault)| Fail(shop, fault)),
        3 => (0..3_usize, question_fault()).prop_map(|(shop, fault)| FailQuestion(shop, fault)),
        3 => any::<bool>().prop_map(Meanwhile),
        4 => prop_oneof![Just(MINUTE / 2), Just(2 * MINUTE), Just(HOUR), Just(DAY)].prop_map(Pass),
    ]
}

fn shop_of(n: usize) -> ShopDomain {
    [moon(), sun(), mars()][n].clone()
}

/// All that was shipped at a source store, so far as it was pushed there.
fn shipped(world: &World) -> Vec<(OrderRef, FulfillmentId)> {
    let of = |source: ShopDomain| {
        world.shop(&source.clone(), |shop| {
            let shipped = shop.shipped.iter().flat_map(|(order, all)| all.iter().map(move |it| (*order, it.id)));
            shipped.map(|(id, it)| (OrderRef { shop: source.clone(), id }, it)).collect::<Vec<_>>()
        })
    };
    [of(sun()), of(mars())].concat()
}

pub(super) fn source_order(world: &World, n: usize) -> Option<OrderRef> {
    let source = [sun(), mars()][n].clone();
    let id = world.shop(&source, |shop| shop.pushed.first().map(|(order, _)| order.id))?;
    Some(OrderRef { shop: source, id })
}

pub(super) async fn happen(world: &World, what: Happening, n: usize) {
    use Happening::*;
    match what {
        OrderWebhook => world.order_webhook().await,
        SourceWebhook(source) => {
            if let Some(source) = source_order(world, source) {
                world.source_webhook(&source).await;
            }
        }
        Request(source) => {
            if world.record().await.summary.is_some() {
                world.request(&[sun(), mars()][source], &format!("request-{n}")).await;
                world.drain().await;
            }
        }
        Redrive(letter) => {
            let letter = world.ports.tasks.sent().parked.get(letter).cloned();
            if let Some((queue, letter)) = letter {
                world.tell(queue, letter.task).await;
            }
        }
        Quantity(quantity) => world.change_order(|order| order.lines[0].quantity = quantity),
        Note => world.change_order(|order| order.note = Some(format!("note {n}"))),
        Cancel => world.cancel_order(),
        Hold => world.set_work(OnHold, None),
        Schedule(days) => world.set_work(Scheduled, Some(after(world.now(), DAY * days))),
        Release => world.set_work(Open, None),
        Ship(source, number, units) => {
            if let Some(source) = source_order(world, source) {
                world.ship_units(&source, &[&format!("T{number}")], Some(units)).await;
            }
        }
        ShipWithoutNumber(source) => {
            if let Some(source) = source_order(world, source) {
                world.ship(&source, &[]).await;
            }
        }
        Relabel(which, number) => {
            if let Some((source, id)) = shipped(world).get(which) {
                world.relabel(source, *id, &[&format!("T{number}")]).await;
            }
        }
        Unlinked(which) => {
            if let Some((source, id)) = shipped(world).get(which) {
                let unlinked = TrackingInfo { company: Some("Wind & Wave".into()), ..tracking("U") };
                world.change_shipment(source, *id, |shipped| shipped.tracking = vec![unlinked]).await;
            }
        }
        CallOff(which) => {
            if let Some((source, id)) = shipped(world).get(which) {
                world.call_off(source, *id).await;
            }
        }
        CancelShown(which) => {
            world.shop(&moon(), |shop| {
                let shown = shop.shown.values_mut().flatten().nth(which);
                shown.into_iter().for_each(|shown| shown.state = FulfillmentState::Cancelled);
            });
            world.tell(Queue::TrackingWriteback, world.webhook(&at())).await;
        }
        ShipByHand(number) => world.ship_by_hand(&format!("T{number}")),
        Post(id, number, units) => {
            if world.record().await.summary.is_some() {
                let mut label = world.label_of_units(&format!("T{number}"), units.unwrap_or(1));
                label.lines = label.lines.filter(|_| units.is_some());
                // Other lines than before are refused, and a label that was voided.
                drop(label::try_post(&world.ports, &at(), &label_id(&format!("L{id}")), label).await);
                world.drain().await;
            }
        }
        Void(id) => {
            if world.record().await.labels.contains_key(&label_id(&format!("L{id}"))) {
                world.void(&format!("L{id}")).await;
            }
        }
        Map(to) => {
            let from = Place::Location { shop: sun(), location: LocationId::new(1) };
            let mapping = LocationMapping { from, to: LocationId::new(to) };
            world.ports.ledger.put_locations(&moon(), vec![mapping].into());
        }
        AutoPush(on) => world.settings(|settings| settings.auto_push = on).await,
        Overwrite(on) => world.settings(|settings| settings.overwrite_tracking = on).await,
        Split(on) => world.settings(|settings| settings.split_ok = on).await,
        CancelSource(on) => world.settings(|settings| settings.cancel_source = on).await,
        RejectOverwrite(on) => world.shop(&moon(), |shop| shop.rejects_overwrite = on),
        Revoke(shop) => world.shop(&shop_of(shop), |shop| shop.revoked = true),
        LetIn(shop) => {
            world.shop(&shop_of(shop), |shop| shop.revoked = false);
            world.ask_to_connect(&shop_of(shop)).await;
        }
        BusDown(down) => world.ports.tasks.sent().bus_down = down,
        Fail(shop, fault) => world.fail_next(&shop_of(shop), &[fault]),
        FailQuestion(shop, fault) => world.fail_questions(&shop_of(shop), &[fault]),
        Pass(time) => drop(world.run(time).await),
        Meanwhile(relabelled) => {
            let sources: Vec<OrderRef> = (0..2).filter_map(|n| source_order(world, n)).collect();
            world.meanwhile(move |ports| async move {
                for source in sources {
                    if relabelled {
                        ports.channel.shop(&source.shop, |shop| {
                            let shipped = shop.shipped.values_mut().flatten().last();
                            shipped.into_iter().for_each(|it| it.tracking = vec![tracking("M")]);
                        });
                    }
                    drop(write_back(&ports, &Task::new(Trigger::Webhook, "m", Subject::Order(source))).await);
                }
                drop(push_order(&ports, &Task::new(Trigger::Webhook, "m", Subject::Order(at()))).await);
            });
        }
    }
}
