//! Redrives and purges, and how far a job has come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::dead_letters::{CodeCount, PostPurge, PostRedrive, PurgeAnswer, RedriveAnswer};
use roundtrip_api::jobs::{JobAnswer, JobKind, JobPhase};
use roundtrip_api::problem::ProblemCode;
use roundtrip_domain::code::Code;
use roundtrip_domain::dead_letters::{DeadLetterId, Filter, find, these};
use roundtrip_domain::jobs::{
    DEFAULT_RATE, Fate, Job, JobState, MAX_CANARY, MAX_RATE, Work, begin, fates_of, progress, that_fit,
};
use roundtrip_domain::ports::{Jobs, LedgerError};
use roundtrip_domain::{Unfinished, error_chain};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use super::auth::Operator;
use super::dead_letters::filter;
use super::error::ApiError;
use super::extract::{Json, Path};
use super::request::RequestId;
use crate::compose::Api;

const MAX_IDS: usize = 250;
const MAX_REASON_CHARS: usize = 500;
/// So many are named in an answer.
const NAMED: usize = 10;

/// Sets parked steps going again: each once, however often it is asked for. Answers with a job.
#[utoipa::path(post, path = "/v1/dead-letters/redrive", tag = "dead letters", request_body = PostRedrive,
    responses((status = 200, body = RedriveAnswer), (status = 202, body = RedriveAnswer)))]
pub(super) async fn redrive(
    operator: Operator,
    State(api): State<Arc<Api>>,
    RequestId(id): RequestId,
    Json(body): Json<PostRedrive>,
) -> Answer<RedriveAnswer> {
    if let Some(Job { work: Work::Redrive(letters), rate, canary, not_parked, .. }) = begun(&api, &id).await? {
        let answer = planned((&letters, not_parked, false), Vec::new(), (rate, canary));
        return Ok((StatusCode::ACCEPTED, Json(RedriveAnswer { job_id: Some(id), ..answer })));
    }
    let rate = body.rate.unwrap_or(DEFAULT_RATE);
    if !(1..=MAX_RATE).contains(&rate) {
        return Err(ApiError::field("rate", format!("{rate} is out of range: give 1 to {MAX_RATE} a second")));
    }
    let canary = usize::from(body.canary.unwrap_or(0));
    if canary > MAX_CANARY {
        return Err(ApiError::field("canary", format!("{canary} is out of range: give 0 to {MAX_CANARY}")));
    }
    let PostRedrive { ids, cause, code, queue, shop, order, from, before, all, dry_run, .. } = body;
    let reason = match (&body.reason, dry_run) {
        (None, true) => None,
        (text, _) => Some(self::reason(text.as_deref())?),
    };
    let times = (from.as_deref(), before.as_deref());
    let filter = Filter { cause, queue, shop, order, ..filter(code.as_deref(), times)? };
    let Chosen { letters, codes, not_parked, more } = choose(&api, (&ids, all), &filter).await?;
    let mut answer = planned((&letters, not_parked, more), counted(codes), (rate, canary));
    let Some(reason) = reason.filter(|_| !dry_run && !letters.is_empty()) else {
        return Ok((StatusCode::OK, Json(answer)));
    };
    let now = Timestamp::now();
    let job = Job::new(id.clone(), (now, operator.name), reason, Work::Redrive(letters));
    begin_job(&api, Job { not_parked, rate, canary, ..job }, now).await?;
    answer.job_id = Some(id);
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// The job that this very request began before: it was repeated, because its answer did not arrive.
pub(super) async fn begun(api: &Api, id: &str) -> Result<Option<Job>, ApiError> {
    Ok(api.ledger.job(id).await?.map(|(job, _)| job))
}

fn planned(
    (letters, not_parked, more): (&[DeadLetterId], usize, bool),
    codes: Vec<CodeCount>,
    (rate, canary): (u16, usize),
) -> RedriveAnswer {
    RedriveAnswer {
        job_id: None,
        matched: letters.len(),
        more,
        not_parked,
        codes,
        rate,
        canary,
        takes_secs: letters.len().div_ceil(rate.into()),
        first: letters.iter().take(NAMED).cloned().collect(),
    }
}

/// Takes parked steps off the list, for good: nothing more is done about them, and their letters are taken off the
/// dead-letter queues. They keep their failures, and whatever asks for them anew sets them going.
#[utoipa::path(post, path = "/v1/dead-letters/purge", tag = "dead letters", request_body = PostPurge,
    responses((status = 202, body = PurgeAnswer)))]
