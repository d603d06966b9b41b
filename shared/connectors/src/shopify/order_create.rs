//! What orderCreate is called with: the allow-list on the wire. What is not composed here never leaves.

use roundtrip_domain::order::{Address, PersonName};
use roundtrip_domain::push::{OrderDraft, SHIPPING_TITLE};
use roundtrip_domain::registry::Inventory;
use serde::Serialize;
use serde_json::{Value, json};

use super::ORDER_KEY;

/// A field that is sent to a source store, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ForwardedField {
    /// Its path in the variables of orderCreate; `[]` stands for each element of a list.
    pub field: &'static str,
    pub holds: &'static str,
}

const fn field(field: &'static str, holds: &'static str) -> ForwardedField {
    ForwardedField { field, holds }
}

/// All that is ever sent with an order. A test holds what is composed against it.
pub const FORWARDED_FIELDS: &[ForwardedField] = &[
    field("order.lineItems[].variantId", "the source store's variant that is linked"),
    field("order.lineItems[].quantity", "what is left of the line"),
    field("order.lineItems[].requiresShipping", "as the destination's line"),
    field(
        "order.lineItems[].properties[].name",
        "the customer's own wishes for the line, and our mark that leads tracking home",
    ),
    field("order.lineItems[].properties[].value", "their values"),
    field(
        "order.lineItems[].priceSet.shopMoney.amount",
        "the unit price before discounts, where the connection does not use the source store's own",
    ),
    field("order.lineItems[].priceSet.shopMoney.currencyCode", "the source store's currency"),
    field("order.shippingLines[].title", "`Shipping`, never the service that the customer chose"),
    field(
        "order.shippingLines[].priceSet.shopMoney.amount",
        "the store's flat rate, or what a person said; never what the customer paid",
    ),
    field("order.shippingLines[].priceSet.shopMoney.currencyCode", "the source store's currency"),
    field("order.financialStatus", "`PAID`"),
    field("order.sourceIdentifier", "our key, by which the order is found again"),
    field("order.metafields[].key", "the name of our key"),
    field("order.metafields[].type", "`id`"),
    field("order.metafields[].value", "our key"),
    field("order.tags[]", "the destination store's name and the order's number, 40 characters each at most"),
    field("order.note", "the same two in full, and the customer's note"),
    field("order.customAttributes[].key", "App, Destination store, Order number, Order id, Customer phone, Push mode"),
    field("order.customAttributes[].value", "their values"),
    field("order.email", "the customer's, the destination store's own or another one, by its setting"),
    field("order.phone", "the customer's"),
    field("order.customer.toUpsert.email", "the customer's, if that is the contact"),
    field("order.customer.toUpsert.firstName", "the customer's, if theirs is the contact"),
    field("order.customer.toUpsert.lastName", "the customer's, if theirs is the contact"),
    field("order.shippingAddress.firstName", "as the customer gave it"),
    field("order.shippingAddress.lastName", "as the customer gave it"),
    field("order.shippingAddress.company", "as the customer gave it"),
    field("order.shippingAddress.address1", "as the customer gave it"),
    field("order.shippingAddress.address2", "as the customer gave it"),
    field("order.shippingAddress.city", "as the customer gave it"),
    field("order.shippingAddress.provinceCode", "as the customer gave it"),
    field("order.shippingAddress.zip", "as the customer gave it"),
    field("order.shippingAddress.countryCode", "as the customer gave it"),
    field("order.shippingAddress.phone", "as the customer gave it"),
    field("order.billingAddress.firstName", "as the customer gave it"),
    field("order.billingAddress.lastName", "as the customer gave it"),
    field("order.billingAddress.company", "as the customer gave it"),
    field("order.billingAddress.address1", "as the customer gave it"),
    field("order.billingAddress.address2", "as the customer gave it"),
    field("order.billingAddress.city", "as the customer gave it"),
    field("order.billingAddress.provinceCode", "as the customer gave it"),
    field("order.billingAddress.zip", "as the customer gave it"),
    field("order.billingAddress.countryCode", "as the customer gave it"),
    field("order.billingAddress.phone", "as the customer gave it"),
    field("options.inventoryBehaviour", "what becomes of the source store's stock, by the connection's setting"),
    field("options.sendReceipt", "`false`: the source store confirms nothing to anybody"),
    field("options.sendFulfillmentReceipt", "`false`"),
];

/// What a destination order has, and no source store ever gets. Source: the brief, "Cannot pass through".
pub const WITHHELD: &[&str] = &[
    "the shipping service that the customer chose, its carrier and code",
    "what the customer paid for shipping",
    "discount codes and discounts",
    "taxes",
    "what the customer paid, and how",
    "the order's own tags and additional details",
    "lines that are not linked to the source store",
];

