//! `resync`.

use roundtrip_domain::id::ShopDomain;
use serde_json::json;

use super::shown;
use crate::answers::{ResyncAnswer, ResyncBegun, ResyncPhase};
use crate::api::{Answer, Api};
use crate::cli::ResyncArgs;
use crate::out::Output;
use crate::trouble::Trouble;
use crate::{print, wait};

pub(super) async fn resync(api: &Api, json: bool, args: &ResyncArgs) -> Result<Output, Trouble> {
    let path = path(&args.shop);
    if args.show {
        let answer = api.get(&path, &[]).await?;
        return shown(answer, json, |answer| Ok(print::resync(&answer.read()?)));
    }
    let answer = api.post(&path, &json!({})).await?;
    if !args.wait {
        return shown(answer, json, |_| {
            Ok(format!("The orders of {0} are being read. See how it goes: roundtrip resync {0} --show", args.shop))
        });
    }
    let begun: ResyncBegun = answer.read()?;
    let settled = |answer: &Answer| {
        let now: ResyncAnswer = answer.read()?;
        let is_ours = now.run.is_some_and(|run| run.id == begun.run_id);
        Ok(is_ours && matches!(now.state, ResyncPhase::Done | ResyncPhase::Failed))
    };
    let answer = wait::until(api, &path, settled).await?;
    let ended: ResyncAnswer = answer.read()?;
    let ok = ended.state == ResyncPhase::Done;
    let text = if json { answer.raw } else { print::resync(&ended) };
    Ok(Output { text, ok })
}

fn path(shop: &ShopDomain) -> String {
    format!("/v1/shops/{shop}/resync")
}
