//! Product links as they are typed, or as a merchant keeps them in a CSV file.

use std::collections::BTreeMap;
use std::path::Path;

use roundtrip_api::links::PutLink;
use roundtrip_domain::id::{InvalidId, VariantId};

use crate::trouble::Trouble;

/// A pair and where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) pair: PutLink,
}

/// Why a text is not a pair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPair {
    #[error("there is no `=` in it: give <destination variant>=<source variant>, e.g. 12=34")]
    NoEquals,
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// A pair of ids as it is typed: `12=34`.
pub(crate) fn pair(text: &str) -> Result<PutLink, InvalidPair> {
    let (destination, source) = text.split_once('=').ok_or(InvalidPair::NoEquals)?;
    let (destination, source) = (destination.trim().parse()?, source.trim().parse()?);
    Ok(PutLink { destination_variant: Some(destination), source_variant: Some(source), ..PutLink::default() })
}

/// The columns of each side: by id, or else by SKU.
const COLUMNS: [[&str; 2]; 2] = [["destination_variant", "destination_sku"], ["source_variant", "source_sku"]];
const REMEDY: &str = "correct the file and run the command again; nothing was linked";

/// The pairs of the CSV file at `path`.
pub(crate) fn read_file(path: &Path) -> Result<Vec<Row>, Trouble> {
    let shown = path.display();
    let file = std::fs::File::open(path)
        .map_err(|error| Trouble::failed(format!("{shown} cannot be read: {error}"), "give a CSV file that exists"))?;
    let rows = read(file).map_err(|what| Trouble::failed(format!("{shown}, {what}"), REMEDY))?;
    if rows.is_empty() {
        return Err(Trouble::failed(format!("{shown} has no rows"), "put one link in each row below the header"));
    }
    Ok(rows)
}

/// The column by which a side is given, and where it stands.
#[derive(Clone, Copy)]
struct Column {
    name: &'static str,
    at: usize,
}

/// Other columns are left alone: merchants keep titles beside the ids, and SKUs where ids are given.
fn read(from: impl std::io::Read) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(from);
    let header = reader.headers().map_err(|error| explain(&error))?.clone();
    let column = |names: [&'static str; 2]| {
        let found =
            names.into_iter().find_map(|name| Some(Column { name, at: header.iter().position(|it| it == name)? }));
        found.ok_or_else(|| {
            let [id, sku] = names;
            let headers = COLUMNS.map(|[id, _]| id).join(",");
            format!("line 1: there is no column {id}, and no {sku}: the header must be {headers}, or name SKUs in their place")
        })
    };
    let [destination, source] = COLUMNS;
    let (destination, source) = (column(destination)?, column(source)?);
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| explain(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let (destination_variant, destination_sku) = side(&record, destination, line)?;
        let (source_variant, source_sku) = side(&record, source, line)?;
        let name = destination_sku.clone().or(destination_variant.map(|id| id.to_string())).unwrap_or_default();
        if let Some(before) = seen.insert(name.clone(), line) {
            let column = destination.at + 1;
            return Err(format!("line {line}, column {column}: {name} stands in line {before} already"));
        }
        rows.push(Row { line, pair: PutLink { destination_variant, destination_sku, source_variant, source_sku } });
    }
    Ok(rows)
}

fn side(
    record: &csv::StringRecord,
    Column { name, at }: Column,
    line: u64,
) -> Result<(Option<VariantId>, Option<String>), String> {
    let text = record.get(at).unwrap_or_default();
    if !name.ends_with("_sku") {
        let parsed: Result<VariantId, InvalidId> = text.parse();
        let id = parsed.map_err(|error| format!("line {line}, column {} ({name}): {error}", at + 1))?;
        return Ok((Some(id), None));
    }
    if text.is_empty() {
        return Err(format!("line {line}, column {} ({name}): it is empty, give a SKU", at + 1));
    }
    Ok((None, Some(text.to_owned())))
}

