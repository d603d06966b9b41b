//! Everything the ledger knows about one order, as one unit of work.
//!
//! A record is read with one query. A use case changes rows in memory and saves the record; the save
//! is one transaction in which each changed row depends on the version that was read, and the history
//! goes with it. A save that meets a newer version changes nothing, and the use case looks again.

mod list;
mod parts;
mod row;
mod save;
mod warning;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::history::HistoryEvent;
use crate::id::{LabelId, LineItemId, OrderRef, ShipmentId, ShopDomain};
use crate::order::FulfillmentStatus;
use crate::push::{CancelState, PushState};
use crate::registry::{Connection, Shop};
use crate::shipments::Shipments;
use crate::step::{Look, Step, StepId};
use crate::tags::TagState;
use crate::writeback::{Label, WritebackState};

pub use list::{Badge, BadgeOf, List, Listing, OrderFilter, Received, ReceivedState};
pub use parts::{
    GroupRefusals, InvalidTab, LookState, Origin, Personal, PushRequest, RequestState, Summary, SummaryLine,
    SyncRequest, SyncState, Tab,
};
use row::Change;
pub use row::Row;
pub use save::{Commit, RowKey, StoredRow, WakeUp, Write};
pub(crate) use warning::remembered;
pub use warning::{Warned, Warning, WarningCode};

/// Everything about one order: as a destination order (summary, pushes, writebacks), as a source order
/// (origin), or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    pub at: OrderRef,
    pub summary: Option<Row<Summary>>,
    pub personal: Option<Row<Personal>>,
    pub origin: Option<Row<Origin>>,
    /// Reading this order and seeing what is to be done: its failures and waits.
    pub look: Row<Step<LookState>>,
    /// Reading what was shipped of it, as a source order.
    pub look_at_shipments: Row<Step<LookState>>,
    /// By source shop and group.
    pub pushes: BTreeMap<(ShopDomain, u32), Row<Step<PushState>>>,
    /// Source orders that are to be cancelled, or are, by the push that made them.
    pub cancels: BTreeMap<(ShopDomain, u32), Row<Step<CancelState>>>,
    pub writebacks: BTreeMap<ShipmentId, Row<Step<WritebackState>>>,
    /// What label tools said was sent of it.
    pub labels: BTreeMap<LabelId, Row<Label>>,
    /// The tags that say that something failed.
    pub tags: Row<Step<TagState>>,
    /// By id.
    pub requests: BTreeMap<String, Row<PushRequest>>,
    /// What was shipped of it, as its own shop shows it.
    pub shipments: Option<Row<Shipments>>,
    /// The last time that a person asked for the order to be looked at.
    pub sync: Option<Row<SyncRequest>>,
    /// Its warnings that somebody has to own.
    pub warned: Option<Row<Warned>>,
    /// Rows of source orders that this save puts there.
    claims: Vec<(OrderRef, Origin)>,
    history: Vec<HistoryEvent>,
}

/// A row that this release cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the ledger row {key:?} of {order} does not parse")]
pub struct UnreadableRow {
    order: OrderRef,
    key: RowKey,
    #[source]
    source: serde_json::Error,
}

impl OrderRecord {
    /// An order that the ledger does not know.
    #[must_use]
    pub fn empty(at: OrderRef) -> Self {
        Self {
            at,
            summary: None,
            personal: None,
            origin: None,
            look: Row::absent(Step::new(LookState::default())),
            look_at_shipments: Row::absent(Step::new(LookState::default())),
            pushes: BTreeMap::new(),
            cancels: BTreeMap::new(),
            writebacks: BTreeMap::new(),
            labels: BTreeMap::new(),
            tags: Row::absent(Step::new(TagState::default())),
            requests: BTreeMap::new(),
            shipments: None,
            sync: None,
            warned: None,
            claims: Vec::new(),
            history: Vec::new(),
        }
    }

    /// The records that rows of many orders make up; of some, that they cannot be read.
    pub fn all_of(
        rows: impl IntoIterator<Item = (OrderRef, StoredRow)>,
    ) -> BTreeMap<OrderRef, Result<Self, UnreadableRow>> {
        let mut by_order: BTreeMap<OrderRef, Vec<StoredRow>> = BTreeMap::new();
        for (order, row) in rows {
            by_order.entry(order).or_default().push(row);
        }
        by_order.into_iter().map(|(order, rows)| (order.clone(), Self::from_rows(order, rows))).collect()
    }

