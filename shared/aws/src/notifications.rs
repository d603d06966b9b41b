//! Notifications: what people are told, by SNS.

use aws_sdk_sns::Client;
use roundtrip_domain::channel::BoxError;

/// The topic that people have subscribed to.
#[derive(Debug, Clone)]
pub struct Notifications {
    client: Client,
    topic: String,
}

/// SNS did not take it.
#[derive(Debug, thiserror::Error)]
#[error("the topic did not take a notification")]
pub struct NotSent(#[source] BoxError);

impl Notifications {
    /// Tells whoever listens to the topic of this ARN.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig, topic: String) -> Self {
        Self { client: Client::new(config), topic }
    }

    /// Tells of it. `subject` is a line of an e-mail.
    ///
    /// # Errors
    /// SNS did not take it.
    pub async fn publish(&self, subject: &str, text: &str) -> Result<(), NotSent> {
        let publish = self.client.publish().topic_arn(&self.topic).subject(line(subject)).message(text);
        publish.send().await.map(|_| ()).map_err(|error| NotSent(Box::new(error)))
    }
}

/// As SNS takes a subject: up to a hundred characters of ASCII, none of them a line's end. Source: SNS API, `Publish`.
fn line(subject: &str) -> String {
    subject.chars().map(|it| if it.is_ascii_graphic() || it == ' ' { it } else { '?' }).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_what_sns_takes() {
        assert_eq!(line("it fails\nsince März"), "it fails?since M?rz");
        assert_eq!(line(&"x".repeat(200)).len(), 100);
    }
}
