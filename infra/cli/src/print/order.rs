//! One order, whole, and what became of a request to push it.

use roundtrip_api::orders::{
    CancelView, OrderAnswer, PushView, RequestView, ShipmentView, WarningsAnswer, WritebackView,
};
use roundtrip_domain::order::SourceOrder;
use roundtrip_domain::push::{FeeRule, PushMode, PushTerms, Refusal};
use roundtrip_domain::record::{RequestState, Summary, SummaryLine, Warning, WarningCode};
use roundtrip_domain::step::Dismissed;
use roundtrip_domain::writeback::TrackingInfo;

use super::history::history;
use super::step::{explained, progress};
use super::{labelled, lay_out, money, name, table, time};

/// The state of a writeback whose shipment was called off.
const CALLED_OFF: &str = "called-off";

/// The order with its lines, pushes, writebacks, requests and history.
pub(crate) fn order(order: &OrderAnswer) -> String {
    let mut text = vec![format!("{}  {}  {}", order.order.name, order.shop, order.id), summary(order)];
    if !order.order.warnings.is_empty() {
        text.push("\nWarnings".to_owned());
        text.extend(order.order.warnings.iter().flat_map(warning));
    }
    text.push("\nLines".to_owned());
    text.push(lines(&order.order.lines));
    text.push("\nPushes".to_owned());
    text.extend(or_none(order.pushes.iter().flat_map(push).chain(not_pushed(&order.order))));
    if !order.cancellations.is_empty() {
        text.push("\nCancellations".to_owned());
        text.extend(order.cancellations.iter().flat_map(cancellation));
    }
    text.push("\nWritebacks".to_owned());
    text.extend(or_none(order.writebacks.iter().flat_map(|it| writeback(order, it))));
    if !order.shipments.is_empty() || !order.awaiting_tracking.is_empty() {
        text.push("\nShipments".to_owned());
        text.extend(order.shipments.iter().map(shipment));
        text.extend(
            order.awaiting_tracking.iter().map(|id| format!("  fulfillment {id}  waits for a tracking number")),
        );
    }
    text.push("\nRequests".to_owned());
    text.extend(or_none(order.requests.iter().flat_map(request)));
    text.push(String::new());
    text.extend(history(&order.history));
    text.join("\n")
}

fn summary(answer: &OrderAnswer) -> String {
    let Summary { created_at, cancelled_at, test, total, shipping_method, tags, tracking_numbers, .. } = &answer.order;
    let system_tags = &answer.order.system_tags;
    let mut pairs = vec![
        ("placed", time(*created_at)),
        ("tab", answer.order.tab.to_string()),
        ("payment", answer.order.financial_status.to_string()),
        ("fulfillment", answer.order.fulfillment_status.to_string()),
        ("amount", money(total)),
    ];
    let mut push = |label, text: Option<String>| pairs.extend(text.map(|text| (label, text)));
    let joined = |texts: &[String]| (!texts.is_empty()).then(|| texts.join(", "));
    push("cancelled", cancelled_at.map(time));
    push("test order", test.then(|| "yes: never pushed".to_owned()));
    push("customer", answer.customer_name.clone());
    push("delivery", shipping_method.clone());
    push("tags", joined(tags));
    push("your tags", joined(&answer.order.own_tags.iter().cloned().collect::<Vec<_>>()));
    push("our tags", joined(&system_tags.iter().cloned().collect::<Vec<_>>()));
    push("tracking", joined(tracking_numbers));
    labelled(&pairs)
}

fn lines(lines: &[SummaryLine]) -> String {
    let mut table = table();
    for line in lines {
        let source = line.source.as_ref().map_or("not linked".to_owned(), |source| format!("from {source}"));
        table.add_row([
            format!("{} x", line.quantity),
            line.title.clone(),
            line.sku.clone().unwrap_or_default(),
            source,
        ]);
    }
    lay_out(table, &[0], 2)
}

