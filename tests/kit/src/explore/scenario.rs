//! What is explored: a world as it is found, and what happens in it by itself.

use std::time::Duration;

use roundtrip_domain::id::{OrderRef, ShopDomain};
use roundtrip_domain::record::Commit;
use roundtrip_domain::task::{Queue, Task};

use crate::fake::{FakePorts, MemoryLedger};

/// See the module.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The world at first. Never changed: each run begins with a copy.
    pub ports: FakePorts,
    /// What lies in the queues at first.
    pub tasks: Vec<(Queue, Task)>,
    /// The destination order, and the source shops at which it has to arrive.
    pub order: OrderRef,
    pub sources: Vec<ShopDomain>,
    /// Whether the order may be called off: then a push that was never made need not be.
    pub called_off: bool,
    /// Whether the order is called off, and its source orders with it.
    pub cancels_source: bool,
    /// The numbers under which a parcel was on its way at first. The customer may see them until they are
    /// replaced, and may be mailed about them.
    pub earlier_numbers: Vec<String>,
    /// How long it may take. Three calls without an answer, or backoff and redelivery, take less than two hours.
    pub settles_within: Duration,
    /// What merchants and their shops do as soon as they can; asked after each call. Returns the tasks of
    /// the webhooks that it sets off.
    pub meanwhile: fn(&FakePorts) -> Vec<(Queue, Task)>,
    /// What a broken ledger does to a commit before it is carried out.
    pub tamper: fn(&MemoryLedger, &mut Commit),
}

impl Scenario {
    /// Nobody does anything of his own accord, and the ledger is sound.
    #[must_use]
    pub fn new(ports: FakePorts, order: OrderRef, sources: Vec<ShopDomain>, tasks: Vec<(Queue, Task)>) -> Self {
        Self {
            ports,
            tasks,
            order,
            sources,
            called_off: false,
            cancels_source: false,
            earlier_numbers: Vec::new(),
            settles_within: Duration::from_secs(2 * 3600),
            meanwhile: |_| Vec::new(),
            tamper: |_, _| {},
        }
    }
}
