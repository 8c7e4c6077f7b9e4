//! Photos: tus 1.0 at the place that a photo's hash names, and serving them to those who may see a case that names
//! them.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Path, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::hash::Hash;
use schema::ids::DeviceId;
use schema::limits::PHOTO_BYTES_MAX;
use schema::photo::{AlikeAnswer, Have, HaveAnswer};
use schema::problem::{Problem, ProblemCode};

use super::body::{Body, Json, Piece, media_type};
use super::caller::{SignedIn, authorization};
use super::stream;
use crate::app::App;
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::services::blobs::Version;
use crate::services::pace::Pace;
use crate::services::uploads::{Receiving, Standing, Stream};

const TUS: &str = "1.0.0";
const CHUNK_TYPE: &str = "application/offset+octet-stream";

/// What of tus is spoken.
#[utoipa::path(options, path = "/v1/photos", tag = "photos", responses((status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm")))]
pub(crate) async fn options() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header(("Tus-Resumable", TUS))
        .insert_header(("Tus-Version", TUS))
        .insert_header(("Tus-Extension", "creation,checksum,expiration"))
        .insert_header(("Tus-Max-Size", PHOTO_BYTES_MAX.to_string()))
        .insert_header(("Tus-Checksum-Algorithm", "sha256"))
        .finish()
}

/// The same for one photo's place.
#[utoipa::path(options, path = "/v1/photos/{sha256}", tag = "photos", params(("sha256" = String, Path)), responses((status = 204, description = "as OPTIONS /v1/photos")))]
pub(crate) async fn options_of_one() -> HttpResponse {
    options().await
}

/// Announces an upload (tus creation). `Upload-Metadata` names the photo: `sha256`, base64 of its hex digits. The
/// answer is the place that the hash names; asking again changes nothing.
#[utoipa::path(post, path = "/v1/photos", tag = "photos", security(("bearer" = []), ("device" = [])),
    params(("Tus-Resumable" = String, Header), ("Upload-Length" = u64, Header), ("Upload-Metadata" = String, Header)),
    responses(
        (status = 201, description = "Location, Upload-Offset, Upload-Expires"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "`too_large`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`"),
    ))]
pub(crate) async fn create(app: Data<App>, request: HttpRequest) -> Result<HttpResponse> {
    let named = named_in_metadata(&request);
    let sender = sender(&app, &request, named).await?;
    if let Some(other) = another_tus(&request) {
        return Ok(other);
    }
    let length = number(&request, "Upload-Length")?;
    let photo = named.ok_or_else(|| Error::invalid("Upload-Metadata"))?;
    let standing = app.photos.create(photo, sender, length).await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, format!("/v1/photos/{photo}")));
    Ok(told(answer, &standing).finish())
}

/// How far an upload is (tus core). A photo that this device has sent whole has its offset at its length.
#[utoipa::path(head, path = "/v1/photos/{sha256}", tag = "photos", security(("bearer" = []), ("device" = [])), params(("sha256" = String, Path)), responses(
    (status = 200, description = "Upload-Offset, Upload-Length, Upload-Expires"),
    (status = 404, description = "never announced by this device"),
))]
pub(crate) async fn standing(app: Data<App>, photo: Path<String>, request: HttpRequest) -> Result<HttpResponse> {
    let sender = sender(&app, &request, photo.parse().ok()).await?;
    if let Some(other) = another_tus(&request) {
        return Ok(other);
    }
    let standing = app.photos.standing(hash(&photo)?, sender).await?;
    let mut answer = told(HttpResponse::Ok(), &standing);
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    answer.insert_header(("Upload-Length", standing.size.to_string()));
    Ok(answer.finish())
}

/// Bytes of a photo (tus core, checksum). The whole hash is checked with the last of them.
#[utoipa::path(patch, path = "/v1/photos/{sha256}", tag = "photos", security(("bearer" = []), ("device" = [])),
    params(("sha256" = String, Path), ("Tus-Resumable" = String, Header), ("Upload-Offset" = u64, Header), ("Upload-Checksum" = Option<String>, Header)),
    request_body(content_type = "application/offset+octet-stream", content = Vec<u8>),
    responses(
        (status = 204, description = "Upload-Offset"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`offset_mismatch`, `upload_superseded`"),
        (status = 460, body = Problem, content_type = "application/problem+json", description = "`checksum_mismatch`"),
        (status = 507, body = Problem, content_type = "application/problem+json", description = "`storage_full`"),
    ))]
pub(crate) async fn append(
    app: Data<App>,
    photo: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let sender = sender(&app, &request, photo.parse().ok()).await?;
    if let Some(other) = another_tus(&request) {
        return Ok(other);
    }
    if media_type(&request).as_deref() != Some(CHUNK_TYPE) {
        return Err(Error::refused(ProblemCode::UnsupportedMedia));
    }
    let offset = number(&request, "Upload-Offset")?;
    let checksum = checksum(&request)?;
    let body = Body::new(payload, Pace::PHOTO);
    let standing = match app.photos.begin(hash(&photo)?, sender, offset, checksum).await? {
        Stream::Open(stream) => receive(*stream, body).await?,
        Stream::Whole(standing) => {
            // Read to its end, so that the sender gets to read the answer.
            drain(body).await;
            standing
        }
    };
    Ok(told(HttpResponse::NoContent(), &standing).finish())
}

