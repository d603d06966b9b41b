//! `link`, `links …`.

use std::path::Path;
use std::time::Duration;

use roundtrip_api::links::{LinksAnswer, LinksPut, MatchAnswer, PostMatch, PutLinks};
use roundtrip_domain::registry::MatchBy;
use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::cli::{LinkArgs, LinksCommand, ListLinks, MatchArgs};
use crate::out::Output;
use crate::pairs::{self, Row};
use crate::print;
use crate::trouble::Trouble;
use crate::wait::Progress;

/// The API takes so many links in one request.
const LINKS_AT_ONCE: usize = 250;
/// A store's rate limit restores in less.
const PAUSES: [u64; 6] = [2, 5, 10, 20, 30, 60];

pub(super) async fn run(api: &Api, json: bool, command: &LinksCommand) -> Result<Output, Trouble> {
    match command {
        LinksCommand::Match(args) => match_all(api, json, args).await,
        LinksCommand::List(args) => list(api, json, args).await,
        LinksCommand::Remove { destination, source, variant } => {
            let answer = api.delete(&format!("/v1/connections/{destination}/{source}/links/{variant}")).await?;
            super::shown(answer, json, |_| {
                Ok(format!("variant {variant} of {destination} is not linked to {source} any more"))
            })
        }
    }
}

/// Links all pairs, as many at once as the API takes. With `--json` each answer is a line.
pub(super) async fn link(api: &Api, json: bool, args: &LinkArgs) -> Result<Output, Trouble> {
    let rows = match &args.csv {
        Some(path) => pairs::read_file(path)?,
        None => args.pairs.iter().zip(1..).map(|(pair, line)| Row { line, pair: pair.clone() }).collect(),
    };
    let (mut linked, mut unresolved) = (0, Vec::new());
    let mut answers = Vec::new();
    for some in rows.chunks(LINKS_AT_ONCE) {
        let body = PutLinks {
            destination: args.destination.clone(),
            source: args.source.clone(),
            links: some.iter().map(|row| row.pair.clone()).collect(),
        };
        let answer = patiently(api, "/v1/links", &json!(body)).await.map_err(|trouble| {
            let from = some.first().map_or(1, |row| row.line);
            let trouble = if args.csv.is_some() { trouble.after(&format!("links[0] is line {from}")) } else { trouble };
            let all = rows.len();
            match linked {
                0 => trouble,
                _ => trouble.after(&format!("{linked} of {all} were linked before; it is safe to link them again")),
            }
        })?;
        let told: LinksPut = answer.read()?;
        linked += told.linked;
        for row in told.missing.into_iter().chain(told.ambiguous) {
            let line = some.get(row.row.saturating_sub(1)).map_or(0, |row| row.line);
            unresolved.push((line, row));
        }
        answers.push(answer.raw);
    }
    unresolved.sort_by_key(|(line, _)| *line);
    let ok = unresolved.is_empty();
    let text = if json {
        answers.join("\n")
    } else {
        print::links_made(linked, (&args.destination, &args.source), &unresolved)
    };
    Ok(Output { text, ok })
}

/// Matches all pages. With `--json` each answer is a line.
async fn match_all(api: &Api, json: bool, args: &MatchArgs) -> Result<Output, Trouble> {
    let by = MatchBy::from(args.by);
    let mut report = MatchAnswer::default();
    let progress = Progress::begin();
    let mut answers = Vec::new();
    loop {
        let body = PostMatch {
            destination: args.destination.clone(),
            source: args.source.clone(),
            by,
            after: report.next.take(),
            dry_run: args.dry_run,
        };
        let answer =
            patiently(api, "/v1/links/match", &json!(body)).await.map_err(|trouble| match report.linked.len() {
                0 => trouble,
                n => trouble.after(&format!("{n} were matched before; it is safe to match them again")),
            })?;
        let page: MatchAnswer = answer.read()?;
        answers.push(answer.raw);
        report.linked.extend(page.linked);
        report.ambiguous.extend(page.ambiguous);
        report.missing.extend(page.missing);
        report.kept += page.kept;
        report.next = page.next;
        let seen = report.linked.len() + report.ambiguous.len() + report.missing.len() + report.kept;
        if report.next.is_none() {
            break;
        }
        progress.show(&format!("{seen} variants so far"));
    }
    if let Some(path) = &args.csv {
        write(path, &print::match_csv(&report))?;
    }
    let stores = (&args.destination, &args.source);
    Ok(Output::done(if json { answers.join("\n") } else { print::matched(&report, stores, by, args.dry_run) }))
}

fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    std::fs::write(path, text).map_err(|error| {
        let remedy = "give a file that can be written; matching again does no harm";
        Trouble::failed(format!("{} cannot be written: {error}", path.display()), remedy)
    })
}

/// All links, or those in trouble. With `--json` each page is a line.
async fn list(api: &Api, json: bool, args: &ListLinks) -> Result<Output, Trouble> {
    let path = format!("/v1/connections/{}/{}/links", args.destination, args.source);
    let (mut links, mut answers) = (Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let mut query = vec![("limit", "250".to_owned())];
        query.extend(args.trouble.then(|| ("trouble", "true".to_owned())));
        query.extend(after.map(|after: roundtrip_domain::id::VariantId| ("after", after.to_string())));
        let answer = api.get(&path, &query).await?;
        let page: LinksAnswer = answer.read()?;
        answers.push(answer.raw);
        links.extend(page.links);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(Output::done(if json { answers.join("\n") } else { print::links(&links, args.trouble) }))
}

/// A store that is busy is asked again; nothing was lost.
async fn patiently(api: &Api, path: &str, body: &Value) -> Result<Answer, Trouble> {
    for pause in PAUSES {
        match api.post(path, body).await {
            Err(trouble) if trouble.is_busy() => tokio::time::sleep(Duration::from_secs(pause)).await,
            other => return other,
        }
    }
    api.post(path, body).await
}
