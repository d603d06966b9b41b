//! `dlq …`, `job …`

use roundtrip_api::dead_letters::{DeadLettersAnswer, PostPurge, PostRedrive, PurgeAnswer, RedriveAnswer};
use roundtrip_api::jobs::{JobAnswer, JobPhase};
use roundtrip_domain::dead_letters::DeadLetterId;
use serde_json::json;

use super::{given, shown};
use crate::api::{Answer, Api};
use crate::cli::{DlqChoice, DlqCommand, DlqFilter, DlqList, DlqPurge, DlqRedrive};
use crate::out::Output;
use crate::trouble::Trouble;
use crate::wait::Seen;
use crate::{print, wait};

const PATH: &str = "/v1/dead-letters";

pub(super) async fn run(api: &Api, json: bool, command: &DlqCommand) -> Result<Output, Trouble> {
    match command {
        DlqCommand::List(args) => list(api, json, args).await,
        DlqCommand::Show { id } => show(api, json, id).await,
        DlqCommand::Redrive(args) => redrive(api, json, args).await,
        DlqCommand::Purge(args) => purge(api, json, args).await,
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

async fn redrive(api: &Api, json: bool, args: &DlqRedrive) -> Result<Output, Trouble> {
    let DlqChoice { ids, filter, all } = &args.choice;
    let DlqFilter { cause, code, queue, shop, order, since, before } = filter;
    let body = PostRedrive {
        ids: ids.clone(),
        cause: cause.clone(),
        code: code.clone(),
        queue: *queue,
        shop: shop.clone(),
        order: *order,
        from: since.clone(),
        before: before.clone(),
        all: *all,
        dry_run: args.dry_run,
        rate: Some(args.rate),
        canary: Some(args.canary),
        reason: args.reason.clone(),
    };
    let begun = api.post("/v1/dead-letters/redrive", &json!(body)).await?;
    let plan: RedriveAnswer = begun.read()?;
    let Some(id) = plan.job_id.as_ref().filter(|_| args.wait) else {
        return shown(begun, json, |_| Ok(print::redrive(&plan, args.dry_run)));
    };
    ended(api, json, id).await
}

async fn purge(api: &Api, json: bool, args: &DlqPurge) -> Result<Output, Trouble> {
    let DlqChoice { ids, filter, all } = &args.choice;
    let DlqFilter { cause, code, queue, shop, order, since, before } = filter;
    let body = PostPurge {
        ids: ids.clone(),
        cause: cause.clone(),
        code: code.clone(),
        queue: *queue,
        shop: shop.clone(),
        order: *order,
        from: since.clone(),
        before: before.clone(),
        all: *all,
        confirm: args.confirm,
        reason: args.reason.clone(),
    };
    let begun = api.post("/v1/dead-letters/purge", &json!(body)).await?;
    let plan: PurgeAnswer = begun.read()?;
    if args.wait {
        return ended(api, json, &plan.job_id).await;
    }
    shown(begun, json, |_| Ok(print::purge(&plan)))
}

/// Waits for a job, and says what came of it.
pub(super) async fn ended(api: &Api, json: bool, id: &str) -> Result<Output, Trouble> {
    let answer = wait::until(api, &job_path(id), |answer: &Answer| {
        let job: JobAnswer = answer.read()?;
        Ok(match job.state {
            JobPhase::Running => Seen::Open(format!("{}, {} went, {} wait", job.verdict, job.sent, job.parked)),
            JobPhase::Done | JobPhase::Stopped | JobPhase::Unknown => Seen::Settled,
        })
    })
    .await?;
    let job: JobAnswer = answer.read()?;
    let ok = job.state == JobPhase::Done && job.done == job.total;
    Ok(Output { text: if json { answer.raw } else { print::job(&job) }, ok })
}

/// How far a job has come.
pub(super) async fn job(api: &Api, json: bool, id: &str) -> Result<Output, Trouble> {
    let answer = api.get(&job_path(id), &[]).await?;
    shown(answer, json, |answer| Ok(print::job(&answer.read()?)))
}

fn job_path(id: &str) -> String {
    format!("/v1/jobs/{id}")
}

/// What was typed, as the API takes it.
fn query_of(filter: &DlqFilter) -> Vec<(&'static str, String)> {
    let DlqFilter { cause, code, queue, shop, order, since, before } = filter;
    let typed = [
        ("cause", cause.clone()),
        ("code", code.clone()),
        ("queue", queue.map(|queue| queue.to_string())),
        ("shop", shop.as_ref().map(ToString::to_string)),
        ("order", order.map(|order| order.to_string())),
        ("from", since.clone()),
        ("before", before.clone()),
    ];
    given(typed.into_iter())
}
