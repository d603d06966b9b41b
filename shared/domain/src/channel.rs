//! A sales channel as the use cases see it: the questions we ask, the few changes we make, and what
//! an answer that did not come means.

use std::time::Duration;

use jiff::Timestamp;

use crate::code::Code;
use crate::id::{
    FulfillmentId, FulfillmentOrderId, FulfillmentOrderLineItemId, LineItemId, LocationId, OrderId, OrderRef,
    ProductId, ShopDomain, VariantId,
};
use crate::links::Variant;
use crate::order::{FulfillmentOrderStatus, FulfillmentState, Order, SourceOrder};
use crate::ports::after;
use crate::push::{Cancellation, OrderDraft, OrderKey};
use crate::registry::{MatchBy, ShopFacts};
use crate::resync::{OrderSight, Pass};
use crate::writeback::{FulfillmentDraft, TrackingInfo, TrackingUpdate};

/// A shop's API. Implemented over Shopify's Admin GraphQL API, and by a fake in the tests.
///
/// Every method is one or more network calls and may be slow; none repeats a mutation by itself.
#[allow(async_fn_in_trait)] // Called only with concrete types; no caller needs to name the future.
pub trait Channel {
    /// The order with all its lines, or `None` if the shop has no such order.
    async fn order(&self, order: &OrderRef) -> Result<Option<Order>, ChannelError>;

    /// Creates the source order. Not idempotent: call it only under a claim.
    async fn create_order(&self, source: &ShopDomain, draft: &OrderDraft) -> Result<SourceOrder, ChannelError>;

    /// Looks for an order that carries `key`.
    async fn find_order(&self, source: &ShopDomain, key: &OrderKey) -> Result<KeyLookup, ChannelError>;

    /// Has a source order cancelled, without a mail and without a refund. Harmless to repeat. Refused with
    /// [`Code::AlreadyShipped`] if something of it was sent.
    ///
    /// The shop takes it now and does it later: read the order again to know.
    async fn cancel_order(&self, order: &OrderRef, cancellation: &Cancellation) -> Result<(), ChannelError>;

    /// What a source shop has shipped of an order.
    async fn shipped(&self, order: &OrderRef) -> Result<Option<ShippedOrder>, ChannelError>;

    /// What a destination order shows as fulfilled, and what is left to fulfill.
    async fn destination(&self, order: &OrderRef) -> Result<Option<DestinationOrder>, ChannelError>;

    /// Only what a destination order shows as fulfilled: a much smaller question.
    async fn shown(&self, order: &OrderRef) -> Result<Option<Vec<ShownFulfillment>>, ChannelError>;

    /// Creates one fulfillment. Not idempotent: call it only under a claim.
    async fn create_fulfillment(
        &self,
        shop: &ShopDomain,
        draft: &FulfillmentDraft,
    ) -> Result<FulfillmentId, ChannelError>;

    /// Replaces the tracking of a fulfillment. Repeating it is harmless, but for the mail it may ask for.
    ///
    /// A fulfillment that is cancelled takes it without a word and does not show it: read again to know.
    async fn update_tracking(&self, shop: &ShopDomain, update: &TrackingUpdate) -> Result<(), ChannelError>;

    /// Puts tags on an order, beside those that it has. Harmless to repeat.
    async fn add_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError>;

    /// Takes tags off an order, those that it has. Harmless to repeat.
    async fn remove_tags(&self, order: &OrderRef, tags: &[String]) -> Result<(), ChannelError>;

    /// The order that a fulfillment order belongs to.
    async fn order_of(
        &self,
        shop: &ShopDomain,
        fulfillment_order: FulfillmentOrderId,
    ) -> Result<Option<OrderId>, ChannelError>;

    /// One page of the shop's orders: 250 at the most, those of the query's pass by its time.
    async fn orders(&self, shop: &ShopDomain, query: &OrdersQuery) -> Result<OrdersPage, ChannelError>;

    /// One page of the shop's variants: 250 at the most, in the order of their ids.
    async fn variants(&self, shop: &ShopDomain, after: Option<&str>) -> Result<VariantsPage, ChannelError>;

    /// The variants that carry one of `values`, and no others. The shop's search is a moment behind its changes.
    async fn variants_by(
        &self,
        shop: &ShopDomain,
        by: MatchBy,
        values: &[String],
    ) -> Result<Vec<Variant>, ChannelError>;

