//! The writeback plan: never more than was shipped, never twice, and a reason where nothing can be done.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    FulfillmentDraft, Lines, Shipment, Terms, TrackingInfo, TrackingUpdate, WritebackCall, WritebackPlan, Written,
    plan_writeback,
};
use crate::channel::{DestinationOrder, FulfillmentOrder, FulfillmentOrderLine, ShownFulfillment};
use crate::code::Code;
use crate::id::{
    FulfillmentId, FulfillmentOrderId, FulfillmentOrderLineItemId, LabelId, LineItemId, LocationId, OrderId, OrderRef,
    ShipmentId,
};
use crate::order::{FulfillmentOrderStatus, FulfillmentState};
use crate::registry::{LocationMap, LocationMapping, Place};
use crate::step::WaitReason;

fn tracking(company: Option<&str>, number: &str, url: Option<&str>) -> TrackingInfo {
    TrackingInfo::new(company.map(Into::into), Some(number.into()), url.map(Into::into)).unwrap()
}

fn shipped(lines: &[(u64, u32)]) -> Shipment {
    let source = OrderRef { shop: "sun.myshopify.com".parse().unwrap(), id: OrderId::new(5) };
    Shipment {
        id: ShipmentId::Fulfillment { source, id: FulfillmentId::new(1) },
        voided: false,
        from: None,
        tracking: vec![tracking(Some("usps"), "T1", None)],
        lines: Lines::These(these(lines)),
    }
}

fn these(lines: &[(u64, u32)]) -> Vec<(LineItemId, u32)> {
    lines.iter().map(|(line, quantity)| (LineItemId::new(*line), *quantity)).collect()
}

fn terms() -> Terms {
    Terms { notify: true, ..Terms::default_for(LocationMap::default()) }
}

fn warehouse() -> Place {
    Place::Warehouse { warehouse: "WH2".into() }
}

fn mapped_to(location: u64) -> Terms {
    let mapping = LocationMapping { from: warehouse(), to: LocationId::new(location) };
    Terms { locations: vec![mapping].into(), ..terms() }
}

fn plan(shipment: &Shipment, order: &DestinationOrder, written: &Written) -> WritebackPlan {
    plan_writeback(shipment, order, written, &terms())
}

/// The fulfillments that a plan creates, if it does nothing else.
fn created(plan: WritebackPlan) -> Vec<FulfillmentDraft> {
    let WritebackPlan::Write(calls) = plan else { panic!("{plan:?}") };
    let drafts = calls.into_iter().map(|call| match call {
        WritebackCall::Create(draft) => draft,
        WritebackCall::Overwrite(update) => panic!("{update:?}"),
    });
    drafts.collect()
}

/// Location, and line → remaining.
fn waiting(id: u64, location: u64, lines: &[(u64, u32)]) -> FulfillmentOrder {
    FulfillmentOrder {
        id: FulfillmentOrderId::new(id),
        status: FulfillmentOrderStatus::Open,
        location: Some(LocationId::new(location)),
        delivery_method: Some("SHIPPING".into()),
        can_fulfill: true,
        lines: lines
            .iter()
            .map(|(line, remaining)| FulfillmentOrderLine {
                id: FulfillmentOrderLineItemId::new(id * 1000 + line),
                line: LineItemId::new(*line),
                remaining: *remaining,
            })
            .collect(),
    }
}

fn destination(fulfillment_orders: Vec<FulfillmentOrder>) -> DestinationOrder {
    DestinationOrder {
        updated_at: Timestamp::UNIX_EPOCH,
        cancelled: false,
        fulfillments: Vec::new(),
        fulfillment_orders,
    }
}

fn shown(id: u64, number: &str, lines: &[(u64, u32)]) -> ShownFulfillment {
    ShownFulfillment {
        id: FulfillmentId::new(id),
        state: FulfillmentState::Success,
        service: None,
        tracking: vec![tracking(Some("USPS"), number, None)],
        lines: lines.iter().map(|(line, quantity)| (LineItemId::new(*line), *quantity)).collect(),
    }
}

