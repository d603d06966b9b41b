//! The keys of both tables. docs/ARCHITECTURE.md shows them beside the questions they answer.

use jiff::Timestamp;
use roundtrip_domain::id::{LabelId, OrderRef, ShopDomain, VariantId};
use roundtrip_domain::links::Watch;
use roundtrip_domain::record::{List, RowKey};
use roundtrip_domain::registry::MatchBy;
use roundtrip_domain::step::StepId;

/// How many partitions the `due` index is spread over.
pub(crate) const DUE_SHARDS: u8 = 8;

pub(crate) fn order_pk(order: &OrderRef) -> String {
    format!("ORDER#{}#{}", order.shop, order.id)
}

pub(crate) fn shop_pk(shop: &ShopDomain) -> String {
    format!("SHOP#{shop}")
}

pub(crate) fn row_sk(key: &RowKey) -> String {
    match key {
        RowKey::Summary => "ORDER".into(),
        RowKey::Shipments => "ORDER#SHIPMENTS".into(),
        RowKey::Sync => "ORDER#SYNC".into(),
        RowKey::Warned => "ORDER#WARNINGS".into(),
        RowKey::Origin => "ORIGIN".into(),
        RowKey::Personal => "PERSONAL".into(),
        RowKey::Request(id) => format!("REQUEST#{id}"),
        RowKey::Label(id) => format!("SHIPMENT#{id}"),
        RowKey::Step(step) => step_sk(step),
    }
}

/// The row that a sort key names; `None` for the history and for rows of a later release.
pub(crate) fn row_key(sk: &str) -> Option<RowKey> {
    match sk.split_once('#') {
        None => match sk {
            "ORDER" => Some(RowKey::Summary),
            "ORIGIN" => Some(RowKey::Origin),
            "PERSONAL" => Some(RowKey::Personal),
            _ => None,
        },
        Some(("ORDER", "SHIPMENTS")) => Some(RowKey::Shipments),
        Some(("ORDER", "SYNC")) => Some(RowKey::Sync),
        Some(("ORDER", "WARNINGS")) => Some(RowKey::Warned),
        Some(("REQUEST", id)) => Some(RowKey::Request(id.to_owned())),
        Some(("SHIPMENT", label)) => label.parse::<LabelId>().ok().map(RowKey::Label),
        Some(("STEP", step)) => step.parse::<StepId>().ok().map(RowKey::Step),
        Some(_) => None,
    }
}

/// All rows of an order but its history: the history sorts before them.
pub(crate) const FIRST_ROW: &str = "ORDER";
/// Behind the last row of an order.
pub(crate) const LAST_ROW: &str = "STEP~";
pub(crate) const HISTORY: &str = "HISTORY#";

/// Of a shop's partition: connections, inbound connections, the location map and the shop itself, but
/// neither its token nor its product links.
pub(crate) const FIRST_OF_SHOP: &str = "CONNECTION#";
pub(crate) const LOCATIONS: &str = "LOCATIONS";
pub(crate) const SHOP: &str = "SHOP";
pub(crate) const TOKEN: &str = "TOKEN";

/// Versions of settings: behind the shop itself, so that they are not read with it.
pub(crate) const VERSIONS: &str = "VERSION#";

/// The partition that lists all shops, by domain.
pub(crate) const ALL_SHOPS: &str = "SHOPS";

/// The partition that lists who took which causes, by cause.
pub(crate) const OWNERS: &str = "OWNERS";

/// The one row of a request that came with a key.
pub(crate) const KEYED: &str = "KEY";

/// What a job has to do.
pub(crate) const JOB: &str = "JOB";
/// How far it has come.
pub(crate) const JOB_PROGRESS: &str = "PROGRESS";

/// The list of the jobs that are open. No shop has that name.
pub(crate) const OPEN_JOBS: &str = "JOBS#open";

pub(crate) fn job_pk(id: &str) -> String {
    format!("JOB#{id}")
}

/// The partition of a request that came with a key, by a fingerprint of it.
pub(crate) fn keyed_pk(fingerprint: &str) -> String {
    format!("KEY#{fingerprint}")
}

pub(crate) fn step_sk(id: &StepId) -> String {
    format!("STEP#{id}")
}