    /// Those of the variants that the shop has.
    async fn variants_of(&self, shop: &ShopDomain, ids: &[VariantId]) -> Result<Vec<Variant>, ChannelError>;

    /// All variants of a product, or `None` if the shop has no such product.
    async fn product(&self, shop: &ShopDomain, id: ProductId) -> Result<Option<Vec<Variant>>, ChannelError>;

    /// What the shop says of itself, and whether it has our metafield definition.
    async fn facts(&self, shop: &ShopDomain) -> Result<(ShopFacts, HasKeyDefinition), ChannelError>;

    /// Creates the metafield definition that makes a key unique.
    async fn define_order_key(&self, shop: &ShopDomain) -> Result<(), ChannelError>;

    /// Of which of the topics that we handle the shop does not tell us, or not as it should.
    async fn subscription_gaps(&self, shop: &ShopDomain) -> Result<Vec<SubscriptionGap>, ChannelError>;

    /// Sees to it that the shop tells us of the gap's topic. Harmless to repeat.
    async fn subscribe(&self, shop: &ShopDomain, gap: &SubscriptionGap) -> Result<(), ChannelError>;
}

/// Which orders of a shop are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrdersQuery {
    pub pass: Pass,
    /// Inclusive, as `until` is.
    pub from: Timestamp,
    pub until: Timestamp,
    /// Leaves out orders that were placed at this moment or later.
    pub placed_before: Option<Timestamp>,
    /// Where the page begins: [`OrdersPage::next`] of the one before.
    pub after: Option<String>,
}

/// Some orders of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrdersPage {
    pub orders: Vec<OrderSight>,
    /// `None`: the list ends here.
    pub next: Option<String>,
    pub budget: Budget,
}

/// Some variants of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantsPage {
    pub variants: Vec<Variant>,
    /// `None`: the list ends here.
    pub next: Option<String>,
}

/// What the shop's rate limit has left, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub available: u32,
    pub maximum: u32,
    /// Restored in a second.
    pub restore_rate: u32,
}

impl Budget {
    /// When half of it is there again; `None` if it is now.
    #[must_use]
    pub fn recovers_half_at(&self, now: Timestamp) -> Option<Timestamp> {
        let missing = (self.maximum / 2).checked_sub(self.available).filter(|missing| *missing > 0)?;
        let seconds = missing.div_ceil(self.restore_rate.max(1));
        Some(after(now, Duration::from_secs(seconds.into())))
    }
}

/// A topic that a shop does not tell us of as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionGap {
    /// As in the `X-Shopify-Topic` header.
    pub topic: &'static str,
    /// The channel's id of the subscription that is there, but for other fields, a filter or another format; `None`:
    /// there is none.
    pub wrong: Option<String>,
}

/// Whether a shop knows the metafield that carries our key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HasKeyDefinition(pub bool);

/// What a look for a key found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyLookup {
    Found(SourceOrder),
    /// Two or more orders carry the key: a person has to look.
    Several(Vec<SourceOrder>),
    /// Not there, and the shop would have found it by now if it were.
    Absent,
    /// Not seen, but the answer proves nothing: the shop lacks the metafield definition.
    Inconclusive,
}

/// A source order with what was shipped of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippedOrder {
    pub order: SourceOrder,
    pub updated_at: Timestamp,
    pub cancelled: bool,
    pub fulfillments: Vec<ShippedFulfillment>,
}

/// One fulfillment of a source order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippedFulfillment {
    pub id: FulfillmentId,
    pub state: FulfillmentState,
    pub location: Option<LocationId>,
    pub tracking: Vec<TrackingInfo>,
    /// Which destination line, by the hidden property on the source line, and how many of it.
    pub lines: Vec<(LineItemId, u32)>,
}

/// A destination order as far as a writeback needs it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DestinationOrder {
    pub updated_at: Timestamp,
    pub cancelled: bool,
    pub fulfillments: Vec<ShownFulfillment>,
    pub fulfillment_orders: Vec<FulfillmentOrder>,
}