fn code(plan: WritebackPlan) -> Code {
    match plan {
        WritebackPlan::Impossible { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

/// What Shopify shows once `draft` was created on `order`.
fn carried_out(order: &DestinationOrder, id: u64, draft: &FulfillmentDraft) -> DestinationOrder {
    let mut after = order.clone();
    after.fulfill(draft);
    let lines = draft.lines.iter().flat_map(|lines| {
        let of = order.fulfillment_orders.iter().find(|o| o.id == lines.fulfillment_order).unwrap();
        lines.lines.iter().map(|(id, n)| (of.lines.iter().find(|line| line.id == *id).unwrap().line, *n))
    });
    after.fulfillments.push(ShownFulfillment {
        id: FulfillmentId::new(id),
        state: FulfillmentState::Success,
        service: None,
        tracking: draft.tracking.clone(),
        lines: lines.collect(),
    });
    after
}

proptest! {
    /// Whatever is shipped and waited for: all of it is written, at one location each, and then it is there;
    /// or nothing is, and never by a guess.
    #[test]
    fn what_is_planned_is_what_was_shipped_and_then_it_is_there(
        orders in prop::collection::vec((1_u64..4, prop::collection::btree_map(1_u64..6, 1_u32..4, 1..4)), 1..5),
        wanted in prop::collection::btree_map(1_u64..6, 1_u32..6, 1..4),
        mapped in prop::option::of(1_u64..4),
    ) {
        let orders: Vec<FulfillmentOrder> = orders.iter().enumerate()
            .map(|(n, (location, lines))| {
                let lines: Vec<(u64, u32)> = lines.iter().map(|(line, n)| (*line, *n)).collect();
                waiting(n as u64 + 1, *location, &lines)
            })
            .collect();
        let destination = destination(orders);
        let wanted: Vec<(u64, u32)> = wanted.into_iter().collect();
        let shipment = Shipment { from: Some(warehouse()), ..shipped(&wanted) };
        let terms = mapped.map_or_else(terms, mapped_to);
        let waiting_at = |line: u64| -> BTreeMap<u64, u32> {
            let mut at = BTreeMap::new();
            for order in &destination.fulfillment_orders {
                for waiting in order.lines.iter().filter(|waiting| waiting.line == LineItemId::new(line)) {
                    *at.entry(order.location.unwrap().number()).or_default() += waiting.remaining;
                }
            }
            at
        };
        let available = |line: u64| waiting_at(line).values().sum::<u32>();
        let short = wanted.iter().any(|(line, quantity)| available(*line) < *quantity);
        let ambiguous = mapped.is_none()
            && wanted.iter().any(|(line, quantity)| waiting_at(*line).len() > 1 && available(*line) > *quantity);
        let elsewhere = mapped.is_some_and(|location| {
            wanted.iter().any(|(line, quantity)| waiting_at(*line).get(&location).copied().unwrap_or(0) < *quantity)
        });

        match plan_writeback(&shipment, &destination, &Written::default(), &terms) {
            WritebackPlan::Write(calls) => {
                prop_assert!(!short && !ambiguous && !elsewhere);
                let mut after = destination.clone();
                let mut written: BTreeMap<LineItemId, u32> = BTreeMap::new();
                for (n, draft) in created(WritebackPlan::Write(calls)).iter().enumerate() {
                    for lines in &draft.lines {
                        let order = after.fulfillment_orders.iter().find(|o| o.id == lines.fulfillment_order).unwrap();
                        prop_assert_eq!(order.location, draft.location);
                        for (id, quantity) in &lines.lines {
                            let line = order.lines.iter().find(|line| line.id == *id).unwrap();
                            prop_assert!(line.remaining >= *quantity);
                            *written.entry(line.line).or_default() += quantity;
                        }
                    }
                    after = carried_out(&after, n as u64 + 50, draft);
                }
                prop_assert_eq!(written, these(&wanted).into_iter().collect());
                let again = plan_writeback(&shipment, &after, &Written::default(), &terms);
                prop_assert!(matches!(again, WritebackPlan::AlreadyThere(_)), "{:?}", again);
            }
            WritebackPlan::Impossible { code: Code::ProductsMismatch, .. } => prop_assert!(short),
            WritebackPlan::Impossible { code: Code::LocationUnmapped, .. } => prop_assert!(ambiguous),
            WritebackPlan::Impossible { code: Code::ProductNotAtLocation, .. } => prop_assert!(elsewhere),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

#[test]
fn one_call_for_each_delivery_method_at_a_location() {
    let pick_up = FulfillmentOrder { delivery_method: Some("PICK_UP".into()), ..waiting(2, 11, &[(2, 1)]) };
    let unknown = FulfillmentOrder { delivery_method: None, ..waiting(3, 11, &[(3, 1)]) };
    let order = destination(vec![waiting(1, 11, &[(1, 1)]), pick_up, unknown]);

    let drafts = created(plan(&shipped(&[(1, 1), (2, 1), (3, 1)]), &order, &Written::default()));

    let mut methods: Vec<Option<&str>> = drafts.iter().map(|draft| draft.delivery_method.as_deref()).collect();
    methods.sort_unstable();
    assert_eq!(methods, [None, Some("PICK_UP"), Some("SHIPPING")]);
    assert!(drafts.iter().all(|draft| draft.lines.len() == 1), "{drafts:?}");
}

#[test]
fn one_call_for_each_location() {
    let order = destination(vec![waiting(1, 1, &[(11, 1)]), waiting(2, 2, &[(12, 1)]), waiting(3, 1, &[(13, 1)])]);

    let drafts = created(plan(&shipped(&[(11, 1), (12, 1), (13, 1)]), &order, &Written::default()));

    let locations: Vec<_> = drafts.iter().map(|draft| (draft.location.unwrap().number(), draft.lines.len())).collect();
    assert_eq!(locations, [(1, 2), (2, 1)]);
}

#[test]
fn the_same_number_on_the_same_lines_is_there_already() {
    let mut order = destination(vec![]);
    order.fulfillments = vec![shown(9, "t1", &[(11, 2)])];

    assert_eq!(
        plan(&shipped(&[(11, 2)]), &order, &Written::default()),
        WritebackPlan::AlreadyThere(vec![FulfillmentId::new(9)])
    );
}

#[test]
fn a_cancelled_fulfillment_is_not_there() {
    let mut order = destination(vec![waiting(1, 1, &[(11, 1)])]);
    order.fulfillments = vec![ShownFulfillment { state: FulfillmentState::Cancelled, ..shown(9, "T1", &[(11, 1)]) }];

    assert_eq!(created(plan(&shipped(&[(11, 1)]), &order, &Written::default())).len(), 1);
}

#[test]
fn each_obstacle_has_its_code() {
    let open = || destination(vec![waiting(1, 1, &[(11, 1)])]);
    let held = || {
        let mut order = open();
        order.fulfillment_orders[0].status = FulfillmentOrderStatus::OnHold;
        order.fulfillment_orders[0].can_fulfill = false;
        order
    };
    let not_ours = || {
        let mut order = open();
        order.fulfillment_orders[0].can_fulfill = false;
        order
    };
    let shipped_by_hand = || {
        let mut order = destination(vec![waiting(1, 1, &[(11, 0)])]);
        order.fulfillments = vec![shown(9, "OTHER", &[(11, 1)])];
        order
    };
    let unknown_carrier =
        |url| Shipment { tracking: vec![tracking(Some("Bob's Bikes"), "T1", url)], ..shipped(&[(11, 1)]) };
    let plan = |shipment: &Shipment, order: &DestinationOrder| plan(shipment, order, &Written::default());

    let one = shipped(&[(11, 1)]);
    let numberless = Shipment { tracking: vec![], ..one.clone() };
    assert_eq!(plan(&numberless, &open()), WritebackPlan::NotYet(WaitReason::AwaitingTracking));
    assert_eq!(plan(&one, &held()), WritebackPlan::NotYet(WaitReason::OnHold));
    assert_eq!(plan(&one, &destination(vec![])), WritebackPlan::NotYet(WaitReason::Routing));
    assert_eq!(code(plan(&one, &not_ours())), Code::AccessDenied);
    assert_eq!(code(plan(&one, &shipped_by_hand())), Code::AlreadyShipped);
    assert_eq!(code(plan(&shipped(&[(11, 2)]), &open())), Code::ProductsMismatch);
    assert_eq!(code(plan(&shipped(&[(77, 1)]), &open())), Code::ProductsMismatch);
    assert_eq!(code(plan(&one, &DestinationOrder { cancelled: true, ..open() })), Code::OrderCancelled);
    assert_eq!(code(plan(&unknown_carrier(None), &open())), Code::IncompleteTracking);
    assert_eq!(created(plan(&unknown_carrier(Some("https://bob.example/T1")), &open())).len(), 1);
}

#[test]
fn what_does_not_fit_says_line_by_line_how_it_differs() {
    let order = destination(vec![waiting(1, 1, &[(11, 1), (12, 5)])]);

    let plan = plan(&shipped(&[(11, 3), (12, 1), (77, 1)]), &order, &Written::default());

    let WritebackPlan::Impossible { code: Code::ProductsMismatch, detail } = plan else { panic!("{plan:?}") };
    assert_eq!(
        detail,
        "line 11: 3 shipped, 1 left to fulfill, 0 fulfilled otherwise; \
         line 77: 1 shipped, 0 left to fulfill, 0 fulfilled otherwise"
    );
}

#[test]
fn a_shipment_without_a_number_is_shown_at_once_where_the_connection_says_so() {
    let order = destination(vec![waiting(1, 1, &[(11, 1)])]);
    let numberless = Shipment { tracking: vec![], ..shipped(&[(11, 1)]) };
    let at_once = Terms { fulfil_without_tracking: true, ..terms() };

    let drafts = created(plan_writeback(&numberless, &order, &Written::default(), &at_once));

    assert!(drafts[0].tracking.is_empty());
}

#[test]
fn what_is_not_ours_is_nothing() {
    let order = destination(vec![waiting(1, 1, &[(11, 1)])]);

    assert!(matches!(plan(&shipped(&[]), &order, &Written::default()), WritebackPlan::Nothing(_)));
}

#[test]
fn what_was_called_off_leaves_what_is_shown_of_it_to_another() {
    let mut order = destination(vec![waiting(1, 1, &[(11, 0)])]);
    let called_off = Shipment { voided: true, ..shipped(&[(11, 1)]) };
    let here = Written { here: vec![FulfillmentId::new(9)], ..Written::default() };
    assert_eq!(plan(&called_off, &order, &here), WritebackPlan::CalledOff { standing: vec![] });

    order.fulfillments = vec![shown(9, "T1", &[(11, 1)])];
    assert_eq!(plan(&called_off, &order, &here), WritebackPlan::CalledOff { standing: vec![FulfillmentId::new(9)] });

    let again = Shipment { tracking: vec![tracking(Some("USPS"), "T2", None)], ..shipped(&[(11, 1)]) };
    let orphaned = Written { orphaned: vec![FulfillmentId::new(9)], ..Written::default() };
    assert_eq!(plan(&again, &order, &orphaned), WritebackPlan::Write(vec![overwrite(9, "T2")]));
    let elsewhere = Written { elsewhere: vec![FulfillmentId::new(9)], ..Written::default() };
    assert_eq!(code(plan(&again, &order, &elsewhere)), Code::AlreadyShipped, "not while its own shipment stands");
}

fn overwrite(fulfillment: u64, number: &str) -> WritebackCall {
    WritebackCall::Overwrite(TrackingUpdate {
        fulfillment: FulfillmentId::new(fulfillment),
        tracking: vec![tracking(Some("USPS"), number, None)],
        notify_customer: false,
    })
}

#[test]
fn a_label_for_the_rest_is_about_what_is_left() {
    let rest =
        Shipment { id: ShipmentId::Label("se-1".parse::<LabelId>().unwrap()), lines: Lines::Rest, ..shipped(&[]) };
    let mut order = destination(vec![waiting(1, 1, &[(11, 2)]), waiting(2, 2, &[(12, 1), (13, 0)])]);

    let resolved = rest.resolved(&order, &Written::default());
    assert_eq!(resolved.lines, Lines::These(these(&[(11, 2), (12, 1)])));
    assert_eq!(created(plan(&resolved, &order, &Written::default())).len(), 2, "two locations");

    order.fulfillments = vec![shown(9, "T0", &[(11, 2)])];
    let orphaned = Written { orphaned: vec![FulfillmentId::new(9)], ..Written::default() };
    assert_eq!(rest.resolved(&order, &orphaned).lines, Lines::These(these(&[(11, 2)])), "it takes over");

    order.fulfillment_orders = vec![waiting(1, 1, &[(11, 0)])];
    assert_eq!(code(plan(&rest, &order, &Written::default())), Code::AlreadyShipped);
    order.fulfillments = vec![shown(9, "T1", &[(11, 2)])];
    assert!(matches!(plan(&rest, &order, &Written::default()), WritebackPlan::AlreadyThere(_)));
}

#[test]
fn the_same_line_at_two_locations_needs_a_map() {
    let order = destination(vec![waiting(1, 1, &[(11, 2)]), waiting(2, 2, &[(11, 1)])]);
    let one = Shipment { from: Some(warehouse()), ..shipped(&[(11, 1)]) };

    assert_eq!(code(plan(&one, &order, &Written::default())), Code::LocationUnmapped);
    let mapped = |location| plan_writeback(&one, &order, &Written::default(), &mapped_to(location));
    assert_eq!(created(mapped(2))[0].location, Some(LocationId::new(2)));
    assert_eq!(code(mapped(3)), Code::ProductNotAtLocation);
    let all = Shipment { from: Some(warehouse()), ..shipped(&[(11, 3)]) };
    assert_eq!(created(plan(&all, &order, &Written::default())).len(), 2, "all that is waited for leaves no choice");
}

#[test]
fn a_blank_number_is_no_number() {
    for number in [None, Some(""), Some("   ")] {
        assert_eq!(TrackingInfo::new(Some("USPS".into()), number.map(Into::into), None), None);
    }
}

#[test]
fn several_numbers_stay_in_order_with_their_urls() {
    let mut parcel = shipped(&[(11, 1)]);
    parcel.tracking =
        ["B", "A", "C"].map(|n| tracking(Some("dpd"), n, Some(&format!("https://dpd.example/{n}")))).into();

    let drafts = created(plan(&parcel, &destination(vec![waiting(1, 1, &[(11, 1)])]), &Written::default()));

    let numbers: Vec<&str> = drafts[0].tracking.iter().map(|info| info.number.as_str()).collect();
    assert_eq!(numbers, ["B", "A", "C"]);
    assert_eq!(drafts[0].tracking[0].company.as_deref(), Some("DPD"));
}

#[test]
fn what_we_wrote_is_overwritten_in_place() {
    let mut order = destination(vec![waiting(1, 1, &[(11, 1)])]);
    order.fulfillments = vec![shown(9, "T0", &[(11, 1)])];
    let here = Written { here: vec![FulfillmentId::new(9)], ..Written::default() };

    assert_eq!(
        plan(&shipped(&[(11, 1)]), &order, &here),
        WritebackPlan::Write(vec![overwrite(9, "T1")]),
        "the other unit did not leave"
    );
    let forbidden = Terms { overwrite: false, ..terms() };
    assert_eq!(code(plan_writeback(&shipped(&[(11, 1)]), &order, &here, &forbidden)), Code::OverwriteRejected);
}

#[test]
fn two_parcels_under_one_number_are_two() {
    let mut order = destination(vec![waiting(1, 1, &[(11, 1)])]);
    order.fulfillments = vec![shown(9, "T1", &[(11, 1)])];
    let written = Written { elsewhere: vec![FulfillmentId::new(9)], ..Written::default() };

    assert_eq!(created(plan(&shipped(&[(11, 1)]), &order, &written)).len(), 1);
}

#[test]
fn a_call_is_stored_as_the_first_release_stored_its_draft() {
    let stored = r#"{"type":"sent","draft":{"location":"1","delivery_method":"SHIPPING","lines":[],"tracking":[],"notify_customer":true},"at":"2026-11-22T08:00:00Z"}"#;

    let phase: super::Phase = serde_json::from_str(stored).unwrap();

    assert!(matches!(&phase, super::Phase::Sent { call: WritebackCall::Create(_), .. }));
    let overwrite = super::Phase::Sent { call: overwrite(9, "T1"), at: Timestamp::UNIX_EPOCH };
    assert_eq!(serde_json::from_value::<super::Phase>(serde_json::to_value(&overwrite).unwrap()).unwrap(), overwrite);
}
