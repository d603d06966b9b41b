//! `order …`

use roundtrip_api::orders::{ListAnswer, ListedOrder, OrderAnswer, PostDismissal};
use roundtrip_api::push::{AskedPush, DryRunAnswer, PostPush, PushAsked};
use roundtrip_api::sync::{SyncAnswer, SyncAsked, SyncPhase};
use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::record::RequestState;
use serde_json::json;

use super::{given, shown};
use crate::api::{Answer, Api};
use crate::cli::{
    ListPart, OrderDismissWarnings, OrderDryRun, OrderList, OrderPush, OrderReceived, OrderSync, OrderTag, YesNo,
};
use crate::out::Output;
use crate::trouble::Trouble;
use crate::wait::{Progress, Seen};
use crate::{print, wait};

/// As many as the API gives at once.
const PAGE: &str = "250";

/// Every page, one after the other. With a filter that lets few through, a page may be empty and not the last.
async fn export(api: &Api, args: &OrderList) -> Result<Output, Trouble> {
    let mut query = query_of(args);
    query.retain(|(name, _)| *name != "limit");
    query.push(("limit", PAGE.to_owned()));
    let mut orders: Vec<ListedOrder> = Vec::new();
    let progress = Progress::begin();
    loop {
        let page: ListAnswer = api.get(&format!("/v1/shops/{}/orders", args.shop), &query).await?.read()?;
        orders.extend(page.orders);
        progress.show(&format!("{} orders so far", orders.len()));
        let Some(next) = page.next else { break };
        query.retain(|(name, _)| *name != "after");
        query.push(("after", next));
    }
    Ok(Output::done(print::orders_csv(&orders)))
}

/// What was typed, as the API takes it.
fn query_of(args: &OrderList) -> Vec<(&'static str, String)> {
    let OrderList { shop: _, tab, tag, shipped, fulfillment, source, part, csv: _ } = args;
    let typed = [
        ("tab", tab.map(|tab| tab.to_string())),
        ("tag", tag.clone()),
        ("shipped", shipped.map(|shipped| (shipped == YesNo::Yes).to_string())),
        ("fulfillment_status", fulfillment.as_ref().map(|status| status.to_uppercase())),
        ("source", source.as_ref().map(ToString::to_string)),
    ];
    given(typed.into_iter().chain(part_of(part)))
}

