//! Reading bodies: bounded in size and in time, decompressed by us and never by actix, and JSON with its errors said.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use actix_web::dev::Payload as RawPayload;
use actix_web::http::header;
use actix_web::web::{Bytes, Payload};
use actix_web::{FromRequest, HttpRequest};
use anyhow::anyhow;
use futures_util::StreamExt;
use schema::limits::{BATCH_BYTES_MAX, BATCH_DECOMPRESSED_BYTES_MAX};
use schema::problem::ProblemCode;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::services::coding::{self, Coding};
use crate::services::pace::{Pace, Progress};

/// The largest JSON body of the account and photo routes.
const JSON_BYTES_MAX: usize = 64 * 1024;

/// What came of waiting for a piece of a body.
pub(crate) enum Piece {
    /// Some bytes.
    Bytes(Bytes),
    /// The body is complete.
    End,
    /// The sender is gone, or sent less than it said.
    Broken,
    /// The sender is too slow.
    TooSlow,
}

/// A body that is read piece by piece at a pace.
pub(crate) struct Body {
    payload: Payload,
    progress: Progress,
    began: Instant,
}

impl Body {
    /// At its beginning.
    pub(crate) fn new(payload: Payload, pace: Pace) -> Self {
        Self { payload, progress: Progress::new(pace), began: Instant::now() }
    }

    /// The next piece.
    pub(crate) async fn next(&mut self) -> Piece {
        let Some(patience) = self.progress.patience(self.began.elapsed()) else { return Piece::TooSlow };
        match tokio::time::timeout(patience, self.payload.next()).await {
            Err(_) => Piece::TooSlow,
            Ok(None) => Piece::End,
            Ok(Some(Err(_))) => Piece::Broken,
            Ok(Some(Ok(bytes))) => {
                self.progress.came(u64::try_from(bytes.len()).unwrap_or(u64::MAX), self.began.elapsed());
                Piece::Bytes(bytes)
            }
        }
    }

    /// The whole body, if it is no longer than `most`.
    ///
    /// # Errors
    /// `too_large`, `too_slow`, `truncated`.
    pub(crate) async fn whole(mut self, most: usize) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        loop {
            match self.next().await {
                Piece::Bytes(bytes) if whole.len().saturating_add(bytes.len()) <= most => {
                    whole.extend_from_slice(&bytes)
                }
                Piece::Bytes(_) => return Err(Error::refused(ProblemCode::TooLarge)),
                Piece::End => return Ok(whole),
                Piece::Broken => return Err(Error::refused(ProblemCode::Truncated)),
                Piece::TooSlow => return Err(Error::refused(ProblemCode::TooSlow)),
            }
        }
    }
}

/// A JSON body.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut RawPayload) -> Self::Future {
        let is_json = media_type(request).is_some_and(|media| media == "application/json");
        let payload = Payload::from_request(request, payload).into_inner();
        Box::pin(async move {
            if !is_json {
                return Err(Error::refused(ProblemCode::UnsupportedMedia));
            }
            let payload = payload.map_err(|_| Error::refused(ProblemCode::Malformed))?;
            let bytes = Body::new(payload, Pace::MESSAGE).whole(JSON_BYTES_MAX).await?;
            serde_json::from_slice(&bytes).map(Self).map_err(|error| said(&error))
        })
    }
}

/// The media type of a body, without its parameters.
pub(crate) fn media_type(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// What serde says of JSON that is well-formed names the member in backticks.
fn said(error: &serde_json::Error) -> Error {
    let words = error.to_string();
    match words.split('`').nth(1) {
        Some(field) if error.is_data() => Error::invalid(field),
        None if error.is_data() => Error::refused(ProblemCode::Invalid),
        _ => Error::refused(ProblemCode::Malformed),
    }
}

/// The body of a push, decompressed.
///
/// # Errors
/// `unsupported_media` for a coding we don't speak, `too_large`, `too_slow`, `truncated`, `malformed`.
pub(crate) async fn push(request: &HttpRequest, payload: Payload) -> Result<Vec<u8>> {
    let header = request.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    let coding = Coding::of_content(header).ok_or_else(|| Error::refused(ProblemCode::UnsupportedMedia))?;
    // What is not compressed may be as long as what is compressed may become.
    let most = if coding == Coding::Identity { BATCH_DECOMPRESSED_BYTES_MAX } else { BATCH_BYTES_MAX };
    let sent = Body::new(payload, Pace::PUSH).whole(most).await?;
    tokio::task::spawn_blocking(move || coding::unpack(coding, sent))
        .await
        .map_err(|error| Error::Internal(anyhow!(error).context("unpacking a push")))?
}
