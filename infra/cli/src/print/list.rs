//! Lists of orders.

use super::{labelled, lay_out, money, name, plain, table, time, with_next};
use roundtrip_api::orders::{CountsAnswer, ListAnswer, ListedOrder, ReceivedAnswer, ReceivedOrder, TagsAnswer};
use roundtrip_domain::record::{Badge, Tab};

const HEADER: [&str; 10] =
    ["ORDER", "ID", "PLACED", "CUSTOMER", "TAB", "PAYMENT", "FULFILLMENT", "SYNCED", "AMOUNT", "TRACKING"];
/// Only where an order of the page has any.
const TAGS: &str = "TAGS";
/// Only where an order of the page has something to be seen to.
const SEE_TO: &str = "TO SEE TO";
/// Numbers are compared digit by digit.
const RIGHT: [usize; 2] = [7, 8];
/// The columns of an export. Source: the brief, "every order shows".
const COLUMNS: [&str; 13] = [
    "order_number",
    "order_date",
    "customer_name",
    "payment_status",
    "fulfillment_status",
    "synced_items",
    "tags",
    "shipment_method",
    "amount_paid",
    "currency",
    "tracking_numbers",
    "tab",
    "id",
];

/// A page of orders; the id is what the other commands take.
pub(crate) fn orders(page: &ListAnswer) -> String {
    if page.orders.is_empty() {
        return nothing(page.next.as_ref());
    }
    let mut table = table();
    let tagged = page.orders.iter().any(|order| !order.tags.is_empty() || !order.own_tags.is_empty());
    let to_see_to = page.orders.iter().any(|order| !troubles(order).is_empty());
    table.set_header(HEADER.into_iter().chain(tagged.then_some(TAGS)).chain(to_see_to.then_some(SEE_TO)));
    for order in &page.orders {
        let more = tagged.then(|| all_tags(order)).into_iter().chain(to_see_to.then(|| troubles(order)));
        table.add_row(row(order).into_iter().chain(more));
    }
    with_next(lay_out(table, &RIGHT, 0), page.next.as_ref())
}

/// A page without orders need not be the last: so many were looked through at once.
fn nothing(next: Option<&String>) -> String {
    match next {
        None => "no orders".to_owned(),
        Some(_) => with_next("no orders so far, and there are more to look through".to_owned(), next),
    }
}

fn all_tags(order: &ListedOrder) -> String {
    order.tags.iter().chain(&order.own_tags).cloned().collect::<Vec<_>>().join(", ")
}

/// The orders that a source store received.
pub(crate) fn received(page: &ReceivedAnswer) -> String {
    if page.orders.is_empty() {
        return nothing(page.next.as_ref());
    }
    let mut table = table();
    table.set_header(["ORDER", "ID", "RECEIVED", "STATE", "UNITS", "FROM", "THEIR ORDER", "THEIR ID"]);
    for ReceivedOrder { id, received, origin } in &page.orders {
        table.add_row([
            received.name.clone(),
            id.to_string(),
            time(received.at),
            name(&received.state),
            received.units.to_string(),
            origin.shop.to_string(),
            received.order_name.clone(),
            origin.id.to_string(),
        ]);
    }
    with_next(lay_out(table, &[4], 0), page.next.as_ref())
}

/// The tags of an order, whose they are.
pub(crate) fn tags(answer: &TagsAnswer) -> String {
    let joined = |tags: Vec<&String>| match tags.is_empty() {
        true => "none".to_owned(),
        false => tags.into_iter().cloned().collect::<Vec<_>>().join(", "),
    };
    labelled(&[
        ("your tags", joined(answer.own_tags.iter().collect())),
        ("the store's", joined(answer.tags.iter().collect())),
        ("ours", joined(answer.system_tags.iter().collect())),
    ])
}

fn row(order: &ListedOrder) -> [String; 10] {
    [
        order.name.clone(),
        order.id.to_string(),
        time(order.created_at),
        order.customer_name.clone().unwrap_or_default(),
        order.tab.to_string(),
        order.payment_status.to_string(),
        order.fulfillment_status.to_string(),
        order.synced_items.to_string(),
        money(&order.amount_paid),
        order.tracking_numbers.join(", "),
    ]
}

