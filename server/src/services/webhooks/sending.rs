//! One try: a POST that follows no redirect, to an address that is looked at after the name was resolved and before
//! anything is connected, and that ends within a time.

use std::fmt;
use std::io;
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::{Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::address::{fit, is_allowed};
use super::signature::{Secret, sign};
use crate::services::push::{KEPT_S, PushKey};
use crate::store::Webhook;

/// What a try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was taken, with this status.
    Took(u16),
    /// Nothing is to be sent to the place any more: a status that says so, or why.
    Gone(String),
    /// It was not taken: a status, or why there was none.
    Failed(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Took(status) => write!(f, "{status}"),
            Self::Gone(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

/// What sends.
pub struct Sender {
    outside: Agent,
    inside: Agent,
    within: Duration,
}

impl Sender {
    /// Tries end within a time.
    pub fn new(within: Duration) -> Self {
        Self { outside: agent(within, false), inside: agent(within, true), within }
    }

    /// How long a try is leased for: longer than any takes.
    pub(super) fn lease_ms(&self) -> u64 {
        u64::try_from(self.within.as_millis()).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(1_000)
    }

    /// Tries once. Blocks.
    pub fn send(&self, webhook: &Webhook, id: &str, body: &str, now_ms: u64) -> Answer {
        let at_s = now_ms / 1_000;
        let uri = match fit(&webhook.url, webhook.plain_http, webhook.private_net) {
            Ok(uri) => uri,
            Err(why) => return Answer::Failed(why.to_string()),
        };
        let signature = Secret::read(&webhook.secret).and_then(|secret| sign(&secret, id, at_s, body));
        let Some(signature) = signature else { return Answer::Failed("it has no secret".to_owned()) };
        let agent = if webhook.private_net { &self.inside } else { &self.outside };
        let request = agent
            .post(uri)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at_s.to_string())
            .header("webhook-signature", signature);
        read(request.send(body), &[410])
    }

    /// Tries once to push to a browser. Blocks.
    pub(super) fn push(&self, service: Uri, key: &PushKey, sealed: &[u8], now_ms: u64) -> Answer {
        let Some(signed) = key.authorization(&service, now_ms) else {
            return Answer::Failed("an address without a host".to_owned());
        };
        let request = self
            .outside
            .post(service)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::AUTHORIZATION, signed)
            .header("ttl", KEPT_S.to_string())
            .header("urgency", "high");
        read(request.send(sealed), &[404, 410])
    }
}

/// What an answer says. Some statuses say that the place is gone.
fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>, gone: &[u16]) -> Answer {
    match answer {
        Ok(answer) => match answer.status().as_u16() {
            status @ 200..=299 => Answer::Took(status),
            status if gone.contains(&status) => Answer::Gone(status.to_string()),
            status => Answer::Failed(status.to_string()),
        },
        Err(ureq::Error::Timeout(_)) => Answer::Failed("no answer in time".to_owned()),
        Err(error) => Answer::Failed(error.to_string()),
    }
}

fn agent(within: Duration, private_net: bool) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // The address is looked at here; what a proxy would connect to is not.
        .proxy(None)
        .timeout_global(Some(within))
        .max_idle_connections(0)
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .user_agent(concat!("rectify/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Guarded { private_net, names: DefaultResolver::default() })
}

/// Resolves a name, and leaves out every address that nothing may be sent to.
#[derive(Debug)]
struct Guarded {
    private_net: bool,
    names: DefaultResolver,
}

impl Resolver for Guarded {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let mut allowed = self.empty();
        for address in self.names.resolve(uri, config, timeout)?.iter() {
            if is_allowed(address.ip(), host, self.private_net) {
                allowed.push(*address);
            }
        }
        if allowed.is_empty() {
            let why = "its name leads to an address that nothing is sent to";
            return Err(ureq::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, why)));
        }
        Ok(allowed)
    }
}
