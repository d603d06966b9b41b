//! `dlq …`

use roundtrip_api::dead_letters::DeadLettersAnswer;
use roundtrip_domain::dead_letters::DeadLetterId;

use super::shown;
use crate::api::Api;
use crate::cli::{DlqCommand, DlqFilter, DlqList};
use crate::out::Output;
use crate::print;
use crate::trouble::Trouble;

const PATH: &str = "/v1/dead-letters";

pub(super) async fn run(api: &Api, json: bool, command: &DlqCommand) -> Result<Output, Trouble> {
    match command {
        DlqCommand::List(args) => list(api, json, args).await,
        DlqCommand::Show { id } => show(api, json, id).await,
    }
}

async fn list(api: &Api, json: bool, args: &DlqList) -> Result<Output, Trouble> {
    let mut query = query_of(&args.filter);
    query.extend(args.limit.map(|limit| ("limit", limit.to_string())));
    query.extend(args.after.clone().map(|after| ("after", after)));
    let answer = api.get(PATH, &query).await?;
    shown(answer, json, |answer| Ok(print::dead_letters(&answer.read()?)))
}

async fn show(api: &Api, json: bool, id: &DeadLetterId) -> Result<Output, Trouble> {
    let answer = api.get(PATH, &[("id", id.to_string())]).await?;
    let found: DeadLettersAnswer = answer.read()?;
    let letter = found.dead_letters.first().ok_or_else(|| {
        let remedy = "`roundtrip dlq list` shows what is parked now; `roundtrip order show`, how its order stands";
        Trouble::failed(
            format!("{id} is not parked: it goes again, is done, or was parked anew under another name"),
            remedy,
        )
    })?;
    Ok(Output::done(if json { answer.raw } else { print::dead_letter(letter) }))
}

/// What was typed, as the API takes it.
fn query_of(filter: &DlqFilter) -> Vec<(&'static str, String)> {
    let DlqFilter { cause, code, queue, shop, order, since, before } = filter;
    let typed = [
        ("cause", cause.clone()),
        ("code", code.as_ref().map(|code| code.to_uppercase())),
        ("queue", queue.clone()),
        ("shop", shop.as_ref().map(ToString::to_string)),
        ("order", order.map(|order| order.to_string())),
        ("from", since.as_ref().map(|moment| moment.0.clone())),
        ("before", before.as_ref().map(|moment| moment.0.clone())),
    ];
    typed.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
