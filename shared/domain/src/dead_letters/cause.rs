//! Causes: by what dead letters failed alike.

use std::hash::Hash;

use super::DeadLetter;
use crate::code::Code;
use crate::fingerprint::fingerprint;

impl DeadLetter {
    /// What went wrong, as a short name that all dead letters of one cause share: the code, the kind of step, the store that
    /// it failed at and, where that code is given for anything that a store refuses, the words of the refusal.
    #[must_use]
    pub fn cause(&self) -> String {
        let words = match self.code {
            Code::Rejected | Code::AccessDenied | Code::Crashed | Code::Unknown => {
                self.last_failure.as_ref().map(|it| shape(&it.message))
            }
            _ => None,
        };
        // By its name: in another release it may have another place among the codes.
        short_cause(&(self.code.name(), self.id.kind(), self.id.failed_at(), words))
    }
}

/// A person reads and types it.
const CAUSE_DIGITS: usize = 8;

/// The name of a cause, by what all of it have in common.
pub(crate) fn short_cause(of: &impl Hash) -> String {
    let mut cause = fingerprint(of);
    cause.truncate(CAUSE_DIGITS);
    cause
}

/// A message without what differs from order to order: numbers, and what stands in quotes.
fn shape(message: &str) -> String {
    let mut shape = String::new();
    let mut quote = None;
    for character in message.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => {
                quote = Some(character);
                shape.push('…');
            }
            (None, _) if character.is_ascii_digit() => {
                if !shape.ends_with('#') {
                    shape.push('#');
                }
            }
            (None, _) => shape.push(character),
        }
    }
    shape
}