/// What a source store has that is other than here.
fn warning(warning: &Warning) -> Vec<String> {
    let Warning { code, source, source_order, detail, since, in_hand, dismissed } = warning;
    let what = match code {
        WarningCode::CancelledAfterPush => "still stands",
        WarningCode::ReducedAfterPush => "has more than is left here",
        WarningCode::AddedAfterPush => "has less than is ordered here",
        WarningCode::Unknown => "needs somebody",
    };
    let since = since.map(|since| format!(", since {}", time(since))).unwrap_or_default();
    let heading = format!("  {code}: {} at {source} {what}{since}", named(source_order));
    let next = match dismissed {
        Some(Dismissed { at, by, reason }) => Some(format!("dismissed by {by} at {}: {reason}", time(*at))),
        None => (!in_hand).then(|| format!("remedy: {}", code.remedy())),
    };
    std::iter::once(heading).chain(indented(std::iter::once(detail.clone()).chain(next).collect())).collect()
}

/// What became of the warnings of an order.
pub(crate) fn dismissed(WarningsAnswer { order, dismissed, warnings }: &WarningsAnswer) -> String {
    let told = match (dismissed, warnings.len()) {
        (0, 0) => format!("Order {order} has no warnings: nothing was dismissed."),
        (0, _) => format!("No warning of order {order} needs anybody: nothing was dismissed."),
        (1, _) => format!("1 warning of order {order} is dismissed. It comes back if something else differs."),
        (many, _) => {
            format!("{many} warnings of order {order} are dismissed. They come back if something else differs.")
        }
    };
    std::iter::once(told).chain(warnings.iter().flat_map(warning)).collect::<Vec<_>>().join("\n")
}

/// Why nobody needs to wait for a push.
fn not_pushed(order: &Summary) -> Vec<String> {
    let groups = order.refusals.iter().flat_map(|group| {
        std::iter::once(format!("  not to {}: {}", group.source, count(&group.reasons)))
            .chain(indented(refusals(&group.reasons)))
    });
    groups.collect()
}

fn or_none(lines: impl Iterator<Item = String>) -> Vec<String> {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { vec!["  none".to_owned()] } else { lines }
}

fn push(push: &PushView) -> Vec<String> {
    let group = if push.group == 1 { String::new() } else { format!(" group {}", push.group) };
    let order = push.source_order.as_ref().map(|order| format!(" as {}", named(order))).unwrap_or_default();
    let heading = format!("  {}{group}  {}{order}", push.source, push.state);
    let terms = push.terms.iter().map(terms);
    std::iter::once(heading).chain(indented(terms.chain(progress(&push.progress)).collect())).collect()
}

fn cancellation(CancelView { source, state, progress: step, .. }: &CancelView) -> Vec<String> {
    std::iter::once(format!("  {source}  {state}")).chain(indented(progress(step))).collect()
}

/// Who set it going, what shipping costs and why, and by which settings.
pub(super) fn terms(terms: &PushTerms) -> String {
    let mode = match terms.mode {
        PushMode::Manual => "by hand",
        PushMode::Automatic => "by itself",
    };
    let rule = match &terms.fee_rule {
        FeeRule::None => String::new(),
        FeeRule::Rate { from } => format!(" (rate from {from} on)"),
        FeeRule::Manual => " (as asked for)".to_owned(),
    };
    let PushTerms { settings_version, shop_settings_version, .. } = terms;
    let fee = money(&terms.shipping_fee);
    format!(
        "{mode}, shipping {fee}{rule}, settings {settings_version} of the connection, {shop_settings_version} of the store"
    )
}

