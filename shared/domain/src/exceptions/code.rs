//! What is wrong, in one word, whatever shows it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::record::WarningCode;

/// Why somebody must own something. Stored and shown as its `SCREAMING_SNAKE` name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ExceptionCode {
    Parked(Code),
    Warned(WarningCode),
}

impl ExceptionCode {
    /// All that this release gives.
    pub fn all() -> impl Iterator<Item = Self> {
        let parked = Code::ALL.into_iter().filter(|code| *code != Code::Unknown).map(Self::Parked);
        parked.chain(WarningCode::ALL.into_iter().map(Self::Warned))
    }

    /// The one of this name; `None`: there is none in this release.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|code| code.name() == name)
    }

    /// The name under which it is stored, shown and filtered.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Parked(code) => code.name(),
            Self::Warned(code) => code.name(),
        }
    }

    /// What it means, in half a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Parked(code) => code.meaning(),
            Self::Warned(code) => code.meaning(),
        }
    }

    /// What a person does about it, in one line.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Parked(code) => code.remedy(),
            Self::Warned(code) => code.remedy(),
        }
    }
}

/// A newer release has names that this one does not know.
impl From<String> for ExceptionCode {
    fn from(name: String) -> Self {
        Self::named(&name).unwrap_or(Self::Parked(Code::Unknown))
    }
}

impl From<ExceptionCode> for String {
    fn from(code: ExceptionCode) -> Self {
        code.name().to_owned()
    }
}

impl fmt::Display for ExceptionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
