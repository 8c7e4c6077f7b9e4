//! Reading a log: cases, entries, what is parked, documents, and its head.
#![allow(unused_qualifications, reason = "utoipa's macro writes paths in full")]

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use schema::api::{CasePage, CaseView, EntryPage, ParkedPage, ReadPage};
use schema::auth::LogAccess;
use schema::ids::{AreaId, EntityId, LogId};
use schema::limits::WAIT_S_MAX;
use schema::notice::NoticePage;
use schema::problem::{Problem, ProblemCode};
use schema::sync::HeadEvent;
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::SignedIn;
use crate::app::App;
use crate::error::{Error, Result};
use crate::services::sight::{CaseFilter, CaseQuery, PAGE_MAX, states_named};

/// Which cases, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CasesAsked {
    /// Only in this area and below.
    area: Option<AreaId>,
    /// States by name, separated by commas.
    state: Option<String>,
    /// Category code.
    category: Option<String>,
    /// Subtype code.
    subtype: Option<String>,
    /// Short code or official number.
    code: Option<String>,
    /// `true`: only those that come to the caller because nobody below can see to them. A page may then be empty and
    /// have a next one.
    #[serde(default)]
    unattended: bool,
    /// `next` of the page before.
    before: Option<u64>,
    /// Rows, at most 100.
    limit: Option<usize>,
}

/// The districts that the caller may work in.
#[utoipa::path(get, path = "/v1/logs", tag = "reading", security(("bearer" = [])), responses((status = 200, body = Vec<LogAccess>)))]
pub(crate) async fn logs(app: Data<App>, caller: SignedIn) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.accounts.logs(&caller.0).await?))
}

/// Cases, newest change first.
#[utoipa::path(get, path = "/v1/logs/{log}/cases", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), CasesAsked), responses(
    (status = 200, body = CasePage),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn cases(
    app: Data<App>,
    caller: SignedIn,
    log: Path<String>,
    asked: Query<CasesAsked>,
) -> Result<HttpResponse> {
    let CasesAsked { area, state, category, subtype, code, unattended, before, limit } = asked.into_inner();
    let states = states_named(state.as_deref()).ok_or_else(|| Error::invalid("state"))?;
    let filter = CaseFilter { states, category, subtype, code };
    let query = CaseQuery { area, filter, unattended, before, limit: limit.unwrap_or(PAGE_MAX) };
    Ok(HttpResponse::Ok().json(app.sight.cases(&caller.0, id(&log)?, query).await?))
}

/// One case with the sealed values that the caller may read.
#[utoipa::path(get, path = "/v1/logs/{log}/cases/{case}", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), ("case" = EntityId, Path)), responses(
    (status = 200, body = CaseView),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn case(app: Data<App>, caller: SignedIn, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (log, case) = path.into_inner();
    Ok(HttpResponse::Ok().json(app.sight.case(&caller.0, id(&log)?, id(&case)?).await?))
}

/// Behind which revision a page begins.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct After {
    /// `next` of the page before.
    #[serde(default)]
    after: u64,
}

/// What happened to a case, oldest first.
#[utoipa::path(get, path = "/v1/logs/{log}/cases/{case}/entries", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), ("case" = EntityId, Path), After), responses(
    (status = 200, body = EntryPage),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn entries(
    app: Data<App>,
    caller: SignedIn,
    path: Path<(String, String)>,
    page: Query<After>,
) -> Result<HttpResponse> {
    let (log, case) = path.into_inner();
    Ok(HttpResponse::Ok().json(app.sight.entries(&caller.0, id(&log)?, id(&case)?, page.after).await?))
}

/// Before which revision.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Before {
    /// Only what is older than this revision; none for the newest.
    before: Option<u64>,
}

/// What somebody had to hear of a case, newest first: who, and how far each notice got. For those who supervise or audit
/// where it lies.
#[utoipa::path(get, path = "/v1/logs/{log}/cases/{case}/notices", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), ("case" = EntityId, Path), Before), responses(
    (status = 200, body = NoticePage),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn notices(
    app: Data<App>,
    caller: SignedIn,
    path: Path<(String, String)>,
    page: Query<Before>,
) -> Result<HttpResponse> {
    let (log, case) = path.into_inner();
    Ok(HttpResponse::Ok().json(app.sight.notices(&caller.0, id(&log)?, id(&case)?, page.before).await?))
}

/// Says that the caller opened a case. Where they should hear of it, the first time stands beside its notices.
#[utoipa::path(post, path = "/v1/logs/{log}/cases/{case}/opened", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), ("case" = EntityId, Path)), responses(
    (status = 204),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn opened(app: Data<App>, caller: SignedIn, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (log, case) = path.into_inner();
    app.sight.opened(&caller.0, id(&log)?, id(&case)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ops that wait for a person, oldest first.
#[utoipa::path(get, path = "/v1/logs/{log}/parked", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), After), responses(
    (status = 200, body = ParkedPage),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn parked(
    app: Data<App>,
    caller: SignedIn,
    log: Path<String>,
    page: Query<After>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.sight.parked(&caller.0, id(&log)?, page.after).await?))
}

/// Who read personal and restricted things, oldest first. For those who audit or administer the whole log.
#[utoipa::path(get, path = "/v1/logs/{log}/reads", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), After), responses(
    (status = 200, body = ReadPage),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn reads(
    app: Data<App>,
    caller: SignedIn,
    log: Path<String>,
    page: Query<After>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.sight.reads(&caller.0, id(&log)?, page.after).await?))
}

/// The bytes of a catalogue or an area tree.
#[utoipa::path(get, path = "/v1/logs/{log}/documents/{sha256}", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), ("sha256" = String, Path)), responses(
    (status = 200, content_type = "application/json", body = String),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn document(app: Data<App>, caller: SignedIn, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (log, sha256) = path.into_inner();
    let sha256 = sha256.parse().map_err(|_| Error::refused(ProblemCode::NotFound))?;
    let bytes = app.sight.document(&caller.0, id(&log)?, sha256).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "private, max-age=31536000, immutable"))
        .body(bytes))
}

/// A long poll.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HeadAsked {
    /// The log.
    log: LogId,
    /// Answer as soon as the head is beyond this revision.
    #[serde(default)]
    rev: u64,
    /// Or after this many seconds, at most 25.
    #[serde(default)]
    wait: u64,
}

/// Where a log's head is: at once, or as soon as it moves.
#[utoipa::path(get, path = "/v1/head", tag = "sync", security(("bearer" = [])), params(HeadAsked), responses(
    (status = 200, body = HeadEvent),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn head(app: Data<App>, caller: SignedIn, asked: Query<HeadAsked>) -> Result<HttpResponse> {
    let access = caller.0.in_log(asked.log)?;
    let wait = Duration::from_secs(asked.wait.min(WAIT_S_MAX));
    Ok(HttpResponse::Ok().json(app.events.beyond(access.log, asked.rev, wait).await?))
}

/// An id of a path. What is no id names nothing.
pub(super) fn id<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::refused(ProblemCode::NotFound))
}
