//! The log as evidence, for anybody with the signer's key: C2SP tlog-tiles, and proofs as JSON.
#![allow(unused_qualifications, reason = "utoipa's macro writes paths in full")]

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use schema::api::{LogStanding, Proof};
use schema::ids::LogId;
use schema::problem::{Problem, ProblemCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::SignedIn;
use super::log::id;
use crate::app::App;
use crate::error::{Error, Result};
use crate::services::audit::{TileName, parse_index};

/// The newest checkpoint: a signed note. Public.
#[utoipa::path(get, path = "/v1/audit/{log}/checkpoint", tag = "audit", params(("log" = LogId, Path)), responses((status = 200, content_type = "text/plain", body = String), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn checkpoint(app: Data<App>, log: Path<String>) -> Result<HttpResponse> {
    let note = app.audit.checkpoint(id(&log)?).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(note))
}

/// A tile of hashes. Public.
#[utoipa::path(get, path = "/v1/audit/{log}/tile/{level}/{index}", tag = "audit", params(("log" = LogId, Path), ("level" = u8, Path), ("index" = String, Path, description = "in groups of three digits: `x001/x234/067`, and `.p/W` behind it for a partial tile")), responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn tile(app: Data<App>, path: Path<(String, String, String)>) -> Result<HttpResponse> {
    let (log, level, index) = path.into_inner();
    let name = TileName::parse(&level, &index).ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    Ok(octets(app.audit.tile(id(&log)?, name).await?))
}

/// A bundle of leaves, for those who oversee or audit the log.
#[utoipa::path(get, path = "/v1/audit/{log}/tile/entries/{index}", tag = "audit", security(("bearer" = [])), params(("log" = LogId, Path), ("index" = String, Path)), responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn bundle(app: Data<App>, caller: SignedIn, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (log, index) = path.into_inner();
    let log = id(&log)?;
    app.sight.must_oversee(&caller.0, log).await?;
    let (index, width) = parse_index(&index).ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    Ok(octets(app.audit.bundle(log, index, width).await?))
}

/// How a log stands: how far it survives the loss of the server, and the restores it went through, each until an
/// auditor took note of it. For those who oversee or audit the log.
#[utoipa::path(get, path = "/v1/audit/{log}/standing", tag = "audit", security(("bearer" = [])), params(("log" = LogId, Path)), responses((status = 200, body = LogStanding), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn standing(app: Data<App>, caller: SignedIn, log: Path<String>) -> Result<HttpResponse> {
    let log = id(&log)?;
    app.sight.must_oversee(&caller.0, log).await?;
    Ok(HttpResponse::Ok().json(app.audit.standing(log, app.clock.now_ms()).await?))
}

fn octets(bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/octet-stream"))
        .insert_header((header::CACHE_CONTROL, "max-age=31536000, immutable"))
        .body(bytes)
}

/// Two sizes of a tree.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Sizes {
    /// Leaves of the older tree.
    old: u64,
    /// Leaves of the newer tree.
    new: u64,
}

/// Proof that one tree begins another. Public.
#[utoipa::path(get, path = "/v1/audit/{log}/consistency", tag = "audit", params(("log" = LogId, Path), Sizes), responses((status = 200, body = Proof), (status = 422, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn consistency(app: Data<App>, log: Path<String>, sizes: Query<Sizes>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.audit.consistency(id(&log)?, sizes.old, sizes.new).await?))
}

/// An entry and a tree.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InTree {
    /// The entry's revision.
    rev: u64,
    /// Leaves of the tree.
    size: u64,
}

/// Proof that an entry is in a tree. Public.
#[utoipa::path(get, path = "/v1/audit/{log}/inclusion", tag = "audit", params(("log" = LogId, Path), InTree), responses((status = 200, body = Proof), (status = 422, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn inclusion(app: Data<App>, log: Path<String>, asked: Query<InTree>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.audit.inclusion(id(&log)?, asked.rev, asked.size).await?))
}
