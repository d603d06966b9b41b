//! The laws that hold when nothing is left to do.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{OrderId, OrderRef, ShipmentId, ShopDomain};
use roundtrip_domain::order::FulfillmentState;
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::push::{CancelPhase, OrderKey, PushState};
use roundtrip_domain::record::{OrderRecord, Origin, PushRequest, RequestState, Row, Tab};
use roundtrip_domain::resync::ResyncState;
use roundtrip_domain::step::{Look, Step, StepId};
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_domain::writeback::{Phase, WritebackState};
use roundtrip_domain::{FAILED_CANCEL_TAG, FAILED_PUSH_TAG, FAILED_SHIPMENT_TAG};

use super::{Broken, Law, shipped, shown};
use crate::explore::choice::AllWell;
use crate::explore::flight::fly_on;
use crate::explore::scenario::Scenario;
use crate::explore::world::{World, ready};
use crate::fake::FakePorts;

/// Looks at the end of a run, and at what becomes of it when an operator moves dead letters back and asks
/// again, and when messages come again.
pub(in super::super) fn holds_at_the_end(scenario: &Scenario, mut world: World) -> Result<(), Broken> {
    nothing_is_due(&world.ports)?;
    let open = open_ends(scenario, &world.ports)?;
    if let Some(lost) = open.iter().find(|open| !open.announced && !open.told) {
        return Err(Broken::new(Law::NothingLost, lost.to_string()));
    }
    tags_tell(scenario, &world)?;
    one_run(scenario, &world.ports)?;
    let announced: Vec<StepId> = open.into_iter().filter(|open| open.announced).map(|open| open.step).collect();
    redrive(scenario, &mut world)?;
    let open = open_ends(scenario, &world.ports)?;
    if let Some(open) = open.iter().find(|open| announced.contains(&open.step)) {
        return Err(Broken::new(Law::RedriveHeals, open.to_string()));
    }
    for open in open {
        ask_again(scenario, &mut world, &open.step)?;
    }
    if let Some(open) = open_ends(scenario, &world.ports)?.first() {
        return Err(Broken::new(Law::NothingLost, format!("asked for again, and {open}")));
    }
    all_is_said(scenario, &world.ports)?;
    tags_tell(scenario, &world)?;
    all_is_told(scenario, &world.ports)?;
    redeliver(scenario, &mut world)
}

fn nothing_is_due(ports: &FakePorts) -> Result<(), Broken> {
    match ready(ports.ledger.due(Timestamp::MAX, 1)).expect("the fake ledger is up").first() {
        Some(row) => Err(Broken::new(Law::Settles, format!("{row:?} is due"))),
        None => Ok(()),
    }
}

/// Something that is not done.
struct OpenEnd {
    step: StepId,
    state: &'static str,
    parked: Option<Code>,
    /// It is parked, or the look at its order, and the dead letter is out.
    announced: bool,
    /// Who requested it knows that it failed.
    told: bool,
}

impl fmt::Display for OpenEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, state, parked, announced, told } = self;
        write!(f, "{step} is {state}")?;
        if let Some(code) = parked {
            write!(f, ", parked for {code}")?;
        }
        f.write_str(if *announced { ", in a dead letter" } else { ", in no dead letter" })?;
        f.write_str(if *told { ", and its request has failed" } else { "" })
    }
}

/// All that should be done and is not.
fn open_ends(scenario: &Scenario, ports: &FakePorts) -> Result<Vec<OpenEnd>, Broken> {
    let record = load(ports, &scenario.order);
    let mut open = Vec::new();
    for source in &scenario.sources {
        let step = StepId::Push { source: source.clone(), group: 1 };
        match record.pushes.get(&(source.clone(), 1)).map(Row::get) {
            Some(Step { state: PushState::Confirmed { order, .. }, .. }) => {
                let source = OrderRef { shop: source.clone(), id: order.id };
                is_there(scenario, ports, &source)?;
                open.extend(open_cancellation(scenario, &record, ports, &source)?);
            }
            _ if scenario.called_off && of_key(scenario, ports, source).is_empty() => {}
            row => {
                let told =
                    record.requests.values().map(Row::get).any(|request| {
                        request.source == *source && matches!(request.state, RequestState::Failed { .. })
                    });
                let announced = announced(ports, &step, row)
                    || announced(ports, &StepId::Look(Look::Order), Some(record.look.get()));
                let state = row.map_or("unknown", |row| row.state.name());
                open.push(OpenEnd { step, state, parked: parked_for(row), announced, told });
            }
        }
        let shipped = ports.channel.shop(source, |shop| shop.shipped.clone());
        for (order, fulfillment) in shipped.iter().flat_map(|(order, all)| all.iter().map(move |f| (order, f))) {
            let source = OrderRef { shop: source.clone(), id: *order };
            let look = load(ports, &source).look_at_shipments;
            let unread = announced(ports, &StepId::Look(Look::Shipments), Some(look.get()));
            let shipment = ShipmentId::Fulfillment { source, id: fulfillment.id };
            let voided = fulfillment.state == FulfillmentState::Cancelled;
            open.extend(open_shipment(&record, ports, shipment, voided, unread));
        }
    }
    for (id, label) in &record.labels {
        let voided = label.get().voided_at.is_some();
        open.extend(open_shipment(&record, ports, ShipmentId::Label(id.clone()), voided, false));
    }
    Ok(open)
}

