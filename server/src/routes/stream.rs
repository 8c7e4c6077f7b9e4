//! Answers that are read from a file piece by piece.

use std::fs::File;

use actix_web::body::SizedStream;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::stream;
use tokio::io::AsyncReadExt;

const PIECE_BYTES: usize = 64 * 1024;

/// Answers with a file.
pub(crate) fn file(mut answer: HttpResponseBuilder, file: File, length: u64) -> HttpResponse {
    let pieces = stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
    });
    answer.body(SizedStream::new(length, Box::pin(pieces)))
}