fn explain(error: &csv::Error) -> String {
    let line = |position: &Option<csv::Position>| position.as_ref().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            format!("line {}: {len} columns where the header has {expected_len}", line(pos))
        }
        csv::ErrorKind::Utf8 { pos, err } => {
            format!("line {}, column {}: it is not UTF-8 text", line(pos), err.field() + 1)
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(destination: u64, source: u64) -> PutLink {
        let (destination, source) = (VariantId::new(destination), VariantId::new(source));
        PutLink { destination_variant: Some(destination), source_variant: Some(source), ..PutLink::default() }
    }

    fn pairs(file: &str) -> Vec<PutLink> {
        read(file.as_bytes()).unwrap().into_iter().map(|row| row.pair).collect()
    }

    fn told(text: &[u8]) -> String {
        read(text).unwrap_err()
    }

    #[test]
    fn a_pair_is_two_ids_with_an_equals_sign() {
        assert_eq!(pair("12=34"), Ok(ids(12, 34)));
        assert_eq!(pair("gid://shopify/ProductVariant/12=34"), Ok(ids(12, 34)));
        for bad in ["12", "12=", "=34", "12=x", "12=34=56"] {
            assert!(pair(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_may_have_more_columns_in_any_order_and_come_from_a_spreadsheet() {
        let file = "\u{feff}title,source_variant,destination_variant\r\n\"Mug, blue\", 34 ,12\r\nTee,78,56\r\n";

        assert_eq!(pairs(file), [ids(12, 34), ids(56, 78)]);
    }

    #[test]
    fn the_header_says_whether_a_side_is_given_by_id_or_by_sku() {
        let sku = |sku: &str| Some(sku.to_owned());
        let by_skus = PutLink { destination_sku: sku("M-1"), source_sku: sku("S 1"), ..PutLink::default() };
        let mixed =
            PutLink { destination_variant: Some(VariantId::new(12)), source_sku: sku("S-1"), ..PutLink::default() };

        assert_eq!(pairs("source_sku,destination_sku\n S 1 ,M-1\n"), [by_skus]);
        assert_eq!(pairs("destination_variant,source_sku\n12,S-1\n"), [mixed]);
        assert_eq!(pairs("destination_sku,destination_variant,source_variant,source_sku\nx,12,34,y\n"), [ids(12, 34)]);
        assert_eq!(read("destination_sku,source_sku\nM-1,S-1\n".as_bytes()).unwrap()[0].line, 2);
        assert_eq!(
            told(b"destination_sku,source_sku\nM-1,\n"),
            "line 2, column 2 (source_sku): it is empty, give a SKU"
        );
        assert_eq!(
            told(b"destination_sku,source_sku\nM-1,A\nM-1,B\n"),
            "line 3, column 1: M-1 stands in line 2 already"
        );
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_column() {
        assert_eq!(
            told(b"destination_variant,source_variant\n12,34\n56,T-78\n"),
            "line 3, column 2 (source_variant): `T-78` is not a Shopify ProductVariant id: give the number, e.g. \
             5512345678901, or gid://shopify/ProductVariant/5512345678901"
        );
        assert_eq!(
            told(b"destination_variant,source_variant\n12,34\n56,78\n12,90\n"),
            "line 4, column 1: 12 stands in line 2 already"
        );
        assert_eq!(
            told(b"destination_variant,source_variant\n12,34\n56\n"),
            "line 3: 1 columns where the header has 2"
        );
        assert_eq!(told(b"destination_variant,source_variant\n12,\xff\n"), "line 2, column 2: it is not UTF-8 text");
    }

    #[test]
    fn a_missing_header_is_told_with_the_header_that_is_wanted() {
        for file in [&b""[..], b"12,34\n", b"destination_variant;source_variant\n12;34\n"] {
            assert_eq!(
                told(file),
                "line 1: there is no column destination_variant, and no destination_sku: the header must be \
                 destination_variant,source_variant, or name SKUs in their place"
            );
        }
    }
}
