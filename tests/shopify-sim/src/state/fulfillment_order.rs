//! Fulfillment orders: work that a location must do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::words::{DeliveryMethodType, FulfillmentHoldReason, FulfillmentOrderAction, FulfillmentOrderStatus};

/// The lines of an order that one location must send in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentOrder {
    pub id: u64,
    pub location_id: u64,
    pub status: FulfillmentOrderStatus,
    pub method: DeliveryMethodType,
    pub lines: Vec<FulfillmentOrderLine>,
    pub holds: Vec<FulfillmentHold>,
    /// Closed for good, whatever is left of it: the order was cancelled, or other work took its place.
    pub is_shut: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One line of that work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentOrderLine {
    pub id: u64,
    pub line_item_id: u64,
    pub total: u32,
    pub remaining: u32,
}

/// A reason not to send yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentHold {
    pub id: u64,
    pub reason: FulfillmentHoldReason,
    pub notes: Option<String>,
    pub handle: Option<String>,
    /// Whether our app put it there, rather than the merchant.
    pub by_app: bool,
}

impl FulfillmentOrder {
    /// Units that still have to be sent.
    pub fn remaining(&self) -> u32 {
        self.lines.iter().map(|line| line.remaining).sum()
    }

    /// Whether a fulfillment may be created now.
    pub fn is_fulfillable(&self) -> bool {
        matches!(self.status, FulfillmentOrderStatus::Open | FulfillmentOrderStatus::InProgress)
    }

    /// What may be done now.
    pub fn supported_actions(&self) -> Vec<FulfillmentOrderAction> {
        use FulfillmentOrderAction as Action;
        match self.status {
            FulfillmentOrderStatus::Open => {
                vec![Action::CreateFulfillment, Action::ReportProgress, Action::Move, Action::Hold, Action::Split]
            }
            FulfillmentOrderStatus::InProgress => vec![Action::CreateFulfillment, Action::ReportProgress, Action::Hold],
            FulfillmentOrderStatus::OnHold => vec![Action::ReleaseHold, Action::Move],
            FulfillmentOrderStatus::Cancelled
            | FulfillmentOrderStatus::Closed
            | FulfillmentOrderStatus::Incomplete
            | FulfillmentOrderStatus::Scheduled => Vec::new(),
        }
    }

    /// Closes it for good. What was left of it stays to be seen.
    ///
    /// Source: a fulfillment order of a cancelled order, recorded 2026-07: CLOSED, with all units remaining.
    pub fn shut(&mut self, now: Timestamp) {
        self.is_shut = true;
        self.holds.clear();
        self.settle(now);
    }

    /// Gives up what is left, as line item and quantity. What was fulfilled stays here.
    pub fn hand_over(&mut self, now: Timestamp) -> Vec<(u64, u32)> {
        let left = self.lines.iter().filter(|line| line.remaining > 0);
        let left = left.map(|line| (line.line_item_id, line.remaining)).collect();
        self.shut(now);
        left
    }

    /// Sets the status that quantities and holds amount to.
    pub fn settle(&mut self, now: Timestamp) {
        let untouched = self.lines.iter().all(|line| line.remaining == line.total);
        self.status = if self.is_shut || self.remaining() == 0 {
            FulfillmentOrderStatus::Closed
        } else if !self.holds.is_empty() {
            FulfillmentOrderStatus::OnHold
        } else if untouched {
            FulfillmentOrderStatus::Open
        } else {
            FulfillmentOrderStatus::InProgress
        };
        self.updated_at = now;
    }
}
