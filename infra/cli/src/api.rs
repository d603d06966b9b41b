//! The API over HTTP.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use roundtrip_api::problem::Problem;
use roundtrip_domain::secret::Secret;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::trouble::Trouble;

/// Long enough for a slow line; an address where nobody answers should be told soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// API Gateway gives up after 29 seconds, so nothing comes later than this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The API of one stack, as one operator.
pub(crate) struct Api {
    http: reqwest::Client,
    base: Url,
    token: Secret,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// As it came.
    pub(crate) raw: String,
}

impl Api {
    /// The API at `base`, for the bearer of `token`.
    pub(crate) fn new(base: Url, token: Secret) -> Result<Self, Trouble> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // The API never redirects; whoever does so is somebody else and gets no token.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("roundtrip/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                Trouble::failed(roundtrip_domain::error_chain(&error), "check the certificates of this machine")
            })?;
        Ok(Self { http, base, token })
    }

    /// Reads `path`.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, Trouble> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.http.request(Method::GET, url)).await
    }

    /// Sends `body` to `path`.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Trouble> {
        let url = self.url(path)?;
        self.send(self.http.request(Method::POST, url).json(body)).await
    }

    /// Puts `body` in the place of what `path` holds.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Answer, Trouble> {
        let url = self.url(path)?;
        self.send(self.http.request(Method::PUT, url).json(body)).await
    }

    /// Takes away what `path` names.
    pub(crate) async fn delete(&self, path: &str) -> Result<Answer, Trouble> {
        let url = self.url(path)?;
        self.send(self.http.request(Method::DELETE, url)).await
    }

    /// The base may have a path of its own, so `path` is appended, not joined.
    fn url(&self, path: &str) -> Result<Url, Trouble> {
        let text = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|error| Trouble::usage(format!("`{text}` is not an address: {error}"), "check --api"))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, Trouble> {
        let unreachable = |error: reqwest::Error| {
            let host = self.base.host_str().unwrap_or_default();
            let what = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
            let remedy = "check the address and the network, then repeat the command: it is safe to";
            Trouble::passing(format!("{host} {what}: {}", roundtrip_domain::error_chain(&error.without_url())), remedy)
        };
        let response = request.bearer_auth(self.token.expose()).send().await.map_err(unreachable)?;
        let status = response.status();
        let raw = response.text().await.map_err(unreachable)?;
        if status.is_success() { Ok(Answer { raw }) } else { Err(refused(status, raw)) }
    }
}

impl Answer {
    /// The answer as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        let understood = serde_json::from_str(&self.raw).map(printable).and_then(serde_json::from_value);
        understood.map_err(|error| {
            let remedy = "this command and the stack may be of different releases; --json shows the answer as it is";
            Trouble::failed(format!("the API's answer is not understood: {error}"), remedy)
        })
    }
}

fn refused(status: StatusCode, raw: String) -> Trouble {
    let told = serde_json::from_str(&raw).map(printable).and_then(serde_json::from_value::<Problem>);
    let (what, remedy) = match told {
        Ok(Problem { field, detail, remedy, .. }) => {
            let field = field.map(|field| format!(" (field `{field}`)")).unwrap_or_default();
            (format!("{detail}{field}"), remedy)
        }
        // Not from the ops-api: from API Gateway, or from another server.
        Err(_) => (format!("the address answered {status}"), foreign_remedy(status).to_owned()),
    };
    let trouble = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY => Trouble::passing(what, remedy),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Trouble::passing(what, remedy),
        _ => Trouble::failed(what, remedy),
    };
    trouble.with_answer(raw)
}

fn foreign_remedy(status: StatusCode) -> &'static str {
    if status.is_server_error() {
        "repeat the command; if it stays so, look at the log of the function ops-api"
    } else if status == StatusCode::TOO_MANY_REQUESTS {
        "repeat the command in a moment"
    } else {
        "is it the API of Roundtrip? --api takes the stack's output ApiUrl"
    }
}

/// Titles and names come from stores and their customers. A terminal obeys control characters, so none
/// gets through.
fn printable(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(char::is_control, " ")),
        Value::Array(values) => Value::Array(values.into_iter().map(printable).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(key, value)| (key, printable(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, raw: &str) -> String {
        refused(StatusCode::from_u16(status).unwrap(), raw.to_owned()).to_string()
    }

    #[test]
    fn an_error_of_the_api_is_told_with_field_and_remedy() {
        let raw = r#"{"type":"/v1/help/INVALID_FIELD","title":"a field does not parse","status":400,"code":"INVALID_FIELD",
            "field":"limit","detail":"0 is out of range","remedy":"give 1 to 250"}"#;

        assert_eq!(told(400, raw), "error: 0 is out of range (field `limit`)\nremedy: give 1 to 250");
    }

    #[test]
    fn an_answer_of_somebody_else_is_told_by_its_status() {
        assert_eq!(
            told(404, r#"{"message":"Not Found"}"#),
            "error: the address answered 404 Not Found\nremedy: is it the API of Roundtrip? --api takes the stack's \
             output ApiUrl"
        );
        assert!(told(502, "<html>").contains("log of the function ops-api"));
    }

    #[test]
    fn only_what_may_pass_by_itself_is_waited_for() {
        for (status, passing) in [(400, false), (401, false), (404, false), (409, false), (429, true), (503, true)] {
            let trouble = refused(StatusCode::from_u16(status).unwrap(), String::new());
            assert_eq!(trouble.is_passing(), passing, "{status}");
        }
    }

    #[test]
    fn a_base_with_a_path_keeps_it() {
        let api = Api::new(Url::parse("http://localhost:1/_aws/x/").unwrap(), Secret::new("t")).unwrap();

        assert_eq!(api.url("/v1/shops").unwrap().as_str(), "http://localhost:1/_aws/x/v1/shops");
    }

    #[test]
    fn a_title_cannot_steer_the_terminal() {
        let answer = Answer { raw: r#"["\u001b[2Jmug\nerror: x"]"#.to_owned() };

        assert_eq!(answer.read::<Vec<String>>().unwrap(), [" [2Jmug error: x"]);
    }
}