/// The variables of orderCreate.
#[must_use]
pub fn order_create_variables(draft: &OrderDraft) -> Value {
    let fee = json!({ "amount": draft.shipping_fee.amount, "currencyCode": draft.shipping_fee.currency });
    let mut order = json!({
        "lineItems": draft.lines.iter().map(|line| {
            let mut item = json!({
                "variantId": line.variant.gid(),
                "quantity": line.quantity,
                "requiresShipping": line.requires_shipping,
                "properties": line.properties.iter().map(|p| json!({ "name": p.key, "value": p.value })).collect::<Vec<_>>(),
            });
            if let Some(price) = &line.unit_price {
                item["priceSet"] = json!({ "shopMoney": { "amount": price.amount, "currencyCode": price.currency } });
            }
            item
        }).collect::<Vec<_>>(),
        "shippingLines": [{ "title": SHIPPING_TITLE, "priceSet": { "shopMoney": fee } }],
        "financialStatus": "PAID",
        "sourceIdentifier": draft.key,
        "metafields": [{ "key": ORDER_KEY, "type": "id", "value": draft.key }],
        "tags": draft.tags,
        "note": draft.note,
        "customAttributes": draft.attributes.iter().map(|it| json!({ "key": it.key, "value": it.value })).collect::<Vec<_>>(),
    });
    let mut set = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            order[field] = value;
        }
    };
    set("email", draft.email.clone().map(Value::from));
    set("phone", draft.phone.clone().map(Value::from));
    set("shippingAddress", draft.shipping_address.as_ref().map(address_input));
    set("billingAddress", draft.billing_address.as_ref().map(address_input));
    set("customer", customer_input(draft));
    json!({
        "order": order,
        "options": { "inventoryBehaviour": inventory(draft.inventory), "sendReceipt": false, "sendFulfillmentReceipt": false },
    })
}

/// Source: `OrderCreateInputsInventoryBehavior`.
fn inventory(inventory: Inventory) -> &'static str {
    match inventory {
        Inventory::Bypass => "BYPASS",
        Inventory::DecrementObeyingPolicy => "DECREMENT_OBEYING_POLICY",
        Inventory::DecrementIgnoringPolicy => "DECREMENT_IGNORING_POLICY",
    }
}

/// The customer by e-mail: Shopify ties the order to the one it knows by that address, or makes one.
fn customer_input(draft: &OrderDraft) -> Option<Value> {
    let (email, PersonName { first, last }) = draft.email.as_ref().zip(draft.customer.as_ref())?;
    let mut customer = json!({ "email": email });
    if let Some(first) = first {
        customer["firstName"] = json!(first);
    }
    if let Some(last) = last {
        customer["lastName"] = json!(last);
    }
    Some(json!({ "toUpsert": customer }))
}

fn address_input(address: &Address) -> Value {
    let fields = [
        ("firstName", &address.first_name),
        ("lastName", &address.last_name),
        ("company", &address.company),
        ("address1", &address.address1),
        ("address2", &address.address2),
        ("city", &address.city),
        ("provinceCode", &address.province_code),
        ("zip", &address.zip),
        ("countryCode", &address.country_code),
        ("phone", &address.phone),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use roundtrip_domain::money::Money;
    use roundtrip_domain::order::Attribute;
    use roundtrip_domain::push::{DraftLine, OrderKey};

    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn address() -> Address {
        Address {
            first_name: text("Ada"),
            last_name: text("Byron"),
            company: text("Engines"),
            address1: text("1 Engine Road"),
            address2: text("2nd floor"),
            city: text("London"),
            province_code: text("LND"),
            zip: text("SW1"),
            country_code: text("GB"),
            phone: text("+441234567890"),
        }
    }

    /// A draft in which everything is filled in.
    fn full() -> OrderDraft {
        let moon = "moon.myshopify.com".parse().unwrap();
        let sun = "sun.myshopify.com".parse().unwrap();
        let at = roundtrip_domain::id::OrderRef { shop: moon, id: roundtrip_domain::id::OrderId::new(42) };
        let money = |amount: &str| Money { amount: amount.parse().unwrap(), currency: "EUR".parse().unwrap() };
        let attribute = |key: &str| Attribute { key: key.into(), value: "value".into() };
        OrderDraft {
            key: OrderKey::new(&at, &sun, 1),
            lines: vec![DraftLine {
                variant: roundtrip_domain::id::VariantId::new(1),
                quantity: 2,
                requires_shipping: true,
                unit_price: Some(money("10.00")),
                properties: vec![attribute("Engraving")],
            }],
            shipping_fee: money("7.35"),
            email: text("ada@example.com"),
            phone: text("+441234567890"),
            customer: Some(PersonName { first: text("Ada"), last: text("Byron") }),
            shipping_address: Some(address()),
            billing_address: Some(address()),
            tags: vec!["Moon Shop".into(), "#1042".into()],
            note: "Moon Shop, order #1042".into(),
            attributes: vec![attribute("App")],
            inventory: Inventory::DecrementObeyingPolicy,
        }
    }

    /// The paths of all that is not a list or an object.
    fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                fields.iter().for_each(|(name, value)| leaves(value, &below(name), found));
            }
            Value::Array(items) => items.iter().for_each(|item| leaves(item, &format!("{path}[]"), found)),
            _ => drop(found.insert(path.to_owned())),
        }
    }

    #[test]
    fn the_published_list_holds_just_what_is_sent() {
        let mut sent = BTreeSet::new();
        leaves(&order_create_variables(&full()), "", &mut sent);

        let published: BTreeSet<String> = FORWARDED_FIELDS.iter().map(|it| it.field.to_owned()).collect();

        assert_eq!(sent, published);
    }

    #[test]
    fn an_order_for_another_contact_makes_no_customer_of_that_address() {
        let draft = OrderDraft { customer: None, email: text("orders@moon.example"), ..full() };

        let variables = order_create_variables(&draft);

        assert_eq!(
            (&variables["order"]["email"], &variables["order"]["customer"]),
            (&json!("orders@moon.example"), &Value::Null)
        );
    }
}
