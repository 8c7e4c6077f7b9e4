//! Answers that are read from a file piece by piece.

use std::path::Path;

use actix_web::body::SizedStream;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use anyhow::Context;
use futures_util::stream;
use tokio::io::AsyncReadExt;

use crate::error::Result;

const PIECE_BYTES: usize = 64 * 1024;

/// Answers with a file.
///
/// # Errors
/// Where it can't be opened.
pub(crate) async fn file(mut answer: HttpResponseBuilder, path: &Path, length: u64) -> Result<HttpResponse> {
    let file = tokio::fs::File::open(path).await.with_context(|| format!("opening {}", path.display()))?;
    let pieces = stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
    });
    Ok(answer.body(SizedStream::new(length, Box::pin(pieces))))
}