/// How many stand in each tab, in their order.
pub(crate) fn counts(answer: &CountsAnswer) -> String {
    let mut table = table();
    for tab in Tab::ALL {
        let count = answer.counts.get(tab.name()).copied().unwrap_or_default();
        table.add_row([tab.name().to_owned(), count.to_string()]);
    }
    table.add_row(["all".to_owned(), answer.sum.to_string()]);
    lay_out(table, &[1], 0)
}

/// The same as CSV, with all that a list may show.
pub(crate) fn orders_csv(orders: &[ListedOrder]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let to_memory = "writing to memory does not fail";
    writer.write_record(COLUMNS).expect(to_memory);
    for order in orders {
        let cells = [
            order.name.clone(),
            order.created_at.to_string(),
            order.customer_name.clone().unwrap_or_default(),
            order.payment_status.to_string(),
            order.fulfillment_status.to_string(),
            order.synced_items.to_string(),
            all_tags(order),
            order.shipment_method.clone().unwrap_or_default(),
            order.amount_paid.amount.to_string(),
            order.amount_paid.currency.to_string(),
            order.tracking_numbers.join(", "),
            order.tab.to_string(),
            order.id.to_string(),
        ];
        writer.write_record(cells.iter().map(|cell| plain(cell))).expect(to_memory);
    }
    let text = String::from_utf8(writer.into_inner().expect(to_memory)).expect("cells are text");
    text.trim_end().to_owned()
}

