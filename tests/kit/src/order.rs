//! Orders and shops as test data.

use jiff::Timestamp;
use roundtrip_domain::id::{LineItemId, OrderId, OrderRef, ShopDomain, VariantId};
use roundtrip_domain::money::Money;
use roundtrip_domain::order::{Address, FinancialStatus, FulfillmentStatus, Line, Order, PersonName};
use roundtrip_domain::registry::{
    Connection, ConnectionSettings, ProductLink, SettingsChange, Shop, ShopFacts, ShopSettings,
};
use rust_decimal::Decimal;

/// The destination store of most tests.
#[must_use]
pub fn moon() -> ShopDomain {
    shop("moon")
}

/// The source store of most tests.
#[must_use]
pub fn sun() -> ShopDomain {
    shop("sun")
}

/// `<name>.myshopify.com`.
#[must_use]
pub fn shop(name: &str) -> ShopDomain {
    format!("{name}.myshopify.com").parse().expect("a shop name")
}

/// `10.00` → ten euros.
#[must_use]
pub fn euros(amount: &str) -> Money {
    Money { amount: amount.parse::<Decimal>().expect("an amount"), currency: "EUR".parse().expect("a currency") }
}

/// What a connected shop says of itself.
#[must_use]
pub fn facts(now: Timestamp) -> ShopFacts {
    ShopFacts {
        name: "Moon Shop".into(),
        currency: "EUR".parse().expect("a currency"),
        time_zone: "Europe/Berlin".into(),
        contact_email: None,
        development: false,
        points_per_second: 100,
        scopes: Vec::new(),
        locations: Vec::new(),
        connected_at: now,
    }
}

/// A shop that is connected, and pushes automatically where a connection does.
#[must_use]
pub fn connected(domain: ShopDomain, now: Timestamp) -> Shop {
    let settings = ShopSettings { order_sync: true, auto_push: true, ..ShopSettings::default() };
    Shop { facts: Some(facts(now)), settings, ..Shop::registered(domain, now) }
}

/// A connection with the default settings, with automatic push or without.
#[must_use]
pub fn connection(auto_push: bool) -> Connection {
    Connection {
        destination: moon(),
        source: sun(),
        settings: ConnectionSettings { auto_push, ..ConnectionSettings::default() },
        settings_change: SettingsChange { version: 1, ..SettingsChange::default() },
    }
}

/// The moon's variant `n` is shipped as the sun's variant `n + 1000`.
#[must_use]
pub fn link(n: u64) -> ProductLink {
    ProductLink::given((moon(), VariantId::new(n)), (sun(), VariantId::new(n + 1000)))
}

/// One unit of the moon's variant `n`.
#[must_use]
pub fn line(n: u64) -> Line {
    Line {
        id: LineItemId::new(n + 100),
        title: format!("Product {n}"),
        sku: Some(format!("SKU-{n}")),
        variant: Some(VariantId::new(n)),
        quantity: 1,
        requires_shipping: true,
        unit_price: euros("10.00"),
        attributes: Vec::new(),
    }
}

/// A paid order of the moon with one linked line, complete in all that a push needs.
#[must_use]
pub fn paid_order(id: u64, now: Timestamp) -> Order {
    Order {
        at: OrderRef { shop: moon(), id: OrderId::new(id) },
        name: format!("#{id}"),
        created_at: now,
        updated_at: now,
        cancelled_at: None,
        cancel_reason: None,
        test: false,
        financial_status: FinancialStatus::Paid,
        fulfillment_status: FulfillmentStatus::Unfulfilled,
        tags: Vec::new(),
        note: None,
        attributes: Vec::new(),
        email: Some("ada@example.com".into()),
        phone: None,
        customer: Some(PersonName { first: Some("Ada".into()), last: Some("Byron".into()) }),
        shipping_address: Some(Address {
            first_name: Some("Ada".into()),
            last_name: Some("Byron".into()),
            address1: Some("1 Engine Road".into()),
            city: Some("London".into()),
            zip: Some("SW1".into()),
            country_code: Some("GB".into()),
            ..Address::default()
        }),
        billing_address: None,
        shipping_method: Some("DHL Express".into()),
        total: euros("10.00"),
        lines: vec![line(1)],
        order_key: None,
        fulfillments: Vec::new(),
        fulfillment_orders: Vec::new(),
    }
}
