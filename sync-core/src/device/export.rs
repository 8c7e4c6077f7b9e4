//! All that only this phone has, in one file (docs/protocol-phone.md): a head, the op lines each with its value lines,
//! the photos, and an end with the device's signature over all of it. Nothing on the phone changes by it.

use std::fs;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::export::{EXPORT_VERSION, ExportEnd, ExportHead, ExportPhoto, ExportTotals, message};
use schema::hash::{ExportKey, Hash};
use schema::op::Captured;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::entropy::draw;
use super::error::PhoneError;
use super::outbox;
use super::phone::{Phone, identity, logs};
use crate::sealed_file::{SealedFileError, Sealer};
use crate::sync::batch;

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Op lines.
    pub ops: usize,
    /// Photos.
    pub photos: usize,
}

impl Phone {
    /// Writes the export so that only the server can read it.
    ///
    /// # Errors
    /// [`PhoneError::NoExportKey`]; the store's; the writer's as [`PhoneError::File`].
    pub fn export_sealed(&mut self, to: &mut dyn Write, now: Captured) -> Result<Exported, PhoneError> {
        let key: Option<String> = self.db.query_row("SELECT export_key FROM meta", [], |row| row.get(0))?;
        let key: ExportKey = key.and_then(|key| key.parse().ok()).ok_or(PhoneError::NoExportKey)?;
        let failed = |source: io::Error| PhoneError::file("the export")(source);
        let mut sealer = Sealer::new(to, &key, draw(self.entropy.as_mut())?).map_err(|error| match error {
            SealedFileError::Io(source) => failed(source),
            _ => PhoneError::NoExportKey,
        })?;
        let exported = self.export(&mut sealer, now)?;
        sealer.finish().map_err(failed)?;
        Ok(exported)
    }

    /// Writes the export, for whoever finds it to read. Batches are signed as for a push, one a log and 200 ops, and
    /// the end signs the whole, so that whoever carries the file can't change what it says.
    ///
    /// # Errors
    /// The store's; the writer's as [`PhoneError::File`].
    pub fn export(&self, to: &mut dyn Write, now: Captured) -> Result<Exported, PhoneError> {
        let failed = |source: io::Error| PhoneError::file("the export")(source);
        let (identity, secret) = (identity(&self.db)?, self.secret()?);
        let mut to = Hashing { to, hasher: Sha256::new() };
        let head = ExportHead {
            rectify_export: EXPORT_VERSION,
            device: identity.device,
            account: identity.account,
            name: identity.account_name.clone(),
            app: concat!("rectify-phone/", env!("CARGO_PKG_VERSION")).to_owned(),
            clock: now,
        };
        line(&mut to, &head).map_err(failed)?;
        let mut ops = 0_usize;
        for log in logs(&self.db)? {
            let mut from = 0;
            loop {
                let some = outbox::undecided_from(&self.db, log.id, from, schema::limits::BATCH_OPS_MAX)?;
                let Some(last) = some.last() else { break };
                from = last.device_seq.saturating_add(1);
                let mut lines = Vec::with_capacity(some.len());
                for op in &some {
                    lines.push(outbox::op_line(&self.db, op)?);
                }
                let header = super::requests::batch_header(&self.db, identity.device, &secret, &log, &some, now)?;
                to.write_all(&batch::body(&header, &lines)?).map_err(failed)?;
                ops = ops.saturating_add(some.len());
            }
        }
        let mut photos = 0_usize;
        for photo in self.photos_to_send()? {
            // A file that is gone was told to its owner already; the others are worth exporting.
            let Ok(bytes) = fs::read(&photo.path) else { continue };
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let encoded = ExportPhoto { photo: photo.sha256, size, base64: STANDARD.encode(bytes) };
            line(&mut to, &encoded).map_err(failed)?;
            photos = photos.saturating_add(1);
        }
        let sha256 = Hash(to.hasher.clone().finalize().into());
        let signature = secret.sign(&message(identity.device, &sha256));
        line(&mut to, &ExportEnd { end: ExportTotals { ops, photos, sha256, signature } }).map_err(failed)?;
        to.flush().map_err(failed)?;
        Ok(Exported { ops, photos })
    }
}

/// Hashes what goes through it.
struct Hashing<'a> {
    to: &'a mut dyn Write,
    hasher: Sha256,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn line(to: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    to.write_all(&text)
}
