//! What must hold, whatever happens.

mod settled;

use std::collections::BTreeMap;
use std::fmt;

use roundtrip_domain::id::LineItemId;
use roundtrip_domain::order::FulfillmentState;
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::record::Row;
use roundtrip_domain::writeback::TrackingInfo;

pub(super) use settled::holds_at_the_end;

use super::scenario::Scenario;
use super::world::ready;
use crate::fake::FakePorts;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// No key is carried by two source orders.
    OneOrderPerKey,
    /// The customer never sees more units under a number than were shipped under it, nor more than were bought.
    NeverMoreThanShipped,
    /// No customer is mailed twice about one number.
    OneMailPerNumber,
    NobodyPanics,
    /// It comes to an end in time, and nothing is due then.
    Settles,
    /// What is not done at the end is parked, and its dead letter is out.
    NothingLost,
    /// What the ledger says was done is what the shops show.
    LedgerTellsTheTruth,
    /// The order's tags say what has failed, and nothing else.
    TagsTell,
    /// Whatever was done, the event bus was told of, under one id.
    AllIsTold,
    /// A shop that is to be read is read in one run, however many say so.
    OneRun,
    /// What was parked is done once its dead letters were moved back.
    RedriveHeals,
    /// A message that comes again when all is done changes nothing.
    RedeliveryChangesNothing,
}

/// A law that was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub law: Law,
    pub how: String,
}

impl Broken {
    pub(super) fn new(law: Law, how: impl Into<String>) -> Self {
        Self { law, how: how.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is broken: {}", self.law, self.how)
    }
}

/// The laws that hold at every moment.
pub(super) fn holds_always(scenario: &Scenario, ports: &FakePorts) -> Result<(), Broken> {
    for source in &scenario.sources {
        ports.channel.shop(source, |shop| {
            for (n, (order, draft)) in shop.pushed.iter().enumerate() {
                if let Some((other, _)) = shop.pushed[..n].iter().find(|(_, other)| other.key == draft.key) {
                    let how = format!("{source} has {} and {} of one key", other.name, order.name);
                    return Err(Broken::new(Law::OneOrderPerKey, how));
                }
            }
            Ok(())
        })?;
    }
    let (shipped, shown) = (shipped(scenario, ports), shown(scenario, ports));
    let mut of_line = BTreeMap::new();
    for (what, units) in shown {
        *of_line.entry(what.0).or_insert(0) += units;
        let of = shipped.get(&what).copied().unwrap_or_default();
        let was_shipped = |number| scenario.earlier_numbers.contains(number);
        if units > of && !what.1.iter().all(was_shipped) {
            let how = format!("{units} of line {} under {:?}, but {of} shipped", what.0, what.1);
            return Err(Broken::new(Law::NeverMoreThanShipped, how));
        }
    }
    for (line, units) in of_line {
        let bought = ports.channel.shop(&scenario.order.shop, |shop| {
            let lines = &shop.orders[&scenario.order.id].lines;
            lines.iter().filter(|it| it.id == line).map(|it| it.quantity).sum::<u32>()
        });
        if units > bought {
            return Err(Broken::new(Law::NeverMoreThanShipped, format!("{units} of line {line}, but {bought} bought")));
        }
    }
    ports.channel.shop(&scenario.order.shop, |shop| {
        for (n, number) in shop.mails.iter().enumerate() {
            if shop.mails[..n].contains(number) {
                return Err(Broken::new(Law::OneMailPerNumber, format!("{number} was mailed about twice")));
            }
        }
        Ok(())
    })
}

/// Units by line and tracking numbers.
type Units = BTreeMap<(LineItemId, Vec<String>), u32>;

/// What the source shops and the label tools say was shipped.
pub(super) fn shipped(scenario: &Scenario, ports: &FakePorts) -> Units {
    let mut units = Units::new();
    for source in &scenario.sources {
        ports.channel.shop(source, |shop| {
            for fulfillment in shop.shipped.values().flatten().filter(|it| it.state == FulfillmentState::Success) {
                add(&mut units, &fulfillment.tracking, &fulfillment.lines);
            }
        });
    }
    let record = ready(ports.ledger.load(&scenario.order)).expect("the fake ledger is up");
    for label in record.labels.values().map(Row::get).filter(|label| label.voided_at.is_none()) {
        let lines = label.lines.iter().flatten().map(|it| (it.line, it.quantity));
        add(&mut units, &label.tracking, &lines.collect::<Vec<_>>());
    }
    units
}

/// What the customer sees.
pub(super) fn shown(scenario: &Scenario, ports: &FakePorts) -> Units {
    let mut units = Units::new();
    ports.channel.shop(&scenario.order.shop, |shop| {
        for fulfillment in shop.shown.values().flatten() {
            add(&mut units, &fulfillment.tracking, &fulfillment.lines);
        }
    });
    units
}

fn add(units: &mut Units, tracking: &[TrackingInfo], lines: &[(LineItemId, u32)]) {
    for (line, n) in lines {
        let numbers = tracking.iter().map(|info| info.number.clone()).collect();
        *units.entry((*line, numbers)).or_default() += n;
    }
}
