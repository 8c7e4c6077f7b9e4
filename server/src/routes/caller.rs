//! Who a request comes from: read from its `Authorization` header, checked by one service call.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use anyhow::anyhow;
use schema::ids::DeviceId;
use schema::problem::ProblemCode;

use crate::app::App;
use crate::error::{Error, Result};
use crate::services::accounts::Caller;

/// The caller of a route that revoked phones may not use.
pub struct SignedIn(pub Caller);

/// The caller of the sync route.
pub enum Syncing {
    /// With a good token.
    Known(Caller),
    /// A revoked phone with nothing but its key: it hands in what it holds and gets nothing.
    ByKey(DeviceId),
}

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token = authorization(&request, "Bearer").ok_or_else(|| Error::refused(ProblemCode::Unauthenticated))?;
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
            if let Some(token) = authorization(&request, "Bearer") {
                return Ok(Self::Known(app(&request)?.accounts.authenticate(&token).await?));
            }
            let device = authorization(&request, "Device").ok_or_else(refused)?.parse().map_err(|_| refused())?;
            app(&request)?.accounts.is_revoked(device).await?;
            Ok(Self::ByKey(device))
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
