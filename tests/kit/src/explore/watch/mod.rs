//! The ports, with a point before each call. Mechanical: a new method of a port is one line here.

mod channel;
mod ledger;
mod tasks;

use std::rc::Rc;

use roundtrip_domain::ports::Ports;

pub(super) use channel::WatchedChannel;
pub(super) use ledger::WatchedLedger;
pub(super) use tasks::WatchedTasks;

use super::scenario::Scenario;
use super::wire::Wire;
use crate::fake::{FakePorts, ManualClock};

/// One worker's ports.
pub(super) type WatchedPorts = Ports<WatchedLedger, WatchedChannel, WatchedTasks, ManualClock>;

/// Ports whose every call goes over `wire`.
pub(super) fn watched(ports: &FakePorts, scenario: &Scenario, wire: &Rc<Wire>) -> WatchedPorts {
    Ports {
        ledger: WatchedLedger { ledger: ports.ledger.clone(), tamper: scenario.tamper, wire: wire.clone() },
        channel: WatchedChannel { channel: ports.channel.clone(), wire: wire.clone() },
        tasks: WatchedTasks { tasks: ports.tasks.clone(), wire: wire.clone() },
        clock: ports.clock.clone(),
        waits: ports.waits,
    }
}
