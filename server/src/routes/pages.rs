//! Pages for people and for machines that watch: health, the API document, and what each problem means.

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use schema::api::Ready;
use schema::problem::{Problem, ProblemCode};

use super::openapi::document;
use super::problem::language;
use super::reference;
use crate::app::App;
use crate::error::{Error, Result};
use crate::problem_text;

/// The program runs.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain")).body("ok\n")
}

/// The program can answer: the database can be read.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses((status = 200, body = Ready), (status = 500, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn readyz(app: Data<App>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(Ready { ready: true, logs: app.installation.log_count().await? }))
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation", responses((status = 200, content_type = "application/json", body = String)))]
pub(crate) async fn openapi() -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(document()?))
}

/// This document for people.
#[utoipa::path(get, path = "/docs", tag = "operation", responses((status = 200, content_type = "text/html", body = String)))]
pub(crate) async fn docs(request: HttpRequest) -> Result<HttpResponse> {
    Ok(page(reference::page(language(request.headers()))?))
}

/// What a problem means and what to do about it.
#[utoipa::path(get, path = "/problems/{code}", tag = "operation", params(("code" = String, Path)), responses((status = 200, content_type = "text/html", body = String), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn problem(request: HttpRequest, code: Path<String>) -> Result<HttpResponse> {
    let known = problem_text::ALL.iter().find(|known| problem_text::name(**known) == *code);
    let known = known.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    Ok(page(reference::problem_page(*known, language(request.headers()))))
}

fn page(html: String) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8")).body(html)
}

/// The style of these pages.
#[utoipa::path(get, path = "/docs.css", tag = "operation", responses((status = 200, content_type = "text/css", body = String)))]
pub(crate) async fn style() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/css; charset=utf-8")).body(reference::STYLE)
}
