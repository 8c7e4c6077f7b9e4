//! Catalogues and area trees as parsed once, by the hash of their bytes: a cache that can't be out of date.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use schema::area::AreaTree;
use schema::calendar::Calendar;
use schema::catalogue::Catalogue;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{EntityId, LogId};
use sync_core::area::AreaIndex;
use sync_core::line::singleton_id;
use sync_core::permission::REGISTER;
use sync_core::time::{self, WorkingCalendar};

use crate::services::notices::Directory;
use crate::store::{Db, LogNum, StoreError};

/// Parsed documents. Cheap to clone.
#[derive(Clone, Default)]
pub struct Parsed {
    inner: Arc<Mutex<Cache>>,
}

#[derive(Default)]
struct Cache {
    catalogues: HashMap<Hash, Arc<Catalogue>>,
    areas: HashMap<Hash, Arc<AreaIndex>>,
    sets: HashMap<Vec<Hash>, Arc<BTreeMap<Hash, Catalogue>>>,
    calendars: HashMap<(Hash, LogId), Arc<WorkingCalendar>>,
    directories: HashMap<LogId, ((u64, Hash), Arc<Directory>)>,
}

/// The sets are few (one a case's pinned version); this only bounds what a stranger could make of it.
const SETS_MAX: usize = 64;

