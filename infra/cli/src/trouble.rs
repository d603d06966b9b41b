//! What went wrong, in one line, and what to do about it, in another.

use std::fmt;
use std::process::ExitCode;

/// An error as the person at the keyboard sees it. Holds no secret and no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct Trouble {
    what: String,
    remedy: String,
    kind: Kind,
    answer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The command was not typed or set up right: exit code 2, as clap's own.
    Usage,
    /// It did not work: exit code 1.
    Failed,
    /// As [`Kind::Failed`], but the same may work in a moment.
    Passing,
}

impl Trouble {
    /// The command is incomplete: an option or a variable is missing.
    pub(crate) fn usage(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into(), kind: Kind::Usage, answer: None }
    }

    /// It did not work.
    pub(crate) fn failed(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into(), kind: Kind::Failed, answer: None }
    }

    /// It did not work, and may a moment later.
    pub(crate) fn passing(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into(), kind: Kind::Passing, answer: None }
    }

    /// With the API's answer as it came, for `--json`.
    pub(crate) fn with_answer(mut self, answer: impl Into<String>) -> Self {
        self.answer = Some(answer.into());
        self
    }

    /// With what had been done before it went wrong.
    pub(crate) fn after(mut self, done: &str) -> Self {
        self.what = format!("{} ({done})", self.what);
        self
    }

    /// The API's answer, if it gave one.
    pub(crate) fn answer(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    /// Whether somebody who waits should just go on waiting.
    pub(crate) fn is_passing(&self) -> bool {
        self.kind == Kind::Passing
    }

    /// Whether a store's rate limit is spent, and the same is answered in a moment.
    pub(crate) fn is_busy(&self) -> bool {
        self.is_passing() && self.answer.as_deref().is_some_and(|answer| answer.contains("\"THROTTLED\""))
    }

    /// 2 for usage, else 1.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind {
            Kind::Usage => ExitCode::from(2),
            Kind::Failed | Kind::Passing => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(f, "error: {}\nremedy: {}", line(&self.what), line(&self.remedy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_two_lines_whatever_its_text() {
        let trouble = Trouble::failed("it\nbroke", "mend\n  it");

        assert_eq!(trouble.to_string(), "error: it broke\nremedy: mend it");
    }
}
