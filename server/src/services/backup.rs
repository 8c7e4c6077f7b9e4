//! Backups: the database as one snapshot, the photos it names, the keys, what the signer remembers. A backup is good
//! when it was read back, and only then the logs' durable mark moves.
//!
//! ```text
//! DIR/manifest            names the copy that is good; replaced whole
//! DIR/copy-<ms>/          rectify.db, keys/, signed/
//! DIR/photos/ab/abcd…     by hash, shared by all copies, never removed
//! DIR/lock                one backup at a time
//! ```
//!
//! Until the manifest is replaced the last copy stays as it is: an end at any moment leaves a good backup.

mod folder;
mod logs;
mod manifest;
mod photos;
mod restore;

use std::fs::TryLockError;
use std::path::{Path, PathBuf};

use schema::hash::Hash;
use schema::ids::LogId;
use schema::op::{Body, Op};
use serde::Serialize;
use sync_core::line::{self, ReadBody};

pub use manifest::{LogCopy, Manifest};
pub use restore::{LostAct, Restore, RestoredLog, UNFINISHED, restore};

use super::blobs::Blobs;
use super::signer::SignerError;
use super::{acknowledged, ledger};
use crate::store::{Db, LogNum, Store, StoreError};

/// Entries read at a time.
const PAGE: usize = 500;

/// Why there is no new backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Two at a time would take each other's files away.
    #[error("another backup into {} is running", .0.display())]
    Running(PathBuf),
    /// There is no manifest.
    #[error("{} holds no complete backup", .0.display())]
    None(PathBuf),
    /// The manifest is torn or was changed.
    #[error("{} is torn or was changed: this backup can't be trusted", .0.display())]
    Torn(PathBuf),
    /// Made by a newer program.
    #[error("the backup was made by a newer version of rectify ({0}): restore it with that one")]
    Newer(String),
    /// Something in the backup is not as it was written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// What is there would be mixed with what is restored.
    #[error("{} is not empty: restore into a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// The keys of the backup are not those of its logs.
    #[error("log {0} is not signed by the backup's keys/log-signer")]
    OtherSigner(LogId),
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The signer's files.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger.
    #[error("the new epoch could not be entered")]
    Ledger(#[from] ledger::LedgerError),
}

/// How far a backup or a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The database is copied.
    Copying,
    /// The copy is looked through for damage.
    Looking,
    /// So many entries were hashed again, of so many.
    Entries(u64, u64),
    /// So many photos are there and have their hash, of so many.
    Photos(u64, u64),
}

/// Who watches.
pub type Watch<'a> = &'a mut dyn FnMut(Step);

/// What a backup came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// The copy's folder.
    pub folder: PathBuf,
    /// When its snapshot was taken.
    pub made_ms: u64,
    /// Its logs.
    pub logs: Vec<LogCopy>,
    /// Photos in it.
    pub photos: u64,
    /// Of these, copied now.
    pub photos_copied: u64,
    /// Their bytes in all.
    pub photo_bytes: u64,
    /// Photos that the server has lost or that lost their hash there: nothing at or above them is covered.
    pub missing: Vec<Hash>,
}

/// What to back up.
#[derive(Clone)]
pub struct Source {
    /// The database.
    pub store: Store,
    /// Where its photos are.
    pub photos: Blobs,
    /// The data folder.
    pub data: PathBuf,
    /// The signer's name.
    pub host: String,
    /// Now.
    pub now_ms: u64,
}

