//! Mutations of orders.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};

use super::super::errors::{OrderCancelUserError, UserError, internal, number};
use super::super::inputs::{OrderCreateOptionsInput, OrderCreateOrderInput};
use super::super::order::{Node, Order};
use super::super::order_create::{OrderCreatePayload, create};
use super::super::{Caller, change, read};
use crate::change::Refusal;
use crate::state::{CancelRequest, gid};
use crate::words::OrderCancelReason;

#[derive(Default)]
pub(crate) struct Orders;

#[derive(SimpleObject)]
struct TagsAddPayload {
    node: Option<Node>,
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct TagsRemovePayload {
    node: Option<Node>,
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct Job {
    id: ID,
    done: bool,
}

#[derive(SimpleObject)]
struct OrderCancelPayload {
    job: Option<Job>,
    order_cancel_user_errors: Vec<OrderCancelUserError>,
}

#[derive(OneofObject)]
enum OrderCancelRefundMethodInput {
    OriginalPaymentMethodsRefund(bool),
    StoreCreditRefund(OrderCancelStoreCreditRefundInput),
}

#[derive(InputObject)]
struct OrderCancelStoreCreditRefundInput {
    /// Accepted and not acted on.
    expires_at: Option<super::super::scalars::DateTime>,
}

/// Source: live answer of `orderCancel`, 2026-04.
const MAX_STAFF_NOTE: usize = 255;

#[Object]
impl Orders {
    async fn order_create(
        &self,
        ctx: &Context<'_>,
        order: OrderCreateOrderInput,
        options: Option<OrderCreateOptionsInput>,
    ) -> async_graphql::Result<Option<OrderCreatePayload>> {
        create(ctx, order, options).map(Some)
    }

    async fn tags_add(
        &self,
        ctx: &Context<'_>,
        id: ID,
        tags: Vec<String>,
    ) -> async_graphql::Result<Option<TagsAddPayload>> {
        let order = number("Order", &id)?;
        let user_errors = tag_errors(change(ctx, |change| change.add_tags(order, &tags))?);
        Ok(Some(TagsAddPayload { node: Order::find(ctx, order)?.map(Node::Order), user_errors }))
    }

    async fn tags_remove(
        &self,
        ctx: &Context<'_>,
        id: ID,
        tags: Vec<String>,
    ) -> async_graphql::Result<Option<TagsRemovePayload>> {
        let order = number("Order", &id)?;
        let user_errors = tag_errors(change(ctx, |change| change.remove_tags(order, &tags))?);
        Ok(Some(TagsRemovePayload { node: Order::find(ctx, order)?.map(Node::Order), user_errors }))
    }

    #[allow(clippy::too_many_arguments)] // Shopify's
    async fn order_cancel(
        &self,
        ctx: &Context<'_>,
        order_id: ID,
        reason: OrderCancelReason,
        restock: bool,
        notify_customer: Option<bool>,
        staff_note: Option<String>,
        refund_method: Option<OrderCancelRefundMethodInput>,
    ) -> async_graphql::Result<Option<OrderCancelPayload>> {
        let order = number("Order", &order_id)?;
        let refused =
            |refusal: Refusal| OrderCancelPayload { job: None, order_cancel_user_errors: vec![refusal.into()] };
        if staff_note.as_ref().is_some_and(|note| note.chars().count() > MAX_STAFF_NOTE) {
            let message = "Staff note is too long. Maximum length is 255 characters.";
            return Ok(Some(refused(Refusal::new(&["staffNote"], message))));
        }
        let refund = match refund_method {
            Some(OrderCancelRefundMethodInput::OriginalPaymentMethodsRefund(refund)) => refund,
            Some(OrderCancelRefundMethodInput::StoreCreditRefund(OrderCancelStoreCreditRefundInput {
                expires_at: _,
            })) => true,
            None => false,
        };
        let notify_customer = notify_customer.unwrap_or_default();
        let request = CancelRequest { reason, refund, restock, notify_customer, staff_note };
        let Caller { engine, domain } = ctx.data()?;
        let taken = engine.cancel_order(domain, order, request).ok_or_else(|| internal("the shop is gone"))?;
        let domain = read(ctx, |shop| shop.id)?;
        Ok(Some(match taken {
            Ok(()) => OrderCancelPayload {
                job: Some(Job { id: gid("Job", domain).into(), done: false }),
                order_cancel_user_errors: Vec::new(),
            },
            Err(refusal) => refused(refusal),
        }))
    }
}

/// Source: live answers of `tagsAdd`.
fn tag_errors(found: bool) -> Vec<UserError> {
    if found { Vec::new() } else { vec![Refusal::new(&["id"], "Order does not exist").into()] }
}
