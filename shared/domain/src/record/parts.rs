//! What the rows of an order say.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::list::{Badge, Received};
use super::warning::Warning;
use crate::id::{OrderRef, ShopDomain, VariantId};
use crate::money::Money;
use crate::order::{FinancialStatus, FulfillmentStatus};
use crate::step::Look;

/// What a list row and the eligibility rules need of a destination order. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    pub name: String,
    pub created_at: Timestamp,
    /// Shopify's; an older one never overwrites a newer one.
    pub updated_at: Timestamp,
    pub cancelled_at: Option<Timestamp>,
    pub test: bool,
    pub financial_status: FinancialStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub total: Money,
    pub shipping_method: Option<String>,
    pub tags: Vec<String>,
    pub lines: Vec<SummaryLine>,
    pub tracking_numbers: Vec<String>,
    /// In which of the four tabs it stands.
    pub tab: Tab,
    /// Whether the lists show it: the shop's orders were offered for push when something of it was seen.
    #[serde(default = "yes")]
    pub listed: bool,
    /// Whether something of it was sent that was not called off, whatever the shop shows of that yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shipped: bool,
    /// What failed, and what waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
    /// The user's own tags: they stand here alone, and no shop shows them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub own_tags: BTreeSet<String>,
    /// Our own tags, which say that something failed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub system_tags: BTreeSet<String>,
    /// What happened to it after it was pushed, so that the source store has something else than was sold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Why it may not be pushed now, by source shop; empty where it may, or is there already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<GroupRefusals>,
}

impl Summary {
    /// Whether the shop itself shows that something was sent.
    pub(crate) fn shows_shipment(&self) -> bool {
        let status = [FulfillmentStatus::Fulfilled, FulfillmentStatus::PartiallyFulfilled];
        status.contains(&self.fulfillment_status) || !self.tracking_numbers.is_empty()
    }
}

fn yes() -> bool {
    true
}

/// Why the lines that one source shop holds may not be pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupRefusals {
    pub source: ShopDomain,
    pub reasons: Vec<crate::push::Refusal>,
}

/// A line in the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SummaryLine {
    pub title: String,
    pub sku: Option<String>,
    pub variant: Option<VariantId>,
    pub quantity: u32,
    /// The source shop that holds it, if its product is linked.
    pub source: Option<ShopDomain>,
    /// As which of that shop's variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_variant: Option<VariantId>,
}

/// The four tabs of the order list; an order stands in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tab {
    NotPushed,
    PartiallyPushed,
    Pushed,
    Cancelled,
}

impl Tab {
    /// All four, as a page shows them.
    pub const ALL: [Self; 4] = [Self::NotPushed, Self::PartiallyPushed, Self::Pushed, Self::Cancelled];

    /// As stored, and as the API takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotPushed => "not-pushed",
            Self::PartiallyPushed => "partially-pushed",
            Self::Pushed => "pushed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Tab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not a [`Tab`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tab: give not-pushed, partially-pushed, pushed or cancelled")]
pub struct InvalidTab(String);

impl FromStr for Tab {
    type Err = InvalidTab;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|tab| tab.name() == text).ok_or_else(|| InvalidTab(text.chars().take(40).collect()))
    }
}

/// The personal data that a list must show. Stands only here, expires, and leaves a tombstone when it
/// is redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    pub customer_name: Option<String>,
    pub expires_at: Timestamp,
    #[serde(default)]
    pub redacted: bool,
}

impl Personal {
    /// The customer's name, as long as it may be shown: DynamoDB deletes what has expired some time later.
    #[must_use]
    pub fn shown_name(&self, now: Timestamp) -> Option<&str> {
        self.customer_name.as_deref().filter(|_| self.expires_at > now)
    }
}

/// What an order of a source shop is to us. Written by two parties, each on condition that the other
/// was not there first: the push that made the order, and a writeback that heard of it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Origin {
    /// Pushed from this destination order.
    Pushed {
        destination: OrderRef,
        group: u32,
        /// `None` in a row of before there was a list of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        received: Option<Received>,
    },
    /// Something was shipped of it, but no push is known to have made it (yet). Expires.
    Unclaimed { seen_at: Timestamp, expires_at: Timestamp },
}

/// What a look remembers beside its failures and waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookState {
    /// What the last look at shipments saw: a resync compares it with what the shop shows now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// A backfill asked for it, and it has not come to look yet: what it comes upon is shown without a mail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// Somebody asked for it: it is listed, however old it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked_for: bool,
    /// Somebody wants it to go by itself, though it is older than the switch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub goes: bool,
}

/// A person asked for the order to be looked at now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRequest {
    pub id: String,
    /// Which look answers it.
    pub look: Look,
    pub requested_at: Timestamp,
    pub requested_by: String,
    /// The source orders of it that are looked at as well, each with a request of the same id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<OrderRef>,
    pub state: SyncState,
}

/// How far a [`SyncRequest`] has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SyncState {
    /// Looked at again at `due`, if nobody does before.
    Open { due: Timestamp },
    /// It was looked at; what became of that, in the words of the log.
    Done { at: Timestamp, outcome: String },
    /// It cannot be read, and a person has to see to that.
    Failed { at: Timestamp, code: crate::code::Code },
}

/// A person asked to push an order to a source shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRequest {
    pub source: ShopDomain,
    pub group: u32,
    /// What shipping costs, in the source shop's currency; `None`: what the shop's rates say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_fee: Option<Money>,
    pub requested_at: Timestamp,
    pub requested_by: String,
    pub state: RequestState,
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RequestState {
    /// Looked at again at `due`, if nobody does before.
    Open { due: Timestamp },
    /// The order is at the source shop.
    Done { order: crate::order::SourceOrder },
    /// Not eligible; each reason names what was seen and what would be needed.
    Refused { reasons: Vec<crate::push::Refusal> },
    /// Parked with this code; redrive it.
    Failed { code: crate::code::Code },
}
