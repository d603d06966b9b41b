//! The vault: the app's secret in Secrets Manager, the shops' tokens in the registry, encrypted with KMS.

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use roundtrip_domain::channel::BoxError;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::{Credentials, CredentialsError};
use roundtrip_domain::secret::{AccessToken, AppCredentials, Secret};
use serde::Deserialize;

use crate::ledger::{TOKEN_KEY, token_pk};

/// Reads secrets by their id. All that intake and the API need of the vault.
#[derive(Debug, Clone)]
pub struct VaultReader {
    secrets: aws_sdk_secretsmanager::Client,
}

/// The secret that operators' bearer tokens are signed with.
#[derive(Debug, Clone)]
pub struct OperatorSecret(pub Secret);

/// The value of the app's secret, as the README says to store it.
#[derive(Deserialize)]
struct AppSecretValue {
    client_id: String,
    client_secret: String,
    #[serde(default)]
    previous_client_secret: Option<String>,
}

impl VaultReader {
    /// Reads with `config`.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig) -> Self {
        Self { secrets: aws_sdk_secretsmanager::Client::new(config) }
    }

    /// The app's credentials.
    ///
    /// # Errors
    /// Secrets Manager cannot be reached, or the value is not the JSON that the README shows.
    pub async fn app(&self, secret_id: &str) -> Result<AppCredentials, CredentialsError> {
        let value = self.value(secret_id, "read the app secret").await?;
        // The parser's own message would quote the value.
        let value: AppSecretValue = serde_json::from_str(&value).map_err(|_| CredentialsError {
            doing: "understand the app secret: it must be JSON with client_id and client_secret",
            source: "not that JSON".into(),
        })?;
        let previous = value.previous_client_secret.filter(|secret| !secret.is_empty());
        Ok(AppCredentials {
            client_id: value.client_id,
            client_secret: Secret::new(value.client_secret),
            previous_client_secret: previous.map(Secret::new),
        })
    }

    /// The operator secret.
    ///
    /// # Errors
    /// Secrets Manager cannot be reached, or holds no text.
    pub async fn operator(&self, secret_id: &str) -> Result<OperatorSecret, CredentialsError> {
        let value = self.value(secret_id, "read the operator secret").await?;
        Ok(OperatorSecret(Secret::new(value)))
    }

    /// The address of a chat's webhook; `None`: nobody gave one.
    ///
    /// # Errors
    /// Secrets Manager cannot be reached, or holds no text.
    pub async fn chat_webhook(&self, secret_id: &str) -> Result<Option<Secret>, CredentialsError> {
        let value = self.value(secret_id, "read the chat's webhook").await?;
        Ok(Some(value.trim()).filter(|value| !value.is_empty() && *value != "none").map(Secret::new))
    }

    async fn value(&self, secret_id: &str, doing: &'static str) -> Result<String, CredentialsError> {
        let answer = self
            .secrets
            .get_secret_value()
            .secret_id(secret_id)
            .send()
            .await
            .map_err(|error| CredentialsError { doing, source: Box::new(error) })?;
        answer.secret_string.ok_or_else(|| CredentialsError { doing, source: "it holds no text".into() })
    }
}

/// Which secret, key and table the vault uses.
#[derive(Debug, Clone)]
pub struct VaultNames {
    /// `None` where only tokens are kept.
    pub app_secret_id: Option<String>,
    pub token_key_id: String,
    pub registry: String,
}

/// The `Credentials` port.
#[derive(Debug, Clone)]
pub struct Vault {
    reader: VaultReader,
    kms: aws_sdk_kms::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    names: VaultNames,
}

impl Vault {
    /// A vault under `names`.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig, names: VaultNames) -> Self {
        Self {
            reader: VaultReader::new(config),
            kms: aws_sdk_kms::Client::new(config),
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            names,
        }
    }

    async fn encrypt(&self, shop: &ShopDomain, secret: &Secret) -> Result<String, CredentialsError> {
        let answer = self
            .kms
            .encrypt()
            .key_id(&self.names.token_key_id)
            // Bound to its shop: a token that is copied to another shop's row does not decrypt.
            .encryption_context("shop", shop.as_str())
            .plaintext(secret.expose().as_bytes().to_vec().into())
            .send()
            .await
            .map_err(|error| failed("encrypt a token", error))?;
        let blob = answer.ciphertext_blob.ok_or_else(|| failed("encrypt a token", "no ciphertext came back"))?;
        Ok(STANDARD.encode(blob))
    }

    async fn decrypt(&self, shop: &ShopDomain, sealed: &str) -> Result<Secret, CredentialsError> {
        let blob = STANDARD.decode(sealed).map_err(|error| failed("read a token", error))?;
        let answer = self
            .kms
            .decrypt()
            .key_id(&self.names.token_key_id)
            .encryption_context("shop", shop.as_str())
            .ciphertext_blob(blob.into())
            .send()
            .await
            .map_err(|error| failed("decrypt a token", error))?;
        let plain = answer.plaintext.ok_or_else(|| failed("decrypt a token", "no plaintext came back"))?;
        let text = String::from_utf8(plain.into_inner()).map_err(|_| failed("decrypt a token", "it is no text"))?;
        Ok(Secret::new(text))
    }
}

fn failed(doing: &'static str, source: impl Into<BoxError>) -> CredentialsError {
    CredentialsError { doing, source: source.into() }
}

impl Credentials for Vault {
    async fn app(&self) -> Result<AppCredentials, CredentialsError> {
        match &self.names.app_secret_id {
            Some(id) => self.reader.app(id).await,
            None => Err(failed("read the app secret", "this function has no right to it")),
        }
    }

    async fn token(&self, shop: &ShopDomain) -> Result<Option<AccessToken>, CredentialsError> {
        let read = self
            .dynamodb
            .get_item()
            .table_name(&self.names.registry)
            .key("pk", AttributeValue::S(token_pk(shop)))
            .key("sk", AttributeValue::S(TOKEN_KEY.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed("read a token", error))?;
        let Some(item) = read.item else { return Ok(None) };
        let Some(sealed) = item.get("sealed").and_then(|value| value.as_s().ok()) else { return Ok(None) };
        let valid_until = item.get("valid_until").and_then(|value| value.as_s().ok());
        let expires_at: Option<Timestamp> = valid_until.and_then(|at| at.parse().ok());
        Ok(Some(AccessToken { token: self.decrypt(shop, sealed).await?, expires_at }))
    }

    async fn keep_token(&self, shop: &ShopDomain, token: &AccessToken) -> Result<(), CredentialsError> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.names.registry)
            .item("pk", AttributeValue::S(token_pk(shop)))
            .item("sk", AttributeValue::S(TOKEN_KEY.to_owned()))
            .item("sealed", AttributeValue::S(self.encrypt(shop, &token.token).await?));
        let put = match token.expires_at {
            Some(at) => put.item("valid_until", AttributeValue::S(at.to_string())),
            None => put,
        };
        put.send().await.map_err(|error| failed("keep a token", error))?;
        Ok(())
    }
}
