//! Push and pull: the one request by which devices change and learn anything.

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use anyhow::anyhow;
use schema::problem::Problem;
use schema::sync::{SyncHead, SyncHeader};

use super::body;
use super::caller::Syncing;
use crate::app::App;
use crate::error::{Error, Result};
use crate::services::coding::{self, Coding};
use crate::services::sync::exchange;

/// Answers below this size are sent as they are: packing them costs more than it saves.
const PACK_FROM_BYTES: usize = 512;

/// Pushes ops and pulls entities: NDJSON both ways, in gzip or zstd. The request is one `SyncHeader` line, then op
/// lines; the answer begins with `head` and ends with `end`.
#[utoipa::path(post, path = "/v1/sync", tag = "sync", security(("bearer" = []), ("device" = [])),
    params(("Content-Encoding" = Option<String>, Header, description = "`gzip`, `zstd` or none"), ("Accept-Encoding" = Option<String>, Header)),
    request_body(content = SyncHeader, content_type = "application/x-ndjson", description = "a SyncHeader line, then op lines, each followed by its values"),
    responses(
        (status = 200, body = SyncHead, content_type = "application/x-ndjson", description = "SyncLine by SyncLine, `head` first"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`malformed`, `truncated`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`unauthenticated`"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "`too_large`: send half"),
        (status = 426, body = Problem, content_type = "application/problem+json", description = "`protocol_unsupported`"),
    ))]
pub(crate) async fn sync(
    app: Data<App>,
    caller: Syncing,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let pushed = body::push(&request, payload).await?;
    let answer = exchange(&app.logs, caller.0, pushed).await?;
    let accepted = request.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let coding = if answer.len() < PACK_FROM_BYTES { Coding::Identity } else { Coding::accepted(accepted) };
    let packed = tokio::task::spawn_blocking(move || coding::pack(coding, answer))
        .await
        .map_err(|error| Error::Internal(anyhow!(error).context("packing an answer")))??;
    let mut reply = HttpResponse::Ok();
    reply
        .insert_header((header::CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((header::VARY, "Accept-Encoding"));
    if let Some(name) = coding.name() {
        reply.insert_header((header::CONTENT_ENCODING, name));
    }
    Ok(reply.body(packed))
}