async fn receive(mut stream: Receiving, mut body: Body) -> Result<Standing> {
    loop {
        match body.next().await {
            Piece::Bytes(bytes) => stream.write(&bytes).await?,
            Piece::End => return stream.finish().await,
            Piece::Broken => {
                stream.broken().await?;
                return Err(Error::refused(ProblemCode::Truncated));
            }
            Piece::TooSlow => {
                stream.broken().await?;
                return Err(Error::refused(ProblemCode::TooSlow));
            }
        }
    }
}

async fn drain(mut body: Body) {
    let mut left = usize::try_from(PHOTO_BYTES_MAX).unwrap_or(usize::MAX);
    while let Piece::Bytes(bytes) = body.next().await {
        left = left.saturating_sub(bytes.len());
        if left == 0 {
            return;
        }
    }
}

/// Which of these photos has this device sent?
#[utoipa::path(post, path = "/v1/photos/have", tag = "photos", security(("bearer" = [])), request_body = Have, responses((status = 200, body = HaveAnswer)))]
pub(crate) async fn have(app: Data<App>, caller: SignedIn, body: Json<Have>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.photos.have(body.0, caller.0.device).await?))
}

/// A photo: `320` or `1280` for those who may see a case that names it; `original`, sealed, for supervisors,
/// auditors, admins and whoever took it.
#[utoipa::path(get, path = "/v1/photos/{sha256}/{version}", tag = "photos", security(("bearer" = [])),
    params(("sha256" = String, Path), ("version" = String, Path, description = "`320`, `1280` or `original`")),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(app: Data<App>, caller: SignedIn, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (photo, version) = path.into_inner();
    let photo = hash(&photo)?;
    let version = match version.as_str() {
        "320" => Version::Small,
        "1280" => Version::Large,
        "original" => Version::Original,
        _ => return Err(Error::refused(ProblemCode::NotFound)),
    };
    let (file, length) = app.sight.photo(&caller.0, photo, version).await?;
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        .insert_header((header::CACHE_CONTROL, "private, max-age=86400, immutable"));
    match version {
        Version::Small | Version::Large => answer.insert_header((header::CONTENT_TYPE, "image/jpeg")),
        Version::Original => answer
            .insert_header((header::CONTENT_TYPE, "application/octet-stream"))
            .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{photo}\""))),
    };
    Ok(stream::file(answer, file, length))
}

/// Where else a photo, or one that looks like it, is evidence: of the cases that the caller may see.
#[utoipa::path(get, path = "/v1/photos/{sha256}/alike", tag = "photos", security(("bearer" = [])), params(("sha256" = String, Path)),
    responses((status = 200, body = AlikeAnswer), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn alike(app: Data<App>, caller: SignedIn, photo: Path<String>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.sight.alike(&caller.0, hash(&photo)?).await?))
}

/// A client of another tus is told which one is spoken.
fn another_tus(request: &HttpRequest) -> Option<HttpResponse> {
    let spoken = request.headers().get("Tus-Resumable").map(HeaderValue::as_bytes);
    (spoken != Some(TUS.as_bytes()))
        .then(|| HttpResponse::PreconditionFailed().insert_header(("Tus-Version", TUS)).finish())
}

fn told(mut answer: HttpResponseBuilder, standing: &Standing) -> HttpResponseBuilder {
    answer.insert_header(("Tus-Resumable", TUS));
    answer.insert_header(("Upload-Offset", standing.offset.to_string()));
    if let Some(expires_ms) = standing.expires_ms {
        let expires = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_millis(expires_ms));
        if let Some(expires) = expires {
            answer.insert_header(("Upload-Expires", header::HttpDate::from(expires).to_string()));
        }
    }
    answer
}

fn hash(text: &str) -> Result<Hash> {
    text.parse().map_err(|_| Error::refused(ProblemCode::NotFound))
}

/// The device that sends a photo: by its token, or, where it was shut out, by its key's signature over the photo's hash.
async fn sender(app: &App, request: &HttpRequest, photo: Option<Hash>) -> Result<DeviceId> {
    let refused = || Error::refused(ProblemCode::Unauthenticated);
    let Some(shown) = authorization(request, "Device") else {
        return device(&SignedIn::extract(request).await?.0);
    };
    let (id, signature) = shown.split_once(' ').ok_or_else(refused)?;
    let (sender, photo) = (id.parse().map_err(|_| refused())?, photo.ok_or_else(refused)?);
    let signature = signature.trim().parse().map_err(|_| refused())?;
    app.accounts.may_hand_in(sender, photo, signature).await?;
    Ok(sender)
}

/// Photos are sent by phones: a desk has nothing to send.
fn device(caller: &Caller) -> Result<DeviceId> {
    caller.device.ok_or_else(|| Error::refused(ProblemCode::Forbidden))
}

fn number(request: &HttpRequest, name: &str) -> Result<u64> {
    let value = request.headers().get(name).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.parse().ok()).ok_or_else(|| Error::invalid(name))
}

fn named_in_metadata(request: &HttpRequest) -> Option<Hash> {
    let metadata = request.headers().get("Upload-Metadata")?.to_str().ok()?;
    let value = metadata.split(',').find_map(|pair| pair.trim().strip_prefix("sha256 "))?;
    String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?.parse().ok()
}

fn checksum(request: &HttpRequest) -> Result<Option<Hash>> {
    let Some(value) = request.headers().get("Upload-Checksum") else { return Ok(None) };
    let wrong = || Error::invalid("Upload-Checksum");
    let encoded = value.to_str().ok().and_then(|value| value.strip_prefix("sha256 ")).ok_or_else(wrong)?;
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| wrong())?;
    bytes.try_into().map(|bytes| Some(Hash(bytes))).map_err(|_| wrong())
}