/// The cancellation of a source order, unless that is cancelled and the ledger knows it.
fn open_cancellation(
    scenario: &Scenario,
    record: &OrderRecord,
    ports: &FakePorts,
    source: &OrderRef,
) -> Result<Option<OpenEnd>, Broken> {
    let is_cancelled = ports.channel.shop(&source.shop, |shop| shop.cancelled.contains_key(&source.id));
    let row = record.cancels.get(&(source.shop.clone(), 1)).map(Row::get);
    let is_known = row.is_some_and(|row| matches!(row.state.phase, CancelPhase::Cancelled { .. }));
    if is_known && !is_cancelled {
        return untrue(format!("the ledger says that {source} is cancelled, and it stands"));
    }
    if is_known || !scenario.cancels_source {
        return Ok(None);
    }
    let step = StepId::Cancel { source: source.shop.clone(), group: 1 };
    let announced =
        announced(ports, &step, row) || announced(ports, &StepId::Look(Look::Order), Some(record.look.get()));
    let state = row.map_or("unknown", |row| row.state.name());
    Ok(Some(OpenEnd { step, state, parked: parked_for(row), announced, told: false }))
}

/// The shipment, unless the customer sees what there is to see of it.
fn open_shipment(
    record: &OrderRecord,
    ports: &FakePorts,
    shipment: ShipmentId,
    voided: bool,
    unread: bool,
) -> Option<OpenEnd> {
    let row = record.writebacks.get(&shipment).map(Row::get);
    let is_done = |row: &Step<WritebackState>| match row.state.phase {
        Phase::Written { .. } => !voided,
        Phase::CalledOff { .. } => voided,
        Phase::Pending | Phase::Sent { .. } | Phase::Verifying { .. } => false,
    };
    if row.map_or(voided, is_done) {
        return None;
    }
    let step = StepId::Writeback(shipment);
    let announced = unread || announced(ports, &step, row);
    let state = row.map_or("unknown", |row| row.state.name());
    Some(OpenEnd { step, state, parked: parked_for(row), announced, told: false })
}

fn parked_for<S>(row: Option<&Step<S>>) -> Option<Code> {
    Some(row?.parked.as_ref()?.code)
}

/// Whether the step is parked, and its dead letter is out.
fn announced<S>(ports: &FakePorts, step: &StepId, row: Option<&Step<S>>) -> bool {
    row.filter(|row| row.parked.is_some()).is_some_and(|row| {
        let sent = ports.tasks.sent();
        sent.parked.iter().any(|(_, letter)| (&letter.step, letter.generation) == (step, row.generation))
    })
}

/// The source order is the only one of its key, and knows where it comes from.
fn is_there(scenario: &Scenario, ports: &FakePorts, source: &OrderRef) -> Result<(), Broken> {
    let orders = of_key(scenario, ports, &source.shop);
    if orders != [source.id] {
        return untrue(format!("the ledger says {source}, the shop has {orders:?}"));
    }
    let origin = load(ports, source).origin.map(|row| row.get().clone());
    let comes_from = |origin: &Origin| matches!(origin, Origin::Pushed { destination, group: 1, .. } if *destination == scenario.order);
    if !origin.as_ref().is_some_and(comes_from) {
        return untrue(format!("the origin of {source} is {origin:?}"));
    }
    Ok(())
}

