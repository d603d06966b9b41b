//! A merchant sends goods, changes their tracking, calls them back.

use axum::Json;
use axum::extract::{Path, State};

use super::orders::{OrderPath, Shops, line_id, with};
use super::{Answer, ChangeTracking, CommandError, Ship, Shipped, change};
use crate::change::{Change, NewFulfillment, NewTracking, Selection};
use crate::state::gid;

pub(super) async fn ship(
    State(engine): Shops,
    Path((shop, order)): OrderPath,
    Json(ship): Json<Ship>,
) -> Answer<Shipped> {
    with(&engine, &shop, &order, |change, id| {
        let selections = select(change, id, &ship)?;
        let tracking = NewTracking { company: ship.company, numbers: ship.numbers, urls: ship.urls };
        let fulfillment_id = change.fulfill(&NewFulfillment {
            selections,
            tracking,
            notify_customer: ship.notify_customer,
            service: ship.service,
        })?;
        Ok(Json(Shipped { fulfillment_id, gid: gid("Fulfillment", fulfillment_id) }))
    })
}

/// The work that a merchant means: at one location, all of it or the named lines.
fn select(change: &Change<'_>, id: u64, ship: &Ship) -> Result<Vec<Selection>, CommandError> {
    let order = change.shop.order(id).ok_or(CommandError::NotFound("order"))?;
    let location = match &ship.location {
        Some(name) => {
            Some(change.shop.locations.iter().find(|it| it.name == *name).ok_or(CommandError::NotFound("location"))?.id)
        }
        None => None,
    };
    let lines = ship
        .lines
        .iter()
        .map(|(line, quantity)| Ok((line_id(change, id, line)?, *quantity)))
        .collect::<Result<Vec<_>, CommandError>>()?;
    let has_wanted = |it: &crate::state::FulfillmentOrder| {
        lines.is_empty() || it.lines.iter().any(|line| lines.iter().any(|(wanted, _)| *wanted == line.line_item_id))
    };
    let mut open = order.fulfillment_orders.iter().filter(|it| {
        !it.is_shut && it.remaining() > 0 && location.is_none_or(|wanted| it.location_id == wanted) && has_wanted(it)
    });
    let first = open
        .next()
        .ok_or_else(|| CommandError::Invalid("nothing is left to send there (or routing has not run)".to_owned()))?;
    let same = open.filter(|it| it.location_id == first.location_id && it.method == first.method);
    let selections = std::iter::once(first).chain(same).map(|it| {
        let named = it.lines.iter().filter_map(|line| {
            lines
                .iter()
                .find(|(wanted, _)| *wanted == line.line_item_id)
                .map(|(_, quantity)| (line.id, i64::from(*quantity)))
        });
        Selection { fulfillment_order_id: it.id, lines: (!lines.is_empty()).then(|| named.collect()) }
    });
    Ok(selections.collect())
}

pub(super) async fn update_tracking(
    State(engine): Shops,
    Path((shop, id)): Path<(String, u64)>,
    Json(new): Json<ChangeTracking>,
) -> Answer<Shipped> {
    change(&engine, &shop, |change| {
        let tracking = NewTracking { company: new.company, numbers: new.numbers, urls: new.urls };
        change.update_tracking(id, &tracking, new.notify_customer)?;
        Ok(Json(Shipped { fulfillment_id: id, gid: gid("Fulfillment", id) }))
    })
}

pub(super) async fn cancel_fulfillment(State(engine): Shops, Path((shop, id)): Path<(String, u64)>) -> Answer<Shipped> {
    change(&engine, &shop, |change| {
        change.cancel_fulfillment(id)?;
        Ok(Json(Shipped { fulfillment_id: id, gid: gid("Fulfillment", id) }))
    })
}
