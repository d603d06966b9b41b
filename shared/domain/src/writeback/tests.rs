//! The writeback plan: never more than was shipped, never twice, and a reason where nothing can be done.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{FulfillmentDraft, TrackingInfo, WritebackPlan, Written, plan_writeback};
use crate::channel::{DestinationOrder, FulfillmentOrder, FulfillmentOrderLine, ShippedFulfillment, ShownFulfillment};
use crate::code::Code;
use crate::id::{FulfillmentId, FulfillmentOrderId, FulfillmentOrderLineItemId, LineItemId, LocationId};
use crate::order::{FulfillmentOrderStatus, FulfillmentState};

fn tracking(company: Option<&str>, number: &str, url: Option<&str>) -> TrackingInfo {
    TrackingInfo::new(company.map(Into::into), Some(number.into()), url.map(Into::into)).unwrap()
}

fn shipped(lines: &[(u64, u32)]) -> ShippedFulfillment {
    ShippedFulfillment {
        id: FulfillmentId::new(1),
        state: FulfillmentState::Success,
        location: None,
        tracking: vec![tracking(Some("usps"), "T1", None)],
        lines: lines.iter().map(|(line, quantity)| (LineItemId::new(*line), *quantity)).collect(),
    }
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
        tracking: vec![tracking(Some("USPS"), number, None)],
        lines: lines.iter().map(|(line, quantity)| (LineItemId::new(*line), *quantity)).collect(),
    }
}

fn code(plan: WritebackPlan) -> Code {
    match plan {
        WritebackPlan::Impossible { code, .. } | WritebackPlan::NotYet(code) => code,
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
        tracking: draft.tracking.clone(),
        lines: lines.collect(),
    });
    after
}