pub(super) async fn purge(
    operator: Operator,
    State(api): State<Arc<Api>>,
    RequestId(id): RequestId,
    Json(body): Json<PostPurge>,
) -> Answer<PurgeAnswer> {
    if let Some(Job { work: Work::Purge(letters), .. }) = begun(&api, &id).await? {
        let answer = PurgeAnswer { job_id: id, matched: letters.len(), more: false, codes: Vec::new() };
        return Ok((StatusCode::ACCEPTED, Json(answer)));
    }
    let PostPurge { ids, cause, code, queue, shop, order, from, before, all, confirm, .. } = body;
    let reason = reason(Some(&body.reason))?;
    let times = (from.as_deref(), before.as_deref());
    let filter = Filter { cause, queue, shop, order, ..filter(code.as_deref(), times)? };
    let Chosen { letters, codes, more, .. } = choose(&api, (&ids, all), &filter).await?;
    let matched = letters.len();
    if matched == 0 {
        let remedy = "`roundtrip dlq list` shows what is parked";
        return Err(ApiError::not_found("nothing of that is parked", remedy));
    }
    if confirm != Some(matched) {
        let what = format!("{matched} dead letters would be purged");
        let remedy =
            format!("look at them (`roundtrip dlq list`), then say how many: `confirm`, or `--confirm {matched}`");
        return Err(ApiError::new(ProblemCode::ConfirmRequired, what, remedy).at("confirm"));
    }
    let now = Timestamp::now();
    begin_job(&api, Job::new(id.clone(), (now, operator.name), reason, Work::Purge(letters)), now).await?;
    let answer = PurgeAnswer { job_id: id, matched, more, codes: counted(codes) };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// Writes a job down; it goes on by itself.
pub(super) async fn begin_job(api: &Api, job: Job, now: Timestamp) -> Result<(), ApiError> {
    let (id, actor, items, kind) = (job.id.clone(), job.asked_by.clone(), job.work.len(), kind(&job.work));
    match begin(&api.ledger, &api.tasks, job, now).await {
        Ok(_) | Err(Unfinished::Ledger(LedgerError::Conflict)) => {}
        Err(Unfinished::Ledger(error)) => return Err(error.into()),
        Err(error) => tracing::warn!(error = error_chain(&error), job.id = id, "the job goes on within a minute"),
    }
    tracing::info!(actor, job.id = id, job.kind = ?kind, job.items = items, "job requested");
    Ok(())
}

fn kind(work: &Work) -> JobKind {
    match work {
        Work::Redrive(_) => JobKind::Redrive,
        Work::Resend(_) => JobKind::Resend,
        Work::Purge(_) => JobKind::Purge,
    }
}

/// Why somebody wants it, in that person's words.
pub(super) fn reason(text: Option<&str>) -> Result<String, ApiError> {
    match text.map(str::trim) {
        None => Err(ApiError::field("reason", "it is missing: say why, it stands in the history of each order")),
        Some("") => Err(ApiError::field("reason", "it is empty: say why, in a few words")),
        Some(reason) if reason.chars().count() > MAX_REASON_CHARS => {
            Err(ApiError::field("reason", format!("it has more than {MAX_REASON_CHARS} characters: say it shorter")))
        }
        Some(reason) => Ok(reason.to_owned()),
    }
}

/// What a redrive or a purge is for.
struct Chosen {
    letters: Vec<DeadLetterId>,
    codes: BTreeMap<Code, usize>,
    not_parked: usize,
    more: bool,
}

/// `ids`, or what `filter` lets through; `all`, where it lets everything through.
async fn choose(api: &Api, (ids, all): (&[DeadLetterId], bool), filter: &Filter) -> Result<Chosen, ApiError> {
    if ids.len() > MAX_IDS {
        return Err(ApiError::field(
            "ids",
            format!("more than {MAX_IDS} are too many at once: give what they have in common"),
        ));
    }
    if *filter == Filter::default() && ids.is_empty() && !all {
        return Err(ApiError::field("all", "nothing says which: give `ids`, or what they have in common, or `all`"));
    }
    let (letters, not_parked, more) = if ids.is_empty() {
        let (mut found, more) = find(&api.ledger, filter).await?;
        if found.is_empty() && more {
            let what = "more is parked than one question looks through, and the oldest of it is nothing of that";
            let remedy = "say since when it is parked: `from`, or `--since`";
            return Err(ApiError::new(ProblemCode::InvalidValue, what, remedy).at("from"));
        }
        let most = that_fit(found.iter().map(|letter| &letter.id));
        let more = more || most < found.len();
        found.truncate(most);
        (found, 0, more)
    } else {
        let mut parked = these(&api.ledger, ids).await?;
        let asked: BTreeSet<&DeadLetterId> = ids.iter().collect();
        let not_parked = asked.len() - parked.len();
        parked.retain(|letter| filter.lets_through(letter));
        (parked, not_parked, false)
    };
    let mut codes = BTreeMap::new();
    for letter in &letters {
        *codes.entry(letter.code).or_default() += 1;
    }
    let letters = letters.into_iter().map(|letter| letter.id).collect();
    Ok(Chosen { letters, codes, not_parked, more })
}

fn counted(codes: BTreeMap<Code, usize>) -> Vec<CodeCount> {
    codes.into_iter().map(|(code, count)| CodeCount { code, count }).collect()
}

/// Which job.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct JobPath {
    id: String,
}

