use serde_json::{Value, json};

use super::*;

fn stuck_order() -> Value {
    json!({
        "id": "7001", "shop": "moon.myshopify.com", "customer_name": "Ada Byron",
        "order": {
            "name": "#1001", "created_at": "2026-07-30T12:00:00Z", "updated_at": "2026-07-30T12:00:05Z",
            "cancelled_at": null, "test": false, "financial_status": "PAID", "fulfillment_status": "UNFULFILLED",
            "total": { "amount": "35.0", "currency": "EUR" }, "shipping_method": "Standard", "tags": ["vip", "gift"],
            "tracking_numbers": ["JD1"], "tab": "partially-pushed",
            "lines": [
                { "title": "Mug, blue", "sku": "MUG", "variant": "11", "quantity": 12, "source": "sun.myshopify.com" },
                { "title": "Cap", "sku": null, "variant": null, "quantity": 1, "source": null },
            ],
        },
        "pushes": [
            {
                "source": "mars.myshopify.com", "group": 1, "state": "not-pushed", "source_order": null, "wait": null,
                "attempts": 1, "parked": "REJECTED",
                "failure": {
                    "at": "2026-07-30T12:00:07Z", "code": "REJECTED", "message": "Phone is invalid", "request_id": "req-7",
                },
            },
            {
                "source": "sun.myshopify.com", "group": 1, "state": "confirmed", "parked": null, "attempts": 0,
                "source_order": { "id": "9001", "name": "#5001" }, "wait": null, "failure": null,
            },
        ],
        "writebacks": [{
            "source": { "shop": "sun.myshopify.com", "id": "9001" }, "state": "verifying", "fulfillments": ["31"],
            "tracking": [{ "company": "DHL Express", "number": "JD1" }], "attempts": 0, "parked": null,
            "wait": { "until": "2026-07-30T12:02:00Z", "why": "verifying" },
            "failure": {
                "at": "2026-07-30T12:01:00Z", "code": "CHANNEL_UNAVAILABLE", "message": "no answer within 10 s",
            },
        }],
        "requests": [
            {
                "id": "r-1", "source": "mars.myshopify.com", "requested_at": "2026-07-30T12:00:06Z",
                "requested_by": "ada", "outcome": { "type": "failed", "code": "REJECTED" },
            },
            {
                "id": "r-2", "source": "venus.myshopify.com", "requested_at": "2026-07-30T12:00:08Z",
                "requested_by": "ada", "outcome": { "type": "refused", "reasons": [
                    { "reason": "NOT_CONNECTED", "observed": "no connection", "required": "a connection" },
                    { "reason": "ZERO_VALUE", "observed": "0 EUR", "required": "more than 0" },
                ] },
            },
        ],
        "history": [
            {
                "at": "2026-07-30T12:00:30Z", "what": "writeback/sun.myshopify.com/9001/30", "before": "pending",
                "after": "on-hold", "trigger": "webhook", "cause_id": "e-2", "actor": "roundtrip", "code": "ON_HOLD",
            },
            {
                "at": "2026-07-30T12:00:07Z", "what": "push/mars.myshopify.com/1", "before": "sent", "after": "failed",
                "trigger": "request", "cause_id": "r-1", "actor": "roundtrip", "code": "REJECTED",
                "request_id": "req-7", "detail": "Phone is invalid",
            },
            {
                "at": "2026-07-30T12:00:06Z", "what": "request", "before": "none", "after": "push requested",
                "trigger": "request", "cause_id": "r-1", "actor": "ada", "detail": "mars.myshopify.com",
            },
            {
                "at": "2026-07-30T12:00:05Z", "what": "order", "before": "unknown", "after": "PAID, UNFULFILLED",
                "trigger": "webhook", "cause_id": "e-1", "actor": "roundtrip",
            },
        ],
    })
}

fn answer() -> OrderAnswer {
    serde_json::from_value(stuck_order()).unwrap()
}

