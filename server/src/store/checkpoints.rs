//! The upper levels of the tree, and signed checkpoints.

use std::ops::Range;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into};
use schema::hash::Hash;
use schema::ids::EpochId;
use sync_core::log::tree::{CompleteRun, Hashes};

use super::columns::{bound, column, hash, number};
use super::conn::on_backend;
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::{checkpoint, tile_hash};

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Number of leaves.
    pub size: u64,
    /// The root.
    pub root: Hash,
    /// When it was signed.
    pub signed_ms: u64,
    /// The signed note.
    pub note: String,
}

impl LogTx<'_> {
    /// Keeps the root of a run of leaves that is complete.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_run(&mut self, run: &CompleteRun) -> Result<(), StoreError> {
        insert_into(tile_hash::table)
            .values((
                tile_hash::log.eq(self.head.num.0),
                tile_hash::level.eq(i16::from(run.level)),
                tile_hash::idx.eq(column(run.index)?),
                tile_hash::hash.eq(run.root.0.as_slice()),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// Keeps a checkpoint, unless another server signed this head meanwhile.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_checkpoint(&mut self, log: LogNum, epoch: EpochId, new: &StoredCheckpoint) -> Result<(), StoreError> {
        let row = (
            checkpoint::log.eq(log.0),
            checkpoint::epoch.eq(epoch.bytes().as_slice()),
            checkpoint::size.eq(column(new.size)?),
            checkpoint::signed_ms.eq(column(new.signed_ms)?),
            checkpoint::root.eq(new.root.0.as_slice()),
            checkpoint::note.eq(&new.note),
        );
        on_backend!(&mut self.conn, conn => insert_into(checkpoint::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(conn))?;
        Ok(())
    }

    /// The newest checkpoint of an epoch.
    ///
    /// # Errors
    /// The database's.
    pub fn newest_checkpoint(&mut self, log: LogNum, epoch: EpochId) -> Result<Option<StoredCheckpoint>, StoreError> {
        let row: Option<(i64, Vec<u8>, i64, String)> = checkpoint::table
            .filter(checkpoint::log.eq(log.0))
            .filter(checkpoint::epoch.eq(epoch.bytes().as_slice()))
            .order(checkpoint::size.desc())
            .select((checkpoint::size, checkpoint::root, checkpoint::signed_ms, checkpoint::note))
            .first(&mut self.conn)
            .optional()?;
        row.map(|(size, root, signed_ms, note)| {
            Ok(StoredCheckpoint {
                size: number(size, "a size below zero")?,
                root: hash(&root)?,
                signed_ms: number(signed_ms, "a time below zero")?,
                note,
            })
        })
        .transpose()
    }

    /// The hashes that proofs over a log's tree are made from.
    pub fn tree(&mut self, log: LogNum) -> LogHashes<'_> {
        LogHashes { db: self, log }
    }
}

/// A log's hashes by tile level.
pub struct LogHashes<'a> {
    db: &'a mut Db,
    log: LogNum,
}

impl Hashes for LogHashes<'_> {
    type Error = StoreError;

    fn hashes(&mut self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        if level == 0 {
            return self.db.leaves(self.log, range.start + 1..range.end + 1);
        }
        let rows: Vec<Vec<u8>> = tile_hash::table
            .filter(tile_hash::log.eq(self.log.0))
            .filter(tile_hash::level.eq(i16::from(level)))
            .filter(tile_hash::idx.ge(bound(range.start)))
            .filter(tile_hash::idx.lt(bound(range.end)))
            .order(tile_hash::idx)
            .select(tile_hash::hash)
            .load(&mut self.db.conn)?;
        rows.iter().map(|bytes| hash(bytes)).collect()
    }
}