fn writeback(order: &OrderAnswer, writeback: &WritebackView) -> Vec<String> {
    let written = writeback.fulfillments.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let written = if written.is_empty() { String::new() } else { format!(" as fulfillment {written}") };
    let from = match (&writeback.source, &writeback.label) {
        (Some(source), _) => source.to_string(),
        (None, Some(label)) => format!("label {label}"),
        (None, None) => "a shipment".to_owned(),
    };
    let heading = format!("  {from}  {}{written}", writeback.state);
    let tracking = writeback.tracking.iter().map(tracking).map(|text| format!("tracking {text}"));
    let mut rest: Vec<String> = tracking.chain(progress(&writeback.progress)).collect();
    if writeback.state == CALLED_OFF {
        rest.push("called off where it was shipped; nothing of it is shown".to_owned());
    }
    if let (Some(label), Some(_)) = (&writeback.label, writeback.progress.parked) {
        let again = format!("`roundtrip label add {} {} {label} …`", order.shop, order.id);
        rest.push(format!("redrive: tell of it again, corrected if need be: {again}"));
    }
    std::iter::once(heading).chain(indented(rest)).collect()
}

fn shipment(shipment: &ShipmentView) -> String {
    let units: u32 = shipment.lines.iter().map(|line| line.quantity).sum();
    let units = if units == 1 { "1 unit".to_owned() } else { format!("{units} units") };
    let by = shipment.service.as_ref().map(|service| format!(", sent by {service}")).unwrap_or_default();
    format!("  {}  {units} in fulfillment {}{by}", tracking(&shipment.tracking), shipment.fulfillment)
}

fn tracking(info: &TrackingInfo) -> String {
    let parts = [info.company.as_deref(), Some(info.number.as_str()), info.url.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn request(request: &RequestView) -> Vec<String> {
    let RequestView { id, source, requested_at, requested_by, outcome } = request;
    let heading = format!("  {}  push to {source}, by {requested_by} ({id})", time(*requested_at));
    let outcome = match outcome {
        RequestState::Open { due } => vec![format!("open; looked at again at {}", time(*due))],
        RequestState::Done { order } => vec![format!("done: {}", named(order))],
        RequestState::Refused { reasons } => std::iter::once("refused".to_owned()).chain(refusals(reasons)).collect(),
        RequestState::Failed { code } => {
            std::iter::once("failed".to_owned()).chain(explained(*code, None, None)).collect()
        }
    };
    std::iter::once(heading).chain(indented(outcome)).collect()
}

/// What became of `request`, which is one of `order`'s.
pub(crate) fn outcome(order: &OrderAnswer, request: &RequestView) -> String {
    let (name, source) = (&order.order.name, &request.source);
    let mut text = match &request.outcome {
        RequestState::Open { due } => vec![format!("{name} is not at {source} yet; looked at again at {}", time(*due))],
        RequestState::Done { order } => vec![format!("{name} is at {source} as {}", named(order))],
        RequestState::Refused { reasons } => vec![format!("{name} is not pushed to {source}: {}", count(reasons))],
        RequestState::Failed { .. } => vec![format!("{name} could not be pushed to {source}")],
    };
    match &request.outcome {
        RequestState::Open { .. } | RequestState::Done { .. } => {}
        RequestState::Refused { reasons } => text.extend(refusals(reasons)),
        RequestState::Failed { code } => {
            let failure = order.pushes.iter().filter(|push| push.source == *source);
            let failure = failure.filter_map(|push| push.progress.failure.as_ref()).find(|it| it.code == *code);
            let (message, id) =
                failure.map_or((None, None), |it| (Some(it.message.as_str()), it.request_id.as_deref()));
            text.extend(explained(*code, message, id));
        }
    }
    text.join("\n")
}

fn count(reasons: &[Refusal]) -> String {
    match reasons.len() {
        1 => "1 reason".to_owned(),
        n => format!("{n} reasons"),
    }
}

fn refusals(reasons: &[Refusal]) -> Vec<String> {
    let mut lines = Vec::new();
    for Refusal { reason, observed, required } in reasons {
        lines.push(format!("  {}", name(reason)));
        lines.push(format!("    seen: {observed}"));
        lines.push(format!("    required: {required}"));
    }
    lines
}

fn named(order: &SourceOrder) -> String {
    format!("{} ({})", order.name, order.id)
}

fn indented(lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(|line| format!("    {line}"))
}

#[cfg(test)]
mod tests;
