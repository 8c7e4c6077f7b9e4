//! Files of unsent work, brought by a supervisor.

use actix_web::HttpResponse;
use actix_web::web::{Data, Payload};
use schema::export::TakenIn;
use schema::problem::{Problem, ProblemCode};

use super::body::{Body, Piece};
use super::caller::SignedIn;
use crate::app::App;
use crate::error::{Error, Result};
use crate::services::pace::Pace;

/// Takes in a file that a phone exported, sealed or plain. Its ops get the outcomes that they would have got from the
/// phone, and a phone that syncs them later gets the same ones; a file may be taken in again. For supervisors and
/// administrators of the districts of its ops. Nothing is taken of a file that is refused.
#[utoipa::path(post, path = "/v1/export-files", tag = "accounts", security(("bearer" = [])),
    request_body(content_type = "application/octet-stream", content = Vec<u8>),
    responses(
        (status = 200, body = TakenIn),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`truncated`: the file is cut off"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`foreign_file`, `tampered_file`"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many`: see Retry-After"),
    ))]
pub(crate) async fn take_in(app: Data<App>, caller: SignedIn, payload: Payload) -> Result<HttpResponse> {
    let mut spool = app.take_in.spool(&caller.0).await?;
    let mut body = Body::new(payload, Pace::EXPORT);
    loop {
        match body.next().await {
            Piece::Bytes(bytes) => spool = spool.write(bytes.to_vec()).await?,
            Piece::End => return Ok(HttpResponse::Ok().json(app.take_in.take_from(spool, &caller.0).await?)),
            Piece::Broken => return Err(Error::refused(ProblemCode::Truncated)),
            Piece::TooSlow => return Err(Error::refused(ProblemCode::TooSlow)),
        }
    }
}