impl Parsed {
    fn cache<T>(&self, look: impl FnOnce(&mut Cache) -> T) -> T {
        look(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A catalogue by hash, if its document is here.
    pub(crate) fn catalogue(
        &self,
        db: &mut Db,
        log: LogNum,
        sha256: Hash,
    ) -> Result<Option<Arc<Catalogue>>, StoreError> {
        if let Some(known) = self.cache(|cache| cache.catalogues.get(&sha256).cloned()) {
            return Ok(Some(known));
        }
        let Some(bytes) = db.document(log, &sha256)? else { return Ok(None) };
        let Ok(catalogue) = serde_json::from_slice::<Catalogue>(&bytes) else { return Ok(None) };
        let catalogue = Arc::new(catalogue);
        self.cache(|cache| cache.catalogues.insert(sha256, Arc::clone(&catalogue)));
        Ok(Some(catalogue))
    }

    /// An area tree by hash, if its document is here.
    pub(crate) fn areas(&self, db: &mut Db, log: LogNum, sha256: Hash) -> Result<Option<Arc<AreaIndex>>, StoreError> {
        if let Some(known) = self.cache(|cache| cache.areas.get(&sha256).cloned()) {
            return Ok(Some(known));
        }
        let Some(bytes) = db.document(log, &sha256)? else { return Ok(None) };
        let Ok(tree) = serde_json::from_slice::<AreaTree>(&bytes) else { return Ok(None) };
        let Ok(index) = AreaIndex::new(&tree) else { return Ok(None) };
        let index = Arc::new(index);
        self.cache(|cache| cache.areas.insert(sha256, Arc::clone(&index)));
        Ok(Some(index))
    }

    /// A working calendar by hash, in the zone of its log, if its document is here.
    pub(crate) fn calendar(
        &self,
        db: &mut Db,
        log: LogNum,
        id: LogId,
        sha256: Hash,
    ) -> Result<Option<Arc<WorkingCalendar>>, StoreError> {
        if let Some(known) = self.cache(|cache| cache.calendars.get(&(sha256, id)).cloned()) {
            return Ok(Some(known));
        }
        let Some(Entity::Log(of)) = read_entity(db, log, id.into())? else { return Ok(None) };
        let Some(calendar) = calendar_document(db, log, &sha256)? else { return Ok(None) };
        let Ok(ready) = WorkingCalendar::new(&calendar, zone_named(&of.zone)?) else { return Ok(None) };
        let ready = Arc::new(ready);
        self.cache(|cache| cache.calendars.insert((sha256, id), Arc::clone(&ready)));
        Ok(Some(ready))
    }

    /// Who is there, as the newest change of the register leaves it.
    pub(crate) fn directory(&self, db: &mut Db, log: LogNum, id: LogId) -> Result<Arc<Directory>, StoreError> {
        let Some(newest) = db.newest_in(log, &REGISTER)? else { return Ok(Arc::default()) };
        if let Some((of, known)) = self.cache(|cache| cache.directories.get(&id).cloned())
            && of == newest
        {
            return Ok(known);
        }
        let mut accounts = Vec::new();
        for document in db.documents_in(log, &REGISTER, "account")? {
            if let Entity::Account(account) = parse_entity(&document)? {
                accounts.push(account);
            }
        }
        let directory = Arc::new(Directory::new(accounts));
        self.cache(|cache| cache.directories.insert(id, (newest, Arc::clone(&directory))));
        Ok(directory)
    }

    /// Those of some catalogues whose documents are here.
    pub(crate) fn catalogues(
        &self,
        db: &mut Db,
        log: LogNum,
        wanted: Vec<Hash>,
    ) -> Result<Arc<BTreeMap<Hash, Catalogue>>, StoreError> {
        if let Some(known) = self.cache(|cache| cache.sets.get(&wanted).cloned()) {
            return Ok(known);
        }
        let mut set = BTreeMap::new();
        for sha256 in &wanted {
            if let Some(catalogue) = self.catalogue(db, log, *sha256)? {
                set.insert(*sha256, catalogue.as_ref().clone());
            }
        }
        let whole = set.len() == wanted.len();
        let set = Arc::new(set);
        // A document that is missing today may be here tomorrow.
        if whole {
            self.cache(|cache| {
                if cache.sets.len() >= SETS_MAX {
                    cache.sets.clear();
                }
                cache.sets.insert(wanted, Arc::clone(&set));
            });
        }
        Ok(set)
    }

    /// The area tree in force, as a reader sees it.
    ///
    /// # Errors
    /// The database's.
    pub fn areas_in_force(&self, db: &mut Db, log: LogNum, id: LogId) -> Result<Option<Arc<AreaIndex>>, StoreError> {
        match read_entity(db, log, singleton_id(id, "areas"))? {
            Some(Entity::Areas(document)) => self.areas(db, log, document.sha256),
            _ => Ok(None),
        }
    }
}

/// A calendar as it was imported, if it is here.
///
/// # Errors
/// The database's.
pub fn calendar_document(db: &mut Db, log: LogNum, sha256: &Hash) -> Result<Option<Calendar>, StoreError> {
    Ok(db.document(log, sha256)?.and_then(|bytes| time::read(&bytes).ok()))
}

/// The zone of a log's civil times, as a reader sees the log.
///
/// # Errors
/// This system has no such zone, or the database's.
pub fn zone_of(db: &mut Db, log: LogNum, id: LogId) -> Result<TimeZone, StoreError> {
    match read_entity(db, log, id.into())? {
        Some(Entity::Log(log)) => zone_named(&log.zone),
        _ => Err(StoreError::Damaged("a log without its first entry")),
    }
}

/// A log's zone by its IANA name.
///
/// # Errors
/// This system has no such zone.
pub fn zone_named(name: &str) -> Result<TimeZone, StoreError> {
    time::zone(name).ok_or_else(|| StoreError::Zone(name.to_owned()))
}

/// An entity as a reader sees it, if it exists.
///
/// # Errors
/// The database's.
pub fn read_entity(db: &mut Db, log: LogNum, id: EntityId) -> Result<Option<Entity>, StoreError> {
    let stored = db.entity(log, id)?;
    stored.and_then(|stored| stored.document).map(|document| parse_entity(&document)).transpose()
}

/// Reads a stored document.
///
/// # Errors
/// It is damaged.
pub fn parse_entity(document: &str) -> Result<Entity, StoreError> {
    serde_json::from_str(document).map_err(|_| StoreError::Damaged("an entity document that can't be read"))
}
