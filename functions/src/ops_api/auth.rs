//! Who asks: a bearer token (JWT, HS256) signed with the operator secret.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use roundtrip_api::problem::ProblemCode;
use roundtrip_api::{AUDIENCE, Claims};

use super::error::ApiError;
use crate::compose::Api;

/// An operator whose token was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) name: String,
}

impl FromRequestParts<Arc<Api>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Self::Rejection> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let claims = check(header, api.operator.0.expose())?;
        // A scope of a newer release is less than everything.
        let only_looks = claims.scope.is_some();
        if only_looks && !matches!(parts.method, Method::GET | Method::HEAD) {
            let remedy = "ask for a token that may change things: `roundtrip token` without --read-only";
            return Err(ApiError::new(ProblemCode::ReadOnly, "the token may only look", remedy));
        }
        Ok(Self { name: claims.sub.chars().take(60).collect() })
    }
}

fn check(header: Option<&str>, secret: &str) -> Result<Claims, ApiError> {
    let header = header.ok_or_else(|| ApiError::unauthorized("no bearer token"))?;
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| ApiError::unauthorized("the Authorization header holds no bearer token"))?;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "aud", "sub"]);
    let key = DecodingKey::from_secret(secret.as_bytes());
    match decode::<Claims>(token, &key, &validation) {
        Ok(token) => Ok(token.claims),
        Err(error) => Err(ApiError::unauthorized(match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => "the token has expired",
            _ => "the token is not valid",
        })),
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};

    use super::*;

    fn token(secret: &str, aud: &str, expires_in: i64) -> String {
        let now = jiff::Timestamp::now().as_second();
        let claims = Claims { sub: "ada".into(), aud: aud.into(), iat: now, exp: now + expires_in, scope: None };
        encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    #[test]
    fn a_token_of_the_operator_secret_opens_the_api() {
        let header = format!("Bearer {}", token("secret", AUDIENCE, 60));

        assert_eq!(check(Some(&header), "secret").map(|claims| claims.sub), Ok("ada".into()));
    }

    #[test]
    fn any_other_token_does_not() {
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJhdWQiOiJyb3VuZHRyaXAiLCJleHAiOjk5OTk5OTk5OTl9.";
        let refused = [
            None,
            Some("Basic YTpi".to_owned()),
            Some("Bearer".to_owned()),
            Some(format!("Bearer {unsigned}")),
            Some(format!("Bearer {}", token("other", AUDIENCE, 60))),
            Some(format!("Bearer {}", token("secret", "somebody-else", 60))),
            Some(format!("Bearer {}", token("secret", AUDIENCE, -3600))),
        ];
        for header in refused {
            assert!(check(header.as_deref(), "secret").is_err(), "{header:?}");
        }
    }
}
