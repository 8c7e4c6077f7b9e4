//! A file of unsent work, piece by piece: a head, batches, photos, an end. No more of it is in memory than one piece.

use std::io::{self, BufRead, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::export::{EXPORT_VERSION, ExportEnd, ExportHead, ExportPhoto, ExportTotals};
use schema::hash::Hash;
use schema::limits::{BATCH_OPS_MAX, LINE_BYTES_MAX, PHOTO_BYTES_MAX};
use schema::problem::ProblemCode;
use schema::sync::SyncHeader;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use sync_core::line::{is_value_line, sha256};

use super::told;
use crate::error::{Error, Result};

/// The longest line: a photo in base64, with its name.
const LINE_MAX: u64 = PHOTO_BYTES_MAX / 3 * 4 + 1024;
/// The largest batch: all its lines, and as much again for the values.
const BATCH_MAX: usize = 2 * BATCH_OPS_MAX * LINE_BYTES_MAX;

/// A piece of a file.
pub(super) enum Item {
    /// Its first line.
    Head(ExportHead),
    /// A batch, as the body of a push has it.
    Batch(Vec<u8>),
    /// A photo whose bytes have their hash.
    Photo(Hash, Vec<u8>),
    /// Its last line.
    End(ExportTotals),
}

/// The lines of a file, read once from its beginning.
pub(super) struct Lines {
    from: Box<dyn BufRead + Send>,
    /// A line that was read and belongs to the next piece.
    ahead: Option<Vec<u8>>,
    hasher: Sha256,
    begun: bool,
}

#[derive(Deserialize)]
struct Probe {
    photo: Option<IgnoredAny>,
    end: Option<IgnoredAny>,
}

fn tampered() -> Error {
    Error::refused(ProblemCode::TamperedFile)
}

impl Lines {
    pub(super) fn new(from: Box<dyn BufRead + Send>) -> Self {
        Self { from, ahead: None, hasher: Sha256::new(), begun: false }
    }

    /// Of every byte up to the piece that was read last, the end not counted.
    pub(super) fn sha256(&self) -> Hash {
        Hash(self.hasher.clone().finalize().into())
    }

    /// Whether nothing stands behind the end.
    pub(super) fn is_at_end(&mut self) -> Result<bool> {
        Ok(self.from.fill_buf().map_err(told)?.is_empty())
    }

    /// The next piece.
    ///
    /// # Errors
    /// `truncated` where the file ends before its end, `tampered_file`, `foreign_file` for what is no such file.
    pub(super) fn item(&mut self) -> Result<Item> {
        let line = self.line()?;
        if !std::mem::replace(&mut self.begun, true) {
            self.take(&line);
            let head: Option<ExportHead> = serde_json::from_slice(&line).ok();
            let known = head.filter(|head| head.rectify_export == EXPORT_VERSION);
            return known.map(Item::Head).ok_or_else(|| Error::refused(ProblemCode::ForeignFile));
        }
        let probe: Probe = serde_json::from_slice(&line).map_err(|_| tampered())?;
        if probe.end.is_some() {
            let end: ExportEnd = serde_json::from_slice(&line).map_err(|_| tampered())?;
            return Ok(Item::End(end.end));
        }
        self.take(&line);
        if probe.photo.is_none() {
            return self.batch(line);
        }
        let photo: ExportPhoto = serde_json::from_slice(&line).map_err(|_| tampered())?;
        let bytes = STANDARD.decode(photo.base64).map_err(|_| tampered())?;
        let fits = u64::try_from(bytes.len()).is_ok_and(|size| size == photo.size && size <= PHOTO_BYTES_MAX);
        if fits && sha256(&bytes) == photo.photo { Ok(Item::Photo(photo.photo, bytes)) } else { Err(tampered()) }
    }

    fn batch(&mut self, header: Vec<u8>) -> Result<Item> {
        let read: SyncHeader = serde_json::from_slice(&header).map_err(|_| tampered())?;
        let count = usize::try_from(read.count).map_err(|_| tampered())?;
        let (mut body, mut ops) = (header, 0_usize);
        loop {
            let line = self.line()?;
            if !is_value_line(&line) {
                if ops == count {
                    self.ahead = Some(line);
                    return Ok(Item::Batch(body));
                }
                ops = ops.saturating_add(1);
            }
            self.take(&line);
            if body.len().saturating_add(line.len()) > BATCH_MAX {
                return Err(tampered());
            }
            body.push(b'\n');
            body.extend_from_slice(&line);
        }
    }

    fn take(&mut self, line: &[u8]) {
        self.hasher.update(line);
        self.hasher.update(b"\n");
    }

    fn line(&mut self) -> Result<Vec<u8>> {
        if let Some(line) = self.ahead.take() {
            return Ok(line);
        }
        let mut line = Vec::new();
        (&mut self.from).take(LINE_MAX).read_until(b'\n', &mut line).map_err(told)?;
        match line.pop() {
            Some(b'\n') => Ok(line),
            Some(_) if u64::try_from(line.len()).is_ok_and(|length| length + 1 >= LINE_MAX) => Err(tampered()),
            // What does not even begin as such a file is none; what does is cut off.
            Some(_) if !self.begun && !line.starts_with(b"{\"rectify_export\"") => {
                Err(Error::refused(ProblemCode::ForeignFile))
            }
            Some(_) | None => Err(told(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}
