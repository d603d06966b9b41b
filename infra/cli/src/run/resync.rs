//! `resync`, `backfill`.

use roundtrip_api::runs::{RunAnswer, RunAsked, RunState, RunView};
use roundtrip_domain::id::ShopDomain;
use serde_json::json;

use super::shown;
use crate::api::{Answer, Api};
use crate::cli::{BackfillArgs, ResyncArgs};
use crate::out::Output;
use crate::trouble::Trouble;
use crate::wait::Seen;
use crate::{print, wait};

pub(super) async fn resync(api: &Api, json: bool, args: &ResyncArgs) -> Result<Output, Trouble> {
    let path = format!("/v1/shops/{}/resync", args.shop);
    if args.show {
        let answer = api.get(&path, &[]).await?;
        return shown(answer, json, |answer| Ok(print::resync(&answer.read()?)));
    }
    let begun = api.post(&path, &json!({})).await?;
    ended(api, json, (&args.shop, args.wait), begun).await
}

pub(super) async fn backfill(api: &Api, json: bool, args: &BackfillArgs) -> Result<Output, Trouble> {
    let path = format!("/v1/shops/{}/backfills", args.shop);
    let begun = api.post(&path, &json!({ "days": args.days })).await?;
    ended(api, json, (&args.shop, args.wait), begun).await
}

/// The run that has begun; where somebody waits for it, to its end.
async fn ended(api: &Api, json: bool, (shop, wait): (&ShopDomain, bool), begun: Answer) -> Result<Output, Trouble> {
    if !wait {
        return shown(begun, json, |_| {
            Ok(format!("The orders of {shop} are being read. See how it goes: roundtrip resync {shop} --show"))
        });
    }
    let RunAsked { run_id, .. } = begun.read()?;
    let look = |answer: &Answer| {
        let RunView { state, scanned, found, fixed, .. } = answer.read::<RunAnswer>()?.run;
        Ok(match state {
            RunState::Done | RunState::Failed => Seen::Settled,
            RunState::Requested => Seen::Open("waits for its turn".to_owned()),
            RunState::Received => Seen::Open(format!("{scanned} orders read, {found} found, {fixed} fixed")),
        })
    };
    let answer = wait::until(api, &format!("/v1/shops/{shop}/runs/{run_id}"), look).await?;
    let ended: RunAnswer = answer.read()?;
    let ok = ended.run.state == RunState::Done;
    let text = if json { answer.raw } else { print::one_run(&ended) };
    Ok(Output { text, ok })
}
