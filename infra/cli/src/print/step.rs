//! How far a step has come: its wait, its failure, whether it is parked.

use roundtrip_api::step::Progress;
use roundtrip_domain::code::Code;
use roundtrip_domain::step::{Failure, Wait};

use super::awaited::awaited;
use super::time;

/// What there is to say of a step beyond its state, one line each.
pub(super) fn progress(progress: &Progress) -> Vec<String> {
    let Progress { wait, attempts, failure, parked, .. } = progress;
    let mut lines = Vec::new();
    if let Some(wait) = wait {
        lines.push(waits(wait));
    }
    if let Some(failure) = failure {
        let Failure { at, code, message, request_id } = failure;
        let times = match attempts {
            0 => String::new(),
            n => format!(" (attempt {n})"),
        };
        lines.push(format!("failed {}{times}", time(*at)));
        lines.extend(explained(*code, Some(message), request_id.as_deref()));
    }
    if let Some(code) = parked {
        lines.push(format!("parked for {code}: nothing more happens until somebody acts"));
        if failure.as_ref().is_none_or(|failure| failure.code != *code) {
            lines.push(format!("  remedy: {}", code.remedy()));
        }
    }
    lines
}

/// A wait, in one line.
pub(super) fn waits(wait: &Wait) -> String {
    format!("waits until {} for {}", time(wait.until), awaited(wait.why))
}

/// A code with its message, Shopify's request id and the remedy, one line each.
pub(super) fn explained(code: Code, message: Option<&str>, request_id: Option<&str>) -> Vec<String> {
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    let mut lines = vec![format!("  {code}{message}")];
    if let Some(id) = request_id {
        lines.push(format!("  Shopify request id: {id}"));
    }
    lines.push(format!("  remedy: {}", code.remedy()));
    lines
}