    /// The record that `rows` make up.
    ///
    /// # Errors
    /// A row does not parse: a newer release wrote it in a shape that this one cannot read.
    pub fn from_rows(at: OrderRef, rows: impl IntoIterator<Item = StoredRow>) -> Result<Self, UnreadableRow> {
        let mut record = Self::empty(at);
        for row in rows {
            let StoredRow { key, version, body } = row;
            let order = &record.at;
            match key {
                RowKey::Summary => record.summary = Some(read(order, &RowKey::Summary, version, body)?),
                RowKey::Personal => record.personal = Some(read(order, &RowKey::Personal, version, body)?),
                RowKey::Shipments => record.shipments = Some(read(order, &RowKey::Shipments, version, body)?),
                RowKey::Sync => record.sync = Some(read(order, &RowKey::Sync, version, body)?),
                RowKey::Warned => record.warned = Some(read(order, &RowKey::Warned, version, body)?),
                RowKey::Origin => record.origin = Some(read(order, &RowKey::Origin, version, body)?),
                RowKey::Step(StepId::Look(at)) => *record.look_mut(at) = read(order, &key, version, body)?,
                RowKey::Step(StepId::Connect | StepId::Resync | StepId::Crash { .. }) => {}
                RowKey::Step(StepId::Push { ref source, group }) => {
                    let row = read(order, &key, version, body)?;
                    record.pushes.insert((source.clone(), group), row);
                }
                RowKey::Step(StepId::Cancel { ref source, group }) => {
                    let row = read(order, &key, version, body)?;
                    record.cancels.insert((source.clone(), group), row);
                }
                RowKey::Step(StepId::Writeback(ref shipment)) => {
                    let row = read(order, &key, version, body)?;
                    record.writebacks.insert(shipment.clone(), row);
                }
                RowKey::Step(StepId::Tags) => record.tags = read(order, &key, version, body)?,
                RowKey::Label(ref id) => {
                    let row = read(order, &key, version, body)?;
                    record.labels.insert(id.clone(), row);
                }
                RowKey::Request(ref id) => {
                    let row = read(order, &key, version, body)?;
                    record.requests.insert(id.clone(), row);
                }
            }
        }
        Ok(record)
    }

    /// The look at one side of the order.
    #[must_use]
    pub fn look(&self, at: Look) -> &Row<Step<LookState>> {
        match at {
            Look::Order => &self.look,
            Look::Shipments => &self.look_at_shipments,
        }
    }

    pub(crate) fn look_mut(&mut self, at: Look) -> &mut Row<Step<LookState>> {
        match at {
            Look::Order => &mut self.look,
            Look::Shipments => &mut self.look_at_shipments,
        }
    }

    /// Says in the summary what only its other rows know: what failed or waits, and whether something was sent that was not
    /// called off, whatever its shop shows of that yet.
    pub(crate) fn note_summary(&mut self) {
        let is_voided = |shipment: &ShipmentId| match shipment {
            ShipmentId::Fulfillment { .. } => false,
            ShipmentId::Label(label) => self.labels.get(label).is_some_and(|row| row.get().voided_at.is_some()),
        };
        let mut written = self.writebacks.iter().filter(|(shipment, _)| !is_voided(shipment));
        let is_written = written.any(|(_, row)| !row.get().state.is_called_off());
        let is_sent = self.shipments.as_ref().is_some_and(|row| !row.get().sent.is_empty());
        let badges = self.badges();
        let Some(row) = &mut self.summary else { return };
        if row.get().badges != badges {
            row.change().badges = badges;
        }
        let shipped = is_written || is_sent || row.get().shows_shipment();
        if row.get().shipped != shipped {
            row.change().shipped = shipped;
        }
        self.note_warned();
    }

    /// Keeps the row that is listed true to the summary's warnings.
    fn note_warned(&mut self) {
        let mut open = self.open_warnings(None);
        let Some(summary) = &mut self.summary else { return };
        let (name, at_the_latest) = (summary.get().name.clone(), summary.get().updated_at);
        open.iter_mut().for_each(|warning| warning.since = warning.since.or(Some(at_the_latest)));
        match &mut self.warned {
            Some(row) if row.get().open == open => return,
            None if open.is_empty() => return,
            Some(row) => *row.change() = Warned { name, open },
            None => self.warned = Some(Row::new(Warned { name, open })),
        }
        // It says what this very summary says, and no other.
        summary.hold();
    }

    fn badges(&self) -> Vec<Badge> {
        let look = Badge::of(BadgeOf::Order, self.look.get());
        let pushes = self.pushes.values().filter_map(|row| Badge::of(BadgeOf::Push, row.get()));
        let cancels = self.cancels.values().filter_map(|row| Badge::of(BadgeOf::Cancellation, row.get()));
        let writebacks = self.writebacks.values().filter_map(|row| Badge::of(BadgeOf::Shipment, row.get()));
        let mut badges: Vec<Badge> = Vec::new();
        for badge in look.into_iter().chain(pushes).chain(cancels).chain(writebacks) {
            if !badges.contains(&badge) {
                badges.push(badge);
            }
        }
        badges
    }

