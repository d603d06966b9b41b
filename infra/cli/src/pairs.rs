//! Product links as they are typed, or as a merchant keeps them in a CSV file.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use roundtrip_domain::id::{InvalidId, VariantId};
use serde::Serialize;

use crate::trouble::Trouble;

/// A destination variant and the source variant that is shipped for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Pair {
    pub(crate) destination_variant: VariantId,
    pub(crate) source_variant: VariantId,
}

/// Why a text is not a [`Pair`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPair {
    #[error("there is no `=` in it: give <destination variant>=<source variant>, e.g. 12=34")]
    NoEquals,
    #[error(transparent)]
    Id(#[from] InvalidId),
}

impl FromStr for Pair {
    type Err = InvalidPair;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (destination, source) = text.split_once('=').ok_or(InvalidPair::NoEquals)?;
        Ok(Self { destination_variant: destination.trim().parse()?, source_variant: source.trim().parse()? })
    }
}

const COLUMNS: [&str; 2] = ["destination_variant", "source_variant"];
const REMEDY: &str = "correct the file and run the command again; nothing was linked";

/// The pairs of the CSV file at `path`.
pub(crate) fn read_file(path: &Path) -> Result<Vec<Pair>, Trouble> {
    let shown = path.display();
    let file = std::fs::File::open(path)
        .map_err(|error| Trouble::failed(format!("{shown} cannot be read: {error}"), "give a CSV file that exists"))?;
    let pairs = read(file).map_err(|what| Trouble::failed(format!("{shown}, {what}"), REMEDY))?;
    if pairs.is_empty() {
        return Err(Trouble::failed(format!("{shown} has no rows"), "put one link in each row below the header"));
    }
    Ok(pairs)
}

/// Other columns are left alone: merchants keep titles and SKUs beside the ids.
fn read(from: impl std::io::Read) -> Result<Vec<Pair>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(from);
    let header = reader.headers().map_err(|error| explain(&error))?.clone();
    let mut places = [0; 2];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = header
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| format!("line 1: there is no column {column}, the header must be {}", COLUMNS.join(",")))?;
    }
    let mut seen: BTreeMap<VariantId, u64> = BTreeMap::new();
    let mut pairs = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| explain(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let [destination_variant, source_variant] = variants(&record, places, line)?;
        if let Some(before) = seen.insert(destination_variant, line) {
            let column = places[0] + 1;
            return Err(format!("line {line}, column {column}: {destination_variant} stands in line {before} already"));
        }
        pairs.push(Pair { destination_variant, source_variant });
    }
    Ok(pairs)
}

fn variants(record: &csv::StringRecord, places: [usize; 2], line: u64) -> Result<[VariantId; 2], String> {
    let variant = |n: usize| {
        let text = record.get(places[n]).unwrap_or_default();
        let parsed: Result<VariantId, InvalidId> = text.parse();
        parsed.map_err(|error| format!("line {line}, column {} ({}): {error}", places[n] + 1, COLUMNS[n]))
    };
    Ok([variant(0)?, variant(1)?])
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

    fn pair(destination: u64, source: u64) -> Pair {
        Pair { destination_variant: VariantId::new(destination), source_variant: VariantId::new(source) }
    }

    fn told(text: &[u8]) -> String {
        read(text).unwrap_err()
    }

    #[test]
    fn a_pair_is_two_ids_with_an_equals_sign() {
        assert_eq!("12=34".parse(), Ok(pair(12, 34)));
        assert_eq!("gid://shopify/ProductVariant/12=34".parse(), Ok(pair(12, 34)));
        for bad in ["12", "12=", "=34", "12=x", "12=34=56"] {
            assert!(bad.parse::<Pair>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_may_have_more_columns_in_any_order_and_come_from_a_spreadsheet() {
        let file = "\u{feff}title,source_variant,destination_variant\r\n\"Mug, blue\", 34 ,12\r\nTee,78,56\r\n";

        assert_eq!(read(file.as_bytes()).unwrap(), [pair(12, 34), pair(56, 78)]);
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
                "line 1: there is no column destination_variant, the header must be destination_variant,source_variant"
            );
        }
    }
}