/// What a person has to see to, or to wait for: what failed or waits, and what changed after it was pushed.
fn troubles(order: &ListedOrder) -> String {
    let badges = order.badges.iter().map(|badge| match badge {
        Badge::Failed { what, code } => format!("{} failed: {code}", name(what)),
        Badge::Waiting { what, why } => format!("{} waits: {}", name(what), why.name()),
        Badge::Unknown => "see the order".to_owned(),
    });
    let warnings = order.warnings.iter().filter(|it| it.dismissed.is_none()).map(|warning| name(&warning.code));
    badges.chain(warnings).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn listed(name: &str, id: &str, amount: &str, tracking: &[&str]) -> Value {
        json!({
            "id": id, "name": name, "created_at": "2026-07-30T12:00:05Z", "tab": "partially-pushed",
            "payment_status": "PAID", "fulfillment_status": "UNFULFILLED", "synced_items": 3, "tags": [],
            "shipment_method": "Standard", "amount_paid": { "amount": amount, "currency": "EUR" },
            "tracking_numbers": tracking, "customer_name": "Ada Byron",
        })
    }

    #[test]
    fn a_list_is_aligned_and_says_how_to_go_on() {
        let page = json!({
            "orders": [listed("#1002", "5512", "1032.50", &["JD1", "JD2"]), listed("Größe-1", "7", "0.9", &[])],
            "next": "2026-07-30T12:00:05Z#7",
        });

        let text = orders(&serde_json::from_value(page).unwrap());

        let expected = "\
ORDER    ID    PLACED                CUSTOMER   TAB               PAYMENT  FULFILLMENT  SYNCED       AMOUNT  TRACKING
#1002    5512  2026-07-30 12:00:05Z  Ada Byron  partially-pushed  PAID     UNFULFILLED       3  1032.50 EUR  JD1, JD2
Größe-1  7     2026-07-30 12:00:05Z  Ada Byron  partially-pushed  PAID     UNFULFILLED       3     0.90 EUR
more: --after '2026-07-30T12:00:05Z#7'";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn an_order_that_needs_a_person_says_why() {
        let mut stuck = listed("#1002", "5512", "32.5", &["JD1"]);
        stuck["badges"] = json!([
            { "state": "failed", "what": "shipment", "code": "PRODUCTS_MISMATCH" },
            { "state": "waiting", "what": "push", "why": "on-hold" },
        ]);
        stuck["warnings"] = json!([{
            "code": "CANCELLED_AFTER_PUSH", "source": "sun.myshopify.com",
            "source_order": { "id": "9001", "name": "#5001" }, "detail": "cancelled here: cancel it there too",
        }]);
        let page = json!({ "orders": [stuck, listed("#1001", "7", "0.9", &[])], "next": null });

        let text = orders(&serde_json::from_value(page).unwrap());

        let expected = "\
ORDER  ID    PLACED                CUSTOMER   TAB               PAYMENT  FULFILLMENT  SYNCED     AMOUNT  TRACKING  TO SEE TO
#1002  5512  2026-07-30 12:00:05Z  Ada Byron  partially-pushed  PAID     UNFULFILLED       3  32.50 EUR  JD1       shipment failed: \
                        PRODUCTS_MISMATCH, push waits: on-hold, CANCELLED_AFTER_PUSH
#1001  7     2026-07-30 12:00:05Z  Ada Byron  partially-pushed  PAID     UNFULFILLED       3   0.90 EUR";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn an_export_holds_every_column_and_no_formula() {
        let mut order = listed("#1002", "5512", "32.50", &["JD1", "JD2"]);
        order["customer_name"] = json!("=HYPERLINK(\"http://x\")");
        order["tags"] = json!(["gift", "rush, hour"]);

        let text = orders_csv(&[serde_json::from_value(order).unwrap()]);

        let expected = "\
order_number,order_date,customer_name,payment_status,fulfillment_status,synced_items,tags,shipment_method,amount_paid,currency,tracking_numbers,tab,id
#1002,2026-07-30T12:00:05Z,\"'=HYPERLINK(\"\"http://x\"\")\",PAID,UNFULFILLED,3,\"gift, rush, hour\",Standard,32.50,EUR,\"JD1, JD2\",partially-pushed,5512";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn counts_stand_in_the_order_of_the_tabs() {
        let answer = json!({
            "shop": "moon.myshopify.com", "sum": 20,
            "counts": { "cancelled": 2, "not-pushed": 8, "partially-pushed": 3, "pushed": 7 },
        });

        let text = counts(&serde_json::from_value(answer).unwrap());

        let expected = "\
not-pushed         8
partially-pushed   3
pushed             7
cancelled          2
all               20";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn an_empty_list_says_so_and_whether_it_was_looked_through() {
        let page = |next: Value| serde_json::from_value(json!({ "orders": [], "next": next })).unwrap();

        assert_eq!(orders(&page(Value::Null)), "no orders");
        let more = "no orders so far, and there are more to look through\nmore: --after '2026-07-30T12:00:05Z#7'";
        assert_eq!(orders(&page(json!("2026-07-30T12:00:05Z#7"))), more);
    }

    #[test]
    fn tags_have_a_column_where_there_are_any() {
        let mut tagged = listed("#1002", "5512", "32.5", &["JD1"]);
        tagged["tags"] = json!(["gift"]);
        tagged["own_tags"] = json!(["call back"]);
        let page = json!({ "orders": [tagged, listed("#1001", "7", "0.9", &[])], "next": null });

        let text = orders(&serde_json::from_value(page).unwrap());

        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("TRACKING  TAGS") && lines[1].ends_with("JD1       gift, call back"), "\n{text}");
    }

    #[test]
    fn what_a_store_received_says_from_whom_and_how_far_it_has_come() {
        let page = json!({ "orders": [{
            "id": "9001", "at": "2026-07-30T12:00:05Z", "name": "#5001", "order_name": "#1002", "units": 3,
            "state": "partially-fulfilled", "origin": { "shop": "moon.myshopify.com", "id": "5512" },
        }], "next": null });

        let text = received(&serde_json::from_value(page).unwrap());

        let expected = "\
ORDER  ID    RECEIVED              STATE                UNITS  FROM                THEIR ORDER  THEIR ID
#5001  9001  2026-07-30 12:00:05Z  partially-fulfilled      3  moon.myshopify.com  #1002        5512";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn tags_are_told_by_whose_they_are() {
        let answer = json!({ "order": "42", "tags": [], "own_tags": ["call back", "vip"], "system_tags": ["Failed Order Push"] });

        let text = tags(&serde_json::from_value(answer).unwrap());

        assert_eq!(
            text, "  your tags    call back, vip\n  the store's  none\n  ours         Failed Order Push",
            "\n{text}"
        );
    }
}
