//! What the ops-api takes and answers. The function serializes these types, its OpenAPI document is made from them, and
//! `roundtrip` reads them: what one of them says, the others say too.
//!
//! Requests take no unknown field; answers may get more.

pub mod dead_letters;
pub mod exceptions;
pub mod incidents;
pub mod jobs;
pub mod labels;
pub mod links;
pub mod orders;
pub mod problem;
pub mod push;
pub mod runs;
pub mod settings;
pub mod shops;
pub mod step;
pub mod sync;
pub mod writebacks;

/// The audience of operators' tokens: a token for something else does not open the API.
pub const AUDIENCE: &str = "roundtrip";
/// The scope of a token that may only look.
pub const READ_SCOPE: &str = "read";

/// What an operator's token says. Source: RFC 7519; `scope` as in RFC 8693.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Claims {
    /// Who: goes into the history as the actor.
    pub sub: String,
    pub aud: String,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
    /// [`READ_SCOPE`]: it may only look. `None`: it may do everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}