/// The orders that carry the key.
fn of_key(scenario: &Scenario, ports: &FakePorts, source: &ShopDomain) -> Vec<OrderId> {
    let key = OrderKey::new(&scenario.order, source, 1);
    ports.channel.shop(source, |shop| {
        let of_key = shop.pushed.iter().filter(|(_, draft)| draft.key == key);
        of_key.map(|(order, _)| order.id).collect()
    })
}

/// All is done: tab, requests, fulfillments and mails say so.
fn all_is_said(scenario: &Scenario, ports: &FakePorts) -> Result<(), Broken> {
    let record = load(ports, &scenario.order);
    let tab = record.summary.as_ref().map(|row| row.get().tab);
    let wanted = match (scenario.called_off, scenario.sources.as_slice()) {
        (true, _) => Tab::Cancelled,
        (false, []) => Tab::NotPushed,
        (false, _) => Tab::Pushed,
    };
    if tab != Some(wanted) {
        return untrue(format!("all is done, and the tab is {tab:?}"));
    }
    let warnings = record.summary.as_ref().map(|row| row.get().warnings.clone()).unwrap_or_default();
    let listed = record.warned.as_ref().map(|row| row.get().open.clone()).unwrap_or_default();
    if listed != record.open_warnings(None) {
        return untrue(format!("{listed:?} need somebody, and the order says {warnings:?}"));
    }
    if scenario.cancels_source && !warnings.is_empty() {
        return untrue(format!("all is cancelled, and {warnings:?}"));
    }
    if let Some((id, row)) =
        record.requests.iter().find(|(_, row)| matches!(row.get().state, RequestState::Open { .. }))
    {
        return untrue(format!("request {id} is {:?}", row.get().state));
    }
    let (shipped, shown) = (shipped(scenario, ports), shown(scenario, ports));
    if shipped != shown {
        return untrue(format!("all is written: {shipped:?} was shipped, {shown:?} is shown"));
    }
    let mut mails = ports.channel.shop(&scenario.order.shop, |shop| shop.mails.clone());
    let mut numbers: Vec<String> = shipped.into_keys().flat_map(|(_, numbers)| numbers).collect();
    mails.sort();
    numbers.sort();
    numbers.dedup();
    mails.retain(|number| !scenario.earlier_numbers.contains(number));
    if mails != numbers {
        return untrue(format!("{numbers:?} are written, {mails:?} were mailed about"));
    }
    Ok(())
}

/// Each push that is confirmed and each shipment that is shown was told of, under one id each.
fn all_is_told(scenario: &Scenario, ports: &FakePorts) -> Result<(), Broken> {
    let record = load(ports, &scenario.order);
    let confirmed = record.pushes.iter().filter(|(_, row)| matches!(row.get().state, PushState::Confirmed { .. }));
    let pushed = confirmed.map(|((source, group), _)| StepId::Push { source: source.clone(), group: *group });
    let written = record.writebacks.iter().filter(|(_, row)| matches!(row.get().state.phase, Phase::Written { .. }));
    let written = written.map(|(shipment, _)| StepId::Writeback(shipment.clone()));
    let told: BTreeSet<String> = ports.tasks.sent().events.iter().map(|event| event.id.clone()).collect();
    let order = format!("{}/{}", scenario.order.shop, scenario.order.id);
    let wanted = pushed.map(|step| format!("OrderPushed/{order}/{step}"));
    for wanted in wanted.chain(written.map(|step| format!("TrackingWrittenBack/{order}/{step}#"))) {
        let ids = told.iter().filter(|id| **id == wanted || (wanted.ends_with('#') && id.starts_with(&wanted))).count();
        let most = if wanted.ends_with('#') { 1 + scenario.earlier_numbers.len() } else { 1 };
        if ids == 0 || ids > most {
            return Err(Broken::new(Law::AllIsTold, format!("{wanted} was told of under {ids} ids of {told:?}")));
        }
    }
    Ok(())
}

