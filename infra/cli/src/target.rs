//! Which API a command speaks to, and with which token.

use jiff::Timestamp;
use reqwest::Url;
use roundtrip_domain::secret::Secret;

use crate::api::Api;
use crate::cli::To;
use crate::stack::{Stack, VARIABLE};
use crate::token;
use crate::trouble::Trouble;

/// A token made on the spot serves one command; a waiting one at most minutes.
const ON_THE_SPOT_HOURS: u16 = 1;

impl To {
    /// The API. `--local` wins over an address, so that a shell that is set up for production can still
    /// speak to the local stack; an address wins over a stack that only the environment names.
    pub(crate) async fn api(&self) -> Result<Api, Trouble> {
        if self.local || (self.api.is_none() && Stack::is_named()) {
            let stack = Stack::read()?;
            let secret = token::local_secret(&stack).await?;
            let token = token::sign((&token::user_name(), None), ON_THE_SPOT_HOURS, &secret, Timestamp::now())?;
            return Api::new(address(&stack.api_path_url)?, token);
        }
        let url = self.api.as_deref().ok_or_else(|| {
            let remedy =
                format!("give --api <ApiUrl of the stack> or set ROUNDTRIP_API; or --local, or set {VARIABLE}");
            Trouble::usage("no API to speak to", remedy)
        })?;
        let url = address(url)?;
        let token = self.token.as_deref().map(str::trim).filter(|token| !token.is_empty()).ok_or_else(|| {
            Trouble::usage("no token", "export ROUNDTRIP_TOKEN=\"$(roundtrip token)\", or give --token")
        })?;
        Api::new(url, Secret::new(token))
    }
}

/// Plain HTTP is only taken on this machine: each request carries a token.
fn address(text: &str) -> Result<Url, Trouble> {
    let url = Url::parse(text.trim()).map_err(|error| {
        Trouble::usage(
            format!("`{text}` is not an address: {error}"),
            "give one like https://<id>.execute-api.<region>.amazonaws.com",
        )
    })?;
    let host = url.host_str().unwrap_or_default();
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost");
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => Err(Trouble::usage(format!("`{text}` would show the token on its way"), "give an https:// address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leaves_the_machine_only_encrypted() {
        for good in [
            "https://abc.execute-api.eu-central-1.amazonaws.com",
            "http://127.0.0.1:4566/_aws/execute-api/abc",
            "http://abc.execute-api.localhost:4566",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["http://abc.example.com", "http://localhost.example.com", "ftp://localhost", "abc", ""] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