impl DestinationOrder {
    /// What is left once `draft` is fulfilled, without asking again.
    pub fn fulfill(&mut self, draft: &FulfillmentDraft) {
        for lines in &draft.lines {
            let order = self.fulfillment_orders.iter_mut().find(|order| order.id == lines.fulfillment_order);
            for waiting in order.into_iter().flat_map(|order| &mut order.lines) {
                let fulfilled = lines.lines.iter().filter(|(id, _)| *id == waiting.id).map(|(_, n)| n).sum::<u32>();
                waiting.remaining = waiting.remaining.saturating_sub(fulfilled);
            }
        }
    }
}

/// A fulfillment that the customer sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShownFulfillment {
    pub id: FulfillmentId,
    pub state: FulfillmentState,
    /// Who sent it, where that was asked for: the handle of a fulfillment service, such as `manual` for what the shop
    /// sends itself. Whether a person did that or an app, Shopify does not show. Source: `Fulfillment.service`.
    pub service: Option<String>,
    pub tracking: Vec<TrackingInfo>,
    pub lines: Vec<(LineItemId, u32)>,
}

/// Work that a location still has to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FulfillmentOrder {
    pub id: FulfillmentOrderId,
    pub status: FulfillmentOrderStatus,
    pub location: Option<LocationId>,
    /// `SHIPPING`, `PICK_UP`, …: one fulfillment never mixes them.
    pub delivery_method: Option<String>,
    /// Whether Shopify offers `CREATE_FULFILLMENT` on it now.
    pub can_fulfill: bool,
    pub lines: Vec<FulfillmentOrderLine>,
}

/// A line of a fulfillment order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FulfillmentOrderLine {
    pub id: FulfillmentOrderLineItemId,
    pub line: LineItemId,
    pub remaining: u32,
}

/// Why a call did not do what was asked, told by what is known of its effect.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The shop's rate limit. Nothing was done.
    #[error("{shop} throttles us for {retry_after:?}")]
    Throttled { shop: ShopDomain, retry_after: Duration, request_id: Option<String> },
    /// No connection was made, or there was no token to be had. Nothing was done.
    #[error("{shop} cannot be reached")]
    Unreachable {
        shop: ShopDomain,
        #[source]
        source: BoxError,
    },
    /// The app lacks a scope or a permission. Nothing was done.
    #[error("{shop} denies access: {message}")]
    AccessDenied { shop: ShopDomain, message: String, request_id: Option<String> },
    /// The shop does not know our token any more, grants none, is frozen, locked or gone. Nothing was done.
    #[error("{shop} is not available to us: {message}")]
    ShopUnavailable { shop: ShopDomain, message: String, request_id: Option<String> },
    /// Shopify looked at the request and refused it. Nothing was done.
    #[error("{shop} refused: {message}")]
    Refused { shop: ShopDomain, code: Code, message: String, request_id: Option<String> },
    /// The request may have been carried out: time-out, lost connection, 5xx, internal error, or an
    /// answer that we cannot read.
    #[error("{shop} gave no usable answer: {message}")]
    NoAnswer {
        shop: ShopDomain,
        message: String,
        request_id: Option<String>,
        #[source]
        source: Option<BoxError>,
    },
}

/// A cause from a library below the port.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What is known of the effect of a mutation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    None,
    Unknown,
}

impl ChannelError {
    /// Whether a mutation that failed like this may have been carried out.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Throttled { .. }
            | Self::Unreachable { .. }
            | Self::AccessDenied { .. }
            | Self::ShopUnavailable { .. }
            | Self::Refused { .. } => Effect::None,
            Self::NoAnswer { .. } => Effect::Unknown,
        }
    }

    /// The code it is recorded under.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Throttled { .. } | Self::Unreachable { .. } | Self::NoAnswer { .. } => Code::ChannelUnavailable,
            Self::AccessDenied { .. } | Self::ShopUnavailable { .. } => Code::AccessDenied,
            Self::Refused { code, .. } => *code,
        }
    }

    /// Shopify's request id, where an answer came.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Unreachable { .. } => None,
            Self::Throttled { request_id, .. }
            | Self::AccessDenied { request_id, .. }
            | Self::ShopUnavailable { request_id, .. }
            | Self::Refused { request_id, .. }
            | Self::NoAnswer { request_id, .. } => request_id.as_deref(),
        }
    }
}
