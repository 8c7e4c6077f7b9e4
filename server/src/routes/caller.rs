//! Who a request comes from: read from its `Authorization` header, checked by one service call.

use std::future::{Future, Ready, ready};
use std::net::IpAddr;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use anyhow::anyhow;
use schema::problem::ProblemCode;

use crate::app::App;
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::services::sync;

/// The caller of a route that revoked phones may not use.
pub(crate) struct SignedIn(pub Caller);

/// The caller of the sync route: with a token, or a phone that was shut out, on its key's signature alone.
pub(crate) struct Syncing(pub sync::Caller);

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token =
                authorization(&request, "Bearer").ok_or_else(|| Error::refused(ProblemCode::Unauthenticated))?;
            let caller = app(&request)?.accounts.authenticate(&token).await?;
            if caller.revoked { Err(Error::refused(ProblemCode::DeviceRevoked)) } else { Ok(Self(caller)) }
        })
    }
}

impl FromRequest for Syncing {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let refused = || Error::refused(ProblemCode::Unauthenticated);
            let accounts = &app(&request)?.accounts;
            if let Some(token) = authorization(&request, "Bearer") {
                let Caller { account, device, revoked, .. } = accounts.authenticate(&token).await?;
                let device = device.ok_or_else(|| Error::refused(ProblemCode::Forbidden))?;
                return Ok(Self(sync::Caller { account, device, revoked }));
            }
            let device = authorization(&request, "Device").ok_or_else(refused)?.parse().map_err(|_| refused())?;
            let account = accounts.shut_out(device).await?;
            Ok(Self(sync::Caller { account, device, revoked: true }))
        })
    }
}

/// The address that a request came from; none where a proxy on this machine does not say.
pub(crate) struct CameFrom(pub Option<IpAddr>);

impl FromRequest for CameFrom {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let forwarded: Vec<&str> =
            request.headers().get_all("X-Forwarded-For").filter_map(|value| value.to_str().ok()).collect();
        let peer = request.peer_addr().map(|peer| peer.ip());
        ready(app(request).map(|app| Self(came_from(peer, &forwarded.join(","), &app.proxies))))
    }
}

/// The nearest address that is not one of our proxies. What stands before it anybody may have written.
fn came_from(peer: Option<IpAddr>, forwarded: &str, proxies: &[IpAddr]) -> Option<IpAddr> {
    let told = forwarded.rsplit(',').map(|address| address.trim().parse().ok());
    let is_proxy = |address: IpAddr| address.is_loopback() || proxies.contains(&address);
    let mut way = std::iter::once(peer).chain(told).map(|address| address.map(|address| address.to_canonical()));
    way.find(|address| !address.is_some_and(is_proxy)).flatten()
}

/// What stands behind a scheme in the `Authorization` header.
pub(super) fn authorization(request: &HttpRequest, scheme: &str) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (named, token) = value.split_once(' ')?;
    named.eq_ignore_ascii_case(scheme).then(|| token.trim().to_owned())
}

fn app(request: &HttpRequest) -> Result<Data<App>> {
    request.app_data::<Data<App>>().cloned().ok_or_else(|| anyhow!("a route without the application").into())
}

#[cfg(test)]
mod tests {
    use super::came_from;

    #[test]
    fn only_proxies_are_believed_and_only_the_last_word() {
        let of = |peer: &str, forwarded: &str| {
            let proxies = ["10.0.0.2".parse().unwrap()];
            came_from(Some(peer.parse().unwrap()), forwarded, &proxies).map(|address| address.to_string())
        };
        assert_eq!(of("203.0.113.9", "198.51.100.1").as_deref(), Some("203.0.113.9"), "a stranger may write anything");
        assert_eq!(of("127.0.0.1", "198.51.100.1").as_deref(), Some("198.51.100.1"));
        assert_eq!(
            of("::1", "1.2.3.4, 198.51.100.1").as_deref(),
            Some("198.51.100.1"),
            "what it told the proxy itself"
        );
        assert_eq!(of("::ffff:10.0.0.2", "198.51.100.1, 10.0.0.2").as_deref(), Some("198.51.100.1"));
        assert_eq!(of("127.0.0.1", ""), None);
        assert_eq!(of("127.0.0.1", "unknown"), None);
    }
}
