//! `order resend`

use roundtrip_api::problem::Problem;
use roundtrip_api::writebacks::{PostRetry, RetryAnswer};
use serde_json::json;

use super::{dead_letters, shown};
use crate::api::Api;
use crate::cli::{OrderResend, YesNo};
use crate::out::Output;
use crate::print;
use crate::trouble::Trouble;

pub(super) async fn run(api: &Api, json: bool, args: &OrderResend) -> Result<Output, Trouble> {
    let body = PostRetry {
        shop: args.shop.clone(),
        orders: args.orders.clone(),
        tag: args.tag.clone(),
        shipped: args.shipped.map(|shipped| shipped == YesNo::Yes),
        confirm: args.confirm,
        acknowledge_not_failed: args.acknowledge_not_failed,
        reason: args.reason.clone(),
    };
    let begun = match api.post("/v1/writebacks/retry", &json!(body)).await {
        Err(trouble) if !json => return Err(trouble).or_else(to_confirm),
        begun => begun?,
    };
    let plan: RetryAnswer = begun.read()?;
    if args.wait {
        return dead_letters::ended(api, json, &plan.job_id).await;
    }
    shown(begun, json, |_| Ok(print::resend(&plan)))
}

/// The list that is to be confirmed first, or the trouble as it is.
fn to_confirm(trouble: Trouble) -> Result<Output, Trouble> {
    let told = trouble.answer().and_then(|answer| serde_json::from_str::<Problem>(answer).ok());
    match told.filter(|problem| !problem.orders.is_empty()) {
        Some(problem) => Ok(Output { text: print::to_confirm(&problem), ok: false }),
        None => Err(trouble),
    }
}