#[test]
fn an_order_says_why_it_is_where_it_is_and_what_to_do() {
    let text = order(&answer());

    let expected = "\
#1001  moon.myshopify.com  7001
  placed       2026-07-30 12:00:00Z
  tab          partially-pushed
  payment      PAID
  fulfillment  UNFULFILLED
  amount       35.00 EUR
  customer     Ada Byron
  delivery     Standard
  tags         vip, gift
  tracking     JD1

Lines
  12 x  Mug, blue  MUG  from sun.myshopify.com
   1 x  Cap             not linked

Pushes
  mars.myshopify.com  not-pushed
    failed 2026-07-30 12:00:07Z (attempt 1)
      REJECTED: Phone is invalid
      Shopify request id: req-7
      remedy: mend what the message names, then redrive
    parked for REJECTED: nothing more happens until somebody acts
  sun.myshopify.com  confirmed as #5001 (9001)

Writebacks
  sun.myshopify.com/9001  verifying as fulfillment 31
    tracking DHL Express  JD1
    waits until 2026-07-30 12:02:00Z for the effect of a call to show
    failed 2026-07-30 12:01:00Z
      CHANNEL_UNAVAILABLE: no answer within 10 s
      remedy: nothing, while it is tried again; once parked, redrive when the store answers

Requests
  2026-07-30 12:00:06Z  push to mars.myshopify.com, by ada (r-1)
    failed
      REJECTED
      remedy: mend what the message names, then redrive
  2026-07-30 12:00:08Z  push to venus.myshopify.com, by ada (r-2)
    refused
      NOT_CONNECTED
        seen: no connection
        required: a connection
      ZERO_VALUE
        seen: 0 EUR
        required: more than 0

History
  2026-07-30 12:00:05Z  order  unknown → PAID, UNFULFILLED  (webhook)
  2026-07-30 12:00:06Z  request  none → push requested: mars.myshopify.com  (request, by ada)
  2026-07-30 12:00:07Z  push/mars.myshopify.com/1  sent → failed  (request)
      REJECTED: Phone is invalid
      Shopify request id: req-7
      remedy: mend what the message names, then redrive
  2026-07-30 12:00:30Z  writeback/sun.myshopify.com/9001/30  pending → waits for a hold to end  (webhook)
      ON_HOLD
      remedy: release the hold in the destination store, or wait for the scheduled date";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_refused_request_says_what_was_seen_and_what_is_required() {
    let order = answer();

    let text = outcome(&order, order.request("r-2").unwrap());

    let expected = "\
#1001 is not pushed to venus.myshopify.com: 2 reasons
  NOT_CONNECTED
    seen: no connection
    required: a connection
  ZERO_VALUE
    seen: 0 EUR
    required: more than 0";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_failed_request_says_what_its_push_failed_at() {
    let order = answer();

    let text = outcome(&order, order.request("r-1").unwrap());

    let expected = "\
#1001 could not be pushed to mars.myshopify.com
  REJECTED: Phone is invalid
  Shopify request id: req-7
  remedy: mend what the message names, then redrive";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn each_wait_of_a_step_has_words_in_the_history_but_states_keep_their_names() {
    let after = |name: &str| {
        let mut order = stuck_order();
        order["history"] = json!([{
            "at": "2026-07-30T12:00:05Z", "what": "look", "before": "x", "after": name, "trigger": "webhook",
            "cause_id": "e", "actor": "roundtrip",
        }]);
        let text = super::order(&serde_json::from_value(order).unwrap());
        text.lines().last().unwrap_or_default().to_owned()
    };

    assert_eq!(after("throttled"), "  2026-07-30 12:00:05Z  look  x → waits for the store's rate limit  (webhook)");
    assert_eq!(after("verifying"), "  2026-07-30 12:00:05Z  look  x → verifying  (webhook)");
    assert_eq!(after("unknown"), "  2026-07-30 12:00:05Z  look  x → unknown  (webhook)");
}

