//! `incident …`

use jiff::Timestamp;
use roundtrip_api::exceptions::PutOwner;
use serde_json::json;

use super::{given, shown};
use crate::api::Api;
use crate::cli::{IncidentArgs, IncidentCommand};
use crate::out::Output;
use crate::print;
use crate::trouble::Trouble;

pub(super) async fn run(api: &Api, json: bool, args: &IncidentArgs) -> Result<Output, Trouble> {
    let IncidentArgs { shop, owner, unowned, command } = args;
    if command.is_some() && (shop.is_some() || owner.is_some() || *unowned) {
        let what = "--shop, --owner and --unowned are for the list of all incidents";
        return Err(Trouble::usage(what, "leave them out: a cause is of all stores"));
    }
    match command {
        None => {
            let typed = [
                ("shop", shop.as_ref().map(ToString::to_string)),
                ("owner", owner.as_ref().map(ToString::to_string)),
                ("unowned", unowned.then(|| true.to_string())),
            ];
            let answer = api.get("/v1/incidents", &given(typed.into_iter())).await?;
            shown(answer, json, |answer| Ok(print::incidents(&answer.read()?, Timestamp::now())))
        }
        Some(IncidentCommand::Show { cause, limit }) => {
            let typed = [("cause", Some(cause.clone())), ("limit", limit.map(|limit| limit.to_string()))];
            let answer = api.get("/v1/exceptions", &given(typed.into_iter())).await?;
            shown(answer, json, |answer| Ok(print::exceptions(&answer.read()?, Timestamp::now())))
        }
        Some(IncidentCommand::Own { cause, to, days }) => {
            let body = PutOwner { owner: to.clone(), days: Some(*days) };
            let answer = api.put(&owner_of(cause)?, &json!(body)).await?;
            shown(answer, json, |answer| Ok(print::owner(&answer.read()?)))
        }
        Some(IncidentCommand::Release { cause }) => {
            let answer = api.delete(&owner_of(cause)?).await?;
            shown(answer, json, |answer| Ok(print::owner(&answer.read()?)))
        }
    }
}

fn owner_of(cause: &str) -> Result<String, Trouble> {
    // It goes into a path.
    let is_cause = !cause.is_empty() && cause.chars().all(|character| character.is_ascii_alphanumeric());
    let invalid =
        || Trouble::usage(format!("`{cause}` is no cause"), "give one as `roundtrip incident` shows it, e.g. 5f3a91c2");
    if is_cause { Ok(format!("/v1/incidents/{cause}/owner")) } else { Err(invalid()) }
}
