//! The client credentials grant.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use crate::engine::Engine;

/// Source: Shopify's answer to an unknown access token.
pub(super) const INVALID: &str = "[API] Invalid API key or access token (unrecognized login or wrong password)";
/// Source: <https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant>
const EXPIRES_IN_SECS: u32 = 86_399;

/// `POST /{shop}/admin/oauth/access_token`, as form or JSON. The names of the errors are unverified.
pub(crate) async fn access_token(State(engine): State<Arc<Engine>>, Path(shop): Path<String>, body: Bytes) -> Response {
    let refuse = |error: &str, description: &str| {
        let body = json!({"error": error, "error_description": description});
        answer::json(StatusCode::BAD_REQUEST, &body)
    };
    let Some(installed) = engine.shop(&shop, |shop| shop.installed) else {
        return answer::json(StatusCode::NOT_FOUND, &json!({"errors": "Not Found"}));
    };
    let said = fields(&body);
    let is = |name: &str, wanted: &str| said.get(name).is_some_and(|value| value == wanted);
    if !is("grant_type", "client_credentials") {
        return refuse("unsupported_grant_type", "The authorization grant type is not supported");
    }
    if !is("client_id", &engine.config.client_id) {
        return refuse("application_cannot_be_found", "The application cannot be found");
    }
    if !is("client_secret", &engine.config.client_secret) {
        return refuse("invalid_client", "The client secret is wrong");
    }
    let token = if installed { engine.mint_token(&shop) } else { None };
    match token {
        Some(token) => {
            let scope = engine.config.scopes.join(",");
            answer::json(StatusCode::OK, &json!({"access_token": token, "scope": scope, "expires_in": EXPIRES_IN_SECS}))
        }
        None => refuse("shop_not_permitted", "Client credentials cannot be performed on this shop."),
    }
}

/// The body's fields, whichever way it is written.
fn fields(body: &[u8]) -> HashMap<String, String> {
    if let Ok(Value::Object(object)) = serde_json::from_slice(body) {
        return object.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect();
    }
    let query = reqwest::Url::parse(&format!("form:?{}", String::from_utf8_lossy(body)));
    query.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}