/// Makes a backup, reads it back, and moves the durable marks. The server may run meanwhile.
///
/// `trust_old_photos`: photos that an earlier backup read back are looked for by their size only.
///
/// # Errors
/// See [`BackupError`]; the last good backup stays.
pub fn make(source: &Source, dir: &Path, trust_old_photos: bool, watch: Watch<'_>) -> Result<Backup, BackupError> {
    folder::make_private(dir)?;
    let lock = folder::lock_file(dir)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(BackupError::Running(dir.to_owned())),
        Err(TryLockError::Error(error)) => return Err(folder::at(&dir.join("lock"))(error)),
    }
    let last = Manifest::read(dir).ok();
    folder::remove_unfinished(dir, last.as_ref().map(|last| last.folder.as_str()))?;
    let name = format!("copy-{}", source.now_ms);
    let copy = dir.join(&name);
    folder::make_private(&copy)?;
    // Before the database: what is remembered must not be ahead of what is copied.
    let mut files = folder::copy_all(&source.data.join("keys"), &copy.join("keys"), &["log-signer", "token-signer"])?;
    for remembered in acknowledged::files(&source.data).map_err(folder::at(&source.data))? {
        folder::copy_into(&remembered, &copy.join("signed"), &mut files)?;
    }
    watch(Step::Copying);
    source.store.copy_to(&copy.join("rectify.db"))?;
    files.push(folder::sum(&copy, "rectify.db")?);

    let mut db = Db::open_copy(&copy.join("rectify.db"))?;
    watch(Step::Looking);
    db.look_through()?;
    let mut logs = logs::verify(&mut db, &copy, &source.host, watch)?;
    let wanted = db.all_photos()?;
    let kept = photos::copy(&source.photos, dir, &wanted, trust_old_photos, watch)?;
    for log in &mut logs {
        log.covered = covered(&mut db, log, &kept.missing)?;
    }
    drop(db);
    folder::sync_tree(&copy)?;
    let manifest = Manifest {
        format: manifest::FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_ms: source.now_ms,
        host: source.host.clone(),
        folder: name,
        files,
        photos: kept.photos,
        photo_bytes: kept.bytes,
        missing: kept.missing.clone(),
        logs: logs.clone(),
    };
    manifest.write(dir)?;
    move_durable(source, &logs)?;
    folder::remove_unfinished(dir, Some(&manifest.folder))?;
    Ok(Backup {
        folder: copy,
        made_ms: source.now_ms,
        logs,
        photos: kept.photos,
        photos_copied: kept.copied,
        photo_bytes: kept.bytes,
        missing: kept.missing,
    })
}

/// A log that went over to another epoch while it was copied is not what the backup holds.
fn move_durable(source: &Source, logs: &[LogCopy]) -> Result<(), BackupError> {
    source.store.write(|db| {
        for copied in logs {
            if let Some(head) = db.head(copied.log)?.filter(|head| head.epoch == copied.epoch) {
                db.set_durable(head.num, copied.covered.min(head.rev), source.now_ms)?;
            }
        }
        Ok(())
    })
}

/// Up to where a copy holds everything: below the first entry that tells of a photo which it does not hold.
fn covered(db: &mut Db, log: &LogCopy, missing: &[Hash]) -> Result<u64, BackupError> {
    if missing.is_empty() {
        return Ok(log.rev);
    }
    let Some(head) = db.head(log.log)? else { return Ok(0) };
    let mut after = 0;
    while let Some(page) = page(db, head.num, after)? {
        for entry in page {
            after = entry.rev;
            let told = (entry.kind == "photo_verified").then(|| line::read(&entry.line).ok()).flatten();
            if told.and_then(|op| photo_in(&op)).is_some_and(|photo| missing.contains(&photo)) {
                return Ok(entry.rev - 1);
            }
        }
    }
    Ok(log.rev)
}

fn page(db: &mut Db, log: LogNum, after: u64) -> Result<Option<Vec<crate::store::Entry>>, StoreError> {
    let page = db.entries_after(log, after, PAGE)?;
    Ok((!page.is_empty()).then_some(page))
}

fn photo_in(op: &Op) -> Option<Hash> {
    match line::body(op) {
        ReadBody::Known(body) => match *body {
            Body::PhotoVerified(body) => Some(body.sha256),
            _ => None,
        },
        ReadBody::TooNew | ReadBody::Misfit(_) => None,
    }
}

#[cfg(test)]
mod tests;
