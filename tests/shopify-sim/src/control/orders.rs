//! Orders: shown, paid, changed, held.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::{Answer, CancelOrder, CommandError, EditLine, HoldOrder, MoveWork, RefundLines, TagOrder, change};
use crate::change::Change;
use crate::engine::Engine;
use crate::state::Order;

pub(super) type Shops = State<Arc<Engine>>;
pub(super) type OrderPath = Path<(String, String)>;

pub(super) async fn list(State(engine): Shops, Path(shop): Path<String>) -> Answer<Vec<Order>> {
    let orders = engine.shop(&shop, |shop| shop.orders.values().map(|order| Order::clone(order)).collect());
    orders.map(Json).ok_or(CommandError::NoSuchShop)
}

pub(super) async fn show(State(engine): Shops, Path((shop, order)): OrderPath) -> Answer<Order> {
    let found = engine.shop(&shop, |shop| shop.order_by(&order).map(|order| Order::clone(order)));
    found.ok_or(CommandError::NoSuchShop)?.map(Json).ok_or(CommandError::NotFound("order"))
}

/// Does something with one order.
pub(super) fn with<T>(
    engine: &Arc<Engine>,
    shop: &str,
    order: &str,
    act: impl FnOnce(&mut Change<'_>, u64) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    change(engine, shop, |change| {
        let id = change.shop.order_by(order).map(|order| order.id).ok_or(CommandError::NotFound("order"))?;
        act(change, id)
    })
}

/// Does something with one order and shows it afterwards.
fn shown(
    engine: &Arc<Engine>,
    shop: &str,
    order: &str,
    act: impl FnOnce(&mut Change<'_>, u64) -> Result<(), CommandError>,
) -> Answer<Order> {
    with(engine, shop, order, |change, id| {
        act(change, id)?;
        change.shop.order(id).map(|order| Json(Order::clone(order))).ok_or(CommandError::NotFound("order"))
    })
}

pub(super) async fn pay(State(engine): Shops, Path((shop, order)): OrderPath) -> Answer<Order> {
    shown(&engine, &shop, &order, |change, id| change.mark_paid(id).ok_or(CommandError::NotFound("order")))
}

pub(super) async fn cancel(
    State(engine): Shops,
    Path((shop, order)): OrderPath,
    Json(why): Json<CancelOrder>,
) -> Answer<Order> {
    shown(&engine, &shop, &order, |change, id| {
        Ok(change.cancel_order(id, why.reason, why.refund, why.notify_customer)?)
    })
}

pub(super) async fn edit(
    State(engine): Shops,
    Path((shop, order)): OrderPath,
    Json(edit): Json<EditLine>,
) -> Answer<Order> {
    shown(&engine, &shop, &order, |change, id| {
        let line = line_id(change, id, &edit.line)?;
        Ok(change.edit_line(id, line, edit.quantity)?)
    })
}

pub(super) async fn refund(
    State(engine): Shops,
    Path((shop, order)): OrderPath,
    Json(refund): Json<RefundLines>,
) -> Answer<Order> {
    shown(&engine, &shop, &order, |change, id| {
        let lines = refund.lines.iter().map(|(line, quantity)| Ok((line_id(change, id, line)?, *quantity)));
        let lines = lines.collect::<Result<Vec<_>, CommandError>>()?;
        change.refund(id, &lines)?;
        Ok(())
    })
}

pub(super) async fn hold(
    State(engine): Shops,
    Path((shop, order)): OrderPath,
    Json(why): Json<HoldOrder>,
) -> Answer<Order> {
    shown(&engine, &shop, &order, |change, id| {
        let open = work(change, id, |it| it.is_fulfillable());
        if open.is_empty() {
            return Err(CommandError::Invalid("nothing is open to hold (or routing has not run)".to_owned()));
        }
        open.into_iter().try_for_each(|it| change.hold(it, why.reason, why.notes.clone(), None, false).map(|_| ()))?;
        Ok(())
    })
}

pub(super) async fn release(State(engine): Shops, Path((shop, order)): OrderPath) -> Answer<Order> {
    shown(&engine, &shop, &order, |change, id| {
        let held = work(change, id, |it| !it.holds.is_empty());
        Ok(held.into_iter().try_for_each(|it| change.release_holds(it, None))?)
    })
}

/// Routes at once, however long the shop's delay is.
pub(super) async fn route(State(engine): Shops, Path((shop, order)): OrderPath) -> Answer<Order> {
    shown(&engine, &shop, &order, |change, id| {
        change.route(id);
        Ok(())
    })
}

/// Gives an order's open work to another location.
pub(super) async fn relocate(
    State(engine): Shops,
    Path((shop, order)): OrderPath,
    Json(to): Json<MoveWork>,
) -> Answer<Order> {
    shown(&engine, &shop, &order, |change, id| {
        let location = change.shop.locations.iter().find(|it| it.name == to.location);
        let location = location.ok_or(CommandError::NotFound("location"))?.id;
        Ok(change.relocate(id, location)?)
    })
}

pub(super) async fn tag(
    State(engine): Shops,
    Path((shop, order)): OrderPath,
    Json(tags): Json<TagOrder>,
) -> Answer<Order> {
    shown(&engine, &shop, &order, |change, id| {
        if !tags.add.is_empty() {
            change.add_tags(id, &tags.add);
        }
        if !tags.remove.is_empty() {
            change.remove_tags(id, &tags.remove);
        }
        Ok(())
    })
}

/// The line that a person means: id or SKU.
pub(super) fn line_id(change: &Change<'_>, order: u64, said: &str) -> Result<u64, CommandError> {
    let order = change.shop.order(order).ok_or(CommandError::NotFound("order"))?;
    let id = crate::state::parse_gid("LineItem", said);
    let found = order.lines.iter().find(|line| Some(line.id) == id || line.sku.as_deref() == Some(said));
    found.map(|line| line.id).ok_or(CommandError::NotFound("line"))
}

fn work(change: &Change<'_>, order: u64, is_meant: impl Fn(&crate::state::FulfillmentOrder) -> bool) -> Vec<u64> {
    let all = change.shop.order(order).into_iter().flat_map(|order| &order.fulfillment_orders);
    all.filter(|it| is_meant(it)).map(|it| it.id).collect()
}
