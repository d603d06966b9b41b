//! `order …`

use roundtrip_api::orders::{ListAnswer, ListedOrder, OrderAnswer};
use roundtrip_api::push::{AskedPush, PushAsked};
use roundtrip_api::sync::{SyncAnswer, SyncAsked, SyncPhase};
use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::record::{RequestState, Tab};
use serde_json::{Map, Value, json};

use super::shown;
use crate::api::{Answer, Api};
use crate::cli::{OrderList, OrderPush, OrderSync};
use crate::out::Output;
use crate::trouble::Trouble;
use crate::{print, wait};

/// As many as the API gives at once.
const PAGE: &str = "250";

/// Every page of the tab, or of all tabs one after the other.
async fn export(api: &Api, args: &OrderList) -> Result<Output, Trouble> {
    let tabs = args.tab.map_or_else(|| Tab::ALL.to_vec(), |tab| vec![tab]);
    let mut orders: Vec<ListedOrder> = Vec::new();
    for tab in tabs {
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![("tab", tab.to_string()), ("limit", PAGE.to_owned())];
            query.extend(after.map(|cursor| ("after", cursor)));
            let page: ListAnswer = api.get(&format!("/v1/shops/{}/orders", args.shop), &query).await?.read()?;
            orders.extend(page.orders);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(Output::done(print::orders_csv(&orders)))
}

pub(super) async fn list(api: &Api, json: bool, args: &OrderList) -> Result<Output, Trouble> {
    if args.csv {
        return export(api, args).await;
    }
    let mut query = Vec::new();
    if let Some(tab) = args.tab {
        query.push(("tab", tab.to_string()));
    }
    if let Some(limit) = args.limit {
        query.push(("limit", limit.to_string()));
    }
    if let Some(after) = &args.after {
        query.push(("after", after.clone()));
    }
    let answer = api.get(&format!("/v1/shops/{}/orders", args.shop), &query).await?;
    shown(answer, json, |answer| Ok(print::orders(&answer.read()?)))
}

pub(super) async fn counts(api: &Api, json: bool, shop: &ShopDomain) -> Result<Output, Trouble> {
    let answer = api.get(&format!("/v1/shops/{shop}/order-counts"), &[]).await?;
    shown(answer, json, |answer| Ok(print::counts(&answer.read()?)))
}

pub(super) async fn show(api: &Api, json: bool, shop: &ShopDomain, id: OrderId) -> Result<Output, Trouble> {
    let answer = api.get(&path(shop, id), &[]).await?;
    shown(answer, json, |answer| Ok(print::order(&answer.read()?)))
}

pub(super) async fn push(api: &Api, json: bool, args: &OrderPush) -> Result<Output, Trouble> {
    let path = path(&args.shop, args.id);
    let mut body = Map::new();
    body.extend(args.source.as_ref().map(|source| ("source".to_owned(), json!(source))));
    body.extend(args.fee.map(|fee| ("shipping_fee".to_owned(), json!(fee))));
    let asked = api.post(&format!("{path}/pushes"), &Value::Object(body)).await?;
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
    let settled = |answer: &Answer| {
        let order: OrderAnswer = answer.read()?;
        let is_settled = |asked: &AskedPush| {
            order.request(&asked.id).is_some_and(|it| !matches!(it.outcome, RequestState::Open { .. }))
        };
        Ok(requests.iter().all(is_settled))
    };
    let answer = wait::until(api, &path, settled).await?;
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
    let settled = |answer: &Answer| {
        let now: SyncAnswer = answer.read()?;
        Ok(now.job_id == job_id && now.state != SyncPhase::Open)
    };
    let answer = wait::until(api, &path, settled).await?;
    let ended: SyncAnswer = answer.read()?;
    let ok = ended.state == SyncPhase::Done;
    let text = if json { answer.raw } else { print::sync(&ended) };
    Ok(Output { text, ok })
}

fn path(shop: &ShopDomain, id: OrderId) -> String {
    format!("/v1/shops/{shop}/orders/{id}")
}
