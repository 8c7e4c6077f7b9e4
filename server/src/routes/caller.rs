//! Who a request comes from: read from its `Authorization` header, checked by one service call.

use std::future::Future;
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

/// What stands behind a scheme in the `Authorization` header.
fn authorization(request: &HttpRequest, scheme: &str) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (named, token) = value.split_once(' ')?;
    named.eq_ignore_ascii_case(scheme).then(|| token.trim().to_owned())
}

fn app(request: &HttpRequest) -> Result<Data<App>> {
    request.app_data::<Data<App>>().cloned().ok_or_else(|| anyhow!("a route without the application").into())
}