proptest! {
    /// Whatever is shipped and waited for: all of it is written, at one location each, and then it is there.
    #[test]
    fn what_is_planned_is_what_was_shipped_and_then_it_is_there(
        orders in prop::collection::vec((1_u64..4, prop::collection::btree_map(1_u64..6, 1_u32..4, 1..4)), 1..5),
        wanted in prop::collection::btree_map(1_u64..6, 1_u32..6, 1..4),
    ) {
        let orders: Vec<FulfillmentOrder> = orders.iter().enumerate()
            .map(|(n, (location, lines))| {
                let lines: Vec<(u64, u32)> = lines.iter().map(|(line, n)| (*line, *n)).collect();
                waiting(n as u64 + 1, *location, &lines)
            })
            .collect();
        let destination = destination(orders);
        let wanted: Vec<(u64, u32)> = wanted.into_iter().collect();
        let shipped = shipped(&wanted);
        let available = |line: u64| destination.fulfillment_orders.iter().flat_map(|o| &o.lines)
            .filter(|waiting| waiting.line == LineItemId::new(line)).map(|waiting| waiting.remaining).sum::<u32>();
        let enough = wanted.iter().all(|(line, quantity)| available(*line) >= *quantity);

        match plan_writeback(&shipped, &destination, &Written::default()) {
            WritebackPlan::Create(drafts) => {
                prop_assert!(enough);
                let mut after = destination.clone();
                let mut written: BTreeMap<LineItemId, u32> = BTreeMap::new();
                for (n, draft) in drafts.iter().enumerate() {
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
                prop_assert_eq!(written, shipped.lines.iter().copied().collect());
                let is_there = matches!(plan_writeback(&shipped, &after, &Written::default()), WritebackPlan::AlreadyThere(_));
                prop_assert!(is_there);
            }
            WritebackPlan::Impossible { code: Code::ProductsMismatch, .. } => prop_assert!(!enough),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

#[test]
fn one_call_for_each_location() {
    let order = destination(vec![waiting(1, 1, &[(11, 1)]), waiting(2, 2, &[(12, 1)]), waiting(3, 1, &[(13, 1)])]);

    let WritebackPlan::Create(drafts) =
        plan_writeback(&shipped(&[(11, 1), (12, 1), (13, 1)]), &order, &Written::default())
    else {
        panic!("not created")
    };

    let locations: Vec<_> = drafts.iter().map(|draft| (draft.location.unwrap().number(), draft.lines.len())).collect();
    assert_eq!(locations, [(1, 2), (2, 1)]);
}

#[test]
fn the_same_number_on_the_same_lines_is_there_already() {
    let mut order = destination(vec![]);
    order.fulfillments = vec![shown(9, "t1", &[(11, 2)])];

    assert_eq!(
        plan_writeback(&shipped(&[(11, 2)]), &order, &Written::default()),
        WritebackPlan::AlreadyThere(vec![FulfillmentId::new(9)])
    );
}

#[test]
fn a_cancelled_fulfillment_is_not_there() {
    let mut order = destination(vec![waiting(1, 1, &[(11, 1)])]);
    order.fulfillments = vec![ShownFulfillment { state: FulfillmentState::Cancelled, ..shown(9, "T1", &[(11, 1)]) }];

    assert!(matches!(plan_writeback(&shipped(&[(11, 1)]), &order, &Written::default()), WritebackPlan::Create(_)));
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
    let shipped_by_hand = || {
        let mut order = destination(vec![waiting(1, 1, &[(11, 0)])]);
        order.fulfillments = vec![shown(9, "OTHER", &[(11, 1)])];
        order
    };
    let unknown_carrier =
        |url| ShippedFulfillment { tracking: vec![tracking(Some("Bob's Bikes"), "T1", url)], ..shipped(&[(11, 1)]) };
    let plan =
        |shipped: &ShippedFulfillment, order: &DestinationOrder| plan_writeback(shipped, order, &Written::default());

    let one = shipped(&[(11, 1)]);
    assert_eq!(code(plan(&ShippedFulfillment { tracking: vec![], ..one.clone() }, &open())), Code::AwaitingTracking);
    assert_eq!(code(plan(&one, &held())), Code::OnHold);
    assert_eq!(code(plan(&one, &shipped_by_hand())), Code::AlreadyShipped);
    assert_eq!(code(plan(&shipped(&[(11, 2)]), &open())), Code::ProductsMismatch);
    assert_eq!(code(plan(&shipped(&[(77, 1)]), &open())), Code::ProductsMismatch);
    assert_eq!(code(plan(&one, &DestinationOrder { cancelled: true, ..open() })), Code::OrderCancelled);
    assert_eq!(code(plan(&unknown_carrier(None), &open())), Code::IncompleteTracking);
    assert!(matches!(plan(&unknown_carrier(Some("https://bob.example/T1")), &open()), WritebackPlan::Create(_)));
    assert_eq!(plan(&one, &destination(vec![])), WritebackPlan::Routing);
}

#[test]
fn what_was_called_off_or_is_not_ours_is_nothing() {
    let order = destination(vec![waiting(1, 1, &[(11, 1)])]);
    let called_off = ShippedFulfillment { state: FulfillmentState::Cancelled, ..shipped(&[(11, 1)]) };

    assert!(matches!(plan_writeback(&called_off, &order, &Written::default()), WritebackPlan::Nothing(_)));
    assert!(matches!(plan_writeback(&shipped(&[]), &order, &Written::default()), WritebackPlan::Nothing(_)));
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

    let WritebackPlan::Create(drafts) =
        plan_writeback(&parcel, &destination(vec![waiting(1, 1, &[(11, 1)])]), &Written::default())
    else {
        panic!("not created")
    };

    let numbers: Vec<&str> = drafts[0].tracking.iter().map(|info| info.number.as_str()).collect();
    assert_eq!(numbers, ["B", "A", "C"]);
    assert_eq!(drafts[0].tracking[0].company.as_deref(), Some("DPD"));
}

#[test]
fn what_we_wrote_covers_its_lines_even_under_another_number() {
    let mut order = destination(vec![waiting(1, 1, &[(11, 1)])]);
    order.fulfillments = vec![shown(9, "T0", &[(11, 1)])];
    let written = Written { here: vec![FulfillmentId::new(9)], elsewhere: vec![] };

    let plan = plan_writeback(&shipped(&[(11, 1)]), &order, &written);

    assert_eq!(code(plan), Code::OverwriteRejected, "the other unit did not leave");
}

#[test]
fn two_parcels_under_one_number_are_two() {
    let mut order = destination(vec![waiting(1, 1, &[(11, 1)])]);
    order.fulfillments = vec![shown(9, "T1", &[(11, 1)])];
    let written = Written { here: vec![], elsewhere: vec![FulfillmentId::new(9)] };

    let plan = plan_writeback(&shipped(&[(11, 1)]), &order, &written);

    assert!(matches!(plan, WritebackPlan::Create(_)), "{plan:?}");
}
