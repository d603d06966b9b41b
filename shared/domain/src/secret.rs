//! Secrets, in types that do not show themselves.

use std::fmt;

use jiff::Timestamp;

/// A secret text. Its `Debug` says nothing; there is no `Display` and no serde.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: for a header, a signature or an encryption, never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The app's own credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCredentials {
    pub client_id: String,
    pub client_secret: Secret,
    /// The secret before the last rotation. Shopify may sign with it for up to an hour more.
    pub previous_client_secret: Option<Secret>,
}

/// A shop's Admin API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub token: Secret,
    /// `None`: given by hand; it does not expire, and only a person can replace it.
    pub expires_at: Option<Timestamp>,
}
