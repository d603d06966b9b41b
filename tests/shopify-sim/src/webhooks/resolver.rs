//! The HTTP client that webhooks are sent with.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// How long Shopify waits for an answer to a webhook, and for the connection.
///
/// Source: <https://shopify.dev/changelog/updates-to-webhook-retry-mechanism>
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A client that uses no proxy, follows no redirect, and knows that `*.localhost` is this machine.
pub(crate) fn http_client() -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    client.timeout(ANSWER_WITHIN).connect_timeout(CONNECT_WITHIN).dns_resolver(Arc::new(LoopbackNames)).build()
}

/// Resolves names under `.localhost` to loopback, which the system's resolver often does not: a local
/// API Gateway is `<id>.execute-api.localhost`.
///
/// Source: RFC 6761, section 6.3.
struct LoopbackNames;

impl Resolve for LoopbackNames {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().trim_end_matches('.').to_owned();
        Box::pin(async move {
            if host == "localhost" || host.ends_with(".localhost") {
                let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                return Ok(Box::new(std::iter::once(loopback)) as Addrs);
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
