//! A phone on the page's tables. What a browser's database is to the page, a journal in the phone's folder is here: a
//! line for each save, and nothing else is left when the program is killed.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use schema::auth::Enrol;
use schema::hash::Hash;
use schema::ids::LogId;
use schema::op::{Captured, PhotoClaim};
use sync_core::device::capture::{Draft, HeldPhoto, PhotoFile, PhotoSource, Receipt};
use sync_core::device::entropy::Entropy;
use sync_core::device::error::PhoneError;
use sync_core::device::requests::Request;
use sync_core::device::store::Store;
use sync_core::device::tables::memory::MemoryTables;
use sync_core::device::tables::{Access, Index, Record, Span, Table, Tables, Value};
use sync_core::line::sha256;
use sync_core::log::chain::DeviceSecret;

type Saved = (String, Vec<Value>, Option<Record>);

/// The page's tables; each transaction is saved before it is said to be done.
struct Kept {
    memory: MemoryTables,
    journal: RefCell<File>,
}

impl Kept {
    fn open(folder: &Path) -> Result<Self, PhoneError> {
        let path = folder.join("journal");
        let failed = |source| PhoneError::File { path: path.clone(), source };
        let memory = MemoryTables::default();
        let mut rows = std::collections::BTreeMap::new();
        for line in fs::read_to_string(&path).unwrap_or_default().lines() {
            for (table, key, record) in serde_json::from_str::<Vec<Saved>>(line)? {
                rows.insert((table, key), record);
            }
        }
        for ((table, _), record) in rows {
            if let Some(record) = record {
                memory.load(&table, record)?;
            }
        }
        let journal = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        Ok(Self { memory, journal: RefCell::new(journal) })
    }

    fn save(&self) -> Result<(), PhoneError> {
        let changes = self.memory.changes();
        let saved: Vec<_> = changes.iter().map(|changed| (changed.table, &changed.key, &changed.record)).collect();
        let mut line = serde_json::to_vec(&saved)?;
        line.push(b'\n');
        if self.journal.borrow_mut().write_all(&line).is_err() {
            self.memory.undo();
            return Err(PhoneError::StorageFull);
        }
        self.memory.saved();
        Ok(())
    }
}

impl Tables for Kept {
    fn begin(&self, access: Access) -> Result<(), PhoneError> {
        self.memory.begin(access)
    }
    fn commit(&self) -> Result<(), PhoneError> {
        self.memory.commit()?;
        self.save()
    }
    fn roll_back(&self) {
        self.memory.roll_back();
    }
    fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Record>, PhoneError> {
        self.memory.get(table, key)
    }
    fn scan(
        &self,
        table: &'static Table,
        span: Span<'_>,
        take: &mut dyn FnMut(Record) -> Result<bool, PhoneError>,
    ) -> Result<(), PhoneError> {
        self.memory.scan(table, span, take)
    }
    fn count(&self, table: &'static Table, index: Index, prefix: &[Value]) -> Result<u64, PhoneError> {
        self.memory.count(table, index, prefix)
    }
    fn distinct(&self, table: &'static Table, index: Index) -> Result<Vec<Record>, PhoneError> {
        self.memory.distinct(table, index)
    }
    fn put(&self, table: &'static Table, record: Record) -> Result<(), PhoneError> {
        self.memory.put(table, record)
    }
    fn remove(&self, table: &'static Table, index: Index, prefix: &[Value]) -> Result<u64, PhoneError> {
        self.memory.remove(table, index, prefix)
    }
    fn bytes(&self) -> Result<u64, PhoneError> {
        self.memory.bytes()
    }
    fn limit_pages(&self, more: i64) -> Result<(), PhoneError> {
        self.memory.limit_pages(more)
    }
}

/// A phone as the page is one.
pub(crate) struct Phone {
    store: Store,
    folder: PathBuf,
    secret: DeviceSecret,
}

impl Deref for Phone {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

impl DerefMut for Phone {
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

impl Phone {
    /// Opens what was saved in a folder.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn open(folder: &Path, mut entropy: Box<dyn Entropy>) -> Result<Self, PhoneError> {
        let failed = |source| PhoneError::File { path: folder.to_path_buf(), source };
        fs::create_dir_all(folder.join("photos")).map_err(failed)?;
        let key = folder.join("key");
        if !key.exists() {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes)?;
            fs::write(&key, bytes).map_err(failed)?;
        }
        let bytes: [u8; 32] = fs::read(&key).map_err(failed)?.try_into().expect("32 bytes of key");
        let secret = DeviceSecret::from_bytes(&bytes).expect("a key");
        let store = Store::new(Box::new(Kept::open(folder)?), entropy)?;
        Ok(Self { store, folder: folder.to_path_buf(), secret })
    }

    /// As the phone's own.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn begin_enrolment(
        &mut self,
        server: &str,
        code: &str,
        label: &str,
        now: Captured,
    ) -> Result<Enrol, PhoneError> {
        self.store.begin_enrolment(self.secret.key(), (server, code, label), now)
    }

    /// As the phone's own, with photos in memory.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn capture(&mut self, draft: Draft, photos: &[PhotoFile], now: Captured) -> Result<Receipt, PhoneError> {
        let mut held = Vec::new();
        for photo in photos {
            let PhotoSource::Bytes(bytes) = &photo.source else { panic!("the page has no files") };
            let (sha256, size) = (sha256(bytes), u64::try_from(bytes.len()).expect("a size"));
            let claim = PhotoClaim { sha256, size, role: photo.role, taken: photo.taken };
            held.push(HeldPhoto { claim, origin: None });
        }
        let folder = self.folder.join("photos");
        // Before the op that names them is saved.
        self.store.capture(draft, &held, now, &mut |_| {
            for (photo, held) in photos.iter().zip(&held) {
                let PhotoSource::Bytes(bytes) = &photo.source else { continue };
                let path = folder.join(held.claim.sha256.to_string());
                fs::write(&path, bytes).map_err(|source| PhoneError::File { path, source })?;
            }
            Ok(())
        })
    }

    /// Where a photo's bytes are.
    pub(crate) fn photo_path(&self, sha256: &Hash) -> PathBuf {
        self.folder.join("photos").join(sha256.to_string())
    }

    /// As the phone's own.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn free_photos(&mut self) -> Result<usize, PhoneError> {
        let photos = self.folder.join("photos");
        self.store.free_photos(&mut |sha256| {
            let path = photos.join(sha256.to_string());
            fs::remove_file(&path).map_err(|source| PhoneError::File { path, source })
        })
    }

    /// As the phone's own.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn next_request(&mut self, log: LogId, ops_max: usize, now: Captured) -> Result<Request, PhoneError> {
        let unsigned = self.store.unsigned_request(log, ops_max, now)?;
        let signature = unsigned.message().map(|message| self.secret.sign(&message));
        unsigned.signed(signature)
    }
}