fn part_of(part: &ListPart) -> [(&'static str, Option<String>); 5] {
    let ListPart { number, from, before, limit, after } = part;
    [
        ("number", number.clone()),
        ("from", from.clone()),
        ("before", before.clone()),
        ("limit", limit.map(|limit| limit.to_string())),
        ("after", after.clone()),
    ]
}

pub(super) async fn list(api: &Api, json: bool, args: &OrderList) -> Result<Output, Trouble> {
    if args.csv {
        return export(api, args).await;
    }
    let answer = api.get(&format!("/v1/shops/{}/orders", args.shop), &query_of(args)).await?;
    shown(answer, json, |answer| Ok(print::orders(&answer.read()?)))
}

pub(super) async fn received(api: &Api, json: bool, args: &OrderReceived) -> Result<Output, Trouble> {
    let OrderReceived { shop, state, origin, part } = args;
    let typed = [("state", state.clone()), ("origin", origin.as_ref().map(ToString::to_string))];
    let query = given(typed.into_iter().chain(part_of(part)));
    let answer = api.get(&format!("/v1/shops/{shop}/received-orders"), &query).await?;
    shown(answer, json, |answer| Ok(print::received(&answer.read()?)))
}

pub(super) async fn tag(api: &Api, json: bool, args: &OrderTag) -> Result<Output, Trouble> {
    let body = json!({ "add": args.add, "remove": args.remove });
    let answer = api.post(&format!("{}/tags", path(&args.shop, args.id)), &body).await?;
    shown(answer, json, |answer| Ok(print::tags(&answer.read()?)))
}

pub(super) async fn counts(api: &Api, json: bool, shop: &ShopDomain) -> Result<Output, Trouble> {
    let answer = api.get(&format!("/v1/shops/{shop}/order-counts"), &[]).await?;
    shown(answer, json, |answer| Ok(print::counts(&answer.read()?)))
}

pub(super) async fn show(api: &Api, json: bool, shop: &ShopDomain, id: OrderId) -> Result<Output, Trouble> {
    let answer = api.get(&path(shop, id), &[]).await?;
    shown(answer, json, |answer| Ok(print::order(&answer.read()?)))
}

pub(super) async fn dry_run(api: &Api, json: bool, args: &OrderDryRun) -> Result<Output, Trouble> {
    let OrderDryRun { shop, id, source, fee } = args;
    let body = PostPush { source: source.clone(), shipping_fee: *fee };
    let answer = api.post(&format!("{}/pushes/dry-run", path(shop, *id)), &json!(body)).await?;
    let found: DryRunAnswer = answer.read()?;
    let ok = !found.parts.is_empty() && found.parts.iter().all(|part| part.may_go);
    Ok(Output { text: if json { answer.raw } else { print::dry_run(&found) }, ok })
}

pub(super) async fn push(api: &Api, json: bool, args: &OrderPush) -> Result<Output, Trouble> {
    let path = path(&args.shop, args.id);
    let body = PostPush { source: args.source.clone(), shipping_fee: args.fee };
    let asked = api.post(&format!("{path}/pushes"), &json!(body)).await?;
    let PushAsked { requests, .. } = asked.read()?;
    let see = format!("roundtrip order show {} {}", args.shop, args.id);
    if !args.wait {
        return shown(asked, json, |_| {
            let told = |AskedPush { id, source }: &AskedPush| {
                format!("Order {} is to be pushed to {source} (request {id}).", args.id)
            };
            let told: Vec<String> = requests.iter().map(told).collect();
            Ok(format!("{} See how it goes: {see}", told.join("\n")))
        });
    }
    let look = |answer: &Answer| {
        let order: OrderAnswer = answer.read()?;
        let is_settled = |asked: &&AskedPush| {
            order.request(&asked.id).is_some_and(|it| !matches!(it.outcome, RequestState::Open { .. }))
        };
        let (settled, all) = (requests.iter().filter(is_settled).count(), requests.len());
        Ok(if settled == all { Seen::Settled } else { Seen::Open(format!("{settled} of {all} pushes settled")) })
    };
    let answer = wait::until(api, &path, look).await?;
    let order: OrderAnswer = answer.read()?;
    let mut outcomes = Vec::new();
    for AskedPush { id, .. } in &requests {
        let Some(request) = order.request(id) else {
            let what = format!("the request {id} is not in the order's record");
            return Err(Trouble::failed(what, format!("repeat the command; what is known: {see}")));
        };
        outcomes.push(request);
    }
    let ok = outcomes.iter().all(|request| matches!(request.outcome, RequestState::Done { .. }));
    let told: Vec<String> = outcomes.iter().map(|request| print::outcome(&order, request)).collect();
    Ok(Output { text: if json { answer.raw } else { told.join("\n") }, ok })
}

pub(super) async fn sync(api: &Api, json: bool, args: &OrderSync) -> Result<Output, Trouble> {
    let path = format!("{}/sync", path(&args.shop, args.id));
    let asked = api.post(&path, &json!({})).await?;
    let SyncAsked { job_id, .. } = asked.read()?;
    if !args.wait {
        return shown(asked, json, |_| Ok(format!("Order {} of {} is looked at (job {job_id})", args.id, args.shop)));
    }
    let look = |answer: &Answer| {
        let now: SyncAnswer = answer.read()?;
        let is_settled = now.job_id == job_id && now.state != SyncPhase::Open;
        Ok(if is_settled { Seen::Settled } else { Seen::Open("looked at".to_owned()) })
    };
    let answer = wait::until(api, &path, look).await?;
    let ended: SyncAnswer = answer.read()?;
    let ok = ended.state == SyncPhase::Done;
    let text = if json { answer.raw } else { print::sync(&ended) };
    Ok(Output { text, ok })
}

pub(super) async fn dismiss_warnings(api: &Api, json: bool, args: &OrderDismissWarnings) -> Result<Output, Trouble> {
    let OrderDismissWarnings { shop, id, cause, reason } = args;
    let body = PostDismissal { cause: cause.clone(), reason: reason.clone() };
    let answer = api.post(&format!("{}/warnings/dismiss", path(shop, *id)), &json!(body)).await?;
    shown(answer, json, |answer| Ok(print::dismissed(&answer.read()?)))
}

fn path(shop: &ShopDomain, id: OrderId) -> String {
    format!("/v1/shops/{shop}/orders/{id}")
}
