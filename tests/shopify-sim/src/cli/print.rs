//! Answers in one line each.

use rust_decimal::Decimal;
use serde::Serialize;
use shopify_sim::client::Calls;
use shopify_sim::control::{Count, Shipped, ShopView};
use shopify_sim::state::{Order, TrackingInfo};
use shopify_sim::webhooks::Delivery;
use shopify_sim::words::word;

use super::Done;

#[derive(Clone, Copy)]
pub(super) struct Out {
    pub(super) json: bool,
}

impl Out {
    /// The whole answer, or what a person wants of it.
    pub(super) fn say<T: Serialize>(self, answer: &T, line: impl FnOnce() -> String) -> Done {
        if self.json {
            println!("{}", serde_json::to_string_pretty(answer)?);
        } else {
            println!("{}", line());
        }
        Ok(())
    }

    pub(super) fn shop(self, shop: &ShopView) -> Done {
        self.say(shop, || {
            let skus: Vec<String> = shop.variants.iter().map(|it| format!("{} {}", it.sku, it.price)).collect();
            let places: Vec<&str> = shop.locations.iter().map(|it| it.name.as_str()).collect();
            let app = if shop.installed { "app installed" } else { "app not installed" };
            format!(
                "{}  {}  sells {}  from {}  {} orders  {app}  {} subscriptions",
                shop.domain,
                word(shop.currency),
                skus.join(", "),
                places.join(", "),
                shop.order_count,
                shop.subscriptions.len()
            )
        })
    }

    pub(super) fn order(self, order: &Order) -> Done {
        self.say(order, || order_line(order))
    }

    /// An order with its lines, goods and mails.
    pub(super) fn whole_order(self, order: &Order) -> Done {
        self.say(order, || {
            let mut text = vec![order_line(order)];
            for line in &order.lines {
                let sku = line.sku.as_deref().unwrap_or("no SKU");
                text.push(format!(
                    "  {} x {sku}  {} sent  {} each",
                    line.current_quantity,
                    order.fulfilled_quantity(line.id),
                    line.price.shop.amount
                ));
            }
            for it in &order.fulfillment_orders {
                text.push(format!(
                    "  fulfillment order {}  {}  {} left  {}",
                    it.id,
                    word(it.status),
                    it.remaining(),
                    word(it.method)
                ));
            }
            for it in &order.fulfillments {
                text.push(format!("  fulfillment {}  {}  {}", it.id, word(it.status), tracking(&it.tracking_info)));
            }
            for mail in &order.mails {
                text.push(format!("  mail {}  {}  {}", mail.to, word(mail.kind), mail.tracking_numbers.join(" ")));
            }
            text.join("\n")
        })
    }

    pub(super) fn shipped(self, shipped: &Shipped) -> Done {
        self.say(shipped, || format!("fulfillment {}", shipped.fulfillment_id))
    }

    pub(super) fn count(self, what: &str, count: Count) -> Done {
        self.say(&count, || format!("{} {what}", count.count))
    }

    pub(super) fn calls(self, calls: &[Calls]) -> Done {
        self.say(&calls, || {
            let line = |it: &Calls| {
                format!(
                    "{}  {}  {} calls  {} points  at most {} asked  {} throttled",
                    it.shop, it.operation, it.count, it.actual_cost, it.max_requested_cost, it.throttled
                )
            };
            lines(calls, "no calls", line)
        })
    }

    pub(super) fn deliveries(self, deliveries: &[Delivery]) -> Done {
        self.say(&deliveries, || {
            let line = |it: &Delivery| {
                let tries: Vec<String> = it
                    .attempts
                    .iter()
                    .map(|attempt| attempt.status.map_or("none".to_owned(), |status| status.to_string()))
                    .collect();
                let state = if it.is_delivered() {
                    "delivered"
                } else if it.finished {
                    "given up"
                } else {
                    "under way"
                };
                format!("{}  {}  {}  {state}  {}", it.webhook_id, it.shop, it.topic, tries.join(" "))
            };
            lines(deliveries, "no webhooks", line)
        })
    }
}

pub(super) fn lines<T>(all: &[T], none: &str, line: impl Fn(&T) -> String) -> String {
    if all.is_empty() { none.to_owned() } else { all.iter().map(line).collect::<Vec<_>>().join("\n") }
}

pub(super) fn order_line(order: &Order) -> String {
    let total: Decimal = order.total().shop.amount;
    let source = order.source_identifier.as_deref().map(|key| format!("  key {key}")).unwrap_or_default();
    let tags = if order.tags.is_empty() { String::new() } else { format!("  [{}]", order.tags.join(", ")) };
    let cancelled = if order.cancelled_at.is_some() { "  CANCELLED" } else { "" };
    format!(
        "{}  {}  {} {}  {}  {}  {} fulfillments{cancelled}{source}{tags}",
        order.name,
        order.id,
        total.normalize(),
        word(order.currency),
        word(order.financial_status),
        word(order.display_fulfillment_status()),
        order.fulfillments.len(),
    )
}

fn tracking(list: &[TrackingInfo]) -> String {
    let one =
        |it: &TrackingInfo| format!("{} {}", it.company.as_deref().unwrap_or("-"), it.number.as_deref().unwrap_or("-"));
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}
