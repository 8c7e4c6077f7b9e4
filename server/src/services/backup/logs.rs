//! A copy's logs, hashed again from the first entry on: every leaf, every root that was signed.

use std::path::Path;

use schema::ids::LogId;
use sync_core::log::checkpoint::{Verifier, origin};
use sync_core::log::leaf;
use sync_core::log::tree::Frontier;

use super::manifest::LogCopy;
use super::{BackupError, Step, Watch, page};
use crate::services::{audit, signer};
use crate::store::{Db, Entry, LogHead, StoredCheckpoint};

/// Entries after which the watcher is told.
const TELL_EVERY: u64 = 5_000;

/// Verifies all logs of a copy. `covered` is the whole log: of photos it knows nothing.
pub(super) fn verify(db: &mut Db, copy: &Path, host: &str, watch: Watch<'_>) -> Result<Vec<LogCopy>, BackupError> {
    if !copy.join("keys/log-signer").exists() {
        return Err(BackupError::Damaged("keys/log-signer is missing".to_owned()));
    }
    let signer = signer::load(copy, host)?;
    let heads = db.heads()?;
    let all: u64 = heads.iter().map(|head| head.rev).sum();
    let mut done = 0;
    let mut copies = Vec::with_capacity(heads.len());
    for head in heads {
        let newest = db.newest_checkpoint(head.num, head.epoch)?;
        if let Some(newest) = &newest {
            check_note(&head, newest, host, signer.verifier())?;
        }
        let mut frontier = Frontier::default();
        while let Some(page) = page(db, head.num, frontier.size())? {
            for entry in page {
                push(&mut frontier, head.log, entry)?;
                if newest
                    .as_ref()
                    .is_some_and(|newest| newest.size == frontier.size() && newest.root != frontier.root())
                {
                    return Err(damaged(head.log, "is not what its checkpoint says"));
                }
                done += 1;
                if done % TELL_EVERY == 0 {
                    watch(Step::Entries(done, all));
                }
            }
        }
        let fits = newest.is_none_or(|newest| newest.size <= frontier.size());
        if (frontier.size(), frontier.root()) != (head.rev, head.root) || !fits {
            return Err(damaged(head.log, "is not what its head says"));
        }
        let LogHead { log, epoch, rev, root, .. } = head;
        copies.push(LogCopy { log, epoch, rev, root, covered: rev });
    }
    watch(Step::Entries(all, all));
    Ok(copies)
}

fn push(frontier: &mut Frontier, log: LogId, entry: Entry) -> Result<(), BackupError> {
    let (rev, stored) = (entry.rev, entry.leaf);
    if rev != frontier.size() + 1 {
        return Err(damaged(log, &format!("has a hole before revision {rev}")));
    }
    if leaf::hash(&audit::leaf_of(log, entry)) != stored {
        return Err(damaged(log, &format!("was changed at revision {rev}")));
    }
    frontier.push(stored);
    Ok(())
}

fn check_note(head: &LogHead, newest: &StoredCheckpoint, host: &str, verifier: &Verifier) -> Result<(), BackupError> {
    let checkpoint = verifier.checkpoint(&newest.note).map_err(|_| BackupError::OtherSigner(head.log))?;
    let fits = checkpoint.origin == origin(host, head.log, head.epoch)
        && (checkpoint.head.size, checkpoint.head.root) == (newest.size, newest.root);
    if fits { Ok(()) } else { Err(damaged(head.log, "has a checkpoint of something else")) }
}

fn damaged(log: LogId, how: &str) -> BackupError {
    BackupError::Damaged(format!("log {log} {how}"))
}