/// How far a job has come: of each step or order that it is for, the ledger says what came of it.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "dead letters", params(JobPath), responses((status = 200, body = JobAnswer)))]
pub(super) async fn show(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(JobPath { id }): Path<JobPath>,
) -> Answer<JobAnswer> {
    let unknown = || ApiError::not_found("there is no such job", "what began it told its id; a job is kept for a year");
    // No id is longer, and no key of the table may be.
    if id.len() > 100 {
        return Err(unknown());
    }
    let (job, _) = api.ledger.job(&id).await?.ok_or_else(unknown)?;
    let fates = fates_of(&api.ledger, &job).await?;
    Ok((StatusCode::OK, Json(shown(job, &fates))))
}

fn shown(job: Job, fates: &[Fate]) -> JobAnswer {
    let (total, kind) = (job.work.len(), kind(&job.work));
    // It is over before that is written down.
    let is_over = job.sent == total && fates.iter().all(|fate| fate.is_final());
    let (state, why) = match job.state {
        JobState::Open if !is_over => (JobPhase::Running, None),
        JobState::Open | JobState::Done { .. } => (JobPhase::Done, None),
        JobState::Stopped { why, .. } => (JobPhase::Stopped, Some(why)),
    };
    let come = progress(fates);
    let done = come.done;
    let verdict = match kind {
        JobKind::Resend => format!("tracking written back for {done} of {total}"),
        JobKind::Purge => format!("{done} of {total} purged"),
        JobKind::Redrive | JobKind::Unknown => format!("{done} of {total} done"),
    };
    JobAnswer {
        id: job.id,
        kind,
        state,
        why,
        asked_at: job.asked_at,
        asked_by: job.asked_by,
        reason: job.reason,
        rate: job.rate,
        canary: job.canary,
        total,
        not_parked: job.not_parked,
        sent: job.sent,
        done,
        running: come.running,
        failed: counted(come.failed),
        dropped: come.dropped,
        parked: come.parked,
        verdict,
    }
}
