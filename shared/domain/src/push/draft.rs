//! The allow-list: all that ever leaves for a source store, composed from the frozen plan and the
//! order as it is read at that moment. What has no field here is not sent: not the original shipping
//! service or cost, no discount, no tax.

use super::plan::{PlannedLine, PushPlan};
use super::rules::looks_like_email;
use crate::id::{LineItemId, VariantId};
use crate::money::Money;
use crate::order::{Address, Attribute, Order, PersonName};
use crate::push::key::OrderKey;
use crate::registry::{EmailContact, Inventory, Shop};

/// Shopify cuts nothing by itself: a longer tag is refused. Source: Shopify help, "Tags".
pub(super) const MAX_TAG_CHARS: usize = 40;
/// Source: `Order.note` in the Admin schema.
const MAX_NOTE_CHARS: usize = 5000;
/// The line property that leads tracking home; the underscore hides it from the merchant's view.
pub const LINE_PROPERTY: &str = "_roundtrip_line";
/// The title of the shipping line: ours, never the one the customer chose.
pub const SHIPPING_TITLE: &str = "Shipping";

/// An order as it is created at the source shop. Holds personal data: in memory only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderDraft {
    pub key: OrderKey,
    pub lines: Vec<DraftLine>,
    pub shipping_fee: Money,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub customer: Option<PersonName>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub tags: Vec<String>,
    pub note: String,
    /// Where it comes from, for those who read the order's details: see [`origin`].
    pub attributes: Vec<Attribute>,
    pub inventory: Inventory,
}

/// One line of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DraftLine {
    pub variant: VariantId,
    pub quantity: u32,
    pub requires_shipping: bool,
    /// `None`: the variant's own price.
    pub unit_price: Option<Money>,
    /// The customer's own wishes for the line (engraving, size), and [`LINE_PROPERTY`].
    pub properties: Vec<Attribute>,
}

/// Composes what is sent for `plan` of an order of `shop`.
#[must_use]
pub fn draft(order: &Order, plan: &PushPlan, shop: &Shop) -> OrderDraft {
    let facts = shop.facts.as_ref();
    let shop_name = facts.map_or(shop.domain.as_str(), |facts| facts.name.as_str());
    let (email, customer) = match &shop.settings.email_contact {
        EmailContact::Customer => {
            let nameless = PersonName { first: None, last: None };
            // Where none is required, one that Shopify would refuse is left out.
            let email = order.email.as_deref().map(str::trim).filter(|email| looks_like_email(email));
            (email.map(ToOwned::to_owned), Some(order.customer.clone().unwrap_or(nameless)))
        }
        // Whoever has this address is no customer of that name.
        EmailContact::Admin => (facts.and_then(|facts| facts.contact_email.clone()), None),
        EmailContact::Custom { email } => (Some(email.clone()), None),
    };
    OrderDraft {
        key: plan.key.clone(),
        lines: plan.lines.iter().map(|line| draft_line(order, line)).collect(),
        shipping_fee: plan.terms.shipping_fee.clone(),
        email,
        phone: order.phone.clone(),
        customer,
        shipping_address: order.shipping_address.clone(),
        billing_address: order.billing_address.clone(),
        tags: vec![tag(shop_name), tag(&order.name)],
        note: note(shop_name, order),
        attributes: origin(shop_name, order, plan),
        inventory: plan.inventory,
    }
}

/// Where the order comes from, fact by fact. Source: scenario "Relevant details are sent".
fn origin(shop_name: &str, order: &Order, plan: &PushPlan) -> Vec<Attribute> {
    let facts = [
        ("App", Some("Roundtrip")),
        ("Destination store", Some(shop_name)),
        ("Order number", Some(order.name.as_str())),
        ("Order id", Some(&*order.at.id.to_string())),
        ("Customer phone", order.phone.as_deref()),
        ("Push mode", Some(plan.terms.mode.name())),
    ];
    let said = facts.into_iter().filter_map(|(key, value)| Some(Attribute { key: key.into(), value: value?.into() }));
    said.collect()
}

fn draft_line(order: &Order, line: &PlannedLine) -> DraftLine {
    let mut properties: Vec<Attribute> = order
        .lines
        .iter()
        .filter(|candidate| candidate.id == line.destination_line)
        .flat_map(|candidate| candidate.attributes.clone())
        .filter(|property| property.key != LINE_PROPERTY)
        .collect();
    properties.push(Attribute { key: LINE_PROPERTY.into(), value: line.destination_line.to_string() });
    DraftLine {
        variant: line.source_variant,
        quantity: line.quantity,
        requires_shipping: line.requires_shipping,
        unit_price: line.unit_price.clone(),
        properties,
    }
}

/// The destination line that a source line's properties name.
#[must_use]
pub fn destination_line(properties: &[Attribute]) -> Option<LineItemId> {
    properties.iter().find(|property| property.key == LINE_PROPERTY)?.value.parse().ok()
}

/// A text as a tag: no commas, which would part it in two, and at most 40 characters.
fn tag(text: &str) -> String {
    let words: Vec<&str> = text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(MAX_TAG_CHARS).collect::<String>().trim_end().to_owned()
}

/// Where the order comes from, in full, and what the customer wrote.
fn note(shop_name: &str, order: &Order) -> String {
    let mut note = format!("{shop_name}, order {}", order.name);
    if let Some(written) = order.note.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        note.push_str("\n\n");
        note.push_str(written);
    }
    note.chars().take(MAX_NOTE_CHARS).collect()
}