/// The merchant sees by the order's tags what failed, unless they could not be set.
fn tags_tell(scenario: &Scenario, world: &World) -> Result<(), Broken> {
    let record = load(&world.ports, &scenario.order);
    if record.tags.get().parked.is_some() {
        return Ok(());
    }
    let tags = world.ports.channel.shop(&scenario.order.shop, |shop| shop.orders[&scenario.order.id].tags.clone());
    let unread = |at: &OrderRef| load(&world.ports, at).look_at_shipments.get().parked.is_some();
    let failed_push = record.pushes.values().any(|row| row.get().parked.is_some());
    let failed_cancel = record.cancels.values().any(|row| row.get().parked.is_some());
    let mut origins = record.pushes.iter().filter_map(|((source, _), row)| match &row.get().state {
        PushState::Confirmed { order, .. } => Some(OrderRef { shop: source.clone(), id: order.id }),
        _ => None,
    });
    let failed_shipment =
        record.writebacks.values().any(|row| row.get().parked.is_some()) || origins.any(|at| unread(&at));
    let tagged =
        [(FAILED_PUSH_TAG, failed_push), (FAILED_SHIPMENT_TAG, failed_shipment), (FAILED_CANCEL_TAG, failed_cancel)];
    for (tag, failed) in tagged {
        if tags.iter().any(|set| set == tag) != failed {
            return Err(Broken::new(Law::TagsTell, format!("failed: {failed}, and the tags are {tags:?}")));
        }
    }
    Ok(())
}

/// The shop was read, once.
fn one_run(scenario: &Scenario, ports: &FakePorts) -> Result<(), Broken> {
    let step: Option<(Step<ResyncState>, u64)> =
        ready(ports.ledger.shop_step(&scenario.order.shop, &StepId::Resync)).expect("the fake ledger is up");
    let Some((Step { state: ResyncState { run, past, .. }, .. }, _)) = step else { return Ok(()) };
    match run {
        Some(run) if !run.is_under_way() && past.is_empty() => Ok(()),
        run => Err(Broken::new(Law::OneRun, format!("{run:?} after {past:?}"))),
    }
}

/// An operator moves all dead letters back to their queues.
fn redrive(scenario: &Scenario, world: &mut World) -> Result<(), Broken> {
    let letters = std::mem::take(&mut world.ports.tasks.sent().parked);
    for (queue, letter) in letters {
        world.enqueue(queue, letter.task);
    }
    fly_on(scenario, world, &mut AllWell)
}

/// An operator asks once more for a push whose request has failed.
fn ask_again(scenario: &Scenario, world: &mut World, step: &StepId) -> Result<(), Broken> {
    let StepId::Push { source, group } = step else { return Ok(()) };
    let now = world.now();
    let request = PushRequest {
        source: source.clone(),
        group: *group,
        shipping_fee: None,
        requested_at: now,
        requested_by: "operator".into(),
        state: RequestState::Open { due: now },
    };
    let mut record = load(&world.ports, &scenario.order);
    record.requests.insert("again".into(), Row::new(request));
    ready(world.ports.ledger.save(&mut [&mut record])).expect("the fake ledger is up");
    let task = Task::new(Trigger::Request, "again", Subject::Order(scenario.order.clone()));
    world.enqueue(Queue::OrderPush, task);
    fly_on(scenario, world, &mut AllWell)
}

/// A day later all comes once more, by every trigger.
fn redeliver(scenario: &Scenario, world: &mut World) -> Result<(), Broken> {
    world.ports.clock.advance(std::time::Duration::from_secs(24 * 3600));
    world.begins_anew();
    let before = world.state();
    let mut all = scenario.tasks.clone();
    // A schedule that fires a day later rightly begins another run.
    all.retain(|(queue, _)| *queue != Queue::Resync);
    for source in &scenario.sources {
        for order in world.ports.channel.shop(source, |shop| shop.made_at.keys().copied().collect::<Vec<_>>()) {
            let source = OrderRef { shop: source.clone(), id: order };
            all.push((Queue::TrackingWriteback, Task::new(Trigger::Webhook, "again", Subject::Order(source))));
        }
    }
    for (queue, task) in all {
        for trigger in [task.trigger, Trigger::DueWork, Trigger::Settled, Trigger::Resync] {
            world.enqueue(queue, Task { trigger, ..task.clone() });
        }
    }
    fly_on(scenario, world, &mut AllWell)?;
    let after = world.state();
    match before.lines().zip(after.lines()).find(|(before, after)| before != after) {
        Some((before, after)) => {
            Err(Broken::new(Law::RedeliveryChangesNothing, format!("before: {before}\nafter:  {after}")))
        }
        None if before.lines().count() != after.lines().count() => {
            Err(Broken::new(Law::RedeliveryChangesNothing, format!("there are other rows:\n{after}")))
        }
        None => Ok(()),
    }
}

fn load(ports: &FakePorts, order: &OrderRef) -> OrderRecord {
    ready(ports.ledger.load(order)).expect("the fake ledger is up")
}

fn untrue<T>(how: String) -> Result<T, Broken> {
    Err(Broken::new(Law::LedgerTellsTheTruth, how))
}
