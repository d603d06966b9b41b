//! Mutations of fulfillments and fulfillment orders.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::super::errors::{FulfillmentOrderHoldUserError, FulfillmentOrderReleaseHoldUserError, UserError, number};
use super::super::fulfillment::Fulfillment;
use super::super::fulfillment_order::{FulfillmentHold, FulfillmentOrder};
use super::super::inputs::{FulfillmentInput, FulfillmentTrackingInput};
use super::super::{change, read};
use crate::change::{NewFulfillment, NewTracking, Refusal, Selection};
use crate::words::FulfillmentHoldReason;

#[derive(Default)]
pub(crate) struct Fulfillments;

/// Payloads that are a fulfillment or plain userErrors.
macro_rules! payloads {
    ($($name:ident)*) => {$(
        #[derive(SimpleObject)]
        struct $name {
            fulfillment: Option<Fulfillment>,
            user_errors: Vec<UserError>,
        }
    )*};
}

payloads! { FulfillmentCreatePayload FulfillmentTrackingInfoUpdatePayload FulfillmentCancelPayload }

#[derive(InputObject)]
struct FulfillmentOrderHoldInput {
    reason: FulfillmentHoldReason,
    reason_notes: Option<String>,
    notify_merchant: Option<bool>,
    external_id: Option<String>,
    handle: Option<String>,
}

#[derive(SimpleObject)]
struct FulfillmentOrderHoldPayload {
    fulfillment_hold: Option<FulfillmentHold>,
    fulfillment_order: Option<FulfillmentOrder>,
    user_errors: Vec<FulfillmentOrderHoldUserError>,
}

#[derive(SimpleObject)]
struct FulfillmentOrderReleaseHoldPayload {
    fulfillment_order: Option<FulfillmentOrder>,
    user_errors: Vec<FulfillmentOrderReleaseHoldUserError>,
}

fn find(ctx: &Context<'_>, id: u64) -> async_graphql::Result<Option<Fulfillment>> {
    read(ctx, |shop| Fulfillment::find(shop.owner_of(id)?, id))
}

#[Object]
impl Fulfillments {
    async fn fulfillment_create(
        &self,
        ctx: &Context<'_>,
        fulfillment: FulfillmentInput,
        message: Option<String>,
    ) -> async_graphql::Result<Option<FulfillmentCreatePayload>> {
        let _ = message; // what the mail would say
        let mut selections = Vec::new();
        for group in fulfillment.line_items_by_fulfillment_order {
            let lines = group.fulfillment_order_line_items.map(|lines| {
                lines
                    .iter()
                    .map(|line| Ok((number("FulfillmentOrderLineItem", &line.id)?, i64::from(line.quantity))))
                    .collect::<async_graphql::Result<Vec<_>>>()
            });
            let fulfillment_order_id = number("FulfillmentOrder", &group.fulfillment_order_id)?;
            selections.push(Selection { fulfillment_order_id, lines: lines.transpose()? });
        }
        let tracking = fulfillment.tracking_info.map(NewTracking::from).unwrap_or_default();
        let new = NewFulfillment {
            selections,
            tracking,
            notify_customer: fulfillment.notify_customer.unwrap_or_default(),
            service: None,
        };
        Ok(Some(match change(ctx, |change| change.fulfill(&new))? {
            Ok(id) => FulfillmentCreatePayload { fulfillment: find(ctx, id)?, user_errors: Vec::new() },
            Err(refusal) => FulfillmentCreatePayload { fulfillment: None, user_errors: vec![refusal.into()] },
        }))
    }

    async fn fulfillment_tracking_info_update(
        &self,
        ctx: &Context<'_>,
        fulfillment_id: ID,
        tracking_info_input: FulfillmentTrackingInput,
        notify_customer: Option<bool>,
    ) -> async_graphql::Result<Option<FulfillmentTrackingInfoUpdatePayload>> {
        let id = number("Fulfillment", &fulfillment_id)?;
        let tracking = NewTracking::from(tracking_info_input);
        let done = change(ctx, |change| {
            if change.shop.settings.refuse_overwrite {
                // No such refusal is recorded; whatever the words, it is one.
                return Err(Refusal::new(&["fulfillmentId"], "Tracking information cannot be updated."));
            }
            change.update_tracking(id, &tracking, notify_customer.unwrap_or_default())
        })?;
        Ok(Some(match done {
            Ok(()) => FulfillmentTrackingInfoUpdatePayload { fulfillment: find(ctx, id)?, user_errors: Vec::new() },
            Err(refusal) => {
                FulfillmentTrackingInfoUpdatePayload { fulfillment: None, user_errors: vec![refusal.into()] }
            }
        }))
    }

    async fn fulfillment_cancel(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<Option<FulfillmentCancelPayload>> {
        let id = number("Fulfillment", &id)?;
        Ok(Some(match change(ctx, |change| change.cancel_fulfillment(id))? {
            Ok(()) => FulfillmentCancelPayload { fulfillment: find(ctx, id)?, user_errors: Vec::new() },
            Err(refusal) => FulfillmentCancelPayload { fulfillment: None, user_errors: vec![refusal.into()] },
        }))
    }

    async fn fulfillment_order_hold(
        &self,
        ctx: &Context<'_>,
        id: ID,
        fulfillment_hold: FulfillmentOrderHoldInput,
    ) -> async_graphql::Result<Option<FulfillmentOrderHoldPayload>> {
        let _ = (fulfillment_hold.notify_merchant, fulfillment_hold.external_id); // accepted and not acted on
        let id = number("FulfillmentOrder", &id)?;
        let handle = fulfillment_hold.handle.filter(|handle| !handle.is_empty());
        let done = change(ctx, |change| {
            change.hold(id, fulfillment_hold.reason, fulfillment_hold.reason_notes, handle, true)
        })?;
        let fulfillment_order = read(ctx, |shop| FulfillmentOrder::find(shop.owner_of(id)?, id))?;
        Ok(Some(match done {
            Ok(hold) => {
                let found = read(ctx, |shop| {
                    let held = shop.owner_of(id)?.fulfillment_orders.iter().find(|it| it.id == id)?;
                    held.holds.iter().find(|it| it.id == hold).map(FulfillmentHold::from)
                })?;
                FulfillmentOrderHoldPayload { fulfillment_hold: found, fulfillment_order, user_errors: Vec::new() }
            }
            Err(refusal) => FulfillmentOrderHoldPayload {
                fulfillment_hold: None,
                fulfillment_order: None,
                user_errors: vec![refusal.into()],
            },
        }))
    }

    async fn fulfillment_order_release_hold(
        &self,
        ctx: &Context<'_>,
        id: ID,
        hold_ids: Option<Vec<ID>>,
    ) -> async_graphql::Result<Option<FulfillmentOrderReleaseHoldPayload>> {
        let id = number("FulfillmentOrder", &id)?;
        let holds = hold_ids
            .map(|ids| ids.iter().map(|id| number("FulfillmentHold", id)).collect::<async_graphql::Result<Vec<_>>>())
            .transpose()?;
        let done = change(ctx, |change| change.release_holds(id, holds.as_deref()))?;
        let fulfillment_order = read(ctx, |shop| FulfillmentOrder::find(shop.owner_of(id)?, id))?;
        Ok(Some(match done {
            Ok(()) => FulfillmentOrderReleaseHoldPayload { fulfillment_order, user_errors: Vec::new() },
            Err(refusal) => {
                FulfillmentOrderReleaseHoldPayload { fulfillment_order: None, user_errors: vec![refusal.into()] }
            }
        }))
    }
}
