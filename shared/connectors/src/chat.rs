//! A chat's incoming webhook: a JSON body with a `text`, as Slack, Mattermost, Google Chat and Zulip take it.
//! Source: Slack, "Sending messages using incoming webhooks"; the others follow it.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use roundtrip_domain::secret::Secret;
use serde_json::json;

/// A chat answers within a second, or its people read their mail.
const TIMEOUT: Duration = Duration::from_secs(5);

/// One chat. Whoever knows its address can write there: it is a secret.
#[derive(Debug, Clone)]
pub struct Chat {
    http: Client,
    webhook: Secret,
}

/// Why a message did not arrive. Never says the address.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    #[error("the chat's webhook is no address: put one that begins with https:// into its secret, or `none`")]
    NoAddress,
    #[error("the chat did not answer")]
    Unreachable(#[source] reqwest::Error),
    #[error("the chat answered {0}")]
    Refused(StatusCode),
}

impl Chat {
    /// Writes to `webhook`.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(webhook: Secret) -> Result<Self, reqwest::Error> {
        Ok(Self { http: Client::builder().timeout(TIMEOUT).build()?, webhook })
    }

    /// Writes `text`.
    ///
    /// # Errors
    /// It did not arrive, as far as is known.
    pub async fn post(&self, text: &str) -> Result<(), ChatError> {
        let url: Url = self.webhook.expose().parse().map_err(|_| ChatError::NoAddress)?;
        let answer = self.http.post(url).json(&json!({ "text": text })).send().await;
        let status = answer.map_err(|error| ChatError::Unreachable(error.without_url()))?.status();
        if status.is_success() { Ok(()) } else { Err(ChatError::Refused(status)) }
    }
}
