//! Every view made again from the log, into a database of its own, and compared row by row with what is stored.
//! It decides each op again with the facts its record names, and never calls for consequences: they are entries.

use std::path::{Path, PathBuf};

use schema::ids::LogId;

use super::ledger::{Parsed, replay};
use crate::store::{Db, Entry, Key, LogHead, LogNum, Store, StoreError, View, ViewRow};

/// Entries made again in one transaction, and rows compared at a time.
const PAGE: usize = 500;
/// Differences listed; more say nothing new.
const LISTED_MAX: usize = 100;

/// A difference between what is stored and what the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// What is stored; none if the row is missing.
    pub stored: Option<String>,
    /// What the log says; none if the row should not be there.
    pub rebuilt: Option<String>,
}

/// What a rebuild found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Entries made again.
    pub entries: u64,
    /// Rows compared.
    pub rows: u64,
    /// How many differ.
    pub different: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

impl Rebuilt {
    fn differs(&mut self, difference: Difference) {
        self.different += 1;
        if self.differences.len() < LISTED_MAX {
            self.differences.push(difference);
        }
    }
}

/// Rebuilds one log's views beside the stored ones, in a new database file `scratch`, which is removed at the end, and
/// compares. `progress` is told how many entries are done.
///
/// # Errors
/// The database's. A difference is none.
pub fn rebuild(
    store: &Store,
    log: LogId,
    scratch: &Path,
    mut progress: impl FnMut(u64),
) -> Result<Rebuilt, StoreError> {
    let _scratch_file = Scratch(scratch.to_owned());
    let fresh = Store::open(&format!("sqlite:{}", scratch.display()))?;
    store.read(|db| {
        let head = db.head(log)?.ok_or(StoreError::Damaged("no log of this id"))?;
        let mut found = Rebuilt::default();
        prepare(db, &head, &fresh)?;
        let parsed = Parsed::default();
        let epochs = db.epochs(head.num)?;
        loop {
            let page = db.entries_after(head.num, found.entries, PAGE)?;
            let Some(last) = page.last() else { break };
            let again = fresh.with_log(log, StoreError::is_transient, |tx| replay(tx, &parsed, &page, &epochs))?;
            for (stored, rebuilt) in page.iter().zip(again.unwrap_or_default()) {
                if *stored != rebuilt {
                    found.differs(Difference {
                        table: "entry",
                        stored: Some(describe(stored)),
                        rebuilt: Some(describe(&rebuilt)),
                    });
                }
            }
            found.entries = last.rev;
            progress(found.entries);
        }
        let kept_from = db.exits_kept_from(head.num)?;
        let noticed_from = db.notices_kept_from(head.num)?;
        fresh.with_log(log, StoreError::is_transient, |tx| {
            tx.prune_exits(kept_from)?;
            tx.prune_notices(noticed_from)
        })?;
        fresh.read(|again| compare(db, again, &head, &mut found))?;
        Ok(found)
    })
}

fn describe(entry: &Entry) -> String {
    format!("rev {} {} leaf {} {}", entry.rev, entry.kind, entry.leaf, entry.record)
}

/// What is log and not view: the epoch it began in, the numbers of ids, the documents.
fn prepare(db: &mut Db, head: &LogHead, fresh: &Store) -> Result<(), StoreError> {
    let first = *db.epochs(head.num)?.first().ok_or(StoreError::Damaged("a log without an epoch"))?;
    fresh.make_log(head.log, first.epoch)?;
    let references = db.references(head.num)?;
    let documents = db.document_hashes(head.num)?;
    fresh.with_log(head.log, StoreError::is_transient, |tx| {
        tx.take_references(&references)?;
        for sha256 in &documents {
            let bytes = db.document(head.num, sha256)?.ok_or(StoreError::Damaged("a document without bytes"))?;
            tx.keep_document(sha256, &bytes)?;
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}

fn compare(stored: &mut Db, rebuilt: &mut Db, head: &LogHead, found: &mut Rebuilt) -> Result<(), StoreError> {
    let again = rebuilt.head(head.log)?.ok_or(StoreError::Damaged("no log of this id"))?;
    let heads = (stored.head_row(head.num)?, rebuilt.head_row(again.num)?);
    found.rows += 1;
    if heads.0 != heads.1 {
        found.differs(Difference { table: "log", stored: Some(heads.0), rebuilt: Some(heads.1) });
    }
    for view in View::ALL {
        let mut left = Rows::new(view, head.num);
        let mut right = Rows::new(view, again.num);
        loop {
            let pair = match (left.peek(stored)?, right.peek(rebuilt)?) {
                (None, None) => break,
                (Some(_), None) => (left.take(), None),
                (None, Some(_)) => (None, right.take()),
                (Some(one), Some(other)) if one.0 < other.0 => (left.take(), None),
                (Some(one), Some(other)) if one.0 > other.0 => (None, right.take()),
                (Some(_), Some(_)) => (left.take(), right.take()),
            };
            found.rows += 1;
            if pair.0 != pair.1 {
                let table = view.table();
                found.differs(Difference { table, stored: pair.0.map(|row| row.1), rebuilt: pair.1.map(|row| row.1) });
            }
        }
    }
    Ok(())
}

/// The rows of one view of one database, a page at a time.
struct Rows {
    view: View,
    log: LogNum,
    after: Key,
    page: std::vec::IntoIter<ViewRow>,
    next: Option<ViewRow>,
    done: bool,
}

impl Rows {
    fn new(view: View, log: LogNum) -> Self {
        Self { view, log, after: Key::Start, page: Vec::new().into_iter(), next: None, done: false }
    }

    fn peek(&mut self, db: &mut Db) -> Result<Option<&ViewRow>, StoreError> {
        if self.next.is_none() && !self.done {
            self.next = self.page.next();
            if self.next.is_none() {
                self.page = db.view_rows(self.view, self.log, &self.after, PAGE)?.into_iter();
                self.next = self.page.next();
                self.done = self.next.is_none();
            }
        }
        Ok(self.next.as_ref())
    }

    fn take(&mut self) -> Option<ViewRow> {
        let row = self.next.take()?;
        self.after = row.0.clone();
        Some(row)
    }
}

/// Removes the scratch database whatever happens.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(ending);
            let path = PathBuf::from(path);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(error = %error, path = %path.display(), "a scratch file could not be removed");
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
