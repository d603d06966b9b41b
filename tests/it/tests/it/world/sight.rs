//! What can be seen of a world.

use roundtrip_domain::channel::ShownFulfillment;
use roundtrip_domain::code::Code;
use roundtrip_domain::event::DomainEvent;
use roundtrip_domain::id::{OrderId, OrderRef, ShipmentId, ShopDomain};
use roundtrip_domain::order::FulfillmentState;
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::push::{OrderDraft, PushState};
use roundtrip_domain::record::{OrderRecord, RequestState, Summary, Tab, WarningCode};
use roundtrip_domain::step::{Step, StepId, WaitReason};
use roundtrip_domain::writeback::WritebackState;
use roundtrip_kit::order::moon;

use super::{ORDER, World, at};

impl World {
    /// The orders that were made at a source store.
    pub(crate) fn made_at(&self, source: &ShopDomain) -> Vec<OrderDraft> {
        self.shop(source, |shop| shop.pushed.iter().map(|(_, draft)| draft.clone()).collect())
    }

    /// The one order that was made at a source store.
    pub(crate) fn source_order(&self, source: &ShopDomain) -> OrderRef {
        let made: Vec<OrderId> = self.shop(source, |shop| shop.pushed.iter().map(|(order, _)| order.id).collect());
        assert_eq!(made.len(), 1, "orders at {source}");
        OrderRef { shop: source.clone(), id: made[0] }
    }

    /// How often a shop was asked for `call` so far.
    pub(crate) fn calls(&self, shop: &ShopDomain, call: &str) -> usize {
        self.shop(shop, |shop| shop.calls.iter().filter(|name| **name == call).count())
    }

    /// How many calls a shop got so far.
    pub(crate) fn all_calls(&self, shop: &ShopDomain) -> usize {
        self.shop(shop, |shop| shop.calls.len())
    }

    /// The numbers and the units of each fulfillment that the customer sees.
    pub(crate) fn shown(&self) -> Vec<(String, u32)> {
        let numbers = |shown: &ShownFulfillment| {
            shown.tracking.iter().map(|info| info.number.as_str()).collect::<Vec<_>>().join("+")
        };
        let units = |shown: &ShownFulfillment| shown.lines.iter().map(|(_, n)| n).sum();
        let live = |shown: &&ShownFulfillment| shown.state != FulfillmentState::Cancelled;
        self.shop(&moon(), |shop| {
            let shown = shop.shown.get(&OrderId::new(ORDER)).into_iter().flatten();
            shown.filter(live).map(|shown| (numbers(shown), units(shown))).collect()
        })
    }

    /// The numbers that the customer was mailed about.
    pub(crate) fn mails(&self) -> Vec<String> {
        self.shop(&moon(), |shop| shop.mails.clone())
    }

    /// The tags that the merchant sees on the order.
    pub(crate) fn order_tags(&self) -> Vec<String> {
        self.shop(&moon(), |shop| shop.orders[&OrderId::new(ORDER)].tags.clone())
    }

    /// The dead letters: which kind of step, and why.
    pub(crate) fn letters(&self) -> Vec<(&'static str, Code)> {
        let kind = |step: &StepId| match step {
            StepId::Look(_) => "look",
            StepId::Push { .. } => "push",
            StepId::Cancel { .. } => "cancel",
            StepId::Writeback(ShipmentId::Fulfillment { .. }) => "writeback",
            StepId::Writeback(ShipmentId::Label(_)) => "label",
            StepId::Tags => "tags",
            StepId::Connect => "connect",
            StepId::Resync => "resync",
            StepId::Crash { .. } => "crash",
        };
        self.ports.tasks.sent().parked.iter().map(|(_, letter)| (kind(&letter.step), letter.code)).collect()
    }

    /// The events that were published under this name.
    pub(crate) fn events(&self, name: &str) -> Vec<DomainEvent> {
        self.ports.tasks.sent().events.iter().filter(|event| event.kind.name() == name).cloned().collect()
    }

    pub(crate) async fn record(&self) -> OrderRecord {
        self.ports.ledger.load(&at()).await.unwrap()
    }

    pub(crate) async fn summary(&self) -> Summary {
        self.record().await.summary.expect("a summary").get().clone()
    }

    pub(crate) async fn tab(&self) -> Tab {
        self.summary().await.tab
    }

    pub(crate) async fn warnings(&self) -> Vec<(WarningCode, ShopDomain)> {
        self.summary().await.warnings.into_iter().map(|warning| (warning.code, warning.source)).collect()
    }

    /// The push of the lines that `source` holds.
    pub(crate) async fn push(&self, source: &ShopDomain) -> Step<PushState> {
        self.record().await.pushes[&(source.clone(), 1)].get().clone()
    }

    /// What the push of the lines that `source` holds waits for.
    pub(crate) async fn push_waits_for(&self, source: &ShopDomain) -> Option<WaitReason> {
        self.push(source).await.wait.map(|wait| wait.why)
    }

    pub(crate) async fn request_state(&self, id: &str) -> RequestState {
        self.record().await.requests[id].get().state.clone()
    }

    /// How each shipment stands: the name of its state, and why it is parked.
    pub(crate) async fn writebacks(&self) -> Vec<(&'static str, Option<Code>)> {
        let state = |step: &Step<WritebackState>| (step.state.name(), step.parked.as_ref().map(|parked| parked.code));
        self.record().await.writebacks.values().map(|row| state(row.get())).collect()
    }

    /// The one shipment's step.
    pub(crate) async fn writeback(&self) -> Step<WritebackState> {
        let record = self.record().await;
        assert_eq!(record.writebacks.len(), 1);
        record.writebacks.values().next().expect("one").get().clone()
    }

    /// The details of the order's history.
    pub(crate) fn told(&self) -> Vec<String> {
        self.ports.ledger.history(&at()).into_iter().filter_map(|event| event.detail).collect()
    }

    /// To which states the order's history says that `what` moved.
    pub(crate) fn moves(&self, what: &str) -> Vec<String> {
        let history = self.ports.ledger.history(&at()).into_iter();
        history.filter(|event| event.what.starts_with(what)).map(|event| event.after).collect()
    }
}
