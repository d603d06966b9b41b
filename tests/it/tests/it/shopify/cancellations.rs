//! Having a source order cancelled: by the fake shops and by Shopify's API alike.

use std::time::Duration;

use roundtrip_domain::channel::{Channel, ChannelError};
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::order::{CancelReason, SourceOrder};
use roundtrip_domain::push::Cancellation;
use roundtrip_kit::contract;
use roundtrip_kit::order::{moon, sun};
use shopify_sim::control::{SettingsChange, Ship};
use shopify_sim::faults::{Fault, FaultRule};
use shopify_sim::state::MailKind;
use shopify_sim::words::{OrderCancelReason, OrderDisplayFinancialStatus};

use super::{place, shop};
use crate::world::World;

#[tokio::test]
async fn shopify_cancels_by_the_contract_without_a_mail_and_without_a_refund() {
    let (_sim, client, api) = shop("MUG").await;
    let (order, shipped) = (place(&client, &[("MUG", 1)]).await, place(&client, &[("MUG", 1)]).await);
    client.ship(moon().as_str(), &shipped.id.to_string(), &Ship::all("USPS", "9400-1")).await.unwrap();
    let delay = Duration::from_secs(1);
    let late = SettingsChange { cancel_delay_ms: Some(1000), ..SettingsChange::default() };
    client.set(moon().as_str(), &late).await.unwrap();

    contract::cancellations(&api, &order, &shipped, async || tokio::time::sleep(delay + delay / 4).await).await;

    let seen = client.show_order(moon().as_str(), &order.id.to_string()).await.unwrap();
    let asked = seen.cancel_request.expect("an app asked for it");
    assert_eq!((asked.reason, asked.refund, asked.restock), (OrderCancelReason::Other, false, false));
    assert!(!asked.notify_customer && seen.mails.iter().all(|mail| mail.kind != MailKind::OrderCancelled));
    assert_eq!(asked.staff_note.map(|note| note.len()), Some(255));
    assert_eq!(seen.financial_status, OrderDisplayFinancialStatus::Paid);
}

#[tokio::test]
async fn the_fake_shop_cancels_by_the_contract() {
    let (world, order) = World::pushed(1).await;
    let shipped = OrderRef { shop: sun(), id: OrderId::new(4711) };
    world.shop(&sun(), |shop| {
        let draft = shop.pushed[0].1.clone();
        shop.pushed.push((SourceOrder { id: shipped.id, name: "#4711".into() }, draft));
    });
    world.ports.channel.ship(&shipped, None);

    let moment = async || world.ports.clock.advance(Duration::from_secs(1));
    contract::cancellations(&world.ports.channel, &order, &shipped, moment).await;
}

#[tokio::test]
async fn why_an_order_was_cancelled_is_read_with_it() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1)]).await;
    assert_eq!(api.order(&order).await.unwrap().unwrap().cancel_reason, None);

    client.cancel(moon().as_str(), &order.id.to_string(), OrderCancelReason::Fraud).await.unwrap();

    assert_eq!(api.order(&order).await.unwrap().unwrap().cancel_reason, Some(CancelReason::Fraud));
}

#[tokio::test]
async fn a_cancellation_for_which_a_scope_is_missing_is_denied() {
    let (_sim, client, api) = shop("MUG").await;
    let order = place(&client, &[("MUG", 1)]).await;
    let denied = Fault::AccessDenied { scope: "write_orders".into() };
    client.add_fault(&FaultRule::next(moon().as_str(), "OrderCancel", denied)).await.unwrap();

    let cancellation = Cancellation { reason: CancelReason::Customer, restock: true, staff_note: "#1042".into() };
    let error = api.cancel_order(&order, &cancellation).await.unwrap_err();

    assert!(matches!(error, ChannelError::AccessDenied { .. }), "{error:?}");
    assert_eq!(error.code(), Code::AccessDenied);
}
