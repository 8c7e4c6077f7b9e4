//! The page's store with what is under way on it.

use sync_core::device::entropy::Entropy;
use sync_core::device::error::PhoneError;
use sync_core::device::export::Exporting;
use sync_core::device::requests::{Request, Unsigned};
use sync_core::device::store::Store;
use sync_core::device::tables::memory::MemoryTables;
use sync_core::json;
use sync_core::sealed_file::Sealer;
use sync_core::sync::session::Session;

use crate::call::{Answer, Refusal, refusal_of};

/// A store on rows in memory, and the request, the session and the export that are under way.
pub struct Page {
    pub(crate) store: Option<Store>,
    tables: MemoryTables,
    entropy: Option<Box<dyn Entropy>>,
    pub(crate) unsigned: Option<Unsigned>,
    pub(crate) batches: Vec<Unsigned>,
    pub(crate) asked: Option<Request>,
    pub(crate) session: Option<Session>,
    pub(crate) export: Option<Exporting<Sealer<Vec<u8>>>>,
}

impl Page {
    /// An empty store.
    pub fn new(entropy: Box<dyn Entropy>) -> Self {
        Self {
            store: None,
            tables: MemoryTables::default(),
            entropy: Some(entropy),
            unsigned: None,
            batches: Vec::new(),
            asked: None,
            session: None,
            export: None,
        }
    }

    /// Takes in rows that were saved before.
    ///
    /// # Errors
    /// A refusal as JSON.
    pub fn load(&mut self, rows: &str) -> Result<(), String> {
        let load = || {
            for (table, record) in json::read::<Vec<(String, _)>>(rows)? {
                self.tables.load(&table, record)?;
            }
            Ok::<_, PhoneError>(())
        };
        load().map_err(|error| refusal_of(&error).written())
    }

    /// What is to be saved.
    ///
    /// # Errors
    /// A refusal as JSON.
    pub fn changes(&self) -> Result<String, String> {
        let write = || {
            let mut rows = Vec::new();
            for changed in self.tables.changes() {
                let record = changed.record.as_ref().map(json::write).transpose()?;
                rows.push((changed.table, json::write(&changed.key)?, record));
            }
            json::write(&rows)
        };
        write().map_err(|error| refusal_of(&error.into()).written())
    }

    /// It was saved.
    pub fn saved(&mut self) {
        self.tables.saved();
    }

    /// It could not be saved.
    pub fn undo(&mut self) {
        self.tables.undo();
    }

    /// Does what `name` says.
    ///
    /// # Errors
    /// A refusal as JSON.
    pub fn call(&mut self, name: &str, arguments: &str) -> Result<String, String> {
        self.answer(name, arguments).map_err(|refusal| refusal.written())
    }

    fn answer(&mut self, name: &str, arguments: &str) -> Answer {
        if self.store.is_none() {
            let entropy = self.entropy.take().ok_or_else(|| Refusal::defect("a store that did not open"))?;
            self.store = Some(Store::new(Box::new(self.tables.clone()), entropy).map_err(|error| refusal_of(&error))?);
        }
        for calls in [crate::reading::call, crate::making::call, crate::sending::call] {
            if let Some(answer) = calls(self, name, arguments) {
                return answer;
            }
        }
        Err(Refusal::defect(&format!("no call {name}")))
    }

    pub(crate) fn store(&mut self) -> Result<&mut Store, Refusal> {
        self.store.as_mut().ok_or_else(|| Refusal::defect("no store"))
    }
}
