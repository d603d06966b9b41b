//! Bearer tokens: read the operator secret, sign a token with it. The secret is never shown.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_secretsmanager::config::Credentials;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use jiff::Timestamp;
use jsonwebtoken::{EncodingKey, Header, encode};
use roundtrip_api::{AUDIENCE, Claims};
use roundtrip_domain::secret::Secret;

use crate::stack::Stack;
use crate::trouble::Trouble;

/// For all attempts of one read: somebody is waiting at a keyboard.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// Signs a token for `name` that is valid for `hours` from `now` on.
///
/// `scope`: what it may do; `None`: everything.
pub(crate) fn sign(
    (name, scope): (&str, Option<&str>),
    hours: u16,
    secret: &Secret,
    now: Timestamp,
) -> Result<Secret, Trouble> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Trouble::usage("the name is blank", "give --name <who>: it stands in the history of orders"));
    }
    let iat = now.as_second();
    let claims = Claims {
        sub: name.to_owned(),
        aud: AUDIENCE.to_owned(),
        iat,
        exp: iat + i64::from(hours) * 3600,
        scope: scope.map(ToOwned::to_owned),
    };
    let key = EncodingKey::from_secret(secret.expose().as_bytes());
    let token = encode(&Header::default(), &claims, &key).map_err(|error| {
        Trouble::failed(format!("the token cannot be signed: {error}"), "check the operator secret")
    })?;
    Ok(Secret::new(token))
}

/// The name in tokens that nobody asked for by name.
pub(crate) fn user_name() -> String {
    std::env::var("USER").ok().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "operator".to_owned())
}

/// The operator secret `id`, with the usual AWS credentials, region and endpoint.
pub(crate) async fn secret(id: &str) -> Result<Secret, Trouble> {
    let remedy = "check the id (the stack's output OperatorSecretId), AWS_REGION, and that your AWS credentials may \
                  call secretsmanager:GetSecretValue on it";
    read(aws_config::defaults(BehaviorVersion::latest()), id, remedy).await
}

/// The operator secret of the local stack. The engine takes any credentials; the caller's own stay unused.
pub(crate) async fn local_secret(stack: &Stack) -> Result<Secret, Trouble> {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(stack.region.clone()))
        .endpoint_url(&stack.engine_url)
        .credentials_provider(Credentials::new("test", "test", None, None, "local stack"));
    read(config, &stack.secrets.operator, "is the local stack up? `make up` starts it").await
}

async fn read(config: ConfigLoader, id: &str, remedy: &str) -> Result<Secret, Trouble> {
    let timeouts = TimeoutConfig::builder().operation_timeout(READ_TIMEOUT).build();
    let client = aws_sdk_secretsmanager::Client::new(&config.timeout_config(timeouts).load().await);
    let failed = |why: String| Trouble::failed(format!("the operator secret {id} cannot be read: {why}"), remedy);
    let answer = client.get_secret_value().secret_id(id).send().await.map_err(|error| {
        failed(match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            (None, _) => roundtrip_domain::error_chain(&error),
        })
    })?;
    let text = answer.secret_string().filter(|text| !text.is_empty());
    text.map(Secret::new).ok_or_else(|| failed("it holds no text".to_owned()))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_token_says_who_for_whom_and_until_when() {
        let secret = Secret::new("the operator secret");
        let now = Timestamp::now();

        let token = sign((" ada ", None), 12, &secret, now).unwrap();

        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["roundtrip"]);
        let key = DecodingKey::from_secret(b"the operator secret");
        let claims = decode::<Value>(token.expose(), &key, &validation).unwrap().claims;
        assert_eq!(claims["sub"], "ada");
        assert_eq!(claims["iat"], now.as_second());
        assert_eq!(claims["exp"], now.as_second() + 12 * 3600);
    }

    #[test]
    fn nobody_is_anonymous() {
        let token = sign(("  ", None), 1, &Secret::new("s"), Timestamp::UNIX_EPOCH);

        assert!(token.is_err_and(|trouble| trouble.to_string().contains("--name")));
    }
}