    /// Appends to the history with the next save.
    pub fn log(&mut self, event: HistoryEvent) {
        self.history.push(event);
    }

    /// With the next save, says of a source order that it was pushed from here. The save fails if the
    /// source order has an origin row already.
    pub fn claim(&mut self, source_order: OrderRef, origin: Origin) {
        self.claims.push((source_order, origin));
    }

    /// When the order was placed, if it was ever read.
    #[must_use]
    pub fn placed_at(&self) -> Option<Timestamp> {
        self.summary.as_ref().map(|row| row.get().created_at)
    }

    /// When the source order was made of it.
    pub(crate) fn pushed_at(&self, source_order: &OrderRef) -> Option<Timestamp> {
        self.pushes.iter().find_map(|((source, _), row)| match &row.get().state {
            PushState::Confirmed { order, at, .. } if (source, order.id) == (&source_order.shop, source_order.id) => {
                Some(*at)
            }
            _ => None,
        })
    }

    /// Whether the part of `source` is there, or a call for it is or may be under way.
    #[must_use]
    pub fn has_left_for(&self, source: &ShopDomain) -> bool {
        let mut of_source = self.pushes.iter().filter(|((of, _), _)| of == source);
        of_source.any(|(_, row)| !matches!(row.get().state, PushState::NotPushed { .. }))
    }

    /// Whether a source shop has something of it, as far as is known.
    pub(crate) fn has_left(&self) -> bool {
        self.pushes.values().any(|row| !matches!(row.get().state, PushState::NotPushed { .. }))
    }

    /// The lines that are at a source shop, or may be: a call for them is under way, or its outcome is not known.
    pub(crate) fn left_lines(&self) -> BTreeMap<LineItemId, ShopDomain> {
        let mut left = BTreeMap::new();
        for ((source, _), row) in &self.pushes {
            let lines = match &row.get().state {
                PushState::NotPushed { .. } => Vec::new(),
                PushState::Sent { plan, .. } | PushState::Verifying { plan, .. } => plan.quantities(),
                PushState::Confirmed { lines, .. } => lines.clone(),
            };
            left.extend(lines.into_iter().map(|(line, _)| (line, source.clone())));
        }
        left
    }

    /// Whether the part of `connection` goes without being asked for: as all that are placed since the switch, or because
    /// somebody wants those of before to go as well.
    #[must_use]
    pub fn goes_by_itself(&self, shop: &Shop, connection: &Connection) -> bool {
        let is_wanted = self.look.get().state.goes && shop.settings.auto_push && connection.settings.auto_push;
        is_wanted || self.placed_at().is_some_and(|placed_at| shop.pushes_by_itself(connection, placed_at))
    }

    /// Whether the customer still waits for goods, as far as was seen.
    pub(crate) fn is_to_be_fulfilled(&self) -> bool {
        let is_open =
            |seen: &Summary| seen.cancelled_at.is_none() && seen.fulfillment_status != FulfillmentStatus::Fulfilled;
        self.summary.as_ref().is_none_or(|row| is_open(row.get()))
    }

    /// Whether any row waits for something, or is due.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        Look::ALL.into_iter().any(|at| self.look(at).get().wait.is_some())
            || self.tags.get().wait.is_some()
            || self.pushes.values().any(|row| row.get().wait.is_some())
            || self.cancels.values().any(|row| row.get().wait.is_some())
            || self.writebacks.values().any(|row| row.get().wait.is_some())
            || self.open_requests().next().is_some()
            || self.open_sync().is_some()
    }

    /// The request to look at the order that nobody has answered yet.
    #[must_use]
    pub fn open_sync(&self) -> Option<&SyncRequest> {
        self.sync.as_ref().map(Row::get).filter(|sync| matches!(sync.state, SyncState::Open { .. }))
    }

    /// The requests that nobody has answered yet.
    pub fn open_requests(&self) -> impl Iterator<Item = (&String, &PushRequest)> {
        self.requests
            .iter()
            .map(|(id, row)| (id, row.get()))
            .filter(|(_, request)| matches!(request.state, RequestState::Open { .. }))
    }
}

fn read<T: DeserializeOwned>(
    order: &OrderRef,
    key: &RowKey,
    version: u64,
    body: Value,
) -> Result<Row<T>, UnreadableRow> {
    match serde_json::from_value(body) {
        Ok(value) => Ok(Row { value, version, change: Change::None }),
        Err(source) => Err(UnreadableRow { order: order.clone(), key: key.clone(), source }),
    }
}
