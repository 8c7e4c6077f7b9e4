//! Catalogues and area trees: which ones are named and not here, and taking one in.

use schema::area::AreaTree;
use schema::case::Position;
use schema::catalogue::Catalogue;
use schema::hash::Hash;
use schema::ids::LogId;
use schema::limits::DOCUMENT_BYTES_MAX;
use schema::op::Captured;

use super::error::PhoneError;
use super::store::{Store, log_state, logs};
use super::tables::rows::{Document, Version};
use super::tables::{self, Column, Row};
use super::{known, view};
use crate::area::AreaIndex;
use crate::json;
use crate::line::sha256;

impl Store {
    /// Documents that entities name and that are not here, each with the log to fetch it from. Those in force first.
    ///
    /// # Errors
    /// The store's.
    pub fn documents_to_fetch(&self) -> Result<Vec<(LogId, Hash)>, PhoneError> {
        let db = self.db();
        let logs = logs(db)?;
        let mut missing = Vec::new();
        let mut name = |log: LogId, hash: Hash| {
            let held = known::document(db, hash)?.is_some();
            if !held && !missing.contains(&(log, hash)) {
                missing.push((log, hash));
            }
            Ok::<_, PhoneError>(())
        };
        for log in &logs {
            for kind in ["catalogue", "areas", "calendar", "responsibilities"] {
                if let Some(hash) = known::in_force(db, log, kind)? {
                    name(log.log, hash)?;
                }
            }
        }
        for named in db.distinct(Version::TABLE, Version::BY_CATALOGUE)? {
            let mut named = named.into_iter();
            let (hash, row) = (named.next().and_then(Column::of), named.next().and_then(i64::of));
            let log = logs.iter().find(|log| Some(log.id) == row);
            if let (Some(hash), Some(log)) = (hash, log) {
                name(log.log, hash)?;
            }
        }
        Ok(missing)
    }

    /// Takes a document, if its bytes have the hash. Estimates that waited for it are made again.
    ///
    /// # Errors
    /// [`PhoneError::WrongHash`]; the store's.
    pub fn take_document(&mut self, hash: Hash, bytes: &[u8], now: Captured) -> Result<(), PhoneError> {
        if sha256(bytes) != hash || bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(PhoneError::WrongHash("a document"));
        }
        let change = tables::write(self.tables.as_ref())?;
        tables::put(&*change, &Document { sha256: hash, bytes: bytes.to_vec() })?;
        for log in logs(&*change)? {
            let touched = view::touched_by_own_ops(&*change, log.id)?;
            if !touched.is_empty() {
                let known = known::known(&*change, &mut self.read, &log, now)?;
                view::recompute(&*change, log.id, &touched, &known)?;
            }
        }
        change.commit()?;
        Ok(())
    }

    /// A document that is here.
    ///
    /// # Errors
    /// The store's.
    pub fn document(&self, hash: Hash) -> Result<Option<Vec<u8>>, PhoneError> {
        known::document(self.db(), hash)
    }

    /// The catalogue in force with its hash; none before it was fetched.
    ///
    /// # Errors
    /// The store's.
    pub fn catalogue(&self, log: LogId) -> Result<Option<(Hash, Catalogue)>, PhoneError> {
        let Some(hash) = known::in_force(self.db(), &log_state(self.db(), log)?, "catalogue")? else { return Ok(None) };
        Ok(self.catalogue_of(hash)?.map(|catalogue| (hash, catalogue)))
    }

    /// Whether the catalogue in force is here and this program can't read it: it was written for a newer one.
    ///
    /// # Errors
    /// The store's.
    pub fn is_outdated(&self, log: LogId) -> Result<bool, PhoneError> {
        let Some(hash) = known::in_force(self.db(), &log_state(self.db(), log)?, "catalogue")? else {
            return Ok(false);
        };
        if self.read.catalogues.contains_key(&hash) {
            return Ok(false);
        }
        if self.read.no_catalogues.contains(&hash) {
            return Ok(true);
        }
        Ok(self.document(hash)?.is_some_and(|bytes| json::read::<Catalogue>(&bytes).is_err()))
    }

    /// A catalogue that is here.
    ///
    /// # Errors
    /// The store's.
    pub fn catalogue_of(&self, hash: Hash) -> Result<Option<Catalogue>, PhoneError> {
        Ok(self.document(hash)?.and_then(|bytes| json::read(&bytes).ok()))
    }

    /// The hash of the area tree in force; none before it was told.
    ///
    /// # Errors
    /// The store's.
    pub fn areas_in_force(&self, log: LogId) -> Result<Option<Hash>, PhoneError> {
        known::in_force(self.db(), &log_state(self.db(), log)?, "areas")
    }

    /// The area tree in force; none before it was fetched.
    ///
    /// # Errors
    /// The store's.
    pub fn areas(&self, log: LogId) -> Result<Option<AreaIndex>, PhoneError> {
        let Some(hash) = known::in_force(self.db(), &log_state(self.db(), log)?, "areas")? else { return Ok(None) };
        let tree: Option<AreaTree> = self.document(hash)?.and_then(|bytes| json::read(&bytes).ok());
        Ok(tree.and_then(|tree| AreaIndex::new(&tree).ok()))
    }

    /// The log for something at a position: the one whose grids hold it, or the only one there is.
    ///
    /// # Errors
    /// The store's.
    pub fn log_at(&self, position: &Position) -> Result<Option<LogId>, PhoneError> {
        let logs = logs(self.db())?;
        if let [only] = logs.as_slice() {
            return Ok(Some(only.log));
        }
        for log in &logs {
            if self.areas(log.log)?.is_some_and(|areas| areas.locate(position).grids > 0) {
                return Ok(Some(log.log));
            }
        }
        Ok(None)
    }
}
