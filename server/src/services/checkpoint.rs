//! Checkpoints: signed statements of a log's size and root, the proofs between them, and receipts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use schema::hash::Hash;
use schema::ids::LogId;
use schema::sync::{EpochStart, Receipt, SignedReceipt, TreeHead};
use sync_core::log::checkpoint::{Signer, origin};
use sync_core::log::receipt;
use sync_core::log::tree::{prove_consistency, prove_inclusion};

use super::acknowledged;
use super::ledger::{Ledger, LedgerError, NewEpoch, extends};
use super::signer::{self, SignedHead, SignerError};
use crate::clock::Clock;
use crate::store::{Db, LogHead, Store, StoreError, StoredCheckpoint};

/// Entries after which a checkpoint is signed without waiting for its time.
const ENTRIES_MAX: u64 = 1_000;

/// The signer of a server's logs. Cheap to clone.
#[derive(Clone)]
pub struct Checkpoints {
    inner: Arc<Inner>,
}

struct Inner {
    data: PathBuf,
    host: String,
    interval_ms: u64,
    signer: Signer,
    store: Store,
    clock: Clock,
    /// One at a time: between looking at the last head and signing the next, nobody else signs.
    signing: Mutex<()>,
}

/// Why no checkpoint was signed, or no epoch started.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The log does not extend what was signed before: it was set back or rewritten.
    #[error("log {0} does not extend the last head that was signed for it")]
    NotExtending(LogId),
    /// The signer's files.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The database.
    #[error("the database could not do it")]
    Store(#[from] StoreError),
    /// The ledger.
    #[error("the new epoch could not be entered")]
    Ledger(#[from] LedgerError),
}

impl Checkpoints {
    /// Loads the signer, made at the first start. `host` names it.
    ///
    /// # Errors
    /// See [`SignerError`].
    pub fn open(data: PathBuf, host: &str, interval_ms: u64, store: Store, clock: Clock) -> Result<Self, SignerError> {
        let signer = signer::load(&data, host)?;
        let inner = Inner { data, host: host.to_owned(), interval_ms, signer, store, clock, signing: Mutex::new(()) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The signer: its verifier key goes into `create_log` and to phones.
    pub fn signer(&self) -> &Signer {
        &self.inner.signer
    }

    /// Signs a receipt.
    ///
    /// # Errors
    /// None in practice.
    pub fn receipt(&self, receipt: &Receipt) -> Result<SignedReceipt, StoreError> {
        receipt::sign(&self.inner.signer, receipt).map_err(|_| StoreError::Damaged("a receipt that can't be written"))
    }

    /// Signs the heads of all logs whose checkpoint is due. Called now and then, and after pushes.
    ///
    /// # Errors
    /// See [`CheckpointError`]; the other logs are signed all the same, and the last error is returned.
    pub fn sign_due(&self) -> Result<(), CheckpointError> {
        let heads = self.inner.store.read(Db::heads)?;
        let mut all = Ok(());
        for head in heads {
            all = self.sign_if_due(head.log).and(all);
        }
        all
    }

    /// Signs a log's head if its checkpoint is due.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn sign_if_due(&self, log: LogId) -> Result<(), CheckpointError> {
        let now_ms = self.inner.clock.now_ms();
        let due = self.inner.store.read(|db| {
            let Some(head) = db.head(log)? else { return Ok(false) };
            let newest = db.newest_checkpoint(head.num, head.epoch)?;
            Ok::<_, StoreError>(is_due(head.rev, newest.as_ref(), now_ms, self.inner.interval_ms))
        })?;
        if due { self.sign(log, now_ms) } else { Ok(()) }
    }

    fn sign(&self, log: LogId, now_ms: u64) -> Result<(), CheckpointError> {
        let inner = &self.inner;
        let _one_at_a_time = inner.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let last = signer::last_head(&inner.data, log)?;
        let checked = inner.store.read(|db| {
            let Some(head) = db.head(log)? else { return Ok(None) };
            let newest = db.newest_checkpoint(head.num, head.epoch)?;
            let extends = match &last {
                Some(last) => extends(db, &head, last)?,
                None => true,
            };
            Ok::<_, StoreError>(Some((head, newest, extends)))
        })?;
        let Some((head, newest, extends)) = checked else { return Ok(()) };
        if newest.is_some_and(|newest| newest.size >= head.rev) {
            return Ok(());
        }
        if !extends {
            return Err(CheckpointError::NotExtending(log));
        }
        let signed = SignedHead::from(&head);
        signer::remember(&inner.data, log, &signed)?;
        let tree = signed.head;
        let note = inner.signer.checkpoint(&origin(&inner.host, log, head.epoch), &tree);
        let new = StoredCheckpoint { size: tree.size, root: tree.root, signed_ms: now_ms, note };
        inner.store.write(|db| db.insert_checkpoint(head.num, head.epoch, &new))?;
        Ok(())
    }

    /// At start: a log that was set back, or is unlike what was signed or acknowledged, goes on in a new epoch, and says
    /// so in its first entry. Returns the logs that did.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub async fn recover(&self, ledger: &Ledger) -> Result<Vec<LogId>, CheckpointError> {
        let mut restored = Vec::new();
        for head in self.inner.store.read(Db::heads)? {
            let known = acknowledged::known(&self.inner.data, head.log)?;
            if ledger.recover(head.log, known, NewEpoch::IfSetBack).await?.is_some() {
                if let Some(head) = self.inner.store.read(|db| db.head(head.log))? {
                    signer::bind(&self.inner.data, &head)?;
                }
                restored.push(head.log);
            }
        }
        Ok(restored)
    }
}

/// At most one checkpoint in an interval, unless many entries came; the first one at once.
fn is_due(rev: u64, newest: Option<&StoredCheckpoint>, now_ms: u64, interval_ms: u64) -> bool {
    match newest {
        None => rev > 0,
        Some(newest) => {
            let new = rev.saturating_sub(newest.size);
            new >= ENTRIES_MAX || (new > 0 && now_ms.saturating_sub(newest.signed_ms) >= interval_ms)
        }
    }
}

/// The newest checkpoint of a log with the proof that it extends a head that a device verified.
///
/// # Errors
/// The database's.
pub fn newest(
    db: &mut Db,
    head: &LogHead,
    verified: Option<&TreeHead>,
) -> Result<(Option<String>, Vec<Hash>), StoreError> {
    let Some(newest) = db.newest_checkpoint(head.num, head.epoch)? else { return Ok((None, Vec::new())) };
    let proof = match verified {
        Some(verified) => prove_consistency(&mut db.tree(head.num), verified.size, newest.size)?,
        None => Vec::new(),
    };
    Ok((Some(newest.note), proof))
}

/// How a log's epoch began, with proofs for its newest checkpoint; none before the first one, and of a log's first epoch.
///
/// # Errors
/// The database's.
pub fn epoch_start(db: &mut Db, head: &LogHead, durable: Option<TreeHead>) -> Result<Option<EpochStart>, StoreError> {
    let Some(newest) = db.newest_checkpoint(head.num, head.epoch)? else { return Ok(None) };
    let Some(epoch) = db.epochs(head.num)?.pop().filter(|epoch| epoch.kept_rev > 0) else { return Ok(None) };
    let Some(entry) = db.entries_after(head.num, epoch.kept_rev, 1)?.pop() else { return Ok(None) };
    let mut tree = db.tree(head.num);
    Ok(Some(EpochStart {
        inclusion: prove_inclusion(&mut tree, epoch.kept_rev, newest.size)?,
        kept: prove_consistency(&mut tree, epoch.kept_rev, newest.size)?,
        durable: durable.map_or(Ok(Vec::new()), |durable| prove_consistency(&mut tree, durable.size, newest.size))?,
        line: String::from_utf8_lossy(&entry.line).into_owned(),
        outcome: entry.outcome_line(),
    }))
}

#[cfg(test)]
mod tests;
