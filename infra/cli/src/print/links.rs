//! Product links, and what came of matching.

use roundtrip_api::links::{ListedLink, MatchAnswer, UnresolvedRow};
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::registry::{LinkedBy, MatchBy};

use super::{labelled, lay_out, name, plain, table};

/// So many of a kind are shown: a report of more is read in a spreadsheet.
const SHOWN: usize = 50;
const COLUMNS: [&str; 7] =
    ["outcome", "destination_variant", "title", "value", "source_variant", "source_title", "candidates"];

/// What came of pairs that a person gave.
pub(crate) fn links_made(
    linked: usize,
    (destination, source): (&ShopDomain, &ShopDomain),
    unresolved: &[(u64, UnresolvedRow)],
) -> String {
    let variants = if linked == 1 { "variant" } else { "variants" };
    let mut text = format!("{linked} {variants} of {destination} linked to {source}");
    if unresolved.is_empty() {
        return text;
    }
    let mut table = table();
    for (line, row) in unresolved {
        let candidates: Vec<String> =
            row.variants.iter().map(|variant| format!("{} ({})", variant.id, variant.title)).collect();
        let what = if candidates.is_empty() {
            format!("{} has no variant with this SKU", row.shop)
        } else {
            format!("several variants of {} have it: {}", row.shop, candidates.join(", "))
        };
        table.add_row([format!("line {line}"), row.field.clone(), row.value.clone(), what]);
    }
    text.push_str("\nnot linked:\n");
    text.push_str(&lay_out(table, &[], 2));
    text
}

/// What came of matching all variants.
pub(crate) fn matched(
    report: &MatchAnswer,
    (destination, source): (&ShopDomain, &ShopDomain),
    by: MatchBy,
    dry_run: bool,
) -> String {
    let done = if dry_run { "would be linked" } else { "linked" };
    let mut text = format!("{destination} matched with {source} by {by}\n");
    text.push_str(&labelled(&[
        (done, report.linked.len().to_string()),
        ("ambiguous", report.ambiguous.len().to_string()),
        ("missing", report.missing.len().to_string()),
        ("kept", report.kept.to_string()),
    ]));
    let mut table = table();
    for row in report.ambiguous.iter().take(SHOWN) {
        let candidates: Vec<String> =
            row.source_variants.iter().map(|variant| format!("{} ({})", variant.id, variant.title)).collect();
        let cells = [row.destination_variant.to_string(), row.title.clone(), row.value.clone(), candidates.join(", ")];
        table.add_row(cells);
    }
    section(&mut text, &format!("ambiguous: several variants of {source} carry it"), table, report.ambiguous.len());
    let mut table = super::table();
    for row in report.missing.iter().take(SHOWN) {
        let value = row.value.clone().unwrap_or_else(|| format!("no {by}"));
        table.add_row([row.destination_variant.to_string(), row.title.clone(), value]);
    }
    section(&mut text, &format!("missing: no variant of {source} carries it"), table, report.missing.len());
    text
}

fn section(text: &mut String, title: &str, table: comfy_table::Table, all: usize) {
    if all == 0 {
        return;
    }
    text.push_str(&format!("\n\n{title}\n{}", lay_out(table, &[], 2)));
    if all > SHOWN {
        text.push_str(&format!("\n  and {} more: --csv <FILE> writes all of them", all - SHOWN));
    }
}

/// The same as CSV, all of it.
pub(crate) fn match_csv(report: &MatchAnswer) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let to_memory = "writing to memory does not fail";
    writer.write_record(COLUMNS).expect(to_memory);
    for row in &report.linked {
        let (sold, held) = (row.destination_variant.to_string(), row.source_variant.to_string());
        let [title, value, source_title] = [&row.title, &row.value, &row.source_title].map(|text| plain(text));
        writer.write_record(["linked", &sold, &title, &value, &held, &source_title, ""]).expect(to_memory);
    }
    for row in &report.ambiguous {
        let candidates: Vec<String> = row.source_variants.iter().map(|variant| variant.id.to_string()).collect();
        let (sold, title, value) = (row.destination_variant.to_string(), plain(&row.title), plain(&row.value));
        writer.write_record(["ambiguous", &sold, &title, &value, "", "", &candidates.join(" ")]).expect(to_memory);
    }
    for row in &report.missing {
        let (sold, value) = (row.destination_variant.to_string(), plain(row.value.as_deref().unwrap_or_default()));
        writer.write_record(["missing", &sold, &plain(&row.title), &value, "", "", ""]).expect(to_memory);
    }
    String::from_utf8(writer.into_inner().expect(to_memory)).expect("CSV of texts is text")
}

/// Links, one a line.
pub(crate) fn links(links: &[ListedLink], trouble: bool) -> String {
    if links.is_empty() {
        return if trouble { "no link is in trouble" } else { "no links" }.to_owned();
    }
    let mut table = table();
    let troubled = links.iter().any(|link| link.trouble.is_some());
    let header = ["VARIANT", "SOURCE VARIANT", "BY"].into_iter();
    table.set_header(header.chain(troubled.then_some(["TROUBLE", "WHY"]).into_iter().flatten()));
    for link in links {
        let by = match &link.by {
            LinkedBy::Given => "id".to_owned(),
            LinkedBy::Named { sku } => format!("given SKU {sku}"),
            LinkedBy::Matched { by, value } => format!("{by} {value}"),
            LinkedBy::Unknown => "unknown".to_owned(),
        };
        let mut row = vec![link.destination_variant.to_string(), link.source_variant.to_string(), by];
        if let Some(trouble) = &link.trouble {
            row.extend([name(&trouble.code), trouble.detail.clone()]);
        }
        table.add_row(row);
    }
    lay_out(table, &[], 0)
}
