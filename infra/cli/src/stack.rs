//! The local stack, as its description in stack.json tells of it.

use std::path::PathBuf;

use serde::Deserialize;

use crate::trouble::Trouble;

/// Where the description is, unless [`VARIABLE`] says otherwise.
const FILE: &str = ".local/stack.json";
/// Names another file.
pub(crate) const VARIABLE: &str = "ROUNDTRIP_STACK";

/// What this command needs of the local stack.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Stack {
    /// The API by a path: no resolver has to know `*.localhost`.
    pub(crate) api_path_url: String,
    /// All AWS services.
    pub(crate) engine_url: String,
    pub(crate) region: String,
    pub(crate) secrets: Secrets,
}

/// Ids in Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Secrets {
    pub(crate) operator: String,
}

impl Stack {
    /// Whether the environment names a local stack.
    pub(crate) fn is_named() -> bool {
        std::env::var_os(VARIABLE).is_some_and(|path| !path.is_empty())
    }

    /// Reads the description.
    pub(crate) fn read() -> Result<Self, Trouble> {
        let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
        let path = named.map_or_else(|| PathBuf::from(FILE), PathBuf::from);
        let shown = path.display();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let remedy = format!("start the stack with `make up`, from its folder or with {VARIABLE} set to its file");
            Trouble::usage(format!("no local stack: {shown} cannot be read: {error}"), remedy)
        })?;
        serde_json::from_str(&text).map_err(|error| {
            Trouble::failed(format!("{shown} does not describe a stack: {error}"), "bring it up to date with `make up`")
        })
    }
}
