//! An order's history, oldest first.

use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::step::WaitReason;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

use super::awaited::awaited;
use super::step::explained;
use super::time;

/// The API shows so many events at most.
const SHOWN: usize = 100;
/// The actor of what nobody asked for by name.
const OURSELVES: &str = "roundtrip";

/// The heading and the events; `newest_first` as the API gives them.
pub(super) fn history(newest_first: &[HistoryEvent]) -> Vec<String> {
    let heading = if newest_first.len() < SHOWN { "History".to_owned() } else { format!("History (the last {SHOWN})") };
    let mut lines = vec![heading];
    for event in newest_first.iter().rev() {
        lines.push(format!("  {}  {}", time(event.at), told(event)));
        if let Some(code) = event.code {
            let explained = explained(code, event.detail.as_deref(), event.request_id.as_deref());
            lines.extend(explained.into_iter().map(|line| format!("    {line}")));
        }
    }
    lines
}

fn told(event: &HistoryEvent) -> String {
    let HistoryEvent { what, before, after, trigger, actor, code, detail, .. } = event;
    let after = match wait_reason(after) {
        Some(why) => format!("waits for {}", awaited(why)),
        None => after.clone(),
    };
    // Beside a code the detail is its message, and stands there.
    let detail = detail.as_ref().filter(|_| code.is_none()).map(|detail| format!(": {detail}")).unwrap_or_default();
    let by = if actor == OURSELVES { String::new() } else { format!(", by {actor}") };
    format!("{what}  {before} → {after}{detail}  ({trigger}{by})")
}

/// The wait that an event went into. Steps name it by its stored name; states have other names, but for
/// `verifying`, which says the same.
fn wait_reason(after: &str) -> Option<WaitReason> {
    let name: StrDeserializer<'_, Error> = after.into_deserializer();
    let why = WaitReason::deserialize(name).ok()?;
    (why != WaitReason::Unknown && why != WaitReason::Verifying).then_some(why)
}
