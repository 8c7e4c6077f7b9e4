//! Durability by a synchronous standby: refused where there is none, and the durable mark follows what it has on disk.

use std::collections::BTreeMap;

use schema::ids::LogId;
use serde::Serialize;

use crate::clock::Clock;
use crate::store::{Db, LogHead, Standby, Store, StoreError};

/// The mark is confirmed anew at the latest after this time, so that it is not taken for old.
const CONFIRM_EVERY_MS: u64 = 60_000;

/// Why `--durability replica` can't be.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// SQLite.
    #[error("--durability replica needs PostgreSQL with a synchronous standby: SQLite has none. Use backup")]
    Sqlite,
    /// No commit waits for a standby.
    #[error("--durability replica: synchronous_standby_names is empty, so no commit waits for a standby")]
    NoNames,
    /// A commit does not wait until the standby has it on disk.
    #[error("--durability replica: synchronous_commit is {0}; it must be on or remote_apply")]
    Commit(String),
    /// None is connected, or this database user may not see them.
    #[error("--durability replica: no synchronous standby is streaming (or grant pg_monitor to this database user)")]
    NoneStreaming,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a synchronous standby confirms every commit.
///
/// # Errors
/// See [`ReplicaError`].
pub fn check(store: &Store) -> Result<(), ReplicaError> {
    let standby = store.read(Db::standby)?;
    judge(standby.as_ref())
}

/// Whether a standby confirms what is committed, as an operator is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirming {
    /// Why none does.
    pub fault: Option<String>,
}

/// How it stands with the standby; none where the database is not set up for one.
///
/// # Errors
/// The database's.
pub fn standing(db: &mut Db) -> Result<Option<Confirming>, StoreError> {
    let standby = db.standby()?;
    Ok(match judge(standby.as_ref()) {
        Err(ReplicaError::Sqlite | ReplicaError::NoNames) => None,
        Err(ReplicaError::Store(error)) => return Err(error),
        Err(fault) => Some(Confirming { fault: Some(fault.to_string()) }),
        Ok(()) => Some(Confirming { fault: None }),
    })
}

fn judge(standby: Option<&Standby>) -> Result<(), ReplicaError> {
    let Some(standby) = standby else { return Err(ReplicaError::Sqlite) };
    if standby.names.trim().is_empty() {
        return Err(ReplicaError::NoNames);
    }
    if !matches!(standby.commit.as_str(), "on" | "remote_apply") {
        return Err(ReplicaError::Commit(standby.commit.clone()));
    }
    if standby.streaming == 0 { Err(ReplicaError::NoneStreaming) } else { Ok(()) }
}

/// Follows what the standby has. Called every second.
pub struct Follower {
    store: Store,
    clock: Clock,
    /// Heads, and where the write-ahead log was when they were committed.
    awaited: Option<(Vec<LogHead>, String)>,
    noted: BTreeMap<LogId, (u64, u64)>,
}

impl Follower {
    /// A follower of a database.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, awaited: None, noted: BTreeMap::new() }
    }

    /// Moves the durable marks to the heads that the standby has by now.
    ///
    /// # Errors
    /// [`ReplicaError`]: the marks stay.
    pub fn follow(&mut self) -> Result<(), ReplicaError> {
        if let Some((heads, written)) = self.awaited.take() {
            if !self.store.read(|db| db.standby_has(&written))? {
                check(&self.store)?;
                self.awaited = Some((heads, written));
                return Ok(());
            }
            self.note(&heads)?;
        }
        // What is committed was written before: the place is asked for after the heads.
        let heads = self.store.read(Db::heads)?;
        let standby = self.store.read(Db::standby)?;
        judge(standby.as_ref())?;
        self.awaited = standby.map(|standby| (heads, standby.written));
        Ok(())
    }

    fn note(&mut self, heads: &[LogHead]) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        for head in heads {
            let (rev, at_ms) = self.noted.get(&head.log).copied().unwrap_or((0, 0));
            if rev != head.rev || now_ms.saturating_sub(at_ms) >= CONFIRM_EVERY_MS {
                self.store.write(|db| db.set_durable(head.num, head.rev, now_ms))?;
                self.noted.insert(head.log, (head.rev, now_ms));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standby(names: &str, commit: &str, streaming: i64) -> Standby {
        Standby { names: names.into(), commit: commit.into(), streaming, written: "0/0".into() }
    }

    #[test]
    fn a_standby_must_be_named_waited_for_and_there() {
        assert!(matches!(judge(None), Err(ReplicaError::Sqlite)));
        assert!(matches!(judge(Some(&standby("", "on", 1))), Err(ReplicaError::NoNames)));
        for commit in ["off", "local", "remote_write"] {
            assert!(matches!(judge(Some(&standby("*", commit, 1))), Err(ReplicaError::Commit(_))), "{commit}");
        }
        assert!(matches!(judge(Some(&standby("*", "on", 0))), Err(ReplicaError::NoneStreaming)));
        assert!(judge(Some(&standby("*", "remote_apply", 1))).is_ok());
    }
}
