//! template.yaml as data.

use serde_json::Value;

use crate::dynamodb::project;

/// The template without its short tags: `!Ref LedgerTable` reads as "LedgerTable".
///
/// # Panics
/// If template.yaml cannot be read or is no YAML.
#[must_use]
pub fn read() -> Value {
    let text = std::fs::read_to_string(project().join("template.yaml")).expect("template.yaml stands at the top");
    serde_saphyr::from_str(&text).expect("template.yaml is YAML")
}
