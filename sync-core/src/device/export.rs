//! All that only this phone has, in one file (docs/protocol-phone.md): a head, the op lines each with its value lines,
//! the photos, and an end with the device's signature over all of it. Nothing on the phone changes by it.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::export::{EXPORT_VERSION, ExportEnd, ExportHead, ExportPhoto, ExportTotals, message};
use schema::hash::{ExportKey, Hash, Signature};
use schema::ids::DeviceId;
use schema::op::Captured;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::entropy::draw;
use super::error::PhoneError;
use super::outbox;
use super::requests::{Request, Unsigned, batch_alone};
use super::store::{Store, identity, logs, meta};
use crate::sealed_file::{SealedFileError, Sealer};

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Op lines.
    pub ops: usize,
    /// Photos.
    pub photos: usize,
}

impl Store {
    /// The first line of an export. `app` is the program that writes it.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`].
    pub fn export_head(&self, app: &str, now: Captured) -> Result<ExportHead, PhoneError> {
        let identity = identity(self.db())?;
        Ok(ExportHead {
            rectify_export: EXPORT_VERSION,
            device: identity.device,
            account: identity.account,
            name: identity.account_name,
            app: app.to_owned(),
            clock: now,
        })
    }

    /// What the server has not decided, in batches as for a push, one a log and 200 ops, each to be signed.
    ///
    /// # Errors
    /// The store's.
    pub fn export_batches(&self, now: Captured) -> Result<Vec<Unsigned>, PhoneError> {
        let device = identity(self.db())?.device;
        let mut batches = Vec::new();
        for log in logs(self.db())? {
            let mut from = 0;
            loop {
                let some = outbox::undecided_from(self.db(), log.id, from, schema::limits::BATCH_OPS_MAX)?;
                let Some(last) = some.last() else { break };
                from = last.device_seq.saturating_add(1);
                batches.push(batch_alone(self.db(), device, &log, &some, now)?);
            }
        }
        Ok(batches)
    }

    /// The key to which the server wants exports sealed.
    ///
    /// # Errors
    /// [`PhoneError::NoExportKey`] before it said so.
    pub fn export_key(&self) -> Result<ExportKey, PhoneError> {
        let key = meta(self.db())?.export_key;
        key.and_then(|key| key.parse().ok()).ok_or(PhoneError::NoExportKey)
    }

    /// Seals to it what is written.
    ///
    /// # Errors
    /// [`PhoneError::NoExportKey`]; the writer's.
    pub fn export_sealer<W: Write>(&mut self, to: W) -> Result<Sealer<W>, PhoneError> {
        let key = self.export_key()?;
        let random = draw(self.entropy.as_mut())?;
        Sealer::new(to, &key, random).map_err(|error| match error {
            SealedFileError::Io(error) => PhoneError::internal(error),
            _ => PhoneError::NoExportKey,
        })
    }
}

/// An export that is being written.
pub struct Exporting<W: Write> {
    to: Hashing<W>,
    device: DeviceId,
    exported: Exported,
}

impl<W: Write> Exporting<W> {
    /// Begins with its head.
    ///
    /// # Errors
    /// The writer's.
    pub fn begin(to: W, head: &ExportHead) -> io::Result<Self> {
        let mut to = Hashing { to, hasher: Sha256::new() };
        line(&mut to, head)?;
        Ok(Self { to, device: head.device, exported: Exported { ops: 0, photos: 0 } })
    }

    /// A signed batch.
    ///
    /// # Errors
    /// The writer's.
    pub fn batch(&mut self, batch: &Request) -> io::Result<()> {
        self.to.write_all(&batch.body)?;
        let ops = usize::try_from(batch.header.count).unwrap_or(usize::MAX);
        self.exported.ops = self.exported.ops.saturating_add(ops);
        Ok(())
    }

    /// A photo.
    ///
    /// # Errors
    /// The writer's.
    pub fn photo(&mut self, photo: Hash, bytes: &[u8]) -> io::Result<()> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        line(&mut self.to, &ExportPhoto { photo, size, base64: STANDARD.encode(bytes) })?;
        self.exported.photos = self.exported.photos.saturating_add(1);
        Ok(())
    }

    /// What the device signs at the end, so that whoever carries the file can't change what it says.
    pub fn message(&self) -> Vec<u8> {
        message(self.device, &self.sum())
    }

    fn sum(&self) -> Hash {
        Hash(self.to.hasher.clone().finalize().into())
    }

    /// Ends it.
    ///
    /// # Errors
    /// The writer's.
    pub fn end(mut self, signature: Signature) -> io::Result<(W, Exported)> {
        let Exported { ops, photos } = self.exported;
        let sha256 = self.sum();
        line(&mut self.to, &ExportEnd { end: ExportTotals { ops, photos, sha256, signature } })?;
        self.to.flush()?;
        Ok((self.to.to, self.exported))
    }
}

/// Hashes what goes through it.
struct Hashing<W: Write> {
    to: W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn line(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    to.write_all(&text)
}
