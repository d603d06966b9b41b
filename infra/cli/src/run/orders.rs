//! `order …`

use roundtrip_domain::id::{OrderId, ShopDomain};
use roundtrip_domain::record::RequestState;
use serde_json::json;

use super::shown;
use crate::answers::{OrderAnswer, RequestAnswer, SyncAnswer, SyncAsked, SyncPhase};
use crate::api::{Answer, Api};
use crate::cli::{OrderList, OrderPush, OrderSync};
use crate::out::Output;
use crate::trouble::Trouble;
use crate::{print, wait};

pub(super) async fn list(api: &Api, json: bool, args: &OrderList) -> Result<Output, Trouble> {
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

pub(super) async fn show(api: &Api, json: bool, shop: &ShopDomain, id: OrderId) -> Result<Output, Trouble> {
    let answer = api.get(&path(shop, id), &[]).await?;
    shown(answer, json, |answer| Ok(print::order(&answer.read()?)))
}

pub(super) async fn push(api: &Api, json: bool, args: &OrderPush) -> Result<Output, Trouble> {
    let path = path(&args.shop, args.id);
    let asked = api.post(&format!("{path}/pushes"), &json!({ "source": args.source })).await?;
    let RequestAnswer { request_id } = asked.read()?;
    let see = format!("roundtrip order show {} {}", args.shop, args.id);
    if !args.wait {
        return shown(asked, json, |_| {
            Ok(format!(
                "Order {} is to be pushed to {} (request {request_id}). See how it goes: {see}",
                args.id, args.source
            ))
        });
    }
    let settled = |answer: &Answer| {
        let order: OrderAnswer = answer.read()?;
        Ok(order.request(&request_id).is_some_and(|it| !matches!(it.outcome, RequestState::Open { .. })))
    };
    let answer = wait::until(api, &path, settled).await?;
    let order: OrderAnswer = answer.read()?;
    let Some(request) = order.request(&request_id) else {
        let what = format!("the request {request_id} is not in the order's record");
        return Err(Trouble::failed(what, format!("repeat the command; what is known: {see}")));
    };
    let ok = matches!(request.outcome, RequestState::Done { .. });
    let text = if json { answer.raw } else { print::outcome(&order, request) };
    Ok(Output { text, ok })
}

pub(super) async fn sync(api: &Api, json: bool, args: &OrderSync) -> Result<Output, Trouble> {
    let path = format!("{}/sync", path(&args.shop, args.id));
    let asked = api.post(&path, &json!({})).await?;
    let SyncAsked { job_id } = asked.read()?;
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