pub(crate) fn connection_sk(source: &ShopDomain) -> String {
    format!("CONNECTION#{source}")
}

pub(crate) fn inbound_sk(destination: &ShopDomain) -> String {
    format!("INBOUND#{destination}")
}

/// Product links by the destination's variant.
pub(crate) const VARIANTS: &str = "VARIANT#";

pub(crate) fn link_sk(variant: VariantId) -> String {
    format!("{VARIANTS}{variant}")
}

/// A sort key holds 1,024 bytes, and a character takes up to four. Of longer values that begin alike one row names all links.
const MAX_WATCHED_CHARS: usize = 200;

/// Which links a change concerns: behind the shop itself, so that they are not read with it.
pub(crate) fn watch_sk(watch: &Watch) -> String {
    let begin = |value: &str| value.chars().take(MAX_WATCHED_CHARS).collect::<String>();
    match watch {
        Watch::Product(product) => format!("WATCH#PRODUCT#{product}"),
        Watch::Value(MatchBy::Sku, value) => format!("WATCH#SKU#{}", begin(value)),
        Watch::Value(MatchBy::Barcode, value) => format!("WATCH#BARCODE#{}", begin(value)),
    }
}

/// A version of a shop's settings, or of those of its connection to `source`.
pub(crate) fn version_sk(source: Option<&ShopDomain>, version: u64) -> String {
    let of = source.map_or_else(|| SHOP.to_owned(), connection_sk);
    format!("{VERSIONS}{of}#{version:08}")
}

/// A time that sorts as text: always milliseconds, always UTC.
pub(crate) fn sortable(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

pub(crate) fn status_pk(shop: &ShopDomain, list: List) -> String {
    format!("{shop}#{list}")
}

pub(crate) fn status_sk(created_at: Timestamp, order: &OrderRef) -> String {
    format!("{}#{}", sortable(created_at), order.id)
}

/// Where a parked step of an order, or of a shop, stands among all that is parked.
pub(crate) fn parked_sk(at: Timestamp, of: &impl std::fmt::Display, step: &StepId) -> String {
    format!("{}#{of}#{step}", sortable(at))
}

/// A stable spread of partitions over the shards.
pub(crate) fn due_shard(pk: &str) -> String {
    let sum: u32 = pk.bytes().map(u32::from).sum();
    (sum % u32::from(DUE_SHARDS)).to_string()
}

#[cfg(test)]
mod tests {
    use roundtrip_domain::step::Look;

    use super::*;

    #[test]
    fn a_sort_key_is_read_back_as_the_row_it_names() {
        let keys = [
            RowKey::Summary,
            RowKey::Shipments,
            RowKey::Sync,
            RowKey::Warned,
            RowKey::Origin,
            RowKey::Personal,
            RowKey::Request("r-1".into()),
            RowKey::Label("se-1".parse().unwrap()),
            RowKey::Step(StepId::Tags),
            RowKey::Step("label/se-1".parse().unwrap()),
            RowKey::Step(StepId::Look(Look::Order)),
            RowKey::Step(StepId::Look(Look::Shipments)),
            RowKey::Step("push/sun.myshopify.com/1".parse().unwrap()),
            RowKey::Step("cancel/sun.myshopify.com/1".parse().unwrap()),
        ];
        for key in keys {
            let sk = row_sk(&key);
            assert_eq!(row_key(&sk), Some(key));
            assert!(sk.as_str() >= FIRST_ROW && sk.as_str() < LAST_ROW, "{sk} is read with the record");
        }
        assert!(HISTORY < FIRST_ROW);
    }

    #[test]
    fn what_is_watched_fits_a_key_and_is_not_read_with_its_shop() {
        for by in [MatchBy::Sku, MatchBy::Barcode] {
            let sk = watch_sk(&Watch::Value(by, "\u{1f941}".repeat(255)));

            assert!(sk.len() <= 1024 && sk.as_str() > SHOP);
        }
    }

    #[test]
    fn times_sort_as_text() {
        let whole = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let later = Timestamp::from_millisecond(1_700_000_000_001).unwrap();

        assert_eq!(sortable(whole), "2023-11-14T22:13:20.000Z");
        assert!(sortable(whole) < sortable(later));
    }
}
