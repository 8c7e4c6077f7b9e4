//! The rectification order (责令限期改正通知书) for print. It loads nothing: its style and its photos are in it.
#![allow(unused_qualifications, reason = "utoipa's macro writes paths in full")]

mod paper;

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::auth::Ticket;
use schema::ids::{EntityId, LogId};
use schema::problem::{Problem, ProblemCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use super::caller::SignedIn;
use super::log::id;
use crate::app::App;
use crate::error::{Error, Result};

/// No script, nothing from anywhere, no style but its own.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(paper::STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// By which ticket.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Shown {
    /// In place of a token, for a browser that opens the page.
    ticket: Option<String>,
}

/// The rectification order of a case in which a unit has a deadline, for print: who may read the case may read it, with
/// the personal values that are theirs to read.
#[utoipa::path(get, path = "/v1/logs/{log}/cases/{case}/notice", tag = "reading", security(("bearer" = []), ()), params(("log" = LogId, Path), ("case" = EntityId, Path), Shown), responses(
    (status = 200, content_type = "text/html", body = String),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    app: Data<App>,
    request: HttpRequest,
    path: Path<(String, String)>,
    shown: Query<Shown>,
) -> Result<HttpResponse> {
    let (log, case) = path.into_inner();
    let (log, case) = (id(&log)?, id(&case)?);
    let caller = match &shown.ticket {
        None => SignedIn::extract(&request).await?.0,
        Some(ticket) => {
            let caller = app.accounts.by_ticket(&page(log, case), ticket).await?;
            if caller.revoked {
                return Err(Error::refused(ProblemCode::DeviceRevoked));
            }
            caller
        }
    };
    let order = app.sight.order(&caller, log, case).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .body(paper::write(&order)?))
}

/// A ticket with which the caller's browser opens the order within a minute.
#[utoipa::path(post, path = "/v1/logs/{log}/cases/{case}/notice", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), ("case" = EntityId, Path)), responses(
    (status = 200, body = Ticket),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn ticket(app: Data<App>, caller: SignedIn, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (log, case) = path.into_inner();
    let (log, case) = (id(&log)?, id(&case)?);
    app.sight.must_see(&caller.0, log, case).await?;
    let page = page(log, case);
    let ticket = app.accounts.ticket(&page, &caller.0)?;
    Ok(HttpResponse::Ok().json(Ticket { path: format!("{page}?ticket={ticket}") }))
}

fn page(log: LogId, case: EntityId) -> String {
    format!("/v1/logs/{log}/cases/{case}/notice")
}
