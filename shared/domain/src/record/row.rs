//! A row and its version.

/// A row with the version on which a write of it depends; version 0 is a row that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<T> {
    pub(super) value: T,
    pub(super) version: u64,
    pub(super) change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Write,
    /// Not written, but the save depends on nobody else having written it.
    Check,
}

impl<T> Row<T> {
    /// A row that is not in the ledger yet, and is to be.
    pub fn new(value: T) -> Self {
        Self { value, version: 0, change: Change::Write }
    }

    /// A row that is not in the ledger; written only if it changes.
    pub(super) fn absent(value: T) -> Self {
        Self { value, version: 0, change: Change::None }
    }

    /// What it says.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// For changing it: the next save writes it.
    pub fn change(&mut self) -> &mut T {
        self.change = Change::Write;
        &mut self.value
    }

    /// Makes the next save depend on this row being as it was read.
    pub fn hold(&mut self) {
        if self.change == Change::None {
            self.change = Change::Check;
        }
    }

    /// The version that was read or last saved.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn saved(&mut self) {
        if self.change == Change::Write {
            self.version += 1;
        }
        self.change = Change::None;
    }
}
