//! What a command says on standard output.

use std::io::Write;

/// A command's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) text: String,
    /// Whether what was asked for has happened; decides the exit code.
    pub(crate) ok: bool,
}

impl Output {
    /// What was asked for has happened.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { text: text.into(), ok: true }
    }
}

/// Prints `text` as it is, with a line's end.
///
/// A reader that went away (`| head`) is no failure, so nothing is done about one; `println!` would panic.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _gone = write!(out, "{text}{end}").and_then(|()| out.flush());
}
