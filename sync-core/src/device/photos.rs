//! The queue of photos: each stays until the log says that its bytes have arrived and that this is durable. There is
//! no giving up.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use rusqlite::{Connection, params};
use schema::case::Case;
use schema::hash::Hash;
use schema::op::Captured;
use schema::photo::PhotoState;
use serde_json::json;

use super::attention::{Raise, Trouble, raise};
use super::error::PhoneError;
use super::phone::{Phone, write};
use super::photo_file::place;
use super::row::{Blob, int, nat};
use super::transport::Identified;
use crate::log::chain::photo_message;

/// A photo that the server may not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoToSend {
    /// Its hash.
    pub sha256: Hash,
    /// Its size.
    pub size: u64,
    /// The server has this much for sure, as heard last.
    pub offset: u64,
    /// Its file.
    pub path: PathBuf,
}

/// Every verified reference of a photo in each of its logs is at or below what is durable there.
const SAFE: &str = "uploaded = 1 AND EXISTS (SELECT 1 FROM photo_ref WHERE photo_ref.sha256 = photo.sha256)
    AND NOT EXISTS (SELECT 1 FROM photo_ref AS named WHERE named.sha256 = photo.sha256 AND NOT EXISTS
        (SELECT 1 FROM photo_ref AS proof JOIN log ON log.id = proof.log WHERE proof.sha256 = named.sha256
         AND proof.log = named.log AND proof.verified_rev <= log.durable))";

impl Phone {
    /// The photos to ask the server about, in order: those of the oldest op first, the smallest of them first. A photo
    /// is asked about in every round until the log says that it has arrived: "I have it" from a server that is then
    /// restored is worth nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn photos_to_offer(&self) -> Result<Vec<PhotoToSend>, PhoneError> {
        self.photos_where(
            "here = 1 AND EXISTS (SELECT 1 FROM photo_ref
                 WHERE photo_ref.sha256 = photo.sha256 AND verified_rev IS NULL)",
        )
    }

    /// The photos to send, in the same order.
    ///
    /// # Errors
    /// The store's.
    pub fn photos_to_send(&self) -> Result<Vec<PhotoToSend>, PhoneError> {
        self.photos_where("here = 1 AND uploaded = 0")
    }

    fn photos_where(&self, condition: &str) -> Result<Vec<PhotoToSend>, PhoneError> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT sha256, size, offset FROM photo WHERE {condition}
             ORDER BY (SELECT MIN(n) FROM own_op JOIN photo_ref USING (op) WHERE photo_ref.sha256 = photo.sha256)
                 NULLS LAST, size, made"
        ))?;
        let rows = statement.query_map([], |row| {
            let sha256 = row.get::<_, Blob<Hash>>(0)?.0;
            let path = place(&self.home, &sha256);
            Ok(PhotoToSend { sha256, size: nat(row.get(1)?), offset: nat(row.get(2)?), path })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the server says about a photo. Only the log's `photo_verified`, durable, ends this phone's custody.
    ///
    /// # Errors
    /// The store's.
    pub fn photo_answer(&mut self, sha256: Hash, state: PhotoState) -> Result<(), PhoneError> {
        let (offset, uploaded) = match state {
            PhotoState::Absent => (0, false),
            PhotoState::Partial { offset } => (int(offset), false),
            PhotoState::Verified => (0, true),
        };
        self.db.prepare_cached("UPDATE photo SET offset = ?2, uploaded = ?3 WHERE sha256 = ?1")?.execute(params![
            Blob(sha256),
            offset,
            uploaded
        ])?;
        Ok(())
    }

    /// What identifies this phone where it hands in a photo without a token.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn signs_photo(&self, sha256: &Hash) -> Result<Identified<'static>, PhoneError> {
        let device = self.identity()?.device;
        Ok(Identified::Photo(device, self.secret()?.sign(&photo_message(device, sha256))))
    }

    /// The file of a photo that was not sent is gone: nobody but a person can help, so a person is told.
    ///
    /// # Errors
    /// The store's.
    pub fn photo_gone(&mut self, sha256: Hash, now: Captured) -> Result<(), PhoneError> {
        let change = write(&mut self.db)?;
        let refs: Vec<(i64, Blob<schema::ids::OpId>, Blob<schema::ids::EntityId>)> = change
            .prepare_cached("SELECT log, op, entity FROM photo_ref WHERE sha256 = ?1")?
            .query_map(params![Blob(sha256)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        for (log, op, entity) in refs {
            let detail = json!({"photo": sha256});
            let (op, entity) = (Some(op.0), Some(entity.0));
            raise(&change, &Raise { trouble: Trouble::PhotoGone, log, op, entity, detail, since_ms: now.wall_ms })?;
        }
        change.commit()?;
        Ok(())
    }

    /// Deletes the local copies that are safe without this phone. Says how many.
    ///
    /// # Errors
    /// The store's.
    pub fn free_photos(&mut self) -> Result<usize, PhoneError> {
        let change = write(&mut self.db)?;
        let safe: Vec<Blob<Hash>> = change
            .prepare_cached(&format!("SELECT sha256 FROM photo WHERE here = 1 AND {SAFE}"))?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for Blob(sha256) in &safe {
            change.execute("UPDATE photo SET here = 0 WHERE sha256 = ?1", params![Blob(*sha256)])?;
            let path = place(&self.home, sha256);
            // Under the lock: a capture of the same photo looks for the file once it has the lock itself.
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(PhoneError::file(path)(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        change.commit()?;
        Ok(safe.len())
    }
}

/// Notes which photos of a case have arrived, by its newest version.
pub(crate) fn note_verified(db: &Connection, log: i64, case: &Case) -> Result<(), PhoneError> {
    let mut seen = BTreeSet::new();
    for evidence in &case.evidence {
        let Some(rev) = evidence.verified_rev else { continue };
        if seen.insert(evidence.sha256) {
            db.prepare_cached(
                "UPDATE photo_ref SET verified_rev = ?3 WHERE log = ?1 AND sha256 = ?2
                 AND (verified_rev IS NULL OR verified_rev > ?3)",
            )?
            .execute(params![log, Blob(evidence.sha256), int(rev)])?;
        }
    }
    Ok(())
}