#[test]
fn what_changed_after_the_push_and_what_failed_stand_out() {
    let mut stuck = stuck_order();
    let warning = |code: &str, detail: &str| {
        json!({
            "code": code, "source": "sun.myshopify.com", "source_order": { "id": "9001", "name": "#5001" },
            "detail": detail, "since": "2026-07-30T12:00:05Z",
        })
    };
    let mut in_hand = warning("CANCELLED_AFTER_PUSH", "cancelled here: it is being cancelled there too");
    in_hand["in_hand"] = json!(true);
    let mut dismissed = warning("REDUCED_AFTER_PUSH", "Mug, blue: 12 pushed, 10 left");
    dismissed["dismissed"] = json!({ "at": "2026-07-31T08:00:00Z", "by": "ada", "reason": "taken out of #5001" });
    stuck["order"]["system_tags"] = json!(["Failed Order Push", "Failed Shipment Notification"]);
    stuck["order"]["warnings"] = json!([
        warning("CANCELLED_AFTER_PUSH", "cancelled here: cancel it there too"),
        in_hand,
        dismissed,
        warning("ADDED_AFTER_PUSH", "Mug, red: 0 pushed, 1 ordered"),
        warning("SOMETHING_NEW", "odd"),
    ]);

    let text = order(&serde_json::from_value(stuck).unwrap());

    let expected = "\
  our tags     Failed Order Push, Failed Shipment Notification
  tracking     JD1

Warnings
  CANCELLED_AFTER_PUSH: #5001 (9001) at sun.myshopify.com still stands, since 2026-07-30 12:00:05Z
    cancelled here: cancel it there too
    remedy: cancel the source order; if the goods are on their way already, recall them or tell the customer
  CANCELLED_AFTER_PUSH: #5001 (9001) at sun.myshopify.com still stands, since 2026-07-30 12:00:05Z
    cancelled here: it is being cancelled there too
  REDUCED_AFTER_PUSH: #5001 (9001) at sun.myshopify.com has more than is left here, since 2026-07-30 12:00:05Z
    Mug, blue: 12 pushed, 10 left
    dismissed by ada at 2026-07-31 08:00:00Z: taken out of #5001
  ADDED_AFTER_PUSH: #5001 (9001) at sun.myshopify.com has less than is ordered here, since 2026-07-30 12:00:05Z
    Mug, red: 0 pushed, 1 ordered
    remedy: add the difference to the source order, then say so: `roundtrip order dismiss-warnings …`
  UNKNOWN: #5001 (9001) at sun.myshopify.com needs somebody, since 2026-07-30 12:00:05Z
    odd
    remedy: update this command: the warning is of a newer release

Lines";
    assert!(text.contains(expected), "\n{text}");
}

#[test]
fn labels_and_called_off_shipments_say_what_they_are() {
    let mut order = stuck_order();
    order["writebacks"] = json!([
        {
            "source": { "shop": "sun.myshopify.com", "id": "9001" }, "label": null, "state": "called-off",
            "fulfillments": [], "tracking": [], "attempts": 0, "parked": null, "wait": null, "failure": null,
        },
        {
            "source": null, "label": "se-1", "state": "written", "fulfillments": ["31"], "attempts": 0, "parked": null,
            "tracking": [{ "company": "UPS", "number": "1Z1", "url": "https://a.example/1" }, { "number": "1Z2" }],
            "wait": { "until": "2026-07-31T12:00:00Z", "why": "replacement", "since": "2026-07-30T12:00:00Z" },
            "failure": null,
        },
        {
            "source": null, "label": "se-2", "state": "pending", "fulfillments": [], "tracking": [], "attempts": 1,
            "wait": null, "parked": "LOCATION_UNMAPPED",
            "failure": {
                "at": "2026-07-30T12:01:00Z", "code": "LOCATION_UNMAPPED",
                "message": "1 of line 99 came from warehouse WH2, and 2 at location 11, 1 at location 12 are waited for: \
                            map the place to a location",
            },
        },
    ]);

    let text = super::order(&serde_json::from_value(order).unwrap());

    let expected = "\
Writebacks
  sun.myshopify.com/9001  called-off
    called off where it was shipped; nothing of it is shown
  label se-1  written as fulfillment 31
    tracking UPS  1Z1  https://a.example/1
    tracking 1Z2
    waits until 2026-07-31 12:00:00Z for a shipment in the place of one that was called off
  label se-2  pending
    failed 2026-07-30 12:01:00Z (attempt 1)
      LOCATION_UNMAPPED: 1 of line 99 came from warehouse WH2, and 2 at location 11, 1 at location 12 are waited for: map \
                    the place to a location
      remedy: say which location of the destination store stands for the place: `roundtrip shop locations`; then redrive
    parked for LOCATION_UNMAPPED: nothing more happens until somebody acts
    redrive: tell of it again, corrected if need be: `roundtrip label add moon.myshopify.com 7001 se-2 …`

Requests";
    assert!(text.contains(expected), "\n{text}");
}
