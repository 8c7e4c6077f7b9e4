//! The page itself: embedded files, each with the right media type, a strict policy and the right life in caches.
//! It knows nothing of what the page does.

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    IF_NONE_MATCH, VARY,
};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::{EmbeddedFile, RustEmbed};
use schema::problem::{Problem, ProblemCode};

use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Files;

/// No script or style but our own files, nothing from another host, no frame; WebAssembly, and no other `eval`.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Camera and place are the page's own; nothing else is asked for.
const PERMISSIONS: &str = "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()";
/// A file whose name is its hash never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// How files lie beside themselves, packed when the page was built: the smallest first.
const PACKED: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];
/// Asked for each time, answered by 304 where nothing changed.
const EACH_TIME: &str = "no-cache";

/// The page.
#[utoipa::path(get, path = "/", tag = "page", responses((status = 200, content_type = "text/html", body = String)))]
pub(crate) async fn index(request: HttpRequest) -> Result<HttpResponse> {
    file(&request, "index.html", EACH_TIME)
}

/// The page's service worker, which keeps the page on the phone.
#[utoipa::path(get, path = "/sw.js", tag = "page", responses((status = 200, content_type = "text/javascript", body = String), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn worker(request: HttpRequest) -> Result<HttpResponse> {
    file(&request, "sw.js", EACH_TIME)
}

/// How the page is installed.
#[utoipa::path(get, path = "/manifest.webmanifest", tag = "page", responses((status = 200, content_type = "application/manifest+json", body = String), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn manifest(request: HttpRequest) -> Result<HttpResponse> {
    file(&request, "manifest.webmanifest", EACH_TIME)
}

/// The page's icons.
#[utoipa::path(get, path = "/icons/{file}", tag = "page", params(("file" = String, Path)), responses((status = 200, content_type = "image/png", body = Vec<u8>), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn icon(request: HttpRequest, name: Path<String>) -> Result<HttpResponse> {
    file(&request, &format!("icons/{name}"), EACH_TIME)
}

/// The page's parts, each named by its hash.
#[utoipa::path(get, path = "/assets/{file}", tag = "page", params(("file" = String, Path)), responses((status = 200, content_type = "text/javascript", body = Vec<u8>), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn asset(request: HttpRequest, name: Path<String>) -> Result<HttpResponse> {
    file(&request, &format!("assets/{name}"), FOR_EVER)
}

fn file(request: &HttpRequest, name: &str, life: &'static str) -> Result<HttpResponse> {
    let plain = Files::get(name).filter(|_| PACKED.iter().all(|(_, end)| !name.ends_with(end)));
    let plain = plain.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    let packed = PACKED.iter().filter(|(coding, _)| takes(coding, request.headers()));
    let packed = packed.filter_map(|(coding, end)| Some((*coding, Files::get(&format!("{name}{end}"))?))).next();
    let tag = tag(packed.as_ref().map_or(&plain, |(_, file)| file));
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_TYPE, media_type(name)))
        .insert_header((CACHE_CONTROL, life))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("permissions-policy", PERMISSIONS))
        .insert_header((VARY, "accept-encoding"))
        .insert_header((ETAG, tag.clone()));
    if request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok(answer.status(actix_web::http::StatusCode::NOT_MODIFIED).finish());
    }
    Ok(match packed {
        Some((coding, file)) => answer.insert_header((CONTENT_ENCODING, coding)).body(file.data.into_owned()),
        None => answer.body(plain.data.into_owned()),
    })
}

fn takes(wanted: &str, headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == wanted && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn tag(file: &EmbeddedFile) -> String {
    format!("\"{}\"", hex::encode(file.metadata.sha256_hash()))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
