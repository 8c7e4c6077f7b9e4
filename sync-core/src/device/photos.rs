//! The queue of photos: each stays until the log says that its bytes have arrived and that this is durable. There is
//! no giving up.

use std::collections::BTreeSet;

use schema::case::Evidence;
use schema::hash::Hash;
use schema::op::Captured;
use schema::photo::PhotoState;
use serde_json::json;

use super::attention::{Raise, Trouble, raise};
use super::error::PhoneError;
use super::outbox;
use super::store::{Store, log_by_row};
use super::tables::rows::{Photo, PhotoRef};
use super::tables::{self, Row, Tables, values};

/// A photo that the server may not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoToSend {
    /// Its hash.
    pub sha256: Hash,
    /// Its size.
    pub size: u64,
    /// The server has this much for sure, as heard last.
    pub offset: u64,
}

impl Store {
    /// The photos to ask the server about, in order: those of the oldest op first, the smallest of them first. A photo
    /// is asked about in every round until the log says that it has arrived: "I have it" from a server that is then
    /// restored is worth nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn photos_to_offer(&self) -> Result<Vec<PhotoToSend>, PhoneError> {
        self.photos_where(|_, named| named.iter().any(|named| named.verified_rev.is_none()))
    }

    /// The photos to send, in the same order.
    ///
    /// # Errors
    /// The store's.
    pub fn photos_to_send(&self) -> Result<Vec<PhotoToSend>, PhoneError> {
        self.photos_where(|photo, _| !photo.uploaded)
    }

    fn photos_where(&self, wanted: impl Fn(&Photo, &[PhotoRef]) -> bool) -> Result<Vec<PhotoToSend>, PhoneError> {
        let db = self.db();
        let mut found = Vec::new();
        for photo in tables::select::<Photo>(db, Photo::BY_HERE, values!(true))? {
            let named: Vec<PhotoRef> = tables::select(db, PhotoRef::KEY, values!(photo.sha256))?;
            if !wanted(&photo, &named) {
                continue;
            }
            let mut oldest = i64::MAX;
            for named in named {
                oldest = oldest.min(outbox::by_id(db, named.op)?.map_or(i64::MAX, |own| own.n));
            }
            found.push((oldest, photo.size, photo.made, photo));
        }
        found.sort_by_key(|(oldest, size, made, _)| (*oldest, *size, *made));
        let to_send = |photo: Photo| PhotoToSend { sha256: photo.sha256, size: photo.size, offset: photo.offset };
        Ok(found.into_iter().map(|(.., photo)| to_send(photo)).collect())
    }

    /// Whether a photo's bytes are here by what the tables say.
    ///
    /// # Errors
    /// The store's.
    pub fn holds_photo(&self, sha256: Hash) -> Result<bool, PhoneError> {
        Ok(tables::get::<Photo>(self.db(), values!(sha256))?.is_some_and(|photo| photo.here))
    }

    /// What the server says about a photo. Only the log's `photo_verified`, durable, ends this phone's custody.
    ///
    /// # Errors
    /// The store's.
    pub fn photo_answer(&mut self, sha256: Hash, state: PhotoState) -> Result<(), PhoneError> {
        let (offset, uploaded) = match state {
            PhotoState::Absent => (0, false),
            PhotoState::Partial { offset } => (offset, false),
            PhotoState::Verified => (0, true),
        };
        let change = tables::write(self.db())?;
        if let Some(photo) = tables::get::<Photo>(&*change, values!(sha256))? {
            tables::put(&*change, &Photo { offset, uploaded, ..photo })?;
        }
        change.commit()
    }

    /// The file of a photo that was not sent is gone: nobody but a person can help, so a person is told.
    ///
    /// # Errors
    /// The store's.
    pub fn photo_gone(&mut self, sha256: Hash, now: Captured) -> Result<(), PhoneError> {
        let change = tables::write(self.db())?;
        for named in tables::select::<PhotoRef>(&*change, PhotoRef::KEY, values!(sha256))? {
            let detail = json!({"photo": sha256});
            let (log, op, entity) = (named.log, Some(named.op), Some(named.entity));
            raise(&*change, &Raise { trouble: Trouble::PhotoGone, log, op, entity, detail, since_ms: now.wall_ms })?;
        }
        change.commit()
    }

    /// Lets go of the local copies that are safe without this phone: `delete` is called for each, while nobody else can
    /// capture it again. Says how many.
    ///
    /// # Errors
    /// The store's, and those of `delete`.
    pub fn free_photos(
        &mut self,
        delete: &mut dyn FnMut(&Hash) -> Result<(), PhoneError>,
    ) -> Result<usize, PhoneError> {
        let change = tables::write(self.db())?;
        let mut freed = 0_usize;
        for photo in tables::select::<Photo>(&*change, Photo::BY_HERE, values!(true))? {
            if photo.uploaded && is_safe(&*change, &photo.sha256)? {
                delete(&photo.sha256)?;
                tables::put(&*change, &Photo { here: false, ..photo })?;
                freed = freed.saturating_add(1);
            }
        }
        change.commit()?;
        Ok(freed)
    }
}

/// Whether each log that names a photo says, durably, that it has arrived.
fn is_safe(db: &dyn Tables, sha256: &Hash) -> Result<bool, PhoneError> {
    let named: Vec<PhotoRef> = tables::select(db, PhotoRef::KEY, values!(*sha256))?;
    let logs: BTreeSet<i64> = named.iter().map(|named| named.log).collect();
    let mut safe = !logs.is_empty();
    for log in logs {
        let durable = log_by_row(db, log)?.durable;
        let proves = |named: &PhotoRef| named.log == log && named.verified_rev.is_some_and(|rev| rev <= durable);
        safe &= named.iter().any(proves);
    }
    Ok(safe)
}

/// Notes which photos of something have arrived, by its newest version.
pub(crate) fn note_verified(db: &dyn Tables, log: i64, evidence: &[Evidence]) -> Result<(), PhoneError> {
    let mut seen = BTreeSet::new();
    for evidence in evidence {
        let Some(rev) = evidence.verified_rev else { continue };
        if !seen.insert(evidence.sha256) {
            continue;
        }
        for named in tables::select::<PhotoRef>(db, PhotoRef::KEY, values!(evidence.sha256))? {
            if named.log == log && named.verified_rev.is_none_or(|held| held > rev) {
                tables::put(db, &PhotoRef { verified_rev: Some(rev), ..named })?;
            }
        }
    }
    Ok(())
}
